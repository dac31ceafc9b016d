"""A part of a tensor is assigned to, which tensors do not allow.

## What it does
Finds `x[i] = v`, `x[i] += v` and `del x[i]` on tensors and weights in code that Keras or `tf.function` traces. Lists,
dicts and NumPy arrays of static values are left alone, and so is `variable[i].assign(v)`.

## Why is this bad
Tensors cannot be changed: the line raises, in eager mode too.

## Keras 2 and Keras 3
Both raise `TypeError: object does not support item assignment`. AutoGraph does not help.

## Example
```python
class ClearFirst(keras.layers.Layer):
    def call(self, inputs):
        inputs[:, 0] = 0.0
        return inputs
```
Make a new tensor:
```python
class ClearFirst(keras.layers.Layer):
    def call(self, inputs):
        return tf.concat([tf.zeros_like(inputs[:, :1]), inputs[:, 1:]], axis=1)
```

## Fix safety
Nothing is applied: the line fails in eager mode too, so that no numbers tell what is right. For one item, the
suggestion is `tf.tensor_scatter_nd_update` or `keras.ops.scatter_update`; for a number in one column, `tf.where`.
Slices are best put together with `tf.concat`.

## How TensorFlow confirms it
Tracing the layer raises, and the traceback passes through the line.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Edit, Fix, Proof, Safety
from tflint_layers.model import demands
from tflint_layers.model.scopes import Scope
from tflint_layers.model.values import literal
from tflint_layers.rewrite import Library
from tflint_layers.rules.rule import Hit, Rule


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to assignments to a part of a tensor."""
    for demand in demands.item_writes(scope, node):
        yield Hit(
            demand.node,
            f"`{scope.text(demand.node)}` is assigned to or deleted, but `{scope.text(demand.subject)}` is a tensor, "
            "which cannot be changed (TypeError)",
            demand.suspect,
        )


def fix(scope: Scope, hit: Hit) -> Fix | None:
    """The code that makes the changed tensor, as a suggestion."""
    item = hit.node
    statement = scope.parent(item)
    if not isinstance(item, ast.Subscript) or not isinstance(item.value, ast.Name):
        return None
    if isinstance(statement, ast.Assign) and statement.targets == [item]:
        text = _assigned(scope, item.value.id, item, statement.value, "update")
    elif isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.Add):
        text = _assigned(scope, item.value.id, item, statement.value, "add")
    else:
        return None
    if text is None:
        return None
    start, end = scope.module.source.span(statement)
    return Fix(f"make a new tensor: `{text}`", Safety.SUGGESTION, (Edit(start, end, text),))


def _assigned(scope: Scope, name: str, item: ast.Subscript, value: ast.expr, how: str) -> str | None:
    library, segment = Library(scope), scope.module.source.segment
    index = item.slice
    if isinstance(index, ast.Tuple):
        *rest, last = index.elts
        whole = all(isinstance(part, ast.Slice) and ast.unparse(part) == ":" for part in rest)
        is_number = isinstance(literal(value), (int, float))
        if how == "update" and isinstance(literal(last), int) and is_number and whole:
            where, count = library.name("where"), f"{library.name('shape')}({name})[-1]"
            columns = f"{library.ops}.arange({count})" if library.keras else f"{library.tensorflow}.range({count})"
            return f"{name} = {where}({columns} == {segment(last)}, {segment(value)}, {name})"
        return None
    if isinstance(index, ast.Slice):
        return None
    indices, updates = f"[[{segment(index)}]]", f"[{segment(value)}]"
    if library.keras and how == "update":
        return f"{name} = {library.ops}.scatter_update({name}, {indices}, {updates})"
    return f"{name} = {library.tensorflow}.tensor_scatter_nd_{how}({name}, {indices}, {updates})"


RULE = Rule(
    code="TFL107",
    name="tensor-item-assignment",
    documentation=__doc__,
    nodes=demands.NODES[demands.item_writes],
    check=check,
    proof=Proof.RAISES,
    fix=fix,
    only_suggests=True,
)
