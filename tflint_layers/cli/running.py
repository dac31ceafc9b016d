"""Lints what the command line names, and asks TensorFlow where that is wanted; prints and writes nothing."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tflint_layers.baseline import Baseline
from tflint_layers.cli.both import merged, other_settings, twins_of
from tflint_layers.cli.options import STDIN_NAME, Options
from tflint_layers.discover import STDIN, discover
from tflint_layers.document import Document
from tflint_layers.finding import Finding, Status
from tflint_layers.progress import Progress
from tflint_layers.report import catalogue, in_order
from tflint_layers.report.layers import TracedLayer
from tflint_layers.settings import BOTH, CACHE, Configuration, Settings, SettingsError
from tflint_layers.work import Outcome, Task, lint_files

if TYPE_CHECKING:
    from tflint_layers.confirm import Output, Tracer


@dataclass(frozen=True)
class KnownFindings:
    """A baseline and the folder that its paths are relative to."""

    baseline: Baseline
    folder: str

    def of_file(self, path: str) -> Baseline:
        """What is accepted of one file."""
        return self.baseline.of_file(path, self.folder)


@dataclass(frozen=True)
class Run:
    """What a run found out, before anything is printed or written. ``layers`` is None where none were asked for.

    ``isolation`` says how the layers that ran were cut off from the network, ``outputs`` what they printed.
    """

    outcomes: list[Outcome]
    problems: tuple[str, ...]
    notes: tuple[str, ...]
    settings: Mapping[str, Settings]
    layers: list[TracedLayer] | None = None
    isolation: tuple[str, ...] = ()
    outputs: tuple[Output, ...] = ()

    @cached_property
    def current(self) -> dict[str, Document]:
        """The documents as the fixes left them, which is what the findings that remain are about."""
        documents = {outcome.path: _current(outcome, outcome.document) for outcome in self.outcomes if outcome.document}
        elsewhere = {finding.path for outcome in self.outcomes for finding in outcome.findings} - documents.keys()
        return documents | {path: _read_document(path) for path in elsewhere}


def _current(outcome: Outcome, document: Document) -> Document:
    if outcome.fixed is None or outcome.fixed.data == document.code:
        return document
    data = document.with_code(outcome.fixed.data)
    return Document.of(data, outcome.path) if data is not None else document


def _read_document(path: str) -> Document:
    """What stands behind a path that was not linted itself: a helper in another file."""
    try:
        return Document.of(Path(path).read_bytes(), path)
    except OSError:
        return Document(path, b"", b"")


def run_of(options: Options, accepted: KnownFindings | None = None) -> Run:
    """Lint the files, and confirm the findings and fixes where that is asked for; what is accepted is not fixed."""
    configuration = Configuration(options.config, isolated=options.isolated)
    found = discover(options.paths or (".",), configuration)
    fixing = (options.fix or options.diff) and not options.confirm
    traced = options.trace_all or options.benchmark
    tasks = [
        replace(_task(path, options, configuration), fix=fixing, unsafe=options.unsafe_fixes, keep=traced)
        for path in found.files
    ]
    if accepted and fixing:
        tasks = [replace(t, baseline=accepted.of_file(t.path), folder=accepted.folder) for t in tasks]
    settings = {task.path: task.settings for task in tasks}
    progress = Progress("linting", options.quiet)
    outcomes = lint_files([*tasks, *(twins := twins_of(tasks))], options.jobs, progress)
    progress.close()
    outcomes = merged(outcomes[: len(tasks)], outcomes[len(tasks) :], judged=options.confirm) if twins else outcomes
    layers = None
    isolation: tuple[str, ...] = ()
    outputs: tuple[Output, ...] = ()
    if options.confirm or traced:
        with _tensorflow(options, settings.values()) as tracer:
            outcomes = _confirmed(outcomes, settings, options, accepted, tracer) if options.confirm else outcomes
            if traced:
                outcomes, layers = _traced(outcomes, settings, options, tracer)
            isolation, outputs = tracer.isolation, tuple(tracer.outputs)
    broken = tuple(outcome.problem for outcome in outcomes if outcome.problem)
    unfixed = tuple(
        f"{outcome.path}: {outcome.fixed.problem}" for outcome in outcomes if outcome.fixed and outcome.fixed.problem
    )
    notes = tuple(note for outcome in outcomes for note in outcome.notes)
    return Run(outcomes, found.problems + broken + unfixed, found.notes + notes, settings, layers, isolation, outputs)


def _task(path: str, options: Options, configuration: Configuration) -> Task:
    data = None
    if path == STDIN:
        path = options.stdin_filename or STDIN_NAME
        data = sys.stdin.buffer.read()
    return Task(path, _settings(path, options, configuration), data=data)


def _settings(path: str, options: Options, configuration: Configuration) -> Settings:
    """The settings of a file, with the command line's on top."""
    settings = _checked(configuration.settings_for(path)).with_selection(
        options.select, options.extend_select or (), options.ignore or ()
    )
    settings = replace(
        _checked(settings),
        preview=settings.preview or options.preview,
        python=options.python or settings.python,
        recorded=str(options.recorded.absolute()) if options.recorded else settings.recorded,
    )
    if options.keras is not None:
        also, keras = (
            BOTH if options.keras == "2,3" else (None, None if options.keras == "auto" else int(options.keras))
        )
        settings = replace(settings, keras=keras, also_keras=also)
    if options.fix or options.diff or options.add_noqa:
        settings = replace(settings, also_keras=None)
    return settings.for_file(path)


