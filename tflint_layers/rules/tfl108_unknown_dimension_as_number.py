"""The size of the batch is used as a number, but it is None wherever the batch size is not fixed.

## What it does
Finds `x.shape[0]` (and `b, n = x.shape`, `x.get_shape()[0]`, `x.shape.as_list()[0]`) in arithmetic, in comparisons such
as `x.shape[0] > 8`, in `int`, `range`, NumPy and shape arguments such as `tf.reshape(x, [x.shape[0], -1])`, and whole
shapes such as `tf.random.normal(x.shape)`, in code that Keras or `tf.function` traces; also a `raise` under
`if x.shape[0] != 1`, which None always makes true, and `if x.shape[0] == 4`, which it never does. What a test for None
guards is left alone, and so are `set_shape`, `ensure_shape`, messages, and `x.shape[0] == 1`, which None may well fail.

## Why is this bad
The first axis is None in a traced layer. Keras knows the size of the first batch, so that the layer seems to work
until a smaller last batch comes.

## Keras 2 and Keras 3
Both raise TypeError or ValueError, and AutoGraph does not help; `x.shape[0] == 4` is false without an error.

## Example
```python
class Flatten(keras.layers.Layer):
    def call(self, inputs):
        return tf.reshape(inputs, [inputs.shape[0], -1])
```
Ask while the graph runs:
```python
class Flatten(keras.layers.Layer):
    def call(self, inputs):
        return tf.reshape(inputs, [tf.shape(inputs)[0], -1])
```

## Fix safety
`x.shape[0]` becomes `tf.shape(x)[0]`, and `x.shape` becomes `tf.shape(x)`, or the same of `keras.ops`. In arguments of
operations it is safe: eager mode gives the same numbers. In arithmetic, comparisons, branches and assertions it is
unsafe: what the code does with the number becomes operations, and a number with a dtype of its own is cast to that of
the tensor it meets.

## How TensorFlow confirms it
Tracing the layer with an unknown batch size raises, and the traceback passes through the line. That None equals no
number is nothing that a trace shows.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Fix, Proof, Safety
from tflint_layers.model import api
from tflint_layers.model.scopes import Scope
from tflint_layers.model.syntax import children
from tflint_layers.model.values import (
    UNKNOWN,
    Container,
    OneOf,
    Shape,
    Static,
    StaticDim,
    Tensor,
    Value,
    is_single_tensor,
    literal,
)
from tflint_layers.rewrite import Kind, Retyping, only_value
from tflint_layers.rules.rule import Hit, Rule

_CONVERTING = frozenset(
    f"builtins.{name}" for name in ("int", "float", "range", "abs", "round", "max", "min", "divmod")
)
_DIFFERING = (ast.NotEq, ast.NotIn)
_SUMMING = frozenset({"builtins.sum", "builtins.max", "builtins.min"})


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to unknown dimensions where a number is needed."""
    if isinstance(node, ast.Raise):
        yield from _raised(scope, node)
        return
    if isinstance(node, ast.Compare) and (compared := _never_equal(scope, node)) is not None:
        yield Hit(node, _message(scope, node, compared, "is always false"), proof=Proof.NONE)
        return
    found: ast.expr | None = None
    if isinstance(node, ast.BinOp):
        found = _first(scope, [node.left, node.right]) if not scope.formats_text(node) else None
    elif isinstance(node, ast.UnaryOp):
        found = _first(scope, [node.operand]) if not isinstance(node.op, ast.Not) else None
    elif isinstance(node, ast.AugAssign):
        found = _first(scope, [node.target, node.value])
    elif isinstance(node, ast.Compare):
        found = _compared(scope, node)
    elif isinstance(node, ast.Call):
        found = _passed(scope, node)
    if found is not None:
        assert isinstance(node, (ast.expr, ast.stmt))
        yield Hit(node, _message(scope, node, found))


def _message(scope: Scope, node: ast.expr | ast.stmt, subject: ast.expr, what: str = "fails") -> str:
    where = f"while `{scope.traced_name}` is traced for batches of any size"
    if isinstance(scope.value(subject), Tensor):
        return f"`{scope.text(node)}` {what} {where}: how many entries `{scope.text(subject)}` has is not known there"
    if isinstance(scope.value(subject), StaticDim):
        return f"`{scope.text(node)}` {what} {where}: `{scope.text(subject)}` is None there"
    return f"`{scope.text(node)}` {what} {where}: {_unknown_entry(scope, subject)} is None there"


