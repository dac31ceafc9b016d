"""Models whose own ``__call__`` takes the place of that of Keras: `fit` and `predict` trace it (measured)."""

from __future__ import annotations

import pytest

from tflint_layers import Settings, lint_source

MODEL = """\
import tensorflow as tf
from tensorflow import keras


class Encoded(keras.{base}):
    def encode(self, x):
        return keras.layers.Dense(3)(x)

    def __call__(self, x, training=None):
        return self.encode(x)
{more}
"""


@pytest.mark.parametrize(
    ("base", "more", "traced"),
    [
        ("Model", "", True),
        # What else a model has, or what a layer is given, may come before anything is traced.
        ("Model", "\n    def call(self, x):\n        return x\n", False),
        ("Model", "\n    def fit(self, data):\n        return [self(row) for row in data]\n", False),
        ("layers.Layer", "", False),
    ],
)
def test_what_is_traced_of_them(base: str, more: str, traced: bool, keras: int) -> None:
    text = MODEL.format(base=base, more=more)
    findings = lint_source(text.encode(), "<string>", Settings(keras=keras))
    assert [finding.code for finding in findings] == ["TFL109"] * traced


def test_autograph_does_not_convert_them(keras: int) -> None:
    text = MODEL.format(base="Model", more="").replace("return self.encode(x)", "return x if tf.norm(x) > 0 else -x")
    findings = lint_source(text.encode(), "<string>", Settings(keras=keras))
    assert [finding.code for finding in findings] == ["TFL104"]
