"""Findings for people: one line each, or with the code, the route of the tracing and the evidence."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterator, Sequence

from tflint_layers.document import Document
from tflint_layers.finding import Finding, Safety, Status
from tflint_layers.report.render import Documents, Paint, with_verdict

_MOST_LINES = 5
_MOST_COLUMNS = 160
_MOST_TEXT = 100
_VERDICT_COLOR = {Status.CONFIRMED: "red", Status.REFUTED: "green", Status.UNPROVEN: "yellow"}


def concise(findings: Sequence[Finding], documents: Documents, paint: Paint) -> str:
    """``path:line:column: CODE message``, a line for each finding."""
    return "".join(
        f"{_headline(finding, documents[finding.path], with_verdict(finding), paint)}\n" for finding in findings
    )


def full(findings: Sequence[Finding], documents: Documents, paint: Paint) -> str:
    """Each finding with its code frame, route, verdict and fix."""
    return "".join(
        "\n".join(
            (
                _headline(finding, documents[finding.path], finding.message, paint),
                *_body(finding, documents, paint),
                "\n",
            )
        )
        for finding in findings
    )


def location(finding: Finding, document: Document) -> str:
    """``path:line:column``, with the cell of a notebook after the path."""
    place = document.place(finding.line, finding.column)
    cell = "" if place.cell is None else f":cell {place.cell}"
    return f"{finding.path}{cell}:{place.line}:{place.column}"


def _headline(finding: Finding, document: Document, message: str, paint: Paint) -> str:
    message = " ".join(message.split())
    return f"{paint(location(finding, document), 'cyan')}: {paint(finding.code, 'red')} {message}"


def _body(finding: Finding, documents: Documents, paint: Paint) -> Iterator[str]:
    document = documents[finding.path]
    last = min(finding.end_line, finding.line + _MOST_LINES - 1, len(document.lines))
    gutter = " " * len(str(document.place(last, 1).line)) if last >= finding.line else " "
    if last >= finding.line:
        yield f"{gutter} |"
    for number in range(finding.line, last + 1):
        yield from _frame(finding, document, number, len(gutter), paint)
    if len(finding.route) > 1:
        yield f"{gutter} = traced through: {' -> '.join(finding.route)}"
    yield from (f"{gutter} {line}" for line in _verdict(finding, paint))
    if finding.fix is not None:
        kind = finding.fix.safety.value
        yield f"{gutter} = {kind}{'' if finding.fix.safety is Safety.SUGGESTION else ' fix'}: {finding.fix.message}"


def _frame(finding: Finding, document: Document, number: int, width: int, paint: Paint) -> Iterator[str]:
    """A source line, and a line of ``^`` under the part of it that the finding is about."""
    line = document.lines[number - 1].rstrip("\r\n")
    indent = len(line) - len(line.lstrip())
    start = finding.column - 1 if number == finding.line else indent
    end = finding.end_column - 1 if number == finding.end_line else len(line.rstrip())
    line, start, end = window(line, start, max(end, start + 1))
    padding = "".join("\t" if character == "\t" else " " * _columns(character) for character in line[:start])
    marks = "^" * max(sum(map(_columns, line[start:end])), 1)
    shown = document.place(number, 1).line
    yield f"{shown:>{width}} | {line}"
    yield f"{' ' * width} | {padding}{paint(marks, 'red')}"


def window(line: str, start: int, end: int) -> tuple[str, int, int]:
    """The part of a line that is worth showing, and the span in it: generated lines can have a million columns."""
    if len(line) <= _MOST_COLUMNS:
        return line, start, end
    first = max(start - _MOST_COLUMNS // 4, 0)
    head = "..." if first else ""
    tail = "..." if first + _MOST_COLUMNS < len(line) else ""
    shown = line[first : first + _MOST_COLUMNS]
    start, end = start - first, min(end - first, len(shown))
    return head + shown + tail, start + len(head), end + len(head)


def _columns(character: str) -> int:
    """How many columns of a terminal a character takes."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "FW" else 1


def _verdict(finding: Finding, paint: Paint) -> Iterator[str]:
    verdict = finding.verdict
    if verdict is None:
        return
    status = paint(verdict.status.value, _VERDICT_COLOR[verdict.status])
    first, *more = _wrapped(f"under Keras {verdict.keras}: {verdict.because}")
    yield f"= {status} {first}"
    yield from (f"  {line}" for line in more)
    if verdict.recipe:
        yield f"  by running: {' '.join(verdict.recipe.split())}"


def _wrapped(text: str) -> list[str]:
    """TensorFlow's messages are paragraphs; a line of them must not be broken inside a word or a path."""
    return [
        part
        for line in text.splitlines()
        for part in textwrap.wrap(line, _MOST_TEXT, break_long_words=False, break_on_hyphens=False) or [""]
    ]


def counted(number: int, thing: str) -> str:
    """How many there are of something, in words."""
    return f"{number} {thing}" + ("" if number == 1 else "s")
