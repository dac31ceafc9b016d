"""Findings for programs. The fields are a contract: they may be added to, but never change their meaning."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tflint_layers.document import Document
from tflint_layers.finding import Edit, Finding, Fix, Verdict
from tflint_layers.report.render import Documents, Paint


def as_list(findings: Sequence[Finding], documents: Documents, paint: Paint) -> str:
    """One JSON list, an object for each finding."""
    return json.dumps([as_object(finding, documents[finding.path]) for finding in findings], indent=2) + "\n"


def as_lines(findings: Sequence[Finding], documents: Documents, paint: Paint) -> str:
    """One JSON object a line."""
    return "".join(f"{json.dumps(as_object(finding, documents[finding.path]))}\n" for finding in findings)


def as_object(finding: Finding, document: Document) -> dict[str, Any]:
    """A finding as plain JSON data; lines and columns are 1-based, as in the text output."""
    start = document.place(finding.line, finding.column)
    end = document.place(finding.end_line, finding.end_column)
    return {
        "path": finding.path,
        "line": start.line,
        "column": start.column,
        "end_line": end.line,
        "end_column": end.column,
        "cell": start.cell,
        "code": finding.code,
        "name": finding.name,
        "message": finding.message,
        "layer": finding.layer,
        "function": finding.function,
        "route": list(finding.route),
        "keras": finding.keras,
        "verdict": _verdict(finding.verdict),
        "fix": _fix(finding.fix, document),
    }


def _verdict(verdict: Verdict | None) -> dict[str, Any] | None:
    if verdict is None:
        return None
    return {
        "status": verdict.status.value,
        "because": verdict.because,
        "recipe": verdict.recipe,
        "keras": verdict.keras,
    }


def _fix(fix: Fix | None, document: Document) -> dict[str, Any] | None:
    if fix is None:
        return None
    edits = [_edit(edit, document) for edit in fix.edits]
    return {"safety": fix.safety.value, "message": fix.message, "edits": edits}


def _edit(edit: Edit, document: Document) -> dict[str, Any]:
    start, end = document.place_of_offset(edit.start), document.place_of_offset(edit.end)
    # A fix of a notebook may also touch another cell: an import goes into the first one.
    cell = {} if start.cell is None else {"cell": start.cell}
    return {
        **cell,
        "start_line": start.line,
        "start_column": start.column,
        "end_line": end.line,
        "end_column": end.column,
        "text": edit.text,
    }
