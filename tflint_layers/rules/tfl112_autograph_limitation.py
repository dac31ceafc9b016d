"""AutoGraph converts this control flow, but not the way it is written.

## What it does
Where AutoGraph is on and an `if`, `for` or `while` depends on a tensor, finds a name that one branch only sets and
later code reads, a `return` in one branch only or in a loop, a `break` that depends on a tensor in a Python loop, a
`raise` in a branch, an integer that a loop turns into a float, a tensor that a loop joins something to, and a list
that collects tensors inside. Finds such lists in functions given to `tf.while_loop`, `tf.map_fn` and the like too.

## Why is this bad
AutoGraph makes a `tf.cond` or `tf.while_loop` of it, whose branches must give the same results and whose inner tensors
end with it. Both branches are traced, so that a `raise` in one of them is always raised. What goes round in a loop
keeps its type and its shape.

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
from tflint_layers.model import callbacks, demands
from tflint_layers.model.scopes import Scope
from tflint_layers.model.syntax import children, own_nodes, walk
from tflint_layers.model.values import (
    Container,
    Function,
    Value,
    alternatives,
    is_single_tensor,
    is_symbolic,
    literal,
    may_be_symbolic,
    may_hold_tensor,
)
from tflint_layers.rewrite.dtypes import Kind, kind_of
from tflint_layers.rules.rule import Hit, Rule

_APPENDING = frozenset({"append", "insert", "add", "extend"})
_Staged = ast.If | ast.For | ast.While


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to control flow that AutoGraph, or the graph's own loops, cannot express."""
    for hit in _limits(scope, node):
        staged = node if isinstance(node, ast.For) else _staged_around(scope, node)
        # The loop may be one over a list of inputs, which Python runs.
        unsure = isinstance(staged, ast.For) and _may_be_list(scope.value(staged.iter))
        yield replace(hit, suspect=True) if unsure else hit


def _may_be_list(value: Value) -> bool:
    return is_symbolic(value) and not is_single_tensor(value)


