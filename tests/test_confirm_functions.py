"""What `tf.function` is given other than as a decorator is run as the user runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tflint_layers import Settings
from tflint_layers.confirm import confirm
from tflint_layers.linter import lint_with_suspects

SOURCE = """\
import tensorflow as tf
from tensorflow import keras


def scale(x):
    return x / tf.reduce_max(x).numpy()


traced = tf.function(scale, reduce_retracing=True)
unconverted = tf.autograph.experimental.do_not_convert(scale)


class UsesTraced(keras.layers.Layer):
    def call(self, x):
        print("traced")
        return traced(x)


class UsesUnconverted(keras.layers.Layer):
    def call(self, x):
        print("unconverted")
        return unconverted(x)


class Stepping(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.step = tf.function(self._step)

    def _step(self, x):
        return x / tf.reduce_max(x).numpy()

    def call(self, x):
        return self.step(x)


class Trainer:
    def __init__(self, units=3):
        self.dense = keras.layers.Dense(units)
        self.step = tf.function(self._step)

    def _step(self, x):
        print("step")
        return self.dense(x)

    @tf.function
    def decorated(self, x):
        return self.dense(x) / tf.reduce_max(x).numpy()
"""


@pytest.mark.tensorflow
def test_what_tf_function_is_given_is_run(keras: int, tmp_path: Path) -> None:
    path = str(tmp_path / "training.py")
    found = lint_with_suspects(SOURCE.encode(), path, Settings(keras=keras))
    judged = confirm(found, {path: SOURCE.encode()})
    told = {f.line: (f.code, f.verdict.status.value, f.verdict.recipe) for f in judged if f.verdict is not None}
    batch = "tf.random.uniform([4, 8])"
    assert told == {
        6: ("TFL101", "confirmed", f"scale({batch})"),
        15: ("TFL201", "confirmed", f"UsesTraced()({batch})"),
        21: ("TFL201", "confirmed", f"UsesUnconverted()({batch})"),
        31: ("TFL101", "confirmed", f"Stepping()({batch})"),
        43: ("TFL201", "confirmed", f"Trainer()._step({batch})"),
        48: ("TFL101", "confirmed", f"Trainer().decorated({batch})"),
    }
