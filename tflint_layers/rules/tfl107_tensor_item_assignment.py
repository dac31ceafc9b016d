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
There is no fix: `tf.tensor_scatter_nd_update`, `keras.ops.slice_update`, `tf.where` and `tf.concat` all make such a
tensor, and which one fits depends on the index.

## How TensorFlow confirms it
Tracing the layer raises, and the traceback passes through the line.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Proof
from tflint_layers.model import demands
from tflint_layers.model.scopes import Scope
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


RULE = Rule(
    code="TFL107",
    name="tensor-item-assignment",
    documentation=__doc__,
    nodes=demands.NODES[demands.item_writes],
    check=check,
    proof=Proof.RAISES,
)
