"""AutoGraph converts this control flow, but not the way it is written.

## What it does
Where AutoGraph is on and an `if`, `for` or `while` depends on a tensor, finds a name that one branch only sets and
later code reads, a `return` in one branch only or in a loop, a `break` that depends on a tensor in a Python loop, a
`raise` in a branch, an integer that a loop or one branch turns into a float, a tensor that a loop joins something to,
`if total is None` in a loop that None goes into, and a list that collects tensors inside. Finds such lists in functions
given to `tf.while_loop`, `tf.map_fn` and the like too.

## Why is this bad
AutoGraph makes a `tf.cond` or `tf.while_loop` of it, whose branches must give the same results and whose inner tensors
end with it. Both branches are traced, so that a `raise` in one of them is always raised. What goes round in a loop
keeps its type and its shape, and starts with zeros where it is None.

## Keras 2 and Keras 3
Keras 2 converts `call`; Keras 3 converts only what is decorated with `@tf.function`. There they fail alike, below
`@tf.function` in eager mode too. A list that a function given to `tf.while_loop` fills fails in both.

## Example
```python
class Bonus(keras.layers.Layer):
    @tf.function
    def call(self, inputs):
        if tf.reduce_sum(inputs) > 0.0:
            bonus = 1.0
        return inputs + bonus
```
Give the name a value of the same type on every path:
```python
class Bonus(keras.layers.Layer):
    @tf.function
    def call(self, inputs):
        bonus = 0.0
        if tf.reduce_sum(inputs) > 0.0:
            bonus = 1.0
        return inputs + bonus
```

## Fix safety
There is no fix: what the other path should give is the author's choice. A `tf.TensorArray` collects tensors in a loop,
`tf.autograph.experimental.set_loop_options` tells one that a shape changes, `tf.debugging.Assert` checks in the graph.

## How TensorFlow confirms it
Tracing the layer raises, and the traceback passes through the line.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from tflint_layers.finding import Proof
from tflint_layers.model import callbacks
from tflint_layers.model.scopes import Scope
from tflint_layers.model.staged import (
    head,
    inside,
    is_read_next,
    is_staged,
    own_names,
    staged_around,
    staged_in,
    staged_text,
    stores_before,
)
from tflint_layers.model.syntax import own_nodes, walk
from tflint_layers.model.values import (
    Container,
    Function,
    Value,
    alternatives,
    is_single_tensor,
    is_symbolic,
    literal,
    may_hold_tensor,
    truth_by_default,
)
from tflint_layers.rules.keptvalues import (
    changes_by_assignment,
    changes_by_branches,
    changes_by_choice,
    unset_in_loop,
)
from tflint_layers.rules.rule import Hit, Rule

_APPENDING = frozenset({"append", "insert", "add", "extend"})


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to control flow that AutoGraph, or the graph's own loops, cannot express."""
    assert isinstance(node, (ast.expr, ast.stmt))
    for hit in _limits(scope, node):
        staged = node if isinstance(node, ast.For) else staged_around(scope, node)
        # The loop may be one over a list of inputs, which Python runs.
        unsure = isinstance(staged, ast.For) and _may_be_list(scope.value(staged.iter))
        yield replace(hit, suspect=True) if unsure else hit


def _may_be_list(value: Value) -> bool:
    return is_symbolic(value) and not is_single_tensor(value)


