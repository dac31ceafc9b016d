"""Runs flagged layers under real TensorFlow, in child processes, and says what happened."""

from __future__ import annotations

import sys
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tflint_layers.confirm.asking import absolute, entry_of, example_for, group_of, read_source, request_for, source_of
from tflint_layers.confirm.elsewhere import Elsewhere, UnreadableRecord
from tflint_layers.confirm.judge import judge, layer_status, place_of
from tflint_layers.confirm.pool import NoTensorFlow, Progress
from tflint_layers.confirm.request import Trace, TraceRequest
from tflint_layers.confirm.tracer import Output, Tracer
from tflint_layers.finding import Finding, Status, Verdict
from tflint_layers.source import Source

__all__ = [
    "FixProof",
    "FixQuestion",
    "LayerQuestion",
    "LayerResult",
    "NoTensorFlow",
    "Output",
    "Tracer",
    "UnreadableRecord",
    "confirm",
    "entry_of",
    "prove_fix",
    "prove_fixes",
    "trace_layer",
    "trace_layers",
]


@dataclass(frozen=True)
class LayerQuestion:
    """A layer to be traced for its own sake."""

    source: bytes
    path: str
    layer: str
    keras: int = 3


@dataclass(frozen=True)
class LayerResult:
    """What tracing a layer showed; ``status`` is ``traces``, ``fails`` or ``unproven``."""

    path: str
    layer: str
    status: str
    because: str
    line: int | None
    recipe: str | None
    keras: int
    eager_ms: float | None = None
    graph_ms: float | None = None
    eager_step_ms: float | None = None
    graph_step_ms: float | None = None


@dataclass(frozen=True)
class FixQuestion:
    """Does ``layer`` (or ``function``, where that is None) compute in ``fixed`` what it computes in ``original``?

    ``home`` is the file of the layer where it is not ``path``, the one that is fixed.
    """

    original: bytes
    fixed: bytes
    path: str
    layer: str | None
    keras: int = 3
    entry: str = "call"
    function: str | None = None
    home: str | None = None


@dataclass(frozen=True)
class FixProof:
    """Whether a fix keeps what the layer does, and how that was seen (or not).

    ``other_gradients``: it keeps everything but the gradients. ``undecided``: nothing that the layer did speaks
    against the fix, but it did not run, does not trace for another reason, or did not come by all that is fixed.
    """

    ok: bool
    because: str
    recipe: str | None
    other_gradients: bool = False
    undecided: bool = False


def confirm(
    findings: Sequence[Finding],
    sources: Mapping[str, bytes],
    *,
    python: str | None = None,
    timeout: float = 20.0,
    memory_mb: int = 4096,
    jobs: int | None = None,
    progress: Progress | None = None,
    tracer: Tracer | None = None,
    examples: Mapping[str, Any] | None = None,
    recorded: str | None = None,
) -> list[Finding]:
    """The same findings in the same order, each with a verdict; ``timeout`` is in seconds per layer.

    With a ``tracer``, which calls may share, ``jobs`` and ``progress`` are its own.

    Raises:
        NoTensorFlow: the interpreter has no TensorFlow.
        UnreadableRecord: ``recorded`` is no record of tests.
    """
    read = {path: source for path, data in sources.items() if (source := source_of(path, data)) is not None}
    groups: dict[tuple[Any, ...], list[int]] = {}
    for number, finding in enumerate(findings):
        groups.setdefault(group_of(finding, read), []).append(number)
    requests, members = [], []
    elsewhere = Elsewhere(recorded)
    for numbers in groups.values():
        group = [findings[number] for number in numbers]
        if (request := request_for(group, read, examples or {}, elsewhere, timeout, memory_mb)) is not None:
            requests.append(request)
            members.append(numbers)
    verdicts: dict[int, Verdict] = {}
    for numbers, trace in zip(members, _traces(requests, tracer, python, jobs, progress), strict=True):
        places = {
            number: place_of(findings[number], absolute(findings[number].path), read[findings[number].path].text)
            for number in numbers
        }
        for number, place in places.items():
            others = tuple(other for other in places.values() if other is not place)
            verdicts[number] = judge(findings[number], replace(place, others=others), trace)
    return [
        replace(finding, verdict=verdicts.get(number) or _not_run(finding)) for number, finding in enumerate(findings)
    ]


def _traces(
    requests: Sequence[TraceRequest],
    tracer: Tracer | None,
    python: str | None,
    jobs: int | None,
    progress: Progress | None,
) -> list[Trace]:
    if tracer is not None:
        return tracer.run(requests, python)
    with Tracer(jobs=jobs, progress=progress) as own:
        return own.run(requests, python)


def _not_run(finding: Finding) -> Verdict:
    return Verdict(Status.UNPROVEN, "its source cannot be read", None, finding.keras)


