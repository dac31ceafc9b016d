"""A `tf.function` is given an object that it cannot tell from another, or that is made anew for each call.

## What it does
Finds calls of a `tf.function` with a set, a bytearray, or an object of a data class that is not frozen; and, in loops
that nothing traces, with a lambda, a `functools.partial`, a generator or an object that is made right in the call.
Classes that tell TensorFlow how to trace them (`__tf_tracing_type__`, `__tf_flatten__`) are left alone.

## Why is this bad
What is no tensor is part of what a graph is made for. What has no hash cannot be: the call raises TypeError. What is
made anew is never the same as before: measured, 5 traces for 5 calls, where an object that is made once takes one. A
frozen data class is told apart by which object it is, not by what is in it.

## Keras 2 and Keras 3
The same in both: it is about `tf.function` alone. The TypeError comes in eager mode, too.

## Example
```python
@tf.function
def train(batch, activation):
    return activation(batch)

def run(batches):
    for batch in batches:
        train(batch, lambda part: part * 2.0)
```
Make it once:
```python
def double(part):
    return part * 2.0

def run(batches):
    for batch in batches:
        train(batch, double)
```

## Fix safety
There is no fix: what the function is to be given instead is the author's to say.

## How TensorFlow confirms it
Tracing a layer that makes the call raises a TypeError, for what has no hash. No run of one layer shows the others; the
tests run the loops of the fixtures and count the traces.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Proof
from tflint_layers.model import repeats
from tflint_layers.model.classes import ClassInfo
from tflint_layers.model.scopes import Phase, Scope
from tflint_layers.model.values import Class, Container, Instance
from tflint_layers.rules.rule import Hit, Rule

_UNHASHABLE = frozenset({"builtins.set", "builtins.bytearray"})
_PROTOCOL = ("__tf_tracing_type__", "__tf_flatten__")


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to arguments of a `tf.function` that have no hash, or are made anew for each call."""
    if not isinstance(node, ast.Call) or not repeats.is_traced_by_signature(scope, node.func):
        return
    arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
    for argument in arguments:
        if _is_unhashable(scope, argument):
            yield Hit(
                argument,
                f"`{scope.text(node.func)}` cannot be traced for `{scope.text(argument)}`, which has no hash "
                "(TypeError)",
                proof=Proof.RAISES if scope.phase is Phase.CALL else None,
            )
        elif scope.phase is Phase.PLAIN and _is_new(scope, argument) and repeats.loop_around(scope, node) is not None:
            yield Hit(
                argument,
                f"`{scope.text(node.func)}` is traced anew at each step of the loop: `{scope.text(argument)}` is "
                "another object each time; make it once, before the loop",
            )


def _is_unhashable(scope: Scope, node: ast.expr) -> bool:
    if isinstance(node, ast.Call) and scope.api_name(node.func) in _UNHASHABLE:
        return True
    value = scope.value(node)
    if isinstance(value, Container):
        return value.type == "set"
    return isinstance(value, Instance) and value.cls is not None and value.cls.has_no_hash and _is_plain(value.cls)


def _is_new(scope: Scope, node: ast.expr) -> bool:
    if isinstance(node, (ast.Lambda, ast.GeneratorExp)):
        return True
    if not isinstance(node, ast.Call):
        return False
    made = scope.value(node.func)
    return scope.api_name(node.func) == "functools.partial" or (isinstance(made, Class) and _is_plain(made.cls))


def _is_plain(cls: ClassInfo) -> bool:
    """Whether TensorFlow knows nothing about a class, and tells its objects apart by their hash."""
    bases = [ancestor for ancestor in cls.ancestry if isinstance(ancestor, str)]
    return cls.role is None and not bases and not any(cls.method(name) for name in _PROTOCOL)


RULE = Rule(
    code="TFL504",
    name="object-argument",
    documentation=__doc__,
    nodes=(ast.Call,),
    check=check,
    proof=Proof.NONE,
    phases=frozenset({Phase.CALL, Phase.PLAIN}),
    preview=True,
    words=(b"function",),
    everywhere=True,
)
