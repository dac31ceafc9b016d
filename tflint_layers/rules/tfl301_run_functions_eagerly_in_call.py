"""The process is switched to or from eager mode by code that is being traced.

## What it does
Finds `tf.config.run_functions_eagerly(...)`, `tf.compat.v1.enable_eager_execution()`, `disable_eager_execution()` and
`tf.data.experimental.enable_debug_mode()` in code that Keras or `tf.function` traces.

## Why is this bad
It does not make this layer eager: the body that is being traced stays a graph. It changes a flag of the whole
process instead, so that every other `tf.function` runs eagerly, and slowly, from then on. With `False` it undoes what
somebody else switched on to debug.

## Keras 2 and Keras 3
The same in both. No error is raised.

## Example
```python
class Square(keras.layers.Layer):
    def call(self, inputs):
        tf.config.run_functions_eagerly(True)
        return tf.math.square(inputs)
```
Leave it out; to debug, call it once where the program starts:
```python
class Square(keras.layers.Layer):
    def call(self, inputs):
        return tf.math.square(inputs)
```

## Fix safety
The fix deletes the statement. It is safe: the layer computes the same.

## How TensorFlow confirms it
The process-wide flag differs before and after the layer is traced.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Fix, Proof, Safety
from tflint_layers.model.effects import Effect, effect
from tflint_layers.model.scopes import Phase, Scope
from tflint_layers.rewrite import delete_call
from tflint_layers.rules.rule import Hit, Rule


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to calls that change the execution mode of the process."""
    assert isinstance(node, ast.Call)
    yield Hit(
        node,
        f"`{scope.text(node)}` does not change how `{scope.traced_name}` runs, which is already being traced: "
        "it changes the execution mode of the whole process",
    )


def _switches(name: str) -> bool:
    return effect(name) is Effect.RUN_EAGERLY


def fix(scope: Scope, hit: Hit) -> Fix | None:
    """Delete the statement."""
    edit = delete_call(scope, hit.node, _switches)
    return Fix("delete the call", Safety.SAFE, (edit,)) if edit is not None else None


RULE = Rule(
    code="TFL301",
    name="run-functions-eagerly-in-call",
    documentation=__doc__,
    nodes=(ast.Call,),
    check=check,
    calls=_switches,
    words=(b"eager", b"debug_mode"),
    proof=Proof.GLOBAL_FLAG,
    phases=frozenset({Phase.CALL, Phase.BUILD}),
    fix=fix,
)
