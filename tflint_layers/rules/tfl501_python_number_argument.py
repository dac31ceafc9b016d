"""A `tf.function` gets another Python number at each step of a loop, and is traced anew for each.

## What it does
Finds calls of a `tf.function` in loops that nothing traces, with an argument that is another number or text of Python
at each step: the counter of a `range` or an `enumerate`, `step += 1`, and what is computed from them. Loops that are
known to make fewer than five steps, and functions with an `input_signature`, are left alone.

## Why is this bad
A Python number is part of what a graph is made for, a tensor is not. So each step traces the whole function again and
keeps one more graph: measured, 5 traces for 5 steps, where `tf.constant(step)` takes one. `reduce_retracing=True` does
not help. Numbers of NumPy are tensors here.

## Keras 2 and Keras 3
The same in both: it is about `tf.function` alone. No error is raised; TensorFlow warns from the fifth trace on.

## Example
```python
@tf.function
def train(batch, step):
    return tf.reduce_sum(batch) * tf.cast(step, batch.dtype)

def run(batch):
    for step in range(1000):
        train(batch, step)
```
Give it a tensor:
```python
def run(batch):
    for step in tf.range(1000):
        train(batch, step)
```

## Fix safety
There is no fix: the function gets a tensor then, which it may not be able to use as a number.

## How TensorFlow confirms it
No run of one layer shows it. The tests run the loops of the fixtures and count the traces.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Proof
from tflint_layers.model import repeats
from tflint_layers.model.scopes import Phase, Scope
from tflint_layers.rules.rule import Hit, Rule


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to arguments of a `tf.function` that are new numbers of Python at each step of a loop."""
    if not isinstance(node, ast.Call) or not repeats.is_traced_by_signature(scope, node.func):
        return
    loop = repeats.loop_around(scope, node)
    if loop is None:
        return
    names = repeats.numbers_of(scope, loop)
    arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
    changing = next((argument for argument in arguments if repeats.varies(scope, argument, names)), None)
    if changing is not None:
        yield Hit(
            changing,
            f"`{scope.text(node.func)}` is traced anew at each step of the loop: `{scope.text(changing)}` is another "
            "value of Python each time; give it a tensor",
        )


RULE = Rule(
    code="TFL501",
    name="python-number-argument",
    documentation=__doc__,
    nodes=(ast.Call,),
    check=check,
    proof=Proof.NONE,
    phases=frozenset({Phase.PLAIN}),
    preview=True,
    words=(b"function",),
    everywhere=True,
)
