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


@pytest.mark.parametrize("made", ["keras.applications.VGG16()", "keras.models.load_model(path)", "network or path"])
def test_such_objects_are_models(made: str) -> None:
    wanted = [] if made == "network or path" else ["TFL111"]
    found = lint_source(LAYER.format(made=made).encode(), "layer.py", Settings(keras=3))
    assert [finding.code for finding in found] == wanted
