"""A symbolic tensor is kept where it outlives the graph that it belongs to.

## What it does
Finds tensors that code which Keras or `tf.function` traces stores in attributes of the layer or of other objects, in
containers kept there, in globals and class attributes, or in the cache of a `functools.lru_cache` function; among them
weights that are replaced instead of assigned to (`self.count += 1`). An attribute that is deleted or reset before the
call ends is left alone.

## Why is this bad
After tracing, the attribute holds a symbol of a graph, not numbers: it never changes again, printing it shows a name,
and using it eagerly or in the next trace raises `TypeError: ... cannot be accessed from here` or
`InaccessibleTensorError`, at the line that reads it.

## Keras 2 and Keras 3
The same in both, and below `tf.function`. Under Keras 3 a tensor that `build` stores is lost in the same way, because
`build` runs inside the first trace; Keras 2 runs it outside of the graph.

## Example
```python
class Centred(keras.layers.Layer):
    def call(self, inputs):
        self.mean = tf.reduce_mean(inputs)
        return inputs - self.mean
```
Keep it in a local name, return it, or store numbers in a weight:
```python
class Centred(keras.layers.Layer):
    def build(self, input_shape):
        self.mean = self.add_weight(shape=(), initializer="zeros", trainable=False, name="mean")

    def call(self, inputs):
        mean = tf.reduce_mean(inputs)
        self.mean.assign(mean)
        return inputs - mean
```

## Fix safety
Nothing is applied: whether the tensor should be returned or stored in a weight is the author's choice. The suggestion
is `assign` where the attribute is a weight, a local name where no other code of the file reads the attribute, and a
weight where it starts as a number.

## How TensorFlow confirms it
After tracing, a symbolic tensor is reachable from the layer or from a global, or a second trace raises.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from tflint_layers.finding import Fix, Proof
from tflint_layers.model import api
from tflint_layers.model.scopes import Phase, Scope
from tflint_layers.model.values import (
    TENSOR,
    UNKNOWN,
    Instance,
    Value,
    Variable,
    alternatives,
    may_hold_tensor,
)
from tflint_layers.model.writes import Write, targets
from tflint_layers.rewrite import members
from tflint_layers.rules.rule import Hit, Rule

_CACHES = frozenset({"functools.lru_cache", "functools.cache", "functools.cached_property"})


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to storing a symbolic tensor in a place that outlives the call."""
    if scope.phase is Phase.BUILD and scope.keras == 2:
        return
    if isinstance(node, ast.Call):
        yield from _check_call(scope, node)
    elif isinstance(node, ast.Return):
        yield from _check_return(scope, node)
    elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
        for target in targets(node):
            if scope.outlives(target):
                yield from _check_write(scope, node, target, _written(scope, node, target))


def _written(scope: Scope, node: Write, target: ast.expr) -> list[Value]:
    """The values of which one is a tensor where the written one is."""
    if not isinstance(node, ast.AugAssign):
        return [scope.value(target)]
    old, new = scope.value(target), scope.value(node.value)
    # Arithmetic with a weight gives a tensor, which then takes the weight's place.
    return [TENSOR if any(isinstance(v, Variable) for v in alternatives(value)) else value for value in (old, new)]


def _check_write(scope: Scope, node: ast.stmt, target: ast.expr, values: list[Value]) -> Iterator[Hit]:
    place = target.value if isinstance(target, ast.Subscript) else target
    if isinstance(target, ast.Subscript) and scope.value(target.slice) == replace(api.GRAPH, fresh=True):
        return  # what is kept for each graph is read in that graph
    if any(may_hold_tensor(value) for value in values):
        if not _is_reset(scope, place):
            yield Hit(node, _message(scope, node, place))
    elif UNKNOWN in values and isinstance(target, ast.Attribute):
        yield Hit(node, _message(scope, node, place), suspect=True)


def _check_call(scope: Scope, node: ast.Call) -> Iterator[Hit]:
    if scope.api_name(node.func) == "builtins.setattr" and len(node.args) == 3:
        receiver, value = scope.value(node.args[0]), scope.value(node.args[2])
        if isinstance(receiver, Instance) and not receiver.fresh and may_hold_tensor(value):
            yield Hit(node, _message(scope, node, node.args[0]))
    elif isinstance(node.func, ast.Attribute) and node.func.attr in api.MUTATORS:
        container = node.func.value
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        holds = any(may_hold_tensor(scope.value(argument)) for argument in given)
        if holds and scope.keeps(container) and not _is_reset(scope, container):
            yield Hit(node, _message(scope, node, container))


def _check_return(scope: Scope, node: ast.Return) -> Iterator[Hit]:
    if node.value is None or scope.function is None or not may_hold_tensor(scope.value(node.value)):
        return
    module = scope.function.module
    for decorator in scope.function.decorators:
        cache = module.dotted(decorator.func if isinstance(decorator, ast.Call) else decorator)
        if cache in _CACHES:
            yield Hit(
                node,
                f"`{scope.text(node)}` puts a symbolic tensor of `{scope.traced_name}` into the cache of "
                f"`{scope.function.name}`: the next trace gets it from there and cannot use it",
            )


def _is_reset(scope: Scope, place: ast.expr) -> bool:
    """Whether the place surely holds no tensor any more when the call is over."""
    left = scope.left_in(place)
    return (left is not UNKNOWN and not may_hold_tensor(left)) or _is_restored(scope, place)


def _is_restored(scope: Scope, place: ast.expr) -> bool:
    """Whether the function puts back into an attribute what it has taken out of it before."""
    function = scope.function
    if function is None or not isinstance(place, ast.Attribute):
        return False
    written, read = ast.dump(place), ast.dump(ast.Attribute(place.value, place.attr, ast.Load()))
    return any(
        isinstance(other.value, ast.Name)
        and (kept := function.locals.get(other.value.id)) is not None
        and ast.dump(kept) == read
        and any(ast.dump(target) == written for target in other.targets)
        for other in function.of_kind(ast.Assign)
    )


def _message(scope: Scope, node: ast.expr | ast.stmt, place: ast.expr) -> str:
    return (
        f"`{scope.text(node)}` leaves a symbolic tensor in `{scope.text(place)}` once `{scope.traced_name}` is traced: "
        "it never gets numbers, and reading it in another trace or eagerly raises"
    )


def fix(scope: Scope, hit: Hit) -> Fix | None:
    """A weight that is assigned to, or a local name, as a suggestion."""
    if hit.suspect or scope.phase is not Phase.CALL:
        return None
    return members.assigned(scope, hit.node) or members.in_weight(scope, hit.node) or members.local(scope, hit.node)


RULE = Rule(
    code="TFL207",
    name="tensor-leaks-from-call",
    documentation=__doc__,
    nodes=(ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Call, ast.Return),
    check=check,
    calls=lambda name: name == "builtins.setattr" or (name[:1] == "." and name[1:] in api.MUTATORS),
    lasting=True,
    proof=Proof.LEAKS,
    fix=fix,
    only_suggests=True,
    phases=frozenset({Phase.CALL, Phase.BUILD}),
)
