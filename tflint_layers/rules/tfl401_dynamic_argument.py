"""A layer is made with the argument `dynamic`, which Keras 3 does not have.

## What it does
Finds `super().__init__(dynamic=...)`, `Layer.__init__(self, dynamic=...)`, `kwargs["dynamic"] = ...` passed on to
them, and layers made with `dynamic=...`.

## Why is this bad
The layer cannot be made at all under Keras 3. What the argument was used for needs no replacement in most layers:
weights that `call` updates with `assign` work in a graph.

## Keras 2 and Keras 3
Keras 3 raises `ValueError: Unrecognized keyword arguments passed to ...: {'dynamic': True}`, for `False` too. Keras 2
accepts it and runs the layer eagerly, so nothing is reported there.

## Example
```python
class Counter(keras.layers.Layer):
    def __init__(self):
        super().__init__(dynamic=True)
```
Leave it out:
```python
class Counter(keras.layers.Layer):
    def __init__(self):
        super().__init__()
```

## Fix safety
The fix removes the argument. For `False` it is safe. For `True` it is unsafe: the layer is traced from then on, so
run it with `--confirm`, which keeps the fix only if the layer without the argument traces.

## How TensorFlow confirms it
Making the layer raises, and the traceback passes through the line.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Fix, Proof, Safety
from tflint_layers.model import api
from tflint_layers.model.scopes import Phase, Scope
from tflint_layers.model.values import Class, literal
from tflint_layers.rewrite import delete_statement, rewrite_call
from tflint_layers.rules.rule import Hit, Rule

_NAME = "dynamic"


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to `dynamic` where it reaches the constructor of a Keras class."""
    if scope.keras == 2:
        return
    if isinstance(node, ast.Call):
        if (any(keyword.arg == _NAME for keyword in node.keywords) and _makes_layer(scope, node.func)) or (
            _sets_default(scope, node) and _passes_on(scope)
        ):
            yield Hit(node, _message(scope, node))
    elif isinstance(node, ast.Assign) and _sets_item(node) and _passes_on(scope):
        yield Hit(node, _message(scope, node))


def _message(scope: Scope, node: ast.expr | ast.stmt) -> str:
    return f"`{scope.text(node)}` fails when the layer is made: Keras 3 has no argument `dynamic` (ValueError)"


def _makes_layer(scope: Scope, callee: ast.expr) -> bool:
    value = scope.value(callee)
    if isinstance(value, Class):
        constructor = value.cls.method("__init__")
        return api.is_traced_role(value.cls.role) and (
            constructor is None or (constructor.node.args.kwarg is not None and not constructor.accepts(_NAME))
        )
    name = scope.api_name(callee)
    if name.endswith(".__init__"):
        return scope.layer is not None and api.is_traced_role(scope.layer.role)
    return api.is_traced_role(api.class_role(name))


def _keyword_parameter(scope: Scope) -> str | None:
    kwarg = scope.function.node.args.kwarg if scope.function is not None else None
    return kwarg.arg if kwarg is not None else None


def _sets_item(node: ast.Assign) -> bool:
    target = node.targets[0]
    return isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name) and literal(target.slice) == _NAME


def _sets_default(scope: Scope, node: ast.Call) -> bool:
    return (
        isinstance(node.func, ast.Attribute)
        and node.func.attr == "setdefault"
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == _keyword_parameter(scope)
        and bool(node.args)
        and literal(node.args[0]) == _NAME
    )


def _passes_on(scope: Scope) -> bool:
    """Whether the function hands its own keyword arguments to the constructor of a Keras class."""
    own = _keyword_parameter(scope)
    return own is not None and any(
        isinstance(node, ast.Call)
        and any(k.arg is None and isinstance(k.value, ast.Name) and k.value.id == own for k in node.keywords)
        and _makes_layer(scope, node.func)
        for node in list(scope.values)
    )


def fix(scope: Scope, hit: Hit) -> Fix | None:
    """Remove the argument."""
    node = hit.node
    if isinstance(node, ast.Assign):
        edit = delete_statement(scope, node, lambda other: False)
        value: ast.expr = node.value
    elif isinstance(node, ast.Call) and any(keyword.arg == _NAME for keyword in node.keywords):
        edit = rewrite_call(scope.module.source, node, without=(_NAME,))
        value = next(keyword.value for keyword in node.keywords if keyword.arg == _NAME)
    else:
        return None
    if edit is None:
        return None
    if literal(value) is False:
        return Fix("remove `dynamic=False`", Safety.SAFE, (edit,))
    return Fix("remove `dynamic`; the layer is traced from then on", Safety.UNSAFE, (edit,))


RULE = Rule(
    code="TFL401",
    name="dynamic-argument",
    documentation=__doc__,
    nodes=(ast.Call, ast.Assign),
    check=check,
    proof=Proof.CONSTRUCTION,
    phases=frozenset({Phase.INIT, Phase.CALL, Phase.PLAIN}),
    fix=fix,
)
