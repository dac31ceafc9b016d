"""A function calls itself until a tensor says that it is enough, which a graph cannot do.

## What it does
Finds functions that AutoGraph converts, and that call themselves where nothing but tensors decides whether to go on.
Recursion that Python ends, by a count or by the depth of a list, is left alone.

## Why is this bad
A branch on a tensor becomes a branch of the graph, and both of its sides are traced. So tracing calls the function
again and again, whatever the data, until Python gives up with a `RecursionError`.

## Keras 2 and Keras 3
The same in both below `tf.function`, in eager mode too. In `call` itself Keras 2 converts with AutoGraph and fails so;
Keras 3 does not, and fails at the branch already (TFL104).

## Example
```python
class Halving(keras.layers.Layer):
    @tf.function
    def halve(self, part):
        if tf.reduce_max(part) < 1.0:
            return part
        return self.halve(part / 2.0)

    def call(self, inputs):
        return self.halve(inputs)
```
Write a loop, which becomes one of the graph:
```python
class Halving(keras.layers.Layer):
    @tf.function
    def halve(self, part):
        while tf.reduce_max(part) >= 1.0:
            part = part / 2.0
        return part

    def call(self, inputs):
        return self.halve(inputs)
```

## Fix safety
There is no fix: which loop says the same is the author's to find.

## How TensorFlow confirms it
Tracing raises at the call, with a `RecursionError` below it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Proof
from tflint_layers.model import demands
from tflint_layers.model.scopes import Scope
from tflint_layers.model.values import Function
from tflint_layers.rules.rule import Hit, Rule


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to a call of the function itself that only tensors could keep from happening."""
    if not scope.autograph or not isinstance(node, ast.Call):
        return
    callee = scope.value(node.func)
    if not isinstance(callee, Function) or callee.info is not scope.function:
        return
    conditions = list(scope.conditions())
    if conditions and all(demands.depends_on_tensor(scope, condition) for condition in conditions):
        yield Hit(
            node,
            f"`{scope.text(node)}` never ends while `{scope.traced_name}` is traced: both sides of a branch on a "
            "tensor are, so the function calls itself whatever the data (RecursionError)",
        )


RULE = Rule(
    code="TFL503",
    name="recursive-tf-function",
    documentation=__doc__,
    nodes=(ast.Call,),
    check=check,
    proof=Proof.RAISES,
    preview=True,
)
