"""Has real TensorFlow trace layers for their own sake, whether or not anything is reported about them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from tflint_layers.confirm import LayerQuestion, LayerResult, Tracer, trace_layers
from tflint_layers.confirming import by_tracing, code_of, trace_options
from tflint_layers.finding import Finding, Proof, Status, Verdict
from tflint_layers.linter import LayerPlace, layers_of, lint
from tflint_layers.notices import LAYER_DOES_NOT_TRACE
from tflint_layers.report.layers import TracedLayer
from tflint_layers.settings import Settings
from tflint_layers.source import Source
from tflint_layers.suppressions import Suppressions
from tflint_layers.work import Outcome

# Whether the layer with this name in the file with this path is wanted.
Wanted = Callable[[str, str], bool]


def every_layer(path: str, layer: str) -> bool:
    """Wants all layers."""
    return True


def flagged_layers(findings: Iterable[Finding]) -> Wanted:
    """Wants the layers that findings are about."""
    flagged = {(os.path.abspath(finding.layer_path or finding.path), finding.layer) for finding in findings}
    return lambda path, layer: (os.path.abspath(path), layer) in flagged


def trace_outcomes(
    outcomes: Iterable[Outcome],
    settings: Mapping[str, Settings],
    *,
    wanted: Wanted,
    benchmark: bool,
    tracer: Tracer,
) -> list[TracedLayer]:
    """What tracing the wanted layers of the files shows, in the order of files and lines.

    Raises:
        NoTensorFlow: the interpreter has no TensorFlow.
    """
    traced: list[TracedLayer] = []
    for how, group in by_tracing(outcomes, settings).items():
        asked = [
            (place, LayerQuestion(code_of(outcome), outcome.path, place.name, place.keras))
            for outcome in group
            for place in layers_of(code_of(outcome), outcome.path, settings[outcome.path])
            if wanted(outcome.path, place.name)
        ]
        questions = [question for _, question in asked]
        results = trace_layers(questions, benchmark=benchmark, tracer=tracer, **trace_options(how))
        traced += [_traced(place, result) for (place, _), result in zip(asked, results, strict=True)]
    return sorted(traced, key=lambda layer: (layer.path, layer.line, layer.layer))


def with_failures(
    outcomes: Iterable[Outcome], settings: Mapping[str, Settings], layers: Iterable[TracedLayer]
) -> list[Outcome]:
    """The outcomes with a finding for each line that fails to trace and that no other finding is about."""
    failing: dict[str, list[TracedLayer]] = {}
    for layer in layers:
        if layer.status == "fails":
            failing.setdefault(layer.path, []).append(layer)
    return [
        replace(
            outcome, findings=[*outcome.findings, *_failures(outcome, settings[outcome.path], failing[outcome.path])]
        )
        if outcome.path in failing
        else outcome
        for outcome in outcomes
    ]


def _traced(place: LayerPlace, result: LayerResult) -> TracedLayer:
    return TracedLayer(
        path=result.path,
        line=place.line,
        layer=result.layer,
        status=result.status,
        because=result.because,
        recipe=result.recipe,
        keras=result.keras,
        eager_ms=result.eager_ms,
        graph_ms=result.graph_ms,
        eager_step_ms=result.eager_step_ms,
        graph_step_ms=result.graph_step_ms,
        failing_line=result.line,
    )


def _failures(outcome: Outcome, settings: Settings, layers: Iterable[TracedLayer]) -> Iterator[Finding]:
    """One finding for each line, by the first layer that fails there."""
    if not settings.selects(LAYER_DOES_NOT_TRACE.code, LAYER_DOES_NOT_TRACE.name):
        return
    source = Source.from_bytes(code_of(outcome), outcome.path)
    suppressions = Suppressions.of(source)
    covered = set(_covered(outcome, source, settings))
    for layer in layers:
        finding = _failure(layer, source)
        if finding.line not in covered and not suppressions.hides(finding):
            covered.add(finding.line)
            yield finding


def _covered(outcome: Outcome, source: Source, settings: Settings) -> Iterator[int]:
    """The lines about which the user knows, even if a comment hides it."""
    known = [finding for finding in lint(source, settings, noqa=False) if not finding.suspect]
    confirmed = [f for f in outcome.findings if f.verdict is not None and f.verdict.status is Status.CONFIRMED]
    for finding in (*known, *confirmed):
        yield from range(finding.line, finding.end_line + 1)


def _failure(layer: TracedLayer, source: Source) -> Finding:
    number = layer.failing_line or layer.line
    text = source.lines[number - 1].rstrip()
    where = f" (line {number})" if layer.failing_line else ""
    return Finding(
        path=layer.path,
        cell=None,
        line=number,
        column=len(text) - len(text.lstrip()) + 1,
        code=LAYER_DOES_NOT_TRACE.code,
        end_line=number,
        end_column=len(text) + 1,
        name=LAYER_DOES_NOT_TRACE.name,
        message=f"`{layer.layer}` runs eagerly, but {layer.because}{where}",
        layer=layer.layer,
        function=None,
        route=(),
        keras=layer.keras,
        proof=Proof.RAISES,
        verdict=Verdict(Status.CONFIRMED, layer.because, layer.recipe, layer.keras),
    )
