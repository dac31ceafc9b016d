"""Code for Keras 2 that Keras 3 refuses: removed methods, Python values passed to a layer by position, hidden names.

## What it does
Finds `self.add_metric(...)` and `self.add_update(...)`, numbers, flags and texts that are passed to a layer by
position (`self.grid(x, 7)`), and models and sub-layers whose class name starts with an underscore.

## Why is this bad
The code fails under Keras 3, mostly in eager mode too, so that a project cannot move to it.

## Keras 2 and Keras 3
Keras 2 accepts all of it. Keras 3 raises `NotImplementedError` or `AttributeError` for the methods, `ValueError: Only
input tensors may be passed as positional arguments` for the values, and `ValueError: '__net' is not a valid root scope
name` for a layer that is named after a class `_Net`.

## Example
```python
class Outer(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.dropout = keras.layers.Dropout(0.5)

    def call(self, inputs, training=False):
        return self.dropout(inputs, training)
```
Pass it by keyword:
```python
class Outer(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.dropout = keras.layers.Dropout(0.5)

    def call(self, inputs, training=False):
        return self.dropout(inputs, training=training)
```

## Fix safety
Arguments become keyword arguments, and `self.add_update(w.assign(v))` becomes `w.assign(v)`: both are safe. There is no
fix for `add_metric` and the names.

## How TensorFlow confirms it
Tracing the layer raises, and the traceback passes through the line.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Edit, Fix, Proof, Safety
from tflint_layers.model import api
from tflint_layers.model.classes import ClassInfo
from tflint_layers.model.scopes import Phase, Scope
from tflint_layers.model.syntax import walk
from tflint_layers.model.values import (
    Container,
    Instance,
    Method,
    OneOf,
    Shape,
    Static,
    StaticDim,
    Value,
    alternatives,
)
from tflint_layers.rewrite import replace
from tflint_layers.rules.rule import Hit, Rule


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to what Keras 3 does not accept any more."""
    if isinstance(node, ast.ClassDef):
        cls = scope.module.classes_by_node.get(node)
        if cls is not None and cls.name.startswith("_") and _is_named_after_class(scope, cls):
            yield Hit(
                node,
                f"`{cls.name}` fails while it is traced: Keras 3 names it after its class, and TensorFlow allows "
                "no name that starts with an underscore (ValueError); pass a `name`, or rename the class",
            )
    elif isinstance(node, ast.Call):
        yield from _check_call(scope, node)


def _check_call(scope: Scope, node: ast.Call) -> Iterator[Hit]:
    callee = scope.value(node.func)
    if isinstance(callee, Method) and callee.name in api.REMOVED_METHODS:
        if isinstance(callee.receiver, Instance) and api.is_traced_role(api.class_role(callee.receiver.name)):
            yield Hit(node, f"`{scope.text(node.func)}` is no method of Keras 3: the call fails")
    elif isinstance(callee, (Instance, OneOf)) and _is_layer(callee) and scope.phase is not Phase.PLAIN:
        first = _first_python_argument(scope, node)
        if first is not None:
            yield Hit(
                node,
                f"`{scope.text(node)}` fails: Keras 3 takes only tensors as positional arguments of a layer, "
                f"so `{scope.text(node.args[first])}` must be a keyword argument",
            )


def _is_layer(value: Value) -> bool:
    return all(isinstance(one, Instance) and _checks_arguments(one) for one in alternatives(value))


def _checks_arguments(layer: Instance) -> bool:
    """Whether Keras checks what the object is called with; functional models and preprocessing layers take anything."""
    if layer.cls is None:
        is_checked = api.class_role(layer.name) == "layer" or layer.name.endswith(".Sequential")
        return is_checked and layer.name not in api.TAKING_ANYTHING
    libraries = {ancestor for ancestor in layer.cls.ancestry if isinstance(ancestor, str)}
    own_call = layer.cls.method("call") is not None and layer.cls.method("__call__") is None
    return own_call and api.is_traced_role(layer.cls.role) and not libraries & api.TAKING_ANYTHING


def _first_python_argument(scope: Scope, node: ast.Call) -> int | None:
    if any(isinstance(argument, ast.Starred) for argument in node.args):
        return None
    return next((i for i, argument in enumerate(node.args) if _is_python(scope.value(argument))), None)


