"""Code of TensorFlow 1, which builds a graph and runs it in a session, stands in code that is being traced.

## What it does
Finds `session.run(...)`, `tf.compat.v1.placeholder`, `tf.compat.v1.global_variables_initializer`, `train.Saver` and
the like in code that Keras or `tf.function` traces.

## Why is this bad
A layer's graph belongs to a function, not to a session. Nothing can run it while it is being built, nothing feeds a
placeholder in it, and an initializer in it initializes nothing.

## Keras 2 and Keras 3
The same in both: `session.run` raises while tracing, a placeholder whose value is used raises when the graph runs
(and in eager mode), initializers do nothing.

## Example
```python
class Read(keras.layers.Layer):
    def call(self, inputs):
        with tf.compat.v1.Session() as session:
            total = session.run(tf.reduce_sum(inputs))
        return inputs / total
```
Tensors go straight on:
```python
class Read(keras.layers.Layer):
    def call(self, inputs):
        total = tf.reduce_sum(inputs)
        return inputs / total
```

## Fix safety
There is no fix: code around a session has to be written anew.

## How TensorFlow confirms it
Tracing or running the layer raises, and the traceback passes through the line.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Proof
from tflint_layers.model.effects import Effect, effect
from tflint_layers.model.scopes import Scope
from tflint_layers.rules.rule import Hit, Rule


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to calls that need a session."""
    assert isinstance(node, ast.Call)
    yield Hit(
        node,
        f"`{scope.text(node.func)}` belongs to graphs that a session runs: "
        f"there is none while `{scope.traced_name}` is traced",
    )


RULE = Rule(
    code="TFL306",
    name="v1-graph-api-in-call",
    documentation=__doc__,
    nodes=(ast.Call,),
    check=check,
    calls=lambda name: effect(name) is Effect.V1_GRAPH,
    proof=Proof.RAISES,
)
