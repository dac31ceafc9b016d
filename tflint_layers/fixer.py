"""Applies fixes to bytes and lints again, until nothing changes any more."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, replace

from tflint_layers.finding import Edit, Finding, Safety
from tflint_layers.linter import lint_with_suspects
from tflint_layers.rewrite import without_unused_imports
from tflint_layers.settings import UNREADABLE, Settings
from tflint_layers.source import Source, UnreadableSource

_MOST_ROUNDS = 100

Keep = Callable[[bytes, bytes, Finding], bool]


@dataclass(frozen=True)
class FixResult:
    """The fixed bytes, what was applied, and what the linter still says about them.

    Not ``converged``: ``problem`` says why, naming the rules.
    """

    data: bytes
    applied: list[Finding]
    remaining: list[Finding]
    converged: bool = True
    problem: str | None = None


@dataclass(frozen=True)
class Trial:
    """A question to the outside: may ``before`` become ``after``, which fixes ``findings`` of one layer?"""

    before: bytes
    after: bytes
    findings: tuple[Finding, ...]


Layer = tuple[str | None, str | None]

# Asks the trials of a round, is sent the answers, and returns the result. Fixing so waits for nothing itself, and
# the trials of many files can be answered in one go.
Fixing = Generator[list[Trial], list[bool], FixResult]


def fix_source(
    source: bytes,
    path: str = "<string>",
    settings: Settings | None = None,
    *,
    unsafe: bool = False,
    keep: Keep | None = None,
) -> FixResult:
    """Apply the safe fixes of a file, or the ``unsafe`` ones too, until linting offers no more.

    With ``keep``, fixes of both kinds are tried, and kept if ``keep(before, after, finding)`` is true; what passes
    only together with other fixes of the layer is tried with them, and asked about with the first.
    """
    settings = settings or Settings()
    if keep is None:
        steps = fixing(source, path, settings, lambda finding: _is_allowed(finding, unsafe), prove=False)
        return _finish(steps, lambda trial: True)
    steps = fixing(source, path, settings, lambda finding: True)
    return _finish(steps, lambda trial: keep(trial.before, trial.after, trial.findings[0]))


def fixing(
    data: bytes, path: str, settings: Settings, wanted: Callable[[Finding], bool], *, prove: bool = True
) -> Fixing:
    """Apply the fixes of the ``wanted`` findings, round by round: those whose trials are answered with yes.

    Without ``prove`` nothing is asked, and all of them are applied.
    """
    before, current = data, data
    original = findings = lint_for_fixes(data, path, settings)
    applied: list[Finding] = []
    seen = {data}
    for _ in range(_MOST_ROUNDS):
        candidates = [f for f in findings if f.path == path and _is_applicable(f) and wanted(f)]
        proved = (yield from _proved(before, candidates)) if prove else candidates
        chosen, current = apply(before, proved)
        if not chosen:
            return FixResult(before, applied, findings)
        if not _parses(current, path):
            problem = f"the fixes of {_names(chosen)} make a syntax error; the file is left as it was"
            return FixResult(data, [], original, False, problem)
        applied += chosen
        before, findings = current, lint_for_fixes(current, path, settings)
        if current in seen:
            break
        seen.add(current)
    return FixResult(current, applied, findings, False, f"the fixes of {_names(applied[-1:])} undo each other")


def lint_for_fixes(data: bytes, path: str, settings: Settings) -> list[Finding]:
    """The findings, with the safety of their fixes as the user's settings see it."""
    findings = lint_with_suspects(data, path, settings)
    # An unreadable file is reported by no rule, so that nothing has asked yet whether the user wants to hear of it.
    wanted = (f for f in findings if f.code != UNREADABLE or settings.selects(f.code, f.name))
    return [_rated(finding, settings) for finding in wanted]


def apply(data: bytes, findings: Iterable[Finding]) -> tuple[list[Finding], bytes]:
    """Apply the fixes that do not touch each other, first by position first; returns the findings they belong to."""
    try:
        source = Source.from_bytes(data)
    except UnreadableSource:
        return [], data
    edits: list[Edit] = []
    applied: list[Finding] = []
    for finding in sorted(findings, key=_position):
        new = [edit for edit in _edits(finding, source) if edit not in edits or not _mergeable(edit)]
        if _encodes(new, source) and not any(_clash(edit, other) for edit in new for other in edits):
            edits += new
            applied.append(finding)
    return applied, without_unused_imports(data, _spliced(data, sorted(edits), source.encoding))


