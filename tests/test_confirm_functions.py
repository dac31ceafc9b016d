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


@pytest.mark.tensorflow
@pytest.mark.parametrize("statement", ["from pkg.helpers import scale", "from .helpers import scale"])
def test_packages_without_an_init_and_without_a_mark_of_a_project(tmp_path: Path, statement: str) -> None:
    folder = tmp_path / "pkg"
    folder.mkdir()
    (folder / "helpers.py").write_text("def scale(x):\n    return x / x.numpy().max()\n")
    source = (
        f"from tensorflow import keras\n{statement}\n\n\n"
        "class Scale(keras.layers.Layer):\n    def call(self, x):\n        print('called')\n        return scale(x)\n"
    ).encode()
    path = str(folder / "layers.py")
    (folder / "layers.py").write_bytes(source)
    found = lint_with_suspects(source, path, Settings(keras=3))
    (judged,) = confirm([finding for finding in found if finding.code == "TFL201"], {path: source})
    assert judged.verdict is not None
    assert judged.verdict.status.value == "confirmed"
