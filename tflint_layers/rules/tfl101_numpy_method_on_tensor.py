"""A tensor's value is read where there is only a symbolic tensor.

## What it does
Finds `x.numpy()`, `x.eval()`, `ragged.to_list()`, `keras.ops.convert_to_numpy(x)`, `K.get_value(x)` and `K.eval(x)` on
tensors and weights in code that Keras or `tf.function` traces, `x.item()` and `x.tolist()`, which only arrays have, and
`tf.get_static_value(x)` on what depends on the inputs.

## Why is this bad
While `call` is traced there are no numbers, only symbols for them. The layer works when it is called eagerly, in a
notebook or a unit test, and breaks at the first `fit` or `predict`.

## Keras 2 and Keras 3
Both fail: `AttributeError: 'SymbolicTensor' object has no attribute 'numpy'` for a tensor, `NotImplementedError` for
a weight. AutoGraph does not help. `K.get_value` of a weight works under Keras 2, which reads it outside of the graph.
`x.item()` fails in eager mode, too, and so does `x.tolist()` unless NumPy behavior is switched on.
`tf.get_static_value(x)` does not fail: it gives None, and the graph silently computes something else.

## Example
```python
class Scale(keras.layers.Layer):
    def call(self, inputs):
        return inputs / tf.reduce_max(inputs).numpy()
```
Use the tensor itself:
```python
class Scale(keras.layers.Layer):
    def call(self, inputs):
        return inputs / tf.reduce_max(inputs)
```

## Fix safety
The fix drops `.numpy()`, `convert_to_numpy` and the like, and follows the value: through names, helpers and what they
return, methods of arrays (`.mean()`, `.max()`), NumPy functions, `float`, `max` and `round` become operations, and a
branch becomes `tf.cond`. Where the value ends in something that needs Python's number, nothing is changed. The fix is
unsafe: gradients flow through the tensor, and did not through its numbers; a NumPy number takes the dtype of the tensor
that it meets, a tensor of another dtype raises.

## How TensorFlow confirms it
Tracing the layer raises, and the traceback passes through the line; for `tf.get_static_value`, graph calls give other
results than eager calls on the same input.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from tflint_layers.finding import Fix, Proof
from tflint_layers.model import demands
from tflint_layers.model.scopes import Scope
from tflint_layers.model.values import Variable
from tflint_layers.rewrite import Kind, Retyping, delete_statement, kind_of
from tflint_layers.rules.rule import Hit, Rule


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to reading the value of a symbolic tensor."""
    for demand in demands.reads(scope, node):
        assert isinstance(demand.node, ast.expr)
        yield Hit(demand.node, _message(scope, demand.node, demand.subject), demand.suspect)
    for demand in demands.foreign_methods(scope, node):
        yield Hit(demand.node, _message_of_foreign(scope, demand))
    for demand in demands.peeks(scope, node):
        yield Hit(demand.node, _message_of_peek(scope, demand), proof=Proof.FROZEN)


def _message_of_foreign(scope: Scope, demand: demands.Demand) -> str:
    return (
        f"`{scope.text(demand.node)}` is for arrays: `{scope.text(demand.subject)}` is {_kind(scope, demand.subject)}, "
        f"which has no such method while `{scope.traced_name}` is traced"
    )


def _message_of_peek(scope: Scope, demand: demands.Demand) -> str:
    return (
        f"`{scope.text(demand.node)}` is None while `{scope.traced_name}` is traced, and a number in eager mode only: "
        f"the value of `{scope.text(demand.subject)}` is not known yet"
    )


def _message(scope: Scope, node: ast.expr, subject: ast.expr) -> str:
    return (
        f"`{scope.text(node)}` reads numbers that do not exist while `{scope.traced_name}` is traced: "
        f"`{scope.text(subject)}` is {_kind(scope, subject)} without a value there"
    )


def _kind(scope: Scope, subject: ast.expr) -> str:
    return "a weight" if isinstance(scope.value(subject), Variable) else "a tensor"


