"""A list, dict or set that outlives the call is changed while the call is traced, and never again.

## What it does
Finds `self.log.append(v)`, `.extend`, `.update`, `.pop`, `.add`, `.rotate` and the like, and functions such as
`bisect.insort` and `heapq.heappush`, in code that Keras or `tf.function` traces, on a container kept in an attribute,
in a global, in a closure or in a default argument. A container made in the same call is left alone, and so is a change
that the same call, or the end of a `with` block, takes back; one that receives a tensor is TFL207.

## Why is this bad
The list grows by one element for each trace, not for each step, and no error says so.

## Keras 2 and Keras 3
The same in both, and below `tf.function`. No error is raised.

## Example
```python
class History(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.widths = []

    def call(self, inputs):
        self.widths.append(inputs.shape[-1])
        return inputs
```
Record it in a callback, or in `build`, which is meant to run once:
```python
class History(keras.layers.Layer):
    def build(self, input_shape):
        self.width = input_shape[-1]

    def call(self, inputs):
        return inputs
```

## Fix safety
There is no fix: what should happen at each step is the author's choice.

## How TensorFlow confirms it
The container changes at each eager call, and in graph mode only while the layer is traced.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Proof
from tflint_layers.model import api
from tflint_layers.model.scopes import Scope
from tflint_layers.model.values import UNKNOWN, Container, may_hold_tensor
from tflint_layers.model.writes import is_emptied, is_filled_once, is_stacked
from tflint_layers.rules.rule import Hit, Rule


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to methods that change a container which outlives the call."""
    changed = _changed(scope, node) if isinstance(node, ast.Call) else None
    if not isinstance(node, ast.Call) or changed is None:
        return
    receiver = scope.value(changed)
    arguments = (*node.args, *(keyword.value for keyword in node.keywords))
    if any(may_hold_tensor(scope.value(argument)) for argument in arguments if argument is not changed):
        return
    method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    if isinstance(receiver, Container) and receiver.origin and not _is_settled(scope, node):
        # Filling a dict again with the same is no change, and only a trace can tell whether it is the same.
        again = receiver.type == "dict" and method in {"update", "setdefault"}
        yield Hit(node, _message(scope, node, changed), suspect=again)
    elif receiver is UNKNOWN and method in {"append", "extend"} and _is_own_attribute(changed):
        yield Hit(node, _message(scope, node, changed), suspect=True)


def _changed(scope: Scope, node: ast.Call) -> ast.expr | None:
    """The container that a call changes in place: that of a method, or the one that a function is given."""
    if scope.api_name(node.func) in api.MUTATING_FUNCTIONS:
        return node.args[0] if node.args else None
    is_method = isinstance(node.func, ast.Attribute) and node.func.attr in api.MUTATORS
    return node.func.value if is_method and isinstance(node.func, ast.Attribute) else None


def _is_settled(scope: Scope, node: ast.Call) -> bool:
    """Whether the container is after the call what it was before it, from the second call on."""
    if node in scope.undone:
        return True
    return is_stacked(scope, node) or is_filled_once(scope, node) or is_emptied(scope, node)


def _message(scope: Scope, node: ast.Call, container: ast.expr) -> str:
    return (
        f"`{scope.text(node)}` runs only while `{scope.traced_name}` is traced: "
        f"`{scope.text(container)}` changes once for each trace, not for each call"
    )


def _is_own_attribute(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"


RULE = Rule(
    code="TFL203",
    name="container-mutated-in-call",
    documentation=__doc__,
    nodes=(ast.Call,),
    check=check,
    calls=lambda name: name in api.MUTATING_FUNCTIONS or (name[:1] == "." and name[1:] in api.MUTATORS),
    proof=Proof.RUNS_ONCE,
)
