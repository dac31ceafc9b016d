"""What a context manager that is a class of the project changes when it is entered, and takes back when it is left."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.model.classes import FunctionInfo
from tflint_layers.model.syntax import last_name


def takes_back(entering: FunctionInfo, leaving: FunctionInfo) -> bool:
    """Whether leaving a context changes again what entering it changed, such as a depth, a flag or a stack."""
    changed = {*_written(entering)} & {*_written(leaving)}
    calls = dict(_called(entering))
    return bool(changed) or any(calls.get(receiver, method) != method for receiver, method in _called(leaving))


def _written(method: FunctionInfo) -> Iterator[str]:
    """The attributes and globals that a method binds."""
    shared = {name for node in method.of_kind(ast.Global) for name in node.names}
    yield from (node.attr for node in method.of_kind(ast.Attribute) if isinstance(node.ctx, ast.Store))
    yield from (name for name in method.bound_first if name in shared)


def _called(method: FunctionInfo) -> Iterator[tuple[str, str]]:
    """The names and attributes of which a method is called, each with that method."""
    for node in method.of_kind(ast.Call):
        if isinstance(node.func, ast.Attribute) and (receiver := last_name(node.func.value)):
            yield receiver, node.func.attr
