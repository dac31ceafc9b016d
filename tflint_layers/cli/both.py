"""Lints and traces for two versions of Keras in one run, as what they say about the same files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from tflint_layers.finding import Finding
from tflint_layers.notices import NOTICES
from tflint_layers.settings import Settings
from tflint_layers.work import Outcome, Task


def twins_of(tasks: Iterable[Task]) -> list[Task]:
    """The tasks that are to be done for another Keras too, for that one."""
    return [replace(task, settings=other) for task in tasks if (other := for_other_keras(task.settings)) is not None]


def for_other_keras(settings: Settings) -> Settings | None:
    """The settings for the second Keras, where two are asked about."""
    if settings.also_keras is None:
        return None
    return replace(settings, keras=settings.also_keras, also_keras=None)


def merged(outcomes: Sequence[Outcome], twins: Iterable[Outcome], *, judged: bool) -> list[Outcome]:
    """One outcome for each file, with the findings of both.

    What both say alike is said once, unless each gets a verdict of its own (``judged``).
    """
    others = {twin.path: twin for twin in twins}
    return [_merged(outcome, others.get(outcome.path), judged) for outcome in outcomes]


def _merged(outcome: Outcome, twin: Outcome | None, judged: bool) -> Outcome:
    if twin is None:
        return outcome
    known = {_without_keras(finding) for finding in outcome.findings}
    more = [
        finding
        for finding in twin.findings
        if (judged and finding.code not in NOTICES) or _without_keras(finding) not in known
    ]
    return replace(
        outcome,
        findings=[*outcome.findings, *more],
        document=outcome.document or twin.document,
        problem=outcome.problem or twin.problem,
    )


def _without_keras(finding: Finding) -> Finding:
    # A fix or a route may differ: it is the same problem, told in the same words.
    return replace(finding, keras=0, fix=None, route=())


def other_settings(settings: Mapping[str, Settings]) -> dict[str, Settings]:
    """The settings for the second Keras of those files for which there is one."""
    return {path: other for path, own in settings.items() if (other := for_other_keras(own)) is not None}
