"""A layer is made with `dynamic=True` only to keep state in weights, which needs no such thing.

## What it does
Finds `dynamic=True` on a layer whose `call` updates weights with `assign`, `assign_add` or the like, and does nothing
else that a graph could not.

## Why is this bad
Weights are part of the graph: `assign` runs at each step, in the right order. What `dynamic` does is make the whole
model run eagerly, step by step in Python.

## Keras 2 and Keras 3
Keras 2 only. Keras 3 has no such argument (TFL401).

## Example
```python
class Total(keras.layers.Layer):
    def __init__(self):
        super().__init__(dynamic=True)
        self.total = self.add_weight(name="total", shape=(), initializer="zeros", trainable=False)

    def call(self, inputs):
        self.total.assign_add(tf.reduce_sum(inputs))
        return inputs
```
Leave it out:
```python
class Total(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.total = self.add_weight(name="total", shape=(), initializer="zeros", trainable=False)

    def call(self, inputs):
        self.total.assign_add(tf.reduce_sum(inputs))
        return inputs
```

## Fix safety
The fix removes the argument. It is unsafe: the layer is traced from then on, so run it with `--confirm`, which keeps
the fix only if the layer without the argument traces.

## How TensorFlow confirms it
No single run shows it: that the layer traces, and that its state advances in the graph, is what proves the fix.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Fix, Proof, Safety
from tflint_layers.model import dynamic
from tflint_layers.model.scopes import Phase, Scope
from tflint_layers.rewrite import without_argument
from tflint_layers.rules.rule import Hit, Rule


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to `dynamic=True` on layers whose only state is in weights."""
    cls = dynamic.made_dynamic(scope, node) if scope.keras == 2 else None
    if cls is not None and dynamic.runs_as_graph(scope, cls) and dynamic.updates_weights(scope, cls):
        assert isinstance(node, (ast.Call, ast.Assign))
        yield Hit(
            node,
            f"`{scope.text(node)}` is not needed for state: the weights that `{cls.qualname}` updates work in a graph, "
            "and the whole model runs eagerly for it",
        )


def fix(scope: Scope, hit: Hit) -> Fix | None:
    """Remove the argument."""
    edit = without_argument(scope, hit.node, dynamic.NAME)
    return Fix("remove `dynamic`; the layer is traced from then on", Safety.UNSAFE, (edit,)) if edit else None


RULE = Rule(
    code="TFL403",
    name="dynamic-for-state",
    documentation=__doc__,
    nodes=(ast.Call, ast.Assign),
    check=check,
    lasting=True,
    words=dynamic.WORDS,
    proof=Proof.NONE,
    phases=frozenset({Phase.INIT, Phase.CALL, Phase.PLAIN}),
    fix=fix,
)
