"""A layer is made with the argument `dynamic`, which Keras 3 does not have.

## What it does
Finds `super().__init__(dynamic=...)`, `Layer.__init__(self, dynamic=...)`, `kwargs["dynamic"] = ...` passed on to
them, and layers made with `dynamic=...`.

## Why is this bad
The layer cannot be made at all under Keras 3. What the argument was used for needs no replacement in most layers:
weights that `call` updates with `assign` work in a graph.

## Keras 2 and Keras 3
Keras 3 raises `ValueError: Unrecognized keyword arguments passed to ...: {'dynamic': True}`, for `False` too. Keras 2
accepts it and runs the layer eagerly, so nothing is reported there.

## Example
```python
class Counter(keras.layers.Layer):
    def __init__(self):
        super().__init__(dynamic=True)
```
Leave it out:
```python
class Counter(keras.layers.Layer):
    def __init__(self):
        super().__init__()
```

## Fix safety
The fix removes the argument. For `False` it is safe. For `True` it is unsafe: the layer is traced from then on, so
run it with `--confirm`, which keeps the fix only if the layer without the argument traces.

## How TensorFlow confirms it
Making the layer raises, and the traceback passes through the line.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Fix, Proof, Safety
from tflint_layers.model import dynamic
from tflint_layers.model.scopes import Phase, Scope
from tflint_layers.model.values import literal
from tflint_layers.rewrite import without_argument
from tflint_layers.rules.rule import Hit, Rule


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to `dynamic` where it reaches the constructor of a Keras class."""
    if scope.keras == 3 and dynamic.argument(scope, node) is not None:
        assert isinstance(node, (ast.Call, ast.Assign))
        yield Hit(
            node,
            f"`{scope.text(node)}` fails when the layer is made: Keras 3 has no argument `dynamic` (ValueError)",
        )


def fix(scope: Scope, hit: Hit) -> Fix | None:
    """Remove the argument."""
    edit = without_argument(scope, hit.node, dynamic.NAME)
    value = dynamic.argument(scope, hit.node)
    if edit is None or value is None:
        return None
    if literal(value) is False:
        return Fix("remove `dynamic=False`", Safety.SAFE, (edit,))
    return Fix("remove `dynamic`; the layer is traced from then on", Safety.UNSAFE, (edit,))


RULE = Rule(
    code="TFL401",
    name="dynamic-argument",
    documentation=__doc__,
    nodes=(ast.Call, ast.Assign),
    check=check,
    lasting=True,
    words=dynamic.WORDS,
    proof=Proof.CONSTRUCTION,
    phases=frozenset({Phase.INIT, Phase.CALL, Phase.PLAIN}),
    fix=fix,
)
