"""A method of a model that runs a loop of its own, or reads numbers, is called while code is traced.

## What it does
Finds `model.predict`, `fit`, `evaluate`, `train_on_batch`, `compile`, `get_weights`, `save` and the like on a Keras
model or layer in code that Keras or `tf.function` traces.

## Why is this bad
These methods take arrays, run graphs of their own and give arrays back. Inside a graph there are no arrays.

## Keras 2 and Keras 3
Both fail: Keras 2 says so (`Detected a call to Model.predict inside a tf.function`), Keras 3 raises TypeError,
AttributeError or NotImplementedError somewhere inside.

## Example
```python
class Teacher(keras.layers.Layer):
    def __init__(self, network: keras.Model):
        super().__init__()
        self.network = network

    def call(self, inputs):
        return inputs + self.network.predict(inputs)
```
Call the model:
```python
class Teacher(keras.layers.Layer):
    def __init__(self, network: keras.Model):
        super().__init__()
        self.network = network

    def call(self, inputs):
        return inputs + self.network(inputs, training=False)
```

## Fix safety
`m.predict(x)` becomes `m(x, training=False)`, `m.get_weights()[0]` becomes `m.weights[0]`, and what the code does with
the array becomes operations. It is unsafe: gradients flow through a tensor, and did not through an array.

## How TensorFlow confirms it
Tracing the layer raises, and the traceback passes through the line.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Fix, Proof
from tflint_layers.model import api
from tflint_layers.model.scopes import Scope
from tflint_layers.model.state import State, state_of
from tflint_layers.model.values import UNKNOWN, Instance, Method, literal
from tflint_layers.rewrite import Kind, Retyping
from tflint_layers.rules.rule import Hit, Rule


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to methods of models that do not work inside a graph."""
    if isinstance(node, ast.Call) and (_fails(scope, node) or _fails_by_use(scope, node)):
        yield Hit(
            node,
            f"`{scope.text(node.func)}` does not work inside a graph, and fails while `{scope.traced_name}` is traced",
        )


def _fails(scope: Scope, node: ast.Call) -> bool:
    callee = scope.value(node.func)
    if not isinstance(callee, Method) or not isinstance(callee.receiver, Instance):
        return False
    receiver = callee.receiver
    role = receiver.cls.role if receiver.cls is not None else api.class_role(receiver.name)
    if callee.name in api.HOST_MODEL_METHODS:
        return role == "model"
    if callee.name not in api.HOST_LAYER_METHODS or not api.is_traced_role(role):
        return False
    return scope.keras == 2 or state_of(scope, receiver) is not State.NOTHING


# What only models of Keras have, and what code reads of an attribute that is a model or layer.
_ON_BATCHES = frozenset({"train_on_batch", "test_on_batch", "predict_on_batch"})
_OF_ARRAYS = _ON_BATCHES | {"predict", "evaluate", "fit"}
_FAILING = api.HOST_MODEL_METHODS | api.HOST_LAYER_METHODS | _OF_ARRAYS
_OF_LAYERS = frozenset(
    {"trainable", "trainable_variables", "trainable_weights", "non_trainable_weights", "get_layer", "layers"}
    | {"output_shape", "count_params", "load_weights", "get_weights", "set_weights", "add_loss"}
)


def _fails_by_use(scope: Scope, node: ast.Call) -> bool:
    """Whether an attribute that nothing declares is a model, as the class uses it."""
    method = node.func
    if (
        not isinstance(method, ast.Attribute)
        or method.attr not in _OF_ARRAYS
        or scope.value(method.value) is not UNKNOWN
    ):
        return False
    kept, cls = method.value, scope.function.cls if scope.function is not None else None
    if cls is None or not isinstance(kept, ast.Attribute) or not isinstance(kept.value, ast.Name):
        return False
    for user in cls.methods.values():
        receiver = user.parameters[0].arg if user.parameters else ""
        for use in user.of_kind(ast.Attribute):
            if use.attr == kept.attr and isinstance(use.value, ast.Name) and use.value.id == receiver:
                around = user.parents.get(use)
                if isinstance(around, ast.Attribute) and around.attr in _OF_LAYERS:
                    return True
                if isinstance(around, ast.Call) and around.func is use and method.attr in _ON_BATCHES:
                    return True
    return False


def fix(scope: Scope, hit: Hit) -> Fix | None:
    """`predict` to a call of the model, an item of `get_weights` to the weight."""
    node = hit.node
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return None
    if node.func.attr == "get_weights":
        return _fix_weight(scope, node)
    if node.func.attr not in {"predict", "predict_on_batch"} or len(node.args) != 1:
        return None
    if any(keyword.arg not in {"verbose", "batch_size"} for keyword in node.keywords):
        return None
    retyping, model, inputs = Retyping(scope), node.func.value, node.args[0]
    plan = retyping.plan
    plan.put(node, lambda: f"{plan.atom(model)}({plan.argument(inputs)}, training=False)")
    if not retyping.consume(scope, node, Kind.FLOAT):
        return None
    return retyping.fix(node, "call the model; it runs on the whole input at once, not in batches")


def _fix_weight(scope: Scope, node: ast.Call) -> Fix | None:
    item, receiver = scope.parent(node), node.func
    if isinstance(item, ast.Assign) and isinstance(receiver, ast.Attribute):
        return _fix_weights(scope, item, node, receiver.value)
    if not isinstance(item, ast.Subscript) or item.value is not node or not isinstance(receiver, ast.Attribute):
        return None
    if not isinstance(literal(item.slice), int):
        return None
    retyping = Retyping(scope)
    retyping.plan.put(node, lambda: f"{retyping.plan.atom(receiver.value)}.weights")
    if not retyping.consume(scope, item, Kind.FLOAT):
        return None
    return retyping.fix(node, "use the weight itself; gradients flow through it")


def _fix_weights(scope: Scope, statement: ast.Assign, node: ast.Call, layer: ast.expr) -> Fix | None:
    """`kernel, bias = layer.get_weights()`."""
    retyping = Retyping(scope)
    retyping.plan.put(node, lambda: f"{retyping.plan.atom(layer)}.weights")
    target = statement.targets[0]
    names = target.elts if isinstance(target, ast.Tuple) and len(statement.targets) == 1 else []
    if not names or not all(isinstance(n, ast.Name) and retyping.consume_name(scope, n, Kind.FLOAT) for n in names):
        return None
    return retyping.fix(node, "use the weights themselves, through which gradients flow")


RULE = Rule(
    code="TFL111",
    name="model-method-in-traced-code",
    documentation=__doc__,
    nodes=(ast.Call,),
    check=check,
    calls=lambda name: not name or name.rpartition(".")[2] in _FAILING,
    proof=Proof.RAISES,
    fix=fix,
)
