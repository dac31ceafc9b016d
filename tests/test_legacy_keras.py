"""Files that ask TensorFlow for tf_keras by the environment."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hosts import tflint

from tflint_layers.linter import lint_source
from tflint_layers.settings import Settings

LAYER = """\
import tensorflow as tf


class Scale(tf.keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.ones([3]))

    def call(self, x):
        return x * self.w
"""


def codes(head: str) -> list[str]:
    return [finding.code for finding in lint_source((head + LAYER).encode(), "layer.py", Settings(project_keras=3))]


@pytest.mark.parametrize(
    "setting",
    [
        'os.environ["TF_USE_LEGACY_KERAS"] = "1"',
        "os.environ['TF_USE_LEGACY_KERAS'] = 'True'",
        'os.environ.setdefault("TF_USE_LEGACY_KERAS", "true")',
        'os.environ.update({"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"})',
        'os.putenv("TF_USE_LEGACY_KERAS", "1")',
        'if sys.argv: os.environ["TF_USE_LEGACY_KERAS"] = str(1)',
    ],
)
def test_a_file_that_asks_for_tf_keras(setting: str) -> None:
    assert codes(f"import os, sys\n{setting}\n") == []


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("", "nothing is set"),
        ('# os.environ["TF_USE_LEGACY_KERAS"] = "1"', "a comment"),
        ('os.environ["TF_USE_LEGACY_KERAS"] = "0"', "switched off"),
        ('assert os.environ["TF_USE_LEGACY_KERAS"] == "1"', "asked for"),
        ('os.environ["TF_USE_LEGACY_KERAS"] = "1"\nimport keras', "another package, which TensorFlow does not choose"),
        ('os.environ["TF_USE_LEGACY_KERAS"] = "1"\nfrom keras import ops', "Keras 3 all the same"),
    ],
)
def test_a_file_that_does_not(setting: str, reason: str) -> None:
    assert codes(f"import os\n{setting}\n") == ["TFL211"], reason


@pytest.mark.parametrize("setting", ["%env TF_USE_LEGACY_KERAS=1", "%set_env TF_USE_LEGACY_KERAS 1"])
def test_a_notebook_that_asks_by_a_magic(tmp_path: Path, setting: str) -> None:
    layer = LAYER.replace("return x", 'print("x")\n        return x')
    sources = [f"!pip install keras\n{setting}\n%env", layer]
    cells = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": source} for source in sources]
    path = tmp_path / "n.ipynb"
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    (tmp_path / "requirements.txt").write_text("keras>=3\n")
    found = json.loads(tflint("n.ipynb", "--output-format", "json", "--fix", folder=tmp_path).stdout)
    assert [item["code"] for item in found] == []
    sources = [cell["source"] for cell in json.loads(path.read_text())["cells"]]
    assert sources == [f"!pip install keras\n{setting}\n%env", layer.replace("print", "tf.print")]
