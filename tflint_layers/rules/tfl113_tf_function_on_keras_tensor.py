"""An operation of TensorFlow is applied to a placeholder of a functional model.

## What it does
Finds `tf.f(x)` where `x` is a `keras.Input`, or what layers made of one, at module level, in functions that put a model
together, in those of the project that such code hands it to, and in `__init__`.

## Why is this bad
Such an `x` is a KerasTensor: it stands for a tensor that exists only when the model runs. Keras 3 knows how to record
its own operations and layers on it, and refuses those of TensorFlow.

## Keras 2 and Keras 3
Keras 3 raises `ValueError: A KerasTensor cannot be used as input to a TensorFlow function`. Keras 2 wraps the operation
into a layer. Inside a layer's `call` both take operations of TensorFlow.

## Example
```python
inputs = keras.Input((3,))
outputs = tf.square(inputs)
model = keras.Model(inputs, outputs)
```
Use Keras's own operation:
```python
inputs = keras.Input((3,))
outputs = keras.ops.square(inputs)
model = keras.Model(inputs, outputs)
```

## Fix safety
There is no fix: arguments of the two libraries differ.

## How TensorFlow confirms it
Putting the model together raises; no single layer shows it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Proof
from tflint_layers.model import api
from tflint_layers.model.scopes import Phase, Scope
from tflint_layers.model.values import Container, Tensor, Value, alternatives
from tflint_layers.rules.rule import Hit, Rule


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to operations of TensorFlow on Keras tensors."""
    if not isinstance(node, ast.Call):
        return
    given = [*node.args, *(keyword.value for keyword in node.keywords)]
    subject = next((argument for argument in given if _is_keras_tensor(scope.value(argument))), None)
    if subject is not None:
        yield Hit(
            node,
            f"`{scope.text(node.func)}` fails on `{scope.text(subject)}`, which stands for an input of a functional "
            "model: Keras 3 allows only `keras.ops` and layers there (ValueError)",
        )


def _is_keras_tensor(value: Value) -> bool:
    return all(
        (isinstance(one, Tensor) and one.keras) or (isinstance(one, Container) and _holds_keras_tensor(one))
        for one in alternatives(value)
    )


def _holds_keras_tensor(container: Container) -> bool:
    return any(map(_is_keras_tensor, (container.of,) if container.items is None else container.items))


RULE = Rule(
    code="TFL113",
    name="tf-function-on-keras-tensor",
    documentation=__doc__,
    nodes=(ast.Call,),
    check=check,
    keras=(3,),
    calls=api.is_tensorflow_operation,
    proof=Proof.NONE,
    phases=frozenset({Phase.PLAIN, Phase.INIT}),
)
