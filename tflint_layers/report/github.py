"""Findings as workflow commands, which GitHub shows in the diff of a pull request."""

from __future__ import annotations

from collections.abc import Sequence

from tflint_layers.document import Document
from tflint_layers.finding import Finding
from tflint_layers.report.render import Documents, Paint, with_verdict


def workflow_commands(findings: Sequence[Finding], documents: Documents, paint: Paint) -> str:
    """``::error file=...::message``, a line for each finding."""
    return "".join(f"{_annotation(finding, documents[finding.path])}\n" for finding in findings)


def _annotation(finding: Finding, document: Document) -> str:
    start = document.place(finding.line, finding.column)
    end = document.place(finding.end_line, finding.end_column)
    cell = "" if start.cell is None else f" (cell {start.cell})"
    properties = {
        "title": f"tflint-layers {finding.code} {finding.name}{cell}",
        "file": finding.path,
        "line": start.line,
        "endLine": end.line,
        "col": start.column,
        "endColumn": end.column,
    }
    written = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
    return f"::error {written}::{_data(f'{finding.code} {with_verdict(finding)}')}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