def _unknown_entry(scope: Scope, subject: ast.expr) -> str:
    """The words for the entry of a shape that is None."""
    value = scope.value(subject)
    items = value.items if isinstance(value, Container) and value.items is not None else ()
    place = next((index for index, item in enumerate(items) if _holds_none(item)), None)
    if place == 0 or isinstance(value, Shape):
        return f"the first entry of `{scope.text(subject)}`"
    if place is not None and isinstance(subject, (ast.List, ast.Tuple)) and len(items) == len(subject.elts):
        return f"`{scope.text(subject.elts[place])}` in `{scope.text(subject)}`"
    return f"an entry of `{scope.text(subject)}`"


def _first(scope: Scope, nodes: list[ast.expr]) -> ast.expr | None:
    return next((node for node in nodes if isinstance(scope.value(node), StaticDim)), None)


def _compared(scope: Scope, node: ast.Compare) -> ast.expr | None:
    """The unknown side of a comparison of order; None is equal to no number, and code may well ask for that.

    What asserts that it is one fails.
    """
    found = _first(scope, [node.left, *node.comparators])
    ordered = any(isinstance(operator, (ast.Lt, ast.LtE, ast.Gt, ast.GtE)) for operator in node.ops)
    if ordered or (found is not None and _asks_for_number(node) and isinstance(scope.parent(node), ast.Assert)):
        return found
    return None


def _raised(scope: Scope, node: ast.Raise) -> Iterator[Hit]:
    """A `raise` that is meant for a wrong size, and that a size which is not known leads to as well."""
    branches = scope.function.of_kind(ast.If) if scope.function is not None else []
    branch = next((one for one in branches if node in one.body), None)
    if branch is None:
        return
    is_any = isinstance(branch.test, ast.BoolOp) and isinstance(branch.test.op, ast.Or)
    for test in branch.test.values if is_any and isinstance(branch.test, ast.BoolOp) else [branch.test]:
        if isinstance(test, ast.Compare) and _asks_for_number(test, _DIFFERING):
            found = _first(scope, [test.left, *test.comparators])
            if found is not None and not _is_tried(scope, node):
                yield Hit(node, _message(scope, test, found, "is true, so that this raises,"))
                return


def _never_equal(scope: Scope, node: ast.Compare) -> ast.expr | None:
    """The unknown side of `n == 4` that decides between two ways to compute; one and none are special cases."""
    subject = _first(scope, [node.left, node.comparators[0]])
    if subject is None or len(node.ops) > 1 or not isinstance(node.ops[0], ast.Eq):
        return None
    branch = scope.parent(node)
    if not isinstance(branch, (ast.If, ast.IfExp)) or branch.test is not node or _is_tried(scope, node):
        return None
    other = node.comparators[0] if subject is node.left else node.left
    is_number = isinstance(scope.value(other), Static) and literal(other) not in (0, 1, None)
    raises = isinstance(branch, ast.If) and isinstance(branch.body[-1], ast.Raise)
    return subject if is_number and not raises else None


def _is_tried(scope: Scope, node: ast.AST) -> bool:
    return any(isinstance(parent, ast.Try) for parent in scope.parents(node))


def _asks_for_number(node: ast.Compare, operators: tuple[type[ast.cmpop], ...] = (ast.Eq, ast.In)) -> bool:
    """Whether one side is compared with numbers that the code spells out: `n == 4`, `n in (2, 4)`."""
    if len(node.ops) > 1 or not isinstance(node.ops[0], operators):
        return False
    other = node.comparators[0]
    numbers = other.elts if isinstance(other, (ast.List, ast.Tuple, ast.Set)) else [other]
    return all(isinstance(literal(number), int) for number in numbers)


def _may_take_size(name: str) -> bool:
    """Whether a function of a library may mind a size that is None."""
    listed = _CONVERTING | _SUMMING | api.UNSTACKING
    return name in listed or any(api.needs_dimension(name, keras) for keras in (2, 3))


