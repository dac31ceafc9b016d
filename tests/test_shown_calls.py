"""Rules are shown only some calls; what each of them speaks of is among these, not just what its first words say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tflint_layers import Settings, lint_source

HEAD = """import random
import sys
import warnings
import keras
import tensorflow as tf

STEPS = iter([1, 2, 3])


class Layer(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.step = 0

    def call(self, inputs):
"""
CALLS = {
    "TFL101": "return inputs.numpy()",
    "TFL103": "import numpy as np\n        return np.linalg.norm(inputs)",
    "TFL109": "return inputs * tf.Variable(2.0)",
    "TFL110": "self.add_metric(inputs)\n        return inputs",
    "TFL201": "warnings.warn('called')\n        return inputs",
    "TFL205": "tf.summary.scalar('mean', tf.reduce_mean(inputs), step=self.step)\n        return inputs",
    "TFL206": "return inputs * next(STEPS)",
    "TFL209": "breakpoint()\n        return inputs",
    "TFL301": "tf.config.run_functions_eagerly(True)\n        return inputs",
    "TFL306": "return tf.compat.v1.placeholder(tf.float32)",
    "TFL308": "tf.random.set_seed(1)\n        return inputs",
}


@pytest.mark.parametrize("code", CALLS)
def test_each_kind_of_call_is_shown_to_its_rule(code: str) -> None:
    found = lint_source(f"{HEAD}        {CALLS[code]}\n".encode(), "layer.py", Settings(keras=3))
    assert code in [finding.code for finding in found]


@pytest.mark.tensorflow
def test_a_summary_has_the_step_of_the_trace(tmp_path: Path) -> None:
    import tensorflow as tf

    class Counting:
        step = 0

        @tf.function
        def write(self, x: tf.Tensor) -> None:
            # As `scalar` does, which needs TensorBoard.
            tf.summary.write("mean", x, step=self.step)

    counting = Counting()
    with tf.summary.create_file_writer(str(tmp_path)).as_default():
        for _ in range(3):
            counting.write(tf.constant(1.0))
            counting.step += 1
    (events,) = tmp_path.iterdir()
    records = tf.data.TFRecordDataset(str(events)).as_numpy_iterator()
    written = [tf.compat.v1.Event.FromString(record) for record in records]
    assert [event.step for event in written if event.summary.value] == [0, 0, 0]
