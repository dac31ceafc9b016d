"""Findings as a page to look at: one file that needs no network and no script."""

from __future__ import annotations

import difflib
import re
import unicodedata
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from tflint_layers.document import Document
from tflint_layers.finding import Finding, Fix, Safety
from tflint_layers.report.catalogue import entries
from tflint_layers.report.render import Documents, Paint
from tflint_layers.report.text import counted, location, window

_TITLE = "tflint-layers report"
_CONTEXT = 2
_MOST_LINES = 20
_LINE_END = re.compile(r"\r\n|\r|\n")
# Nothing in the page may load or run anything, even if an escape were forgotten.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE: Final = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --bad: #c62828; --good: #2e7d32; --doubt: #b26a00; }
@media (prefers-color-scheme: dark) { :root { --bad: #ff8a80; --good: #81c784; --doubt: #ffb74d; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
pre, code { font-family: ui-monospace, monospace; font-size: 0.875rem; }
pre { background: var(--soft); border: 1px solid var(--line); padding: 0.5rem; overflow-x: auto; margin: 0.5rem 0; }
mark { background: none; color: inherit; text-decoration: underline wavy var(--bad); }
table { border-collapse: collapse; } td, th { text-align: left; padding: 0.2rem 1rem 0.2rem 0; }
article { border-top: 1px solid var(--line); padding: 0.75rem 0; } article h3 { font-size: 1rem; margin: 0; }
h2, h3, p { overflow-wrap: anywhere; } p { margin: 0.3rem 0; } details { margin: 0.5rem 0; }
pre.plain { white-space: pre-wrap; }
.confirmed, .removed { color: var(--bad); } .refuted, .added { color: var(--good); } .unproven { color: var(--doubt); }
"""


def page(findings: Sequence[Finding], documents: Documents, paint: Paint) -> str:
    """One HTML document: how often each rule was broken, the findings of each file, what the rules say."""
    root = ET.Element("html", lang="en")
    head, body = ET.SubElement(root, "head"), ET.SubElement(root, "body")
    ET.SubElement(head, "meta", charset="utf-8")
    ET.SubElement(head, "meta", {"http-equiv": "Content-Security-Policy", "content": _POLICY})
    ET.SubElement(head, "meta", name="viewport", content="width=device-width")
    _add(head, "title", _TITLE)
    # Set as it is: a style sheet has no escapes.
    ET.SubElement(head, "style").text = _STYLE
    _add(body, "h1", _TITLE)
    _summarize(body, findings)
    for path, group in groupby(findings, key=lambda finding: finding.path):
        section = _add(body, "section")
        _add(section, "h2", path)
        for finding in group:
            _tell(section, finding, documents[path])
    _explain(body, findings)
    return f"<!DOCTYPE html>\n{ET.tostring(root, encoding='unicode', method='html')}\n"


def _summarize(body: ET.Element, findings: Sequence[Finding]) -> None:
    files = len({finding.path for finding in findings})
    _add(body, "p", f"{counted(len(findings), 'finding')} in {counted(files, 'file')}." if findings else "No findings.")
    verdicts = Counter(finding.verdict.status.value for finding in findings if finding.verdict)
    if verdicts:
        _add(body, "p", "; ".join(f"{status}: {count}" for status, count in sorted(verdicts.items())))
    if not findings:
        return
    known, table = entries(), _add(body, "table")
    _row(table, "th", "rule", "findings", "name", "what it finds")
    for code, count in sorted(Counter(finding.code for finding in findings).items()):
        first = _row(table, "td", "", str(count), known[code].name, known[code].summary)
        _link(first, code)


def _row(table: ET.Element, tag: str, first: str, *more: str) -> ET.Element:
    """Add a row; gives its first cell."""
    row = _add(table, "tr")
    cell = _add(row, tag, first)
    for text in more:
        _add(row, tag, text)
    return cell


def _tell(section: ET.Element, finding: Finding, document: Document) -> None:
    article = _add(section, "article")
    title = _link(_add(article, "h3"), finding.code)
    title.tail = _visible(f" {finding.message}")
    _add(_add(article, "p"), "code", location(finding, document))
    _frame(article, finding, document)
    if len(finding.route) > 1:
        _add(article, "p", f"Traced through: {' → '.join(finding.route)}")
    if finding.verdict is not None:
        verdict = finding.verdict
        _add(article, "p", f"{verdict.status.value} under Keras {verdict.keras}:", verdict.status.value)
        _add(article, "pre", verdict.because, "plain")
        if verdict.recipe:
            _add(article, "p", "By running:")
            _add(article, "pre", verdict.recipe, "plain")
    if finding.fix is not None:
        _propose(article, finding.fix, document)


def _frame(article: ET.Element, finding: Finding, document: Document) -> None:
    """The lines of the finding and some around them, numbered, with the part that is meant marked."""
    last = min(finding.end_line, finding.line + _MOST_LINES - 1, len(document.lines))
    if last < finding.line:
        return
    # After the last line end of a file there is nothing to show.
    end = max(last, min(last + _CONTEXT, len(document.lines) - 1))
    numbers = range(max(finding.line - _CONTEXT, 1), end + 1)
    places = {number: document.place(number, 1) for number in numbers}
    cell = places[finding.line].cell
    width = max(len(str(place.line)) for place in places.values())
    frame = _add(article, "pre")
    for number in numbers:
        # The lines before and after those of a notebook's cell are those of another one.
        if places[number].cell == cell:
            _numbered(frame, finding, document.lines[number - 1], number, f"{places[number].line:>{width}} | ")


def _numbered(frame: ET.Element, finding: Finding, text: str, number: int, gutter: str) -> None:
    line = text.rstrip("\r\n")
    if not finding.line <= number <= finding.end_line:
        _add(frame, "span", f"{gutter}{window(line, 0, 0)[0]}\n")
        return
    start = finding.column - 1 if number == finding.line else len(line) - len(line.lstrip())
    end = finding.end_column - 1 if number == finding.end_line else len(line.rstrip())
    line, start, end = window(line, start, max(end, start + 1))
    _add(frame, "span", f"{gutter}{line[:start]}")
    _add(frame, "mark", line[start:end])
    _add(frame, "span", f"{line[end:]}\n")


def _propose(article: ET.Element, fix: Fix, document: Document) -> None:
    kind = "Suggestion" if fix.safety is Safety.SUGGESTION else f"{fix.safety.value.capitalize()} fix"
    _add(article, "p", f"{kind}: {fix.message}")
    if document.source is None or not fix.edits:
        return
    changes = _add(article, "pre")
    for mark, line in _changes(document, document.source.encoding, fix):
        _add(changes, "span", f"{line}\n", mark)


def _changes(document: Document, encoding: str, fix: Fix) -> Iterator[tuple[str, str]]:
    """The lines of a diff, each with its kind; above each hunk stands where it is."""
    start, end = _around(document.code, fix)
    old = new = document.code[start:end]
    for edit in sorted(fix.edits, reverse=True):
        new = new[: edit.start - start] + edit.text.encode(encoding, errors="replace") + new[edit.end - start :]
    before, after = _lines(old, encoding), _lines(new, encoding)
    above = document.code.count(b"\n", 0, start)
    for hunk in difflib.SequenceMatcher(None, before, after).get_grouped_opcodes(_CONTEXT):
        place = document.place(above + hunk[0][1] + 1, 1)
        yield "", f"@@ {'' if place.cell is None else f'cell {place.cell}, '}line {place.line} @@"
        for change, first, last, new_first, new_last in hunk:
            if change == "equal":
                yield from (("", f"  {_short(line)}") for line in before[first:last])
            else:
                yield from (("removed", f"- {_short(line)}") for line in before[first:last])
                yield from (("added", f"+ {_short(line)}") for line in after[new_first:new_last])


def _around(code: bytes, fix: Fix) -> tuple[int, int]:
    """The span of the lines that a fix touches and of those around them: to compare whole files takes long."""
    start, end = min(edit.start for edit in fix.edits), max(edit.end for edit in fix.edits)
    for _ in range(_CONTEXT + 2):
        start = code.rfind(b"\n", 0, max(start - 1, 0)) + 1
        end = code.find(b"\n", end) + 1 or len(code)
    return start, end


def _lines(code: bytes, encoding: str) -> list[str]:
    lines = _LINE_END.split(code.decode(encoding, errors="replace").removeprefix("\ufeff"))
    return lines if lines[-1] else lines[:-1]


def _short(line: str) -> str:
    return window(line, 0, 0)[0]


def _explain(body: ET.Element, findings: Sequence[Finding]) -> None:
    known, codes = entries(), sorted({finding.code for finding in findings})
    if codes:
        _add(body, "h2", "Rules")
    for code in codes:
        details = _add(body, "details")
        details.set("id", code)
        _add(details, "summary", f"{code} {known[code].name}: {known[code].summary}")
        _add(details, "pre", known[code].documentation.strip(), "plain")


def _link(parent: ET.Element, code: str) -> ET.Element:
    """A link to what the page says about a rule."""
    link = _add(parent, "a", code)
    link.set("href", f"#{code}")
    return link


def _add(parent: ET.Element, tag: str, text: str = "", kind: str = "") -> ET.Element:
    element = ET.SubElement(parent, tag, {"class": kind} if kind else {})
    element.text = _visible(text)
    return element


def _visible(text: str) -> str:
    """Text in which no character hides, reverses or breaks what stands around it."""
    return "".join(character if _is_plain(character) else _escaped(character) for character in text)


def _is_plain(character: str) -> bool:
    return character.isprintable() or character in "\t\n" or unicodedata.category(character) == "Zs"


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
