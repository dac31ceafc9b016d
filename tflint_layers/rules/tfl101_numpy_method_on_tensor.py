"""A tensor's value is read where there is only a symbolic tensor.

## What it does
Finds `x.numpy()`, `x.eval()`, `ragged.to_list()`, `keras.ops.convert_to_numpy(x)`, `K.get_value(x)` and `K.eval(x)` on
tensors and weights in code that Keras or `tf.function` traces, and `tf.get_static_value(x)` on what depends on the
inputs.

## Why is this bad
While `call` is traced there are no numbers, only symbols for them. The layer works when it is called eagerly, in a
notebook or a unit test, and breaks at the first `fit` or `predict`.

## Keras 2 and Keras 3
Both fail: `AttributeError: 'SymbolicTensor' object has no attribute 'numpy'` for a tensor, `NotImplementedError` for
a weight. AutoGraph does not help. `K.get_value` of a weight works under Keras 2, which reads it outside of the graph.
`tf.get_static_value(x)` does not fail: it gives None, and the graph silently computes something else.

## Example
```python
class Scale(keras.layers.Layer):
    def call(self, inputs):
        return inputs / tf.reduce_max(inputs).numpy()
```
Use the tensor itself:
```python
class Scale(keras.layers.Layer):
    def call(self, inputs):
        return inputs / tf.reduce_max(inputs)
```

## Fix safety
The fix drops `.numpy()` where the value goes on into arithmetic or into a TensorFlow or Keras operation. It is unsafe:
a NumPy scalar takes part in arithmetic without a dtype of its own in the way, a tensor of another dtype raises.

## How TensorFlow confirms it
Tracing the layer raises, and the traceback passes through the line; for `tf.get_static_value`, graph calls give other
results than eager calls on the same input.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Edit, Fix, Proof, Safety
from tflint_layers.model import demands
from tflint_layers.model.scopes import Scope
from tflint_layers.model.values import Tensor, Variable
from tflint_layers.rules.rule import Hit, Rule


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to reading the value of a symbolic tensor."""
    for demand in demands.reads(scope, node):
        assert isinstance(demand.node, ast.expr)
        yield Hit(demand.node, _message(scope, demand.node, demand.subject), demand.suspect)
    for demand in demands.peeks(scope, node):
        yield Hit(demand.node, _message_of_peek(scope, demand), proof=Proof.FROZEN)


def _message_of_peek(scope: Scope, demand: demands.Demand) -> str:
    return (
        f"`{scope.text(demand.node)}` is None while `{scope.traced_name}` is traced, and a number in eager mode only: "
        f"the value of `{scope.text(demand.subject)}` is not known yet"
    )


def _message(scope: Scope, node: ast.expr, subject: ast.expr) -> str:
    kind = "a weight" if isinstance(scope.value(subject), Variable) else "a tensor"
    return (
        f"`{scope.text(node)}` reads numbers that do not exist while `{scope.traced_name}` is traced: "
        f"`{scope.text(subject)}` is {kind} without a value there"
    )


def fix(scope: Scope, hit: Hit) -> Fix | None:
    """Drop `.numpy()` where a tensor will do."""
    call = hit.node
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or call.func.attr != "numpy":
        return None
    if hit.suspect or not _tensor_will_do(scope, call):
        return None
    source = scope.module.source
    edit = Edit(source.span(call.func.value)[1], source.span(call)[1], "")
    return Fix("use the tensor itself", Safety.UNSAFE, (edit,))


def _tensor_will_do(scope: Scope, node: ast.expr) -> bool:
    parent = scope.parent(node)
    if isinstance(parent, ast.BinOp):
        return not scope.formats_text(parent)
    if isinstance(parent, ast.Call) and node in parent.args:
        return isinstance(scope.value(parent), Tensor) and bool(scope.api_name(parent.func))
    if isinstance(parent, ast.Assign) and len(parent.targets) == 1 and isinstance(parent.targets[0], ast.Name):
        uses = [use for use in scope.uses(parent.targets[0].id) if use.lineno >= parent.lineno]
        return bool(uses) and all(
            not isinstance(scope.parent(u), ast.Assign) and _tensor_will_do(scope, u) for u in uses
        )
    return False


RULE = Rule(
    code="TFL101",
    name="numpy-method-on-tensor",
    documentation=__doc__,
    nodes=demands.NODES[demands.reads],
    check=check,
    proof=Proof.RAISES,
    fix=fix,
)
