"""Edits that change ``# noqa`` comments: codes taken out of them, and codes added."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tflint_layers.finding import Edit
from tflint_layers.source import Source
from tflint_layers.suppressions import Noqa, Suppressions

_SEPARATOR = re.compile(r"[,\s]+")
_NEXT_COMMENT = re.compile(r"[^#\r\n]*")


def without_codes(source: Source, noqa: Noqa, unwanted: Iterable[str]) -> Edit:
    """Takes codes out of a comment, and the comment away if it would name none."""
    unwanted = set(unwanted)
    kept = [code for code in noqa.codes if code not in unwanted]
    if not kept:
        return _without_comment(source, noqa)
    text = _separator(noqa).join(kept)
    return _edit(source, noqa.last, noqa.codes_column, noqa.codes_column + len(noqa.written), text)


def with_codes(source: Source, suppressions: Suppressions, line: int, codes: Iterable[str]) -> Edit | None:
    """Makes a comment hide more codes on a line; None where no comment can: flake8 reads the string that is there."""
    noqa = suppressions.noqa_for(line)
    if noqa is not None and noqa.codes:
        column = noqa.codes_column + len(noqa.written)
        text = "".join(_separator(noqa) + code for code in sorted(set(codes) - set(noqa.codes)))
        return _edit(source, noqa.last, column, column, text)
    if suppressions.has_noqa_text(line):
        return None
    last = suppressions.last_line(line)
    content = source.lines[last - 1].rstrip("\r\n")
    code = content.rstrip()
    return _edit(source, last, len(code), len(content), f"  # noqa: {', '.join(sorted(set(codes)))}")


def _without_comment(source: Source, noqa: Noqa) -> Edit:
    """Removes the comment with the reason that it gives, but no other comment on the line, and no empty line."""
    line = source.lines[noqa.last - 1]
    content = line.rstrip("\r\n")
    reason = _NEXT_COMMENT.match(content, noqa.codes_column + len(noqa.written))
    end = reason.end() if reason else len(content)
    if end < len(content):
        return _edit(source, noqa.last, noqa.column, end, "")
    code = content[: noqa.column].rstrip()
    if code:
        return _edit(source, noqa.last, len(code), len(content), "")
    return _edit(source, noqa.last, 0, len(line), "")


def _separator(noqa: Noqa) -> str:
    """What the user puts between two codes."""
    found = _SEPARATOR.search(noqa.written)
    return found[0] if found else ", "


def _edit(source: Source, line: int, start: int, end: int, text: str) -> Edit:
    """Replaces characters of a line; columns count from 0."""
    return Edit(_offset(source, line, start), _offset(source, line, end), text)


def _offset(source: Source, line: int, column: int) -> int:
    return source.offset(line, len(source.lines[line - 1][:column].encode()))
