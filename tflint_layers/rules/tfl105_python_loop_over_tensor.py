"""Python has to take a tensor apart element by element, before anybody knows how many there are.

## What it does
Finds `for row in x`, comprehensions, unpacking (`a, b = x`, `b, d = tf.shape(x)`, `f(*x)`), `zip`, `enumerate`, `map`,
`list`, `sum`, `max`, `min` and `sorted` over tensors in code that Keras or `tf.function` traces, and loops over a
`tf.data.Dataset`.

## Why is this bad
While `call` is traced a tensor has no elements to hand out. The layer works eagerly and breaks at the first `fit` or
`predict`; a loop over a dataset never ends.

## Keras 2 and Keras 3
Keras 3 does not convert `call` with AutoGraph: OperatorNotAllowedInGraphError. Keras 2, and `@tf.function` on `call`
or on the helper that holds the loop, convert `for row in x` and `for i in tf.range(n)`; comprehensions, unpacking and
Python's functions fail there too.

## Example
```python
class Normalize(keras.layers.Layer):
    def call(self, inputs):
        batch, width = tf.shape(inputs)
        return inputs / tf.cast(width, inputs.dtype)
```
Take it apart with an operation:
```python
class Normalize(keras.layers.Layer):
    def call(self, inputs):
        batch, width = tf.unstack(tf.shape(inputs))
        return inputs / tf.cast(width, inputs.dtype)
```

## Fix safety
Unpacking `tf.shape(x)` goes through `tf.unstack`, and `for i in tf.range(4)` becomes `range(4)`: both are safe. The
others are unsafe. `sum(x)` becomes `tf.reduce_sum(x, axis=0)` and `max(x, c)` becomes `tf.maximum(x, c)`: an operation
wants operands of one dtype. Unpacking, `zip`, `enumerate` and loops over an inner axis go through `tf.unstack`:
the size of the axis must be known. A loop that only updates names becomes `tf.foldl`, and
`tf.stack([f(row) for row in x])` becomes `tf.map_fn(f, x)`: what they update and return must keep its shape and dtype.
Code with `keras.ops` gets the same of `keras.ops`.

## How TensorFlow confirms it
Tracing the layer raises, and the traceback passes through the line.
"""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterator

from tflint_layers.finding import Fix, Proof, Safety
from tflint_layers.model import demands
from tflint_layers.model.scopes import Scope
from tflint_layers.model.values import Instance, Tensor, is_symbolic, literal
from tflint_layers.rewrite import Retyping, kind_of, loops, only_value, replace
from tflint_layers.rules.rule import Hit, Rule

