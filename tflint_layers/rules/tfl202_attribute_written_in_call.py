"""Python state of the layer is meant to advance with each call, but advances only while the layer is traced.

## What it does
Finds `self.n += 1`, `self.step = self.step + 1`, `self.table[k] += 1`, `self.seen += [n]` and flags such as
`self.first = False` that the same code reads, in code that Keras or `tf.function` traces. Writing what is the same at
every trace (`self.in_dim = x.shape[-1]`) is left alone, and so are a flag that only keeps a warning from being said
twice and what each call begins anew (`self.n = 0`).

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
Nothing is applied: where the weight is made, and of what type it is, is the author's choice, and a weight is saved with
the layer. The suggestion makes a weight in `__init__` of what the attribute starts with, and adds to it here.

## How TensorFlow confirms it
The attribute changes at each eager call, and in graph mode only while the layer is traced.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Fix, Proof
from tflint_layers.model import api
from tflint_layers.model.scopes import Scope
from tflint_layers.model.values import Container, Instance, literal, may_be_symbolic, may_hold_tensor
from tflint_layers.model.writes import Write, advances, changes_length, is_flag, is_python, reads, reads_entry, targets
from tflint_layers.rewrite import members
from tflint_layers.rules.rule import Hit, Rule


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to writes that depend on what an earlier call wrote."""
    if isinstance(node, ast.Call):
        yield from _check_setattr(scope, node)
    if not isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
        return
    for target in targets(node):
        if _is_state(scope, node, target) and not _takes_tensor(scope, node, target):
            moves = advances(scope, node, target)
            if moves is not False:
                yield Hit(node, _message(scope, node, target), suspect=moves is None)


def _check_setattr(scope: Scope, node: ast.Call) -> Iterator[Hit]:
    """Objects to `setattr(self, "n", self.n + 1)`, and to flags that are written so."""
    if scope.api_name(node.func) != "builtins.setattr" or len(node.args) != 3:
        return
    owner, name, value = node.args
    attribute, receiver = literal(name), scope.value(owner)
    lasting = isinstance(receiver, Instance) and not receiver.fresh
    statement = scope.statement(node)
    if isinstance(attribute, str) and lasting and is_python(scope.value(value)) and statement is not None:
        target = ast.Attribute(owner, attribute)
        if reads(value, target) or is_flag(scope, statement, value, target):
            yield Hit(
                node,
                f"`{scope.text(node)}` runs only while `{scope.traced_name}` is traced: "
                f"`{attribute}` does not advance from call to call",
            )


def _is_state(scope: Scope, node: Write, target: ast.expr) -> bool:
    """Whether the target outlives the call: an attribute of an object, or a counter in a container kept there."""
    if isinstance(target, ast.Attribute):
        receiver = scope.value(target.value)
        if target.attr in api.OWN_FLAGS or not isinstance(receiver, Instance):
            return False
        return scope.outlives(target) or _is_kept_by_property(receiver, target.attr)
    if not isinstance(target, ast.Subscript) or not scope.keeps(target.value):
        return False
    return isinstance(node, ast.AugAssign) or (node.value is not None and reads_entry(node.value, target))


def _is_kept_by_property(receiver: Instance, name: str) -> bool:
    """Whether writing to a property changes what reading it gives."""
    setter = receiver.cls.setter(name) if receiver.cls is not None and not receiver.fresh else None
    getter = receiver.cls.method(name) if receiver.cls is not None else None
    if setter is None or getter is None:
        return False
    return not setter.attributes_stored.isdisjoint(getter.attributes_read)


def _takes_tensor(scope: Scope, node: Write, target: ast.expr) -> bool:
    values = [scope.value(target), *([scope.value(node.value)] if node.value is not None else [])]
    if any(may_be_symbolic(value) or may_hold_tensor(value) for value in values):
        return True
    return any(isinstance(value, Container) for value in values) and not changes_length(scope, node, target)


def _message(scope: Scope, node: ast.stmt, target: ast.expr) -> str:
    return (
        f"`{scope.text(node)}` runs only while `{scope.traced_name}` is traced: "
        f"`{scope.text(target)}` does not advance from call to call"
    )


def fix(scope: Scope, hit: Hit) -> Fix | None:
    """A weight that is assigned to, as a suggestion."""
    return None if isinstance(hit.node, ast.Call) else members.in_weight(scope, hit.node)


RULE = Rule(
    code="TFL202",
    name="attribute-written-in-call",
    documentation=__doc__,
    nodes=(ast.AugAssign, ast.Assign, ast.AnnAssign, ast.Call),
    check=check,
    calls="builtins.setattr".__eq__,
    lasting=True,
    proof=Proof.RUNS_ONCE,
    fix=fix,
    only_suggests=True,
)
