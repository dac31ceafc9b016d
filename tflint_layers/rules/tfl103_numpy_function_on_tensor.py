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
Functions with one tensor argument and an operation of the same meaning are replaced by `tf.` or `keras.ops.`, in the
style of the file. It is unsafe: NumPy computes in float64 where an operation keeps the dtype of its argument.

## How TensorFlow confirms it
Tracing the layer raises, and the traceback passes through the line.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Fix, Proof, Safety
from tflint_layers.model import api, demands
from tflint_layers.model.scopes import Scope
from tflint_layers.rewrite import operations, replace
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
    """The operation of the same meaning."""
    call = hit.node
    if not isinstance(call, ast.Call):
        return None
    library = operations(scope.module)
    name = api.operation_for_numpy(scope.api_name(call.func), library.keras)
    if name is None or any(isinstance(argument, ast.Starred) for argument in call.args):
        return None
    keywords = {keyword.arg for keyword in call.keywords}
    if not keywords <= {"axis", "keepdims"} or len(call.args) != 1:
        return None
    edit = replace(scope.module.source, call.func, f"{library.prefix}.{name}")
    return Fix(f"compute it in the graph with `{library.prefix}.{name}`", Safety.UNSAFE, (*library.imports, edit))


RULE = Rule(
    code="TFL103",
    name="numpy-function-on-tensor",
    documentation=__doc__,
    nodes=demands.NODES[demands.conversions],
    check=check,
    proof=Proof.RAISES,
    fix=fix,
)
