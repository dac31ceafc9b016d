"""`call` is decorated with `tf.function` although nothing in it needs that.

## What it does
Finds `@tf.function` on the `call` of a layer or model where everything works in a graph as it is. Where `call`
branches or loops on tensors, the decorator is what makes that work under Keras 3, and nothing is reported.

## Why is this bad
Keras puts `call` into a graph anyway. With the decorator it is traced twice, as a function inside the function, each
value of a Python argument gives one more graph, and error messages get longer.

## Keras 2 and Keras 3
The same in both. No error is raised.

## Example
```python
class Double(keras.layers.Layer):
    @tf.function
    def call(self, inputs):
        return inputs * 2.0
```
Leave it out:
```python
class Double(keras.layers.Layer):
    def call(self, inputs):
        return inputs * 2.0
```

## Fix safety
The fix deletes the decorator. It is unsafe: direct calls in eager mode then run operation by operation.

## How TensorFlow confirms it
No run of one layer shows it: the result is the same.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Edit, Fix, Proof, Safety
from tflint_layers.model import api, callbacks, dynamic
from tflint_layers.model.scopes import Scope
from tflint_layers.model.syntax import walk
from tflint_layers.rules.rule import Hit, Rule


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to the decorator on a `call` that works without it."""
    decorator = _decorator(scope)
    if decorator is None or node is not _first_statement(scope) or scope.layer is None:
        return
    if not _is_exported(scope) and dynamic.runs_as_graph(scope, scope.layer):
        yield Hit(
            decorator,
            f"`@{scope.text(decorator)}` is not needed: Keras traces `{scope.traced_name}` anyway, "
            "and nothing in it depends on AutoGraph",
        )


def _is_exported(scope: Scope) -> bool:
    """Whether the file asks the decorated function for something that a plain one does not have."""
    return any(
        isinstance(node, ast.Attribute)
        and node.attr == "get_concrete_function"
        and isinstance(node.value, ast.Attribute)
        and node.value.attr == "call"
        for node in walk(scope.module.source.tree)
    )


def _first_statement(scope: Scope) -> ast.AST | None:
    node = scope.function.node if scope.function is not None else None
    return node.body[0] if isinstance(node, ast.FunctionDef) else None


def _decorator(scope: Scope) -> ast.expr | None:
    """The plain `tf.function` that decorates the `call` of a layer; one with arguments is there for them."""
    function = scope.function
    if function is None or function.name != "call" or len(scope.route) != 1 or function.cls is None:
        return None
    if not api.is_traced_role(function.cls.role) or len(function.decorators) != 1:
        return None
    decorator = function.decorators[0]
    plain = decorator.func if isinstance(decorator, ast.Call) and not decorator.keywords else decorator
    return decorator if function.module.dotted(plain) in callbacks.TRACING_DECORATORS else None


def fix(scope: Scope, hit: Hit) -> Fix | None:
    """Delete the line of the decorator."""
    source, node = scope.module.source, hit.node
    start = source.offset(node.lineno, 0)
    end = source.offset((node.end_lineno or node.lineno) + 1, 0)
    if not source.data[start:end].strip().startswith(b"@"):
        return None
    return Fix(_MESSAGE, Safety.UNSAFE, (Edit(start, end, ""),))


_MESSAGE = "delete the decorator; direct calls in eager mode then run operation by operation"


RULE = Rule(
    code="TFL307",
    name="redundant-tf-function",
    documentation=__doc__,
    nodes=(ast.Return, ast.Expr, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.If, ast.For, ast.With),
    check=check,
    proof=Proof.NONE,
    fix=fix,
    preview=True,
)