def _limits(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    if isinstance(node, ast.Call):
        yield from _check_collecting(scope, node)
        yield from _check_callbacks(scope, node)
    elif isinstance(node, ast.IfExp):
        yield from changes_by_choice(scope, node)
        yield from unset_in_loop(scope, node)
    elif not staged_in(scope):
        return
    elif isinstance(node, (ast.Assign, ast.AugAssign)):
        yield from changes_by_assignment(scope, node)
    elif isinstance(node, ast.If):
        yield from _check_branches(scope, node) if is_staged(scope, node) else unset_in_loop(scope, node)
    elif isinstance(node, (ast.For, ast.While)):
        yield from _check_loop(scope, node)
    elif isinstance(node, ast.Raise):
        yield from _check_raise(scope, node)


def _check_branches(scope: Scope, node: ast.If) -> Iterator[Hit]:
    yield from changes_by_branches(scope, node)
    yield from _check_returns(scope, node)
    yield from _check_names(scope, node)


# Returning and leaving.


def _check_returns(scope: Scope, node: ast.If) -> Iterator[Hit]:
    if not any(isinstance(inner, ast.Return) for inner in inside(node)) or _in_staged_loop(scope, node):
        return
    following = _following(scope, node)
    if not (_returns([*node.body, *following]) and _returns([*node.orelse, *following])):
        yield Hit(
            node.test,
            f"AutoGraph cannot convert `{staged_text(scope, node)}`: it returns a value in one branch only, "
            "and the other must return one in the same block",
        )


def _in_staged_loop(scope: Scope, node: ast.stmt) -> bool:
    """Whether a loop of the graph is around: then it is the loop that cannot be left."""
    return any(isinstance(parent, (ast.For, ast.While)) and is_staged(scope, parent) for parent in scope.parents(node))


def _following(scope: Scope, node: ast.stmt) -> list[ast.stmt]:
    parent = scope.parent(node)
    for name in ("body", "orelse", "finalbody"):
        block = getattr(parent, name, None)
        if isinstance(block, list) and node in block:
            return block[block.index(node) + 1 :]
    return []


def _returns(block: list[ast.stmt]) -> bool:
    for statement in block:
        if isinstance(statement, (ast.Return, ast.Raise)):
            return True
        if isinstance(statement, ast.If) and _returns(statement.body) and _returns(statement.orelse):
            return True
        if isinstance(statement, (ast.With, ast.Try)) and _returns(statement.body):
            return True
    return False


def _check_loop(scope: Scope, node: ast.For | ast.While) -> Iterator[Hit]:
    if is_staged(scope, node):
        if any(isinstance(inner, ast.Return) for inner in inside(node)):
            yield Hit(
                head(node),
                f"AutoGraph cannot convert `{staged_text(scope, node)}`: it returns from inside, "
                "which a loop of the graph cannot",
            )
    elif any(isinstance(inner, ast.Break) and _leaves(scope, inner, node) for inner in inside(node)):
        yield Hit(
            head(node),
            f"AutoGraph cannot convert `{staged_text(scope, node)}`: it is a Python loop, "
            "but its `break` depends on a tensor",
        )


def _leaves(scope: Scope, node: ast.Break, loop: ast.For | ast.While) -> bool:
    """Whether a break leaves this loop, and only if a tensor says so."""
    depends = False
    for parent in scope.parents(node):
        if parent is loop:
            return depends
        if isinstance(parent, (ast.For, ast.While)):
            return False
        depends = depends or (isinstance(parent, ast.If) and is_staged(scope, parent))
    return False


def _check_raise(scope: Scope, node: ast.Raise) -> Iterator[Hit]:
    staged = staged_around(scope, node)
    if isinstance(staged, ast.If) and _runs_by_default(scope, node, staged):
        yield Hit(
            node,
            f"`{scope.text(node)}` is raised whenever `{scope.traced_name}` is traced, whatever the data: "
            f"both branches of `{staged_text(scope, staged)}` are traced",
        )


def _runs_by_default(scope: Scope, node: ast.stmt, staged: ast.If) -> bool:
    """Whether Python comes to a statement of a branch that is traced, unless the options are other than by default."""
    inner: ast.AST = node
    for parent in scope.parents(node):
        if parent is staged:
            return True
        if isinstance(parent, ast.If) and truth_by_default(scope.value(parent.test)) is not (inner in parent.body):
            return False
        if isinstance(parent, (ast.ExceptHandler, ast.match_case)):
            return False
        inner = parent
    return False


# Names and what they stand for.


def _check_names(scope: Scope, node: ast.If) -> Iterator[Hit]:
    if any(isinstance(inner, (ast.Return, ast.Raise)) for inner in inside(node)):
        return
    for name in sorted(_assigned(node.body) ^ _assigned(node.orelse)):
        if not _has_value_before(scope, name, node) and is_read_next(scope, name, node):
            yield Hit(
                node.test,
                f"AutoGraph cannot convert `{staged_text(scope, node)}`: `{name}` is read later, "
                "but has a value in one branch only",
            )
            return


def _assigned(block: list[ast.stmt]) -> set[str]:
    nodes = (inner for statement in block for inner in [statement, *inside(statement)])
    return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def _has_value_before(scope: Scope, name: str, node: ast.stmt) -> bool:
    """Whether the name is a parameter, or was bound to something but None further up."""
    if scope.function is None or name in {p.arg for p in walk(scope.function.node.args) if isinstance(p, ast.arg)}:
        return True
    stores = stores_before(scope, name, node)
    return bool(stores) and not _is_none(scope, stores[-1])


def _is_none(scope: Scope, target: ast.Name) -> bool:
    parent = scope.parent(target)
    return isinstance(parent, ast.Assign) and literal(parent.value) is None


# Lists that collect tensors.


def _check_collecting(scope: Scope, node: ast.Call) -> Iterator[Hit]:
    target = _appended_to(node)
    if target is None or not scope.autograph or not isinstance(scope.value(target), Container):
        return
    staged = staged_around(scope, node)
    if staged is None:
        return
    if _outlives(scope, target.id, staged) and any(may_hold_tensor(scope.value(argument)) for argument in node.args):
        yield Hit(node, _collecting(scope, node, target.id, f"`{staged_text(scope, staged)}`"))


def _may_collect(name: str) -> bool:
    """Whether a call puts something into a container, or runs a function as a part of the graph."""
    return name[1:] in _APPENDING if name[:1] == "." else callbacks.callback(name) is not None


def _appended_to(node: ast.Call) -> ast.Name | None:
    function = node.func
    if isinstance(function, ast.Attribute) and function.attr in _APPENDING and node.args:
        return function.value if isinstance(function.value, ast.Name) else None
    return None


def _outlives(scope: Scope, name: str, node: ast.expr | ast.stmt) -> bool:
    """Whether a name is bound before a node and read behind it."""
    end = node.end_lineno or node.lineno
    is_read = any(isinstance(n.ctx, ast.Load) and n.lineno > end for n in own_names(scope, name))
    return is_read and bool(stores_before(scope, name, node))


def _check_callbacks(scope: Scope, node: ast.Call) -> Iterator[Hit]:
    name = scope.api_name(node.func)
    callback = callbacks.callback(name)
    if callback is None or not callback.traced or callback.wraps:
        return
    for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
        for value in alternatives(scope.value(argument)):
            if isinstance(value, Function) and value.info.module is scope.module:
                yield from _check_callback(scope, node, value, name)


def _check_callback(scope: Scope, node: ast.Call, function: Function, called: str) -> Iterator[Hit]:
    inner = own_nodes(function.info.node)
    own = {n.id for n in inner if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    own |= {parameter.arg for parameter in function.info.parameters}
    for call in inner:
        target = _appended_to(call) if isinstance(call, ast.Call) else None
        if not isinstance(call, ast.Call) or target is None or target.id in own:
            continue
        if _outlives(scope, target.id, node):
            yield Hit(call, _collecting(scope, call, target.id, f"`{called}`"))


def _collecting(scope: Scope, node: ast.Call, name: str, where: str) -> str:
    return (
        f"`{scope.text(node)}` collects a tensor that ends with the loop or branch of the graph, {where}: "
        f"`{name}` cannot be read behind it, use a `tf.TensorArray` or what the loop returns"
    )


_STATEMENTS = (ast.If, ast.IfExp, ast.For, ast.While, ast.Raise, ast.Assign, ast.AugAssign)

RULE = Rule(
    code="TFL112",
    name="autograph-limitation",
    documentation=__doc__,
    nodes=(ast.Call, *_STATEMENTS),
    converted=_STATEMENTS,
    check=check,
    calls=_may_collect,
    proof=Proof.RAISES,
)
