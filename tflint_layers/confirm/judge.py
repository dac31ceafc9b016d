"""From what a worker saw to a verdict on each finding."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tflint_layers.confirm.request import ENDLESS, MISSING_MODULE, Failure, Lines, Run, Trace
from tflint_layers.confirm.statements import head_of, lines_of, parsed, statement_at
from tflint_layers.finding import Finding, Proof, Status, Verdict

# Exceptions of code that is refused whatever its input is, so that failing eagerly too says nothing against them.
_REFUSALS = (
    "item assignment", "item deletion", "has no attribute", "add_metric", "add_update", "new elements of state",
    "Unrecognized keyword argument", "valid root scope name", "Only input tensors may be passed as positional",
    "tried to create variables", "KerasTensor", "already built", "out of scope", "is deprecated",
    "not compatible with eager execution", "Session graph is empty", "When eager execution is enabled",
)  # fmt: skip
_NOT_INSTALLED = frozenset({"ImportError", MISSING_MODULE})
AFTER_REPLACING = " (after replacing "
_DEAD_TENSOR = ("out of scope", "cannot be accessed from here", "InaccessibleTensorError")


@dataclass(frozen=True)
class Place:
    """Where a finding is: the lines whose execution counts as its own, and their text.

    ``others`` are the places of the layer's other findings.
    """

    path: str
    first: int
    last: int
    text: str
    statement: ast.stmt | None
    lines: tuple[str, ...]
    suspect: bool
    others: tuple[Place, ...] = ()

    def ran(self, lines: Lines) -> int:
        """How often it ran."""
        counts = lines.get(self.path, {})
        return max((counts.get(line, 0) for line in range(self.first, self.last + 1)), default=0)

    def is_in(self, failure: Failure | None) -> bool:
        """Whether the traceback passes through it, and not on to the place of another finding, which is to blame."""
        if failure is None:
            return False
        own = [index for index, frame in enumerate(failure.lines) if self.holds(frame)]
        deeper = failure.lines[own[-1] + 1 :] if own else ()
        return bool(own) and not any(other.holds(frame) for other in self.others for frame in deeper)

    def is_replaced(self, run: Run) -> bool:
        """Whether the run was made without what is here."""
        return any(self.holds(place) for place in run.replaced)

    def holds(self, frame: tuple[str, int]) -> bool:
        """Whether a line of a file belongs to the place."""
        path, line = frame
        return path == self.path and self.first <= line <= self.last

    @property
    def defines(self) -> bool:
        """Whether it is a function or a class as a whole."""
        return isinstance(self.statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)

    def used_at(self, failure: Failure) -> int | None:
        """The innermost line of a failure, if it comes after this place and names something that this place sets."""
        path, line = failure.lines[-1] if failure.lines else ("", 0)
        if path != self.path or line <= self.last or self.suspect:
            return None
        return line if any(_has_word(self.lines[line - 1], name) for name in _names_set(self.statement)) else None

    def mentions(self, name: str) -> bool:
        """Whether its text holds the name, or that of a property which mostly keeps its value there."""
        return _has_word(self.text, name) or (name[:1] == "_" and _has_word(self.text, name.lstrip("_")))

    def mentions_any_of(self, told: str) -> bool:
        """Whether its text holds one of the names that are quoted in what is told."""
        return any(self.mentions(_name_of(quoted)) for quoted in re.findall(r"`([\w.]+)`", told))

    @property
    def writes_state(self) -> bool:
        """Whether it sets a name or an attribute: then state must be seen to move, for a line always runs once."""
        return isinstance(self.statement, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Delete)


def place_of(finding: Finding, path: str, text: str) -> Place:
    """The lines of the statement that holds the finding; of a compound statement, its head."""
    lines = lines_of(text)
    tree = parsed(text)
    statement = statement_at(tree, finding.line) if tree is not None else None
    first, last = head_of(statement) if statement is not None else (finding.line, finding.line)
    return Place(path, first, last, "\n".join(lines[first - 1 : last]), statement, tuple(lines), finding.suspect)


def _has_word(text: str, word: str) -> bool:
    return re.search(rf"\b{re.escape(word)}\b", text) is not None


def _names_set(statement: ast.stmt | None) -> set[str]:
    """Names that a statement binds, or whose methods it calls."""
    if statement is None or isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return set()
    names = {
        node.id if isinstance(node, ast.Name) else node.attr
        for node in ast.walk(statement)
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store)
    }
    match statement:
        case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=owner))]):
            names.add(owner)
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=owner)))):
            names.add(owner)
    return names


def judge(finding: Finding, place: Place, trace: Trace) -> Verdict:
    """The verdict on one finding of a layer that was run."""
    status, because = _judge(finding, place, trace)
    if status is Status.CONFIRMED:
        because = "; ".join((because, *(told for told in trace.retraces if place.mentions_any_of(told))))
    return Verdict(status, because, trace.recipe, trace.keras, trace.setup)


Judgement = tuple[Status, str]


def _judge(finding: Finding, place: Place, trace: Trace) -> Judgement:
    if trace.construction is not None or trace.eager_error is not None:
        judged = _judge_unrunnable(finding, place, trace)
        if judged[0] is Status.CONFIRMED or not trace.runs:
            return judged
    evidence = _EVIDENCE.get(finding.proof)
    if evidence is None:
        return Status.UNPROVEN, "running one layer cannot show it"
    for run in trace.runs:
        if because := evidence(place, trace, run):
            return Status.CONFIRMED, because + _without(run)
    return _without_evidence(finding, place, trace)


def _without(run: Run) -> str:
    """What had to be taken out of the way to get so far."""
    numbers = sorted({line for _, line in run.replaced})
    if not numbers:
        return ""
    *first, last = map(str, numbers)
    listed = f"lines {', '.join(first)} and {last}" if first else f"line {last}"
    return f"{AFTER_REPLACING}{listed}, where tracing stops)"


def _judge_unrunnable(finding: Finding, place: Place, trace: Trace) -> Judgement:
    if trace.construction is not None:
        because = _fails_to_build(finding, place, trace.construction)
    else:
        because = _is_refused(finding, place, trace.eager_error)
    return (Status.CONFIRMED, because) if because else (Status.UNPROVEN, unrunnable(trace))


def _fails_to_build(finding: Finding, place: Place, failure: Failure) -> str | None:
    if finding.proof not in (Proof.CONSTRUCTION, Proof.RAISES):
        return None
    if place.is_in(failure):
        return f"building the layer raises {failure}"
    if finding.layer is None and "Unrecognized keyword" in failure.message:
        return f"this call raises {failure}"
    if user := place.used_at(failure):
        return f"building the layer raises {failure}, at line {user}, which uses what this line sets"
    return None


def _is_refused(finding: Finding, place: Place, failure: Failure | None) -> str | None:
    known = any(text in str(failure) for text in _REFUSALS) and not _is_of_input(failure, place.text)
    refused = known and place.is_in(failure)
    return f"raises {failure}" if refused and finding.proof in (Proof.CONSTRUCTION, Proof.RAISES) else None


_MISSING_ON_INPUT = re.compile(
    r"'(\S*Tensor|\w*Variable|int|float|str|list|tuple|dict|NoneType)' object has no attribute '(?!numpy|item')(\w+)"
)


def _is_of_input(failure: Failure | None, text: str) -> bool:
    """Whether an input of another kind, which was not found, may have the attribute that is missed.

    What a call in the flagged text returned does not come from outside.
    """
    missed = _MISSING_ON_INPUT.search(failure.message) if failure else None
    return missed is not None and not re.search(rf"\)\s*\.{missed[2]}\b", text)


def unrunnable(trace: Trace) -> str:
    """Why a layer could not be run."""
    failure = trace.construction or trace.eager_error
    where = f" (line {failure.lines[-1][1]})" if failure and failure.lines else ""
    if trace.construction is not None:
        return f"it could not be built: {failure}{where}"
    return f"no input makes it run: {failure}{where}"


def _without_evidence(finding: Finding, place: Place, trace: Trace) -> Judgement:
    if trace.stopped:
        return Status.UNPROVEN, trace.stopped
    ran = [run for run in trace.runs if place.ran(run.traced) and not place.is_replaced(run)]
    if not ran:
        for run in trace.runs:
            if run.error is not None and run.error.lines:
                return Status.UNPROVEN, f"tracing stops earlier, at line {run.error.lines[-1][1]}: {run.error}"
        return Status.UNPROVEN, f"line {finding.line} was not reached"
    # Of the runs of a kind, the last one has what fails replaced.
    failed = next((run.error for run in {run.kind: run for run in trace.runs}.values() if run.error is not None), None)
    if failed is not None:
        where = f", at line {failed.lines[-1][1]}" if failed.lines else ""
        return Status.UNPROVEN, f"line {finding.line} ran while tracing, which then failed elsewhere{where}: {failed}"
    if finding.proof is Proof.FROZEN and trace.varies is False:
        return Status.UNPROVEN, "read while tracing only, but eager calls gave equal results too"
    return Status.REFUTED, f"line {finding.line} ran while tracing, and {_NOTHING[finding.proof]}"


def _raises(place: Place, trace: Trace, run: Run) -> str | None:
    if place.is_replaced(run) or (run.error is not None and run.error.type in _NOT_INSTALLED):
        return None
    for failure in (run.error, run.later_error):
        if failure is not None and place.is_in(failure):
            return _fails(failure)
    if run.error is not None and not run.error.lines and (place.ran(run.traced) or place.defines):
        return _fails(run.error)
    if run.error is not None and place.ran(run.traced) and (user := place.used_at(run.error)):
        return f"{_fails(run.error)}, at line {user}, which uses what this line sets"
    if run.differs and place.ran(run.traced):
        return "the graph computes other numbers than eager mode does"
    return _meets_dead_tensor(place, run)


def _fails(failure: Failure) -> str:
    return f"tracing does not end: {failure.message}" if failure.type == ENDLESS else f"tracing raises {failure}"


def _meets_dead_tensor(place: Place, run: Run) -> str | None:
    """Later code met a tensor of the first trace, which this place had kept."""
    dead = run.later_error is not None and any(text in str(run.later_error) for text in _DEAD_TENSOR)
    if dead and place.ran(run.traced) and any(place.mentions(_name_of(leak)) for leak in run.leaks):
        return f"after tracing once: {run.later_error}"
    return None


def _swallows(place: Place, trace: Trace, run: Run) -> str | None:
    """Only while tracing an exception passed through the place (of a ``try``: its body), and somebody caught it."""
    last = place.last
    if isinstance(place.statement, ast.Try):
        last = place.statement.body[-1].end_lineno or last
    for path, line, what in run.swallowed:
        if path == place.path and place.first <= line <= last and run.error is None:
            return f"tracing raises {what}, at line {line}, which is caught"
    return None


def _runs_once(place: Place, trace: Trace, run: Run) -> str | None:
    if not place.ran(run.traced) or any(place.ran(lines) for lines in run.graph):
        return None
    if place.writes_state:
        return _state_written(place, trace, run)
    if run.error is not None or len(run.graph) < 3:
        return None
    eager = [place.ran(lines) for lines in run.eager or trace.eager]
    if eager and all(eager):
        return f"ran in each of {len(eager)} eager calls, but in graph mode only while tracing"
    return _stuck(place, run) or _frozen(place, trace, run)


def _frozen(place: Place, trace: Trace, run: Run) -> str | None:
    if not place.ran(run.traced) or any(place.ran(lines) for lines in run.graph):
        return None
    if trace.varies and run.repeats:
        return "graph calls repeat one result, eager calls with the same inputs give new ones"
    if run.differs:
        return "the graph computes other numbers than eager mode does"
    return _stuck(place, run)


def _state_written(place: Place, trace: Trace, run: Run) -> str | None:
    """A line always runs once; what it sets must have been seen to move, or to make a difference."""
    for state in run.stuck:
        if place.mentions(_name_of(state)):
            return f"Python state stops advancing: {state}"
    if trace.varies and run.repeats and any(place.mentions(_name_of(path)) for path in trace.moved):
        return "eager calls see what this line sets and give new results, graph calls repeat one"
    return None


def _stuck(place: Place, run: Run) -> str | None:
    if not run.stuck:
        return None
    mentioned = [state for state in run.stuck if place.mentions(_name_of(state))]
    return f"Python state stops advancing: {(mentioned or list(run.stuck))[0]}"


def _name_of(path: str) -> str:
    """The last name in a path such as ``self.cell.steps[0]: ...``."""
    bare = path.partition(":")[0].partition(" (")[0].partition("[")[0].replace(".__class__", "").strip("`")
    return bare.rpartition(".")[2].rpartition(" ")[2]


def _leaks(place: Place, trace: Trace, run: Run) -> str | None:
    if not place.ran(run.traced):
        return None
    mentioned = [leak for leak in run.leaks if place.mentions(_name_of(leak))]
    if leaks := mentioned or list(run.leaks):
        return f"a symbolic tensor is left in {leaks[0]}"
    for failure in (run.error, run.later_error):
        if failure is not None and any(text in str(failure) for text in _DEAD_TENSOR):
            return f"a later trace raises {failure}" if failure is run.later_error else f"raises {failure}"
    return None


def _changes_flag(place: Place, trace: Trace, run: Run) -> str | None:
    if run.flags and place.ran(run.traced):
        return f"after tracing, for the whole process, {run.flags[0]}"
    if any(state.startswith("the state of") for state in run.stuck) and place.ran(run.traced):
        return _stuck(place, run)
    return None


def _untracked(place: Place, trace: Trace, run: Run) -> str | None:
    """The line that sets it may be one that runs only while the layer is made."""
    for path in trace.untracked:
        if place.mentions(_name_of(path)):
            return f"after three calls {path} is a variable, and not among those of the layer"
    return None


_EVIDENCE: dict[Proof, Callable[[Place, Trace, Run], str | None]] = {
    Proof.RAISES: _raises,
    Proof.CONSTRUCTION: _raises,
    Proof.SWALLOWED: _swallows,
    Proof.RUNS_ONCE: _runs_once,
    Proof.FROZEN: _frozen,
    Proof.LEAKS: _leaks,
    Proof.GLOBAL_FLAG: _changes_flag,
    Proof.UNTRACKED: _untracked,
}
_NOTHING = {
    Proof.RAISES: "nothing raised",
    Proof.CONSTRUCTION: "nothing raised",
    Proof.SWALLOWED: "nothing raised there",
    Proof.RUNS_ONCE: "graph calls keep up with eager ones",
    Proof.FROZEN: "graph calls give new results as eager ones do",
    Proof.LEAKS: "no symbolic tensor is left behind",
    Proof.GLOBAL_FLAG: "every setting is as it was",
    Proof.UNTRACKED: "every variable is a weight of the layer",
    Proof.NONE: "nothing happened",
}


def layer_status(trace: Trace) -> tuple[str, str, int | None]:
    """For a layer without findings: ``traces``, ``fails`` or ``unproven``, why, and the line to look at."""
    failure = trace.construction or trace.eager_error
    if failure is not None:
        return "unproven", unrunnable(trace), failure.lines[-1][1] if failure.lines else None
    failed: Sequence[Failure] = [run.error for run in trace.runs if run.error and run.error.type != ENDLESS]
    if failed:
        line = failed[0].lines[-1][1] if failed[0].lines else None
        if failed[0].type in _NOT_INSTALLED:
            return "unproven", f"tracing needs what is not installed: {failed[0]}", line
        return "fails", f"tracing raises {failed[0]}", line
    if trace.stopped:
        return "unproven", trace.stopped, None
    return "traces", "; ".join(("it runs eagerly and as a graph", *trace.retraces)), None
