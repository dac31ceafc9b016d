"""Whether a fixed layer computes what the original one does, weights and structure included."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tflint_layers.confirm import observe

if TYPE_CHECKING:
    from tflint_layers.confirm.session import Session, Subject

_CALLS = 3


@dataclass(frozen=True)
class Behaviour:
    """The numbers of three calls with different inputs, and the weights afterwards."""

    outputs: list[Any]
    weights: list[Any]


class Differs(Exception):  # noqa: N818 - an answer, not an error
    """The fixed layer does something else; the message says what."""


def compare(session: Session, original: Subject | None, why_not: str = "") -> None:
    """Emit whether the fixed source of the session's request does what the original layer does in eager mode."""
    session.phase = "running the fixed layer"
    fixed_session = session.for_source(session.request.fixed or "")
    subject = fixed_session.first_that_runs(original.recipe if original else None)
    if subject is None:
        session.emit({"same": False, "because": "the fixed layer does not run eagerly"})
        return
    try:
        because = _compare(session, original, fixed_session, subject)
    except Differs as difference:
        session.emit({"same": False, "because": str(difference)})
        return
    if original is None:
        because = f"the original does not run ({why_not}); the fixed one runs, and its graph agrees with its eager mode"
    session.emit({"same": True, "because": because, "recipe": str(subject.recipe)})


def _compare(session: Session, original: Subject | None, fixed_session: Session, fixed: Subject) -> str:
    reference_session, reference = (session, original) if original is not None else (fixed_session, fixed)
    weights, before = _observe(reference_session, reference, None, graph=False)
    again = _observe(reference_session, reference, weights, graph=False)[1]
    if not _close(before.outputs, again.outputs):
        return _compare_structure(fixed_session, fixed, weights, before)
    for graph in (False, True):
        mode = "as a graph" if graph else "in eager mode"
        after = _run(fixed_session, fixed, weights, graph, mode)
        _check(before, after, mode)
    return f"{_CALLS} calls give the same numbers and weights in eager mode and as a graph"


def _compare_structure(session: Session, fixed: Subject, weights: list[Any], before: Behaviour) -> str:
    """A layer that draws random numbers: shapes and dtypes are what can be compared."""
    for graph in (False, True):
        mode = "as a graph" if graph else "in eager mode"
        after = _run(session, fixed, weights, graph, mode)
        if _shapes(before.outputs) != _shapes(after.outputs):
            raise Differs(f"{mode} the fixed layer returns {_shapes(after.outputs)}, not {_shapes(before.outputs)}")
    return "its results are random: the fixed layer returns the same shapes and dtypes in eager mode and as a graph"


def _run(session: Session, subject: Subject, weights: list[Any], graph: bool, mode: str) -> Behaviour:
    try:
        return _observe(session, subject, weights, graph)[1]
    except Exception as error:
        raise Differs(f"{mode} the fixed layer raises {observe.describe(error)}") from error


def _check(before: Behaviour, after: Behaviour, mode: str) -> None:
    if _shapes(before.outputs) != _shapes(after.outputs):
        raise Differs(f"{mode} the fixed layer returns {_shapes(after.outputs)}, not {_shapes(before.outputs)}")
    if not _close(before.outputs, after.outputs):
        raise Differs(f"{mode} the fixed layer gives other numbers")
    if not _close([before.weights], [after.weights]):
        raise Differs(f"{mode} the weights of the fixed layer end up different")


def _observe(session: Session, subject: Subject, weights: list[Any] | None, graph: bool) -> tuple[list[Any], Behaviour]:
    """Call a new layer with given weights (its own, if there are none yet) on three inputs."""
    fresh = session.with_data(session.fresh(subject))
    with session.eagerly():
        session.call(fresh)
    own = _weights(fresh.layer)
    if weights is None:
        # The first call may have changed them already; a layer that is only built has its initial ones.
        weights = own
    elif [value.shape for value in weights] != [value.shape for value in own]:
        raise Differs("the fixed layer has other weights")
    if weights:
        fresh.layer.set_weights(weights)
    session.keras.utils.set_random_seed(1)
    call = session.traced(fresh)[0] if graph else None
    outputs = []
    for shift in range(_CALLS):
        moved = replace(fresh, inputs=_moved(session.tf, fresh.inputs, shift))
        if call is not None:
            result = call(*session.tensors(moved))
        else:
            with session.eagerly():
                result = session.call(moved)
        outputs.append(session.numbers(result))
    return weights, Behaviour(outputs, _weights(fresh.layer))


def _weights(layer: Any) -> list[Any]:
    return list(layer.get_weights()) if hasattr(layer, "get_weights") else []


def _moved(tf: Any, inputs: tuple[Any, ...], shift: int) -> tuple[Any, ...]:
    """Other numbers of the same kind: floats are scaled and mirrored, everything else stays."""

    def move(value: Any) -> Any:
        floating = isinstance(value, tf.Tensor) and value.dtype.is_floating
        return value * tf.cast((1.0, -1.0, 0.5)[shift], value.dtype) if floating else value

    moved = tf.nest.map_structure(move, inputs)
    return tuple(moved)


def _shapes(outputs: list[Any]) -> list[list[str]]:
    return [[f"{getattr(v, 'dtype', type(v).__name__)}{getattr(v, 'shape', '')}" for v in values] for values in outputs]


def _close(left: list[Any], right: list[Any]) -> bool:
    from tflint_layers.confirm.session import equal

    return len(left) == len(right) and all(equal(a, b, close=True) for a, b in zip(left, right, strict=True))
