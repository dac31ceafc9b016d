"""What kind of numbers an expression is made of, as far as the code itself tells."""

from __future__ import annotations

import ast
import enum

from tflint_layers.model.scopes import Scope
from tflint_layers.model.syntax import walk
from tflint_layers.model.values import Api, Instance, NotConstant, Shape, StaticDim, Variable, constant_of


class Kind(enum.Enum):
    """The numbers of a tensor, or of what becomes one."""

    FLOAT = "float"
    INT = "int"
    BOOL = "bool"
    UNKNOWN = "unknown"


_INT = frozenset({"shape", "rank", "size", "argmax", "argmin", "argsort", "count_nonzero", "searchsorted", "bincount"})
_BOOL = frozenset(
    {"reduce_any", "reduce_all", "any", "all", "logical_and", "logical_or", "logical_not", "logical_xor", "isnan"}
    | {"is_nan", "is_inf", "is_finite", "isinf", "isfinite", "equal", "not_equal", "less", "less_equal", "greater"}
    | {"greater_equal", "is_non_decreasing", "sequence_mask", "isclose", "allclose", "array_equal"}
)
_FLOAT = frozenset(
    {"sqrt", "exp", "log", "sigmoid", "softmax", "tanh", "sin", "cos", "norm", "reduce_std", "reduce_variance", "std"}
    | {"var", "rsqrt", "log_softmax", "softplus", "erf", "expm1", "log1p", "sinh", "cosh", "normal", "truncated_normal"}
)
_LIKE_FIRST = frozenset(
    {"reduce_sum", "reduce_max", "reduce_min", "reduce_mean", "reduce_prod", "sum", "max", "min", "mean", "prod"}
    | {"abs", "square", "maximum", "minimum", "identity", "reshape", "transpose", "squeeze", "expand_dims", "relu"}
    | {"clip_by_value", "clip", "stop_gradient", "zeros_like", "ones_like", "negative", "multiply", "add", "subtract"}
    | {"convert_to_tensor", "gather", "unstack", "stack", "concat", "round", "floor", "ceil", "sort", "cumsum", "tile"}
)
_DEFAULTING = {"zeros": Kind.FLOAT, "ones": Kind.FLOAT, "uniform": Kind.FLOAT, "eye": Kind.FLOAT}
_CONSTANTS = frozenset(f"{home}.{name}" for home in ("math", "numpy") for name in ("pi", "e", "tau", "inf", "nan"))
_DEEPEST = 6


def kind_of(scope: Scope, node: ast.expr, depth: int = 0) -> Kind:
    """The kind of numbers; unknown for inputs, whose kind the caller decides."""
    if depth > _DEEPEST:
        return Kind.UNKNOWN
    constant = constant_of(scope.value(node)) if not isinstance(node, ast.Constant) else node.value
    if not isinstance(constant, NotConstant) and constant is not None:
        return kind_of_number(constant)
    if isinstance(node, ast.BinOp):
        sides = kind_of(scope, node.left, depth + 1), kind_of(scope, node.right, depth + 1)
        return Kind.FLOAT if isinstance(node.op, ast.Div) else joined(*sides)
    if isinstance(node, ast.Compare) or (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)):
        return Kind.BOOL
    if isinstance(node, ast.UnaryOp):
        return kind_of(scope, node.operand, depth + 1)
    if isinstance(node, ast.IfExp):
        return joined(kind_of(scope, node.body, depth + 1), kind_of(scope, node.orelse, depth + 1))
    if isinstance(node, (ast.Subscript, ast.Starred)):
        return kind_of(scope, node.value, depth + 1)
    if isinstance(node, ast.Call):
        return _kind_of_call(scope, node, depth)
    if isinstance(node, ast.Name) and (origin := only_value(scope, node.id) or _unpacked(scope, node.id)) is not None:
        return kind_of(scope, origin, depth + 1)
    if isinstance(node, (ast.List, ast.Tuple)) and node.elts:
        return kind_of(scope, node.elts[0], depth + 1)
    value = scope.value(node)
    if isinstance(value, (Shape, StaticDim)):
        return Kind.INT
    if isinstance(value, Api) and value.name in _CONSTANTS:
        return Kind.FLOAT
    return Kind.FLOAT if isinstance(value, Variable) else Kind.UNKNOWN


