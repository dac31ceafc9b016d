"""Functions that a layer is given: of some it is known that they make a tensor of a tensor, of others nothing."""

from __future__ import annotations

import pytest

from tflint_layers import Settings, lint_source

LAYER = """
import numpy as np
import tensorflow as tf
from keras import layers
from somewhere import function_of


def double(x):
    return x * 2.0


class Activated(layers.Layer):
    def __init__(self, {parameter}):
        super().__init__()
        self.{name} = {given}
        self.dense = layers.Dense(3)

    def call(self, inputs):
        outputs = self.{name}({arguments})
        if outputs > 0:
            return outputs
        return tf.reshape(outputs, [outputs.shape[0], -1])
"""


def codes(parameter: str, name: str, given: str, arguments: str = "self.dense(inputs)") -> list[str]:
    text = LAYER.format(parameter=parameter, name=name, given=given, arguments=arguments)
    return [finding.code for finding in lint_source(text.encode(), "layer.py", Settings(keras=3))]


@pytest.mark.parametrize(
    ("parameter", "name", "given"),
    [
        ("act", "act", "act"),
        ("act=None", "activation", "act"),
        ("config", "intermediate_act_fn", "function_of(config.hidden_act)"),
        ("config", "act", "config.act or tf.nn.swish"),
        ("fn=tf.nn.relu", "fn", "fn"),
        ("fn=double", "fn", "fn"),
        ("*, fn=tf.math.sin", "fn", "fn"),
        ("fn=None", "fn", "fn or tf.nn.relu"),
        ("fn=None", "fn", "tf.nn.relu if fn is None else fn"),
    ],
)
def test_what_makes_a_tensor_of_a_tensor(parameter: str, name: str, given: str) -> None:
    assert codes(parameter, name, given) == ["TFL104", "TFL108"]


def test_an_operation_that_drops_the_batch() -> None:
    assert codes("fn=tf.reduce_sum", "fn", "fn") == ["TFL104"]


@pytest.mark.parametrize(
    ("parameter", "name", "given", "arguments"),
    [
        ("fn", "fn", "fn", "inputs"),
        ("fn=None", "fn", "fn", "inputs"),
        ("act='relu'", "act", "act", "inputs"),
        ("act", "act", "act", "inputs, self.dense"),
        ("act", "act", "act", "inputs, training=True"),
        ("act", "act", "act", "*inputs"),
        ("act", "act", "act", "self.name"),
        ("actor", "actor.act", "actor", "inputs"),
        ("react", "react", "react", "inputs"),
        ("fn=np.zeros", "fn", "fn", "inputs"),
        ("fn=function_of", "fn", "fn", "inputs"),
        ("fn=tf.split", "fn", "fn", "inputs, 2"),
    ],
)
def test_what_may_make_anything(parameter: str, name: str, given: str, arguments: str) -> None:
    assert codes(parameter, name, given, arguments) == []
