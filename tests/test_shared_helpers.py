"""A fix in a helper is proved for each layer that reaches it, wherever that stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from hosts import tflint

pytestmark = pytest.mark.tensorflow

PRINTING = """\
import tensorflow as tf


def shown(x):
    print("shown")
    return x
"""
# Of whole numbers, NumPy gives a mean that is none.
LIMITED = """\
import numpy as np
import tensorflow as tf


def shown(x):
    return tf.cast(x, "float32") * np.mean(x)
"""
LAYERS = """

class First(keras.layers.Layer):
    def call(self, x):
        return x * shown(x)


class Second(keras.layers.Layer):
{second}
"""
SAME = """\
    def call(self, x):
        return shown(x) + 1.0
"""
UNBUILT = (
    """\
    def __init__(self, plan):
        super().__init__()
        self.plan = plan.steps["a"].go()

"""
    + SAME
)
BROKEN = """\
    def call(self, x):
        return shown(x) * [float(v) for v in tf.unstack(x[0])][0]
"""
INHERITING = """\
    pass


class Third(First):
    pass
"""
WHOLE = """\
    def call(self, x):
        return shown(tf.cast(x * 10.0 + 30.0, "int32"))
"""
LAZY = WHOLE.replace("x):\n", "x):\n        from helpers import shown\n\n")

SHOWN = "numbers, gradients and weights, in eager mode and as a graph "
CASES = {
    "same": (PRINTING, SAME, True, SHOWN + "(First{where}, Second{where})"),
    "inheriting": (PRINTING, INHERITING, True, SHOWN + "(First{where}, Third{where})"),
    "whole": (LIMITED, WHOLE, False, "in Second{where}"),
    "lazy": (LIMITED, LAZY, False, "in Second{where}"),
    "unbuilt": (PRINTING, UNBUILT, True, SHOWN + "(First{where}); not all of it shown by Second{where}: "),
    "broken": (
        PRINTING,
        BROKEN,
        True,
        SHOWN + "(First{where}); not all of it shown by Second{where}: as a graph the fixed layer raises TypeError",
    ),
}


def write(folder: Path, helper: str, second: str, *, apart: bool) -> None:
    """A helper and layers that use it, in two files or in one."""
    folder.mkdir()
    layers = LAYERS.format(second=second)
    if apart:
        (folder / "layers.py").write_text(
            f"import keras\nimport tensorflow as tf\n\nfrom helpers import shown\n{layers}"
        )
        (folder / "helpers.py").write_text(helper)
    else:
        (folder / "helpers.py").write_text(helper + layers.replace("class", "import keras\n\n\nclass", 1))


@pytest.mark.parametrize("apart", [False, True])
def test_each_layer_that_reaches_a_helper_is_asked(tmp_path: Path, apart: bool) -> None:
    cases = {name: case for name, case in CASES.items() if apart or case[1] is not LAZY}
    for name, (helper, second, _, _) in cases.items():
        write(tmp_path / name, helper, second, apart=apart)
    files = [f"{name}/helpers.py" for name in cases]
    done = tflint("--confirm", "--fix", "--unsafe-fixes", "--keras", "3", *files, folder=tmp_path)
    notes = done.stderr.decode()
    for name, (helper, _, made, told) in cases.items():
        (note,) = [line for line in notes.splitlines() if f"{name}/helpers.py" in line]
        assert ("fixed in First" in note, "was not made" in note) == (made, not made), note
        assert told.format(where=" of layers.py" if apart else "") in note
        assert (tmp_path / name / "helpers.py").read_text().startswith(helper) is not made
