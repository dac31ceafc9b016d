"""A method of a model that runs a loop of its own, or reads numbers, is called while code is traced.

## What it does
Finds `model.predict`, `fit`, `evaluate`, `train_on_batch`, `compile`, `get_weights`, `save` and the like on a Keras
model or layer in code that Keras or `tf.function` traces.

## Why is this bad
These methods take arrays, run graphs of their own and give arrays back. Inside a graph there are no arrays.

## Keras 2 and Keras 3
Both fail: Keras 2 says so (`Detected a call to Model.predict inside a tf.function`), Keras 3 raises TypeError,
AttributeError or NotImplementedError somewhere inside.

## Example
```python
class Teacher(keras.layers.Layer):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def call(self, inputs):
        return inputs + self.network.predict(inputs)
```
Call the model:
```python
class Teacher(keras.layers.Layer):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def call(self, inputs):
        return inputs + self.network(inputs, training=False)
```

## Fix safety
`m.predict(x)` becomes `m(x, training=False)`. It is unsafe: the result is a tensor where an array was meant.

## How TensorFlow confirms it
Tracing the layer raises, and the traceback passes through the line.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Edit, Fix, Proof, Safety
from tflint_layers.model import api
from tflint_layers.model.scopes import Scope
from tflint_layers.model.state import State, state_of
from tflint_layers.model.values import Instance, Method
from tflint_layers.rules.rule import Hit, Rule


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to methods of models that do not work inside a graph."""
    if isinstance(node, ast.Call) and _fails(scope, node):
        yield Hit(
            node,
            f"`{scope.text(node.func)}` does not work inside a graph, and fails while `{scope.traced_name}` is traced",
        )


def _fails(scope: Scope, node: ast.Call) -> bool:
    callee = scope.value(node.func)
    if not isinstance(callee, Method) or not isinstance(callee.receiver, Instance):
        return False
    receiver = callee.receiver
    role = receiver.cls.role if receiver.cls is not None else api.class_role(receiver.name)
    if callee.name in api.HOST_MODEL_METHODS:
        return role == "model"
    owns_nothing = scope.keras == 3 and state_of(scope, receiver) is State.NOTHING
    return callee.name in api.HOST_LAYER_METHODS and api.is_traced_role(role) and not owns_nothing


def fix(scope: Scope, hit: Hit) -> Fix | None:
    """`predict` to a call of the model."""
    node = hit.node
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr != "predict":
        return None
    if len(node.args) != 1 or any(keyword.arg != "verbose" for keyword in node.keywords):
        return None
    source = scope.module.source
    method = Edit(source.span(node.func.value)[1], source.span(node.func)[1], "")
    rest = Edit(source.span(node.args[0])[1], source.span(node)[1], ", training=False)")
    return Fix("call the model", Safety.UNSAFE, (method, rest))


RULE = Rule(
    code="TFL111",
    name="model-method-in-traced-code",
    documentation=__doc__,
    nodes=(ast.Call,),
    check=check,
    proof=Proof.RAISES,
    fix=fix,
)