def _passed(scope: Scope, node: ast.Call) -> ast.expr | None:
    name = scope.api_name(node.func)
    arguments = [*node.args, *(k.value for k in node.keywords if k.arg not in api.ACCEPTING_KEYWORDS)]
    if name in _CONVERTING or name in _SUMMING:
        sums = name in _SUMMING and len(node.args) == 1
        return next((a for a in arguments if (_holds_none if sums else _is_none)(scope.value(a))), None)
    if name in api.UNSTACKING and _takes_batch_apart(scope, node):
        return node.args[0]
    if api.needs_dimension(name, scope.keras):
        return next((argument for argument in arguments if _holds_none(scope.value(argument))), None)
    return None


def _takes_batch_apart(scope: Scope, node: ast.Call) -> bool:
    """Whether a call unstacks the batch axis without saying how many entries that has."""
    subject = scope.value(node.args[0]) if node.args else UNKNOWN
    given = {keyword.arg: keyword.value for keyword in node.keywords}
    number = node.args[1] if len(node.args) > 1 else given.get("num")
    axis = node.args[2] if len(node.args) > 2 else given.get("axis")
    counted = number is not None and literal(number) is not None
    along_batch = axis is None or literal(axis) == 0
    if counted or not along_batch or _is_unpacked(scope, node):
        return False
    return is_single_tensor(subject) and isinstance(subject, Tensor) and subject.batch


def _is_unpacked(scope: Scope, node: ast.Call) -> bool:
    """Whether each part gets a name of its own: whoever writes that knows how many there are."""
    parent = scope.parent(node)
    return isinstance(parent, ast.Assign) and any(
        isinstance(target, (ast.Tuple, ast.List)) for target in parent.targets
    )


def _is_none(value: Value) -> bool:
    return isinstance(value, StaticDim)


def _holds_none(value: Value) -> bool:
    """Whether the value surely is, or holds, a dimension that is None."""
    if isinstance(value, OneOf):
        return all(_is_none(one) or (isinstance(one, Shape) and one.batch) for one in value.values)
    if isinstance(value, Container):
        return any(map(_holds_none, (value.of,) if value.items is None else value.items))
    return _is_none(value) or (isinstance(value, Shape) and value.batch)


def fix(scope: Scope, hit: Hit) -> Fix | None:
    """The dynamic shape, and operations for what the code does with its numbers; none for a choice of two ways."""
    if hit.proof is Proof.NONE:
        return None
    retyping = Retyping(scope)
    unknown = [node for node in _operands(hit.node) if isinstance(node, ast.expr) and _is_unknown(scope, node)]
    if not unknown or not all(_ask(scope, retyping, node) for node in _outermost(scope, unknown)):
        return None
    function = retyping.library.name("shape")
    if retyping.only_operations:
        return retyping.fix(hit.node, f"ask while the graph runs, with `{function}`", Safety.SAFE)
    return retyping.fix(hit.node, f"ask while the graph runs, with `{function}`; its numbers have a dtype of their own")


def _operands(node: ast.expr | ast.stmt) -> list[ast.AST]:
    """The operands and arguments of what fails, and the parts of lists among them."""
    if isinstance(node, ast.BinOp):
        found: list[ast.AST] = [node.left, node.right]
    elif isinstance(node, ast.Compare):
        found = [node.left, *node.comparators]
    elif isinstance(node, ast.Call):
        found = [*node.args, *(keyword.value for keyword in node.keywords)]
    else:
        found = list(children(node))
    for item in found:
        if isinstance(item, (ast.List, ast.Tuple, ast.BinOp)):
            found.extend(children(item))
    return found


def _is_unknown(scope: Scope, node: ast.expr) -> bool:
    value = scope.value(node)
    return isinstance(value, StaticDim) or (isinstance(value, Shape) and value.batch)


def _outermost(scope: Scope, nodes: list[ast.expr]) -> list[ast.expr]:
    return [node for node in nodes if not any(parent in nodes for parent in scope.parents(node))]


