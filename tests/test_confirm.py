"""Verdicts of real TensorFlow on small layers, under both Keras versions."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tflint_layers.confirm import (
    LayerQuestion,
    NoTensorFlow,
    confirm,
    trace_layer,
    trace_layers,
)
from tflint_layers.finding import Finding, Proof, Status

HEADER = """\
import random

import keras
import numpy as np
import tensorflow as tf

SEEN = []
"""

LAYERS = """
class Counts(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.calls = 0

    def call(self, inputs):
        self.calls += 1  # runs-once confirmed
        self.width = inputs.shape[-1]  # runs-once refuted
        print("called")  # runs-once confirmed
        return inputs * 2.0


class Draws(keras.layers.Layer):
    def call(self, inputs):
        return inputs + np.random.normal()  # frozen confirmed


class DrawsInGraph(keras.layers.Layer):
    def call(self, inputs):
        return inputs + tf.random.normal([])  # frozen refuted


class Keeps(keras.layers.Layer):
    def __init__(self, units):
        super().__init__()
        self.dense = keras.layers.Dense(units)

    def call(self, inputs):
        self.last = self.dense(inputs)  # leaks confirmed
        SEEN.append(self.last)  # leaks confirmed
        size = inputs.shape[-1]  # raises refuted
        return self.last * float(size)


class Needs(keras.layers.Layer):
    def call(self, inputs, training=False):
        if training:
            inputs = inputs + float(inputs.numpy().sum())  # raises confirmed
        return self._scale(inputs)

    def _scale(self, inputs):
        if self.name == "never":
            return inputs.numpy()  # raises unproven
        return inputs * 2.0


class Batch(keras.layers.Layer):
    def call(self, inputs):
        return tf.reshape(inputs, [inputs.shape[0], -1])  # raises confirmed


class BatchOfAnother(keras.layers.Layer):
    def call(self, inputs, hidden=None):
        return inputs + tf.zeros([hidden.shape[0], 1])  # raises confirmed


class Switches(keras.layers.Layer):
    def call(self, inputs):
        tf.config.run_functions_eagerly(True)  # global-flag confirmed
        return inputs


class SwitchesOff(keras.layers.Layer):
    def call(self, inputs):
        tf.config.run_functions_eagerly(False)  # global-flag confirmed
        return inputs


class SetsItem(keras.layers.Layer):
    def call(self, inputs):
        inputs[0] = 0.0  # raises confirmed
        return inputs


class Splits(keras.layers.Layer):
    def call(self, inputs):
        left, right = inputs
        assert tf.reduce_all(left >= 0.0)  # raises confirmed
        return left + right


class Cell(keras.layers.Layer):
    def __init__(self, units):
        super().__init__()
        self.state_size = self.output_size = units

    def call(self, inputs, states):
        print("step")  # runs-once confirmed
        return states[0], states


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1)

    def call(self, inputs):
        return self.dense(inputs)

    def train_step(self, data):
        x, y = data
        loss = tf.reduce_mean(tf.square(self(x) - y))
        print(loss.numpy())  # raises confirmed train_step
        return {"loss": loss}


def make():
    class Nested(keras.layers.Layer):
        def call(self, inputs):
            print("nested")  # runs-once confirmed
            return inputs

    return Nested()


@tf.function
def step(x):
    print("traced")  # runs-once confirmed
    return x * 2.0
"""

ONLY_KERAS_3 = """
class Branches(keras.layers.Layer):
    def call(self, inputs):
        if tf.reduce_sum(inputs) > 0.0:  # raises confirmed
            return inputs
        return -inputs


class Builds(keras.layers.Layer):
    def build(self, input_shape):
        self.size = float(tf.linalg.norm(tf.ones(3)).numpy())  # raises confirmed

    def call(self, inputs):
        return inputs * self.size


class Dynamic(keras.layers.Layer):
    def __init__(self):
        super().__init__(dynamic=True)  # construction confirmed

    def call(self, inputs):
        return inputs


class Swallows(keras.layers.Layer):
    def call(self, inputs):
        try:
            return inputs - inputs.numpy().mean()  # swallowed confirmed
        except AttributeError:
            return inputs
