"""Asks real TensorFlow about the findings of a run, and about the fixes before they are applied."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tflint_layers.confirm import FixProof, FixQuestion, Tracer, confirm, entry_of, prove_fixes
from tflint_layers.finding import Entry, Finding, Safety, Status
from tflint_layers.fixer import Fixing, FixResult, Reaching, Trial, fixing
from tflint_layers.linter import entries_reaching
from tflint_layers.notices import NOTICES
from tflint_layers.settings import Settings
from tflint_layers.work import Outcome

# So many layers are run for a fix in a helper that they share.
_MOST_ENTRIES = 8


@dataclass(frozen=True)
class Fixes:
    """Which fixes are wanted: not those of findings that are accepted.

    ``unsafe``: also those that change nothing but gradients.
    """

    accept: Callable[[Outcome], Iterable[Finding]] = lambda outcome: ()
    unsafe: bool = False


def confirm_outcomes(
    outcomes: Iterable[Outcome], settings: Mapping[str, Settings], *, fixes: Fixes | None, tracer: Tracer
) -> list[Outcome]:
    """The outcomes with verdicts; with ``fixes``, also with those after which a layer traces and agrees with itself.

    What a fix leaves is asked about once more, since it now stands in other code.

    Raises:
        NoTensorFlow: the interpreter has no TensorFlow.
    """
    judged = _judged(list(outcomes), settings, tracer)
    if fixes is None:
        return judged
    fixed = _fixed(judged, settings, fixes, tracer)
    changed = [outcome for outcome in fixed if outcome.fixed and outcome.fixed.applied]
    anew = {outcome.path: outcome for outcome in _judged(changed, settings, tracer)}
    return [anew.get(outcome.path, outcome) for outcome in fixed]


def _judged(outcomes: list[Outcome], settings: Mapping[str, Settings], tracer: Tracer) -> list[Outcome]:
    """The outcomes with a verdict on each finding; layers that are traced in the same way are traced in one go."""
    answers: dict[Finding, Finding] = {}
    for how, group in by_tracing(_flagged(outcomes), settings).items():
        asked = [finding for outcome in group for finding in outcome.findings if finding.code not in NOTICES]
        sources = {outcome.path: code_of(outcome) for outcome in group}
        given = confirm(asked, sources, tracer=tracer, **trace_options(how))
        answers |= dict(zip(asked, given, strict=True))
    return [
        replace(outcome, findings=[answers.get(finding, finding) for finding in outcome.findings])
        for outcome in outcomes
    ]


@dataclass
class _Work:
    """A file that is being fixed: its trials wait for an answer, until there is a result."""

    outcome: Outcome
    steps: Fixing
    unsafe: bool
    trials: list[Trial] = field(default_factory=list)
    result: FixResult | None = None
    refusals: dict[tuple[str, str], str] = field(default_factory=dict)
    proofs: dict[tuple[Finding, ...], str] = field(default_factory=dict)

    def start(self) -> None:
        """Take the first questions."""
        self._step(lambda: next(self.steps))

    def answer(self, proofs: list[FixProof]) -> None:
        """Give the answers, and take the next questions."""
        answers = [proof.ok or (self.unsafe and proof.other_gradients) for proof in proofs]
        for trial, proof, passes in zip(self.trials, proofs, answers, strict=True):
            if passes:
                self.proofs[trial.findings] = proof.because
            else:
                hint = "; --unsafe-fixes makes it all the same" if proof.other_gradients else ""
                self.refusals |= {(finding.code, finding.message): proof.because + hint for finding in trial.findings}
        self._step(lambda: self.steps.send(answers))

    def _step(self, step: Callable[[], list[Trial]]) -> None:
        try:
            self.trials = step()
        except StopIteration as done:
            self.result, self.trials = done.value, []

    @property
    def fixed(self) -> Outcome:
        """The outcome with the result, and why fixes were not made."""
        assert self.result is not None
        refused = [
            f"{f.path}:{f.line}: the fix of {f.code} was not made: {self.refusals[f.code, f.message]}"
            for f in self.result.remaining
            if (f.code, f.message) in self.refusals
        ]
        # Without a change, the findings that have their verdicts already are the ones that remain.
        findings = self.result.remaining if self.result.applied else self.outcome.findings
        return replace(self.outcome, findings=findings, fixed=self.result, notes=(*self._made(), *refused))

    def _made(self) -> Iterator[str]:
        """Why each fix was made, in the order in which they were."""
        assert self.result is not None
        made = set(self.result.applied)
        for findings, because in self.proofs.items():
            if made.issuperset(findings):
                made -= set(findings)
                codes = ", ".join(dict.fromkeys(finding.code for finding in findings))
                where = findings[0].layer or findings[0].function or "the module"
                yield f"{self.outcome.path}: {codes} fixed in {where}: {because}"


def _fixed(outcomes: list[Outcome], settings: Mapping[str, Settings], fixes: Fixes, tracer: Tracer) -> list[Outcome]:
    """The outcomes with what the proved fixes make of their files; the fixes of all files are tried in one go."""
    done: dict[str, Outcome] = {}
    for how, group in by_tracing(_flagged(outcomes), settings).items():
        works = [_start(outcome, settings[outcome.path], fixes) for outcome in group]
        while waiting := [work for work in works if work.result is None]:
            proofs = iter(_proofs([trial for work in waiting for trial in work.trials], how, tracer))
            for work in waiting:
                work.answer([next(proofs) for _ in work.trials])
        done |= {work.outcome.path: work.fixed for work in works}
    return [done.get(outcome.path, outcome) for outcome in outcomes]


def _start(outcome: Outcome, settings: Settings, fixes: Fixes) -> _Work:
    unwanted = {
        (finding.code, finding.message)
        for finding in outcome.findings
        if finding.verdict and not _is_worth_fixing(finding)
    }
    code = code_of(outcome)
    accepted = {(f.line, f.column, f.code) for f in fixes.accept(outcome)}
    steps = fixing(
        code,
        outcome.path,
        settings,
        lambda finding: (finding.code, finding.message) not in unwanted,
        lambda findings: [f for f in findings if (f.line, f.column, f.code) in accepted],
        reaching=_reaching(outcome, settings),
    )
    work = _Work(outcome, steps, fixes.unsafe)
    work.start()
    return work


def _is_worth_fixing(finding: Finding) -> bool:
    status = finding.verdict.status if finding.verdict else None
    return status is Status.CONFIRMED or (status is Status.UNPROVEN and not finding.suspect)


def _reaching(outcome: Outcome, settings: Settings) -> Reaching:
    """What a finding of a file is reached from: what it was found through first, then all others."""
    known = entries_reaching(code_of(outcome), outcome.path, settings)

    def reaching(finding: Finding) -> list[Entry]:
        own, others = finding.entry, known.get(finding.function or "", ())
        if own is None:
            return []
        same = [other for other in others if (other.layer, other.root) == (own.layer, own.root)]
        return [*(same or [own]), *(other for other in others if other not in same)]

    return reaching


def _proofs(trials: list[Trial], how: Settings, tracer: Tracer) -> list[FixProof]:
    """Whether each trial passes. What nothing in the file shows is left to how safe the fix is by itself."""
    questions = [[_question(trial, entry) for entry in trial.entries[:_MOST_ENTRIES]] for trial in trials]
    proofs = iter(prove_fixes([q for asked in questions for q in asked], tracer=tracer, **trace_options(how)))
    return [
        _together(trial, [next(proofs) for _ in asked]) if asked else _by_safety(trial)
        for trial, asked in zip(trials, questions, strict=True)
    ]


def _question(trial: Trial, entry: Entry) -> FixQuestion:
    return FixQuestion(
        original=trial.before,
        fixed=trial.after,
        path=trial.findings[0].path,
        layer=entry.layer,
        keras=entry.keras,
        entry=_entry_of(trial, entry),
        function=None if entry.layer else entry.root,
        home=entry.path,
    )


def _together(trial: Trial, proofs: list[FixProof]) -> FixProof:
    """The proof that a fix keeps what all do that run it: one must show it, and none may speak against it."""
    by_name = dict(zip((_name(trial, entry) for entry in trial.entries), proofs, strict=False))
    against = [(name, proof) for name, proof in by_name.items() if not proof.ok and not proof.undecided]
    # What comes out decides first: gradients alone may be what the user wants to change.
    for name, proof in sorted(against, key=lambda pair: pair[1].other_gradients):
        return replace(proof, because=f"{proof.because}, in {name}" if len(by_name) > 1 else proof.because)
    shown = [name for name, proof in by_name.items() if proof.ok]
    if not shown:
        return proofs[0]
    proof = by_name[shown[0]]
    told = [f"{proof.because} ({', '.join(shown)})" if len(by_name) > 1 else proof.because]
    told += [f"not all of it shown by {name}: {proof.because}" for name, proof in by_name.items() if not proof.ok]
    if left := len(trial.entries) - len(proofs):
        told.append(f"not tried: {left} more that reach it")
    return replace(proof, because="; ".join(told))


def _entry_of(trial: Trial, entry: Entry) -> str:
    """The method that is called to get to what is fixed."""
    return entry_of(entry.root, entry.layer, "" if entry.path else trial.before.decode("utf-8", "replace"))


def _name(trial: Trial, entry: Entry) -> str:
    """What tracing starts from, as it is told."""
    method = _entry_of(trial, entry)
    name = f"{entry.layer}.{method}" if entry.layer and method != "call" else entry.layer or entry.root
    return f"{name} of {os.path.basename(entry.path)}" if entry.path else name


def _by_safety(trial: Trial) -> FixProof:
    safe = all(finding.fix and finding.fix.safety is Safety.SAFE for finding in trial.findings)
    nothing = "no layer or function of this file shows it"
    return FixProof(safe, f"not proved, for {nothing}, but safe by itself" if safe else nothing, None)


def _flagged(outcomes: Iterable[Outcome]) -> Iterable[Outcome]:
    return (outcome for outcome in outcomes if outcome.findings)


def by_tracing(outcomes: Iterable[Outcome], settings: Mapping[str, Settings]) -> dict[Settings, list[Outcome]]:
    """The readable files, by what their settings say about tracing."""
    groups: dict[Settings, list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.document:
            own = settings[outcome.path]
            how = Settings(
                python=own.python,
                confirm_timeout=own.confirm_timeout,
                confirm_memory_mb=own.confirm_memory_mb,
                examples=own.examples,
                recorded=own.recorded,
            )
            groups.setdefault(how, []).append(outcome)
    return groups


def trace_options(how: Settings) -> dict[str, Any]:
    """The settings of a group as what tracing takes."""
    return {
        "python": how.python,
        "timeout": how.confirm_timeout,
        "memory_mb": how.confirm_memory_mb,
        "examples": how.examples,
        "recorded": how.recorded,
    }


def code_of(outcome: Outcome) -> bytes:
    """The code that the findings of an outcome are about."""
    if outcome.fixed is not None:
        return outcome.fixed.data
    return outcome.document.code if outcome.document else b""
