"""Which statement of a file a line belongs to. Standard library only."""

from __future__ import annotations

import ast
import re
import warnings

_NEWLINE = re.compile(r"\r\n|\r|\n")


def parsed(text: str | bytes) -> ast.Module | None:
    """The syntax tree of a file; None where it is no Python, or nested too deeply to be read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def statement_at(tree: ast.AST, line: int) -> ast.stmt | None:
    """The innermost statement that holds the line; of a compound statement, its head."""
    found = None
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt):
            first, last = head_of(node)
            if first <= line <= last and (found is None or first >= head_of(found)[0]):
                found = node
    return found


def head_of(node: ast.stmt) -> tuple[int, int]:
    """The first and last line of a statement, without its body."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        # What is said of a definition is said of all of it.
        return min([node.lineno, *(d.lineno for d in node.decorator_list)]), node.end_lineno or node.lineno
    body = getattr(node, "body", None)
    last = node.end_lineno or node.lineno
    if isinstance(body, list) and body:
        last = max(node.lineno, body[0].lineno - 1)
    return node.lineno, last


def lines_of(text: str) -> list[str]:
    """The lines as the parser counts them, without their endings."""
    return _NEWLINE.split(text)
