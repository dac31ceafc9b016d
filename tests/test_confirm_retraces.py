"""Traces are counted, and the argument that causes them is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from tflint_layers.confirm import LayerQuestion, confirm, trace_layers
from tflint_layers.finding import Status
from tflint_layers.linter import lint_with_suspects
from tflint_layers.settings import Settings

SOURCE = """\
import {keras} as keras
import tensorflow as tf


class Steps(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.step = 0

    def call(self, inputs):
        self.step += 1
        return self._scaled(inputs, self.step, "mean")

    @tf.function
    def _scaled(self, inputs, step, mode):
        return inputs * tf.cast(step, inputs.dtype)


class Once(keras.layers.Layer):
    def call(self, inputs):
        return self._scaled(inputs, 3)

    @tf.function
    def _scaled(self, inputs, step):
        return inputs * tf.cast(step, inputs.dtype)


class Named(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.calls = 0

    def call(self, inputs):
        self.calls += 1
        return tagged(inputs, f"call {{self.calls}}")


@tf.function
def tagged(inputs, tag):
    return tf.identity(inputs)


class Tagging:
    pass


class Kept(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.first, self.second = Tagging(), Tagging()

    def call(self, inputs):
        return tagged(tagged(inputs, self.first), self.second)


class Scaled(keras.layers.Layer):
    def call(self, inputs, factor=1.0):
        return inputs * factor


class Picks(keras.layers.Layer):
    def call(self, inputs, axis=1):
        return tf.reduce_sum(inputs, axis=axis)


def example_uses():
    Scaled()(tf.ones([4, 8]), factor=2.0)
    Picks()(tf.ones([4, 8]), axis=1)
"""


@pytest.mark.tensorflow
def test_retraces_are_counted_with_their_argument(keras: int, tmp_path: Path) -> None:
    source = SOURCE.format(keras="keras" if keras == 3 else "tf_keras").encode()
    path = str(tmp_path / "layers.py")
    names = ("Steps", "Once", "Named", "Kept", "Scaled", "Picks")
    results = trace_layers([LayerQuestion(source, path, name, keras) for name in names], timeout=60.0)
    told = {result.layer: result.because for result in results}
    anew = "it runs eagerly and as a graph; {} is traced anew in each of 3 calls, in which its argument {}"
    assert told == {
        "Steps": anew.format("`self._scaled`", "`step` is 1, 2, 3"),
        "Once": "it runs eagerly and as a graph",
        "Named": anew.format("`tagged`", "`tag` is 'call 1', 'call 2', 'call 3'"),
        # Each of the layers that are made has tags of its own.
        "Kept": "it runs eagerly and as a graph",
        "Scaled": anew.format("a tf.function that calls the layer", "`factor` is 2.0, 3.0, 4.0"),
        # An axis that is not there is refused.
        "Picks": "it runs eagerly and as a graph",
    }


@pytest.mark.tensorflow
def test_a_confirmed_finding_tells_of_the_retraces_that_it_causes(tmp_path: Path) -> None:
    source = SOURCE.format(keras="keras").encode()
    path = str(tmp_path / "layers.py")
    found = [f for f in lint_with_suspects(source, path, Settings(keras=3)) if f.layer == "Steps"]
    (judged,) = confirm([f for f in found if f.code == "TFL202"], {path: source}, timeout=60.0)
    assert judged.verdict is not None
    assert judged.verdict.status is Status.CONFIRMED
    anew = "; `self._scaled` is traced anew in each of 3 calls, in which its argument `step` is 1, 2, 3"
    assert judged.verdict.because.endswith(anew)
