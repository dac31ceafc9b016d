"""True or False at module level: which of the branches that set it run, and what is known of it then."""

from __future__ import annotations

import pytest

from tflint_layers import Settings, lint_source

LAYER = """\
import tensorflow as tf
from tensorflow import keras

{flag}

class Cached(keras.layers.Layer):
    def call(self, inputs):
        rows = tf.nn.relu(inputs)
        if flag:
            rows[0] = 0.0
        return rows
"""


@pytest.mark.parametrize(
    ("flag", "runs"),
    [
        ("flag = False\n", False),
        ("flag = True\n", True),
        ("flag, other = False, True\n", False),
        ("(other, flag), rest = (False, True), 3\n", True),
        ("flag = False\nif keras.config.backend() == 'torch':\n    flag = True\n", False),
        ("flag = False\nif keras.config.backend() == 'tensorflow':\n    flag = True\n", True),
        ("if keras.config.backend() == 'torch':\n    flag = True\nelse:\n    flag = False\n", False),
        ("if keras.config.backend() != 'torch':\n    flag = True\nelse:\n    flag = False\n", True),
        ("flag, other = False, False\nif keras.backend.backend() == 'torch':\n    flag = True\n", False),
        ("flag = True\nflag = False\n", False),
        # Nobody knows, or no test tells.
        ("flag = False\nif tf.test.is_gpu_available():\n    flag = True\n", True),
        ("try:\n    import torch\n\n    flag = True\nexcept ImportError:\n    flag = False\n", True),
        ("flag = True\nfor name in []:\n    flag = False\n", True),
        ("flag, *others = False, True\nflag, *others = True, True\n", True),
        ("flag = False\n\n\ndef switch():\n    global flag\n    flag = True\n", True),
        (
            "flag = False\nif keras.config.backend() == 'torch':\n    flag = True\n\n\ndef on():\n    global flag\n",
            True,
        ),
    ],
)
def test_what_a_flag_leaves_out(flag: str, runs: bool, keras: int) -> None:
    findings = lint_source(LAYER.format(flag=flag).encode(), "<string>", Settings(keras=keras))
    assert [finding.code for finding in findings] == ["TFL107"] * runs
