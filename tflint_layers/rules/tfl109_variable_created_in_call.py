"""A variable, or a layer, metric or optimizer that owns some, is created each time the code is traced.

## What it does
Finds `tf.Variable(...)`, `self.add_weight(...)`, layers with weights, metrics, optimizers and random generators that
are created in code that Keras or `tf.function` traces. Layers without weights (`Concatenate()`, `ReLU()`) are left
alone unless Keras 3 has to keep them on a layer that is built already.

## Why is this bad
TensorFlow refuses variables that are created by a second trace: the layer works when it is called eagerly, with new
and untrained weights each time, and fails in `fit` and `predict`.

## Keras 2 and Keras 3
Both raise `ValueError: tf.function only supports singleton tf.Variables created on the first call`. Under Keras 3
`Dropout` and other random layers own a variable too. A guard (`if self.w is None:`) helps a `tf.Variable` in both; for
`add_weight` and sub-layers it helps under Keras 2, while Keras 3 raises `You cannot add new elements of state`, also
under `tf.init_scope`, unless it runs `call` once to build the layer: one without a `build` of its own whose parts are
not built yet.

## Example
```python
class Project(keras.layers.Layer):
    def call(self, inputs):
        return keras.layers.Dense(4)(inputs)
```
Create it once, and use it in `call`:
```python
class Project(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(4)

    def call(self, inputs):
        return self.dense(inputs)
```

## Fix safety
Nothing is applied: the layer gets other attributes, and is saved with them. The suggestion creates the object once, in
`__init__`, or the weight in `build`, and uses it here.

## How TensorFlow confirms it
Tracing the layer raises, and the traceback passes through the line or through the call of what it creates.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tflint_layers.finding import Fix, Proof, Safety
from tflint_layers.model import api
from tflint_layers.model.classes import SETTING_UP
from tflint_layers.model.scopes import Scope
from tflint_layers.model.state import State, holds_new, is_built_by_call, state_of
from tflint_layers.model.values import (
    TENSOR,
    TENSORS,
    Api,
    Class,
    Instance,
    Method,
    OneOf,
    Value,
    Variable,
    alternatives,
)
from tflint_layers.rewrite import Plan, delete_statement, members
from tflint_layers.rules.rule import Hit, Rule


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to the creation of state in traced code."""
    if not isinstance(node, ast.Call) or not _may_be_state(scope, node) or _is_set_up(scope):
        return
    if node in scope.guarded and scope.keras == 3 and is_built_by_call(scope):
        return
    if node in scope.eager:
        yield from _lifted(scope, node)
    elif _creates(scope, node) and (node not in scope.guarded or _adds_weight(scope, node)):
        if not _is_part(scope, node):
            yield Hit(node, _message(scope, node))
    elif scope.keras == 3 and _is_kept_by_layer(scope, node) and not _is_part(scope, node):
        yield Hit(node, _too_late(scope, node))


def _lifted(scope: Scope, node: ast.Call) -> Iterator[Hit]:
    """Objects to what a layer of Keras 3 is to keep under `tf.init_scope`: it is built there, too (measured)."""
    is_kept = _is_kept_by_layer(scope, node) or _adds_weight_to_layer(scope, node)
    if scope.keras == 3 and is_kept and not _is_part(scope, node):
        yield Hit(node, _too_late(scope, node), lifted=True)


def _too_late(scope: Scope, node: ast.Call) -> str:
    return (
        f"`{scope.text(node)}` is created in `{scope.traced_name}` and kept on the layer, which is built by then: "
        "Keras 3 allows no new layers or weights there (ValueError)"
    )


def _may_be_state(scope: Scope, node: ast.Call) -> bool:
    """Whether a call makes an object, or asks one for a weight: most calls compute."""
    return isinstance(scope.value(node), (Instance, Variable, OneOf)) or isinstance(scope.value(node.func), Method)


def _message(scope: Scope, node: ast.Call) -> str:
    what = "variables" if _is_object(scope, node) else "a variable"
    return (
        f"`{scope.text(node)}` creates {what} while `{scope.traced_name}` is traced, which fails: "
        "create it once, in `__init__` or `build`"
    )


def _is_set_up(scope: Scope) -> bool:
    """Whether the code makes the layer's state, although traced code is what calls it."""
    return scope.function is not None and scope.function.name in SETTING_UP


def _is_part(scope: Scope, node: ast.Call) -> bool:
    """Whether the call is an argument of another one that creates state: the wrapper is reported, not its parts."""
    return any(isinstance(parent, ast.Call) and _is_object(scope, parent) for parent in scope.parents(node))


def _creates(scope: Scope, node: ast.Call) -> bool:
    return _adds_weight(scope, node) or _makes_variable(scope, node) or _is_object(scope, node)


def _adds_weight(scope: Scope, node: ast.Call) -> bool:
    """Whether a layer gets a weight; under Keras 3 no guard makes that possible in a layer that is built."""
    receiver = _given_weight(scope, node)
    return receiver is not None and (node not in scope.guarded or (scope.keras == 3 and _is_layer(receiver)))