def _checked(settings: Settings) -> Settings:
    settings.check_selectors(_names())
    return settings


@functools.cache
def _names() -> dict[str, str]:
    return {code: entry.name for code, entry in catalogue.entries().items()}


def _confirmed(
    outcomes: list[Outcome],
    settings: Mapping[str, Settings],
    options: Options,
    accepted: KnownFindings | None,
    tracer: Tracer,
) -> list[Outcome]:
    """The outcomes with the verdicts of real TensorFlow and, if asked for, with the fixes that it proves."""
    from tflint_layers.confirming import Fixes, confirm_outcomes

    def accept(outcome: Outcome) -> list[Finding]:
        if accepted is None or outcome.document is None:
            return []
        return accepted.baseline.accepted(visible([outcome], options), outcome.document, accepted.folder)

    fixes = Fixes(accept, options.unsafe_fixes) if options.fix or options.diff else None
    return confirm_outcomes(outcomes, settings, fixes=fixes, tracer=tracer)


def _traced(
    outcomes: list[Outcome], settings: Mapping[str, Settings], options: Options, tracer: Tracer
) -> tuple[list[Outcome], list[TracedLayer]]:
    """All layers, or those that findings are about, traced; and the outcomes with what tracing all of them finds."""
    from tflint_layers.tracing import every_layer, flagged_layers, trace_outcomes, with_failures

    wanted = every_layer if options.trace_all else flagged_layers(visible(outcomes, options))
    found: list[TracedLayer] = []
    for own in filter(None, (settings, other_settings(settings))):
        asked = [outcome for outcome in outcomes if outcome.path in own]
        layers = trace_outcomes(asked, own, wanted=wanted, benchmark=options.benchmark, tracer=tracer)
        outcomes = with_failures(outcomes, own, layers) if options.trace_all else outcomes
        found += layers
    return outcomes, sorted(found, key=lambda layer: (layer.path, layer.line, layer.layer, layer.keras))


@contextmanager
def _tensorflow(options: Options, settings: Iterable[Settings]) -> Iterator[Tracer]:
    """What runs layers, and shows how far it is; that there is no TensorFlow is for the user to repair."""
    from tflint_layers.confirm import NoTensorFlow, Tracer, UnreadableRecord

    progress = Progress("tracing", options.quiet)
    try:
        with Tracer(jobs=options.jobs, cache=_cache(options, settings), progress=progress) as tracer:
            yield tracer
    except (NoTensorFlow, UnreadableRecord) as error:
        raise SettingsError(str(error)) from error
    finally:
        progress.close()


def _cache(options: Options, settings: Iterable[Settings]) -> Path | None:
    """The folder for what need not be done again; the one of the configuration that the first file has."""
    if options.no_cache:
        return None
    root = next((own.root for own in settings if own.root is not None), Path())
    return options.cache_dir or root / CACHE


def visible(outcomes: Iterable[Outcome], options: Options) -> list[Finding]:
    """The findings that the user is told about: no suspects but confirmed ones, nothing refuted unless asked for."""

    def is_visible(finding: Finding) -> bool:
        status = finding.verdict.status if finding.verdict else None
        if status is Status.REFUTED:
            return options.show_refuted
        return not finding.suspect or status is Status.CONFIRMED

    return in_order(finding for outcome in outcomes for finding in outcome.findings if is_visible(finding))
