"""What a layer does over several calls: its results, gradients and weights, eagerly or as a graph."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tflint_layers.confirm import observe
from tflint_layers.confirm.builder import Builder, Subject
from tflint_layers.confirm.request import Lines

if TYPE_CHECKING:
    from tflint_layers.confirm.session import Session

Variation = Callable[[Any, tuple[Any, ...]], tuple[Any, ...]]


@dataclass(frozen=True)
class Setting:
    """How a layer is set up before its calls: the weights that it is given, if any, and with ``training=True`` or not.

    ``seed`` is for what draws random numbers without a seed of its own.
    """

    weights: list[Any]
    training: bool
    seed: int


@dataclass(frozen=True)
class Call:
    """The flat results of a call, how they are nested, and their gradients.

    ``gradients`` belong to the inputs and then to the trainable weights, None where nothing flows; the whole of it is
    None where gradients make no sense, or cannot be taken.
    """

    outputs: list[Any]
    structure: str
    gradients: list[Any] | None


@dataclass(frozen=True)
class Behaviour:
    """The calls by variation of the inputs, the weights afterwards, and what ran.

    ``draws`` says that the calls used generators of Python or NumPy.
    """

    calls: dict[str, Call]
    failures: dict[str, Exception]
    weights: list[Any]
    draws: bool
    lines: Lines


class Observer:
    """Runs the layers of one source text, the ``fixed`` one or the one before."""

    def __init__(self, session: Session, build: Builder, subject: Subject, *, fixed: bool) -> None:
        self._session, self._build, self._subject, self._fixed = session, build, subject, fixed
        self._tf, self._keras = session.tf, session.keras

    @property
    def has_training(self) -> bool:
        """Whether the layer can also be called with ``training=True``."""
        return self._build.in_training(self._subject) is not None

    def initial_weights(self) -> list[Any]:
        """The weights after one call: most layers have none before."""
        return weights_of(self._made(Setting([], False, 1)).layer)

    def moved_weights(self) -> list[Any]:
        """Other weights: those that are trained do not stay zeros and ones for long."""
        layer = self._made(Setting([], False, 1)).layer
        trained = {id(variable) for variable in getattr(layer, "trainable_weights", ())}
        generator = sys.modules["numpy"].random.default_rng(5)
        return [
            value + generator.normal(0.0, 0.05, value.shape).astype(value.dtype) if id(variable) in trained else value
            for variable, value in zip(getattr(layer, "weights", ()), weights_of(layer), strict=False)
        ]

    def observe(self, setting: Setting, variations: Iterable[str], graph: bool = False) -> Behaviour:
        """Call a new layer with each variation of the inputs; what it raises is kept, not raised."""
        self._session.use_helper(fixed=self._fixed)
        self._build.use_text()
        watch = self._session.watch()
        calls: dict[str, Call] = {}
        failures: dict[str, Exception] = {}
        with watch:
            made = self._made(setting)
        if setting.weights:
            made.layer.set_weights(setting.weights)
        self._keras.utils.set_random_seed(setting.seed)
        before = observe.generators(self._build.anatomy, made.layer)
        function = self._session.traced(self._build, made)[0] if graph else None
        for name in variations:
            try:
                moved = replace(made, inputs=VARIATIONS[name](self._tf, made.inputs))
                if function is not None:
                    calls[name] = self._graph_call(function, moved)
                else:
                    with watch, self._build.eagerly():
                        calls[name] = self._eager_call(moved)
            except Exception as error:
                failures[name] = error
        draws = observe.generators(self._build.anatomy, made.layer) != before
        return Behaviour(calls, failures, weights_of(made.layer), draws, watch.lines)

    def _made(self, setting: Setting) -> Subject:
        """A new layer that was called once."""
        subject = self._build.in_training(self._subject) if setting.training else None
        made = self._build.with_data(self._build.fresh(subject or self._subject))
        with self._build.eagerly():
            self._build.call(made)
        return made

    def _eager_call(self, subject: Subject) -> Call:
        inputs = [value for value in self._tf.nest.flatten(subject.inputs) if self._is_differentiable(value)]
        return self._call(lambda: self._build.call(subject), subject, inputs)

    def _graph_call(self, function: Any, subject: Subject) -> Call:
        tensors = self._session.traced(self._build, subject)[1]
        inputs = [value for value in tensors if self._is_differentiable(value)]
        return self._call(lambda: function(*tensors), subject, inputs)

    def _call(self, call: Callable[[], Any], subject: Subject, inputs: list[Any]) -> Call:
        tf = self._tf
        if not self._has_gradients(subject):
            return Call(*self._flat(call()), None)
        sources = [*inputs, *(_variable(v) for v in getattr(subject.layer, "trainable_weights", ()))]
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            result = call()
            targets = [v for v in tf.nest.flatten(result, expand_composites=True) if self._is_differentiable(v)]
        outputs, structure = self._flat(result)
        if not targets or not sources:
            return Call(outputs, structure, None)
        try:
            flowing = tape.gradient(targets, sources, output_gradients=[self._slope(target) for target in targets])
        except LookupError:
            # An operation has no gradient at all, in either mode.
            return Call(outputs, structure, None)
        gradients = [None if value is None else tf.convert_to_tensor(value).numpy() for value in flowing]
        return Call(outputs, structure, gradients)

    def _has_gradients(self, subject: Subject) -> bool:
        """A training step takes its own gradients, and a metric needs none."""
        return not self._build.is_step(subject) and not isinstance(subject.layer, self._keras.metrics.Metric)

    def _slope(self, target: Any) -> Any:
        """Other weights for each number of a result: the sum of a softmax, for one, has no gradient."""
        count = self._tf.size(target)
        return self._tf.reshape(
            self._tf.cast(self._tf.cos(self._tf.range(count, dtype=float)), target.dtype), target.shape
        )

    def _is_differentiable(self, value: Any) -> bool:
        return isinstance(value, self._tf.Tensor) and bool(value.dtype.is_floating)

    def _flat(self, result: Any) -> tuple[list[Any], str]:
        structure = repr(self._tf.nest.map_structure(lambda _: 0, result))
        values = self._tf.nest.flatten(result, expand_composites=True)
        return [self._number(value) for value in values], structure

    def _number(self, value: Any) -> Any:
        """What a graph makes of a Python number, too, is an array."""
        if isinstance(value, bool | int | float | complex):
            value = self._tf.convert_to_tensor(value)
        return value.numpy() if hasattr(value, "numpy") else value


def weights_of(layer: Any) -> list[Any]:
    """The numbers of all weights."""
    return list(layer.get_weights()) if hasattr(layer, "get_weights") else []


def _variable(weight: Any) -> Any:
    """The variable of TensorFlow in a weight of Keras 3."""
    value = getattr(weight, "value", None)
    return weight if value is None or callable(value) else value


def _mapped(change: Callable[[Any, Any], Any]) -> Variation:
    """A variation that changes tensors one by one."""

    def vary(tf: Any, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        def changed(value: Any) -> Any:
            return change(tf, value) if isinstance(value, tf.Tensor) else value

        return tuple(tf.nest.map_structure(changed, inputs))

    return vary


def _negative(tf: Any, value: Any) -> Any:
    """Numbers of the other sign; what may be an index stays one, of another row."""
    return -value if value.dtype.is_floating else _rolled(tf, value)


def _rolled(tf: Any, value: Any) -> Any:
    return tf.roll(value, 1, axis=0) if value.shape.rank else value


def _halved(tf: Any, value: Any) -> Any:
    return value * tf.cast(0.5, value.dtype) if value.dtype.is_floating else value


def _drawn(tf: Any, value: Any) -> Any:
    """Random numbers around the first ones."""
    if not value.dtype.is_floating:
        return _rolled(tf, value)
    seed = [3, 1 + random.Random(str(value.shape)).randrange(99)]
    return value + tf.cast(tf.random.stateless_normal(value.shape, seed), value.dtype)


def _shorter(tf: Any, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Two rows of the batch.

    Raises:
        ValueError: it is not clear what the batch is.
    """
    tensors = [v for v in tf.nest.flatten(inputs) if isinstance(v, tf.Tensor) and v.shape.rank]
    sizes = {int(tensor.shape[0]) for tensor in tensors}
    if len(sizes) != 1 or min(sizes) <= 2:
        raise ValueError("the inputs have no batch that can be shorter")
    return _mapped(lambda tf, value: value[:2] if value.shape.rank else value)(tf, inputs)


VARIATIONS: dict[str, Variation] = {
    "as they are": _mapped(lambda tf, value: value),
    "negative": _mapped(_negative),
    "halved": _mapped(_halved),
    "random": _mapped(_drawn),
    "a shorter batch": _shorter,
}
