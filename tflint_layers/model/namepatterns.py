"""Names that code puts together while it runs, as in `getattr(self, f"block_{i}")`: what is known of them."""

from __future__ import annotations

import ast
import fnmatch
import re

ANYTHING = "*"
_FIELD = re.compile(r"%[-+ #0]*\d*[a-z]|\{[^{}]*\}")


def pattern_of(node: ast.expr) -> str | None:
    """The pattern of the texts that an expression may give, with ``*`` for what is not known; None for no such text."""
    pattern = _pattern(node)
    return pattern if ANYTHING in pattern and pattern.strip(ANYTHING + "_") else None


def fits(name: str, pattern: str) -> bool:
    """Whether a name is among those of a pattern."""
    return fnmatch.fnmatchcase(name, pattern)


def _pattern(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_pattern(part) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _pattern(node.left) + _pattern(node.right)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return _FIELD.sub(ANYTHING, _pattern(node.left))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        return _FIELD.sub(ANYTHING, _pattern(node.func.value))
    return ANYTHING