"""


def findings_of(source: str, path: str, keras: int) -> list[tuple[Finding, Status]]:
    """One finding for each marker ``# proof status [entry]``."""
    found, layer, function = [], None, None
    for number, line in enumerate(source.splitlines(), 1):
        words = line.split()
        if words[:1] == ["class"]:
            layer = words[1].partition("(")[0]
        elif words[:1] == ["def"] and not line[0].isspace():
            layer, function = None, words[1].partition("(")[0]
        marker = line.partition("# ")[2].split()
        if marker and marker[0] in {proof.value for proof in Proof}:
            entry = marker[2] if len(marker) > 2 else "call"
            route = (f"{layer}.{entry}",) if layer else (str(function),)
            finding = Finding(
                path=path, cell=None, line=number, column=1, code="TFL999", end_line=number, end_column=2, name="n",
                message="m", layer=layer, function=route[0], route=route, keras=keras, proof=Proof(marker[0]),
            )  # fmt: skip
            found.append((finding, Status(marker[1])))
    return found


@pytest.mark.tensorflow
def test_verdicts(keras: int, tmp_path: Path) -> None:
    path = str(tmp_path / "layers.py")
    source = HEADER + LAYERS + (ONLY_KERAS_3 if keras == 3 else "")
    expected = findings_of(source, path, keras)
    steps: list[tuple[int, int]] = []
    judged = confirm(
        [finding for finding, _ in expected], {path: source.encode()}, progress=lambda *at: steps.append(at)
    )
    assert [replace(finding, verdict=None) for finding in judged] == [finding for finding, _ in expected]
    lines = source.splitlines()
    said = [(lines[f.line - 1], f.verdict and f.verdict.status, f.verdict and f.verdict.because) for f in judged]
    wrong = [text for text, (_, status) in zip(said, expected, strict=True) if text[1] is not status]
    assert wrong == []
    assert steps[-1][0] == steps[-1][1] == len(steps)


@pytest.mark.tensorflow
def test_layers_without_findings(tmp_path: Path) -> None:
    source = b"""\
import missing_package
import keras
import tensorflow as tf


class RankOneWeight(keras.layers.Layer):
    def __init__(self, units):
        super().__init__()
        self.w = self.add_weight(shape=(units,), initializer="random_normal")

    def call(self, inputs):
        return tf.matmul(inputs, self.w)


class Fine(keras.layers.Layer):
    def call(self, inputs):
        return tf.square(inputs)


class UsesMissing(keras.layers.Layer):
    def call(self, inputs):
        return missing_package.double(inputs)


class UsesSkipped(keras.layers.Layer):
    def call(self, inputs):
        return inputs * FACTOR


class Fails(keras.layers.Layer):
    def call(self, inputs):
        return inputs * int(tf.shape(inputs)[0])


FACTOR = print("never runs") or 2.0
keras.Sequential([RankOneWeight(10), keras.layers.Dense(1)])
"""
    names = ["RankOneWeight", "Fine", "UsesMissing", "UsesSkipped", "Fails", "Absent"]
    path = str(tmp_path / "seed.py")
    results = trace_layers([LayerQuestion(source, path, name) for name in names], benchmark=True)
    told = {result.layer: (result.status, result.line) for result in results}
    assert told == {
        "RankOneWeight": ("unproven", 12),
        "Fine": ("traces", None),
        "UsesMissing": ("unproven", 22),
        "UsesSkipped": ("unproven", 27),
        "Fails": ("fails", 32),
        "Absent": ("unproven", None),
    }
    rank, fine, missing, skipped, fails, absent = results
    assert rank.because.startswith("no input makes it run: InvalidArgumentError: In[")
    assert rank.recipe is not None
    assert rank.recipe.startswith("RankOneWeight(10)(")
    assert fine.eager_ms
    assert fine.graph_ms
    assert "No module named 'missing_package'" in missing.because
    assert "line 35 sets it, but module-level statements do not run" in skipped.because
    assert fails.because.startswith("tracing raises TypeError")
    assert "is not in the module" in absent.because


@pytest.mark.tensorflow
def test_a_recipe_from_the_settings(tmp_path: Path) -> None:
    source = b"""\
import keras


class Strange(keras.layers.Layer):
    def __init__(self, table):
        super().__init__()
        self.table = dict(table)["key"]

    def call(self, inputs):
        return inputs * self.table
"""
    path = str(tmp_path / "layers.py")
    example = {"init": "Strange({'key': 2.0})", "inputs": [{"shape": [2, 8], "dtype": "float64"}]}
    assert trace_layer(source, path, "Strange").status == "unproven"
    result = trace_layer(source, path, "Strange", examples={"layers:Strange": example})
    assert result.status == "traces"
    assert result.recipe == "Strange({'key': 2.0})(tf.random.uniform([2, 8], dtype=tf.float64))"


