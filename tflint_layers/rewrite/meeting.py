"""The dtype that a number of Python takes in eager mode: that of the first tensor that it meets."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from tflint_layers.model.scopes import Scope
from tflint_layers.model.syntax import walk
from tflint_layers.model.values import Instance, Variable, is_static, is_symbolic
from tflint_layers.rewrite.dtypes import Kind, dtype_argument, kind_of, kind_of_dtype, only_value

# What gives a number for numbers; `int`, `round` and `len` give a whole one, which takes no dtype of its own.
_OF_NUMBERS = frozenset(f"builtins.{name}" for name in ("float", "max", "min", "abs", "sum", "pow"))
_FLOAT32 = frozenset({"zeros", "ones", "eye", "normal", "uniform", "truncated_normal", "linspace"})
_OF_ANOTHER_DTYPE = frozenset({"one_hot", "sequence_mask", "bucketize", "string_to_number", "map_fn", "while_loop"})
_LIBRARIES = ("tensorflow.", "keras.ops.", "keras.backend.", "keras.activations.")
_DEEPEST = 8

FLOAT32 = '"float32"'
"""The dtype, as source text, that operations give to numbers of Python."""


def dtype_met(scope: Scope, node: ast.expr) -> str | None:
    """The text of the dtype of the first tensor that a number meets, on its way through arithmetic and names.

    None where it meets none, or where nothing in the code tells the dtype at the place of the number.
    """
    return _met(scope, node, node, 0)


def _met(scope: Scope, node: ast.expr, at: ast.expr, depth: int) -> str | None:
    child: ast.AST = node
    for parent in scope.parents(node):
        if isinstance(parent, ast.BinOp | ast.UnaryOp) or (isinstance(parent, ast.IfExp) and parent.test is not child):
            others = [side for side in _sides(parent) if side is not child]
        elif isinstance(parent, ast.Call) and child in parent.args:
            others = [argument for argument in parent.args if argument is not child]
            if not any(_is_tensor(scope, other) for other in others) and not _is_of_numbers(scope, parent):
                return None
        elif isinstance(parent, ast.AugAssign) and isinstance(parent.target, ast.Name):
            others = [parent.target]
        else:
            return _met_by_name(scope, parent, at, depth) if depth < _DEEPEST else None
        tensors = [other for other in others if _is_tensor(scope, other)]
        if tensors:
            return _first(dtype_of(scope, other, at) for other in tensors)
        child = parent
    return None


def dtype_of(scope: Scope, node: ast.expr, at: ast.expr, depth: int = 0) -> str | None:
    """The text of the dtype of a tensor of floats, as it can be written at another place before it."""
    if depth > _DEEPEST or kind_of(scope, node) in {Kind.INT, Kind.BOOL}:
        return None
    match node:
        case ast.Name():
            return _dtype_of_name(scope, node, at, depth)
        case ast.Attribute(value=ast.Name(), attr=attribute):
            text = scope.module.source.segment(node)
            return f"{text}.dtype" if attribute != "T" and isinstance(scope.value(node), Variable) else None
        case ast.Call():
            return _dtype_of_call(scope, node, at, depth)
        case ast.BinOp() | ast.UnaryOp() | ast.IfExp():
            parts = [side for side in _sides(node) if _is_tensor(scope, side)]
        case ast.Subscript():
            parts = [node.value]
        case ast.List() | ast.Tuple():
            parts = node.elts[:1]
        case _:
            parts = []
    return _first(dtype_of(scope, part, at, depth + 1) for part in parts)


def is_number_in_eager_mode(scope: Scope, node: ast.expr, depth: int = 0) -> bool:
    """Whether a tensor is one because AutoGraph makes operations of Python's functions, which eager mode runs."""
    if isinstance(node, ast.BinOp):
        sides = (node.left, node.right)
        return all(is_static(scope.value(s)) or is_number_in_eager_mode(scope, s, depth) for s in sides)
    if isinstance(node, ast.Name) and depth < _DEEPEST and (origin := only_value(scope, node.id)) is not None:
        return is_number_in_eager_mode(scope, origin, depth + 1)
    return isinstance(node, ast.Call) and scope.api_name(node.func).startswith("builtins.")


