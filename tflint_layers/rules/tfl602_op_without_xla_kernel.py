"""An operation that XLA cannot compile stands in code that is compiled with XLA.

## What it does
Finds operations without an XLA kernel, such as `tf.print`, `tf.py_function`, `tf.linalg.det`, `tf.math.segment_sum`,
`keras.random.gamma` and operations on texts: in functions under `@tf.function(jit_compile=True)` and in what they call,
and, under Keras 3, in layers, models, losses and metrics. A layer that sets `self.supports_jit = False` is left alone.
Operations whose result has a size that depends on the data, such as `tf.boolean_mask`, are not meant: XLA compiles
those.

## Why is this bad
XLA refuses the whole graph: InvalidArgumentError, "Detected unsupported operations". On a CPU everything works, since
Keras compiles nothing there.

## Keras 2 and Keras 3
With a GPU Keras 3 compiles the steps of `fit` with XLA unless `compile(jit_compile=False)` says otherwise or a layer
forbids it. Keras 2 does so only when it is told to. Which operations have no kernel was measured on a CPU; that Keras 3
compiles with a GPU was read from its code.

## Example
```python
class Total(keras.layers.Layer):
    def call(self, inputs):
        return tf.math.segment_sum(inputs, tf.constant([0, 0, 1, 1]))
```
Use an operation that XLA knows:
```python
class Total(keras.layers.Layer):
    def call(self, inputs):
        return tf.math.unsorted_segment_sum(inputs, tf.constant([0, 0, 1, 1]), 2)
```
Where there is none, forbid it:
```python
class Determinant(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.supports_jit = False

    def call(self, inputs):
        return tf.linalg.det(inputs)
```

## Fix safety
There is no fix: whether the model is to run without XLA is the author's to say.

## How TensorFlow confirms it
Tracing shows nothing of it. The tests compile each of the operations.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Proof
from tflint_layers.model import callbacks, xla
from tflint_layers.model.classes import FunctionInfo
from tflint_layers.model.decorators import written_out
from tflint_layers.model.scopes import Scope
from tflint_layers.model.values import Static, literal
from tflint_layers.rules.rule import Hit, Rule


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to operations that XLA cannot compile, in code that is or may be compiled."""
    if not isinstance(node, ast.Call):
        return
    compiled = next((info.name for info in scope.module.all_functions if _is_on_way(scope, info)), None)
    subject = scope.text(node)
    if compiled is not None:
        yield Hit(node, f"XLA cannot compile `{subject}`, and `{compiled}` is compiled with it (`jit_compile=True`)")
    elif scope.keras == 3 and _is_run_by_keras(scope):
        yield Hit(
            node,
            f"XLA cannot compile `{subject}`, and with a GPU Keras 3 compiles `{scope.traced_name}` with it, unless "
            "the layer sets `self.supports_jit = False`",
        )


def _is_on_way(scope: Scope, info: FunctionInfo) -> bool:
    """Whether tracing came through a function, and that is compiled with XLA."""
    return info.qualname in scope.route and any(
        _asks_for_xla(written_out(decorator, info.module), info) for decorator in info.decorators
    )


def _asks_for_xla(decorator: ast.expr, info: FunctionInfo) -> bool:
    if not isinstance(decorator, ast.Call):
        return False
    named = [info.module.dotted(decorator.func), *(info.module.dotted(argument) for argument in decorator.args[:1])]
    asks = any(word.arg == xla.OPTION and literal(word.value) is True for word in decorator.keywords)
    return asks and any(name in callbacks.TRACING_DECORATORS for name in named)


def _is_run_by_keras(scope: Scope) -> bool:
    """Whether Keras runs the code as part of a step, and the layer does not forbid to compile it."""
    if scope.layer is None or scope.layer.role is None or scope.route[0].rpartition(".")[2] not in xla.ENTRIES:
        return False
    consent = scope.declared(scope.layer).get(xla.CONSENT)
    return not (isinstance(consent, Static) and consent.constant is False)


RULE = Rule(
    code="TFL602",
    name="op-without-xla-kernel",
    documentation=__doc__,
    nodes=(ast.Call,),
    check=check,
    calls=xla.UNCOMPILED.__contains__,
    proof=Proof.NONE,
    preview=True,
)
