"""The result of Python code in the graph goes on without a shape, where one is needed.

## What it does
Finds results of `tf.py_function` and `tf.numpy_function` whose shape nobody tells, returned from `call` or passed to a
layer that builds its weights by the shape of its input. Telling it by `set_shape`, `tf.ensure_shape` or a reshape is
what makes it right.

## Why is this bad
TensorFlow cannot know what shape comes out of Python code. Keras needs the shape of what a layer returns, and a layer
with weights that of what it gets.

## Keras 2 and Keras 3
A layer like `Dense` fails on it in both. Returning it works under Keras 2; under Keras 3 `fit`, `predict` and
functional models raise `ValueError: as_list() is not defined on an unknown TensorShape`.

## Example
```python
class Sort(keras.layers.Layer):
    def call(self, inputs):
        return tf.numpy_function(np.sort, [inputs], tf.float32)
```
Tell the shape:
```python
class Sort(keras.layers.Layer):
    def call(self, inputs):
        outputs = tf.numpy_function(np.sort, [inputs], tf.float32)
        outputs.set_shape(inputs.shape)
        return outputs
```

## Fix safety
There is no fix: only the author knows the shape.

## How TensorFlow confirms it
Tracing the layer, or calling it on a symbolic input, raises.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Proof
from tflint_layers.model import api
from tflint_layers.model.scopes import Scope
from tflint_layers.model.values import Container, Instance, Tensor, Value, alternatives
from tflint_layers.rules.rule import Hit, Rule


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to tensors without a static shape where Keras needs one."""
    if isinstance(node, ast.Return) and node.value is not None:
        if scope.keras == 3 and _is_output(scope) and _is_shapeless(scope.value(node.value)):
            yield Hit(
                node,
                f"`{scope.text(node.value)}` has no known shape, since Python code made it: under Keras 3 `fit`, "
                f"`predict` and functional models fail on what `{scope.traced_name}` returns; use `set_shape`",
            )
    elif isinstance(node, ast.Call) and _needs_shape(scope, node) and _is_shapeless(scope.value(node.args[0])):
        yield Hit(
            node,
            f"`{scope.text(node.func)}` needs the shape of its input, and `{scope.text(node.args[0])}` has none, "
            "since Python code made it: use `set_shape`",
        )


def _is_output(scope: Scope) -> bool:
    """Whether what the function returns is what a layer gives to Keras."""
    is_entry = len(scope.route) == 1 and scope.function is not None and scope.function.name == "call"
    return is_entry and scope.layer is not None and api.is_traced_role(scope.layer.role)


def _needs_shape(scope: Scope, node: ast.Call) -> bool:
    """Whether a layer is called whose weights depend on the shape of its input."""
    return bool(node.args) and all(
        isinstance(value, Instance)
        and value.cls is None
        and api.layer_state(value.name, scope.keras) == "weights"
        and value.name not in api.SHAPELESS_INPUTS
        for value in alternatives(scope.value(node.func))
    )


def _is_shapeless(value: Value) -> bool:
    return any(
        (isinstance(one, Tensor) and one.shapeless and not one.eager)
        or (isinstance(one, Container) and one.items != () and _is_shapeless(one.of))
        for one in alternatives(value)
    )


RULE = Rule(
    code="TFL304",
    name="python-op-in-call",
    documentation=__doc__,
    nodes=(ast.Return, ast.Call),
    check=check,
    calls=lambda name: not name or name.startswith("."),
    proof=Proof.RAISES,
)
