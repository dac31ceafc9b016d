"""A NumPy function needs the numbers of a tensor, before there are any.

## What it does
Finds `np.square(x)`, `np.mean(x)`, `np.array(x)`, `np.save(path, x)`, `array[i] = x` and the like on tensors and
weights in code that Keras or `tf.function` traces; functions of scipy, pandas, sklearn and cv2 too. NumPy on static
values (`np.sqrt(self.units)`) and functions that read only the shape are left alone.

## Why is this bad
While `call` is traced there are no numbers, only symbols for them. The layer works eagerly and breaks at the first
`fit` or `predict`.

## Keras 2 and Keras 3
Both raise `NotImplementedError: Cannot convert a symbolic tf.Tensor to a numpy array`. AutoGraph does not help.

## Example
```python
class Square(keras.layers.Layer):
    def call(self, inputs):
        return np.square(inputs)
```
Use the operation:
```python
class Square(keras.layers.Layer):
    def call(self, inputs):
        return tf.square(inputs)
```

## Fix safety
A function is replaced by one of `tf.` or `keras.ops.`, in the style of the file, if that was measured to give the same
numbers when it is called in the same way; methods of the resulting array become operations too. Where the result ends
in something that needs an array, nothing is changed. The fix is unsafe: gradients flow through an operation, and NumPy
goes on in float64 for whole numbers, and takes the dtype of what it meets, where an operation keeps that of its
argument.

## How TensorFlow confirms it
Tracing the layer raises, and the traceback passes through the line.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Fix, Proof
from tflint_layers.model import demands
from tflint_layers.model.scopes import Scope
from tflint_layers.rewrite import Retyping, arrays
from tflint_layers.rules.rule import Hit, Rule


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to NumPy where it would need the numbers of a tensor."""
    for demand in demands.conversions(scope, node):
        yield Hit(
            demand.node,
            f"`{scope.text(demand.node)}` needs numbers, but `{scope.text(demand.subject)}` is a tensor "
            f"without a value while `{scope.traced_name}` is traced",
            demand.suspect,
        )


def fix(scope: Scope, hit: Hit) -> Fix | None:
    """The operation of the same meaning, and operations for what the code does with its result."""
    if not isinstance(hit.node, ast.Call) or hit.suspect:
        return None
    retyping = Retyping(scope)
    kind = arrays.numpy_call(scope, retyping.plan, retyping.library, hit.node)
    if kind is None or not retyping.consume(scope, hit.node, kind):
        return None
    return retyping.fix(hit.node, _MESSAGE)


_MESSAGE = "compute it in the graph; gradients flow through it, and its dtype stays where NumPy goes on in float64"


RULE = Rule(
    code="TFL103",
    name="numpy-function-on-tensor",
    documentation=__doc__,
    nodes=demands.NODES[demands.conversions],
    check=check,
    calls=demands.CALLS[demands.conversions],
    lasting=True,
    proof=Proof.RAISES,
    fix=fix,
)
