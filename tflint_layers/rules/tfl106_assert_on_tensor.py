"""`assert` needs to know whether a tensor is true, before there is anything to look at.

## What it does
Finds `assert` statements about tensors in code that Keras or `tf.function` traces. Assertions about shapes, types and
options are left alone.

## Why is this bad
While `call` is traced a comparison of tensors is itself a tensor, neither true nor false. The layer works eagerly and
breaks at the first `fit` or `predict`.

## Keras 2 and Keras 3
Both raise OperatorNotAllowedInGraphError, below `tf.function` too: AutoGraph does not convert `assert`.

## Example
```python
class Checked(keras.layers.Layer):
    def call(self, inputs):
        assert tf.reduce_all(inputs >= 0.0), "negative input"
        return tf.sqrt(inputs)
```
Check inside the graph:
```python
class Checked(keras.layers.Layer):
    def call(self, inputs):
        tf.debugging.Assert(tf.reduce_all(inputs >= 0.0), ["negative input"])
        return tf.sqrt(inputs)
```

## Fix safety
The fix writes `tf.debugging.Assert(condition, [message])`. Under Keras 2 it is safe. Under Keras 3 it is unsafe: with
a GPU, Keras 3 compiles with XLA by default, which drops the check without a word.

## How TensorFlow confirms it
Tracing the layer raises, and the traceback passes through the line.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Fix, Proof, Safety
from tflint_layers.model import demands
from tflint_layers.model.scopes import Scope
from tflint_layers.rewrite import Retyping, branches
from tflint_layers.rules.rule import Hit, Rule


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to assertions about tensors."""
    for demand in demands.asserts(scope, node):
        assert isinstance(node, ast.Assert)
        yield Hit(
            node,
            f"`assert` cannot check `{scope.text(demand.subject)}` while `{scope.traced_name}` is traced: "
            "it is a tensor, neither true nor false there",
            demand.suspect,
        )


def fix(scope: Scope, hit: Hit) -> Fix | None:
    """`assert` to `tf.debugging.Assert`."""
    node = hit.node
    if not isinstance(node, ast.Assert) or hit.suspect:
        return None
    retyping = Retyping(scope)
    if not branches.plan_assert(scope, retyping.plan, retyping.library, node):
        return None
    name = retyping.library.tensorflow
    if scope.keras == 2:
        return retyping.fix(node, f"check with `{name}.debugging.Assert`", Safety.SAFE)
    message = f"check with `{name}.debugging.Assert`; with a GPU, Keras 3 compiles with XLA, which drops it"
    return retyping.fix(node, message)


RULE = Rule(
    code="TFL106",
    name="assert-on-tensor",
    documentation=__doc__,
    nodes=demands.NODES[demands.asserts],
    check=check,
    proof=Proof.RAISES,
    fix=fix,
)
