"""Who calls a function of the module, and under which conditions code runs at all."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TypeGuard

from tflint_layers.model.classes import FunctionInfo, ModuleInfo
from tflint_layers.model.scopes import Phase, Scope
from tflint_layers.model.syntax import walk
from tflint_layers.model.values import Function, alternatives

_MODES = frozenset({"tensorflow.executing_eagerly", "tensorflow.inside_function", "tensorflow.is_symbolic_tensor"})
_ON_THE_HOST = ("py_function", "numpy_function", "py_func")


def calls(scope: Scope, function: FunctionInfo) -> Iterator[tuple[Scope, ast.Call]]:
    """The calls of a function in traced code, each with the evaluation that it stands in."""
    seen: set[ast.AST] = set()
    for caller in scope.everything(Phase.CALL):
        for node in caller.values:
            if isinstance(node, ast.Call) and node not in seen and _calls_function(caller, node, function):
                seen.add(node)
                yield caller, node


def _calls_function(scope: Scope, call: ast.Call, function: FunctionInfo) -> bool:
    values = alternatives(scope.value(call.func))
    return all(isinstance(value, Function) and value.info.node is function.node for value in values)


def mentions(tree: ast.Module, scope: Scope, function: FunctionInfo) -> Iterator[ast.AST]:
    """All places that read a name the function goes by: one that is not a call may do anything with the result."""
    names = {function.name}
    if isinstance(function.node, ast.Lambda):
        statement = scope.parent(function.node) or scope.module.parents.get(function.node)
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        names = {target.id for target in targets if isinstance(target, ast.Name)}
    for node in walk(tree):
        name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else None
        if name in names and isinstance(getattr(node, "ctx", None), ast.Load):
            yield node


def is_plain_method(function: FunctionInfo) -> bool:
    """Whether no decorator but those of methods changes what a function returns."""
    return all(isinstance(d, ast.Name) and d.id in {"staticmethod", "classmethod"} for d in function.decorators)


def is_entry(scope: Scope) -> bool:
    """Whether the function is the one that Keras calls."""
    return scope.function is not None and bool(scope.route) and scope.function.qualname == scope.route[0]


def is_given_to_library(module: ModuleInfo, function: ast.Lambda) -> bool:
    """Whether a function goes straight to a layer or an operation, which traces it and takes tensors from it."""
    outer = module.parents.get(function)
    call = module.parents.get(outer) if isinstance(outer, ast.keyword) else outer
    name = (module.dotted(call.func) if isinstance(call, ast.Call) else None) or ""
    # What `tf.nest` does with a function is no operation: the code that calls it gets what the function gives.
    is_operation = not name.endswith(_ON_THE_HOST) and not name.startswith("tensorflow.nest.")
    return name.startswith(("tensorflow.", "keras.")) and is_operation


def differs_by_mode(scope: Scope, node: ast.AST) -> bool:
    """Whether a test of the execution mode keeps eager mode from running the code."""
    return any(
        isinstance(parent, (ast.If, ast.IfExp))
        and _MODES & {scope.api_name(n) for n in walk(parent.test) if _is_name(n)}
        for parent in scope.parents(node)
    )


def _is_name(node: ast.AST) -> TypeGuard[ast.expr]:
    return isinstance(node, (ast.Name, ast.Attribute))
