"""Every layer traced, flagged or not: what is asked, and what becomes of the answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hosts import tflint

from tflint_layers import tracing
from tflint_layers.confirm import LayerQuestion, LayerResult, Tracer
from tflint_layers.finding import Finding, Status
from tflint_layers.report.layers import TracedLayer
from tflint_layers.settings import Settings
from tflint_layers.tracing import every_layer, flagged_layers, trace_outcomes, with_failures
from tflint_layers.work import Task, lint_file

LAYERS = """\
import keras


class Scale(keras.layers.Layer):
    def call(self, inputs):
        return inputs * 2.0


class Pick(keras.layers.Layer):
    def call(self, inputs):
        rows = inputs.shape[0]
        return inputs * 2.0 ** (1 if isinstance(rows, int) else "x")


class Known(Scale):
    def call(self, inputs):
        return inputs.numpy()


class Model(keras.Model):
    def __init__(self, thing):
        super().__init__()
        self.thing = thing.unknowable()

    def call(self, inputs):
        return self.thing(inputs)


class Plain:
    def call(self, inputs):
        return inputs
"""

FAILING = {"Scale": 6, "Pick": 12, "Known": 17}


def trace(
    monkeypatch: pytest.MonkeyPatch, text: str, failing: dict[str, int], settings: Settings | None = None
) -> tuple[list[TracedLayer], list[Finding]]:
    """What comes of a file with a TensorFlow that fails for these layers at these lines."""

    def trace_layers(questions: Sequence[LayerQuestion], **options: Any) -> list[LayerResult]:
        return [
            LayerResult(q.path, q.layer, "fails", "tracing raises TypeError: no", failing[q.layer], None, q.keras)
            if q.layer in failing
            else LayerResult(q.path, q.layer, "traces", "it runs", None, f"{q.layer}()(x)", q.keras)
            for q in questions
        ]

    monkeypatch.setattr(tracing, "trace_layers", trace_layers)
    task = Task("layers.py", settings or Settings(), data=text.encode(), keep=True)
    outcomes, by_path = [lint_file(task)], {task.path: task.settings}
    layers = trace_outcomes(outcomes, by_path, wanted=every_layer, benchmark=False, tracer=Tracer())
    (outcome,) = with_failures(outcomes, by_path, layers)
    return layers, [finding for finding in outcome.findings if finding.code == "TFL902"]


def test_layers_and_models_are_traced_and_other_classes_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    layers, _ = trace(monkeypatch, LAYERS, {})
    assert [(layer.layer, layer.line) for layer in layers] == [("Scale", 4), ("Pick", 9), ("Known", 15), ("Model", 20)]


def test_a_failure_is_reported_where_no_finding_is(monkeypatch: pytest.MonkeyPatch) -> None:
    _, found = trace(monkeypatch, LAYERS, FAILING)
    assert [(f.line, f.column, f.end_column, f.message) for f in found] == [
        (6, 9, 28, "`Scale` runs eagerly, but tracing raises TypeError: no (line 6)"),
        (12, 9, 69, "`Pick` runs eagerly, but tracing raises TypeError: no (line 12)"),
    ]
    assert all(f.verdict and f.verdict.status is Status.CONFIRMED for f in found)


def test_a_line_that_two_layers_share_is_reported_once(monkeypatch: pytest.MonkeyPatch) -> None:
    _, found = trace(monkeypatch, LAYERS, {"Scale": 6, "Known": 6})
    assert [finding.layer for finding in found] == ["Scale"]


def test_selection_and_comments_apply(monkeypatch: pytest.MonkeyPatch) -> None:
    hidden = LAYERS.replace("* 2.0\n", "* 2.0  # noqa: TFL902\n").replace("numpy()", "numpy()  # noqa: TFL101")
    _, found = trace(monkeypatch, hidden, FAILING)
    assert [finding.line for finding in found] == [12]
    _, found = trace(monkeypatch, LAYERS, FAILING, Settings(select=("TFL101",)))
    assert found == []


def test_flagged_layers_are_those_of_findings() -> None:
    task = Task("layers.py", Settings(), data=LAYERS.encode())
    wanted = flagged_layers(lint_file(task).findings)
    assert wanted("./layers.py", "Known")
    assert not wanted("layers.py", "Scale")


def test_benchmark_needs_something_that_is_traced(tmp_path: Path) -> None:
    done = tflint("--benchmark", folder=tmp_path)
    assert done.returncode == 2
    assert b"--benchmark needs --trace-all or --confirm" in done.stderr


@pytest.mark.tensorflow
def test_every_layer_has_its_line_and_its_times(tmp_path: Path) -> None:
    (tmp_path / "layers.py").write_text(LAYERS)
    done = tflint("--trace-all", "--benchmark", folder=tmp_path)
    assert done.returncode == 1
    findings, lines = done.stdout.decode().splitlines()[:2], done.stdout.decode().splitlines()[2:]
    assert findings[0].startswith("layers.py:12:9: TFL902 `Pick` runs eagerly, but tracing raises TypeError: ")
    assert findings[1].startswith("layers.py:17:16: TFL101 ")
    assert lines[0].startswith("layers.py:4: Scale: traces: it runs eagerly and as a graph [Scale()(")
    assert " ms, graph " in lines[0]
    assert lines[0].endswith("x)")
    assert lines[1].startswith("layers.py:9: Pick: fails: tracing raises TypeError: ")
    assert lines[2].startswith("layers.py:15: Known: fails: tracing raises AttributeError: ")
    assert lines[3].startswith("layers.py:20: Model: unproven: it could not be built: ")
    assert b"Traced 4 layers (traces: 1, fails: 2, unproven: 1)." in done.stderr


@pytest.mark.tensorflow
def test_json_has_findings_and_layers(tmp_path: Path) -> None:
    (tmp_path / "layers.py").write_text(LAYERS)
    done = tflint("--trace-all", "--ignore", "TFL902", "--output-format", "json", folder=tmp_path)
    content = json.loads(done.stdout)
    assert list(content) == ["findings", "layers", "isolation"]
    assert any("namespaces" in how or "sockets" in how for how in content["isolation"])
    assert [finding["code"] for finding in content["findings"]] == ["TFL101"]
    assert [layer["status"] for layer in content["layers"]] == ["traces", "fails", "fails", "unproven"]
    assert list(content["layers"][0]) == [
        *("path", "line", "layer", "status", "because", "recipe", "keras", "eager_ms", "graph_ms"),
        *("eager_step_ms", "graph_step_ms"),
    ]
