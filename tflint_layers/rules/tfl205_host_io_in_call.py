"""A file, a process, a plot or the network is used by Python code that runs only while it is traced.

## What it does
Finds `open`, `Path.write_text`, `json.dump`, `pickle.dump`, `os.makedirs`, `subprocess`, `requests`, `plt.*`,
`cv2.imwrite`, `time.sleep`, `tf.io.gfile` and the like, and `tf.summary` with a step kept in Python, in code that
Keras or `tf.function` traces. Input and output under an option of the layer that is off by default is left alone, and
so is what is done with a file that the same call opened: the `open` is the finding.

## Why is this bad
It happens while the graph is traced, once or twice, and never again: the file gets one line for a thousand steps, and
what was read stays in the graph as a constant.

## Keras 2 and Keras 3
The same in both, and below `tf.function`. No error is raised.

## Example
```python
class FileLog(keras.layers.Layer):
    def call(self, inputs):
        with open("steps.log", "a") as file:
            file.write("step")
        return inputs
```
Do it in a callback, or from the graph:
```python
class FileLog(keras.layers.Layer):
    def call(self, inputs):
        tf.print("step", output_stream="file://steps.log")
        return inputs
```

## Fix safety
There is no fix: a callback, `tf.py_function` and an operation of TensorFlow's own are different programs.

## How TensorFlow confirms it
The line runs at each eager call, but in graph mode only while the layer is traced.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Proof
from tflint_layers.model import api
from tflint_layers.model.effects import Effect, effect
from tflint_layers.model.scopes import Scope
from tflint_layers.model.values import Instance, Static, Value, alternatives
from tflint_layers.rules.rule import Hit, Rule

_SUMMARIES = "tensorflow.summary."
_FILES = api.FILES_IN_MEMORY | {"io.TextIOWrapper"}


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to calls that reach out of the process."""
    if not isinstance(node, ast.Call) or node in scope.optional:
        return
    if scope.api_name(node.func).startswith(_SUMMARIES):
        yield from _check_step(scope, node)
    elif not _uses_file_of_this_call(scope, node):
        yield Hit(
            node,
            f"`{scope.text(node)}` runs only while `{scope.traced_name}` is traced: "
            "the graph that runs afterwards does nothing of it",
        )


def _check_step(scope: Scope, node: ast.Call) -> Iterator[Hit]:
    for keyword in node.keywords:
        if keyword.arg == "step" and isinstance(keyword.value, ast.Attribute):
            step = scope.value(keyword.value)
            if isinstance(step, Static) and step.constant is not None:
                yield Hit(
                    node,
                    f"`{scope.text(node)}` writes the step that `{scope.text(keyword.value)}` is while "
                    f"`{scope.traced_name}` is traced, at every step: it is a Python number",
                )


def _uses_file_of_this_call(scope: Scope, node: ast.Call) -> bool:
    """Whether a file is used that the same call opened, which is a finding of its own, or holds in memory only."""
    used = [node.func.value] if isinstance(node.func, ast.Attribute) else []
    given = (keyword.value for keyword in node.keywords)
    return any(_is_fresh_file(scope.value(part)) for part in [*used, *node.args, *given])


def _is_fresh_file(value: Value) -> bool:
    return any(isinstance(v, Instance) and v.name in _FILES and v.fresh for v in alternatives(value))


RULE = Rule(
    code="TFL205",
    name="host-io-in-call",
    documentation=__doc__,
    nodes=(ast.Call,),
    check=check,
    calls=lambda name: effect(name) is Effect.HOST_IO or name.startswith(_SUMMARIES),
    proof=Proof.RUNS_ONCE,
)
