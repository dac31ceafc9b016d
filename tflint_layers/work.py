"""Lints many files, in this process or in several, with the results in the order of the files."""

from __future__ import annotations

import gc
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from tflint_layers.baseline import Baseline
from tflint_layers.document import Document
from tflint_layers.finding import Finding
from tflint_layers.fixer import Accept, FixResult, fix_source, lint_for_fixes
from tflint_layers.linter import unreadable
from tflint_layers.processors import processors
from tflint_layers.settings import Settings
from tflint_layers.source import UnreadableSource

# Below this many files, starting processes takes longer than linting.
_WORTH_A_POOL = 32


class WorkerError(Exception):
    """A process that was linting ended by itself or was killed."""


@dataclass(frozen=True)
class Task:
    """One file to lint; ``data`` is given where the path is not to be read (standard input).

    ``keep``: the document of a clean file is wanted, too. ``baseline`` holds what is not to be fixed, in paths
    relative to ``folder``.
    """

    path: str
    settings: Settings
    fix: bool = False
    unsafe: bool = False
    keep: bool = False
    baseline: Baseline | None = None
    folder: str = ""
    data: bytes | None = None


@dataclass(frozen=True)
class Outcome:
    """What linting a file gave. ``document`` is None for a clean file, so that it need not cross processes."""

    path: str
    findings: list[Finding]
    document: Document | None = None
    fixed: FixResult | None = None
    problem: str | None = None
    notes: tuple[str, ...] = ()


def lint_file(task: Task) -> Outcome:
    """Read and lint one file. Never raises: what cannot be read is a finding, a bug of a rule is a ``problem``."""
    try:
        document = Document.of(_read(task), task.path)
    except OSError as error:
        return _unreadable(task, UnreadableSource(error.strerror or str(error)))
    except UnreadableSource as error:
        return _unreadable(task, error)
    try:
        if task.fix:
            fixed = fix_source(
                document.code, task.path, task.settings, unsafe=task.unsafe, accept=_accepting(task, document)
            )
            return Outcome(task.path, fixed.remaining, document, fixed)
        findings = lint_for_fixes(document.code, task.path, task.settings)
        return Outcome(task.path, findings, document if findings or task.keep else None)
    except Exception:
        detail = traceback.format_exc().strip()
        return Outcome(task.path, [], problem=f"{task.path}: the linter itself failed; please report this\n{detail}")


def _accepting(task: Task, document: Document) -> Accept:
    """What the baseline accepts of the findings that a user sees."""
    baseline = task.baseline
    if baseline is None:
        return lambda findings: ()
    return lambda findings: baseline.accepted((f for f in findings if not f.suspect), document, task.folder)


def lint_files(tasks: Sequence[Task], jobs: int | None, progress: Callable[[int, int], None]) -> list[Outcome]:
    """Lint the files, telling ``progress`` how many of how many are done.

    Raises:
        WorkerError: a process died; which file killed it cannot be told.
    """
    collect_garbage_rarely()
    outcomes = []
    for outcome in _outcomes(tasks, _processes(len(tasks), jobs)):
        outcomes.append(outcome)
        progress(len(outcomes), len(tasks))
    return outcomes


def collect_garbage_rarely() -> None:
    """Leave cycles to the project, which looks for them when it gives up modules.

    Python would look through the trees of all modules again and again, for longer than linting takes.
    """
    gc.disable()


def _outcomes(tasks: Sequence[Task], processes: int) -> Iterator[Outcome]:
    if processes == 1:
        yield from map(lint_file, tasks)
        return
    try:
        with ProcessPoolExecutor(processes, initializer=collect_garbage_rarely) as pool:
            yield from pool.map(lint_file, tasks, chunksize=4)
    except BrokenProcessPool as error:
        raise WorkerError("a process died while linting; --jobs 1 shows with which file") from error


def _processes(files: int, jobs: int | None) -> int:
    if jobs is not None:
        return max(min(jobs, files), 1)
    return 1 if files < _WORTH_A_POOL else processors()


def _read(task: Task) -> bytes:
    if task.data is not None:
        return task.data
    with open(task.path, "rb") as file:
        return file.read()


def _unreadable(task: Task, error: UnreadableSource) -> Outcome:
    finding = unreadable(task.path, error, task.settings)
    findings = [finding] if task.settings.selects(finding.code, finding.name) else []
    return Outcome(task.path, findings, Document(task.path, b"", b""))