def joined(left: Kind, right: Kind) -> Kind:
    """The kind of what is computed from two numbers."""
    if Kind.FLOAT in (left, right):
        return Kind.FLOAT
    if Kind.UNKNOWN in (left, right):
        return Kind.UNKNOWN
    return left if left is right else Kind.INT


def kind_of_dtype(scope: Scope, node: ast.expr) -> Kind:
    """The kind that a dtype argument names."""
    name = node.value if isinstance(node, ast.Constant) else scope.api_name(node).rpartition(".")[2]
    name = str(name)
    if name.startswith(("float", "bfloat", "half", "double")):
        return Kind.FLOAT
    if name.startswith(("int", "uint")):
        return Kind.INT
    return Kind.BOOL if name.startswith("bool") else Kind.UNKNOWN


def dtype_argument(call: ast.Call, function: str) -> ast.expr | None:
    """The argument that names the dtype of what a call of a function with this last name gives."""
    dtypes = [keyword.value for keyword in call.keywords if keyword.arg == "dtype"]
    if function in {"cast", "zeros", "ones"}:
        dtypes += call.args[1:2]
    return dtypes[0] if dtypes else None


def kind_of_number(constant: object) -> Kind:
    """The kind of a constant; unknown for what is no number."""
    if isinstance(constant, bool):
        return Kind.BOOL
    if isinstance(constant, int):
        return Kind.INT
    return Kind.FLOAT if isinstance(constant, float) else Kind.UNKNOWN


def _kind_of_call(scope: Scope, node: ast.Call, depth: int) -> Kind:
    name = scope.api_name(node.func)
    last = name.rpartition(".")[2]
    dtype = dtype_argument(node, last)
    if dtype is not None:
        return kind_of_dtype(scope, dtype)
    if not name:
        is_layer = isinstance(scope.value(node.func), Instance)
        return Kind.FLOAT if is_layer else Kind.UNKNOWN
    for kind, names in ((Kind.INT, _INT), (Kind.BOOL, _BOOL), (Kind.FLOAT, _FLOAT)):
        if last in names:
            return kind
    if last in _DEFAULTING:
        return _DEFAULTING[last]
    if name in {"builtins.float", "builtins.int", "builtins.bool"}:
        return Kind(last)
    if name in {"builtins.len", "builtins.range"}:
        return Kind.INT
    if last in {"range", "arange"}:
        kinds = [kind_of(scope, argument, depth + 1) for argument in node.args]
        return Kind.FLOAT if Kind.FLOAT in kinds else Kind.INT if set(kinds) == {Kind.INT} else Kind.UNKNOWN
    is_like_first = last in _LIKE_FIRST or name == "tensorflow.constant"
    return kind_of(scope, node.args[0], depth + 1) if is_like_first and node.args else Kind.UNKNOWN


def _unpacked(scope: Scope, name: str) -> ast.expr | None:
    """What a name is taken from by its one assignment: the element of a tuple, or a shape, which is of one kind."""
    bound = [n for n in scope.values if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Store)]
    target = scope.parent(bound[0]) if len(bound) == 1 else None
    statement = scope.parent(target) if isinstance(target, ast.Tuple) else None
    if not isinstance(statement, ast.Assign) or not isinstance(target, ast.Tuple):
        return None
    value = statement.value
    if isinstance(value, ast.Tuple):
        return value.elts[target.elts.index(bound[0])] if len(value.elts) == len(target.elts) else None
    return value if isinstance(scope.value(value), Shape) else None


def only_value(scope: Scope, name: str) -> ast.expr | None:
    """What the one assignment of a local name assigns; None for a parameter, or where there are several."""
    root = scope.function.node if scope.function is not None else None
    if root is None or (scope.function is not None and scope.function.accepts(name)):
        return None
    assigned = [
        node
        for node in walk(root)
        if isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load)
    ]
    parent = scope.parent(assigned[0]) if len(assigned) == 1 else None
    if isinstance(parent, ast.Assign) and parent.targets == assigned:
        return parent.value
    return parent.iter if isinstance(parent, (ast.For, ast.comprehension)) and parent.target is assigned[0] else None
