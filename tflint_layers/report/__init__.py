"""Findings in, characters out: one function for each output format."""

from __future__ import annotations

from collections.abc import Iterable

from tflint_layers.finding import Finding
from tflint_layers.report import github, gitlab, html, json, junit, sarif, text
from tflint_layers.report.render import Documents, Paint, Render

__all__ = ["FORMATS", "Documents", "Paint", "Render", "in_order"]

FORMATS: dict[str, Render] = {
    "full": text.full,
    "concise": text.concise,
    "json": json.as_list,
    "json-lines": json.as_lines,
    "github": github.workflow_commands,
    "gitlab": gitlab.code_quality,
    "junit": junit.suites,
    "sarif": sarif.log,
    "html": html.page,
}


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Findings by path, line, column and code, the same in every run.

    Each place and code is there once, or with a verdict for each Keras that was asked.
    """
    by_place = {(f.path, f.line, f.column, f.code, f.message, f.verdict.keras if f.verdict else 0): f for f in findings}
    return [by_place[place] for place in sorted(by_place)]
