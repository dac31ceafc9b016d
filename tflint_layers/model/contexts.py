"""What a context manager that is a class of the project changes when it is entered, and takes back when it is left."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

from tflint_layers.model.classes import FunctionInfo
from tflint_layers.model.syntax import last_name, walk


def takes_back(entering: FunctionInfo, leaving: FunctionInfo) -> bool:
    """Whether leaving a context changes again what entering it changed, such as a depth, a flag or a stack."""
    there, back = set(_changes(entering)), {*_changes(leaving, _in_case_of_error(leaving))}
    # The same done twice takes nothing back.
    return any(place == other and (way != again or not way) for place, way in there for other, again in back)


def _in_case_of_error(leaving: FunctionInfo) -> set[ast.AST]:
    """The nodes of an ``__exit__`` that run only where the block has raised, or has not."""
    given = {parameter.arg for parameter in leaving.parameters[1:]}
    return {
        node
        for branch in leaving.of_kind(ast.If)
        if any(isinstance(name, ast.Name) and name.id in given for name in walk(branch.test))
        for node in walk(branch)
    }


def _changes(method: FunctionInfo, left_out: Collection[ast.AST] = ()) -> Iterator[tuple[str, str]]:
    """The names and attributes that a method binds or changes in place, each with how: nothing for a new value."""
    shared = {name for node in method.of_kind(ast.Global) for name in node.names}
    moved = {node.target: type(node.op).__name__ for node in method.of_kind(ast.AugAssign)}
    for node in method.nodes:
        if node in left_out:
            continue
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr, moved.get(node, "")
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in shared:
            yield node.id, moved.get(node, "")
        elif isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
            yield _name_of_base(node), type(node.ctx).__name__
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield _name_of_base(node.func.value), node.func.attr


def _name_of_base(node: ast.expr) -> str:
    """The last part of the name of what entries are taken of, and methods called: ``d`` for `self.d["k"].get(0)`."""
    while isinstance(node, (ast.Subscript, ast.Call)):
        inner = node.value if isinstance(node, ast.Subscript) else node.func
        node = inner.value if isinstance(node, ast.Call) and isinstance(inner, ast.Attribute) else inner
    return last_name(node)
