"""A debugger stops in code that runs only while it is traced.

## What it does
Finds `breakpoint()`, `pdb.set_trace()`, `ipdb.set_trace()`, `IPython.embed()` and their kin in code that Keras or
`tf.function` traces.

## Why is this bad
It stops while the graph is traced, where tensors have no numbers to look at, and never when the graph runs. Left in by
mistake, it blocks a training run.

## Keras 2 and Keras 3
The same in both, and below `tf.function`.

## Example
```python
class Debugged(keras.layers.Layer):
    def call(self, inputs):
        breakpoint()
        return inputs * 2.0
```
Remove it; to step through a layer with real numbers, call it outside of `fit`, on an array:
```python
class Debugged(keras.layers.Layer):
    def call(self, inputs):
        return inputs * 2.0
```

## Fix safety
The fix deletes the statement. It is unsafe only in that somebody may be debugging right now.

## How TensorFlow confirms it
The line runs at each eager call, but in graph mode only while the layer is traced.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Fix, Proof, Safety
from tflint_layers.model.effects import Effect, effect
from tflint_layers.model.scopes import Scope
from tflint_layers.rewrite import delete_call
from tflint_layers.rules.rule import Hit, Rule


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to calls that stop in a debugger."""
    assert isinstance(node, ast.Call)
    yield Hit(
        node,
        f"`{scope.text(node)}` stops only while `{scope.traced_name}` is traced, where tensors have no numbers: "
        "the graph runs past it",
    )


def _stops(name: str) -> bool:
    return effect(name) is Effect.DEBUG


def fix(scope: Scope, hit: Hit) -> Fix | None:
    """Delete the statement."""
    edit = delete_call(scope, hit.node, _stops)
    return Fix("delete the call; nothing stops there any more", Safety.UNSAFE, (edit,)) if edit is not None else None


RULE = Rule(
    code="TFL209",
    name="debugger-in-call",
    documentation=__doc__,
    nodes=(ast.Call,),
    check=check,
    calls=_stops,
    proof=Proof.RUNS_ONCE,
    fix=fix,
)