def _limits(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    if isinstance(node, ast.Call):
        yield from _check_collecting(scope, node)
        yield from _check_callbacks(scope, node)
    elif not scope.autograph:
        return
    elif isinstance(node, ast.If) and _is_staged(scope, node):
        yield from _check_returns(scope, node)
        yield from _check_names(scope, node)
    elif isinstance(node, (ast.For, ast.While)):
        yield from _check_loop(scope, node)
    elif isinstance(node, ast.Raise):
        yield from _check_raise(scope, node)
    elif isinstance(node, (ast.Assign, ast.AugAssign)):
        yield from _check_number(scope, node)
        yield from _check_growth(scope, node)


def _is_staged(scope: Scope, node: ast.AST) -> bool:
    """Whether a statement becomes a `tf.cond` or a `tf.while_loop`."""
    if isinstance(node, (ast.If, ast.While)):
        return demands.depends_on_tensor(scope, node.test)
    return isinstance(node, ast.For) and is_symbolic(scope.value(node.iter))


def _staged_around(scope: Scope, node: ast.AST) -> _Staged | None:
    """The innermost statement around a node that becomes a part of the graph."""
    for parent in scope.parents(node):
        if isinstance(parent, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            return None
        if isinstance(parent, (ast.If, ast.For, ast.While)) and _is_staged(scope, parent):
            return parent
    return None


def _head(node: _Staged) -> ast.expr:
    return node.iter if isinstance(node, ast.For) else node.test


def _text(scope: Scope, node: _Staged) -> str:
    """The first line of a statement, as messages quote it."""
    if isinstance(node, ast.For):
        return f"for {scope.text(node.target)} in {scope.text(node.iter)}"
    return f"{'if' if isinstance(node, ast.If) else 'while'} {scope.text(node.test)}"


# Returning and leaving.


def _check_returns(scope: Scope, node: ast.If) -> Iterator[Hit]:
    if not any(isinstance(inner, ast.Return) for inner in _inside(node)) or _in_staged_loop(scope, node):
        return
    following = _following(scope, node)
    if not (_returns([*node.body, *following]) and _returns([*node.orelse, *following])):
        yield Hit(
            node.test,
            f"AutoGraph cannot convert `{_text(scope, node)}`: it returns a value in one branch only, "
            "and the other must return one in the same block",
        )


def _in_staged_loop(scope: Scope, node: ast.stmt) -> bool:
    """Whether a loop of the graph is around: then it is the loop that cannot be left."""
    return any(isinstance(parent, (ast.For, ast.While)) and _is_staged(scope, parent) for parent in scope.parents(node))


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


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a statement, without those of functions and classes defined in it."""
    for child in children(node):
        yield child
        if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            yield from _inside(child)


def _check_loop(scope: Scope, node: ast.For | ast.While) -> Iterator[Hit]:
    if _is_staged(scope, node):
        if any(isinstance(inner, ast.Return) for inner in _inside(node)):
            yield Hit(
                _head(node),
                f"AutoGraph cannot convert `{_text(scope, node)}`: it returns from inside, "
                "which a loop of the graph cannot",
            )
    elif any(isinstance(inner, ast.Break) and _leaves(scope, inner, node) for inner in _inside(node)):
        yield Hit(
            _head(node),
            f"AutoGraph cannot convert `{_text(scope, node)}`: it is a Python loop, "
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
        depends = depends or (isinstance(parent, ast.If) and _is_staged(scope, parent))
    return False


def _check_raise(scope: Scope, node: ast.Raise) -> Iterator[Hit]:
    staged = _staged_around(scope, node)
    if isinstance(staged, ast.If):
        yield Hit(
            node,
            f"`{scope.text(node)}` is raised whenever `{scope.traced_name}` is traced, whatever the data: "
            f"both branches of `{_text(scope, staged)}` are traced",
        )


# Names and what they stand for.


def _check_names(scope: Scope, node: ast.If) -> Iterator[Hit]:
    if any(isinstance(inner, (ast.Return, ast.Raise)) for inner in _inside(node)):
        return
    for name in sorted(_assigned(node.body) ^ _assigned(node.orelse)):
        if not _has_value_before(scope, name, node) and _is_read_next(scope, name, node):
            yield Hit(
                node.test,
                f"AutoGraph cannot convert `{_text(scope, node)}`: `{name}` is read later, "
                "but has a value in one branch only",
            )
            return


def _assigned(block: list[ast.stmt]) -> set[str]:
    nodes = (inner for statement in block for inner in [statement, *_inside(statement)])
    return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def _own_names(scope: Scope, name: str) -> list[ast.Name]:
    if scope.function is None:
        return []
    found = [node for node in own_nodes(scope.function.node) if isinstance(node, ast.Name) and node.id == name]
    return sorted(found, key=lambda node: (node.lineno, node.col_offset))


def _has_value_before(scope: Scope, name: str, node: ast.stmt) -> bool:
    """Whether the name is a parameter, or was bound to something but None further up."""
    if scope.function is None or name in {p.arg for p in walk(scope.function.node.args) if isinstance(p, ast.arg)}:
        return True
    stores = _stores_before(scope, name, node)
    return bool(stores) and not _is_none(scope, stores[-1])


def _stores_before(scope: Scope, name: str, node: ast.expr | ast.stmt) -> list[ast.Name]:
    return [n for n in _own_names(scope, name) if isinstance(n.ctx, ast.Store) and n.lineno < node.lineno]


def _is_none(scope: Scope, target: ast.Name) -> bool:
    parent = scope.parent(target)
    return isinstance(parent, ast.Assign) and literal(parent.value) is None


def _is_read_next(scope: Scope, name: str, node: ast.stmt) -> bool:
    later = [n for n in _own_names(scope, name) if n.lineno > (node.end_lineno or node.lineno)]
    return bool(later) and isinstance(later[0].ctx, ast.Load)


def _check_number(scope: Scope, node: ast.Assign | ast.AugAssign) -> Iterator[Hit]:
    """`n = 0` before a loop of the graph, and `n += 0.5` in it."""
    target = node.target if isinstance(node, ast.AugAssign) else node.targets[0]
    added = _added(node, target.id) if isinstance(target, ast.Name) else None
    if not isinstance(target, ast.Name) or added is None:
        return
    staged = _staged_around(scope, node)
    if not isinstance(staged, (ast.For, ast.While)):
        return
    stores = _stores_before(scope, target.id, staged)
    before = scope.parent(stores[-1]) if stores else None
    if not isinstance(before, ast.Assign) or type(literal(before.value)) is not int:
        return
    kind = kind_of(scope, added)
    if kind is Kind.FLOAT or (kind is Kind.UNKNOWN and may_be_symbolic(scope.value(added))):
        yield Hit(
            node,
            f"`{scope.text(node)}` changes the type of `{target.id}`, which is an integer before "
            f"`{_text(scope, staged)}`, a loop of the graph (TypeError)",
            suspect=kind is not Kind.FLOAT,
        )


def _added(node: ast.Assign | ast.AugAssign, name: str) -> ast.expr | None:
    if isinstance(node, ast.AugAssign):
        return node.value
    if isinstance(node.value, ast.BinOp) and isinstance(node.value.left, ast.Name) and node.value.left.id == name:
        return node.value.right
    return None


# Tensors that grow.


def _check_growth(scope: Scope, node: ast.Assign | ast.AugAssign) -> Iterator[Hit]:
    """`rows = tf.concat([rows, row], 0)` in a loop of the graph, whose tensors keep their shape."""
    joined = node.value
    if not isinstance(node, ast.Assign) or not isinstance(joined, ast.Call) or len(node.targets) != 1:
        return
    target, parts = node.targets[0], joined.args[0] if joined.args else None
    if not isinstance(target, ast.Name) or not isinstance(parts, (ast.List, ast.Tuple)) or len(parts.elts) < 2:
        return
    if not any(isinstance(part, ast.Name) and part.id == target.id for part in parts.elts):
        return
    staged = _staged_around(scope, node) if scope.api_name(joined.func) in _JOINING else None
    if not isinstance(staged, (ast.For, ast.While)) or _has_options(scope, staged):
        return
    stores = _stores_before(scope, target.id, staged)
    before = scope.parent(stores[-1]) if stores else None
    if isinstance(before, ast.Assign):
        yield Hit(
            _head(staged),
            f"`{scope.text(node)}` changes the shape of `{target.id}` in `{_text(scope, staged)}`, a loop of the graph "
            "(ValueError): use a `tf.TensorArray`, or tell the loop with `tf.autograph.experimental.set_loop_options`",
            suspect=not _is_size_known(scope, before.value, _axis(joined)),
        )


_JOINING = frozenset({"tensorflow.concat", "keras.ops.concatenate", "keras.backend.concatenate"})
_OPTIONS = "tensorflow.autograph.experimental.set_loop_options"
_OF_SHAPE = frozenset({"zeros", "ones"})


def _has_options(scope: Scope, staged: ast.For | ast.While) -> bool:
    calls = (inner for inner in _inside(staged) if isinstance(inner, ast.Call))
    return any(scope.api_name(call.func) == _OPTIONS for call in calls)


def _axis(joined: ast.Call) -> int | None:
    """The axis along which a call joins tensors; None where that is no plain number."""
    given = [keyword.value for keyword in joined.keywords if keyword.arg == "axis"] + joined.args[1:2]
    axis = literal(given[0]) if given else 0
    return axis if isinstance(axis, int) else None


def _is_size_known(scope: Scope, node: ast.expr, axis: int | None) -> bool:
    """Whether the code itself tells the size of a tensor along an axis: `tf.zeros((0, 3))`, `x[:, :1]`."""
    if axis is None:
        return False
    if isinstance(node, ast.Call) and scope.api_name(node.func).rpartition(".")[2] in _OF_SHAPE and node.args:
        shape = node.args[0]
        sizes = shape.elts if isinstance(shape, (ast.List, ast.Tuple)) else []
        return -len(sizes) <= axis < len(sizes) and isinstance(literal(sizes[axis]), int)
    if not isinstance(node, ast.Subscript) or not may_be_symbolic(scope.value(node.value)):
        return False
    parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    part = parts[axis] if 0 <= axis < len(parts) and all(isinstance(p, ast.Slice) for p in parts[: axis + 1]) else None
    return isinstance(part, ast.Slice) and part.lower is None and part.step is None and _is_counted(part.upper)


def _is_counted(node: ast.expr | None) -> bool:
    number = literal(node) if node is not None else None
    return isinstance(number, int) and number > 0


# Lists that collect tensors.


def _check_collecting(scope: Scope, node: ast.Call) -> Iterator[Hit]:
    target = _appended_to(node)
    if target is None or not scope.autograph or not isinstance(scope.value(target), Container):
        return
    staged = _staged_around(scope, node)
    if staged is None:
        return
    if _outlives(scope, target.id, staged) and any(may_hold_tensor(scope.value(argument)) for argument in node.args):
        yield Hit(node, _collecting(scope, node, target.id, f"`{_text(scope, staged)}`"))


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
    is_read = any(isinstance(n.ctx, ast.Load) and n.lineno > end for n in _own_names(scope, name))
    return is_read and bool(_stores_before(scope, name, node))


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
    inner = list(own_nodes(function.info.node))
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


RULE = Rule(
    code="TFL112",
    name="autograph-limitation",
    documentation=__doc__,
    nodes=(ast.If, ast.For, ast.While, ast.Raise, ast.Call, ast.Assign, ast.AugAssign),
    check=check,
    calls=_may_collect,
    proof=Proof.RAISES,
)
