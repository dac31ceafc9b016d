"""Whether a fixed layer computes what the original one does: results, gradients and weights."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tflint_layers.confirm import observe
from tflint_layers.confirm.behaviour import VARIATIONS, Behaviour, Call, Observer, Setting
from tflint_layers.confirm.builder import Subject, Unrunnable
from tflint_layers.confirm.reached import changed_lines, unreached

if TYPE_CHECKING:
    from tflint_layers.confirm.session import Session

# How far apart numbers may be that were computed in another order, by the bytes of a float.
_TOLERANCE = {2: 1e-2, 4: 1e-4, 8: 1e-7}


class Differs(Exception):  # noqa: N818 - an answer, not an error
    """The fixed layer does something else; the message says what.

    ``gradients``: nothing but them differs. ``undecided``: nothing was seen that the fix is to blame for.
    """

    def __init__(self, because: str, *, gradients: bool = False, undecided: bool = False) -> None:
        super().__init__(because)
        self.gradients, self.undecided = gradients, undecided


def compare(session: Session, fixed: str) -> None:
    """Emit whether the fixed source does, eagerly and as a graph, what the original layer does in eager mode."""
    original, because = None, ""
    try:
        original = session.build.first_that_runs()
    except Unrunnable as answer:
        because = str(answer)
    session.phase = "running the fixed layer"
    new = session.builder(fixed, fixed=True)
    try:
        subject = _fixed_subject(new.first_that_runs(original.recipe if original else None), original)
        session.emit({"recipe": str(subject.recipe)})
        after = Observer(session, new, subject, fixed=True)
        before = Observer(session, session.build, original, fixed=False) if original else after
        agreed = _compare(session, before, after, _Change.of(session, fixed))
    except Unrunnable as answer:
        session.emit({"same": False, "because": f"of the fixed layer: {answer}", "undecided": original is None})
    except Differs as answer:
        told = {"other_gradients": answer.gradients, "undecided": answer.undecided}
        session.emit({"same": False, "because": str(answer), **told})
    else:
        alone = f"the original cannot be compared ({because}); the fixed one runs, and agrees with its own graph: "
        session.emit({"same": True, "because": agreed if original else alone + agreed})


def _fixed_subject(fixed: Subject, original: Subject | None) -> Subject:
    """The fixed layer on the inputs of the original."""
    if original is None:
        return fixed
    if fixed.recipe != original.recipe:
        raise Differs(f"the fixed layer does not run as {original.recipe}")
    return replace(fixed, inputs=original.inputs)


@dataclass(frozen=True)
class _Change:
    """The file that a fix changes, and its texts."""

    path: str
    original: str
    fixed: str

    @classmethod
    def of(cls, session: Session, fixed: str) -> _Change:
        """The change that a session is asked about: in the file of the layer, or in one of its helpers."""
        request = session.request
        if request.helper is not None and request.helper_texts is not None:
            return cls(request.helper, *request.helper_texts)
        return cls(request.path, request.source, fixed)


def _compare(session: Session, before: Observer, after: Observer, change: _Change) -> str:
    weights = before.initial_weights()
    if [value.shape for value in weights] != [value.shape for value in after.initial_weights()]:
        raise Differs("the fixed layer has other weights")
    settings = [Setting(weights, False, 1)]
    settings += [Setting(moved, False, 2)] if (moved := before.moved_weights()) else []
    settings += [Setting(weights, True, 3)] if before.has_training else []
    seen, problems = _Seen(session, change), []
    for setting in settings:
        problems += _compare_in(setting, before, after, seen)
    if missed := seen.missed():
        raise Differs(f"no call reaches line {missed} of the fixed code", undecided=True)
    # What comes out decides first: gradients alone may be what the user wants to change.
    if problems:
        raise problems[0]
    return str(seen)


class _Seen:
    """What was compared, to be told."""

    def __init__(self, session: Session, change: _Change) -> None:
        self._session, self._change = session, change
        self.numbers = self.random = 0
        self.gradients = False
        self._original: list[Behaviour] = []
        self._fixed: list[Behaviour] = []

    def add(self, original: Behaviour, fixed: Behaviour, random: bool) -> None:
        """Note a pair that agrees."""
        self._original.append(original)
        self._fixed.append(fixed)
        if random:
            self.random += len(fixed.calls)
        else:
            self.numbers += len(fixed.calls)
            self.gradients |= any(call.gradients for call in original.calls.values())

    def missed(self) -> int | None:
        """The first line of the fixed text that a fix changed and that no call ran in eager mode, if there is one."""
        path = self._change.path
        before, after = (
            {line for run in runs for line in run.lines.get(path, ())} for runs in (self._original, self._fixed)
        )
        return unreached(self._change.original, self._change.fixed, before, after)

    def blames(self, error: Exception) -> bool:
        """Whether an exception passes through code that a fix changed."""
        places = self._session.watch().failure(error).lines
        changed = changed_lines(self._change.original, self._change.fixed)
        return any(path == self._change.path and line in changed for path, line in places)

    def __str__(self) -> str:
        what = "numbers, gradients and weights" if self.gradients else "numbers and weights"
        parts = [f"{self.numbers} calls give the same {what}"] if self.numbers else []
        if self.random:
            parts.append(f"{self.random} calls give random numbers, of which only shapes and dtypes were compared")
        return f"{'; '.join(parts)}, in eager mode and as a graph"


def _compare_in(setting: Setting, before: Observer, after: Observer, seen: _Seen) -> list[Differs]:
    """Compare in one setting; gives back differences that are of gradients only.

    Raises:
        Differs: the layers differ otherwise.
    """
    original = before.observe(setting, VARIATIONS)
    names = list(original.calls)
    if not names:
        # With training=True the original does not run: there is nothing to keep.
        return []
    if original.failures:
        # What failed may have changed the state of the layer on its way.
        original = before.observe(setting, names)
    other = before.observe(replace(setting, seed=setting.seed + 10), names)
    random = original.draws or not _same_calls(original, other)
    problems = []
    for graph in (False, True):
        mode = "as a graph" if graph else "in eager mode"
        mode += " with training=True" if setting.training else ""
        fixed = after.observe(setting, names, graph)
        for name, error in fixed.failures.items():
            known = graph and not seen.blames(error) and name in before.observe(setting, names, graph).failures
            raise Differs(
                f"{mode} the fixed layer raises {observe.describe(error)}{_with(name)}", undecided=known
            ) from error
        problems += list(_check(original, fixed, mode, random))
        if not graph:
            seen.add(original, fixed, random)
    return problems


def _same_calls(left: Behaviour, right: Behaviour) -> bool:
    return all(
        _close(call.outputs, right.calls[name].outputs) for name, call in left.calls.items() if name in right.calls
    )


def _check(before: Behaviour, after: Behaviour, mode: str, random: bool) -> Iterable[Differs]:
    for name, old in before.calls.items():
        new = after.calls[name]
        if (old.structure, _shapes(old.outputs)) != (new.structure, _shapes(new.outputs)):
            raise Differs(f"{mode} the fixed layer returns {_told(new)}, not {_told(old)}{_with(name)}")
        if not random and not _close(old.outputs, new.outputs):
            raise Differs(f"{mode} the fixed layer gives other numbers{_with(name)}")
    if not random and not _close(before.weights, after.weights):
        raise Differs(f"{mode} the weights of the fixed layer end up different")
    if random:
        return
    for name, old in before.calls.items():
        if because := _other_gradients(old, after.calls[name]):
            yield Differs(f"{mode} the fixed layer has other gradients: {because}{_with(name)}", gradients=True)


def _other_gradients(old: Call, new: Call) -> str | None:
    """How the gradients differ; those of results that are no numbers cannot be compared."""
    if old.gradients is None or new.gradients is None or not _finite(old.outputs):
        return None
    for left, right in zip(old.gradients, new.gradients, strict=True):
        if left is None and right is not None and right.any():
            return "they flow where the original, which takes numbers out of tensors, stops them"
        if left is not None and not _close([left], [left * 0 if right is None else right], 10.0):
            return "they are other numbers"
    return None


def _with(name: str) -> str:
    return "" if name == next(iter(VARIATIONS)) else f" (with inputs: {name})"


def _shapes(outputs: Sequence[Any]) -> list[str]:
    return [f"{getattr(v, 'dtype', type(v).__name__)}{getattr(v, 'shape', '')}" for v in outputs]


def _told(call: Call) -> str:
    shapes = ", ".join(_shapes(call.outputs))
    return shapes if call.structure == "0" else f"{shapes} in {call.structure}"


def _finite(outputs: Sequence[Any]) -> bool:
    numpy = sys.modules["numpy"]
    return all(bool(numpy.isfinite(value).all()) for value in outputs if _is_float(value))


def _is_float(value: Any) -> bool:
    return getattr(getattr(value, "dtype", None), "kind", "") in "fcV" and hasattr(value, "shape")


def _close(left: Sequence[Any], right: Sequence[Any], factor: float = 1.0) -> bool:
    """Whether numbers are the same as far as their dtypes go."""
    return len(left) == len(right) and all(_close_arrays(a, b, factor) for a, b in zip(left, right, strict=True))


def _close_arrays(left: Any, right: Any, factor: float) -> bool:
    numpy = sys.modules["numpy"]
    if not _is_float(left) or not _is_float(right):
        return observe.equal([left], [right])
    if left.shape != right.shape:
        return False
    tolerance = factor * _TOLERANCE.get(min(left.dtype.itemsize, right.dtype.itemsize), 1e-2)
    left, right = left.astype("complex128"), right.astype("complex128")
    size = max(1.0, float(numpy.nanmax(numpy.abs(left), initial=0.0, where=numpy.isfinite(left))))
    return bool(numpy.allclose(left, right, rtol=tolerance, atol=tolerance / 10 * size, equal_nan=True))
