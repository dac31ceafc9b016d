"""A layer is made with `dynamic=True` although nothing that it does needs Python at each call.

## What it does
Finds `dynamic=True` on a layer where everything that `call` runs works in a graph: operations, other layers, loops
over Python sequences. One expression that is not understood, and nothing is reported.

## Why is this bad
A dynamic layer makes the whole model run eagerly: every step is run by Python, operation by operation, and the model
can be neither exported nor compiled.

## Keras 2 and Keras 3
Keras 2 only. Keras 3 has no such argument (TFL401).

## Example
```python
class Double(keras.layers.Layer):
    def __init__(self):
        super().__init__(dynamic=True)

    def call(self, inputs):
        return inputs * 2.0
```
Leave it out:
```python
class Double(keras.layers.Layer):
    def __init__(self):
        super().__init__()

    def call(self, inputs):
        return inputs * 2.0
```

## Fix safety
The fix removes the argument. It is unsafe: the layer is traced from then on, so run it with `--confirm`, which keeps
the fix only if the layer without the argument traces.

## How TensorFlow confirms it
No single run shows it: that the layer traces is what proves the fix.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Fix, Proof, Safety
from tflint_layers.model import dynamic
from tflint_layers.model.scopes import Phase, Scope
from tflint_layers.rewrite import without_argument
from tflint_layers.rules.rule import Hit, Rule


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to `dynamic=True` on layers that run as a graph."""
    cls = dynamic.made_dynamic(scope, node) if scope.keras == 2 else None
    if cls is not None and dynamic.runs_as_graph(scope, cls) and not dynamic.updates_weights(scope, cls):
        assert isinstance(node, (ast.Call, ast.Assign))
        yield Hit(
            node,
            f"`{scope.text(node)}` makes the whole model run eagerly, although all that `{cls.qualname}` does "
            "works in a graph",
        )


def fix(scope: Scope, hit: Hit) -> Fix | None:
    """Remove the argument."""
    edit = without_argument(scope, hit.node, dynamic.NAME)
    return Fix("remove `dynamic`; the layer is traced from then on", Safety.UNSAFE, (edit,)) if edit else None


RULE = Rule(
    code="TFL402",
    name="dynamic-not-needed",
    documentation=__doc__,
    nodes=(ast.Call, ast.Assign),
    check=check,
    lasting=True,
    words=dynamic.WORDS,
    proof=Proof.NONE,
    phases=frozenset({Phase.INIT, Phase.CALL, Phase.PLAIN}),
    fix=fix,
)
