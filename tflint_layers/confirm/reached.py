"""Whether the code that a fix changes was run: a comparison in which it was not says nothing. Standard library only."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator

_Lines = tuple[int, int]


def unreached(original: str, fixed: str, before: set[int], after: set[int]) -> int | None:
    """The first line of ``fixed`` where a change in a function was not run in either version; None if all were.

    ``before`` and ``after`` are the lines that ran of each version.
    """
    old_statements, new_statements = _statements(original), _statements(fixed)
    for old, new in _changes(original.splitlines(), fixed.splitlines()):
        removed, added = list(_touched(old_statements, *old)), list(_touched(new_statements, *new))
        if (removed or added) and not (_ran(removed, before) or _ran(added, after)):
            return new[0]
    return None


def changed_lines(original: str, fixed: str) -> set[int]:
    """The lines of ``fixed`` whose statements, in functions, are not those of ``original``."""
    statements = _statements(fixed)
    touched = (
        lines for _, new in _changes(original.splitlines(), fixed.splitlines()) for lines in _touched(statements, *new)
    )
    return {line for first, last in touched for line in range(first, last + 1)}


def _ran(statements: list[_Lines], lines: set[int]) -> bool:
    """Whether there are statements, and each of them ran."""
    return bool(statements) and all(lines & set(range(first, last + 1)) for first, last in statements)


def _changes(old: list[str], new: list[str]) -> Iterator[tuple[_Lines, _Lines]]:
    """The lines that differ, those of the old text with those of the new; what both begin with is not compared."""
    same = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    for tag, *ends in difflib.SequenceMatcher(None, old[same:], new[same:], autojunk=False).get_opcodes():
        if tag != "equal":
            start, end, new_start, new_end = (same + at for at in ends)
            yield (start + 1, end), (new_start + 1, new_end)


def _touched(statements: list[_Lines], first: int, last: int) -> Iterator[_Lines]:
    """The smallest statements that hold any of these lines."""
    for line in range(first, last + 1):
        holding = [lines for lines in statements if lines[0] <= line <= lines[1]]
        if holding:
            yield min(holding, key=lambda lines: lines[1] - lines[0])


def _statements(text: str) -> list[_Lines]:
    """The lines of each statement in functions; of those with a body, the lines before it."""
    found = []
    for function in ast.walk(ast.parse(text)):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            body = function.body if isinstance(function.body, list) else []
            found += [_extent(node) for top in body for node in ast.walk(top) if isinstance(node, ast.stmt)]
    return found


def _extent(node: ast.stmt) -> _Lines:
    body = getattr(node, "body", None)
    last = node.end_lineno or node.lineno
    return node.lineno, max(node.lineno, body[0].lineno - 1) if isinstance(body, list) and body else last
