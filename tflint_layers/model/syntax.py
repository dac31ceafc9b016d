"""Walks over syntax trees, faster than those of the standard library because they skip what holds no code."""

from __future__ import annotations

import ast
from collections.abc import Iterator

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
OWN_SCOPE = frozenset({ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda})
# The last block first, as they are put on a stack.
_BLOCKS = ("finalbody", "orelse", "handlers", "cases", "body")
_COMPOUND = frozenset({ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match}) | (
    {ast.TryStar} if hasattr(ast, "TryStar") else set()
)
# What an operator or a name is called, and whether a name is read or written, is no code.
_NO_CODE = frozenset(
    {"ctx", "op", "ops", "id", "attr", "arg", "kind", "type_comment", "conversion", "is_async", "level"}
)
# Fields that hold a node, or a list of nothing else, wherever they stand; of others each item is looked at.
_NODES = (
    "value test target func left right operand slice iter elt key lower upper step body orelse finalbody handlers args "
    "keywords elts targets comparators generators ifs items cases decorator_list bases posonlyargs kwonlyargs defaults "
    "annotation returns context_expr optional_vars exc cause msg"
)
_ONLY_NODES = frozenset(_NODES.split())


class _Fields(dict[type[ast.AST], tuple[tuple[str, bool], ...]]):
    """By kind of node: the fields in which there may be nodes with code, and whether there is nothing else in them."""

    def __missing__(self, kind: type[ast.AST]) -> tuple[tuple[str, bool], ...]:
        fields = () if issubclass(kind, (ast.Constant, ast.MatchSingleton)) else kind._fields
        found = tuple((name, name in _ONLY_NODES) for name in fields if name not in _NO_CODE)
        self[kind] = found
        return found


_FIELDS = _Fields()


def children(node: ast.AST) -> list[ast.AST]:
    """The nodes with code right below a node, in the order of the source: no operators, no contexts."""
    found: list[ast.AST] = []
    for name, is_code in _FIELDS[type(node)]:
        value = getattr(node, name, None)
        if type(value) is list:
            found += value if is_code else [item for item in value if isinstance(item, ast.AST)]
        elif value is not None and (is_code or isinstance(value, ast.AST)):
            found.append(value)
    return found


def walk(root: ast.AST, closed: frozenset[type[ast.AST]] = frozenset()) -> list[ast.AST]:
    """A node and all those below it, parents before children; nothing below nodes of a ``closed`` kind."""
    found = [root]
    append = found.append
    for node in found:
        kind = type(node)
        if kind in closed:
            continue
        # As `children`, without a call for each node: walks are a large part of linting.
        for name, is_code in _FIELDS[kind]:
            value = getattr(node, name, None)
            if type(value) is list:
                found += value if is_code else [item for item in value if isinstance(item, ast.AST)]
            elif value is not None and (is_code or isinstance(value, ast.AST)):
                append(value)
    return found


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


def assigned_in(body: list[ast.stmt]) -> Iterator[ast.expr]:
    """What the statements of a block assign to, those of functions and classes inside it among them."""
    for node in statements(body):
        if isinstance(node, ast.Assign):
            yield from node.targets
        elif isinstance(node, (ast.AugAssign, ast.AnnAssign, ast.For, ast.AsyncFor)):
            yield node.target
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            yield from (item.optional_vars for item in node.items if item.optional_vars is not None)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield from assigned_in(node.body)


def parents_below(root: ast.AST) -> dict[ast.AST, ast.AST]:
    """The node around each node below ``root``."""
    found: dict[ast.AST, ast.AST] = {}
    pending = [root]
    for node in pending:
        below = children(node)
        found.update(dict.fromkeys(below, node))
        pending += below
    return found


def own_nodes(function: FunctionNode) -> list[ast.AST]:
    """The nodes of a function's body without those of functions and classes inside it."""
    body = function.body if isinstance(function.body, list) else [function.body]
    return [node for part in body for node in walk(part, OWN_SCOPE)]


def last_name(node: ast.expr) -> str:
    """The last part of a name, or of the name of what is called: ``d`` for ``a.b.d(x)``; empty for anything else."""
    node = node.func if isinstance(node, ast.Call) else node
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
