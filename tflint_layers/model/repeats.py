"""Loops that Python runs, and what is another value at each of their steps."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.model import callbacks
from tflint_layers.model.decorators import written_out
from tflint_layers.model.scopes import Scope
from tflint_layers.model.syntax import walk
from tflint_layers.model.values import Function, Static, is_symbolic, literal

Loop = ast.For | ast.While
# TensorFlow itself warns when five calls in a row are traced anew.
_MANY = 5
_NUMERIC = frozenset(f"builtins.{name}" for name in ("float", "int", "str", "round", "abs"))
# These give few different values for many.
_LUMPING = (ast.Mod, ast.FloorDiv, ast.BitAnd)


def loop_around(scope: Scope, node: ast.AST) -> Loop | None:
    """The innermost loop of Python whose body holds a node, unless it is known to make a few steps only."""
    child = node
    for parent in scope.parents(node):
        if isinstance(parent, (ast.For, ast.While)) and child in parent.body:
            return parent if _makes_many_steps(scope, parent) else None
        child = parent
    return None


def _makes_many_steps(scope: Scope, loop: Loop) -> bool:
    if isinstance(loop, ast.While):
        return True
    if is_symbolic(scope.value(loop.iter)):
        return False  # a loop of the graph
    if isinstance(loop.iter, (ast.List, ast.Tuple)):
        return len(loop.iter.elts) >= _MANY
    if isinstance(loop.iter, ast.Call) and scope.api_name(loop.iter.func) == "builtins.range":
        bounds = [literal(argument) for argument in loop.iter.args]
        numbers = [bound for bound in bounds if isinstance(bound, int)]
        return len(numbers) < len(bounds) or len(range(*numbers[:3] or [0])) >= _MANY
    return True


def bound_in(loop: Loop) -> frozenset[str]:
    """The names that a loop binds, at its head or in its body."""
    names = (node.id for node in walk(loop) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
    defined = (node.name for node in walk(loop) if isinstance(node, (ast.FunctionDef, ast.ClassDef)))
    return frozenset((*names, *defined))


def numbers_of(scope: Scope, loop: Loop) -> frozenset[str]:
    """The names that hold another number or text of Python at each step of a loop."""
    counted = (
        node.target.id
        for node in walk(loop)
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name) and node in loop.body
    )
    return frozenset((*_counters(scope, loop), *counted))


def _counters(scope: Scope, loop: Loop) -> Iterator[str]:
    if isinstance(loop, ast.While):
        return
    target, source = loop.target, loop.iter
    if isinstance(source, ast.Call) and scope.api_name(source.func) == "builtins.enumerate":
        target = target.elts[0] if isinstance(target, ast.Tuple) else target
    elif not (
        isinstance(source, (ast.List, ast.Tuple))
        or (isinstance(source, ast.Call) and scope.api_name(source.func) == "builtins.range")
    ):
        return
    if isinstance(target, ast.Name):
        yield target.id


def varies(scope: Scope, node: ast.expr, names: frozenset[str]) -> bool:
    """Whether an expression is a number or text of Python that is another one for other values of some names."""
    if isinstance(node, ast.Name):
        return node.id in names and isinstance(scope.value(node), Static)
    if isinstance(node, ast.BinOp) and not isinstance(node.op, _LUMPING):
        sides = (node.left, node.right)
        return any(varies(scope, side, names) for side in sides) and isinstance(scope.value(node), Static)
    if isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.Not):
        return varies(scope, node.operand, names)
    if isinstance(node, ast.Call) and scope.api_name(node.func) in _NUMERIC:
        return any(varies(scope, argument, names) for argument in node.args)
    if isinstance(node, ast.JoinedStr):
        parts = (part.value for part in node.values if isinstance(part, ast.FormattedValue))
        return any(varies(scope, part, names) for part in parts)
    return False


def is_traced_by_signature(scope: Scope, callee: ast.expr) -> bool:
    """Whether what is called is a ``tf.function`` that is traced for each kind of arguments that it is given.

    One with an ``input_signature`` makes tensors of its arguments, and is traced once.
    """
    function = scope.value(callee)
    if not isinstance(function, Function) or not function.autograph:
        return False
    makers = [written_out(decorator, function.info.module) for decorator in function.info.decorators]
    if isinstance(callee, ast.Name):
        local = scope.function.locals.get(callee.id) if scope.function is not None else None
        makers.append(local or written_out(callee, scope.module))
    keywords = (keyword for maker in makers if isinstance(maker, ast.Call) for keyword in maker.keywords)
    return not any(keyword.arg in callbacks.SIGNATURES or keyword.arg is None for keyword in keywords)