def _first(dtypes: Iterable[str | None]) -> str | None:
    return next((dtype for dtype in dtypes if dtype is not None), None)


def _sides(node: ast.AST) -> list[ast.expr]:
    match node:
        case ast.BinOp():
            return [node.left, node.right]
        case ast.IfExp():
            return [node.body, node.orelse]
        case ast.UnaryOp():
            return [node.operand]
    return []


def _is_tensor(scope: Scope, node: ast.expr) -> bool:
    return is_symbolic(scope.value(node)) and not is_number_in_eager_mode(scope, node)


def _is_of_numbers(scope: Scope, call: ast.Call) -> bool:
    name = scope.api_name(call.func)
    return name in _OF_NUMBERS or name.startswith(("math.", "numpy."))


def _met_by_name(scope: Scope, statement: ast.AST, at: ast.expr, depth: int) -> str | None:
    """Where a number is given a name: what that meets."""
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return None
    target = statement.targets[0]
    if not isinstance(target, ast.Name):
        return None
    end = next((store.lineno for store in _stores(scope, target.id) if store.lineno > target.lineno), None)
    uses = (use for use in scope.uses(target.id) if target.lineno < use.lineno <= (end or use.lineno))
    found = (_met(scope, use, at, depth + 1) for use in uses if use in scope.values)
    return _first(found)


def _stores(scope: Scope, name: str) -> Iterator[ast.Name]:
    """The places at which the function binds a name, in the order of the text."""
    root = scope.function.node if scope.function is not None else scope.module.source.tree
    found = (node for node in walk(root) if isinstance(node, ast.Name) and node.id == name)
    yield from sorted((node for node in found if not isinstance(node.ctx, ast.Load)), key=lambda node: node.lineno)


def _dtype_of_name(scope: Scope, name: ast.Name, at: ast.expr, depth: int) -> str | None:
    """The dtype of what a name stands for; where it is bound again on the way, of what it is bound to."""
    since = [store for store in _stores(scope, name.id) if at.lineno <= store.lineno < name.lineno]
    if not since:
        return f"{name.id}.dtype" if is_symbolic(scope.value(name)) else None
    statement = scope.parent(since[-1])
    if isinstance(statement, ast.Assign) and statement.targets == [since[-1]]:
        return dtype_of(scope, statement.value, at, depth + 1)
    return None


def _dtype_of_call(scope: Scope, call: ast.Call, at: ast.expr, depth: int) -> str | None:
    name = scope.api_name(call.func)
    last = name.rpartition(".")[2]
    if isinstance(scope.value(call.func), Instance):
        return _compute_dtype(scope)
    given = dtype_argument(call, last)
    if given is not None:
        return _dtype_named(scope, given, at, depth)
    if not name.startswith(_LIBRARIES) or last in _OF_ANOTHER_DTYPE:
        return None
    if last in _FLOAT32:
        return FLOAT32
    arguments = [argument for argument in call.args if not isinstance(argument, ast.Starred)]
    return _first(dtype_of(scope, argument, at, depth + 1) for argument in arguments)


def _dtype_named(scope: Scope, dtype: ast.expr, at: ast.expr, depth: int) -> str | None:
    if isinstance(dtype, ast.Attribute) and dtype.attr == "dtype":
        return dtype_of(scope, dtype.value, at, depth + 1)
    is_float = kind_of_dtype(scope, dtype) is Kind.FLOAT
    return scope.module.source.segment(dtype) if is_float else None


def _compute_dtype(scope: Scope) -> str | None:
    """What the layers of a layer compute in, as it says itself."""
    function = scope.function
    is_method = function is not None and scope.layer is not None and function.cls is not None and function.parameters
    return f"{function.parameters[0].arg}.compute_dtype" if function is not None and is_method else None
