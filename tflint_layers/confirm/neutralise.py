"""Takes the place of code at which tracing stops, so that it goes on to what comes after. Standard library only.

A failing expression is wrapped, in the text of the module (AutoGraph reads that), in a call of a stand-in. It computes
the expression in eager mode and keeps the value; while tracing it gives the values kept, tensors as symbolic ones of
the same dtype and shape. No line moves.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tflint_layers.confirm.observe import Span, equal
from tflint_layers.confirm.statements import lines_of, parsed, statement_at

STAND_IN = "_tflint_layers_stand_in"


@dataclass(frozen=True)
class Repair:
    """Text put around the characters ``start:end``; without ``after``, ``before`` replaces them."""

    start: int
    end: int
    before: str
    after: str | None = None

    def apply(self, source: str) -> str | None:
        """The repaired text, or None if that is no Python or its lines have moved."""
        kept = source[self.start : self.end] + self.after if self.after is not None else ""
        text = source[: self.start] + self.before + kept + source[self.end :]
        return text if parsed(text) is not None and len(lines_of(text)) == len(lines_of(source)) else None


def stand_ins_for(source: str, line: int, span: Span | None, number: int) -> Iterator[Repair]:
    """Ways to get past what fails while tracing, at a line; the one that replaces least first."""
    tree, offsets = ast.parse(source), _Offsets(source)
    statement = statement_at(tree, line)
    if statement is None:
        return
    failing = _expression(statement, span)
    parts = _parts(statement)
    if failing is not None:
        parts.insert(0, (failing, _role(statement, failing)))
    for expression, kind in parts:
        if not any(isinstance(node, _UNMOVABLE) or _is_super(node) for node in ast.walk(expression)):
            yield Repair(*offsets.of(expression), f"{STAND_IN}({number}, lambda: {kind}(", "))")
    yield from left_out(source, line)


def left_out(source: str, line: int) -> Iterator[Repair]:
    """A statement at a line, left out, if nothing that comes later can need it."""
    statement = statement_at(ast.parse(source), line)
    if isinstance(statement, ast.Expr | ast.Raise | ast.Delete) or _sets_item(statement):
        assert statement is not None
        start, end = _Offsets(source).of(statement)
        yield Repair(start, end, "pass" + "\n" * (len(lines_of(source[start:end])) - 1))


_UNMOVABLE = (ast.NamedExpr, ast.Yield, ast.YieldFrom, ast.Await)


def _expression(statement: ast.stmt, span: Span | None) -> ast.expr | None:
    """The expression that fails, where the interpreter tells its place."""
    if span is None:
        return None
    texts = {inner for node in ast.walk(statement) if isinstance(node, ast.JoinedStr) for inner in ast.walk(node)}
    for node in ast.walk(statement):
        # Before Python 3.12, nobody knows where an expression in an f-string is.
        if not isinstance(node, ast.expr) or isinstance(node, ast.Starred) or node in texts:
            continue
        place = (node.lineno, node.end_lineno, node.col_offset, node.end_col_offset)
        if place == span and isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
            return node
    return None


def _role(statement: ast.stmt, expression: ast.expr) -> str:
    """What Python makes of the value: a truth value, or a list of what it iterates over."""
    for node in ast.walk(statement):
        if expression in _tested(node):
            return "bool"
        if isinstance(node, ast.For | ast.comprehension) and node.iter is expression:
            return "list"
    return ""


def _tested(node: ast.AST) -> list[ast.expr]:
    match node:
        case ast.If(test=test) | ast.While(test=test) | ast.Assert(test=test) | ast.IfExp(test=test):
            return [test]
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return [operand]
        case ast.BoolOp(values=values):
            return values[:-1]
        case ast.comprehension(ifs=ifs):
            return ifs
    return []


def _parts(statement: ast.stmt) -> list[tuple[ast.expr, str]]:
    """The whole of what a statement evaluates."""
    match statement:
        case ast.Assign(targets=[ast.Tuple() | ast.List()], value=value):
            return [(value, "tuple")]
        case ast.Assign(value=value) | ast.AugAssign(value=value) | ast.Expr(value=value):
            return [(value, "")]
        case ast.AnnAssign(value=ast.expr() as value) | ast.Return(value=ast.expr() as value):
            return [(value, "")]
        case ast.If(test=test) | ast.While(test=test) | ast.Assert(test=test):
            return [(test, "bool")]
        case ast.For(iter=iterated):
            return [(iterated, "list")]
    return []


def _sets_item(statement: ast.stmt | None) -> bool:
    return isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Subscript)


def _is_super(node: ast.AST) -> bool:
    """``super()`` looks for the arguments of the function around it, which would be a lambda."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super" and not node.args


class _Offsets:
    def __init__(self, source: str) -> None:
        self._lines = lines_of(source)
        self._starts = [0]
        for line in self._lines:
            end = self._starts[-1] + len(line)
            self._starts.append(end + (2 if source[end : end + 2] == "\r\n" else 1))

    def of(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """The characters that a node takes up."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._at(node.lineno, node.col_offset), self._at(node.end_lineno, node.end_col_offset)

    def _at(self, line: int, column: int) -> int:
        return self._starts[line - 1] + len(self._lines[line - 1].encode()[:column].decode(errors="replace"))


class StandIns:
    """The function that the repaired text calls."""

    # AutoGraph is to leave it alone.
    autograph_info__: dict[str, object] = {}  # noqa: RUF012

    def __init__(self, tf: Any, batch: int | None) -> None:
        self._tf, self._batch = tf, batch
        self._values: dict[int, list[Any]] = {}
        self._earlier: dict[int, list[Any]] = {}
        self._next: dict[int, int] = {}
        self.vary = False

    def __call__(self, number: int, compute: Callable[[], Any]) -> Any:
        """The value of eager mode."""
        if self._tf.executing_eagerly():
            value = compute()
            self._values.setdefault(number, []).append(value)
            return value
        known = self._values.get(number)
        if not known:
            return compute()
        index = self._next.get(number, 0)
        self._next[number] = index + 1
        return self._revived(known[index % len(known)])

    def begin_eager_call(self) -> None:
        """What comes is the values of a new call."""
        self._earlier, self._values = self._values, {}

    def end_eager_call(self) -> None:
        """Notice whether the values are those of the call before."""
        for number, values in self._values.items():
            before = self._earlier.get(number, values)
            self.vary = self.vary or not equal(self._numbers(before), self._numbers(values))

    def begin_trace(self) -> None:
        """Start over with the first value."""
        self._next = {}

    def _numbers(self, values: list[Any]) -> list[Any]:
        flat = self._tf.nest.flatten(values)
        return [value.numpy() for value in flat if isinstance(value, self._tf.Tensor)] + [
            value for value in flat if isinstance(value, bool | int | float | str)
        ]

    def _revived(self, value: Any) -> Any:
        """Tensors as symbolic ones, whose batch size is not known either."""

        def revive(leaf: Any) -> Any:
            if not isinstance(leaf, self._tf.Tensor) or not leaf.shape:
                return self._tf.identity(leaf) if isinstance(leaf, self._tf.Tensor) else leaf
            shape = [None if leaf.shape[0] == self._batch else leaf.shape[0], *leaf.shape[1:]]
            return self._tf.compat.v1.placeholder_with_default(leaf, shape)

        return self._tf.nest.map_structure(revive, value)