def trace_layers(
    questions: Sequence[LayerQuestion],
    *,
    python: str | None = None,
    timeout: float = 20.0,
    memory_mb: int = 4096,
    jobs: int | None = None,
    progress: Progress | None = None,
    tracer: Tracer | None = None,
    examples: Mapping[str, Any] | None = None,
    recorded: str | None = None,
    benchmark: bool = False,
) -> list[LayerResult]:
    """Trace layers whether or not anything is wrong with them; with ``benchmark`` also measure them.

    Raises:
        NoTensorFlow: the interpreter has no TensorFlow.
        UnreadableRecord: ``recorded`` is no record of tests.
    """
    elsewhere = Elsewhere(recorded)
    requests = [
        TraceRequest(
            path=absolute(question.path),
            source=Source.from_bytes(question.source, question.path).text,
            layer=question.layer,
            function=None,
            entry="call",
            keras=question.keras,
            example=example_for(examples or {}, question.path, question.layer),
            shown=elsewhere.of(absolute(question.path), question.layer),
            benchmark=benchmark,
            # Measuring takes as long again.
            timeout=timeout * (2 if benchmark else 1),
            memory_mb=memory_mb,
        )
        for question in questions
    ]
    traces = _traces(requests, tracer, python, jobs, progress)
    return [_result(question, trace) for question, trace in zip(questions, traces, strict=True)]


def _result(question: LayerQuestion, trace: Trace) -> LayerResult:
    status, because, line = layer_status(trace)
    return LayerResult(
        question.path,
        question.layer,
        status,
        because,
        line,
        trace.recipe,
        question.keras,
        trace.eager_ms,
        trace.graph_ms,
        trace.eager_step_ms,
        trace.graph_step_ms,
    )


def trace_layer(source: bytes, path: str, layer: str, keras: int = 3, **options: Any) -> LayerResult:
    """:func:`trace_layers` for one layer."""
    return trace_layers([LayerQuestion(source, path, layer, keras)], **options)[0]


def prove_fixes(
    questions: Sequence[FixQuestion],
    *,
    python: str | None = None,
    timeout: float = 20.0,
    memory_mb: int = 4096,
    jobs: int | None = None,
    progress: Progress | None = None,
    tracer: Tracer | None = None,
    examples: Mapping[str, Any] | None = None,
    recorded: str | None = None,
) -> list[FixProof]:
    """Whether fixed layers trace, and give the numbers that the original ones give in eager mode.

    Raises:
        NoTensorFlow: the interpreter has no TensorFlow.
        UnreadableRecord: ``recorded`` is no record of tests.
    """
    elsewhere = Elsewhere(recorded)
    requests = [_proof_request(q, examples or {}, elsewhere, timeout, memory_mb) for q in questions]
    asked = [request for request in requests if request is not None]
    traces = iter(_traces(asked, tracer, python, jobs, progress))
    return [_proof(next(traces) if request is not None else None) for request in requests]


def _proof_request(
    question: FixQuestion, examples: Mapping[str, Any], elsewhere: Elsewhere, timeout: float, memory_mb: int
) -> TraceRequest | None:
    """What a worker is asked about a fix; None where the file of the layer cannot be read."""
    home = question.home or question.path
    original, fixed = (Source.from_bytes(data, question.path).text for data in (question.original, question.fixed))
    source = read_source(question.home) if question.home else None
    if question.home and source is None:
        return None
    helper = absolute(question.path) if source else None
    return TraceRequest(
        path=absolute(home),
        source=source.text if source else original,
        fixed=source.text if source else fixed,
        helper=helper,
        helper_texts=(original, fixed) if helper else None,
        watch=(helper,) if helper else (),
        layer=question.layer,
        function=question.function,
        entry=question.entry,
        keras=question.keras,
        example=example_for(examples, home, question.layer),
        shown=elsewhere.of(absolute(home), question.layer),
        timeout=timeout,
        memory_mb=memory_mb,
    )


def _proof(trace: Trace | None) -> FixProof:
    if trace is None:
        return FixProof(False, "its source cannot be read", None, undecided=True)
    because = trace.because or trace.stopped or "it could not be compared"
    undecided = trace.undecided or trace.same is None
    return FixProof(bool(trace.same), because, trace.recipe, trace.other_gradients, undecided)


def prove_fix(
    original: bytes, fixed: bytes, path: str, layer: str, keras: int = 3, entry: str = "call", **options: Any
) -> FixProof:
    """:func:`prove_fixes` for one layer."""
    return prove_fixes([FixQuestion(original, fixed, path, layer, keras, entry)], **options)[0]


class _CallableModule(types.ModuleType):
    """Lets ``tflint_layers.confirm`` be both this package and the function that the Python API promises."""

    def __call__(self, *arguments: Any, **options: Any) -> list[Finding]:
        """:func:`confirm`."""
        return confirm(*arguments, **options)


# Importing a package makes it an attribute of the one around it, whatever else had that name there.
sys.modules[__name__].__class__ = _CallableModule