def _proved(data: bytes, candidates: list[Finding]) -> Generator[list[Trial], list[bool], list[Finding]]:
    """The fixes that pass: those of a layer together, since one defect can hide that another is gone, else one alone.

    A second fix of that layer is tried in the next round, on top of the first.
    """
    layers: dict[Layer, list[Finding]] = {}
    for finding in sorted(candidates, key=_position):
        layers.setdefault(_layer(finding), []).append(finding)
    tries = [group for group in layers.values() if len(group) > 1] + [[finding] for finding in candidates]
    passed = yield from _ask([_trial(data, findings) for findings in tries])
    return [finding for trial in passed.values() for finding in trial.findings]


def _ask(trials: list[Trial]) -> Generator[list[Trial], list[bool], dict[Layer, Trial]]:
    """The first trial of each layer that passes."""
    trials = [trial for trial in trials if trial.findings]
    answers = (yield trials) if trials else []
    passed: dict[Layer, Trial] = {}
    for trial, passes in zip(trials, answers, strict=True):
        if passes:
            passed.setdefault(_layer(trial.findings[0]), trial)
    return passed


def _layer(finding: Finding) -> Layer:
    return finding.layer_path, finding.layer or finding.function


def _trial(data: bytes, findings: list[Finding]) -> Trial:
    applied, after = apply(data, findings)
    return Trial(data, after, tuple(applied))


def _finish(steps: Fixing, answer: Callable[[Trial], bool]) -> FixResult:
    """Answer the trials until there is a result."""
    try:
        trials = next(steps)
        while True:
            trials = steps.send([answer(trial) for trial in trials])
    except StopIteration as done:
        result: FixResult = done.value
        return result


def _is_applicable(finding: Finding) -> bool:
    return finding.fix is not None and finding.fix.safety is not Safety.SUGGESTION


def _is_allowed(finding: Finding, unsafe: bool) -> bool:
    """Whether a fix may be applied that nothing proves."""
    return not finding.suspect and finding.fix is not None and (unsafe or finding.fix.safety is Safety.SAFE)


def _rated(finding: Finding, settings: Settings) -> Finding:
    """The finding with what ``unfixable`` and ``extend-safe-fixes`` make of its fix."""
    fix = finding.fix
    if fix is None or fix.safety is Safety.SUGGESTION:
        return finding
    if not settings.fixes(finding.code, finding.name):
        return replace(finding, fix=replace(fix, safety=Safety.SUGGESTION))
    if settings.trusts(finding.code, finding.name):
        return replace(finding, fix=replace(fix, safety=Safety.SAFE))
    return finding


def _position(finding: Finding) -> tuple[int, int, str]:
    edits = finding.fix.edits if finding.fix else ()
    first = min(edits, default=Edit(0, 0, ""))
    return first.start, first.end, finding.code


def _edits(finding: Finding, source: Source) -> list[Edit]:
    """The edits of a fix, with the line endings of the file."""
    newline = "\r\n" if source.lines and source.lines[0].endswith("\r\n") else "\n"
    edits = finding.fix.edits if finding.fix else ()
    return [replace(edit, text=edit.text.replace("\r\n", "\n").replace("\n", newline)) for edit in edits]


def _mergeable(edit: Edit) -> bool:
    """Whether two fixes that ask for the same edit are both served by making it once.

    Inserted whole lines are: two fixes want the same import. Inserted brackets are not: each fix needs its own.
    """
    return edit.start < edit.end or edit.text.endswith("\n")


def _clash(one: Edit, other: Edit) -> bool:
    if one.start == one.end or other.start == other.end:
        return one.start <= other.end and other.start <= one.end
    return one.start < other.end and other.start < one.end


def _encodes(edits: Iterable[Edit], source: Source) -> bool:
    """Whether the file's encoding has the characters of the new text."""
    try:
        for edit in edits:
            edit.text.encode(source.encoding)
    except UnicodeEncodeError:
        return False
    return True


def _spliced(data: bytes, edits: list[Edit], encoding: str) -> bytes:
    pieces, offset = [], 0
    for edit in edits:
        pieces += [data[offset : edit.start], edit.text.encode(encoding)]
        offset = edit.end
    return b"".join((*pieces, data[offset:]))


def _parses(data: bytes, path: str) -> bool:
    try:
        Source.from_bytes(data, path).tree  # noqa: B018
    except UnreadableSource:
        return False
    return True


def _names(findings: Iterable[Finding]) -> str:
    return ", ".join(sorted({f"{finding.code} {finding.name}" for finding in findings}))
