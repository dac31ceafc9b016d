"""Branches that depend on tensors, as operations of the graph."""

from __future__ import annotations

import ast

from tflint_layers.model.scopes import Scope
from tflint_layers.model.syntax import walk
from tflint_layers.model.values import Variable, constant_of, is_static, is_symbolic, may_be_symbolic
from tflint_layers.rewrite.conditions import condition, joined
from tflint_layers.rewrite.dtypes import Kind, kind_of
from tflint_layers.rewrite.library import Library
from tflint_layers.rewrite.plan import Plan, Text

_LONGEST = 100
_FAILED = '"assertion failed"'
_SYMBOLS: dict[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**", ast.FloorDiv: "//", ast.MatMult: "@",
}  # fmt: skip
Block = list[ast.stmt]
Bound = tuple[ast.expr, Text]


def plan_choice(scope: Scope, plan: Plan, library: Library, choice: ast.IfExp) -> bool:
    """`a if x else b` to a choice in the graph, which computes both sides."""
    test = condition(scope, plan, library, choice.test)
    sides = (choice.body, choice.orelse)
    if test is None or not all(_is_choosable(scope, plan, side) for side in sides) or _is_mixed(scope, *sides):
        return False
    where = library.name("where")
    # The brackets of a call's only argument are its own.
    put = plan.put_bracketed if isinstance(scope.parent(choice), (ast.BinOp, ast.UnaryOp, ast.Compare)) else plan.put
    put(choice, lambda: f"{where}({test()}, {plan.argument(choice.body)}, {plan.argument(choice.orelse)})")
    return True


def _is_mixed(scope: Scope, one: ast.expr, other: ast.expr) -> bool:
    """Whether a choice would be between a whole tensor and something else: both must have one dtype."""
    whole, rest = (one, other) if kind_of(scope, one) is Kind.INT else (other, one)
    is_number = isinstance(constant_of(scope.value(whole)), int)
    return kind_of(scope, whole) is Kind.INT and kind_of(scope, rest) is not Kind.INT and not is_number


def has_two_dtypes(scope: Scope, choice: ast.IfExp) -> bool:
    """Whether AutoGraph may find a whole number on one side of a choice and a float on the other."""
    kinds = {kind_of(scope, choice.body), kind_of(scope, choice.orelse)}
    return Kind.INT in kinds and len(kinds) > 1


def _is_choosable(scope: Scope, plan: Plan, side: ast.expr) -> bool:
    value = scope.value(side)
    number = isinstance(constant_of(value), (int, float)) and not isinstance(constant_of(value), bool)
    return plan.is_tensor(side) or is_symbolic(value) or number


def plan_if(scope: Scope, plan: Plan, library: Library, node: ast.If) -> bool:
    """An `if` on a tensor to `cond`, where both branches do no more than return or bind one value each."""
    if any(isinstance(inner, (ast.NamedExpr, ast.Yield, ast.Await)) for inner in walk(node)):
        return False
    test = condition(scope, plan, library, node.test)
    if test is not None:
        return _plan_decided(scope, plan, library, node, test)
    guard, test = _guarded(scope, plan, library, node.test)
    if guard is None or test is None or _is_elif(plan, node):
        return False
    return _plan_decided(scope, plan, library, node, test) and _put_under(scope, plan, node, guard)


def _guarded(scope: Scope, plan: Plan, library: Library, test: ast.expr) -> tuple[Text | None, Text | None]:
    """`mask is not None and tf.reduce_any(mask)`: what Python decides, and what is left to the graph."""
    if not isinstance(test, ast.BoolOp) or not isinstance(test.op, ast.And):
        return None, None
    split = next((i for i, part in enumerate(test.values) if not _is_known(scope, part)), 0)
    first, rest = test.values[:split], test.values[split:]
    parts = [condition(scope, plan, library, part) for part in rest]
    known = [part for part in parts if part is not None]
    if not first or not rest or len(known) < len(parts):
        return None, None
    operation = library.name("logical_and")
    guard = plan.source.span(first[0])[0], plan.source.span(first[-1])[1]
    return lambda: plan.between(*guard), lambda: joined(operation, [part() for part in known])


def _is_known(scope: Scope, node: ast.expr) -> bool:
    """Whether Python knows while tracing: a test for None, or an option."""
    is_none_test = isinstance(node, ast.Compare) and isinstance(node.ops[0], (ast.Is, ast.IsNot))
    return is_none_test or is_static(scope.value(node))