def fix(scope: Scope, hit: Hit) -> Fix | None:
    """The tensor itself, and operations for what the code does with its numbers."""
    if hit.suspect or not isinstance(hit.node, ast.expr):
        return None
    if isinstance(hit.node, ast.Attribute):
        return _fix_bound_method(scope, hit.node)
    assert isinstance(hit.node, ast.Call)
    return _fix_list(scope, hit.node) or _fix_read(scope, hit.node)


def _fix_read(scope: Scope, call: ast.Call) -> Fix | None:
    is_method = not scope.api_name(call.func) and isinstance(call.func, ast.Attribute)
    if is_method and isinstance(call.func, ast.Attribute) and call.func.attr not in {"numpy", "eval"}:
        return None
    subject = call.func.value if is_method and isinstance(call.func, ast.Attribute) else None
    if subject is None and len(call.args) == 1 and not call.keywords:
        subject = call.args[0]
    if subject is None or (call.args and is_method):
        return None
    retyping, tensor = Retyping(scope), subject
    retyping.plan.put(call, lambda: retyping.plan.atom(tensor))
    if not retyping.consume(scope, call, kind_of(scope, subject)):
        return None
    return retyping.fix(call, _MESSAGE)


def _fix_list(scope: Scope, call: ast.Call) -> Fix | None:
    """`len(ragged.to_list())` to the number of rows."""
    length = scope.parent(call)
    if not isinstance(call.func, ast.Attribute) or call.func.attr != "to_list" or not isinstance(length, ast.Call):
        return None
    if scope.api_name(length.func) != "builtins.len":
        return None
    retyping, ragged = Retyping(scope), call.func.value
    retyping.plan.put(length, lambda: f"{retyping.plan.atom(ragged)}.nrows()")
    return retyping.fix(call, _MESSAGE) if retyping.consume(scope, length, Kind.INT) else None


def _fix_bound_method(scope: Scope, method: ast.Attribute) -> Fix | None:
    """`read = x.numpy` and `read()`: the tensor where it is called, and no name for the method."""
    statement = scope.parent(method)
    target = statement.targets[0] if isinstance(statement, ast.Assign) and len(statement.targets) == 1 else None
    if method.attr != "numpy" or not isinstance(statement, ast.Assign) or not isinstance(target, ast.Name):
        return None
    names = [node for node in scope.values if isinstance(node, ast.Name) and node.id == target.id]
    calls = [scope.parent(name) for name in names if isinstance(name.ctx, ast.Load)]
    tensor = method.value
    if len(names) != len(calls) + 1 or not isinstance(tensor, ast.Name) or _is_rebound(scope, tensor.id):
        return None
    retyping = Retyping(scope)
    for name, call in zip((n for n in names if isinstance(n.ctx, ast.Load)), calls, strict=True):
        if not isinstance(call, ast.Call) or call.func is not name or call.args:
            return None
        retyping.plan.put(call, lambda: tensor.id)
        if not retyping.consume(scope, call, kind_of(scope, tensor)):
            return None
    gone = delete_statement(scope, statement, lambda other: False)
    fixed = retyping.fix(method, _MESSAGE)
    return replace(fixed, edits=(*fixed.edits, gone)) if fixed is not None and gone is not None else None


def _is_rebound(scope: Scope, name: str) -> bool:
    stores = [n for n in scope.values if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Store)]
    is_parameter = scope.function is not None and scope.function.accepts(name)
    return len(stores) + is_parameter > 1


_MESSAGE = "use the tensor itself; gradients flow through it, and it does not take the dtype of what it meets"


RULE = Rule(
    code="TFL101",
    name="numpy-method-on-tensor",
    documentation=__doc__,
    nodes=demands.NODES[demands.reads],
    check=check,
    calls=demands.CALLS[demands.reads],
    attributes=demands.may_be_read,
    proof=Proof.RAISES,
    fix=fix,
)
