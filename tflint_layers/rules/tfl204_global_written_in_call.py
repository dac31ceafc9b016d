"""A global, an enclosing function's name or a class attribute is written while the call is traced, and never again.

## What it does
Finds assignments to names declared `global` or `nonlocal` and to attributes of modules and classes
(`config.step = config.step + 1`, `Counting.calls += 1`) that depend on what an earlier call wrote, in code that Keras
or `tf.function` traces. Writing what is the same at every trace is left alone; a place that receives a tensor is
TFL207.

## Why is this bad
The assignment runs while the graph is traced and never again. What other code reads there does not follow the steps
of `fit` or `predict`, and no error says so.

## Keras 2 and Keras 3
The same in both, and below `tf.function`. No error is raised.

## Example
```python
class Counting(keras.layers.Layer):
    calls = 0

    def call(self, inputs):
        Counting.calls += 1
        return inputs
```
Count in a weight, which belongs to the graph:
```python
class Counting(keras.layers.Layer):
    def build(self, input_shape):
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False, name="calls")

    def call(self, inputs):
        self.calls.assign_add(1.0)
        return inputs
```

## Fix safety
There is no fix: what should happen at each step is the author's choice.

## How TensorFlow confirms it
The value changes at each eager call, and in graph mode only while the layer is traced.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Proof
from tflint_layers.model.scopes import Scope
from tflint_layers.model.values import Api, Class, alternatives, may_hold_tensor
from tflint_layers.model.writes import Write, advances, targets
from tflint_layers.rules.rule import Hit, Rule


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to writes to a module, a class or an enclosing function that depend on what an earlier call wrote."""
    if not isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
        return
    for target in targets(node):
        if _is_shared(scope, target) and not _takes_tensor(scope, node, target):
            moves = advances(scope, node, target)
            if moves is not False:
                yield Hit(node, _message(scope, node, target), suspect=moves is None and target not in scope.outliving)


def _is_shared(scope: Scope, target: ast.expr) -> bool:
    if isinstance(target, ast.Attribute):
        return all(isinstance(value, (Api, Class)) for value in alternatives(scope.value(target.value)))
    return target in scope.outliving


def _takes_tensor(scope: Scope, node: Write, target: ast.expr) -> bool:
    values = [scope.value(target), *([scope.value(node.value)] if node.value is not None else [])]
    return any(may_hold_tensor(value) for value in values)


def _message(scope: Scope, node: ast.stmt, target: ast.expr) -> str:
    return (
        f"`{scope.text(node)}` runs only while `{scope.traced_name}` is traced: "
        f"`{scope.text(target)}` does not advance from call to call"
    )


RULE = Rule(
    code="TFL204",
    name="global-written-in-call",
    documentation=__doc__,
    nodes=(ast.Assign, ast.AugAssign, ast.AnnAssign),
    check=check,
    lasting=True,
    proof=Proof.RUNS_ONCE,
)
