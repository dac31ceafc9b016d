"""Applies fixes to bytes and lints again, until nothing changes any more."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, replace

from tflint_layers.accepted import Accepted
from tflint_layers.finding import Edit, Entry, Finding, Safety
from tflint_layers.linter import lint_with_suspects
from tflint_layers.rewrite import unused_imports
from tflint_layers.settings import UNREADABLE, Settings
from tflint_layers.source import Source, UnreadableSource

_MOST_ROUNDS = 100
_LEFT = "the file is left as it was. This is a bug of the rules, please report it"

Keep = Callable[[bytes, bytes, Finding], bool]
Accept = Callable[[Sequence[Finding]], Iterable[Finding]]
Reaching = Callable[[Finding], Sequence[Entry]]


def own_entry(finding: Finding) -> Sequence[Entry]:
    """What tracing started from when it came by a finding."""
    return [finding.entry] if finding.entry else []


@dataclass(frozen=True)
class FixResult:
    """The fixed bytes, what was applied, and what the linter still says about them.

    Not ``converged``: ``problem`` says why, naming the rules. ``accepted`` are the findings of the original bytes that
    were to be left alone, ``kept`` the same ones among the remaining.
    """

    data: bytes
    applied: list[Finding]
    remaining: list[Finding]
    converged: bool = True
    problem: str | None = None
    accepted: tuple[Finding, ...] = ()
    kept: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Trial:
    """A question to the outside: may ``before`` become ``after``, which fixes ``findings``, for all who run them?

    ``entries`` are what tracing reaches the findings from, those that it came by first at the head; none where
    nothing traces them.
    """

    before: bytes
    after: bytes
    findings: tuple[Finding, ...]
    entries: tuple[Entry, ...]


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
    accept: Accept = lambda findings: (),
) -> FixResult:
    """Apply the safe fixes of a file, or the ``unsafe`` ones too, until linting offers no more.

    What ``accept`` picks from the findings is left as it is, also when other fixes move it.
    With ``keep``, fixes of both kinds are tried, and kept if ``keep(before, after, finding)`` is true; what passes
    only together with other fixes of the layer is tried with them, and asked about with the first.
    """
    settings = settings or Settings()
    if keep is None:
        steps = fixing(source, path, settings, lambda finding: _is_allowed(finding, unsafe), accept, prove=False)
        return _finish(steps, lambda trial: True)
    steps = fixing(source, path, settings, lambda finding: True, accept)
    return _finish(steps, lambda trial: keep(trial.before, trial.after, trial.findings[0]))


def fixing(
    data: bytes,
    path: str,
    settings: Settings,
    wanted: Callable[[Finding], bool],
    accept: Accept = lambda findings: (),
    *,
    prove: bool = True,
    reaching: Reaching = own_entry,
) -> Fixing:
    """Apply the fixes of the ``wanted`` findings, round by round: those whose trials are answered with yes.

    Without ``prove`` nothing is asked, and all of them are applied. ``reaching`` tells what a finding is reached from.
    """
    before, rounds = data, [data]
    original = findings = lint_for_fixes(data, path, settings)
    accepted = tuple(finding for finding in accept(findings) if finding.path == path)
    places, kept = Accepted.of(accepted, data), accepted
    applied: list[list[Finding]] = []
    while True:
        candidates = [f for f in findings if f.path == path and f not in kept and _is_applicable(f) and wanted(f)]
        proved = (yield from _proved(before, candidates, reaching)) if prove else candidates
        chosen, current, steps = _applied(before, proved)
        if not chosen:
            return FixResult(before, [f for chosen in applied for f in chosen], findings, accepted=accepted, kept=kept)
        applied.append(chosen)
        if problem := _problem(current, path, rounds, applied):
            return FixResult(data, [], original, False, problem, accepted, accepted)
        rounds.append(current)
        for edits, text in steps:
            places = places.moved(edits, text)
        before, findings = current, lint_for_fixes(current, path, settings)
        kept = tuple(places.among((f for f in findings if f.path == path), current))


def _problem(current: bytes, path: str, rounds: Sequence[bytes], applied: Sequence[Sequence[Finding]]) -> str | None:
    """What is wrong with the fixes of the last round: they are a bug, and the file is to be left as it was."""
    if not _parses(current, path):
        return f"the fixes of {_names(applied[-1])} make a syntax error; {_LEFT}"
    if current in rounds:
        circle = (finding for chosen in applied[rounds.index(current) :] for finding in chosen)
        return f"the fixes of {_names(circle)} did not converge, they undo each other; {_LEFT}"
    if len(rounds) == _MOST_ROUNDS:
        return f"the fixes of {_names(applied[-1])} did not converge in {_MOST_ROUNDS} rounds; {_LEFT}"
    return None


def lint_for_fixes(data: bytes, path: str, settings: Settings) -> list[Finding]:
    """The findings, with the safety of their fixes as the user's settings see it."""
    findings = lint_with_suspects(data, path, settings)
    # An unreadable file is reported by no rule, so that nothing has asked yet whether the user wants to hear of it.
    wanted = (f for f in findings if f.code != UNREADABLE or settings.selects(f.code, f.name))
    return [_rated(finding, settings) for finding in wanted]


