"""A global is read while tracing, and code that changes it later changes nothing.

## What it does
Finds reads of module-level Python values, in code that Keras or `tf.function` traces, which a function of the same
module rebinds (`global scale`) or changes in place (`OPTIONS["scale"] = ...`). Constants, functions, classes, modules
and `tf.Variable`s are left alone, and so is what only importing the module fills.

## Why is this bad
The value goes into the graph as a constant when the layer is traced. Changing the global afterwards does not change
the graph, and no error says so.

## Keras 2 and Keras 3
The same in both, and below `tf.function`. No error is raised.

## Example
```python
SCALE = 1.0

def set_scale(value):
    global SCALE
    SCALE = value

class Scaled(keras.layers.Layer):
    def call(self, inputs):
        return inputs * SCALE
```
Keep the number in a variable, which the graph reads at each step:
```python
SCALE = tf.Variable(1.0, trainable=False)

def set_scale(value):
    SCALE.assign(value)

class Scaled(keras.layers.Layer):
    def call(self, inputs):
        return inputs * SCALE
```

## Fix safety
There is no fix: where the variable is made, and of what type it is, is the author's choice.

## How TensorFlow confirms it
Nothing that calling the layer alone does shows it: the global has to be changed in between.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Proof
from tflint_layers.model.scopes import Scope
from tflint_layers.model.setters import bound_names, changed_globals
from tflint_layers.model.values import Array, Container, Static, Value, alternatives
from tflint_layers.rules.rule import Hit, Rule


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to reading a Python value that a function of the module is there to change."""
    if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Load) or scope.function is None:
        return
    if node.id not in scope.module.assigned or not _is_python(scope.value(node)):
        return
    changer = changed_globals(scope.module).get(node.id)
    if changer is None or changer is scope.function or node.id in bound_names(scope.function):
        return
    if node is min(scope.uses(node.id), key=lambda use: (use.lineno, use.col_offset)):
        yield Hit(
            node,
            f"`{node.id}` is read once, while `{scope.traced_name}` is traced: "
            f"what `{changer.qualname}` puts there afterwards does not reach the graph",
        )


def _is_python(value: Value) -> bool:
    return all(isinstance(one, (Static, Container, Array)) for one in alternatives(value))


RULE = Rule(
    code="TFL210",
    name="mutable-global-read",
    documentation=__doc__,
    nodes=(ast.Name,),
    check=check,
    proof=Proof.NONE,
    preview=True,
)
