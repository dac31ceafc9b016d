"""A setting of the whole process is changed by code that is being traced.

## What it does
Finds `keras.backend.set_floatx`, `tf.random.set_seed`, `tf.config.set_*`, `np.seterr`, `np.random.seed`, `random.seed`
and the like in code that Keras or `tf.function` traces. `tf.config.run_functions_eagerly` has a rule of its own
(TFL301).

## Why is this bad
It happens once, while tracing, and to everything else in the process: layers that are made later get another type,
every other random number of the program is drawn from another seed. The graph that runs afterwards does nothing of
the kind, so a seed that is set so does not make the steps repeat.

## Keras 2 and Keras 3
The same in both. No error is raised.

## Example
```python
class Noise(keras.layers.Layer):
    def call(self, inputs):
        tf.random.set_seed(7)
        return inputs + tf.random.normal((3,))
```
Set it where the program starts, or give the operation a seed of its own:
```python
class Noise(keras.layers.Layer):
    def call(self, inputs):
        return inputs + tf.random.stateless_normal((3,), seed=(7, 0))
```

## Fix safety
There is no fix: where the setting belongs is the author's choice.

## How TensorFlow confirms it
The setting differs before and after the layer is traced.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Proof
from tflint_layers.model.effects import Effect, effect
from tflint_layers.model.scopes import Phase, Scope
from tflint_layers.model.syntax import walk
from tflint_layers.rules.rule import Hit, Rule


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to calls that change settings of the process."""
    assert isinstance(node, ast.Call)
    name = scope.api_name(node.func)
    if node not in scope.undone and not _is_restored(scope, name):
        yield Hit(
            node,
            f"`{scope.text(node)}` runs only while `{scope.traced_name}` is traced, "
            "and changes the setting for the whole process",
            # The same seed again leaves the generators as they are, so that a trace shows no difference.
            proof=Proof.NONE if name.endswith("seed") else None,
        )


def _is_restored(scope: Scope, name: str) -> bool:
    """Whether the function puts the setting back in a ``finally`` block, as context managers do."""
    calls = (node for statement in scope.final_statements() for node in walk(statement) if isinstance(node, ast.Call))
    return any(scope.api_name(call.func) == name for call in calls)


RULE = Rule(
    code="TFL308",
    name="global-state-changed-in-call",
    documentation=__doc__,
    nodes=(ast.Call,),
    check=check,
    calls=lambda name: effect(name) is Effect.SETTING,
    proof=Proof.GLOBAL_FLAG,
    phases=frozenset({Phase.CALL}),
)
