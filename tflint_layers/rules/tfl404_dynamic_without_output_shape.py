"""A dynamic layer does not say what shape its output has, so no functional model can hold it.

## What it does
Finds `dynamic=True` on a layer without a `compute_output_shape` of its own, where `dynamic` is needed or may be
(TFL402 and TFL403 say where it is not).

## Why is this bad
Keras cannot run such a layer on a symbolic input to learn its output's shape, so it has to be told.

## Keras 2 and Keras 3
Keras 2 raises `NotImplementedError: Please run in eager mode or implement the compute_output_shape method` when the
layer is called on a `keras.Input`. Keras 3 has no `dynamic` (TFL401).

## Example
```python
class Sort(keras.layers.Layer):
    def __init__(self):
        super().__init__(dynamic=True)

    def call(self, inputs):
        return tf.constant(np.sort(inputs.numpy()))
```
Say what comes out:
```python
class Sort(keras.layers.Layer):
    def __init__(self):
        super().__init__(dynamic=True)

    def call(self, inputs):
        return tf.constant(np.sort(inputs.numpy()))

    def compute_output_shape(self, input_shape):
        return input_shape
```

## Fix safety
There is no fix: only the author knows the shape.

## How TensorFlow confirms it
Calling the layer on a symbolic input raises.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Proof
from tflint_layers.model import api, dynamic
from tflint_layers.model.classes import ClassInfo
from tflint_layers.model.scopes import Phase, Scope
from tflint_layers.rules.rule import Hit, Rule


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to dynamic layers that do not tell the shape of their output."""
    cls = dynamic.made_dynamic(scope, node) if scope.keras == 2 else None
    if cls is not None and _lacks_shape(scope, cls) and not dynamic.runs_as_graph(scope, cls):
        assert isinstance(node, (ast.Call, ast.Assign))
        yield Hit(
            node,
            f"`{cls.qualname}` is dynamic and has no `compute_output_shape`: "
            "calling it on a `keras.Input` fails (NotImplementedError)",
        )


def _lacks_shape(scope: Scope, cls: ClassInfo) -> bool:
    """Whether the class, or each subclass of it that is called, leaves the shape to Keras's own base class."""
    called = {one.layer for one in dynamic.traced_scopes(scope, cls) if one.layer is not None}
    return bool(called) and all(
        one.role == "layer"
        and one.method("compute_output_shape") is None
        and all(ancestor in api.PLAIN_BASES for ancestor in one.ancestry if isinstance(ancestor, str))
        for one in called
    )


RULE = Rule(
    code="TFL404",
    name="dynamic-without-output-shape",
    documentation=__doc__,
    nodes=(ast.Call, ast.Assign),
    check=check,
    lasting=True,
    words=dynamic.WORDS,
    proof=Proof.NONE,
    phases=frozenset({Phase.INIT, Phase.CALL, Phase.PLAIN}),
)
