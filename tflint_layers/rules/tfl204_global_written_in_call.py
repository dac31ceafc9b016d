"""A global, an enclosing function's name or a class attribute is written while the call is traced, and never again.

## What it does
Finds names declared `global` or `nonlocal` that code which Keras or `tf.function` traces assigns, and assignments to
attributes of modules and classes (`config.step = 1`, `Counting.calls += 1`). Filling an empty place once
(`if table is None: table = ...`) is left alone; a place that receives a tensor is TFL207.

## Why is this bad
The assignment runs while the graph is traced and never again. What other code reads there does not follow the steps
of `fit` or `predict`, and no error says so.

## Keras 2 and Keras 3
The same in both, and below `tf.function`. No error is raised.

## Example
```python
class Counting(keras.layers.Layer):
    calls = 0

    def call(self, inputs):
        Counting.calls += 1
        return inputs
```
Count in a weight, which belongs to the graph:
```python
class Counting(keras.layers.Layer):
    def build(self, input_shape):
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False, name="calls")

    def call(self, inputs):
        self.calls.assign_add(1.0)
        return inputs
```

## Fix safety
There is no fix: what should happen at each step is the author's choice.

## How TensorFlow confirms it
The value changes at each eager call, and in graph mode only while the layer is traced.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Proof
from tflint_layers.model.scopes import Scope
from tflint_layers.model.values import Api, Class, alternatives, may_hold_tensor
from tflint_layers.rules.rule import Hit, Rule


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to writing what belongs to a module, a class or an enclosing function."""
    if not isinstance(node, (ast.Name, ast.Attribute)) or isinstance(node.ctx, ast.Load):
        return
    statement = scope.statement(node)
    if statement is None or not _is_shared(scope, node) or _leaks(scope, node, statement):
        return
    if not _fills_empty_place(scope, node, statement):
        yield Hit(
            statement if isinstance(statement, (ast.Assign, ast.AugAssign, ast.AnnAssign)) else node,
            f"`{scope.text(statement)}` runs only while `{scope.traced_name}` is traced: "
            f"`{scope.text(node)}` does not change again when the graph runs",
        )


def _is_shared(scope: Scope, node: ast.Name | ast.Attribute) -> bool:
    if isinstance(node, ast.Name):
        return node in scope.outliving
    return all(isinstance(value, (Api, Class)) for value in alternatives(scope.value(node.value)))


def _leaks(scope: Scope, node: ast.expr, statement: ast.stmt) -> bool:
    added = [scope.value(statement.value)] if isinstance(statement, ast.AugAssign) else []
    return any(may_hold_tensor(value) for value in [scope.value(node), *added])


def _fills_empty_place(scope: Scope, node: ast.expr, statement: ast.stmt) -> bool:
    """Whether the write stands under a test that the place is still empty, as a cache is filled."""
    return any(
        isinstance(parent, ast.If)
        and isinstance(parent.test, (ast.Compare, ast.UnaryOp))
        and ast.unparse(parent.test) in {f"{ast.unparse(node)} is None", f"not {ast.unparse(node)}"}
        for parent in scope.parents(statement)
    )


RULE = Rule(
    code="TFL204",
    name="global-written-in-call",
    documentation=__doc__,
    nodes=(ast.Name, ast.Attribute),
    check=check,
    proof=Proof.RUNS_ONCE,
)
