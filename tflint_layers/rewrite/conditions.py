"""Conditions on tensors as truth values of the graph."""

from __future__ import annotations

import ast

from tflint_layers.model.scopes import Scope
from tflint_layers.model.syntax import walk
from tflint_layers.model.values import Static, is_static, is_symbolic
from tflint_layers.rewrite.dtypes import Kind, kind_of
from tflint_layers.rewrite.library import Library
from tflint_layers.rewrite.plan import Plan, Text

# What compares one tensor with another.
_SYMBOLS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip
# What needs brackets as one side of a comparison.
_LOOSER = (ast.BoolOp, ast.Compare, ast.IfExp, ast.Lambda, ast.NamedExpr, ast.Await)


def condition(scope: Scope, plan: Plan, library: Library, test: ast.expr) -> Text | None:
    """A condition as one truth value of the graph; None where a part of it may be no tensor."""
    if isinstance(test, ast.BoolOp):
        return _junction(scope, plan, library, test)
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = condition(scope, plan, library, test.operand)
        negation = library.name("logical_not")
        return (lambda: f"{negation}({inner()})") if inner is not None else None
    if isinstance(test, ast.Compare) and (len(test.ops) > 1 or isinstance(test.ops[0], (ast.In, ast.NotIn))):
        return _comparison(scope, plan, library, test)
    if isinstance(test, ast.Call) and scope.api_name(test.func) in {"builtins.any", "builtins.all"}:
        return _any_or_all(scope, plan, library, test)
    if not (plan.is_tensor(test) or is_symbolic(scope.value(test))):
        return None
    if kind_of(scope, test) is Kind.BOOL or isinstance(test, ast.Compare):
        return lambda: plan.argument(test)
    cast = library.name("cast")
    return lambda: f'{cast}({plan.argument(test)}, "bool")'


def _junction(scope: Scope, plan: Plan, library: Library, test: ast.BoolOp) -> Text | None:
    parts = [condition(scope, plan, library, part) or _flag(scope, plan, part) for part in test.values]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    operation = library.name("logical_and" if isinstance(test.op, ast.And) else "logical_or")
    return lambda: joined(operation, [part() for part in known])


def joined(operation: str, parts: list[str]) -> str:
    """The parts under an operation that takes two: `f(f(a, b), c)`."""
    first, *rest = parts
    for part in rest:
        first = f"{operation}({first}, {part})"
    return first


def _flag(scope: Scope, plan: Plan, node: ast.expr) -> Text | None:
    """An option of Python, such as `training`: nothing that protects what stands behind it from being computed."""
    if not isinstance(node, (ast.Name, ast.Attribute)) or not isinstance(scope.value(node), Static):
        return None
    return lambda: f"bool({plan.text(node)})"


def _comparison(scope: Scope, plan: Plan, library: Library, test: ast.Compare) -> Text | None:
    operands = [test.left, *test.comparators]
    if len(test.ops) == 1:
        return _membership(scope, plan, library, test)
    if not all(_can_be_computed_twice(scope, node) for node in operands[1:-1]):
        return None
    symbols = [_SYMBOLS.get(type(op)) for op in test.ops]
    if None in symbols:
        return None
    operation = library.name("logical_and")

    def text() -> str:
        texts = [_operand(plan, node) for node in operands]
        pairs = zip(texts, symbols, texts[1:], strict=False)
        return joined(operation, [f"{left} {symbol} {right}" for left, symbol, right in pairs])

    return text


def _operand(plan: Plan, node: ast.expr) -> str:
    """One side of a comparison: the brackets around it belong to the comparison, and may be needed."""
    text = plan.text(node)
    return f"({text})" if isinstance(ast.parse(f"(\n{text}\n)", mode="eval").body, _LOOSER) else text


def _can_be_computed_twice(scope: Scope, node: ast.expr) -> bool:
    calls = [inner for inner in walk(node) if isinstance(inner, ast.Call)]
    names = [scope.api_name(call.func) for call in calls]
    return all(name.startswith(("tensorflow.", "keras.ops.")) and ".random." not in name for name in names)


def _membership(scope: Scope, plan: Plan, library: Library, test: ast.Compare) -> Text | None:
    group = test.comparators[0]
    is_list = isinstance(group, (ast.List, ast.Tuple)) and bool(group.elts)
    tensor = is_symbolic(scope.value(group)) or plan.is_tensor(group)
    if not tensor and not is_list:
        return None
    if is_list and not all(is_static(scope.value(item)) for item in group.elts):  # type: ignore[attr-defined]
        return None
    equal, some, negation = (library.name(name) for name in ("equal", "any", "logical_not"))
    inside = isinstance(test.ops[0], ast.In)

    def text() -> str:
        found = f"{some}({equal}({plan.argument(test.left)}, {plan.argument(group)}))"
        return found if inside else f"{negation}({found})"

    return text


def _any_or_all(scope: Scope, plan: Plan, library: Library, call: ast.Call) -> Text | None:
    """`any` or `all` of truth values as a reduction; None where they are not all of the graph."""
    if len(call.args) != 1 or call.keywords:
        return None
    argument = call.args[0]
    element = argument.elt if isinstance(argument, (ast.GeneratorExp, ast.ListComp)) else None
    elements = argument.elts if isinstance(argument, (ast.List, ast.Tuple)) else [element] if element else []
    if element is not None and any(generator.ifs for generator in getattr(argument, "generators", [])):
        return None
    if elements and not all(kind_of(scope, item) is Kind.BOOL for item in elements):
        return None
    if not elements and kind_of(scope, argument) is not Kind.BOOL:
        return None
    function = library.name(scope.api_name(call.func).removeprefix("builtins."))

    def text() -> str:
        inner = plan.text(argument)
        if isinstance(argument, ast.GeneratorExp):
            inner = inner.strip()
            inner = f"[{inner[1:-1]}]" if inner.startswith("(") and inner.endswith(")") else f"[{inner}]"
        return f"{function}({inner})"

    return text