def _put_under(scope: Scope, plan: Plan, node: ast.If, guard: Text) -> bool:
    """Put what replaces a branch under a condition of Python; what else would be returned stands behind it."""
    indent = "\n" + " " * node.col_offset
    returned = _only(node.body, ast.Return)
    last = _only(node.orelse, ast.Return) or (_follower(scope, node) if returned is not None else None) or node
    if node.orelse and returned is None:
        return False
    behind = plan.text(last) if isinstance(last, ast.Return) else ""
    stop = node if node.orelse else last

    def around(text: str) -> str:
        inner = text.replace("\n", "\n    ")
        return f"if {guard()}:{indent}    {inner}" + (f"{indent}{behind}" if behind else "")

    plan.wrap_between(node, stop, around)
    return True


def _plan_decided(scope: Scope, plan: Plan, library: Library, node: ast.If, test: Text) -> bool:
    return (
        _plan_raise(scope, plan, library, node, test)
        or _plan_update(scope, plan, library, node, test)
        or _plan_returns(scope, plan, library, node, test)
        or _plan_bindings(scope, plan, library, node, test)
    )


def plan_assert(scope: Scope, plan: Plan, library: Library, node: ast.Assert) -> bool:
    """`assert` to an assertion of the graph."""
    test = condition(scope, plan, library, node.test)
    if test is None:
        return False
    function = f"{library.tensorflow}.debugging.Assert"
    message = node.msg
    plan.put(node, lambda: f"{function}({test()}, [{plan.text(message) if message else _FAILED}])")
    return True


def _plan_raise(scope: Scope, plan: Plan, library: Library, node: ast.If, test: Text) -> bool:
    raised = node.body[0]
    if len(node.body) != 1 or not isinstance(raised, ast.Raise) or node.orelse or _is_elif(plan, node):
        return False
    error = raised.exc
    message = error.args[0] if isinstance(error, ast.Call) and len(error.args) == 1 else None
    if message is not None and not is_static(scope.value(message)):
        return False
    function, negation = f"{library.tensorflow}.debugging.Assert", library.name("logical_not")

    def data() -> str:
        if message is not None:
            return plan.text(message)
        return (
            f'"{ast.unparse(error.func if isinstance(error, ast.Call) else error)}"' if error is not None else _FAILED
        )

    def text() -> str:
        new = f"{function}({negation}({test()}), [{data()}])"
        return plan.with_comments(node, node, new)

    plan.put(node, text)
    return True


def _plan_update(scope: Scope, plan: Plan, library: Library, node: ast.If, test: Text) -> bool:
    """`if x: self.w.assign_add(v)`: add nothing where it is not so; `assign` keeps the old value."""
    statement = _only(node.body, ast.Expr)
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or node.orelse or call.keywords:
        return False
    weight, method = call.func.value, call.func.attr
    if len(call.args) != 1 or not isinstance(scope.value(weight), Variable) or _is_elif(plan, node):
        return False
    if method not in {"assign", "assign_add", "assign_sub"}:
        return False
    value, where = call.args[0], library.name("where")
    zeros = library.name("zeros_like")

    def text() -> str:
        otherwise = "0.0" if _is_float(scope, value) else f"{zeros}({plan.argument(value)})"
        otherwise = plan.text(weight) if method == "assign" else otherwise
        new = f"{plan.text(weight)}.{method}({where}({test()}, {plan.argument(value)}, {otherwise}))"
        return plan.with_comments(node, node, new)

    plan.put(node, text)
    return True


