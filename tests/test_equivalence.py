"""What a proof of a fix looks at."""

from __future__ import annotations

from pathlib import Path

import pytest

from tflint_layers.confirm import FixQuestion, prove_fixes
from tflint_layers.confirm.reached import unreached

HEADER = """\
import numpy as np
import keras
import tensorflow as tf


class Layer(keras.layers.Layer):
"""

# Before, after, whether the fix passes, and what is said about it. The code is the body of `call`.
CASES = [
    ("print(1)\nreturn x * 2.0", "tf.print(1)\nreturn x * 2.0", True, "5 calls give the same numbers, gradients and"),
    ("return x * tf.reduce_max(x).numpy()", "return x * tf.reduce_max(x)", False, "other gradients: they are other"),
    (
        "return x * tf.reduce_max(x).numpy()",
        "return x * tf.stop_gradient(tf.reduce_max(x))",
        True,
        "5 calls give the same numbers, gradients and weights",
    ),
    ("return tf.nn.relu(x)", "return x", False, "in eager mode the fixed layer gives other numbers (with inputs:"),
    ("return x + np.random.normal()", "return x + tf.random.normal([])", True, "of which only shapes and dtypes"),
    ("return x + np.random.normal()", "return tf.random.normal([])", False, "returns float32(), not float32(4, 8)"),
    ("return x, 1", "return [x, 1]", False, "returns float32(4, 8), int32() in [0, 0], not"),
    ("return x + 0.0", "return tf.cast(x, 'float64')", False, "returns float64(4, 8), not float32(4, 8)"),
    ("return x * 2.0", "return tf.reshape(x, [4, 8]) * 2.0", False, "raises"),
    (
        "if training:\n    return x.numpy()\nreturn x",
        "if training:\n    return x + 1.0\nreturn x",
        False,
        "with training=True the fixed layer gives other numbers",
    ),
    (
        "if self.name == '':\n    print(1)\nreturn x",
        "if self.name == '':\n    tf.print(1)\nreturn x",
        False,
        "no call reaches line 9 of the fixed code",
    ),
    ("return tf.nn.dropout(x, 0.5)", "return tf.nn.dropout(x, 0.5) + 0.0", True, "of which only shapes and dtypes"),
]


def layer(body: str) -> bytes:
    lines = ["def call(self, x, training=False):" if "training" in body else "def call(self, x):"]
    lines += ["    " + line for line in body.splitlines()]
    return (HEADER + "".join(f"    {line}\n" for line in lines)).encode()


@pytest.mark.tensorflow
def test_what_a_proof_looks_at(tmp_path: Path) -> None:
    path = str(tmp_path / "layer.py")
    questions = [FixQuestion(layer(before), layer(after), path, "Layer") for before, after, _, _ in CASES]
    proofs = prove_fixes(questions)
    wrong = [
        (before, proof)
        for (before, _, ok, because), proof in zip(CASES, proofs, strict=True)
        if proof.ok is not ok or because not in proof.because
    ]
    assert wrong == []
    gradients = [proof.other_gradients for proof in proofs]
    assert gradients == [case[3].startswith("other gradients") for case in CASES]


@pytest.mark.tensorflow
def test_weights_are_compared(tmp_path: Path) -> None:
    original = b"""\
import keras
import tensorflow as tf


class Layer(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.gain = self.add_weight(shape=(1,), initializer="ones")
        self.seen = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, inputs):
        print(inputs.shape)
        self.seen.assign_add(tf.reduce_sum(inputs))
        return inputs * self.gain
"""
    changes = {
        (b"print", b"tf.print"): (True, "10 calls give the same numbers, gradients and weights"),
        (b"tf.reduce_sum(inputs)", b"1.0"): (False, "the weights of the fixed layer end up different"),
        (b"* self.gain", b"* tf.stop_gradient(self.gain)"): (False, "other gradients"),
        (b"* self.gain", b"* 1.0"): (False, "gives other numbers"),
        (b"shape=(1,)", b"shape=(8,)"): (False, "the fixed layer has other weights"),
    }
    path = str(tmp_path / "layer.py")
    proofs = prove_fixes([FixQuestion(original, original.replace(*change), path, "Layer") for change in changes])
    wrong = [
        proof
        for (ok, because), proof in zip(changes.values(), proofs, strict=True)
        if proof.ok is not ok or because not in proof.because
    ]
    assert wrong == []


@pytest.mark.tensorflow
def test_a_function_is_proved_as_well(tmp_path: Path) -> None:
    original = b"""\
import tensorflow as tf


@tf.function
def step(x):
    print("step")
    return x * 2.0
"""
    path = str(tmp_path / "steps.py")
    changes = ((b"print", b"tf.print"), (b"2.0", b"3.0"))
    proofs = prove_fixes(
        [FixQuestion(original, original.replace(*change), path, None, function="step") for change in changes]
    )
    assert [proof.ok for proof in proofs] == [True, False]
    assert proofs[0].recipe == "step(tf.random.uniform([4, 8]))"


FUNCTION = """\
import a


def f(x):
    if x:
        a.b(
            1,
        )
    return x
"""


@pytest.mark.parametrize(
    ("old", "new", "ran", "missed"),
    [
        ("1,", "2,", {6}, None),
        ("1,", "2,", {5, 9}, 7),
        ("a.b", "b.a", {8}, None),
        ("if x", "if not x", {5}, None),
        ("import a", "import b", set(), None),
        ("return x", "return 1", {5}, 9),
        ("        )\n    return x", "        )\n    return 1", {9}, None),
        ("            1,\n        )\n    return x", "            2,\n        )\n    return 1", {9}, 7),
    ],
)
def test_changes_must_run(old: str, new: str, ran: set[int], missed: int | None) -> None:
    assert unreached(FUNCTION, FUNCTION.replace(old, new), ran, set()) == missed


def test_deleted_and_inserted_lines_must_run() -> None:
    shorter = FUNCTION.replace("    return x\n", "")
    assert unreached(FUNCTION, shorter, {9}, set()) is None
    assert unreached(FUNCTION, shorter, {5}, {5}) is not None
    assert unreached(shorter, FUNCTION, set(), {9}) is None
    assert unreached(shorter, FUNCTION, {5}, {5}) == 9
