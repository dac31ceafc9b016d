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
What `int` and `len` give then is a tensor of whole numbers, which cannot be mixed with floats: TypeError.

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
`len(tf.shape(x))` becomes `len(x.shape)`, which is safe. `float(x)` becomes `tf.cast(x, y.dtype)` where it meets a
tensor `y`, else `tf.cast(x, "float32")`; `int(x)` becomes `tf.cast(x, "int32")`, `len(x)` becomes `tf.shape(x)[0]`,
`math.sqrt(x)` becomes `tf.sqrt(x)`, or the same of `keras.ops`, and what the code does with the number becomes
operations too. They are unsafe: a Python number takes the dtype of its neighbour, a tensor of another dtype raises.
`numbers[x]` becomes `tf.gather(numbers, x)`, and `self.layers_[x](y)` becomes `tf.switch_case`: unsafe, since an index
out of range raises nothing there. A loop over `range(x)` that only updates names becomes `tf.foldl`. Keys of dicts and
formatted texts are left alone.

## How TensorFlow confirms it
Tracing the layer raises, and the traceback passes through the line.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Fix, Proof, Safety
from tflint_layers.model import api, demands
from tflint_layers.model.scopes import Scope
from tflint_layers.model.syntax import walk
from tflint_layers.model.values import Container, Instance, is_static, is_symbolic
from tflint_layers.rewrite import Kind, Retyping, arrays, kind_of, loops, replace
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
    for demand in demands.mixtures(scope, node):
        yield Hit(
            demand.node,
            f"`{scope.text(demand.node)}` mixes floats with `{scope.text(demand.subject)}`, which is a tensor of whole "
            f"numbers while `{scope.traced_name}` is traced: tensors do not mix (TypeError)",
            demand.suspect,
        )


def _only_in_keras3(scope: Scope, node: ast.AST) -> str:
    converted = isinstance(node, ast.Call) and scope.api_name(node.func) in api.CONVERTED_FUNCTIONS
    return ": Keras 3 does not convert it with AutoGraph" if converted and scope.keras == 3 else ""


def fix(scope: Scope, hit: Hit) -> Fix | None:
    """An operation instead of a Python function."""
    node = hit.node
    if hit.suspect or not isinstance(node, (ast.Call, ast.Subscript)):
        return None
    if isinstance(node, ast.Subscript):
        return _fix_item(scope, node)
    if not node.args or node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
        return None
    return _fix_rank(scope, node) or _fix_number(scope, node)


def _fix_rank(scope: Scope, node: ast.Call) -> Fix | None:
    """`len(tf.shape(x))` is the rank, which is known."""
    shape = node.args[0]
    if scope.api_name(node.func) != "builtins.len" or not isinstance(shape, ast.Call) or len(shape.args) != 1:
        return None
    if scope.api_name(shape.func) not in {"tensorflow.shape", "keras.ops.shape"} or shape.keywords:
        return None
    plan = Retyping(scope).plan
    text = f"{plan.atom(shape.args[0])}.shape"
    return Fix("take the static rank", Safety.SAFE, (replace(scope.module.source, shape, text),))


def _fix_number(scope: Scope, node: ast.Call) -> Fix | None:
    name = scope.api_name(node.func)
    subject = next((argument for argument in node.args if is_symbolic(scope.value(argument))), None)
    if subject is None:
        return None
    retyping = Retyping(scope)
    _agree(scope, retyping, subject)
    if name == "builtins.range":
        loop = scope.parent(node)
        planned = isinstance(loop, ast.For) and loops.plan_for(scope, retyping.plan, retyping.library, loop)
        return (
            retyping.fix(node, "loop in the graph; what it updates must keep its shape and dtype") if planned else None
        )
    if name.startswith("math."):
        kind = arrays.math_call(scope, retyping.plan, retyping.library, node, kind_of(scope, subject))
    else:
        kind = retyping.number_function(scope, node, subject, name, kind_of(scope, subject))
    if kind is None or not retyping.consume(scope, node, kind):
        return None
    new = " ".join(retyping.plan.text(node).split())
    return retyping.fix(node, f"compute it in the graph: `{new}`; unlike a Python number, it has a dtype and gradients")


def _agree(scope: Scope, retyping: Retyping, subject: ast.expr) -> None:
    """Whole numbers of a shape meet floats as Python numbers in eager mode, where `keras.ops.shape` gives those."""
    for node in walk(subject):
        if not isinstance(node, ast.BinOp):
            continue
        for side, other in ((node.left, node.right), (node.right, node.left)):
            whole = is_symbolic(scope.value(side)) and kind_of(scope, side) is Kind.INT
            if whole and is_static(scope.value(other)) and kind_of(scope, other) is not Kind.INT:
                retyping.cast_like(scope, side)


def _fix_item(scope: Scope, node: ast.Subscript) -> Fix | None:
    """An element of a list of numbers or tensors: gathered; of a list of layers that is called: switched to."""
    value = scope.value(node.value)
    index = node.slice
    if not isinstance(value, Container) or value.type not in {"list", "tuple"} or isinstance(index, ast.Slice):
        return None
    call = scope.parent(node)
    if isinstance(call, ast.Call) and call.func is node:
        return _fix_layer(scope, node, call)
    retyping = Retyping(scope)
    plan, library = retyping.plan, retyping.library
    if not is_symbolic(value.of) and not is_static(value.of):
        return None
    kind = _kind_of_items(scope, node.value)
    take, gather = (f"{library.ops}.take", "") if library.keras else ("", f"{library.tensorflow}.gather")
    plan.put(node, lambda: (
        f"{take}({plan.argument(node.value)}, {plan.argument(index)}, axis=0)" if library.keras
        else f"{gather}({plan.argument(node.value)}, {plan.argument(index)})"
    ))  # fmt: skip
    if not retyping.consume(scope, node, kind):
        return None
    return retyping.fix(node, "gather it in the graph; there an index cannot count from the end")


def _kind_of_items(scope: Scope, node: ast.expr) -> Kind:
    kind = kind_of(scope, node)
    return Kind.UNKNOWN if kind is Kind.FLOAT else kind


def _fix_layer(scope: Scope, node: ast.Subscript, call: ast.Call) -> Fix | None:
    value = scope.value(node.value)
    if not isinstance(value, Container) or not isinstance(value.of, Instance) or not isinstance(node.value, _SIMPLE):
        return None
    retyping = Retyping(scope)
    plan, name = retyping.plan, retyping.library.tensorflow
    plan.put(call, lambda: (
        f'{name}.switch_case({name}.cast({plan.argument(node.slice)}, "int32"), '
        f"[lambda layer=layer: layer({plan.arguments(call)}) for layer in {plan.text(node.value)}])"
    ))  # fmt: skip
    return retyping.fix(node, "choose the layer in the graph; an index beyond the end gives the last one")


_SIMPLE = (ast.Name, ast.Attribute)


RULE = Rule(
    code="TFL102",
    name="python-scalar-from-tensor",
    documentation=__doc__,
    nodes=demands.NODES[demands.scalars],
    check=check,
    calls=demands.CALLS[demands.scalars],
    proof=Proof.RAISES,
    fix=fix,
)
