"""Assignments in traced code: what they write to, and whether what they write moves on from call to call."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.model import api
from tflint_layers.model.classes import ClassInfo, FunctionInfo
from tflint_layers.model.effects import Effect, effect
from tflint_layers.model.scopes import Scope
from tflint_layers.model.syntax import last_name, walk
from tflint_layers.model.values import (
    NOT_CONSTANT,
    UNKNOWN,
    Constant,
    Container,
    Function,
    Static,
    Value,
    alternatives,
    constant_of,
    literal,
)

Write = ast.Assign | ast.AnnAssign | ast.AugAssign


def targets(node: Write) -> Iterator[ast.expr]:
    """The names, attributes and items that a statement writes to, those inside of tuples one by one."""
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        yield from _parts(target)


def _parts(target: ast.expr) -> Iterator[ast.expr]:
    if isinstance(target, (ast.Tuple, ast.List)):
        for element in target.elts:
            yield from _parts(element)
    else:
        yield target.value if isinstance(target, ast.Starred) else target


def advances(scope: Scope, node: Write, target: ast.expr) -> bool | None:
    """Whether each call writes what depends on what an earlier call wrote; None where only a trace can tell.

    Writing what is the same at every trace, such as a static shape, does not.
    """
    if node.value is None or node in scope.undone:
        return False
    if _begins_anew(scope, node, target) or _is_counted_from_end(scope, node, target):
        return False
    # What is kept from call to call is never sure: the call itself gave it this value before.
    is_set_before = isinstance(target, ast.Attribute) and constant_of(scope.value(target)) is not NOT_CONSTANT
    if isinstance(node, ast.AugAssign) and is_set_before:
        return False
    if changes_length(scope, node, target):
        return None if node in scope.guarded else True
    value = scope.value(node.value)
    if isinstance(node, ast.AugAssign):
        if _is_taken_back(scope, node):
            return False
        return True if is_python(scope.value(target)) or is_python(value) else None
    if _comes_to_rest(scope, node.value, target):
        return False
    if reads(node.value, target) or (isinstance(target, ast.Subscript) and reads_entry(node.value, target)):
        return True if is_python(value) else None
    return is_flag(scope, node, node.value, target)


def _begins_anew(scope: Scope, node: Write, target: ast.expr) -> bool:
    """Whether each call first writes something that does not depend on what an earlier call left: `self.n = 0`."""
    outer = [info for info in _methods(scope) if info is not scope.function and info.qualname in scope.route]
    before = [other for info in outer for other in info.of_kind(ast.Assign) if info.parents.get(other) is info.node]
    around = {node, *scope.parents(node)}
    for other in scope.function.of_kind(ast.Assign) if scope.function is not None else ():
        if other.lineno < node.lineno and not around.isdisjoint(scope.block(other)):
            before.append(other)
    return any(
        any(_is_same(one, target) for one in other.targets) and not reads(other.value, target) for other in before
    )


def _is_counted_from_end(scope: Scope, node: Write, target: ast.expr) -> bool:
    """Whether an axis is counted from the front from now on: `if self.axis < 0: self.axis += rank`."""
    return any(
        isinstance(parent, ast.If)
        and isinstance(parent.test, ast.Compare)
        and isinstance(parent.test.ops[0], ast.Lt)
        and _is_same(parent.test.left, target)
        and literal(parent.test.comparators[0]) == 0
        for parent in scope.parents(node)
    )


def _methods(scope: Scope) -> list[FunctionInfo]:
    owners = scope.layer.ancestry if scope.layer is not None else ()
    return [info for owner in owners if isinstance(owner, ClassInfo) for info in owner.methods.values()]


def changes_length(scope: Scope, node: Write, target: ast.expr) -> bool:
    """Whether a list that outlives the call gets longer or shorter, as `self.seen = self.seen + [n]` makes it."""
    value = node.value
    if isinstance(node, ast.AugAssign):
        return isinstance(node.op, ast.Add) and scope.keeps(target) and _has_items(scope, node.value)
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
        sides = ((value.left, value.right), (value.right, value.left))
        return any(_is_kept(scope, _sliced(old), target) and _has_items(scope, new) for old, new in sides)
    if not isinstance(value, ast.Subscript) or not isinstance(value.slice, ast.Slice):
        return False
    lower, upper = (literal(part) if part is not None else 0 for part in (value.slice.lower, value.slice.upper))
    takes_off = (isinstance(lower, int) and lower > 0) or (isinstance(upper, int) and upper < 0)
    return takes_off and _is_kept(scope, value.value, target)


def _is_kept(scope: Scope, node: ast.expr, target: ast.expr) -> bool:
    """Whether an expression reads the list that ``target`` writes, as an earlier call left it."""
    value = scope.value(node)
    return _is_same(node, target) and isinstance(value, Container) and bool(value.origin)


def _has_items(scope: Scope, node: ast.expr) -> bool:
    value = scope.value(node)
    return isinstance(value, Container) and bool(value.items)


def _sliced(node: ast.expr) -> ast.expr:
    """What a slice is taken of; the expression itself where it is no slice."""
    return node.value if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice) else node


def _comes_to_rest(scope: Scope, value: ast.expr, target: ast.expr) -> bool:
    """Whether writing a value again changes nothing: `self.on = self.on and x`, `self.most = max(self.most, n)`."""
    parts: list[ast.expr] = []
    if isinstance(value, ast.BoolOp):
        parts = value.values
    elif isinstance(value, ast.Call) and scope.api_name(value.func) in {"builtins.max", "builtins.min"}:
        parts = value.args
    return any(_is_same(part, target) for part in parts) and sum(reads(part, target) for part in parts) == 1


def _is_taken_back(scope: Scope, node: ast.AugAssign) -> bool:
    """Whether the function takes away again what it adds, as a context manager does that counts how deep it is.

    So may another function that its caller calls as well.
    """
    return any(
        {type(node.op), type(other.op)} == {ast.Add, ast.Sub}
        and ast.dump(other.target) == ast.dump(node.target)
        and ast.dump(other.value) == ast.dump(node.value)
        for function in (scope.function, *_called_beside(scope))
        for other in (function.of_kind(ast.AugAssign) if function is not None else ())
    )


def _called_beside(scope: Scope) -> Iterator[FunctionInfo]:
    """The functions of the module that a method of the layer calls which has called the one under way."""
    callers = [info for info in _methods(scope) if info is not scope.function and info.qualname in scope.route]
    called = {last_name(call) for info in callers for call in info.of_kind(ast.Call)}
    if scope.function is not None and scope.function.name in called:
        for info in scope.module.all_functions:
            if info.name in called and info is not scope.function:
                yield info


def is_filled_once(scope: Scope, call: ast.Call) -> bool:
    """Whether a method of a container is called only where an `if not container:` found that empty."""
    container = ast.dump(call.func.value) if isinstance(call.func, ast.Attribute) else ""
    return any(
        isinstance(parent, ast.If)
        and isinstance(parent.test, ast.UnaryOp)
        and isinstance(parent.test.op, ast.Not)
        and ast.dump(parent.test.operand) == container
        for parent in scope.parents(call)
    )


def is_emptied(scope: Scope, call: ast.Call) -> bool:
    """Whether a function fills and empties a container, so that each call of it leaves the same there."""
    if not isinstance(call.func, ast.Attribute) or scope.function is None:
        return False
    container = ast.dump(call.func.value)
    called = {
        other.func.attr
        for other in scope.function.of_kind(ast.Call)
        if isinstance(other.func, ast.Attribute) and ast.dump(other.func.value) == container
    }
    entries = [other for other in scope.function.of_kind(ast.Subscript) if ast.dump(other.value) == container]
    # `del stack[mark:]`
    cut = any(isinstance(entry.ctx, ast.Del) and isinstance(entry.slice, ast.Slice) for entry in entries)
    if ("clear" in called or cut) and not called.isdisjoint(api.ADDING):
        return True
    # `active[name] = x` before `active.pop(name, None)`
    stored = {ast.dump(entry.slice) for entry in entries if isinstance(entry.ctx, ast.Store)}
    return call.func.attr == "pop" and bool(call.args) and ast.dump(call.args[0]) in stored


def is_stacked(scope: Scope, call: ast.Call) -> bool:
    """Whether a call puts something on a stack that the function takes off again in any case, or takes that off."""
    others = (
        [*scope.block(statement), *scope.final_statements()] if (statement := scope.statement(call)) is not None else []
    )
    calls = [call, *(other.value for other in others if isinstance(other, ast.Expr))]
    found = {
        inner.func.attr
        for inner in calls
        if isinstance(inner, ast.Call)
        and isinstance(inner.func, ast.Attribute)
        and isinstance(call.func, ast.Attribute)
        and ast.dump(inner.func.value) == ast.dump(call.func.value)
        and (inner.func.attr == "append" or (inner.func.attr == "pop" and not inner.args))
    }
    # What leaves the function takes off what an earlier statement, wherever that stands, put there.
    if found == {"append", "pop"} or (found == {"pop"} and statement in scope.final_statements()):
        return True
    return len(found) == 1 and any(
        isinstance(inner.func, ast.Attribute)
        and isinstance(call.func, ast.Attribute)
        and {inner.func.attr, call.func.attr} == {"append", "pop"}
        and ast.dump(inner.func.value) == ast.dump(call.func.value)
        for function in _called_beside(scope)
        for inner in function.of_kind(ast.Call)
    )


def reads_entry(node: ast.expr, target: ast.Subscript) -> bool:
    """Whether an expression reads the entry that ``target`` writes, as `d[k]` or as `d.get(k, 0)`."""
    container, key = ast.dump(target.value), ast.dump(target.slice)
    for inner in walk(node):
        if isinstance(inner, ast.Subscript):
            found, asked = inner.value, inner.slice
        elif isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute) and inner.func.attr == "get":
            found, asked = inner.func.value, next(iter(inner.args), inner)
        else:
            continue
        # Where it is written, the same names stand in another context.
        if ast.dump(found) == container and ast.dump(asked) == key:
            return True
    return False


def reads(node: ast.expr, target: ast.expr) -> bool:
    """Whether an expression reads the name or attribute that ``target`` writes."""
    return any(_is_same(read, target) for read in walk(node))


def is_python(value: Value) -> bool:
    """Whether a value is a Python number, text or the like, and no tensor on any path."""
    return value is not UNKNOWN and all(isinstance(alternative, Static) for alternative in alternatives(value))


def _is_same(node: ast.AST, target: ast.expr) -> bool:
    if isinstance(node, ast.Call) and last_name(node) == "getattr" and len(node.args) > 1:
        name = literal(node.args[1])
        node = ast.Attribute(node.args[0], name) if isinstance(name, str) else node
    if isinstance(node, ast.Name) and isinstance(target, ast.Name):
        return node.id == target.id
    if not isinstance(node, ast.Attribute) or not isinstance(target, ast.Attribute) or node.attr != target.attr:
        return False
    return ast.dump(node.value) == ast.dump(target.value)


def is_flag(scope: Scope, node: ast.stmt, value: ast.expr, target: ast.expr) -> bool:
    """Whether a statement writes a constant over another one that a condition in the same function has read before.

    A flag that only keeps a warning from being said twice does what it should.
    """
    new = literal(value)
    if new is NOT_CONSTANT or new is None or _only_speaks(scope, scope.block(node)):
        return False
    for test in scope.conditions():
        for read in walk(test):
            if isinstance(read, ast.expr) and _is_same(read, target) and read.lineno <= node.lineno:
                old = scope.value(read)
                if isinstance(old, Static) and old.constant is NOT_CONSTANT:
                    return _may_start_as_another(scope, target, new)
                return isinstance(old, Static) and old.constant not in (None, new)
    return False


def _may_start_as_another(scope: Scope, target: ast.expr, new: Constant) -> bool:
    """Whether one way through the constructor of the layer gives an attribute another constant."""
    constructor = scope.layer.method("__init__") if scope.layer is not None else None
    written = (node for node in constructor.of_kind(ast.Assign)) if constructor is not None else ()
    return any(
        _is_same(one, target) and literal(node.value) not in (NOT_CONSTANT, None, new)
        for node in written
        for one in node.targets
    )


def _only_speaks(scope: Scope, block: list[ast.stmt]) -> bool:
    """Whether the statements print or warn, and do nothing else that anybody would notice."""
    return any(isinstance(statement, ast.Expr) for statement in block) and all(
        _speaks(scope, statement) for statement in block
    )


def _is_speech(scope: Scope, call: ast.Call) -> bool:
    """Whether a call prints or warns, itself or in the one statement of the function that it calls."""
    function = scope.value(call.func)
    if not isinstance(function, Function) or isinstance(function.info.node, ast.Lambda):
        return effect(scope.api_name(call.func)) in (Effect.PRINT, Effect.WARN)
    last = function.info.node.body[-1]
    inner = last.value if isinstance(last, (ast.Expr, ast.Return)) else None
    said = function.info.module.dotted(inner.func) if isinstance(inner, ast.Call) else None
    return said is not None and (said.endswith((".warn", ".warning")) or effect(said) in (Effect.PRINT, Effect.WARN))


def _speaks(scope: Scope, statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Expr):
        call = statement.value
        return isinstance(call, ast.Constant) or (isinstance(call, ast.Call) and _is_speech(scope, call))
    if isinstance(statement, ast.If):
        return all(_speaks(scope, inner) for inner in [*statement.body, *statement.orelse])
    if isinstance(statement, (ast.Assign, ast.AnnAssign)):
        is_local = all(isinstance(target, ast.Name) for target in targets(statement))
        return is_local or (statement.value is not None and literal(statement.value) is not NOT_CONSTANT)
    return isinstance(statement, (ast.Global, ast.Nonlocal, ast.Pass)) or (
        isinstance(statement, ast.Return) and statement.value is None
    )
