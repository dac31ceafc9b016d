"""A Python number is read while tracing, and a method that is there to change it later changes nothing.

## What it does
Finds reads of a Python number or flag in an attribute, or in a dict that is kept there, in code that Keras or
`tf.function` traces, if a public method of the class or the setter of a property gives it another value: `set_beta`,
annealing, schedules, a flag that is switched on and off. What only `__init__`, `build` or the call itself write is left
alone, and so are weights.

## Why is this bad
The number goes into the graph as a constant when `fit` traces the layer. Calling the method later, from a callback
for example, changes the attribute but not the graph, and no error says so.

## Keras 2 and Keras 3
The same in both, and below `tf.function`. No error is raised.

## Example
```python
class Scaled(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.beta = 0.0

    def set_beta(self, beta):
        self.beta = beta

    def call(self, inputs):
        return inputs * self.beta
```
Keep the number in a weight, which the graph reads at each step:
```python
class Scaled(keras.layers.Layer):
    def build(self, input_shape):
        self.beta = self.add_weight(shape=(), initializer="zeros", trainable=False, name="beta")

    def set_beta(self, beta):
        self.beta.assign(beta)

    def call(self, inputs):
        return inputs * self.beta
```

## Fix safety
There is no fix: where the weight is made, and of what type it is, is the author's choice.

## How TensorFlow confirms it
Nothing that calling the layer alone does shows it: the method has to be called in between.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Proof
from tflint_layers.model import api
from tflint_layers.model.classes import FunctionInfo
from tflint_layers.model.scopes import Scope
from tflint_layers.model.setters import owner_and_place, setters
from tflint_layers.model.values import UNKNOWN, Function, Instance, Static, Unknown, Value
from tflint_layers.rules.rule import Hit, Rule


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to reading a number that a method is there to change."""
    if not isinstance(node, (ast.Attribute, ast.Subscript)) or not isinstance(node.ctx, ast.Load):
        return
    value, is_attribute = scope.value(node), isinstance(node, ast.Attribute)
    # Most of what is read is no number, which is soon told.
    may_be_number = (value is UNKNOWN or _is_number(value)) if is_attribute else isinstance(value, Static)
    if not may_be_number:
        return
    owner, place = owner_and_place(node) or (None, "")
    receiver = scope.value(owner) if owner is not None else UNKNOWN
    if not isinstance(receiver, Instance) or receiver.cls is None or receiver.fresh or place in api.OWN_FLAGS:
        return
    if is_attribute and not receiver.cls.may_set(place):
        return
    setter = setters(receiver.cls).get(place)
    if setter is None or (value is UNKNOWN and not _is_option(receiver.cls.method("__init__"), place)):
        return
    if _is_used(scope, node) and _is_first(scope, node):
        yield Hit(
            node,
            f"`{scope.text(node)}` is read once, while `{scope.traced_name}` is traced: "
            f"what `{setter.qualname}` puts there afterwards does not reach the graph",
        )


def _is_number(value: Value) -> bool:
    return isinstance(value, Static) and isinstance(value.constant, (int, float))


def _is_option(constructor: FunctionInfo | None, name: str) -> bool:
    """Whether an attribute is what whoever makes the layer has to pass: a parameter that has no default."""
    if constructor is None:
        return False
    required = {parameter.arg for parameter in constructor.parameters[1 : constructor.required]}
    return any(
        isinstance(target, ast.Attribute)
        and target.attr == name
        and isinstance(node.value, ast.Name)
        and node.value.id in required
        for node in constructor.of_kind(ast.Assign)
        for target in node.targets
    )


def _is_used(scope: Scope, node: ast.expr) -> bool:
    """Whether the read goes into a computation, a condition or a function, or a property hands it out."""
    parent = scope.parent(node)
    if isinstance(parent, (ast.List, ast.Tuple)):
        parent = scope.parent(parent)
        return isinstance(parent, ast.Call) and bool(scope.api_name(parent.func))
    if isinstance(parent, ast.Return):
        return scope.function is not None and any(
            isinstance(decorator, ast.Name) and decorator.id == "property" for decorator in scope.function.decorators
        )
    if isinstance(parent, ast.Call):
        is_function = isinstance(scope.value(parent.func), Function) or bool(scope.api_name(parent.func))
        return node in parent.args and is_function
    return isinstance(parent, (ast.BinOp, ast.Compare, ast.AugAssign, ast.Slice)) or _decides(scope, node)


def _decides(scope: Scope, node: ast.expr) -> bool:
    """Whether a flag decides what is computed, by itself or with others; what it only makes raise is no computation."""
    parent = scope.parent(node)
    if isinstance(parent, ast.UnaryOp):
        return _decides(scope, parent) if isinstance(parent.op, ast.Not) else True
    if isinstance(parent, ast.BoolOp):
        return _decides(scope, parent)
    if isinstance(parent, (ast.If, ast.IfExp)) and parent.test is node:
        return not (isinstance(parent, ast.If) and isinstance(parent.body[-1], ast.Raise))
    return False


def _is_first(scope: Scope, node: ast.expr) -> bool:
    text = ast.dump(node)
    named = (n for n in scope.values if isinstance(n, (ast.Attribute, ast.Subscript)) and ast.dump(n) == text)
    reads = [read for read in named if _is_used(scope, read)]
    return node is min(reads, key=lambda read: (read.lineno, read.col_offset))


RULE = Rule(
    code="TFL212",
    name="stale-attribute-read",
    documentation=__doc__,
    nodes=(ast.Attribute, ast.Subscript),
    check=check,
    kinds=(Static, Unknown),
    proof=Proof.NONE,
)
