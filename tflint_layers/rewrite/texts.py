"""Texts that Python puts together, taken apart again: what is written, and the values in between."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass

from tflint_layers.model.scopes import Scope
from tflint_layers.model.syntax import walk
from tflint_layers.model.values import may_be_symbolic
from tflint_layers.rewrite.plan import Plan

_PERCENT = re.compile(r"%(?:[-+ #0]*\d*(?:\.\d+)?([sdrifgeGEx])|(%))")


@dataclass(frozen=True)
class Piece:
    """A part of a text: words as they are to be printed, or else the source of a value."""

    words: str = ""
    value: str = ""

    def code(self) -> str:
        """The piece as an argument of a call."""
        return self.value or quoted(self.words)


def quoted(words: str) -> str:
    """The words as a literal, in double quotes."""
    inner = repr("'" + words)[2:-1].replace('"', '\\"')
    return f'"{inner}"'


def pieces(scope: Scope, plan: Plan, node: ast.expr) -> list[Piece] | None:
    """The parts of a text; None where they cannot be told. What holds no tensor stays one part."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [Piece(node.value)]
    if not any(may_be_symbolic(scope.value(n)) for n in walk(node) if isinstance(n, ast.expr)):
        return [Piece(value=plan.argument(node))]
    if isinstance(node, ast.JoinedStr):
        return _of_joined(scope, plan, node)
    if isinstance(node, ast.Call):
        if scope.api_name(node.func) in {"builtins.str", "builtins.repr"} and len(node.args) == 1:
            return [Piece(value=plan.argument(node.args[0]))]
        template = node.func.value if isinstance(node.func, ast.Attribute) and node.func.attr == "format" else None
        if isinstance(template, ast.Constant) and isinstance(template.value, str):
            return _of_braces(plan, template.value, node)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) and isinstance(node.left, ast.Constant):
        values = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
        return of_percent(plan, str(node.left.value), values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add) and scope.formats_text(node):
        left, right = pieces(scope, plan, node.left), pieces(scope, plan, node.right)
        return [*left, *right] if left is not None and right is not None else None
    return [Piece(value=plan.argument(node))]


def of_percent(plan: Plan, template: str, values: list[ast.expr]) -> list[Piece] | None:
    """The parts of a template with `%s` and the like."""
    found: list[Piece] = []
    rest, offset = list(values), 0
    for match in _PERCENT.finditer(template):
        found.append(Piece(template[offset : match.start()]))
        offset = match.end()
        if match[2]:
            found.append(Piece("%"))
        elif rest:
            found.append(Piece(value=plan.argument(rest.pop(0))))
        else:
            return None
    tail = template[offset:]
    return None if rest or "%" in tail else _merged([*found, Piece(tail)])


def _of_joined(scope: Scope, plan: Plan, node: ast.JoinedStr) -> list[Piece] | None:
    found = []
    for part in node.values:
        if isinstance(part, ast.Constant):
            found.append(Piece(str(part.value)))
        elif isinstance(part, ast.FormattedValue) and may_be_symbolic(scope.value(part.value)):
            found.append(Piece(value=plan.argument(part.value)))
        elif isinstance(part, ast.FormattedValue):
            found.append(Piece(value=_static_value(plan, part)))
    return _merged(found)


def _static_value(plan: Plan, part: ast.FormattedValue) -> str:
    if part.format_spec is None and part.conversion == -1:
        return ast.unparse(part.value)
    return ast.unparse(ast.JoinedStr([part]))


def _of_braces(plan: Plan, template: str, call: ast.Call) -> list[Piece] | None:
    given: dict[str, ast.expr] = {str(index): argument for index, argument in enumerate(call.args)}
    given |= {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg is not None}
    try:
        fields = list(string.Formatter().parse(template))
    except ValueError:
        return None
    found, number = [], 0
    for words, name, _, _ in fields:
        found.append(Piece(words))
        if name is None:
            continue
        value = given.get(name or str(number))
        number += 1
        if value is None:
            return None
        found.append(Piece(value=plan.argument(value)))
    return _merged(found)


def _merged(found: list[Piece]) -> list[Piece]:
    merged: list[Piece] = []
    for piece in found:
        if merged and not piece.value and not merged[-1].value:
            merged[-1] = Piece(merged[-1].words + piece.words)
        elif piece.value or piece.words:
            merged.append(piece)
    return merged


def arguments(found: list[Piece]) -> str:
    """The parts as arguments of `tf.print`, which puts a space between them unless it is told not to."""
    spaced = list(_without_spaces(found))
    if len(spaced) == len(found):
        return ", ".join(piece.code() for piece in spaced)
    return ", ".join([*(piece.code() for piece in found), 'sep=""'])


def _without_spaces(found: list[Piece]) -> Iterator[Piece]:
    """The parts without the one space that stands between each two of them; fewer where that is not so."""
    for index, piece in enumerate(found):
        words, last = piece.words, index == len(found) - 1
        if piece.value:
            beside_value = not last and bool(found[index + 1].value)
            if beside_value:
                return
            yield piece
            continue
        if (index and not words.startswith(" ")) or (not last and not words.endswith(" ")):
            return
        words = words[1:] if index else words
        words = words if last else words[:-1]
        if words:
            yield Piece(words)
        else:
            return