def _plan_returns(scope: Scope, plan: Plan, library: Library, node: ast.If, test: Text) -> bool:
    """`if x: return a` and `return b` behind it, or in its `else`."""
    first = _only(node.body, ast.Return)
    follower = _follower(scope, node)
    second = _only(node.orelse, ast.Return) if node.orelse else follower
    is_elif = _is_elif(plan, node)
    nested = _only(node.orelse, ast.If)
    if isinstance(first, ast.Return) and isinstance(nested, ast.If) and not is_elif:
        return _plan_chain(scope, plan, library, node, test)
    if not isinstance(first, ast.Return) or not isinstance(second, ast.Return):
        return False
    values = first.value, second.value
    if values[0] is None or values[1] is None or not _alike(scope, plan, values[0], values[1]):
        return False
    sides = values[0], values[1]
    if is_elif and (node.orelse or not _chain_ends(scope, node)):
        return False
    indent = " " * (second if is_elif else node).col_offset
    lead = "\n" + indent if is_elif else ""
    function = library.name("cond")
    start: ast.stmt = node
    last: ast.stmt = node if node.orelse else second

    def text() -> str:
        call = _cond(plan, function, test(), [plan.text(side) for side in sides], indent, "return ")
        return lead + plan.with_comments(node, last, call)

    if is_elif:
        # The line of the `elif` begins with its indentation, which goes with it.
        begin = plan.source.offset(node.lineno, 0)
        before = plan.source.data[:begin].rstrip(b"\r\n")
        plan.put_span(len(before), plan.source.span(last)[1], text)
    else:
        plan.put_between(start, last, text)
    return True


def _plan_chain(scope: Scope, plan: Plan, library: Library, node: ast.If, test: Text) -> bool:
    """`if x: return a`, `elif y: return b` and so on, up to an `else` or a `return` behind it."""
    links = [(test, _returned(node.body))]
    block = node.orelse
    while isinstance(inner := _only(block, ast.If), ast.If):
        inner_test = condition(scope, plan, library, inner.test)
        if inner_test is None:
            return False
        links.append((inner_test, _returned(inner.body)))
        block = inner.orelse
    last = _only(block, ast.Return) if block else _follower(scope, node)
    end = last.value if isinstance(last, ast.Return) else None
    values = [value for _, value in links if value is not None]
    if end is None or len(values) < len(links) or not all(_alike(scope, plan, value, end) for value in values):
        return False
    final, function, indent = end, library.name("cond"), " " * node.col_offset

    def text() -> str:
        other = plan.text(final)
        for (decide, _), value in list(zip(links, values, strict=True))[:0:-1]:
            other = f"{function}({decide()}, lambda: {plan.text(value)}, lambda: {other})"
        return _cond(plan, function, test(), [plan.text(values[0]), other], indent, "return ")

    stop: ast.stmt = node if block or last is None else last
    plan.put_between(node, stop, lambda: plan.with_comments(node, stop, text()))
    return True


def _returned(block: Block) -> ast.expr | None:
    statement = _only(block, ast.Return)
    return statement.value if isinstance(statement, ast.Return) else None


def _chain_ends(scope: Scope, node: ast.If) -> bool:
    """Whether the branches above an `elif` leave the function, so that what follows belongs to it alone."""
    outer = scope.parent(node)
    while isinstance(outer, ast.If):
        if not isinstance(outer.body[-1], (ast.Return, ast.Raise)):
            return False
        inner, outer = outer, scope.parent(outer)
        if not (isinstance(outer, ast.If) and outer.orelse == [inner]):
            return True
    return True


def _plan_bindings(scope: Scope, plan: Plan, library: Library, node: ast.If, test: Text) -> bool:
    """`if x: a = b`, where the `else` may bind the same names."""
    if _is_elif(plan, node):
        return False
    taken, other = _bindings(plan, node.body), _bindings(plan, node.orelse)
    if other is None and taken is not None and len(taken) == 1:
        other = _chained(scope, plan, library, node.orelse, next(iter(taken)))
    if taken is None or other is None or not taken:
        return False
    names = list(dict.fromkeys([*taken, *other]))
    for name in names:
        bound_before = _is_bound_before(scope, node, name)
        if not bound_before and not (name in taken and name in other):
            return False
    values = [value for side in (taken, other) for value, _ in side.values()]
    if not all(_is_side(scope, plan, value) for value in values):
        return False
    function, indent = library.name("cond"), " " * node.col_offset
    target = ", ".join(names)

    def text() -> str:
        sides = []
        for side in (taken, other):
            parts = [side[name][1]() if name in side else name for name in names]
            sides.append(parts[0] if len(parts) == 1 else f"({', '.join(parts)})")
        new = _cond(plan, function, test(), sides, indent, f"{target} = ")
        return plan.with_comments(node, node, new)

    plan.put(node, text)
    return True