def _adds_weight_to_layer(scope: Scope, node: ast.Call) -> bool:
    receiver = _given_weight(scope, node)
    return receiver is not None and _is_layer(receiver)


def _given_weight(scope: Scope, node: ast.Call) -> Instance | None:
    """The object that the code under way has not made itself, and that the call gives a weight."""
    callee = scope.value(node.func)
    if not isinstance(callee, Method) or callee.name not in api.WEIGHT_MAKERS:
        return None
    return callee.receiver if isinstance(callee.receiver, Instance) and not callee.receiver.fresh else None


def _is_layer(instance: Instance) -> bool:
    return api.is_traced_role(_role(instance))


def _makes_variable(scope: Scope, node: ast.Call) -> bool:
    made = scope.value(node)
    return isinstance(made, Variable) and made.fresh and isinstance(scope.value(node.func), Api)


def _is_object(scope: Scope, node: ast.Call) -> bool:
    """Whether the call makes an object that owns state, whichever class it is of."""
    called, made = alternatives(scope.value(node.func)), alternatives(scope.value(node))
    return all(isinstance(one, (Api, Class)) for one in called) and all(_owns_new(scope, node, one) for one in made)


def _owns_new(scope: Scope, node: ast.Call, made: Value) -> bool:
    if not isinstance(made, Instance) or not made.fresh:
        return False
    if made.cls is None and made.name in api.CONTAINERS_OF_LAYERS:
        arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
        return any(holds_new(scope, scope.value(argument)) for argument in arguments)
    return state_of(scope, made) is State.RESOURCES


def _is_kept_by_layer(scope: Scope, node: ast.Call) -> bool:
    """Whether what the call makes is a layer, weight or metric that an attribute of a layer keeps."""
    made = scope.value(node)
    if not isinstance(made, (Instance, Variable)):
        return False
    is_tracked = isinstance(made, Instance) and made.fresh and _role(made) in {"layer", "model", "rnn_cell", "metric"}
    is_weight = scope.api_name(node.func) in api.KERAS_VARIABLES
    if not (is_tracked or is_weight):
        return False
    owners = [scope.value(place.value) for place in _places(scope.parent(node)) if isinstance(place, ast.Attribute)]
    return any(isinstance(owner, Instance) and not owner.fresh and _is_layer(owner) for owner in owners)


def _places(parent: ast.AST | None) -> list[ast.expr]:
    """Where what a call makes is kept: the targets of an assignment, or the list that it is appended to."""
    if isinstance(parent, ast.Assign):
        return parent.targets
    if isinstance(parent, ast.Call) and isinstance(parent.func, ast.Attribute) and parent.func.attr == "append":
        return [parent.func.value]
    return []


def _role(instance: Instance) -> str | None:
    return instance.cls.role if instance.cls is not None else api.class_role(instance.name)


def fix(scope: Scope, hit: Hit) -> Fix | None:
    """Create it once and use it here, as a suggestion."""
    node, cls = hit.node, scope.layer
    if not isinstance(node, ast.Call) or cls is None or cls.module is not scope.module:
        return None
    if node in scope.guarded or members.needs_locals(scope, node):
        return None
    statement = scope.parent(node)
    target = statement.targets[0] if isinstance(statement, ast.Assign) and len(statement.targets) == 1 else None
    plan = Plan(scope.module.source)
    name = _attribute(node, target)
    method = "build" if isinstance(scope.value(node.func), Method) else "__init__"
    text = plan.text(node)
    created = f"self.{name} = {ast.unparse(node) if node.lineno != node.end_lineno else text}"
    moved = members.set_up(cls, method, created)
    message = f"create it once: `{created}` in `{method}`"
    if isinstance(target, ast.Attribute) and isinstance(statement, ast.Assign):
        gone = delete_statement(scope, statement, lambda other: False)
        return Fix(message, Safety.SUGGESTION, (moved, gone)) if gone is not None else None
    plan.put(node, lambda: f"self.{name}")
    return Fix(f"{message}, and use `self.{name}` here", Safety.SUGGESTION, (moved, *plan.edits()))


def _attribute(node: ast.Call, target: ast.expr | None) -> str:
    """What to call it: as the code does, else after its class."""
    if isinstance(target, (ast.Attribute, ast.Name)):
        return target.attr if isinstance(target, ast.Attribute) else target.id
    words = ast.unparse(node.func).rpartition(".")[2]
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", words).lower()
    return snake if snake not in {"add_weight", "add_variable"} else "weight"


RULE = Rule(
    code="TFL109",
    name="variable-created-in-call",
    documentation=__doc__,
    nodes=(ast.Call,),
    check=check,
    calls=lambda name: api.result(name, 3) not in (TENSOR, TENSORS),
    proof=Proof.RAISES,
    fix=fix,
    only_suggests=True,
)
