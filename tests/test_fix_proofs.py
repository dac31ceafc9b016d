"""Proofs of fixes by real TensorFlow: what the fixed layer does is compared with what the original did."""

from __future__ import annotations

from pathlib import Path

import pytest

from tflint_layers.confirm import FixQuestion, prove_fix, prove_fixes

ORIGINAL = b"""\
import keras
import tensorflow as tf


class Layer(keras.layers.Layer):
    def __init__(self, units=3):
        super().__init__()
        self.dense = keras.layers.Dense(units)
        self.steps = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, inputs):
        print("called")
        self.steps.assign_add(1.0)
        return self.dense(inputs) * self.steps
"""


@pytest.mark.tensorflow
def test_fixes_are_proved(keras: int, tmp_path: Path) -> None:
    path = str(tmp_path / "layer.py")
    # AutoGraph must not take the text of the file for that of the fixed layer.
    Path(path).write_bytes(ORIGINAL)
    changes = {
        'tf.print("called")': "the same numbers, gradients and weights",
        "inputs = inputs + 1.0": "gives other numbers",
        "self.steps.assign_add(1.0)": "gives other numbers",
        "inputs = inputs[:, :, tf.newaxis]": "in eager mode the fixed layer",
        "inputs.numpy()": "as a graph the fixed layer raises AttributeError",
    }
    questions = [
        FixQuestion(ORIGINAL, ORIGINAL.replace(b'print("called")', new.encode()), path, "Layer", keras)
        for new in changes
    ]
    proofs = prove_fixes(questions)
    assert [proof.ok for proof in proofs] == [True, False, False, False, False]
    for proof, expected in zip(proofs, changes.values(), strict=True):
        assert expected in proof.because or "other weights" in proof.because, proof.because


@pytest.mark.tensorflow
def test_the_fix_is_traced_and_not_the_file_on_disk(keras: int, tmp_path: Path) -> None:
    path = tmp_path / "layer.py"
    path.write_bytes(ORIGINAL)
    change = b"inputs = inputs + (0.0 if tf.executing_eagerly() else 1.0)"
    proof = prove_fix(ORIGINAL, ORIGINAL.replace(b'print("called")', change), str(path), "Layer", keras)
    assert (proof.ok, proof.because) == (False, "as a graph the fixed layer gives other numbers")


@pytest.mark.tensorflow
def test_the_fix_of_a_layer_that_cannot_be_built(tmp_path: Path) -> None:
    source = b"""\
import keras


class Stateful(keras.layers.Layer):
    def __init__(self):
        super().__init__(dynamic=True)
        self.state = self.add_weight(shape=(1,), initializer="zeros", trainable=False)

    def call(self, inputs):
        self.state.assign_add(inputs)
        return self.state
"""
    fixed = source.replace(b"dynamic=True", b"")
    proof = prove_fix(source, fixed, str(tmp_path / "layer.py"), "Stateful")
    assert proof.ok
    assert "the original cannot be compared (it could not be built: ValueError: Unrecognized" in proof.because
    assert proof.recipe == "Stateful()(tf.random.uniform([1]))"
