"""What is traced, and with AutoGraph or not, where no fixture can say so: functions that Keras is handed."""

from __future__ import annotations

import pytest

from tflint_layers import Settings, lint_source

HEAD = """import functools
import numpy as np
import tensorflow as tf
import keras
from keras import layers

"""


def found(code: str, keras: int) -> list[str]:
    source = HEAD + code
    findings = lint_source(source.encode(), "reach.py", Settings(keras=keras))
    lines = source.splitlines()
    assert all(f"# {finding.code}" in lines[finding.line - 1] for finding in findings), findings
    return [finding.code for finding in findings]


MADE = [
    "model = keras.Sequential([layers.Dense(3), layers.Lambda(lambda t: np.tanh(t))])  # TFL103",
    "def norm(t):\n    return np.linalg.norm(t)  # TFL103\n\nnormed = layers.Lambda(norm)",
    "def make(x):\n    return layers.Lambda(lambda t: t.numpy())(x)  # TFL101",
    "act = layers.Lambda(functools.partial(lambda n, t: np.power(t, n), 2))  # TFL103",
    "act = layers.Lambda(function=lambda t: print(t))  # TFL201",
    "act = layers.Activation(lambda t: np.tanh(t))  # TFL103",
    # Keras calls the function itself, and AutoGraph does not convert what Keras does.
    "act = layers.Lambda(lambda t: t if tf.reduce_sum(t) > 0 else -t)  # TFL104",
]


@pytest.mark.parametrize("keras", [2, 3])
@pytest.mark.parametrize("code", MADE)
def test_functions_that_layers_are_given_are_traced(code: str, keras: int) -> None:
    assert len(found(code, keras)) == 1


def test_a_method_given_to_a_layer_is_traced() -> None:
    code = """class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.act = layers.Lambda(self._act)

    def _act(self, t):
        return t - t.numpy()  # TFL101

    def call(self, x):
        return self.act(x)
"""
    assert found(code, 3) == ["TFL101"]


LOSSES = [
    "def loss(y, p):\n    return np.mean(y - p)  # TFL103\n\ndef main(m):\n    m.compile('sgd', loss=loss)",
    "def f1(y, p):\n    return np.sum(y * p)  # TFL103\n\ndef main(m):\n    m.compile('sgd', metrics=['mae', f1])",
    """def focal(gamma):
    def loss(y, p):
        return p.numpy()  # TFL101
    return loss

def main():
    m = keras.Sequential([layers.Dense(1)])
    m.compile(optimizer="sgd", loss={"a": focal(2.0)})
""",
    """class Loss(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return np.mean(y_pred)  # TFL103
""",
    # What the maker of a loss leaves to it outlives the trace.
    """def weighted():
    seen = []

    def loss(y, p):
        seen.append(p.shape[-1])  # TFL203
        return y - p

    return loss

def main(m):
    m.compile("sgd", loss=weighted())
""",
]


@pytest.mark.parametrize("keras", [2, 3])
@pytest.mark.parametrize("code", LOSSES)
def test_losses_and_metrics_are_traced(code: str, keras: int) -> None:
    assert len(found(code, keras)) == 1


def test_a_function_of_the_same_signature_that_no_model_is_given_is_not_traced() -> None:
    assert found("def score(y_true, y_pred):\n    return np.mean(y_true == y_pred)\n", 3) == []


@pytest.mark.parametrize(("keras", "expected"), [(2, []), (3, ["TFL104"])])
def test_keras_2_converts_losses_with_autograph(keras: int, expected: list[str]) -> None:
    code = """def loss(y, p):
    if tf.reduce_max(p) > 1.0:  # TFL104
        return tf.reduce_mean(p)
    return tf.reduce_mean(p * p)


def main(m):
    m.compile("sgd", loss=loss)
"""
    assert found(code, keras) == expected


CLIPPED = """def clipped(row):
    if tf.reduce_sum(row) > 0.0:  # TFL104
        return row
    return -row


class ForEachRow(layers.Layer):
    def clipped(self, row):
        return clipped(row)

    def call(self, x):
        return tf.vectorized_map({}, x)
"""
INNER = """class ForEachRow(layers.Layer):
    def call(self, x):
        def turned(row):
            if tf.reduce_sum(row) > 0.0:  # TFL104
                return row
            return -row

        return tf.vectorized_map(turned, x)
"""


@pytest.mark.parametrize("name", ["clipped", "self.clipped"])
def test_autograph_does_not_reach_what_vectorized_map_is_given(name: str) -> None:
    code = CLIPPED.format(name)
    assert found(code, 2) == found(code, 3) == ["TFL104"]


def test_autograph_converts_what_stands_inside_of_a_function_with_that() -> None:
    assert (found(INNER, 2), found(INNER, 3)) == ([], ["TFL104"])


def test_a_list_of_the_function_around_a_class_outlives_the_call() -> None:
    code = """def make():
    taps = []

    class Tap(layers.Layer):
        def call(self, x):
            y = tf.nn.relu(x)
            taps.append(y)  # TFL207
            return y

    return Tap()
"""
    assert found(code, 3) == ["TFL207"]


def test_the_example_of_a_layer_tells_whether_its_input_is_one_tensor() -> None:
    code = """class Rows(layers.Layer):
    def call(self, inputs):
        return tf.stack(list(map(tf.square, inputs)))  # TFL105


def example():
    x = tf.reshape(tf.range(12.0), (4, 3))
    return Rows(), ({},)
"""
    assert found(code.format("x"), 3) == ["TFL105"]
    assert found(code.format("[x, x]"), 3) == []


def test_the_keys_of_a_dict_of_predictions_are_no_tensors() -> None:
    code = """class Loss(keras.losses.Loss):
    def call(self, y_true, y_pred):
        scaled = {}
        for key in y_pred:
            scaled[key] = tf.reduce_mean(y_pred[key])
        return scaled["a"]
"""
    assert found(code, 3) == []


def test_an_array_or_another_object_is_asked_for_before_its_numbers_are_read() -> None:
    code = """def to_array(x):
    if isinstance(x, np.ndarray):
        return tf.square(x).numpy()
    return x


class Given(layers.Layer):
    def call(self, inputs, table=None):
        return inputs + to_array(table)
"""
    assert found(code, 3) == []


def test_what_a_training_step_logs_is_tensors() -> None:
    code = """class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(1)

    def call(self, x):
        return self.dense(x)

    def train_step(self, data):
        logs = super().train_step(data)
        return {name: float(value) for name, value in logs.items()}  # TFL102
"""
    assert found(code, 2) == found(code, 3) == ["TFL102"]


def test_a_loop_over_what_may_be_a_list_is_no_loop_of_the_graph() -> None:
    code = """class Sums(layers.Layer):
    def call(self, inputs):
        parts = []
        for part in inputs:
            parts.append(tf.reduce_sum(part))
        return tf.stack(parts)
"""
    assert found(code, 2) == found(code, 3) == []


def test_a_flag_that_a_function_sets_may_hold() -> None:
    code = """DEBUG = False


def debug(on):
    global DEBUG
    DEBUG = on


class Debugged(layers.Layer):
    def call(self, inputs):
        if DEBUG:
            inputs.numpy()  # TFL101
        return inputs * 2.0
"""
    assert found(code, 3) == ["TFL101"]