def _ask(scope: Scope, retyping: Retyping, node: ast.expr) -> bool:
    """Plan to ask for a dimension, or a whole shape, while the graph runs."""
    if retyping.plan.has(node):
        return True
    if isinstance(node, ast.Name) and isinstance(scope.value(node), StaticDim):
        return _ask_for_name(scope, retyping, node)
    subject = _subject(scope, node)
    if subject is None:
        return False
    if not isinstance(scope.value(node), StaticDim) and retyping.ask_for_long(scope, node, subject):
        return True
    shape = retyping.library.name("shape")
    item = "[0]" if isinstance(scope.value(node), StaticDim) else ""
    retyping.plan.put(node, lambda: f"{shape}({retyping.plan.argument(subject)}){item}")
    return retyping.consume(scope, node, Kind.INT)


def _ask_for_name(scope: Scope, retyping: Retyping, name: ast.Name) -> bool:
    """A name for the dimension: where it is bound once, that is where to ask."""
    origin = only_value(scope, name.id)
    if origin is not None and isinstance(scope.value(origin), StaticDim):
        return _ask(scope, retyping, origin)
    target = next((n for n in scope.values if _binds(n, name.id)), None)
    unpacked = scope.parent(target) if target is not None else None
    statement = scope.parent(unpacked) if isinstance(unpacked, ast.Tuple) else None
    if not isinstance(statement, ast.Assign) or not isinstance(unpacked, ast.Tuple) or statement.targets != [unpacked]:
        return False
    if isinstance(statement.value, ast.Tuple) and len(statement.value.elts) == len(unpacked.elts):
        return _ask(scope, retyping, statement.value.elts[unpacked.elts.index(_named(unpacked, name.id))])
    if unpacked.elts[0] is not target:
        return False
    subject = _tensor_of(scope, statement.value)
    if subject is None or sum(_binds(n, name.id) for n in scope.values) != 1:
        return False
    shape, indent = retyping.library.name("shape"), " " * statement.col_offset
    retyping.plan.wrap(
        statement, lambda text: f"{text}\n{indent}{name.id} = {shape}({retyping.plan.argument(subject)})[0]"
    )
    uses = [n for n in scope.values if isinstance(n, ast.Name) and n.id == name.id and isinstance(n.ctx, ast.Load)]
    return all(retyping.consume(scope, use, Kind.INT) for use in uses)


def _named(names: ast.Tuple, name: str) -> ast.expr:
    return next(element for element in names.elts if _binds(element, name))


def _binds(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store)


def _subject(scope: Scope, node: ast.expr) -> ast.expr | None:
    """The tensor whose first dimension, or whose shape, an expression is."""
    if not isinstance(scope.value(node), StaticDim):
        return _tensor_of(scope, node)
    if not isinstance(node, ast.Subscript) or literal(node.slice) != 0:
        return None
    return _tensor_of(scope, node.value)


def _tensor_of(scope: Scope, shape: ast.expr) -> ast.expr | None:
    """The tensor whose shape an expression is: `x.shape`, `x.get_shape()`, `x.shape.as_list()`, or a name for one."""
    if isinstance(shape, ast.Name):
        origin = only_value(scope, shape.id)
        tensor = _tensor_of(scope, origin) if origin is not None else None
        return tensor if isinstance(tensor, ast.Name) and not _is_rebound(scope, tensor.id) else None
    if isinstance(shape, ast.Call) and not shape.args and isinstance(shape.func, ast.Attribute):
        if shape.func.attr == "get_shape":
            return shape.func.value
        return _tensor_of(scope, shape.func.value) if shape.func.attr == "as_list" else None
    if isinstance(shape, ast.Call) and len(shape.args) == 1 and not shape.keywords:
        name = scope.api_name(shape.func)
        if name == "keras.backend.int_shape":
            return shape.args[0]
        return _tensor_of(scope, shape.args[0]) if name in {"builtins.list", "builtins.tuple"} else None
    return shape.value if isinstance(shape, ast.Attribute) and shape.attr == "shape" else None


def _is_rebound(scope: Scope, name: str) -> bool:
    is_parameter = scope.function is not None and scope.function.accepts(name)
    return sum(_binds(node, name) for node in scope.values) + is_parameter > 1


RULE = Rule(
    code="TFL108",
    name="unknown-dimension-as-number",
    documentation=__doc__,
    nodes=(ast.BinOp, ast.UnaryOp, ast.AugAssign, ast.Compare, ast.Call, ast.Raise),
    check=check,
    calls=_may_take_size,
    proof=Proof.RAISES,
    fix=fix,
)