def _is_python(value: Value) -> bool:
    """Whether the value surely is, or holds, something else than tensors and None."""
    return all(
        (isinstance(one, Static) and one.constant is not None)
        or isinstance(one, (StaticDim, Shape))
        or (isinstance(one, Container) and bool(one.items) and any(_is_python(item) for item in one.items or ()))
        for one in alternatives(value)
    )


def _is_named_after_class(scope: Scope, cls: ClassInfo) -> bool:
    """Whether an object of the class is traced by a name that Keras makes from the name of the class."""
    if not api.is_traced_role(cls.role) or any(cls in other.ancestry[1:] for other in scope.module.all_classes):
        return False
    # What opens the scope of that name is Keras's own.
    if cls.method("__call__") is not None:
        return False
    calls = [node for node in walk(scope.module.source.tree) if isinstance(node, ast.Call)]
    made = [node for node in calls if isinstance(node.func, ast.Name) and node.func.id == cls.name]
    if any(keyword.arg in {"name", None} for node in made for keyword in node.keywords) or _sets_name(cls):
        return False
    return cls.role == "model" or _is_sub_layer(scope, cls)


def _sets_name(cls: ClassInfo) -> bool:
    constructor = cls.method("__init__")
    return constructor is not None and any(
        (isinstance(node, ast.keyword) and node.arg == "name" and isinstance(node.value, ast.Constant))
        or (isinstance(node, ast.Attribute) and node.attr == "_name")
        for node in walk(constructor.node)
    )


def _is_sub_layer(scope: Scope, cls: ClassInfo) -> bool:
    """Whether another layer calls objects of the class while it is traced; a functional model may do so."""
    return any(
        isinstance(value, Instance) and value.cls is cls
        for one in scope.everything(Phase.CALL)
        if one.layer is not cls
        for node in one.values
        if isinstance(node, ast.Call)
        for value in alternatives(one.value(node.func))
    )


def fix(scope: Scope, hit: Hit) -> Fix | None:
    """Pass the arguments by keyword, from the first one on that is no tensor; leave `add_update` out."""
    node = hit.node
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "add_update":
        return _fix_update(scope, node)
    first = _first_python_argument(scope, node) if isinstance(node, ast.Call) else None
    if first is None or not isinstance(node, ast.Call):
        return None
    names = _parameters(scope, node)
    if len(names) < len(node.args):
        return None
    starts = [scope.module.source.span(argument)[0] for argument in node.args]
    edits = tuple(Edit(starts[i], starts[i], f"{names[i]}=") for i in range(first, len(node.args)))
    return Fix("pass it by keyword", Safety.SAFE, edits)


def _fix_update(scope: Scope, node: ast.Call) -> Fix | None:
    """What `add_update` is given has been done by then: the call around it goes."""
    update = node.args[0] if node.args and not node.keywords else None
    if not isinstance(scope.parent(node), ast.Expr) or not isinstance(update, ast.Call):
        return None
    if not isinstance(update.func, ast.Attribute) or update.func.attr not in api.VARIABLE_UPDATES:
        return None
    text = scope.module.source.segment(update)
    return Fix("update without `add_update`", Safety.SAFE, (replace(scope.module.source, node, text),))


def _parameters(scope: Scope, node: ast.Call) -> list[str]:
    """The names of the positional parameters of a layer's `call`, as far as they are known."""
    callee = scope.value(node.func)
    if isinstance(callee, Instance) and callee.cls is not None:
        method = callee.cls.method("call")
        return [parameter.arg for parameter in method.parameters[1:]] if method is not None else []
    written = [argument.id if isinstance(argument, ast.Name) else "" for argument in node.args]
    return ["inputs", "training"] if written[1:] == ["training"] else []


RULE = Rule(
    code="TFL110",
    name="removed-keras-api",
    documentation=__doc__,
    nodes=(ast.Call, ast.ClassDef),
    check=check,
    calls=lambda name: not name or name.startswith(".") or name.rpartition(".")[2] in api.REMOVED_METHODS,
    keras=(3,),
    proof=Proof.RAISES,
    phases=frozenset(Phase),
    fix=fix,
)
