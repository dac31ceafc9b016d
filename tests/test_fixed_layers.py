"""Fixed layers under real TensorFlow: they trace, and give the numbers that the original gives in eager mode."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest
from conftest import rule_folders

from tflint_layers.confirm import FixProof, FixQuestion, prove_fixes
from tflint_layers.fixer import FixResult, fix_source, fixing
from tflint_layers.settings import Settings

pytestmark = [pytest.mark.tensorflow, pytest.mark.xdist_group("traced")]


def fix_layer(data: bytes, path: Path, settings: Settings, layer: str) -> FixResult:
    """Fix what is found in one layer, and nothing that no call of it would reach."""
    classes = [node for node in ast.parse(data).body if isinstance(node, ast.ClassDef) and node.name == layer]
    bases = {base.id for node in classes for base in node.bases if isinstance(base, ast.Name)}
    mine = {layer, *bases}
    steps = fixing(data, str(path), settings, lambda f: f.layer in mine and not f.suspect, prove=False)
    try:
        next(steps)
    except StopIteration as done:
        result: FixResult = done.value
        return result
    raise AssertionError("something is asked")


def questions(folder: Path, keras: int) -> list[FixQuestion]:
    """One for each layer of ``bad.py`` in which nothing is left that a fix could not reach."""
    path = folder / "bad.py"
    data = path.read_bytes()
    settings = Settings(keras=keras, preview=True)
    everything = fix_source(data, str(path), settings, unsafe=True)
    broken = {finding.layer for finding in everything.remaining if not finding.suspect}
    fixed = {finding.layer for finding in everything.applied if finding.layer and finding.layer_path is None}
    return [
        FixQuestion(data, fix_layer(data, path, settings, node.name).data, str(path), node.name, keras)
        for node in ast.parse(data).body
        if isinstance(node, ast.ClassDef)
        and node.name in fixed - broken
        and any(isinstance(inner, ast.FunctionDef) and inner.name == "call" for inner in node.body)
    ]


@cache
def proofs(keras: int) -> dict[tuple[str, str], FixProof]:
    asked = [question for folder in rule_folders() for question in questions(folder, keras)]
    answers = prove_fixes(asked, timeout=60.0)
    return {(Path(q.path).parent.name, q.layer): answer for q, answer in zip(asked, answers, strict=True)}


def _agrees(proof: FixProof) -> bool:
    """Gradients may differ: what Python reads out of a tensor stops them, an operation does not."""
    return proof.ok or proof.other_gradients


def test_fixed_layers_agree_with_the_original(rule_folder: Path, keras: int) -> None:
    mine = {layer: proof for (folder, layer), proof in proofs(keras).items() if folder == rule_folder.name}
    assert {layer: proof.because for layer, proof in mine.items() if not _agrees(proof)} == {}
