"""Accepts the findings of old code: in a baseline file, or in ``# noqa`` comments."""

from __future__ import annotations

import ast
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tflint_layers.baseline import Baseline, Entry, entry_of, is_acceptable
from tflint_layers.cli.delivering import write_text
from tflint_layers.cli.running import Run
from tflint_layers.finding import Finding, Fix, Safety
from tflint_layers.fixer import FixResult, apply
from tflint_layers.noqa_edits import with_codes
from tflint_layers.notices import LAYER_DOES_NOT_TRACE, UNUSED_SUPPRESSION
from tflint_layers.report import catalogue
from tflint_layers.rules import Rule
from tflint_layers.settings import Settings, SettingsError
from tflint_layers.source import Source, UnreadableSource
from tflint_layers.suppressions import Suppressions
from tflint_layers.work import Outcome


@dataclass(frozen=True)
class Adopted:
    """The findings that are left to report, and the run with what accepting the others changed and told."""

    shown: list[Finding]
    run: Run


def read_baseline(file: Path) -> Baseline:
    """The baseline in a file.

    Raises:
        SettingsError: it cannot be read, or is no baseline.
    """
    try:
        return Baseline.from_text(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise SettingsError(f"{file}: {error}") from error


def leave_out(baseline: Baseline, file: Path, shown: list[Finding], run: Run) -> Adopted:
    """Report only what the baseline does not accept, and tell what it accepts in vain."""
    folder = folder_of(file)
    # What fixing left alone was accepted by the text of lines that it may have changed since.
    kept = {_place(finding) for fixed in _fixes(run) for finding in fixed.kept}
    baseline = baseline.without(_entries_of_accepted(run, folder))
    acceptable = [finding for finding in shown if is_acceptable(finding) and _place(finding) not in kept]
    new, left = baseline.split(acceptable, run.current, folder)
    accepted = {finding for finding in shown if _place(finding) in kept} | (set(acceptable) - set(new))
    # A suspect was perhaps accepted when --confirm had confirmed it.
    unseen = {finding for outcome in run.outcomes for finding in outcome.findings} - set(shown)
    _, stale = Baseline(left).split(unseen, run.current, folder)
    settings = {os.path.abspath(path): own for path, own in run.settings.items()}
    notes = tuple(
        _stale(file, entry, count) for entry, count in stale.items() if _is_stale(entry, folder, settings, run)
    )
    return Adopted([f for f in shown if f not in accepted], replace(run, notes=run.notes + notes))


def _fixes(run: Run) -> list[FixResult]:
    return [outcome.fixed for outcome in run.outcomes if outcome.fixed]


def _place(finding: Finding) -> tuple[str, int, int, str]:
    return finding.path, finding.line, finding.column, finding.code


def _entries_of_accepted(run: Run, folder: str) -> list[Entry]:
    return [
        entry_of(finding, outcome.document, folder)
        for outcome in run.outcomes
        if outcome.document and outcome.fixed
        for finding in outcome.fixed.accepted
    ]


def write_baseline(file: Path, shown: list[Finding], run: Run) -> Adopted:
    """Accept all findings from now on.

    Raises:
        SettingsError: the file cannot be written.
    """
    accepted = {finding for finding in shown if is_acceptable(finding)}
    write_text(file, Baseline.of(accepted, run.current, folder_of(file)).to_text())
    note = f"{file}: {len(accepted)} finding{'' if len(accepted) == 1 else 's'} accepted from now on"
    return Adopted([f for f in shown if f not in accepted], replace(run, notes=(*run.notes, note)))


def add_noqa(shown: list[Finding], run: Run) -> Adopted:
    """Put a comment on the line of each finding; nothing is written yet."""
    wanted = [finding for finding in shown if is_acceptable(finding) and finding.code != UNUSED_SUPPRESSION.code]
    outcomes, problems, silenced = [], list(run.problems), set[Finding]()
    for outcome in run.outcomes:
        own = [finding for finding in wanted if finding.path == outcome.path]
        try:
            fixed = _commented(outcome, own) if own else None
        except UnreadableSource:
            problems.append(f"{outcome.path}: no comments were added: they would change the code")
            fixed = None
        outcomes.append(replace(outcome, fixed=fixed) if fixed else outcome)
        silenced |= set(fixed.applied) if fixed else set()
    left = [finding for finding in shown if finding not in silenced]
    note = f"{len(silenced)} finding{'' if len(silenced) == 1 else 's'} silenced by comments"
    return Adopted(left, replace(run, outcomes=outcomes, problems=tuple(problems), notes=(*run.notes, note)))


def _commented(outcome: Outcome, findings: list[Finding]) -> FixResult | None:
    """The code with comments, and the findings that they hide.

    Raises:
        UnreadableSource: what was to be a comment would become part of a string.
    """
    if outcome.document is None:
        return None
    before = outcome.document.code
    source = Source.from_bytes(before, outcome.path)
    suppressions = Suppressions.of(source)
    by_place: dict[int, list[Finding]] = {}
    for finding in findings:
        by_place.setdefault(suppressions.last_line(finding.line), []).append(finding)
    edits = []
    for first, *more in by_place.values():
        edit = with_codes(source, suppressions, first.line, (finding.code for finding in (first, *more)))
        edits += [replace(first, fix=Fix("", Safety.SAFE, (edit,)))] if edit else []
    _, after = apply(before, edits)
    changed = Source.from_bytes(after, outcome.path)
    if ast.dump(changed.tree) != ast.dump(source.tree):
        raise UnreadableSource("the comments are none")
    hidden = Suppressions.of(changed)
    return FixResult(after, [finding for finding in findings if hidden.hides(finding)], [])


def _is_stale(entry: Entry, folder: str, settings: Mapping[str, Settings], run: Run) -> bool:
    """Whether this run would have found what an entry accepts, or nobody can because the file is gone."""
    path = os.path.abspath(os.path.join(folder, entry.path))
    if path not in settings:
        return not os.path.exists(path)
    return _is_on(entry.code, settings[path], run)


def _is_on(code: str, settings: Settings, run: Run) -> bool:
    known = catalogue.entries().get(code)
    if known is None:
        return True
    if code == LAYER_DOES_NOT_TRACE.code and run.layers is None:
        return False
    return settings.selects(code, known.name, isinstance(known, Rule) and known.preview)


def _stale(file: Path, entry: Entry, count: int) -> str:
    times = "" if count == 1 else f" ({count} times)"
    return f"{file}: {entry.path}: {entry.code} is no longer found at `{entry.text}`{times}"


def folder_of(file: Path) -> str:
    """The folder that the paths of a baseline are relative to."""
    return os.path.dirname(os.path.abspath(file))
