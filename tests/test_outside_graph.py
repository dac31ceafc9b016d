"""What functions of TensorFlow that are called outside of a graph make of the functions that they are given.

Every expectation was seen with TensorFlow 2.21 under Keras 3 and tf_keras.
"""

from __future__ import annotations

import textwrap

import pytest

from tflint_layers import Settings, lint_source

HEAD = "import tensorflow as tf\nfrom tensorflow import keras\n"


def found(code: str, keras: int) -> list[str]:
    """The codes of the findings, each with the text of its line."""
    text = HEAD + textwrap.dedent(code)
    lines = text.splitlines()
    findings = lint_source(text.encode(), "<string>", Settings(keras=keras))
    return [f"{finding.code} {lines[finding.line - 1].strip()}" for finding in findings]


@pytest.mark.parametrize(
    "maker",
    [
        "def __init__(self):\n        self.step = tf.function(self._step)",
        "def compile(self, jit):\n        self.step = tf.function(self._step, jit_compile=jit)",
        "def run(self, x):\n        return tf.function(self._step)(x)",
    ],
)
def test_a_method_that_tf_function_is_given_is_traced(maker: str, keras: int) -> None:
    code = f"""
class Trainer:
    {maker}

    def _step(self, x):
        print("step")
        return x
"""
    assert found(code, keras) == ['TFL201 print("step")']


@pytest.mark.parametrize(
    "call",
    [
        "tf.map_fn(divide, data)",
        "tf.scan(lambda state, row: state + divide(row), data)",
        "tf.while_loop(lambda row: True, lambda row: [divide(row)], [data])",
        "tf.cond(tf.reduce_any(data > 0.0), lambda: divide(data), lambda: data)",
        "keras.ops.map(divide, data)",
    ],
)
def test_outside_of_a_graph_most_functions_just_call_what_they_are_given(call: str, keras: int) -> None:
    assert (
        found(f"def divide(row):\n    return row / row.numpy().max()\n\ndata = tf.ones([3, 2])\n{call}\n", keras) == []
    )


def test_vectorized_map_traces_everywhere(keras: int) -> None:
    code = "def divide(row):\n    return row / row.numpy().max()\n\ntf.vectorized_map(divide, tf.ones([3, 2]))\n"
    assert found(code, keras) == ["TFL101 return row / row.numpy().max()"]


def test_slots_that_are_made_where_there_are_none_yet(keras: int) -> None:
    code = """
        class Accumulator:
            def __init__(self):
                self.slots = []

            @tf.function
            def add(self, gradients):
                if not self.slots:
                    self.slots.extend([tf.Variable(tf.zeros_like(g), trainable=False) for g in gradients])
                for slot, gradient in zip(self.slots, gradients):
                    slot.assign_add(gradient)
        """
    assert found(code, keras) == []


def test_a_layer_is_no_place_for_keras_tensors_even_beside_something_unknown(keras: int) -> None:
    code = """
        class Annealed(keras.layers.Layer):
            def call(self, inputs):
                part, step = inputs
                return part * tf.cast(step, tf.float32)

        class Model:
            def make(self, width):
                step = keras.Input(shape=(), dtype="int32")
                return keras.Model(step, Annealed()([self.embedding, step]))
        """
    assert found(code, keras) == []


@pytest.mark.parametrize(
    ("imports", "operation", "fails"),
    [
        ("", "tf.io.decode_base64(text)", True),
        ("from tensorflow import io, strings", "io.decode_base64(strings.strip(text))", True),
        ("from tensorflow.io import decode_base64 as decoded", "decoded(text)", True),
        ("", "keras.layers.Embedding(9, 4, dtype=tf.float32)(text)", False),
    ],
)
def test_what_an_operation_on_an_input_is_told_by(imports: str, operation: str, fails: bool) -> None:
    code = f"""{imports}
def make():
    text = keras.Input((), dtype="string")
    return {operation}
"""
    assert bool(found(code, 3)) is fails
    assert all(finding.startswith("TFL113 ") for finding in found(code, 3))


@pytest.mark.parametrize("operation", ["tf.io.decode_base64(text)", "keras.layers.Embedding(9, 4)(text)"])
def test_an_operation_on_an_input_in_a_helper_of_a_helper(operation: str) -> None:
    # Nothing but the names of the helpers tells, in the text of `make`, that there is something to look at.
    code = f"""
def decoded(text):
    return {operation}

def prepared(text):
    return decoded(text)

def make():
    text = keras.Input((), dtype="string")
    return keras.Model(text, prepared(text))
"""
    assert found(code, 3) == [f"TFL113 return {operation}"] * operation.startswith("tf.")