def apply(data: bytes, findings: Iterable[Finding]) -> tuple[list[Finding], bytes]:
    """Apply the fixes that do not touch each other, first by position first; returns the findings they belong to."""
    applied, after, _ = _applied(data, findings)
    return applied, after


def _applied(data: bytes, findings: Iterable[Finding]) -> tuple[list[Finding], bytes, list[tuple[list[Edit], bytes]]]:
    """As :func:`apply`, with the edits that were made, and the text to which they were."""
    applied, edits = _chosen(data, findings)
    if not applied:
        return [], data, []
    after = _spliced(data, edits)
    imports = unused_imports(data, after, applied[0].path)
    return applied, _spliced(after, imports), [(edits, data), (imports, after)]


def _chosen(data: bytes, findings: Iterable[Finding]) -> tuple[list[Finding], list[Edit]]:
    """The findings whose fixes do not touch each other, and their sorted edits."""
    try:
        source = Source.from_bytes(data)
    except UnreadableSource:
        return [], []
    edits: list[Edit] = []
    applied: list[Finding] = []
    for finding in sorted(findings, key=_position):
        new = [edit for edit in _edits(finding, source) if edit not in edits or not _mergeable(edit)]
        if _encodes(new, source) and not any(_clash(edit, other) for edit in new for other in edits):
            edits += new
            applied.append(finding)
    return applied, sorted(edits)


def _proved(
    data: bytes, candidates: list[Finding], reaching: Reaching
) -> Generator[list[Trial], list[bool], list[Finding]]:
    """The fixes that pass: those of a layer together, since one defect can hide that another is gone, else one alone.

    A second fix of that layer is tried in the next round, on top of the first.
    """
    layers: dict[Layer, list[Finding]] = {}
    for finding in sorted(candidates, key=_position):
        for layer in _layers(reaching(finding)):
            layers.setdefault(layer, []).append(finding)
    groups = dict.fromkeys(tuple(group) for group in layers.values() if len(group) > 1)
    tries = [*groups, *((finding,) for finding in candidates)]
    trials = [trial for findings in tries if (trial := _trial(data, findings, reaching)).findings]
    answers = (yield trials) if trials else []
    taken: set[Layer] = set()
    proved: list[Finding] = []
    for trial, passes in zip(trials, answers, strict=True):
        layers_of_trial = _layers(trial.entries)
        if passes and not taken & layers_of_trial:
            taken |= layers_of_trial
            proved += trial.findings
    return proved


def _layers(entries: Iterable[Entry]) -> set[Layer]:
    """The layers, or functions, that these are entry points of; what nothing traces belongs together as well."""
    return {(entry.path, entry.layer or entry.root) for entry in entries} or {(None, None)}


def _trial(data: bytes, findings: Iterable[Finding], reaching: Reaching) -> Trial:
    applied, after = apply(data, findings)
    entries = dict.fromkeys(entry for finding in applied for entry in reaching(finding))
    return Trial(data, after, tuple(applied), tuple(entries))


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


def _spliced(data: bytes, edits: list[Edit]) -> bytes:
    pieces, offset = [], 0
    encoding = Source.from_bytes(data).encoding if edits else ""
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
