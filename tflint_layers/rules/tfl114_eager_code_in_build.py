"""`build` needs the numbers of a tensor, but Keras 3 runs it inside the first trace.

## What it does
Finds in `build` what TFL101 to TFL107 find in `call`: `.numpy()`, `if tensor`, `float(tensor)`, NumPy on tensors and
weights, loops over tensors. NumPy on static shapes and code under `tf.init_scope` are left alone.

## Why is this bad
`build` runs eagerly as long as the layer is called or built by hand, or with a `keras.Input`. Built by the first
`fit` or `predict`, it runs inside the graph, where tensors and weights have no numbers.

## Keras 2 and Keras 3
Only Keras 3 is affected; Keras 2 lifts `build` out of the graph.

## Example
```python
class Rotate(keras.layers.Layer):
    def build(self, input_shape):
        basis = tf.random.stateless_normal((3, 3), seed=(1, 2))
        self.sign = -1.0 if tf.linalg.det(basis) < 0.0 else 1.0
```
Compute it outside of the graph:
```python
class Rotate(keras.layers.Layer):
    def build(self, input_shape):
        with tf.init_scope():
            basis = tf.random.stateless_normal((3, 3), seed=(1, 2))
            self.sign = -1.0 if tf.linalg.det(basis) < 0.0 else 1.0
```

## Fix safety
There is no fix: how much of `build` belongs under `tf.init_scope` is the author's choice.

## How TensorFlow confirms it
Tracing the layer before it is built raises, and the traceback passes through the line.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Proof
from tflint_layers.model import demands
from tflint_layers.model.scopes import Phase, Scope
from tflint_layers.rules.rule import Hit, Rule


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to reading tensors in `build` under Keras 3."""
    for find in demands.OF_KIND[type(node)]:
        for demand in find(scope, node):
            yield Hit(
                demand.node,
                f"`{scope.text(demand.node)}` needs the value of the tensor `{scope.text(demand.subject)}`, which "
                "does not exist where Keras 3 runs `build`: inside the first trace",
                demand.suspect,
            )


RULE = Rule(
    code="TFL114",
    name="eager-code-in-build",
    documentation=__doc__,
    nodes=tuple(demands.OF_KIND),
    check=check,
    attributes=demands.may_be_read,
    keras=(3,),
    proof=Proof.RAISES,
    phases=frozenset({Phase.BUILD}),
)
