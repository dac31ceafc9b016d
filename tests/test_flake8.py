"""The plugin in flake8 itself."""

from __future__ import annotations

import ast
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from hosts import EXPECTED, LAYER, places, run, tflint

from tflint_layers.flake8_plugin import Plugin

NUMPY_ON_LINE_8 = LAYER.replace("return inputs.numpy()", "é = '日本', inputs.numpy()  # 日本\n        return é")

SAME = {
    "as it is": LAYER.encode(),
    "crlf": LAYER.replace("\n", "\r\n").encode(),
    "byte order mark": b"\xef\xbb\xbf" + LAYER.encode(),
    "latin-1": b"# -*- coding: latin-1 -*-\n# \xe9\n"
    + LAYER.replace("(inputs)\n", "('\xe9', inputs)\n").encode("latin-1"),
    "wide characters": NUMPY_ON_LINE_8.encode(),
    "no newline at the end": LAYER.encode().rstrip(b"\n"),
    "noqa": LAYER.replace("print(inputs)", "print(inputs)  # noqa: TFL201").encode(),
    "noqa after a string of two lines": LAYER.replace("print(inputs)", "print(inputs, '''\n''')  # noqa").encode(),
    "noqa on another line of the call": LAYER.replace("print(inputs)", "print(\n            inputs)  # noqa").encode(),
    "flake8: noqa": b"# flake8: noqa\n" + LAYER.encode(),
    "skip-file": b"# tflint-layers: skip-file\n" + LAYER.encode(),
    "nothing traced": b"x = 1\n",
    "empty": b"",
}


def flake8(*arguments: str, folder: Path, stdin: bytes = b"") -> CompletedProcess[bytes]:
    return run(["flake8", "--select", "TFL", *arguments], folder, stdin)


@pytest.mark.parametrize("data", SAME.values(), ids=SAME)
def test_flake8_and_the_command_line_say_the_same(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "layers.py").write_bytes(data)
    ours, theirs = tflint("layers.py", folder=tmp_path), flake8("layers.py", folder=tmp_path)
    assert theirs.stderr == b""
    assert places(theirs.stdout) == places(ours.stdout)
    assert theirs.stdout == ours.stdout
    assert theirs.returncode == ours.returncode


def test_standard_input(tmp_path: Path) -> None:
    done = flake8("-", "--stdin-display-name", "layers.py", folder=tmp_path, stdin=LAYER.encode())
    assert places(done.stdout) == EXPECTED


def test_several_processes(tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / f"layers{number}.py").write_text(LAYER)
    assert places(flake8("--jobs", "2", ".", folder=tmp_path).stdout) == EXPECTED * 4


def test_options_may_stand_in_the_configuration(tmp_path: Path) -> None:
    loop = (
        "import tensorflow as tf\nclass L(tf.keras.layers.Layer):\n    def call(self, x):\n        return x.numpy()\n"
    )
    (tmp_path / "layers.py").write_text(loop)
    (tmp_path / ".flake8").write_text("[flake8]\ntfl-keras = 2\ntfl-preview = true\n")
    assert places(flake8("layers.py", folder=tmp_path).stdout) == [(4, 16, "TFL101")]
    assert b"--tfl-keras" in flake8("--tfl-keras", "4", "layers.py", folder=tmp_path).stderr


def test_the_projects_configuration_applies(tmp_path: Path) -> None:
    (tmp_path / "layers.py").write_text(
        "from base import Block\nclass L(Block):\n    def call(self, x):\n        return x.numpy()\n"
    )
    assert flake8("layers.py", folder=tmp_path).stdout == b""
    (tmp_path / "pyproject.toml").write_text('[tool.tflint-layers]\nlayer-bases = ["base.Block"]\nselect = ["TFL2"]\n')
    assert places(flake8("layers.py", folder=tmp_path).stdout) == [(4, 16, "TFL101")]


def test_a_wrong_configuration_is_told(tmp_path: Path) -> None:
    (tmp_path / "layers.py").write_text(LAYER)
    (tmp_path / "pyproject.toml").write_text("[tool.tflint-layers]\nkears = 2\n")
    done = flake8("layers.py", folder=tmp_path)
    assert done.returncode == 1
    assert b"has no key `kears` (did you mean `keras`?)" in done.stdout + done.stderr


def test_syntax_errors_are_flake8s_own(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("x = (\n")
    done = run(["flake8", "bad.py"], tmp_path)
    assert done.returncode == 1
    assert b"E999" in done.stdout or b"E902" in done.stdout


def test_a_file_that_is_nested_too_deeply_is_a_finding() -> None:
    text = LAYER.rstrip() + ".numpy()" * 400 + "\n"
    (found,) = Plugin(ast.parse(text), "deep.py", text.splitlines(keepends=True)).run()
    assert found[:2] == (1, 0)
    assert found[2].startswith("TFL900 ")
