"""Findings as GitLab's code quality report, which it shows in merge requests."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence

from tflint_layers.document import Document
from tflint_layers.finding import Finding
from tflint_layers.report.render import Documents, Paint, with_verdict


def code_quality(findings: Sequence[Finding], documents: Documents, paint: Paint) -> str:
    """One JSON list, an issue for each finding."""
    seen: Counter[str] = Counter()
    issues = []
    for finding in findings:
        identity = f"{finding.path}:{finding.code}:{finding.function}:{finding.message}"
        seen[identity] += 1
        issues.append(_issue(finding, documents[finding.path], f"{identity}:{seen[identity]}"))
    return json.dumps(issues, indent=2) + "\n"


def _issue(finding: Finding, document: Document, identity: str) -> dict[str, object]:
    start = document.place(finding.line, finding.column)
    end = document.place(finding.end_line, finding.end_column)
    return {
        "check_name": finding.code,
        "description": f"{finding.code} {finding.name}: {with_verdict(finding)}",
        # Without line numbers, so that GitLab knows a finding again when the code above it changes.
        "fingerprint": hashlib.sha256(identity.encode(errors="surrogateescape")).hexdigest(),
        "location": {
            "path": finding.path,
            "positions": {
                "begin": {"line": start.line, "column": start.column},
                "end": {"line": end.line, "column": end.column},
            },
        },
        "severity": "major",
    }
