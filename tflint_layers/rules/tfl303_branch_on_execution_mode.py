"""Eager mode and graph mode compute the result by different code.

## What it does
Finds `if tf.executing_eagerly(): ... else: ...` in code that Keras or `tf.function` traces, where both branches return
a result or assign the same name. Checks and logging that only one mode has are left alone.

## Why is this bad
What runs while debugging and in unit tests is not what runs in production. An error in one of the branches stays
unseen in the other mode.

## Keras 2 and Keras 3
The same in both. No error is raised.

## Example
```python
class Norm(keras.layers.Layer):
    def call(self, inputs):
        if tf.executing_eagerly():
            return inputs / np.linalg.norm(inputs.numpy())
        return inputs / tf.norm(inputs)
```
One way for both:
```python
class Norm(keras.layers.Layer):
    def call(self, inputs):
        return inputs / tf.norm(inputs)
```

## Fix safety
There is no fix: which of the two ways is right is for the author to say.

## How TensorFlow confirms it
No run shows it: each of the branches may be right.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Proof
from tflint_layers.model import api
from tflint_layers.model.scopes import Scope
from tflint_layers.model.syntax import walk
from tflint_layers.rules.rule import Hit, Rule


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to branches on the execution mode that both compute the result."""
    if not isinstance(node, (ast.If, ast.IfExp)) or not _asks_for_mode(scope, node.test):
        return
    if isinstance(node, ast.IfExp) or _results(node.body) & _results(node.orelse or _rest(scope, node)):
        yield Hit(
            node.test,
            f"`{scope.text(node.test)}` makes eager mode compute by other code than the graph: "
            "what is debugged and tested is not what `fit` and `predict` run",
        )


def _asks_for_mode(scope: Scope, test: ast.expr) -> bool:
    return any(isinstance(node, ast.Call) and scope.api_name(node.func) in api.MODE_QUESTIONS for node in walk(test))


def _rest(scope: Scope, node: ast.If) -> list[ast.stmt]:
    """What runs behind a branch that returns, which is as good as an `else`."""
    block = scope.block(node)
    return block[block.index(node) + 1 :] if node in block and isinstance(node.body[-1], ast.Return) else []


def _results(block: list[ast.stmt]) -> set[str]:
    """The names that a block assigns, and `return` where it returns a value."""
    found = set()
    for statement in block:
        if isinstance(statement, ast.Assign):
            found |= {target.id for target in statement.targets if isinstance(target, ast.Name)}
        elif isinstance(statement, ast.Return) and statement.value is not None:
            found.add("return")
    return found


RULE = Rule(
    code="TFL303",
    name="branch-on-execution-mode",
    documentation=__doc__,
    nodes=(ast.If, ast.IfExp),
    check=check,
    proof=Proof.NONE,
    preview=True,
)
