"""The whole story of the user's own document: its three examples, from finding to fixed and running."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import FIXTURES

from tflint_layers.confirm import trace_layer

pytestmark = [pytest.mark.tensorflow, pytest.mark.xdist_group("seed")]

# Runs the fixed MyStatefulLayer in graph mode and prints its state after each of three calls.
COUNT = """
import ast, os, sys
if sys.argv[2] == "2":
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
import tensorflow as tf
tree = ast.parse(open(sys.argv[1]).read())
tree.body = [node for node in tree.body if isinstance(node, (ast.Import, ast.ClassDef))]
exec(compile(tree, sys.argv[1], "exec"))
layer = MyStatefulLayer()
layer(tf.zeros([1]))
graph = tf.function(lambda inputs: layer(inputs))
print([float(graph(tf.ones([1]))[0]) for _ in range(3)])
"""


@pytest.fixture
def seed(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FIXTURES / "seed", tmp_path / "seed"))


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tflint_layers", "--isolated", *options, "."]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def findings(folder: Path, *options: str) -> list[dict[str, Any]]:
    done = run(folder, "--output-format", "json", *options)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    assert done.returncode == (1 if found else 0), done.stderr
    return found


def places(found: list[dict[str, Any]]) -> list[tuple[str, int, str]]:
    return [(finding["path"], finding["line"], finding["code"]) for finding in found]


def test_keras_3(seed: Path) -> None:
    found = findings(seed, "--keras", "3", "--confirm")
    assert places(found) == [("example2.py", 8, "TFL301"), ("example2.py", 14, "TFL301"), ("example3.py", 6, "TFL401")]
    assert {finding["verdict"]["status"] for finding in found} == {"confirmed"}
    assert "functions_run_eagerly(): False -> True" in found[0]["verdict"]["because"]
    assert "Unrecognized keyword arguments" in found[2]["verdict"]["because"]


def test_keras_2(seed: Path) -> None:
    found = findings(seed, "--keras", "2", "--confirm")
    codes = [("example2.py", 8, "TFL301"), ("example2.py", 14, "TFL301"), ("example3.py", 6, "TFL403")]
    assert [place for place in places(found) if place[2] != "TFL404"] == codes
    assert {finding["verdict"]["status"] for finding in found if finding["code"] == "TFL301"} == {"confirmed"}


@pytest.mark.parametrize("keras", [3, 2])
def test_example_1_fails_for_every_input_and_is_no_graph_problem(seed: Path, keras: int) -> None:
    path = seed / "example1.py"
    assert findings(path.parent, "--keras", str(keras), "--select", "TFL3", "--ignore", "TFL301") == []
    result = trace_layer(path.read_bytes(), str(path), "MyCustomLayer", keras)
    assert result.status == "unproven"
    assert "no input makes it run" in result.because
    assert "In[1] ndims must be >= 2" in result.because or "different ndims" in result.because
    assert result.line == 12


def test_fixed_and_counting(seed: Path) -> None:
    done = run(seed, "--keras", "3", "--fix", "--confirm")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "Eager time" not in done.stderr
    assert "run_functions_eagerly" not in (seed / "example2.py").read_text()
    assert "super().__init__()  # dynamic=True is required" in (seed / "example3.py").read_text()
    assert (seed / "example1.py").read_bytes() == (FIXTURES / "seed" / "example1.py").read_bytes()
    for keras in ("2", "3"):
        counted = subprocess.run(
            [sys.executable, "-c", COUNT, str(seed / "example3.py"), keras], capture_output=True, text=True, check=False
        )
        assert counted.stdout.strip() == "[1.0, 2.0, 3.0]", counted.stderr[-500:]
    again = run(seed, "--keras", "3", "--fix")
    assert (again.returncode, again.stdout) == (0, "")