def _chained(scope: Scope, plan: Plan, library: Library, block: Block, name: str) -> dict[str, Bound] | None:
    """What an `elif` and its `else` bind a name to."""
    inner = _only(block, ast.If)
    test = condition(scope, plan, library, inner.test) if isinstance(inner, ast.If) else None
    if not isinstance(inner, ast.If) or test is None:
        return None
    taken = _bindings(plan, inner.body)
    other = _bindings(plan, inner.orelse)
    if other is None:
        other = _chained(scope, plan, library, inner.orelse, name)
    if taken is None or other is None or set(taken) != {name} or set(other) - {name}:
        return None
    value, text = taken[name]
    rest = other[name] if other else (ast.Name(name, ast.Load()), lambda: name)
    if not _is_side(scope, plan, value) or (other and not _is_side(scope, plan, rest[0])):
        return None
    function, decided = library.name("cond"), test
    return {name: (value, lambda: f"{function}({decided()}, lambda: {text()}, lambda: {rest[1]()})")}


def _bindings(plan: Plan, block: Block) -> dict[str, Bound] | None:
    """The names that a block binds, each once and from nothing that it binds itself; None where it does more."""
    found: dict[str, Bound] = {}
    for statement in block:
        bound = _binding(plan, statement)
        if bound is None or bound[0] in found:
            return None
        name, value, text = bound
        reads = {n.id for n in walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
        if reads & set(found):
            return None
        found[name] = value, text
    return found


def _binding(plan: Plan, statement: ast.stmt) -> tuple[str, ast.expr, Text] | None:
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target, value = statement.targets[0], statement.value
        return (target.id, value, lambda: plan.text(value)) if isinstance(target, ast.Name) else None
    if isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
        name, value = statement.target.id, statement.value
        symbol = _SYMBOLS.get(type(statement.op))
        return (name, value, lambda: f"{name} {symbol} {plan.atom(value)}") if symbol else None
    return None


def _is_bound_before(scope: Scope, node: ast.stmt, name: str) -> bool:
    if scope.function is not None and scope.function.accepts(name):
        return True
    root = scope.function.node if scope.function is not None else scope.module.source.tree
    return any(
        isinstance(inner, ast.Name)
        and inner.id == name
        and isinstance(inner.ctx, ast.Store)
        and inner.lineno < node.lineno
        and not isinstance(_conditional_around(scope, inner), (ast.If, ast.For, ast.While, ast.Try))
        for inner in walk(root)
    )


def _conditional_around(scope: Scope, node: ast.AST) -> ast.AST | None:
    statement = scope.statement(node)
    return scope.parent(statement) if statement is not None else None


def _only(block: Block, kind: type[ast.stmt]) -> ast.stmt | None:
    return block[0] if len(block) == 1 and isinstance(block[0], kind) else None


def _follower(scope: Scope, node: ast.If) -> ast.stmt | None:
    """The statement that runs next when no branch is taken."""
    statement: ast.stmt = node
    while True:
        block = scope.block(statement)
        index = block.index(statement)
        if index + 1 < len(block):
            return block[index + 1]
        parent = scope.parent(statement)
        if not isinstance(parent, ast.If) or statement not in parent.orelse:
            return None
        statement = parent


def _is_elif(plan: Plan, node: ast.If) -> bool:
    start = plan.source.span(node)[0]
    return plan.source.data[start : start + 4] == b"elif"


def _alike(scope: Scope, plan: Plan, one: ast.expr, other: ast.expr) -> bool:
    """Whether two results can have one structure and dtype: tensors both, or tuples of as many."""
    if isinstance(one, ast.Tuple) and isinstance(other, ast.Tuple):
        pairs = zip(one.elts, other.elts, strict=False)
        return len(one.elts) == len(other.elts) and all(_alike(scope, plan, a, b) for a, b in pairs)
    return _is_side(scope, plan, one) and _is_side(scope, plan, other)


def _is_side(scope: Scope, plan: Plan, node: ast.expr) -> bool:
    return plan.is_tensor(node) or may_be_symbolic(scope.value(node)) or _is_float(scope, node)


def _is_float(scope: Scope, node: ast.expr) -> bool:
    return isinstance(constant_of(scope.value(node)), float)


def _cond(plan: Plan, function: str, test: str, sides: list[str], indent: str, lead: str) -> str:
    parts = [test, *(f"lambda: {side}" for side in sides)]
    line = f"{lead}{function}({', '.join(parts)})"
    if "\n" not in line and len(indent) + len(line) <= _LONGEST:
        return line
    inner = "".join(f"{indent}    {part},\n" for part in parts)
    return f"{lead}{function}(\n{inner}{indent})"
