"""Both versions of Keras in one run, with a verdict for each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hosts import tflint

SOURCE = """\
import keras
import tensorflow as tf


class Branch(keras.layers.Layer):
    def call(self, inputs):
        print("x")  # both say the same
        if tf.reduce_sum(inputs) > 0:
            return inputs
        return -inputs
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "layers.py").write_text(SOURCE)
    return tmp_path


def places(output: bytes) -> list[tuple[int, str, int]]:
    return [(found["line"], found["code"], found["keras"]) for found in json.loads(output)]


def test_what_both_say_is_said_once(project: Path) -> None:
    done = tflint("--keras", "2,3", "--output-format", "json", folder=project)
    assert places(done.stdout) == [(7, "TFL201", 3), (8, "TFL104", 3)]


def test_both_can_be_configured(project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.tflint-layers]\nkeras = "2,3"\n')
    assert len(places(tflint("--output-format", "json", folder=project).stdout)) == 2
    assert places(tflint("--keras", "2", "--output-format", "json", folder=project).stdout) == [(7, "TFL201", 2)]


@pytest.mark.parametrize("option", ["--fix", "--diff", "--add-noqa"])
def test_files_are_changed_for_one(project: Path, option: str) -> None:
    done = tflint("--keras", "2,3", option, folder=project)
    assert done.returncode == 2
    assert b"name it" in done.stderr


@pytest.mark.tensorflow
def test_each_gives_a_verdict(project: Path) -> None:
    done = tflint("--keras", "2,3", "--confirm", "--trace-all", "--output-format", "json", folder=project)
    content = json.loads(done.stdout)
    told = [(f["line"], f["code"], f["verdict"]["keras"], f["verdict"]["status"]) for f in content["findings"]]
    assert told == [(7, "TFL201", 2, "confirmed"), (7, "TFL201", 3, "confirmed"), (8, "TFL104", 3, "confirmed")]
    assert [(layer["keras"], layer["status"]) for layer in content["layers"]] == [(2, "traces"), (3, "fails")]
    text = tflint("--keras", "2,3", "--confirm", "--trace-all", "--output-format", "concise", folder=project)
    assert b"Branch: traces under Keras 2: " in text.stdout
    assert b"Branch: fails under Keras 3: " in text.stdout
