"""Building blocks of fixes: from a node of the syntax tree to byte edits, with libcst writing the new text.

libcst is imported where it is needed: linting alone, as flake8 does it, must not pay for it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from tflint_layers.finding import Edit
from tflint_layers.model.scopes import Scope
from tflint_layers.source import Source

if TYPE_CHECKING:
    import libcst as cst


def replace(source: Source, node: ast.expr, text: str) -> Edit:
    """Put ``text`` in the place of an expression."""
    start, end = source.span(node)
    return Edit(start, end, text)


def rewrite_call(
    source: Source,
    node: ast.Call,
    *,
    function: str | None = None,
    renamed: Mapping[str, str] = MappingProxyType({}),
    without: Collection[str] = (),
) -> Edit | None:
    """Call another function, rename keyword arguments or leave some out; comments and line breaks stay.

    None where nothing changes.
    """
    import libcst as cst

    old = source.segment(node)
    ending = "\r\n" if "\r\n" in old else "\n"
    parsed = cst.parse_expression(old, config=cst.PartialParserConfig(default_newline=ending))
    call = cst.ensure_type(parsed, cst.Call)
    arguments = [_renamed(argument, renamed) for argument in call.args if _keyword(argument) not in without]
    if arguments and len(arguments) < len(call.args):
        last = call.args[-1]
        arguments[-1] = arguments[-1].with_changes(comma=last.comma, whitespace_after_arg=last.whitespace_after_arg)
    call = call.with_changes(args=arguments)
    if not arguments:
        call = call.with_changes(whitespace_before_args=cst.SimpleWhitespace(""))
    if function is not None:
        call = call.with_changes(func=cst.parse_expression(function))
    new = cst.Module([], default_newline=ending).code_for_node(call)
    return None if new == old else smallest_edit(source, *source.span(node), old, new)


def _keyword(argument: cst.Arg) -> str | None:
    return argument.keyword.value if argument.keyword is not None else None


def _renamed(argument: cst.Arg, renamed: Mapping[str, str]) -> cst.Arg:
    if argument.keyword is None or argument.keyword.value not in renamed:
        return argument
    return argument.with_changes(keyword=argument.keyword.with_changes(value=renamed[argument.keyword.value]))


def smallest_edit(source: Source, start: int, end: int, old: str, new: str) -> Edit:
    """The edit without what both texts begin and end with, so that fixes of neighbours do not overlap."""
    prefix = 0
    while prefix < min(len(old), len(new)) and old[prefix] == new[prefix]:
        prefix += 1
    suffix = 0
    while suffix < min(len(old), len(new)) - prefix and old[-1 - suffix] == new[-1 - suffix]:
        suffix += 1
    return Edit(
        start + len(old[:prefix].encode(source.encoding)),
        end - len(old[len(old) - suffix :].encode(source.encoding)),
        new[prefix : len(new) - suffix],
    )


def without_argument(scope: Scope, node: ast.expr | ast.stmt, name: str) -> Edit | None:
    """Make the call without a keyword argument, or delete the statement that puts it into ``kwargs``."""
    if isinstance(node, ast.Call) and any(keyword.arg == name for keyword in node.keywords):
        return rewrite_call(scope.module.source, node, without=(name,))
    return delete_statement(scope, node, lambda other: False) if isinstance(node, ast.Assign) else None


def delete_call(scope: Scope, node: ast.AST, is_such: Callable[[str], bool]) -> Edit | None:
    """Remove a call that is a statement of its own, where all calls of such functions are removed so."""
    statement = scope.parent(node)

    def goes(other: ast.stmt) -> bool:
        call = other.value if isinstance(other, ast.Expr) else None
        return isinstance(call, ast.Call) and is_such(scope.api_name(call.func))

    return delete_statement(scope, statement, goes) if isinstance(statement, ast.Expr) else None


def delete_statement(scope: Scope, statement: ast.stmt, also_deleted: Callable[[ast.stmt], bool]) -> Edit | None:
    """Remove a statement, with its line where it stands alone; ``pass`` where its block would be left empty.

    ``also_deleted`` tells of a statement whether the same round of fixes removes it too.
    """
    parent = scope.parent(statement)
    body = next((b for b in _blocks(parent) if statement in b), None) if parent is not None else None
    if body is None:
        return None
    source = scope.module.source
    start, end = source.span(statement)
    staying = [other for other in body if other is not statement and not also_deleted(other)]
    if not staying and statement is next(other for other in body if other is statement or also_deleted(other)):
        return Edit(start, end, "pass")
    index = body.index(statement)
    if index + 1 < len(body) and body[index + 1].lineno == (statement.end_lineno or statement.lineno):
        return Edit(start, source.span(body[index + 1])[0], "")
    if index and (body[index - 1].end_lineno or 0) == statement.lineno:
        return Edit(source.span(body[index - 1])[1], end, "")
    return _delete_lines(source, statement)


def _delete_lines(source: Source, statement: ast.stmt) -> Edit:
    last = statement.end_lineno or statement.lineno
    start = source.offset(statement.lineno, 0)
    line_end = source.offset(last, 0) + len(source.lines[last - 1].encode(source.encoding))
    before = source.data[start : source.span(statement)[0]]
    return Edit(source.span(statement)[0] if before.strip() else start, line_end, "")


def _blocks(parent: ast.AST) -> list[list[ast.stmt]]:
    blocks = [getattr(parent, name, None) for name in ("body", "orelse", "finalbody")]
    return [block for block in blocks if isinstance(block, list)]
