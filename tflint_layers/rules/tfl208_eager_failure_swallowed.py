"""A failure that only tracing has is caught, and the graph takes the other way for ever.

## What it does
Finds `x.numpy()`, `keras.ops.convert_to_numpy(x)` and other ways of reading a tensor's value inside a `try` whose
`except` catches the failure, in code that Keras or `tf.function` traces. A `try` around static code, one that raises
again and one that only has a `finally` are left alone, and so is a read whose result nobody takes.

## Why is this bad
Eagerly the `try` succeeds; while tracing it always fails, so that the graph holds the fallback and nothing else. The
layer computes one thing in a notebook and another in `fit`, and no error says so. Where the fallback is meant to be
for graphs, `if tf.executing_eagerly():` says it.

## Keras 2 and Keras 3
The same in both, and below `tf.function`. No error is raised.

## Example
```python
class Scale(keras.layers.Layer):
    def call(self, inputs):
        try:
            scale = float(tf.reduce_max(inputs).numpy())
        except AttributeError:
            scale = 1.0
        return inputs / scale
```
Compute it in the graph:
```python
class Scale(keras.layers.Layer):
    def call(self, inputs):
        return inputs / tf.reduce_max(inputs)
```

## Fix safety
There is no fix: which of the two ways is meant is the author's choice.

## How TensorFlow confirms it
While tracing, the line raises an exception that is caught; eagerly it does not.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Proof
from tflint_layers.model.demands import may_be_read, reads
from tflint_layers.model.scopes import Scope
from tflint_layers.rules.rule import Hit, Rule


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to reading the value of a symbolic tensor where the failure is caught."""
    # A statement whose value nobody takes decides nothing.
    matters = node in scope.caught and not isinstance(scope.statement(node), ast.Expr)
    for demand in reads(scope, node) if matters else ():
        yield Hit(
            demand.node,
            f"`{scope.text(demand.node)}` always raises while `{scope.traced_name}` is traced, and an `except` hides "
            "it: the graph never takes this way, eager mode does",
            demand.suspect,
        )


RULE = Rule(
    code="TFL208",
    name="eager-failure-swallowed",
    documentation=__doc__,
    nodes=(ast.Attribute, ast.Call),
    check=check,
    attributes=may_be_read,
    proof=Proof.SWALLOWED,
    preview=True,
)
