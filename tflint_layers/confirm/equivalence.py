"""Whether a fixed layer computes what the original one does, weights and structure included."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tflint_layers.confirm import observe
from tflint_layers.confirm.builder import Builder, Subject, Unrunnable

if TYPE_CHECKING:
    from tflint_layers.confirm.session import Session

_FACTORS = (1.0, -1.0, 0.5)


class Differs(Exception):  # noqa: N818 - an answer, not an error
    """The fixed layer does something else; the message says what."""


@dataclass(frozen=True)
class Behaviour:
    """The numbers of calls with different inputs, and the weights afterwards."""

    outputs: list[list[Any]]
    weights: list[Any]


def compare(session: Session, fixed: str) -> None:
    """Emit whether the fixed source does, eagerly and as a graph, what the original layer does in eager mode."""
    original, because = None, ""
    try:
        original = session.build.first_that_runs()
    except Unrunnable as answer:
        because = str(answer)
    session.phase = "running the fixed layer"
    old, new = session.build, session.builder(fixed)
    try:
        subject = new.first_that_runs(original.recipe if original else None)
        session.emit({"recipe": str(subject.recipe)})
        if original is None:
            _compare(session, new, subject, new, subject)
            agreed = f"the original cannot be compared ({because}); the fixed one runs, and agrees with its own graph"
        else:
            agreed = _compare(session, old, original, new, subject)
    except Unrunnable as answer:
        session.emit({"same": False, "because": f"of the fixed layer: {answer}"})
    except Differs as answer:
        session.emit({"same": False, "because": str(answer)})
    else:
        session.emit({"same": True, "because": agreed})


def _compare(session: Session, old: Builder, original: Subject, new: Builder, fixed: Subject) -> str:
    weights = _initial_weights(old, original)
    before = _observe(session, old, original, weights, graph=False)
    random = not _close(before.outputs, _observe(session, old, original, weights, graph=False).outputs)
    if [value.shape for value in weights] != [value.shape for value in _initial_weights(new, fixed)]:
        raise Differs("the fixed layer has other weights")
    for graph in (False, True):
        mode = "as a graph" if graph else "in eager mode"
        try:
            after = _observe(session, new, fixed, weights, graph)
        except Exception as error:
            raise Differs(f"{mode} the fixed layer raises {observe.describe(error)}") from error
        _check(before, after, mode, random)
    what = "shapes and dtypes (the results are random)" if random else "numbers and weights"
    return f"{len(_FACTORS)} calls give the same {what}, in eager mode and as a graph"


def _check(before: Behaviour, after: Behaviour, mode: str, random: bool) -> None:
    if _shapes(before.outputs) != _shapes(after.outputs):
        raise Differs(f"{mode} the fixed layer returns {_shapes(after.outputs)[0]}, not {_shapes(before.outputs)[0]}")
    if not random and not _close(before.outputs, after.outputs):
        raise Differs(f"{mode} the fixed layer gives other numbers")
    if not random and not _close([before.weights], [after.weights]):
        raise Differs(f"{mode} the weights of the fixed layer end up different")


def _initial_weights(build: Builder, subject: Subject) -> list[Any]:
    """The weights after one call: most layers have none before."""
    made = build.with_data(build.fresh(subject))
    with build.eagerly():
        build.call(made)
    return _weights(made.layer)


def _observe(session: Session, build: Builder, subject: Subject, weights: list[Any], graph: bool) -> Behaviour:
    made = build.with_data(build.fresh(subject))
    with build.eagerly():
        build.call(made)
    if weights:
        made.layer.set_weights(weights)
    outputs = []
    session.keras.utils.set_random_seed(1)
    function = session.traced(build, made)[0] if graph else None
    for factor in _FACTORS:
        moved = replace(made, inputs=_scaled(session.tf, made.inputs, factor))
        if function is not None:
            outputs.append(session.numbers(function(*session.traced(build, moved)[1])))
        else:
            with build.eagerly():
                outputs.append(session.numbers(build.call(moved)))
    return Behaviour(outputs, _weights(made.layer))


def _weights(layer: Any) -> list[Any]:
    return list(layer.get_weights()) if hasattr(layer, "get_weights") else []


def _scaled(tf: Any, inputs: tuple[Any, ...], factor: float) -> tuple[Any, ...]:
    """Other numbers of the same kind; what is no float stays what it is."""

    def scale(value: Any) -> Any:
        floating = isinstance(value, tf.Tensor) and value.dtype.is_floating
        return value * tf.cast(factor, value.dtype) if floating else value

    return tuple(tf.nest.map_structure(scale, inputs))


def _shapes(outputs: list[list[Any]]) -> list[list[str]]:
    return [[f"{getattr(v, 'dtype', type(v).__name__)}{getattr(v, 'shape', '')}" for v in values] for values in outputs]


def _close(left: list[list[Any]], right: list[list[Any]]) -> bool:
    return len(left) == len(right) and all(observe.equal(a, b, close=True) for a, b in zip(left, right, strict=True))