@pytest.mark.tensorflow
def test_a_layer_in_a_package(tmp_path: Path) -> None:
    package = tmp_path / "project" / "nets"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("from .layers import Scaled\n")
    (package / "helpers.py").write_text("def scale(x):\n    print('scaling')\n    return x * 2.0\n")
    layers = b"import keras\nfrom .helpers import scale\n\n\nclass Scaled(keras.layers.Layer):\n    def call(self, x):\n        return scale(x)\n"  # noqa: E501
    (package / "layers.py").write_bytes(layers)
    home, helper = str(package / "layers.py"), str(package / "helpers.py")
    finding = Finding(
        path=helper, cell=None, line=2, column=5, code="TFL201", end_line=2, end_column=9, name="n", message="m",
        layer="Scaled", function="scale", route=("Scaled.call", "scale"), keras=3, proof=Proof.RUNS_ONCE,
        layer_path=home,
    )  # fmt: skip
    (judged,) = confirm([finding], {helper: (package / "helpers.py").read_bytes(), home: layers})
    assert judged.verdict is not None
    assert judged.verdict.status is Status.CONFIRMED
    assert judged.verdict.recipe == "Scaled()(tf.random.uniform([4, 8]))"


def test_without_tensorflow(tmp_path: Path) -> None:
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n')
    bare.chmod(0o755)
    with pytest.raises(
        NoTensorFlow, match=r"No module named 'tensorflow'.*pip install tflint-layers\[confirm\].*--python"
    ):
        trace_layer(b"", "x.py", "Layer", python=str(bare))
    with pytest.raises(NoTensorFlow, match="cannot start"):
        trace_layer(b"", "x.py", "Layer", python=str(tmp_path / "absent"))
    bare.write_text("#!/bin/sh\necho hello\necho 1\necho no interpreter >&2\n")
    with pytest.raises(NoTensorFlow, match="python cannot use: no interpreter"):
        trace_layer(b"", "x.py", "Layer", python=str(bare))


def test_nothing_to_confirm_needs_no_tensorflow(tmp_path: Path) -> None:
    assert confirm([], {}, python=str(tmp_path / "absent")) == []


MADE_UP = """\
import keras
import tensorflow as tf


class Threes(keras.layers.Layer):
    @tf.function
    def call(self, inputs):
        total = tf.zeros((3,))
        for row in inputs:
            total += row
        return inputs + total


class Mean(keras.layers.Layer):
    def call(self, inputs):
        return tf.add_n(list(inputs)) / float(len(inputs))


class Normal(keras.layers.Layer):
    def __init__(self, groups, width, mode):
        super().__init__()
        if width % groups or mode not in ("up", "down"):
            raise ValueError(f"`mode` must be one of 'up', 'down', and `groups` must divide `width`: {mode}")
        self.dense = keras.layers.Dense(width)

    def call(self, inputs, *, scale):
        batch, rows, columns, channels = inputs.shape
        return self.dense(inputs["left"] if isinstance(inputs, dict) else inputs) * tf.cast(scale, tf.float32)
"""


@pytest.mark.tensorflow
def test_made_up_inputs_are_not_held_against_a_layer(tmp_path: Path) -> None:
    """`Threes` runs on images too, where its loop cannot be traced; `Mean` iterates over what may be a list."""
    path = str(tmp_path / "made_up.py")
    questions = [LayerQuestion(MADE_UP.encode(), path, name) for name in ("Threes", "Mean", "Normal")]
    results = {result.layer: result for result in trace_layers(questions, timeout=60.0)}
    assert results["Threes"].status != "fails", results
    assert results["Mean"].status == "traces", results
    assert results["Normal"].status == "traces", results
    assert "mode='up'" in (results["Normal"].recipe or "")


OPTIONAL = b"""\
import keras
import tensorflow as tf

try:
    import absent_text_tools as tools
except ImportError:
    tools = None


class Trims(keras.layers.Layer):
    def call(self, inputs):
        if tf.executing_eagerly():
            return inputs
        return tools.trim(inputs)


class Forgets(keras.layers.Layer):
    def call(self, inputs):
        helper = tf if tf.executing_eagerly() else None
        return helper.identity(inputs)
"""


@pytest.mark.tensorflow
def test_a_layer_that_needs_an_optional_module_is_unproven(tmp_path: Path) -> None:
    path = str(tmp_path / "layers.py")
    trims, forgets = trace_layers([LayerQuestion(OPTIONAL, path, name) for name in ("Trims", "Forgets")])
    assert (trims.status, trims.line) == ("unproven", 14)
    assert "it needs absent_text_tools, without which `tools` is None" in trims.because
    assert trims.because.startswith("tracing needs what is not installed: ")
    assert (forgets.status, forgets.line) == ("fails", 20)
