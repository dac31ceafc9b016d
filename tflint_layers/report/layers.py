"""Layers that were traced for their own sake, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tflint_layers.document import Document
from tflint_layers.finding import Finding
from tflint_layers.report.json import as_object
from tflint_layers.report.render import Documents, Paint

_COLOR = {"traces": "green", "fails": "red", "unproven": "yellow"}


@dataclass(frozen=True)
class TracedLayer:
    """What TensorFlow said about one class.

    ``line`` is where the class starts, ``failing_line`` the one that raises. The times are medians, of a call and of a
    training step.
    """

    path: str
    line: int
    layer: str
    status: str
    because: str
    recipe: str | None
    keras: int
    eager_ms: float | None = None
    graph_ms: float | None = None
    eager_step_ms: float | None = None
    graph_step_ms: float | None = None
    failing_line: int | None = None


def as_text(layers: Sequence[TracedLayer], documents: Documents, paint: Paint) -> str:
    """``path:line: Layer: status: because [recipe]``, a line for each layer."""
    several = len({layer.keras for layer in layers}) > 1
    return "".join(f"{_line(layer, documents[layer.path], paint, several)}\n" for layer in layers)


def as_json(
    findings: Sequence[Finding], layers: Sequence[TracedLayer], documents: Documents, isolation: Sequence[str]
) -> str:
    """One JSON object with both lists, and how the processes that ran layers were cut off from the network."""
    content = {
        "findings": [as_object(finding, documents[finding.path]) for finding in findings],
        "layers": [_object(layer, documents[layer.path]) for layer in layers],
        "isolation": list(isolation),
    }
    return json.dumps(content, indent=2) + "\n"


def summary(layers: Sequence[TracedLayer]) -> str:
    """How many layers there are of each status."""
    counts: Mapping[str, int] = {status: sum(layer.status == status for layer in layers) for status in _COLOR}
    listed = ", ".join(f"{status}: {count}" for status, count in counts.items() if count)
    return f"Traced {len(layers)} layer{'' if len(layers) == 1 else 's'}" + (f" ({listed})." if listed else ".")


def _line(layer: TracedLayer, document: Document, paint: Paint, several: bool) -> str:
    place = document.place(layer.line, 1)
    cell = "" if place.cell is None else f":cell {place.cell}"
    where = paint(f"{layer.path}{cell}:{place.line}", "cyan")
    recipe = f" [{_flat(layer.recipe)}]" if layer.recipe else ""
    status = paint(layer.status, _COLOR[layer.status])
    keras = f" under Keras {layer.keras}" if several else ""
    return f"{where}: {layer.layer}: {status}{keras}: {_flat(layer.because)}{recipe}{_times(layer)}"


def _times(layer: TracedLayer) -> str:
    """The measured times and their ratios, where there are some."""
    call = _pair("", layer.eager_ms, layer.graph_ms)
    step = _pair("training step ", layer.eager_step_ms, layer.graph_step_ms)
    return f" ({'; '.join(filter(None, (call, step)))})" if call else ""


def _pair(what: str, eager: float | None, graph: float | None) -> str:
    if eager is None or graph is None:
        return ""
    ratio = f", {eager / graph:.2f}x" if graph else ""
    return f"{what}eager {eager:.3f} ms, graph {graph:.3f} ms{ratio}"


def _flat(text: str) -> str:
    return " ".join(text.split())


def _object(layer: TracedLayer, document: Document) -> dict[str, Any]:
    place = document.place(layer.line, 1)
    # Only in a notebook do lines count from the start of a cell.
    cell = {} if place.cell is None else {"cell": place.cell}
    return {
        "path": layer.path,
        "line": place.line,
        **cell,
        "layer": layer.layer,
        "status": layer.status,
        "because": layer.because,
        "recipe": layer.recipe,
        "keras": layer.keras,
        "eager_ms": layer.eager_ms,
        "graph_ms": layer.graph_ms,
        "eager_step_ms": layer.eager_step_ms,
        "graph_step_ms": layer.graph_step_ms,
    }
