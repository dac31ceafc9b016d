"""What the rules claim, asked of real TensorFlow: every marked line is confirmed, and no near miss is."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest
from conftest import marked, rule_folders

from tflint_layers.confirm import LayerQuestion, LayerResult, confirm, trace_layers
from tflint_layers.finding import Finding, Proof, Status
from tflint_layers.linter import lint_with_suspects
from tflint_layers.settings import Settings

pytestmark = [pytest.mark.tensorflow, pytest.mark.xdist_group("traced")]


# A registry filled by a module-level statement, which confirmation never runs.
NOT_RUN = {"FilledByImport"}


def linted(name: str, keras: int) -> tuple[list[Finding], dict[str, bytes]]:
    settings = Settings(keras=keras, preview=True)
    sources = {str(folder / name): (folder / name).read_bytes() for folder in rule_folders()}
    found = [finding for path, data in sources.items() for finding in lint_with_suspects(data, path, settings)]
    return found, sources


@cache
def verdicts(name: str, keras: int) -> list[Finding]:
    """The findings of one file of every folder, suspects too, traced in one run."""
    found, sources = linted(name, keras)
    return confirm(found, sources, timeout=60.0)


@cache
def traced(keras: int) -> list[LayerResult]:
    """Every layer of every ``good.py``, traced in one run."""
    questions = []
    for folder in rule_folders():
        path = folder / "good.py"
        data = path.read_bytes()
        questions += [LayerQuestion(data, str(path), name, keras) for name in layers(data)]
    return trace_layers(questions, timeout=60.0)


def layers(data: bytes) -> list[str]:
    return [
        node.name
        for node in ast.parse(data).body
        if isinstance(node, ast.ClassDef)
        and any("Layer" in ast.unparse(base) for base in node.bases)
        and any(isinstance(inner, ast.FunctionDef) and inner.name == "call" for inner in node.body)
        and node.name not in NOT_RUN
    ]


def test_marked_lines_are_confirmed(rule_folder: Path, keras: int) -> None:
    """Those of the folder's own rule; what other rules say there must at least not be refuted."""
    path = rule_folder / "bad.py"
    mine = [finding for finding in verdicts("bad.py", keras) if finding.path == str(path) and not finding.suspect]
    provable = {(f.line, f.code): f.verdict for f in mine if f.proof is not Proof.NONE}
    assert set(provable) <= marked(path, keras)
    doubtful = {
        place: f"{verdict.status.value}: {verdict.because}"
        for place, verdict in provable.items()
        if verdict is not None and verdict.status is not Status.CONFIRMED
    }
    own = {place for place in doubtful if place[1] == rule_folder.name[:6]}
    assert {place: doubtful[place] for place in own} == {}
    assert [told for told in doubtful.values() if told.startswith("refuted")] == []


def test_no_near_miss_is_confirmed(rule_folder: Path, keras: int) -> None:
    path = str(rule_folder / "good.py")
    suspects = [finding for finding in verdicts("good.py", keras) if finding.path == path]
    assert [f.message for f in suspects if f.verdict and f.verdict.status is Status.CONFIRMED] == []


def test_near_misses_trace(rule_folder: Path, keras: int) -> None:
    path = str(rule_folder / "good.py")
    results = [result for result in traced(keras) if result.path == path]
    assert {result.layer: result.because for result in results if result.status != "traces"} == {}
