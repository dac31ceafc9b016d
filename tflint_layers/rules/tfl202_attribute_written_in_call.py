"""Python state of the layer is meant to advance with each call, but advances only while the layer is traced.

## What it does
Finds `self.n += 1`, `self.step = self.step + 1`, `self.table[k] += 1` and flags such as `self.first = False` that the
same code reads, in code that Keras or `tf.function` traces. Writing what is the same at every trace
(`self.in_dim = x.shape[-1]`) is left alone.

## Why is this bad
The assignment runs while the graph is traced and never again. A counter stays at 1, a flag that should hold for the
first step holds in every step, and no error says so.

## Keras 2 and Keras 3
The same in both, and below `tf.function`. No error is raised.

## Example
```python
class Counting(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.calls = 0

    def call(self, inputs):
        self.calls += 1
        return inputs
```
Count in a weight, which belongs to the graph:
```python
class Counting(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False, name="calls")

    def call(self, inputs):
        self.calls.assign_add(1.0)
        return inputs
```

## Fix safety
No fix is applied: where the weight is made, and of what type it is, is the author's choice.

## How TensorFlow confirms it
The attribute changes at each eager call, and in graph mode only while the layer is traced.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TypeGuard

from tflint_layers.finding import Proof
from tflint_layers.model.scopes import Scope
from tflint_layers.model.values import (
    NOT_CONSTANT,
    UNKNOWN,
    Container,
    Instance,
    Static,
    Value,
    alternatives,
    literal,
    may_be_symbolic,
)
from tflint_layers.rules.rule import Hit, Rule

_KERAS_OWN = frozenset({"built", "_built", "training", "trainable"})


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to writes that depend on what an earlier call wrote."""
    if isinstance(node, ast.AugAssign):
        yield from _check_augmented(scope, node)
    elif isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Attribute) and _outlives(scope, target):
                yield from _check_assignment(scope, node, target)


def _check_augmented(scope: Scope, node: ast.AugAssign) -> Iterator[Hit]:
    target, old = node.target, scope.value(node.target)
    is_state = (isinstance(target, ast.Attribute) and _outlives(scope, target)) or (
        isinstance(target, ast.Subscript) and _is_kept(scope.value(target.value))
    )
    if not is_state or isinstance(old, Container) or may_be_symbolic(old) or may_be_symbolic(scope.value(node.value)):
        return
    yield Hit(
        node, _message(scope, node, target), suspect=not _is_python(old) and not _is_python(scope.value(node.value))
    )


def _check_assignment(scope: Scope, node: ast.Assign, target: ast.Attribute) -> Iterator[Hit]:
    value = scope.value(node.value)
    if target.attr in _KERAS_OWN or may_be_symbolic(value):
        return
    if any(_same_attribute(read, target) for read in ast.walk(node.value)):
        if _is_python(value):
            yield Hit(node, _message(scope, node, target))
    elif _is_flag(scope, node, target):
        yield Hit(node, _message(scope, node, target))


def _message(scope: Scope, node: ast.stmt, target: ast.expr) -> str:
    return (
        f"`{scope.text(node)}` runs only while `{scope.traced_name}` is traced: "
        f"`{scope.text(target)}` does not advance from call to call"
    )


def _outlives(scope: Scope, target: ast.Attribute) -> bool:
    receiver = scope.value(target.value)
    return isinstance(receiver, Instance) and not receiver.fresh


def _is_kept(value: Value) -> bool:
    return isinstance(value, Container) and bool(value.origin)


def _is_python(value: Value) -> bool:
    return value != UNKNOWN and all(isinstance(alternative, Static) for alternative in alternatives(value))


def _same_attribute(node: ast.AST, target: ast.Attribute) -> TypeGuard[ast.Attribute]:
    return (
        isinstance(node, ast.Attribute) and node.attr == target.attr and ast.dump(node.value) == ast.dump(target.value)
    )


def _is_flag(scope: Scope, node: ast.Assign, target: ast.Attribute) -> bool:
    """Whether a constant is written over another one that a condition in the same function has read before."""
    new = literal(node.value)
    if new is NOT_CONSTANT or new is None:
        return False
    for test in scope.conditions():
        for read in ast.walk(test):
            if _same_attribute(read, target) and read.lineno <= node.lineno:
                old = scope.value(read)
                return isinstance(old, Static) and old.constant not in (NOT_CONSTANT, None, new)
    return False


RULE = Rule(
    code="TFL202",
    name="attribute-written-in-call",
    documentation=__doc__,
    nodes=(ast.AugAssign, ast.Assign),
    check=check,
    proof=Proof.RUNS_ONCE,
)
