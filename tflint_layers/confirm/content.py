"""What of a file the trace of one layer depends on: its text, and where that stands. Standard library only."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from tflint_layers.confirm.needs import bound_names, needed
from tflint_layers.confirm.statements import lines_of, parsed

# Lines that tell recipes which shapes a file works with.
_TELLS_SHAPES = re.compile(r"shape|Input\s*\(")
# Code with these words can depend on where the file is.
_KNOWS_ITS_PLACE = frozenset({"__file__", "__path__", "__spec__", "getsource", "getsourcefile"})


@dataclass(frozen=True)
class Slice:
    """The statements of a file that a layer needs, as one text; ``lines`` tells where each line of it stands."""

    text: str
    lines: tuple[int, ...]
    shapes: tuple[str, ...]
    placeless: bool

    @cached_property
    def numbers(self) -> Mapping[int, int]:
        """The number in the slice of each line of the file that it holds."""
        return {line: number for number, line in enumerate(self.lines, 1)}


@dataclass(frozen=True)
class _Statement:
    first: int
    last: int
    words: frozenset[str]
    binds: frozenset[str]
    always: bool


def slice_of(source: str, name: str | None) -> Slice:
    """What the class or function ``name`` needs of a file; without a name, or where that is not there, everything.

    A statement is needed if it binds a word of another one that is, or mentions the class: recipes are found there.
    """
    lines, statements = _index(source)
    root = (name or "").partition(".")[0]
    if not any(root in statement.binds for statement in statements):
        needed = list(statements)
    else:
        needed = _needed(statements, root)
    numbers = tuple(number for statement in needed for number in range(statement.first, statement.last + 1))
    words = frozenset[str]().union(*(statement.words for statement in needed))
    return Slice(
        text="\n".join(lines[number - 1] for number in numbers),
        lines=numbers,
        shapes=tuple(line.strip() for line in lines if _TELLS_SHAPES.search(line)),
        placeless=not words & _KNOWS_ITS_PLACE,
    )


def _needed(statements: tuple[_Statement, ...], root: str) -> list[_Statement]:
    binds, words = [one.binds for one in statements], [one.words for one in statements]
    given = [number for number, one in enumerate(statements) if one.always or root in one.words]
    return [statements[number] for number in needed(binds, words, {root, "example"}, given)]


@lru_cache(maxsize=64)
def _index(source: str) -> tuple[list[str], tuple[_Statement, ...]]:
    lines = lines_of(source)
    tree = parsed(source)
    return lines, tuple(_statement(node, lines) for node in tree.body) if tree else ()


def _statement(node: ast.stmt, lines: list[str]) -> _Statement:
    first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", ()))])
    last = node.end_lineno or node.lineno
    words = frozenset(re.findall(r"\w+", "\n".join(lines[first - 1 : last])))
    return _Statement(first, last, words, frozenset(bound_names(node)), isinstance(node, ast.Import | ast.ImportFrom))
