"""Scripts that show a confirmed finding with TensorFlow alone."""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hosts import finding, tflint

from tflint_layers.confirm.excerpt import excerpt_of
from tflint_layers.confirm.repro import NoScript, script_of
from tflint_layers.finding import Proof, Status, Verdict

LAYERS = """\
import random
import tensorflow as tf
from tensorflow import keras
from shop.helpers import halve as half, traced
from .tables import LIMIT
import unused_package

model = keras.Sequential([keras.layers.Dense(3)])
model.fit(1)


class Reads(keras.layers.Layer):
    def call(self, inputs):
        return half(inputs) / float(tf.reduce_max(inputs).numpy() + LIMIT)


class Prints(keras.layers.Layer):
    def call(self, inputs, training=False):
        if training:
            print("training")
        return traced(inputs)


class Random(keras.layers.Layer):
    def call(self, inputs):
        return inputs + random.random()


class Keeps(keras.layers.Layer):
    def call(self, inputs):
        self.last = tf.reduce_mean(inputs)
        return inputs


class Switches(keras.layers.Layer):
    def call(self, inputs):
        tf.config.run_functions_eagerly(True)
        return inputs


class Dynamic(keras.layers.Layer):
    def __init__(self):
        super().__init__(dynamic=True)

    def call(self, inputs):
        return inputs
"""
HELPERS = "import tensorflow as tf\n\n\ndef halve(x):\n    return x / 2.0\n\n\ndef traced(x):\n    return halve(x)\n"


TWO_STOPS = """\
import tensorflow as tf


class Two(tf.keras.layers.Layer):
    def call(self, inputs):
        total = tf.reduce_sum(inputs).numpy()
        scale = float(tf.reduce_max(inputs))
        return inputs * total * scale
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('the script needs nothing of this package')\n")
    (package / "helpers.py").write_text(HELPERS)
    (package / "tables.py").write_text("import absent\n\nLIMIT = 1.0\n")
    (package / "layers.py").write_text(LAYERS)
    return package


def script(shop: Path, line: int, layer: str, because: str, **more: object) -> str:
    asked = finding(str(shop / "layers.py"), line, layer=layer, proof=Proof.RAISES)
    recipe = f"{layer}()(tf.random.uniform([4, 8]))"
    verdict = Verdict(Status.CONFIRMED, because, recipe, 3)
    text = script_of(replace(asked, verdict=replace(verdict, **more)), LAYERS)
    ast.parse(text)
    # Linting the project again must not find in the script what it shows.
    assert text.startswith("# tflint-layers: skip-file\n")
    return text


def test_an_excerpt_holds_what_the_layer_needs_and_no_more(shop: Path) -> None:
    excerpt = excerpt_of(str(shop / "layers.py"), LAYERS, {"Reads"})
    assert list(excerpt.imports) == ["import tensorflow as tf", "from tensorflow import keras"]
    text = excerpt.text()
    for there in ("def halve", "half = halve", "LIMIT = 1.0", "class Reads"):
        assert there in text
    for gone in ("model", "fit", "Prints", "def traced", "unused_package", "absent"):
        assert gone not in text
    assert ast.parse(text)


def test_a_script_keeps_the_users_lines_and_its_own_names_apart(shop: Path) -> None:
    text = script(shop, 20, "Prints", "ran in each of 3 eager calls, but in graph mode only while tracing")
    flagged = text.splitlines().index('            print("training")') + 1
    assert f"if frame.f_lineno in ({flagged},)" in text
    assert "def traced(x):" in text
    assert "def _traced(call, inputs):" in text
    assert "for training in (False, True)" in text


@pytest.mark.parametrize(
    ("entry", "because", "why"),
    [
        ("train_step", "raises E", "`train_step` needs a model around it"),
        ("call", "tracing raises E (after replacing line 12, where tracing stops)", "another line first"),
    ],
)
def test_there_is_no_script_where_it_could_not_show_the_finding(shop: Path, entry: str, because: str, why: str) -> None:
    asked = finding(str(shop / "layers.py"), 14, layer="Reads", route=(f"Reads.{entry}",))
    with pytest.raises(NoScript, match=why):
        script_of(replace(asked, verdict=Verdict(Status.CONFIRMED, because, "Reads()(1)", 3)), LAYERS)


def test_scripts_are_written_for_confirmed_findings_only(tmp_path: Path) -> None:
    done = tflint("--emit-repro", "out", ".", folder=tmp_path)
    assert done.returncode == 2
    assert b"--emit-repro needs --confirm" in done.stderr


@pytest.mark.tensorflow
def test_each_script_shows_its_finding_alone(shop: Path, keras: int, tmp_path: Path) -> None:
    (shop / "__init__.py").write_text("")
    (shop / "tables.py").write_text("LIMIT = 1.0\n")
    (shop / "layers.py").write_text(LAYERS.replace("import unused_package\n", ""))
    options = ("--confirm", "--no-cache", "--isolated", "--keras", str(keras), "--emit-repro", "out")
    done = tflint(*options, "shop/layers.py", folder=tmp_path)
    assert done.returncode == 1, done.stderr
    assert b"fixable with --fix --confirm, if proved)" in done.stderr
    assert tflint("--isolated", "--keras", str(keras), "out", folder=tmp_path).returncode == 0
    scripts = sorted((tmp_path / "out").iterdir())
    codes = {path.stem.split("_")[2] for path in scripts}
    assert {"TFL101", "TFL201", "TFL206", "TFL207", "TFL301"} | ({"TFL401"} if keras == 3 else set()) <= codes
    for path in scripts:
        ran = subprocess.run([sys.executable, "-I", str(path)], cwd="/", capture_output=True, text=True)
        assert ran.returncode == 0, (path.name, ran.stdout, ran.stderr)
        assert ran.stdout.splitlines()[-1].startswith("reproduced: ")


@pytest.mark.tensorflow
def test_a_finding_behind_another_one_gets_a_note_and_no_script(tmp_path: Path) -> None:
    (tmp_path / "two.py").write_text(TWO_STOPS)
    options = ("--confirm", "--no-cache", "--isolated", "--keras", "3", "--emit-repro", "out")
    done = tflint(*options, "two.py", folder=tmp_path)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["two_Two_TFL101_6_17.py"]
    assert b"two.py:7: no script for TFL102: tracing stops at another line first" in done.stderr
