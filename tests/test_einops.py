"""What the functions of einops give: a tensor for a tensor, whose pattern tells where the batch axis is."""

from __future__ import annotations

import pytest

from tflint_layers import Settings, lint_source

LAYER = """import keras
import tensorflow as tf
from einops import rearrange, reduce


class Layer(keras.layers.Layer):
    def call(self, inputs):
        return {}
"""


@pytest.mark.parametrize(
    ("expression", "codes"),
    [
        ('inputs if rearrange(inputs, "b n -> n b") > 0 else inputs * 2.0', ["TFL104"]),
        ('float(reduce(inputs * 2.0, "b n -> b", "sum").shape[0])', ["TFL108"]),
        ('float(rearrange(inputs * 2.0, "b n -> n b").shape[0])', []),
        ('float(rearrange([inputs, inputs], "two b n -> b two n").shape[1])', []),
    ],
)
def test_the_result_is_a_tensor_with_the_axes_of_the_pattern(expression: str, codes: list[str]) -> None:
    findings = lint_source(LAYER.format(expression).encode(), "layers.py", Settings(keras=3))
    assert [finding.code for finding in findings] == codes
