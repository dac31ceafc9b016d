"""Models that a trace cannot make: loaded from a file, pretrained, or given as an option."""

from __future__ import annotations

import pytest

from tflint_layers import Settings, lint_source

LAYER = """
from tensorflow import keras


class Teacher(keras.layers.Layer):
    def __init__(self, path, network: keras.Model | None = None):
        super().__init__()
        self.teacher = {made}

    def call(self, inputs):
        return self.teacher.predict(inputs)
"""


MODELS = ["keras.applications.VGG16()", "keras.models.load_model(path)"]
# Nothing tells that these are models.
UNKNOWN = ["path", "network or path"]


def codes(made: str) -> list[str]:
    found = lint_source(LAYER.format(made=made).encode(), "layer.py", Settings(keras=3))
    return [finding.code for finding in found]


@pytest.mark.parametrize("made", MODELS)
def test_such_objects_are_models(made: str) -> None:
    assert codes(made) == ["TFL111"]


@pytest.mark.parametrize("made", UNKNOWN)
def test_other_objects_are_left_alone(made: str) -> None:
    assert codes(made) == []
