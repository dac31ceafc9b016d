"""What goes through the loops and branches of a graph keeps its type and its shape, and is never None."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Proof
from tflint_layers.model.demands import depends_on_tensor
from tflint_layers.model.scopes import Scope
from tflint_layers.model.staged import (
    head,
    inside,
    is_read_next,
    staged_around,
    staged_text,
    stores_before,
)
from tflint_layers.model.syntax import walk
from tflint_layers.model.values import literal, may_be_symbolic
from tflint_layers.rewrite.dtypes import Kind, kind_of
from tflint_layers.rules.rule import Hit

Assigning = ast.Assign | ast.AugAssign


def changes_by_assignment(scope: Scope, node: Assigning) -> list[Hit]:
    """How an assignment changes a value in a way that the loop of the graph around it does not allow."""
    return [hit for hit in (_check_number(scope, node), _check_growth(scope, node)) if hit is not None]


# Types.


def _check_number(scope: Scope, node: Assigning) -> Hit | None:
    """`n = 0` before a loop of the graph, and `n += 0.5` in it, or `n = tf.cast(n, tf.float32) + 0.5`."""
    target = _target(node)
    if not isinstance(target, ast.Name) or not _has_loop(scope):
        return None
    added = _added(node, target.id)
    if added is None and not _reads(node.value, target.id):
        return None
    staged = staged_around(scope, node)
    if not isinstance(staged, (ast.For, ast.While)):
        return None
    stores = stores_before(scope, target.id, staged)
    before = scope.parent(stores[-1]) if stores else None
    if not isinstance(before, ast.Assign) or kind_of(scope, before.value) is not Kind.INT:
        return None
    kind = kind_of(scope, added or node.value)
    may_change = added is not None and kind is Kind.UNKNOWN and may_be_symbolic(scope.value(added))
    if kind is not Kind.FLOAT and not (may_change and type(literal(before.value)) is int):
        return None
    return Hit(
        # Adding fails by itself; any other change is noticed when the loop is put together (measured).
        node if added is not None else head(staged),
        f"`{scope.text(node)}` changes the type of `{target.id}`, which is an integer before "
        f"`{staged_text(scope, staged)}`, a loop of the graph (TypeError)",
        suspect=kind is not Kind.FLOAT,
    )


def _has_loop(scope: Scope) -> bool:
    return scope.function is not None and bool(scope.function.of_kind(ast.For) or scope.function.of_kind(ast.While))


def _reads(node: ast.expr, name: str) -> bool:
    return any(isinstance(part, ast.Name) and part.id == name for part in walk(node))


def _added(node: Assigning, name: str) -> ast.expr | None:
    if isinstance(node, ast.AugAssign):
        return node.value
    if isinstance(node.value, ast.BinOp) and isinstance(node.value.left, ast.Name) and node.value.left.id == name:
        return node.value.right
    return None


def changes_by_choice(scope: Scope, node: ast.IfExp) -> Iterator[Hit]:
    """`1 if x > 0 else 0.5`, which becomes a `tf.cond`."""
    if not depends_on_tensor(scope, node.test):
        return
    if _are_of_other_length(node.body, node.orelse):
        yield Hit(
            node,
            f"`{scope.text(node)}` depends on a tensor, so that its values must be of one length (ValueError)",
        )
    elif _differ(kind_of(scope, node.body), kind_of(scope, node.orelse)):
        yield Hit(
            node,
            f"`{scope.text(node)}` depends on a tensor, so that its values must be of one type (TypeError)",
        )


def _are_of_other_length(first: ast.expr, second: ast.expr) -> bool:
    """Whether two expressions spell out lists or tuples of different lengths."""
    displays = [node for node in (first, second) if isinstance(node, (ast.List, ast.Tuple))]
    spread = any(isinstance(item, ast.Starred) for display in displays for item in display.elts)
    return not spread and len({len(display.elts) for display in displays}) == 2


def changes_by_branches(scope: Scope, node: ast.If) -> Iterator[Hit]:
    """A name that is an integer behind one branch, and a float behind the other."""
    if any(isinstance(inner, (ast.Return, ast.Raise)) for inner in inside(node)):
        return
    last = {name: _last_kind(scope, node.body, name) for name in _targets(node.body)}
    other = {name: _last_kind(scope, node.orelse, name) for name in _targets(node.orelse)}
    for name in sorted(last.keys() | other.keys()):
        before = _kind_before(scope, node, name)
        kinds = last.get(name, before), other.get(name, before)
        if _differ(*kinds) and is_read_next(scope, name, node):
            yield Hit(
                node.test,
                f"AutoGraph cannot convert `{staged_text(scope, node)}`: behind it, `{name}` is an integer "
                "on one way and a float on the other (TypeError)",
            )
            return


def _differ(first: Kind, second: Kind) -> bool:
    return {first, second} == {Kind.INT, Kind.FLOAT}


def _targets(block: list[ast.stmt]) -> set[str]:
    """The names that a block itself binds, one by one."""
    return {
        target.id
        for statement in block
        if isinstance(statement, (ast.Assign, ast.AugAssign)) and isinstance(target := _target(statement), ast.Name)
    }


def _target(statement: Assigning) -> ast.expr:
    return statement.target if isinstance(statement, ast.AugAssign) else statement.targets[0]


def _last_kind(scope: Scope, block: list[ast.stmt], name: str) -> Kind:
    """The kind of what a name stands for at the end of a block; unknown where a part of it may change that."""
    found = Kind.UNKNOWN
    for statement in block:
        if isinstance(statement, (ast.Assign, ast.AugAssign)):
            target = _target(statement)
            if isinstance(target, ast.Name) and target.id == name:
                found = _kind_assigned(scope, statement)
        elif any(isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Store) for n in inside(statement)):
            found = Kind.UNKNOWN
    return found


def _kind_assigned(scope: Scope, statement: Assigning) -> Kind:
    kind = kind_of(scope, statement.value)
    if isinstance(statement, ast.Assign):
        return kind
    # What is added to a float is one; what was there before is known from where it was assigned.
    return Kind.FLOAT if kind is Kind.FLOAT or isinstance(statement.op, ast.Div) else Kind.UNKNOWN


def _kind_before(scope: Scope, node: ast.If, name: str) -> Kind:
    """The kind of what a name stands for before a statement, where that was assigned in a block around it."""
    stores = stores_before(scope, name, node)
    assigned = scope.parent(stores[-1]) if stores else None
    if not isinstance(assigned, ast.Assign) or not isinstance(assigned.targets[0], ast.Name):
        return Kind.UNKNOWN
    block = scope.block(assigned)
    straight = any(statement is node or statement in scope.parents(node) for statement in block)
    return kind_of(scope, assigned.value) if straight else Kind.UNKNOWN


# Tensors that grow.


def _check_growth(scope: Scope, node: Assigning) -> Hit | None:
    """`rows = tf.concat([rows, row], 0)` in a loop of the graph, whose tensors keep their shape."""
    call = node.value
    if not isinstance(node, ast.Assign) or not isinstance(call, ast.Call) or len(node.targets) != 1:
        return None
    target, parts = node.targets[0], call.args[0] if call.args else None
    if not isinstance(target, ast.Name) or not isinstance(parts, (ast.List, ast.Tuple)) or len(parts.elts) < 2:
        return None
    if not any(isinstance(part, ast.Name) and part.id == target.id for part in parts.elts):
        return None
    staged = staged_around(scope, node) if scope.api_name(call.func) in _JOINING else None
    if not isinstance(staged, (ast.For, ast.While)) or _has_options(scope, staged):
        return None
    stores = stores_before(scope, target.id, staged)
    before = scope.parent(stores[-1]) if stores else None
    if not isinstance(before, ast.Assign):
        return None
    return Hit(
        head(staged),
        f"`{scope.text(node)}` changes the shape of `{target.id}` in `{staged_text(scope, staged)}`, a loop of the "
        "graph (ValueError): use a `tf.TensorArray`, or say so with `tf.autograph.experimental.set_loop_options`",
        suspect=not _is_size_known(scope, before.value, _axis(call)),
    )


_JOINING = frozenset({"tensorflow.concat", "keras.ops.concatenate", "keras.backend.concatenate"})
_OPTIONS = "tensorflow.autograph.experimental.set_loop_options"
_OF_SHAPE = frozenset({"zeros", "ones"})


def _has_options(scope: Scope, staged: ast.For | ast.While) -> bool:
    calls = (inner for inner in inside(staged) if isinstance(inner, ast.Call))
    return any(scope.api_name(call.func) == _OPTIONS for call in calls)


def _axis(call: ast.Call) -> int | None:
    """The axis along which a call joins tensors; None where that is no plain number."""
    given = [keyword.value for keyword in call.keywords if keyword.arg == "axis"] + call.args[1:2]
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


# Whether there is anything.


def unset_in_loop(scope: Scope, node: ast.If | ast.IfExp) -> Iterator[Hit]:
    """`if mean is None` in a loop of the graph, which starts with zeros in the place of None."""
    test = node.test
    if not isinstance(test, ast.Compare) or not isinstance(test.ops[0], (ast.Is, ast.IsNot)):
        return
    name, none = test.left, test.comparators[0]
    if not isinstance(name, ast.Name) or literal(none) is not None:
        return
    loop = staged_around(scope, node)
    if not isinstance(loop, (ast.For, ast.While)) or not _starts_as_none(scope, name.id, loop):
        return
    later = node.orelse if isinstance(test.ops[0], ast.Is) else node.body
    if _uses_zeros(name.id, later if isinstance(later, list) else [later]):
        yield Hit(
            node.test,
            f"`{scope.text(test)}` is decided while `{scope.traced_name}` is traced: `{staged_text(scope, loop)}` is a "
            f"loop of the graph, which starts with zeros in the place of None",
            proof=Proof.NONE,
        )


def _starts_as_none(scope: Scope, name: str, loop: ast.For | ast.While) -> bool:
    """Whether a name is None before a loop, which gives it a value."""
    stores = stores_before(scope, name, loop)
    before = scope.parent(stores[-1]) if stores else None
    is_none = isinstance(before, ast.Assign) and literal(before.value) is None
    return is_none and any(
        isinstance(inner, ast.Name) and inner.id == name and isinstance(inner.ctx, ast.Store) for inner in inside(loop)
    )


def _uses_zeros(name: str, later: list[ast.stmt] | list[ast.expr]) -> bool:
    """Whether what runs from the second step on would give something else for zeros: it does more than add to them."""
    for part in later:
        for node in (part, *inside(part)):
            if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
                if not isinstance(node.op, ast.Add):
                    return True
            elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
                continue
            elif any(
                isinstance(child, ast.Name) and child.id == name and isinstance(child.ctx, ast.Load)
                for child in ast.iter_child_nodes(node)
            ):
                return True
    return False
