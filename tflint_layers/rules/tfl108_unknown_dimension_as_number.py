"""The size of the batch is used as a number, but it is None wherever the batch size is not fixed.

## What it does
Finds `x.shape[0]` (and `b, n = x.shape`, `x.get_shape()[0]`, `x.shape.as_list()[0]`) in arithmetic, comparisons with a
number, `int`, `range`, NumPy and shape arguments such as `tf.reshape(x, [x.shape[0], -1])`, and whole shapes such as
`tf.random.normal(x.shape)`, in code that Keras or `tf.function` traces. What a test for None guards is left alone, and
so are `set_shape`, `ensure_shape` and messages.

## Why is this bad
The first axis is None in a traced layer. Keras knows the size of the first batch, so that the layer seems to work
until a smaller last batch comes. A comparison with a number raises nothing: it is always false.

## Keras 2 and Keras 3
Both raise TypeError or ValueError. AutoGraph does not help.

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
In arguments of TensorFlow and Keras operations `x.shape[0]` becomes `tf.shape(x)[0]`, and `x.shape` becomes
`tf.shape(x)`, or the same of `keras.ops`. It is safe: eager mode gives the same numbers.

## How TensorFlow confirms it
Tracing the layer with an unknown batch size raises, and the traceback passes through the line.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Edit, Fix, Proof, Safety
from tflint_layers.model import api
from tflint_layers.model.scopes import Scope
from tflint_layers.model.values import Container, NotConstant, Shape, StaticDim, Value, alternatives, constant_of
from tflint_layers.rewrite import operations, replace
from tflint_layers.rules.rule import Hit, Rule

_CONVERTING = frozenset(
    f"builtins.{name}" for name in ("int", "float", "range", "abs", "round", "max", "min", "divmod")
)
_SUMMING = frozenset({"builtins.sum", "builtins.max", "builtins.min"})
_OPERATIONS = ("tensorflow.", "keras.ops.")


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to unknown dimensions where a number is needed."""
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


def _message(scope: Scope, node: ast.expr | ast.stmt, subject: ast.expr) -> str:
    where = f"while `{scope.traced_name}` is traced for batches of any size"
    if isinstance(node, ast.Compare) and not isinstance(node.ops[0], (ast.Lt, ast.LtE, ast.Gt, ast.GtE)):
        return f"`{scope.text(node)}` compares with None {where}: `{scope.text(subject)}` has no number there"
    if isinstance(scope.value(subject), StaticDim):
        return f"`{scope.text(node)}` fails {where}: `{scope.text(subject)}` is None there"
    return f"`{scope.text(node)}` fails {where}: the first entry of `{scope.text(subject)}` is None there"


def _first(scope: Scope, nodes: list[ast.expr]) -> ast.expr | None:
    return next((node for node in nodes if isinstance(scope.value(node), StaticDim)), None)


def _compared(scope: Scope, node: ast.Compare) -> ast.expr | None:
    found = _first(scope, [node.left, *node.comparators])
    if found is None or len(node.ops) > 1 or isinstance(node.ops[0], (ast.Lt, ast.LtE, ast.Gt, ast.GtE)):
        return found
    other = scope.value(node.comparators[0] if found is node.left else node.left)
    return found if not isinstance(node.ops[0], (ast.Is, ast.IsNot)) and _is_number(other) else None


def _is_number(value: Value) -> bool:
    if isinstance(value, Container):
        return bool(value.items) and all(_is_number(item) for item in value.items or ())
    constant = constant_of(value)
    return isinstance(constant, (int, float)) and not isinstance(constant, NotConstant)


def _passed(scope: Scope, node: ast.Call) -> ast.expr | None:
    name = scope.api_name(node.func)
    arguments = [*node.args, *(k.value for k in node.keywords if k.arg not in api.ACCEPTING_KEYWORDS)]
    if name in _CONVERTING | _SUMMING:
        sums = name in _SUMMING and len(node.args) == 1
        return next((a for a in arguments if (_holds_none if sums else _is_none)(scope.value(a))), None)
    if api.needs_dimension(name, scope.keras):
        return next((argument for argument in arguments if _holds_none(scope.value(argument))), None)
    return None


def _is_none(value: Value) -> bool:
    return isinstance(value, StaticDim)


def _holds_none(value: Value) -> bool:
    """Whether the value surely is, or holds, a dimension that is None."""
    if isinstance(value, Container):
        items = value.items if value.items is not None else (value.of,)
        return any(_holds_none(item) for item in items)
    return all(isinstance(v, StaticDim) or (isinstance(v, Shape) and v.batch) for v in alternatives(value))


def fix(scope: Scope, hit: Hit) -> Fix | None:
    """The dynamic shape in arguments of operations."""
    call = hit.node
    if not isinstance(call, ast.Call) or not scope.api_name(call.func).startswith(_OPERATIONS):
        return None
    library = operations(scope.module)
    edits: list[Edit] = []
    for argument in [*call.args, *(keyword.value for keyword in call.keywords)]:
        if _holds_none(scope.value(argument)):
            found = _replacements(scope, argument, library.name("shape"))
            if not found:
                return None
            edits.extend(found)
    return Fix(f"ask while the graph runs, with `{library.name('shape')}`", Safety.SAFE, (*library.imports, *edits))


def _replacements(scope: Scope, argument: ast.expr, function: str) -> list[Edit]:
    """`x.shape[0]` to `tf.shape(x)[0]`, `x.shape` to `tf.shape(x)`; nothing where some part has no such form."""
    parts = argument.elts if isinstance(argument, (ast.List, ast.Tuple)) else [argument]
    edits = []
    for part in parts:
        if not _holds_none(scope.value(part)):
            continue
        shape = part.value if isinstance(part, ast.Subscript) and _is_none(scope.value(part)) else part
        if not isinstance(shape, ast.Attribute) or shape.attr != "shape":
            return []
        subject = scope.module.source.segment(shape.value)
        edits.append(replace(scope.module.source, shape, f"{function}({subject})"))
    return edits


RULE = Rule(
    code="TFL108",
    name="unknown-dimension-as-number",
    documentation=__doc__,
    nodes=(ast.BinOp, ast.UnaryOp, ast.AugAssign, ast.Compare, ast.Call),
    check=check,
    proof=Proof.RAISES,
    fix=fix,
)