_MAPPED = "map in the graph with `{}`; all that it gives must have one shape and dtype"


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to taking tensors apart with Python."""
    for demand in demands.loops(scope, node):
        yield Hit(demand.node, _message(scope, node, demand), demand.suspect)


def _message(scope: Scope, node: ast.AST, demand: demands.Demand) -> str:
    subject = scope.text(demand.subject)
    if isinstance(scope.value(demand.subject), Instance):
        return f"the loop over `{subject}` never ends while `{scope.traced_name}` is traced by Keras 3"
    traced = f"while `{scope.traced_name}` is traced"
    if _is_comparison(scope, node, demand.subject):
        return f"`{scope.text(demand.node)}` makes Python compare tensors, which have no value {traced}"
    only = ": Keras 3 does not convert it with AutoGraph" if isinstance(node, ast.For) and scope.keras == 3 else ""
    if isinstance(demand.subject, (ast.Tuple, ast.List)):
        subject = f"what `({subject})` is assigned" if not subject.startswith("(") else f"what `{subject}` is assigned"
        return f"{subject} is a tensor, which Python cannot unpack {traced}"
    return f"Python cannot step through the tensor `{subject}` {traced}{only}"


def _is_comparison(scope: Scope, node: ast.AST, subject: ast.expr) -> bool:
    """Whether a call puts several values in order: those that it is given one by one, or those in a list."""
    if not isinstance(node, ast.Call) or scope.api_name(node.func) not in demands.ORDERING:
        return False
    return len(node.args) > 1 or not is_symbolic(scope.value(subject))


def fix(scope: Scope, hit: Hit) -> Fix | None:
    """An operation instead of a Python function or loop."""
    node = hit.node
    if hit.suspect or not isinstance(node, ast.expr):
        return None
    parent = scope.parent(node)
    if isinstance(node, ast.Call) and (fixed := _fix_range(scope, node)) is not None:
        return fixed
    if isinstance(parent, ast.For) and parent.iter is node:
        return _fix_loop(scope, parent) or _fix_rows(scope, node, node)
    if isinstance(parent, ast.comprehension) and parent.iter is node:
        return _fix_comprehension(scope, parent) or _fix_rows(scope, node, node)
    if isinstance(node, ast.Starred):
        return _fix_rows(scope, node, node.value)
    if isinstance(node, ast.Call):
        return _fix_call(scope, node)
    return _fix_unpacking(scope, node)


def _fix_range(scope: Scope, node: ast.Call) -> Fix | None:
    if scope.api_name(node.func) != "tensorflow.range" or node.keywords:
        return None
    if not all(isinstance(literal(argument), int) for argument in node.args):
        return None
    edit = replace(scope.module.source, node.func, "range")
    return Fix("step through Python's own numbers", Safety.SAFE, (edit,))


def _fix_loop(scope: Scope, loop: ast.For) -> Fix | None:
    retyping = Retyping(scope)
    if not loops.plan_for(scope, retyping.plan, retyping.library, loop):
        return None
    return retyping.fix(loop, "loop in the graph; what it updates must keep its shape and dtype")


def _fix_comprehension(scope: Scope, generator: ast.comprehension) -> Fix | None:
    mapped = scope.parent(generator)
    retyping = Retyping(scope)
    if not isinstance(mapped, ast.ListComp) or not loops.plan_map(scope, retyping.plan, retyping.library, mapped):
        return None
    return retyping.fix(mapped, _MAPPED.format(retyping.library.name("map")))


def _fix_call(scope: Scope, node: ast.Call) -> Fix | None:
    name = scope.api_name(node.func)
    if node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
        return None
    retyping = Retyping(scope)
    if name == "builtins.map":
        outer = scope.parent(node)
        if isinstance(outer, ast.Call) and loops.plan_map(scope, retyping.plan, retyping.library, outer):
            return retyping.fix(node, _MAPPED.format(retyping.library.name("map")))
        return None
    if name in _REDUCING:
        subject = next((argument for argument in node.args if is_symbolic(scope.value(argument))), None)
        if subject is None:
            return None
        kind = retyping.number_function(scope, node, subject, name, kind_of(scope, subject))
        if kind is None or not retyping.consume(scope, node, kind):
            return None
        new = " ".join(retyping.plan.text(node).split())
        return retyping.fix(node, f"compute it in the graph: `{new}`, whose dtype is that of the tensor")
    return _fix_rows(scope, node, *node.args) if name in _STEPPING else None


def _fix_rows(scope: Scope, node: ast.expr | ast.stmt, *tensors: ast.expr) -> Fix | None:
    """Take the tensor apart with an operation, where its first axis has a size that is known."""
    retyping = Retyping(scope)
    unstack = retyping.library.name("unstack")
    found = [tensor for tensor in tensors if is_symbolic(scope.value(tensor))]
    if not found or not all(_has_known_size(scope, tensor) for tensor in found):
        return None
    for tensor in found:
        retyping.plan.wrap(tensor, lambda text: f"{unstack}({text})")
    return retyping.fix(node, f"take it apart with `{unstack}`; its first axis must have a known size")


def _fix_unpacking(scope: Scope, node: ast.expr) -> Fix | None:
    statement = scope.parent(node)
    if not isinstance(statement, ast.Assign) or statement.targets != [node]:
        return None
    fixed = _fix_rows(scope, statement, statement.value)
    if fixed is not None and _is_shape(scope, statement.value):
        return dataclasses.replace(fixed, message="take the shape apart with an operation", safety=Safety.SAFE)
    return fixed


def _is_shape(scope: Scope, node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and scope.api_name(node.func) in _SHAPES


def _has_known_size(scope: Scope, node: ast.expr) -> bool:
    """Whether the size of the first axis is known while tracing: that of a shape, or an inner axis of a batch."""
    if isinstance(node, ast.Name):
        origin = only_value(scope, node.id)
        return origin is not None and _has_known_size(scope, origin)
    if isinstance(node, ast.Subscript):
        return _is_batch(scope, node.value) and isinstance(literal(node.slice), int)
    if not isinstance(node, ast.Call) or not node.args:
        return False
    last = scope.api_name(node.func).rpartition(".")[2]
    if _is_shape(scope, node):
        return True
    if last == "transpose":
        return len(node.args) == 1 and not node.keywords and _is_batch(scope, node.args[0])
    if last.startswith("reduce_") or last in {"sum", "mean", "max", "min"}:
        axes = [keyword.value for keyword in node.keywords if keyword.arg == "axis"] + node.args[1:2]
        return _is_batch(scope, node.args[0]) and [literal(axis) for axis in axes] == [0]
    return last in _KEEPING and _has_known_size(scope, node.args[0])


def _is_batch(scope: Scope, node: ast.expr) -> bool:
    value = scope.value(node)
    return isinstance(value, Tensor) and value.batch


_REDUCING = frozenset({"builtins.sum", "builtins.max", "builtins.min"})
_STEPPING = frozenset(f"builtins.{name}" for name in ("zip", "enumerate", "list", "tuple", "reversed", "iter"))
_SHAPES = frozenset({"tensorflow.shape", "keras.ops.shape"})
_KEEPING = frozenset({"square", "sqrt", "exp", "abs", "cast", "softmax", "sigmoid", "tanh", "relu", "negative"})


RULE = Rule(
    code="TFL105",
    name="python-loop-over-tensor",
    documentation=__doc__,
    nodes=demands.NODES[demands.loops],
    check=check,
    calls=demands.CALLS[demands.loops],
    proof=Proof.RAISES,
    fix=fix,
)
