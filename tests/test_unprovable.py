"""Faults that running the layer alone does not show.

A schedule, an activation, what the environment says, the gradient of a layer that has nothing to train.
"""

from __future__ import annotations

import pytest

from tflint_layers import Settings, lint_source

HEAD = "import os\nimport keras\nimport tensorflow as tf\n\n\n"
SCHEDULE = """class Warmup(keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step):
        if step < 4:
            return 0.1
        return 0.2
"""
ACTIVATION = """def capped(x):
    if tf.reduce_max(x) > 6.0:
        x = tf.minimum(x, 6.0)
    return x


class Capped(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(4, activation=capped)

    def call(self, inputs):
        return self.dense(inputs)
"""
ENVIRONMENT = """class ByEnvironment(keras.layers.Layer):
    def call(self, inputs):
        return inputs if "NO_SCALE" in os.environ else inputs * 2.0
"""
GRADIENT = """@tf.custom_gradient
def reversed_gradient(x):
    def gradient(upstream):
        print("reversing")
        return -upstream

    return tf.identity(x), gradient


class GradientReversal(keras.layers.Layer):
    def call(self, inputs):
        return reversed_gradient(inputs) * 1.0
"""
FAULTS = [("TFL104", SCHEDULE), ("TFL104", ACTIVATION), ("TFL206", ENVIRONMENT), ("TFL201", GRADIENT)]


@pytest.mark.parametrize(("code", "source"), FAULTS)
def test_it_is_reported_all_the_same(code: str, source: str) -> None:
    found = lint_source((HEAD + source).encode(), "layer.py", Settings(keras=3))
    assert [finding.code for finding in found] == [code]
