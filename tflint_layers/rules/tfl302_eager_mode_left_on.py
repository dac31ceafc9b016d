"""Eager mode, which is meant for debugging, is switched on for good.

## What it does
Finds `tf.config.run_functions_eagerly(True)` and `tf.data.experimental.enable_debug_mode()` at module level and in
functions that nothing traces, `compile(run_eagerly=True)` and `model.run_eagerly = True`. Left alone are tests, code
under a condition, and what is switched off again in the same function.

## Why is this bad
Each step runs in Python again, operation by operation. Training gets several times slower, and what works so may fail
as soon as somebody takes the switch out.

## Keras 2 and Keras 3
The same in both. No error is raised.

## Example
```python
tf.config.run_functions_eagerly(True)
model.compile("adam", "mse", run_eagerly=True)
```
Take it out when the bug is found:
```python
model.compile("adam", "mse")
```

## Fix safety
The fix removes the argument or deletes the statement. It is unsafe: code that works only in eager mode, which the
other rules look for, stops working.

## How TensorFlow confirms it
No single layer shows it, so it stays without proof.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePath

from tflint_layers.finding import Fix, Proof, Safety
from tflint_layers.model.effects import Effect, effect
from tflint_layers.model.scopes import Phase, Scope
from tflint_layers.model.syntax import walk
from tflint_layers.model.values import Instance, literal
from tflint_layers.rewrite import delete_statement, rewrite_call
from tflint_layers.rules.rule import Hit, Rule

_NAME = "run_eagerly"
_TEST_FOLDERS = frozenset({"test", "tests", "testing"})


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to switching eager mode on outside of debugging and tests."""
    if not isinstance(node, (ast.Call, ast.Assign)) or not _switches_on(scope, node):
        return
    if not _is_test(scope) and not _is_conditional(scope, node) and not _is_switched_off(scope):
        yield Hit(
            node,
            f"`{scope.text(node)}` is meant for debugging: from here on Python runs every step, "
            "and nothing is run as a graph",
        )


def _switches_on(scope: Scope, node: ast.Call | ast.Assign) -> bool:
    if isinstance(node, ast.Assign):
        written = [
            target.value for target in node.targets if isinstance(target, ast.Attribute) and target.attr == _NAME
        ]
        return literal(node.value) is True and any(_may_be_model(scope, owner) for owner in written)
    if effect(scope.api_name(node.func)) is Effect.RUN_EAGERLY:
        return _mode(scope, node) is True
    is_compile = isinstance(node.func, ast.Attribute) and node.func.attr == "compile" and _has_argument(node)
    return is_compile and isinstance(node.func, ast.Attribute) and _may_be_model(scope, node.func.value)


def _may_be_model(scope: Scope, owner: ast.expr) -> bool:
    """Whether nothing speaks against a model of Keras, as a class of the project does that inherits nothing."""
    value = scope.value(owner)
    return not (isinstance(value, Instance) and value.cls is not None and value.cls.ancestry == (value.cls,))


def _has_argument(node: ast.Call) -> bool:
    return any(keyword.arg == _NAME and literal(keyword.value) is True for keyword in node.keywords)


def _mode(scope: Scope, node: ast.Call) -> object:
    """What the call switches to; None for the switches of TensorFlow 1, which choose how a program is written."""
    name = scope.api_name(node.func)
    if name.startswith("tensorflow.compat.v1.") or name == "tensorflow.enable_eager_execution":
        return None
    if name.endswith("enable_debug_mode"):
        return True
    values = [*node.args, *(keyword.value for keyword in node.keywords)]
    return literal(values[0]) if values else None


def _is_test(scope: Scope) -> bool:
    path = PurePath(scope.module.path)
    if path.stem.startswith(("test_", "conftest")) or path.stem.endswith(("_test", "_tests")):
        return True
    if _TEST_FOLDERS & set(path.parts[:-1]):
        return True
    owner = scope.function.cls if scope.function is not None else None
    return owner is not None and any("Test" in str(getattr(base, "name", base)) for base in owner.ancestry)


def _is_conditional(scope: Scope, node: ast.AST) -> bool:
    """Whether the user decides: an option, a flag, a mode for debugging."""
    return any(isinstance(p, (ast.If, ast.IfExp)) and not _is_main_guard(p.test) for p in scope.parents(node))


def _is_main_guard(test: ast.expr) -> bool:
    return any(isinstance(node, ast.Name) and node.id == "__name__" for node in walk(test))


def _is_switched_off(scope: Scope) -> bool:
    """Whether the same function puts back a mode that it does not spell out as True."""
    return any(
        isinstance(node, ast.Call)
        and effect(scope.api_name(node.func)) is Effect.RUN_EAGERLY
        and _mode(scope, node) is not True
        for node in scope.values
    )


def fix(scope: Scope, hit: Hit) -> Fix | None:
    """Remove the argument, or the statement where it is nothing else."""
    node = hit.node
    message = "leave eager mode off; Python then runs while tracing only"
    if isinstance(node, ast.Call) and _has_argument(node):
        edit = rewrite_call(scope.module.source, node, without=(_NAME,))
        return Fix(message, Safety.UNSAFE, (edit,)) if edit is not None else None
    statement = node if isinstance(node, ast.Assign) else scope.parent(node)
    if not isinstance(statement, ast.stmt) or (isinstance(node, ast.Assign) and len(node.targets) > 1):
        return None
    edit = delete_statement(scope, statement, lambda other: _is_deleted(scope, other))
    return Fix(message, Safety.UNSAFE, (edit,)) if edit is not None else None


def _is_deleted(scope: Scope, statement: ast.stmt) -> bool:
    node = statement.value if isinstance(statement, ast.Expr) else statement
    return any(hit.node is node for hit in check(scope, node)) and not (
        isinstance(node, ast.Call) and _has_argument(node)
    )


RULE = Rule(
    code="TFL302",
    name="eager-mode-left-on",
    documentation=__doc__,
    nodes=(ast.Call, ast.Assign),
    check=check,
    lasting=True,
    words=(b"eager", b"debug_mode"),
    proof=Proof.NONE,
    phases=frozenset({Phase.PLAIN, Phase.INIT}),
    fix=fix,
)
