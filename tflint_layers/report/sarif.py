"""Findings as SARIF 2.1.0, the format that code scanning services read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from tflint_layers.document import Document, Place
from tflint_layers.finding import Finding, Fix
from tflint_layers.report.catalogue import entries
from tflint_layers.report.render import Documents, Paint

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def log(findings: Sequence[Finding], documents: Documents, paint: Paint) -> str:
    """One SARIF log with one run, and the documentation of the rules that it mentions."""
    run = {
        "tool": {"driver": {"name": "tflint-layers", "rules": _rules(findings)}},
        # Columns are counted as in the other formats; SARIF's default counts UTF-16 units.
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, documents[finding.path]) for finding in findings],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rules(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    known = entries()
    return [
        {
            "id": code,
            "name": known[code].name,
            "shortDescription": {"text": known[code].summary},
            "help": {"text": known[code].documentation},
        }
        for code in sorted({finding.code for finding in findings})
    ]


def _result(finding: Finding, document: Document) -> dict[str, Any]:
    start = document.place(finding.line, finding.column)
    end = document.place(finding.end_line, finding.end_column)
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "level": "error",
        "message": {"text": finding.message},
        "locations": [
            {"physicalLocation": {"artifactLocation": _artifact(finding.path), "region": _region(start, end)}}
        ],
        "properties": {"route": list(finding.route), "keras": finding.keras, "cell": start.cell},
    }
    if finding.verdict is not None:
        result["properties"]["verdict"] = finding.verdict.status.value
        result["properties"]["because"] = finding.verdict.because
        result["properties"]["recipe"] = finding.verdict.recipe
    # SARIF fixes are to be applied as they are, and the lines of a notebook's cell are no lines of its file.
    if finding.fix is not None and document.notebook is None:
        result["fixes"] = [_fix(finding.path, finding.fix, document)]
    return result


def _fix(path: str, fix: Fix, document: Document) -> dict[str, Any]:
    replacements = [
        {
            "deletedRegion": _region(document.place_of_offset(edit.start), document.place_of_offset(edit.end)),
            "insertedContent": {"text": edit.text},
        }
        for edit in fix.edits
    ]
    return {
        "description": {"text": f"{fix.message} ({fix.safety.value})"},
        "artifactChanges": [{"artifactLocation": _artifact(path), "replacements": replacements}],
    }


def _artifact(path: str) -> dict[str, str]:
    pure = PurePath(path)
    return {"uri": pure.as_uri() if pure.is_absolute() else quote(pure.as_posix(), errors="surrogateescape")}


def _region(start: Place, end: Place) -> dict[str, int]:
    return {"startLine": start.line, "startColumn": start.column, "endLine": end.line, "endColumn": end.column}
