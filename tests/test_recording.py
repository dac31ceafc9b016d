"""What ``pytest --tflint-record`` notes, with stand-ins for Keras; and the whole way, with the real one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hosts import tflint

from tflint_layers.confirm.elsewhere import Elsewhere, UnreadableRecord

KERAS = """\
class Layer:
    def __init__(self, **keywords):
        pass

    def __call__(self, *arguments, **keywords):
        return self.call(*arguments, **keywords)
"""
LAYERS = """\
from keras.src.layers.layer import Layer


class Gate(Layer):
    def __init__(self, width, inner=None):
        super().__init__()
        self.width, self.inner = width, inner

    def call(self, inputs, training=False):
        return inputs
"""
TESTS = """\
from shop.layers import Gate


class Array:
    def __init__(self, *shape):
        self.shape, self.dtype, self.secret = shape, "float32", "salary"


def test_gate():
    Gate(3, inner=Gate([1, 2]))([Array(2, 5), Array(None, None, 7)], training=True)


def test_what_cannot_be_written_down():
    Gate(3)("a private sentence")
    Gate(object())(Array(1))
"""


def run_pytest(folder: Path, *options: str) -> str:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    if not _is_registered():
        command += ["-p", "tflint_layers.pytest_plugin"]
    paths = os.pathsep.join([str(folder), *filter(None, sys.path)])
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": paths})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _is_registered() -> bool:
    """Whether the installed package has the entry point: an editable install may be older than this checkout."""
    from importlib.metadata import entry_points

    return any(point.value == "tflint_layers.pytest_plugin" for point in entry_points(group="pytest11"))


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    for name, text in {
        "keras/__init__.py": "", "keras/src/__init__.py": "", "keras/src/layers/__init__.py": "",
        "keras/src/layers/layer.py": KERAS, "shop/__init__.py": "", "shop/layers.py": LAYERS,
        "tests/test_gate.py": TESTS, "pyproject.toml": "[tool.pytest.ini_options]\n",
    }.items():  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_shapes_and_types_are_noted_and_nothing_else(shop: Path, options: tuple[str, ...]) -> None:
    run_pytest(shop, "--tflint-record", "record.json", *options)
    text = (shop / "record.json").read_text()
    assert "salary" not in text
    assert "sentence" not in text
    assert json.loads(text) == {
        "tflint-layers record": [
            {
                "class": "Gate",
                "path": "shop/layers.py",
                "use": {
                    "imports": ["from shop.layers import Gate"],
                    "inputs": [
                        {
                            "list": [
                                {"dtype": "float32", "shape": [2, 5]},
                                {"dtype": "float32", "shape": [4, 6, 7]},
                            ]
                        }
                    ],
                    "keywords": [["training", "True"]],
                    "layer": "Gate(3, inner=Gate([1, 2]))",
                },
            }
        ]
    }


def test_without_the_option_nothing_is_watched(shop: Path) -> None:
    (shop / "tests" / "test_gate.py").write_text(
        "import sys\nfrom keras.src.layers.layer import Layer\n"
        "def test_it():\n    assert '__new__' not in vars(Layer) and 'tflint_layers.recording' not in sys.modules\n"
    )
    run_pytest(shop)
    assert not (shop / "record.json").exists()


def test_a_record_is_read_by_the_path_of_the_layer(shop: Path) -> None:
    run_pytest(shop, "--tflint-record", "build.json")
    (shown,) = [use for use in Elsewhere(str(shop / "build.json")).of(str(shop / "shop" / "layers.py"), "Gate")
                if use["origin"] == "recorded"]  # fmt: skip
    assert shown["layer"] == "Gate(3, inner=Gate([1, 2]))"
    assert Elsewhere(str(shop / "build.json")).of(str(shop / "other.py"), "Gate") == ()


def test_what_is_no_record_is_refused(tmp_path: Path) -> None:
    (tmp_path / "record.json").write_text("[]")
    with pytest.raises(UnreadableRecord, match="no record"):
        Elsewhere(str(tmp_path / "record.json"))
    with pytest.raises(UnreadableRecord, match="No such file or directory; `pytest --tflint-record` writes"):
        Elsewhere(str(tmp_path / "absent.json"))


REAL_LAYERS = """\
{imports}


class Strange(keras.layers.Layer):
    def __init__(self, plan, inner):
        super().__init__()
        if sorted(plan) != ["first", "second"]:
            raise ValueError("no such plan")
        self.inner, self.size = inner, plan["second"]["size"]

    def call(self, inputs):
        left, right = inputs["left"], inputs["right"]
        print("seen")
        return self.inner(left)[:, : self.size] + right
"""
REAL_TESTS = """\
import numpy as np
import pytest
{imports}
from strange import Strange


@pytest.fixture
def plan():
    return dict(first=1, second=dict(size=3))


def test_strange(plan):
    layer = Strange(plan, keras.layers.Dense(5, activation="relu"))
    assert layer(dict(left=np.full((7, 9), 1.25, "float32"), right=np.zeros((7, 3), "float32"))).shape == (7, 3)
"""


@pytest.mark.tensorflow
def test_a_layer_runs_as_its_tests_ran_it(tmp_path: Path, keras: int) -> None:
    imports = "import keras" if keras == 3 else "import tf_keras as keras"
    (tmp_path / "strange.py").write_text(REAL_LAYERS.format(imports=imports))
    (tmp_path / "test_strange.py").write_text(REAL_TESTS.format(imports=imports))
    (tmp_path / "pyproject.toml").write_text('[tool.tflint-layers]\nrecorded = "record.json"\n')
    run_pytest(tmp_path, "--tflint-record", "record.json")
    assert "1.25" not in (tmp_path / "record.json").read_text()
    options = ("--confirm", "--no-cache", "--keras", str(keras), "--output-format", "json")
    done = tflint(*options, "strange.py", folder=tmp_path)
    (finding,) = json.loads(done.stdout)
    assert finding["verdict"]["status"] == "confirmed"
    assert finding["verdict"]["recipe"].startswith(
        "Strange({'first': 1, 'second': {'size': 3}}, Dense(5, activation='relu'))"
    )
