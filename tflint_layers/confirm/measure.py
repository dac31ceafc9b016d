"""How long a call and a training step of a layer take, eagerly and as a graph. TensorFlow comes with the session."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from tflint_layers.confirm.builder import Subject

if TYPE_CHECKING:
    from tflint_layers.confirm.session import Session

_RATE = 1e-3


def measure(session: Session, subject: Subject) -> None:
    """Emit the medians in milliseconds; of a layer that cannot be trained, only those of a call."""
    build = session.build
    layer = build.with_data(build.fresh(subject))
    graph, tensors, plain = session.traced(build, layer)
    session.emit({"eager_ms": _median(lambda: build.call(layer)), "graph_ms": _median(lambda: graph(*tensors))})
    step = _training_step(session.tf, layer.layer, plain)
    if step is not None:
        traced = session.tf.function(step)
        times = {"eager_step_ms": _median(lambda: step(*tensors)), "graph_step_ms": _median(lambda: traced(*tensors))}
        session.emit(times)


def tensorflow_variables(tf: Any, variables: Iterable[Any]) -> list[Any]:
    """Variables of either Keras as those of TensorFlow; Keras 3 has a class of its own around them."""
    inner = (variable if isinstance(variable, tf.Variable) else variable.value for variable in variables)
    return [variable for variable in inner if isinstance(variable, tf.Variable)]


def _training_step(tf: Any, layer: Any, call: Callable[..., Any]) -> Callable[..., Any] | None:
    """A step down the gradient of the mean square of what a layer returns."""
    weights = tensorflow_variables(tf, getattr(layer, "trainable_variables", ()))
    variables = [weight for weight in weights if weight.dtype.is_floating]
    if not variables:
        return None

    def step(*tensors: Any) -> None:
        with tf.GradientTape() as tape:
            outputs = [value for value in tf.nest.flatten(call(*tensors)) if value.dtype.is_floating]
            loss = tf.add_n([tf.reduce_mean(tf.cast(value, tf.float32) ** 2) for value in outputs])
        for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
            if gradient is not None:
                variable.assign_sub(tf.cast(_RATE, variable.dtype) * gradient)

    # As for the layer alone, AutoGraph is on below, but leaves this function as it is.
    step.autograph_info__ = {}  # type: ignore[attr-defined]
    return step


def _median(call: Callable[[], object], budget: float = 1.0) -> float:
    for _ in range(3):
        call()
    times: list[float] = []
    end = time.perf_counter() + budget
    while time.perf_counter() < end and len(times) < 200:
        start = time.perf_counter()
        call()
        times.append((time.perf_counter() - start) * 1000)
    return round(statistics.median(times), 4)
