"""A `tf.function` is made anew each time that Python runs the code.

## What it does
Finds `tf.function(f)` and inner functions under `@tf.function` in code that Keras or `tf.function` traces.

## Why is this bad
A `tf.function` remembers its graphs as long as it lives. One that is made in `call` traces its function at each eager
call and at each trace of the layer, and throws the graph away.

## Keras 2 and Keras 3
The same in both. No error is raised.

## Example
```python
class Double(keras.layers.Layer):
    def call(self, inputs):
        double = tf.function(lambda tensor: tensor * 2.0)
        return double(inputs)
```
Make it once:
```python
@tf.function
def double(tensor):
    return tensor * 2.0

class Double(keras.layers.Layer):
    def call(self, inputs):
        return double(inputs)
```

## Fix safety
There is no fix: the function may close over names of the function around it.

## How TensorFlow confirms it
No run of one layer shows it: the result is the same.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Proof
from tflint_layers.model import callbacks
from tflint_layers.model.scopes import Scope
from tflint_layers.rules.rule import Hit, Rule


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to making a `tf.function` inside traced code."""
    if node in scope.guarded:
        return
    if isinstance(node, ast.Call):
        if not _is_decorator(scope, node):
            yield Hit(node, _message(scope, scope.text(node)))
    elif isinstance(node, ast.FunctionDef):
        for decorator in node.decorator_list:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            if scope.api_name(called) in callbacks.TRACING_DECORATORS:
                yield Hit(decorator, _message(scope, node.name))


def _is_decorator(scope: Scope, node: ast.Call) -> bool:
    parent = scope.parent(node)
    return isinstance(parent, ast.FunctionDef) and node in parent.decorator_list


def _message(scope: Scope, subject: str) -> str:
    return (
        f"`{subject}` is a new `tf.function` each time Python runs `{scope.traced_name}`, and traced again each time: "
        "make it once, outside"
    )


RULE = Rule(
    code="TFL305",
    name="function-built-in-call",
    documentation=__doc__,
    nodes=(ast.Call, ast.FunctionDef),
    check=check,
    calls=callbacks.TRACING_DECORATORS.__contains__,
    proof=Proof.NONE,
    preview=True,
)
