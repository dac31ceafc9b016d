"""What layers print is shown on request, and how they were cut off from the network is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from hosts import tflint

LAYERS = """\
import os
import keras


class Prints(keras.layers.Layer):
    def call(self, inputs):
        print("called with rank", len(inputs.shape))
        return inputs


class Crashes(keras.layers.Layer):
    def call(self, inputs):
        print("last words")
        os.abort()


class Floods(keras.layers.Layer):
    def call(self, inputs):
        print("x" * 1_000_000)
        return inputs


class Silent(keras.layers.Layer):
    def call(self, inputs):
        return inputs
"""


def test_it_needs_something_that_runs(tmp_path: Path) -> None:
    done = tflint("--show-output", folder=tmp_path)
    assert done.returncode == 2
    assert b"--show-output needs --confirm or --trace-all" in done.stderr


@pytest.mark.tensorflow
def test_what_layers_print_is_shown_on_request(tmp_path: Path) -> None:
    (tmp_path / "layers.py").write_text(LAYERS)
    options = ("--isolated", "--keras", "3", "--trace-all", "--cache-dir", "cache", "layers.py")
    quiet = tflint(*options, folder=tmp_path)
    assert b"called with" not in quiet.stdout + quiet.stderr
    assert quiet.stderr.count(b"Ran layers in child processes: ") == 1
    # What is kept tells it too.
    shown = tflint("--show-output", *options, folder=tmp_path)
    assert shown.stdout == quiet.stdout
    said = shown.stderr.decode()
    assert said.index("what `Crashes` of layers.py printed under Keras 3:\n    last words\n") >= 0
    assert "what `Prints` of layers.py printed under Keras 3:\n    called with rank 2\n" in said
    assert "    x" in said
    assert len(said) < 100_000
    assert "Silent" not in said
