"""A loop makes a `tf.function` of the same function at each of its steps.

## What it does
Finds `tf.function(f)` in loops that nothing traces, where `f` does not depend on the step and the result is not put
away in a container or an attribute, and functions under `@tf.function` that a loop defines and that use nothing that
the loop binds. What is made in code that is traced is TFL305. Loops that are known to make fewer than five steps are
left alone.

## Why is this bad
A `tf.function` remembers its graphs as long as it lives. One that is made at each step is traced at each step:
measured, 5 traces for 5 steps, where one that is made before the loop takes one.

## Keras 2 and Keras 3
The same in both: it is about `tf.function` alone. No error is raised; TensorFlow warns from the fifth trace on.

## Example
```python
def run(batches):
    for batch in batches:
        tf.function(train)(batch)
```
Make it once:
```python
def run(batches):
    traced = tf.function(train)
    for batch in batches:
        traced(batch)
```

## Fix safety
There is no fix: where the function is to be made is the author's to say.

## How TensorFlow confirms it
No run of one layer shows it. The tests run the loops of the fixtures and count the traces.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Proof
from tflint_layers.model import callbacks, repeats
from tflint_layers.model.scopes import Phase, Scope
from tflint_layers.model.syntax import walk
from tflint_layers.rules.rule import Hit, Rule


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to making a `tf.function` of the same function at each step of a loop."""
    made = _wrapped(scope, node) if isinstance(node, ast.Call) else _defined(scope, node)
    loop = repeats.loop_around(scope, node) if made is not None else None
    if made is None or loop is None or _depends_on(made, repeats.bound_in(loop)) or _is_kept(scope, node):
        return
    assert isinstance(node, (ast.Call, ast.FunctionDef))
    name = node.name if isinstance(node, ast.FunctionDef) else scope.text(node)
    place = node.decorator_list[0] if isinstance(node, ast.FunctionDef) else node
    yield Hit(
        place,
        f"`{name}` is a new `tf.function` at each step of the loop, and traced again each time: make it once, before "
        "the loop",
    )


def _wrapped(scope: Scope, node: ast.Call) -> list[ast.AST] | None:
    """What a call makes a `tf.function` of; None for other calls."""
    if not node.args or scope.api_name(node.func) not in callbacks.TRACING_DECORATORS:
        return None
    return [*node.args, *node.keywords]


def _defined(scope: Scope, node: ast.AST) -> list[ast.AST] | None:
    """The parts of a function that is defined as a `tf.function`; None for other functions."""
    if not isinstance(node, ast.FunctionDef):
        return None
    called = (d.func if isinstance(d, ast.Call) else d for d in node.decorator_list)
    traced = any(scope.api_name(decorator) in callbacks.TRACING_DECORATORS for decorator in called)
    return [*node.body, node.args, *node.decorator_list] if traced else None


def _depends_on(parts: list[ast.AST], names: frozenset[str]) -> bool:
    """Whether some part reads a name that the loop binds, other than one that the part itself binds."""
    nodes = [node for part in parts for node in walk(part)]
    own = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    own |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    return any(isinstance(node, ast.Name) and node.id in names - own for node in nodes)


def _is_kept(scope: Scope, node: ast.AST) -> bool:
    """Whether the result is put away, or the loop ends with it: then it may well be used more than once."""
    parent = scope.parent(node)
    if isinstance(parent, ast.Assign):
        return not all(isinstance(target, ast.Name) for target in parent.targets)
    return isinstance(node, ast.Call) and not (isinstance(parent, ast.Call) and parent.func is node)


RULE = Rule(
    code="TFL502",
    name="tf-function-in-loop",
    documentation=__doc__,
    nodes=(ast.Call, ast.FunctionDef),
    check=check,
    proof=Proof.NONE,
    phases=frozenset({Phase.PLAIN}),
    preview=True,
    words=(b"function",),
    everywhere=True,
)
