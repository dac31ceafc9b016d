"""Python needs a number of its own, an index or a key, and gets a tensor.

## What it does
Finds `int(x)`, `float(x)`, `bool(x)`, `len(x)`, `range(x)`, `math.sqrt(x)`, `some_list[x]`, `{x: ...}`, `f"{x:.3f}"`
and `"%d" % x` on tensors and weights in code that Keras or `tf.function` traces.

## Why is this bad
While `call` is traced there are no numbers, only symbols for them. The layer works eagerly and breaks at the first
`fit` or `predict`.

## Keras 2 and Keras 3
Keras 3 does not convert `call` with AutoGraph, and all of it raises TypeError. Keras 2, and `@tf.function` on `call`
or on the helper, turn `int`, `float`, `len` and `range` of a tensor into operations; the others fail there too.

## Example
```python
class Scale(keras.layers.Layer):
    def call(self, inputs):
        return inputs / float(tf.shape(inputs)[0])
```
Convert inside the graph:
```python
class Scale(keras.layers.Layer):
    def call(self, inputs):
        return inputs / tf.cast(tf.shape(inputs)[0], inputs.dtype)
```

## Fix safety
`float(x)` becomes `tf.cast(x, "float32")`, `int(x)` becomes `tf.cast(x, "int32")`, `len(x)` becomes `tf.shape(x)[0]`
and `math.sqrt(x)` becomes `tf.sqrt(x)`, or the same of `keras.ops`, where the value goes on into arithmetic or into an
operation. They are unsafe: a Python number takes the dtype of its neighbour, a tensor of another dtype raises.

## How TensorFlow confirms it
Tracing the layer raises, and the traceback passes through the line.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Fix, Proof, Safety
from tflint_layers.model import api, demands
from tflint_layers.model.scopes import Scope
from tflint_layers.model.values import Tensor, is_static, is_symbolic, is_tensor
from tflint_layers.rewrite import operations, replace
from tflint_layers.rules.rule import Hit, Rule


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to tensors where Python needs a number, an index or a key."""
    for demand in demands.scalars(scope, node):
        yield Hit(
            demand.node,
            f"`{scope.text(demand.node)}` needs a Python value, but `{scope.text(demand.subject)}` is a tensor "
            f"while `{scope.traced_name}` is traced{_only_in_keras3(scope, node)}",
            demand.suspect,
        )


def _only_in_keras3(scope: Scope, node: ast.AST) -> str:
    converted = isinstance(node, ast.Call) and scope.api_name(node.func) in api.CONVERTED_FUNCTIONS
    return ": Keras 3 does not convert it with AutoGraph" if converted and scope.keras == 3 else ""


def fix(scope: Scope, hit: Hit) -> Fix | None:
    """An operation instead of a Python function."""
    call = hit.node
    if not isinstance(call, ast.Call) or len(call.args) != 1 or call.keywords or hit.suspect:
        return None
    if not is_symbolic(scope.value(call.args[0])) or not _tensor_will_do(scope, call):
        return None
    library = operations(scope.module)
    text = scope.module.source.segment(call.args[0])
    name = scope.api_name(call.func)
    if name in {"builtins.float", "builtins.int"}:
        new = f'{library.name("cast")}({text}, "{name.removeprefix("builtins.")}32")'
    elif name == "builtins.len":
        new = f"{library.name('shape')}({text})[0]"
    elif name.startswith("math.") and name.removeprefix("math.") in api.MATH_OPERATIONS:
        new = f"{library.name(name.removeprefix('math.'))}({text})"
    else:
        return None
    edit = replace(scope.module.source, call, new)
    return Fix(f"compute it in the graph: `{new}`", Safety.UNSAFE, (*library.imports, edit))


def _tensor_will_do(scope: Scope, node: ast.expr) -> bool:
    parent = scope.parent(node)
    if isinstance(parent, ast.BinOp):
        return is_tensor(scope.value(parent)) or (is_static(scope.value(parent)) and _tensor_will_do(scope, parent))
    if isinstance(parent, ast.Call) and node in parent.args:
        return isinstance(scope.value(parent), Tensor) and scope.api_name(parent.func).startswith(
            ("tensorflow.", "keras.ops.")
        )
    return isinstance(parent, ast.Return)


RULE = Rule(
    code="TFL102",
    name="python-scalar-from-tensor",
    documentation=__doc__,
    nodes=demands.NODES[demands.scalars],
    check=check,
    proof=Proof.RAISES,
    fix=fix,
)
