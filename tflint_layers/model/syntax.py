"""Walks over syntax trees, faster than those of the standard library because they skip what holds no code."""

from __future__ import annotations

import ast
from collections.abc import Iterator

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_OWN_SCOPE = frozenset({ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda})
# The last block first, as they are put on a stack.
_BLOCKS = ("finalbody", "orelse", "handlers", "cases", "body")
_COMPOUND = frozenset({ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match}) | (
    {ast.TryStar} if hasattr(ast, "TryStar") else set()
)
_LEAVES = frozenset({ast.Name, ast.Constant, ast.Load, ast.Store, ast.Del})


def children(node: ast.AST) -> list[ast.AST]:
    """The nodes right below a node, in the order of the source."""
    found: list[ast.AST] = []
    if type(node) in _LEAVES:
        return found
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(value, list):
            found.extend([item for item in value if isinstance(item, ast.AST)])
        elif isinstance(value, ast.AST):
            found.append(value)
    return found


def walk(root: ast.AST) -> Iterator[ast.AST]:
    """A node and all those below it, parents before children."""
    pending = [root]
    for node in pending:
        yield node
        pending.extend(children(node))


def statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a block and of the blocks inside it, but not those inside functions and classes."""
    pending = body[::-1]
    while pending:
        node = pending.pop()
        yield node
        if type(node) in _COMPOUND:
            for name in _BLOCKS:
                for inner in getattr(node, name, ())[::-1]:
                    pending.extend([inner] if isinstance(inner, ast.stmt) else inner.body[::-1])


def parents_below(root: ast.AST) -> dict[ast.AST, ast.AST]:
    """The node around each node below ``root``."""
    return {child: parent for parent in walk(root) for child in children(parent)}


def own_nodes(function: FunctionNode) -> Iterator[ast.AST]:
    """The nodes of a function's body without those of functions and classes inside it."""
    pending: list[ast.AST] = list(function.body) if isinstance(function.body, list) else [function.body]
    while pending:
        node = pending.pop()
        yield node
        if type(node) not in _OWN_SCOPE:
            pending.extend(children(node))
