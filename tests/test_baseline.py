"""Old code: findings that a file lists, or that comments silence."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from hosts import EXPECTED, LAYER, places, run, tflint
from test_cli import notebook


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "layers.py").write_text(LAYER)
    return tmp_path


def accept(folder: Path, *arguments: str) -> None:
    done = tflint("--write-baseline", "known.json", *arguments, folder=folder)
    assert (done.returncode, done.stdout) == (0, b"")


def test_known_findings_are_not_reported_even_when_they_move(folder: Path) -> None:
    accept(folder)
    (folder / "layers.py").write_text(LAYER.replace("import", "\n\nimport").replace("print(inputs)", "print(inputs) "))
    done = tflint("--baseline", "known.json", folder=folder)
    assert (done.returncode, done.stdout) == (0, b"")
    assert b"no longer" not in done.stderr


def test_the_file_is_sorted_and_the_same_from_everywhere(folder: Path) -> None:
    (folder / "pkg").mkdir()
    (folder / "pkg" / "a.py").write_text(LAYER)
    accept(folder)
    content = (folder / "known.json").read_bytes()
    items = json.loads(content)["findings"]
    assert [(item["path"], item["code"], item["count"]) for item in items] == [
        (path, code, 1) for path in ("layers.py", "pkg/a.py") for code in ("TFL101", "TFL201", "TFL301")
    ]
    assert items[0]["text"] == "return inputs.numpy()"
    assert tflint("--write-baseline", "../known.json", "..", folder=folder / "pkg").returncode == 0
    assert (folder / "known.json").read_bytes() == content
    assert tflint("--baseline", "../known.json", folder=folder / "pkg").returncode == 0


def test_each_listed_finding_is_accepted_once(folder: Path) -> None:
    accept(folder)
    (folder / "layers.py").write_text(LAYER.replace("print(inputs)", "print(inputs)\n        print(inputs)"))
    done = tflint("--baseline", "known.json", folder=folder)
    assert done.returncode == 1
    assert places(done.stdout) == [(8, 9, "TFL201")]


def test_what_is_accepted_is_not_fixed(folder: Path) -> None:
    accept(folder)
    before = (folder / "layers.py").read_bytes()
    done = tflint("--baseline", "known.json", "--fix", "--unsafe-fixes", folder=folder)
    assert (done.returncode, done.stdout) == (0, b"")
    assert (folder / "layers.py").read_bytes() == before
    assert b"no longer found" not in done.stderr


def test_what_is_accepted_stays_so_when_its_line_is_fixed(folder: Path) -> None:
    path = folder / "layers.py"
    path.write_text(LAYER.replace("inputs.numpy()", "print(inputs * inputs.numpy())"))
    assert tflint("--select", "TFL101", "--write-baseline", "known.json", folder=folder).returncode == 0
    done = tflint("--baseline", "known.json", "--fix", "--unsafe-fixes", folder=folder)
    assert path.read_text().endswith("        return tf.print(inputs * inputs.numpy())\n")
    assert (done.returncode, done.stdout) == (0, b"")
    assert b"no longer found" not in done.stderr
    assert b"Fixed 3 findings, 0 left" in done.stderr


def test_what_is_gone_is_noted(folder: Path) -> None:
    (folder / "other.py").write_text(LAYER)
    accept(folder)
    (folder / "other.py").unlink()
    (folder / "layers.py").write_text(LAYER.replace("        print(inputs)\n", ""))
    done = tflint("--baseline", "known.json", folder=folder)
    assert done.returncode == 0
    notes = [line for line in done.stderr.decode().splitlines() if "no longer" in line]
    assert len(notes) == 4
    assert notes[0] == "tflint-layers: note: known.json: layers.py: TFL201 is no longer found at `print(inputs)`"
    # What this run does not look for is not missed.
    part = tflint("--baseline", "known.json", "--ignore", "TFL201", "layers.py", folder=folder)
    assert b"layers.py: TFL201" not in part.stderr


def test_a_file_that_cannot_be_read_is_never_accepted(folder: Path) -> None:
    (folder / "broken.py").write_text("x = (")
    done = tflint("--write-baseline", "known.json", folder=folder)
    assert done.returncode == 1
    assert b"TFL900" in done.stdout
    assert b"TFL900" not in (folder / "known.json").read_bytes()
    assert tflint("--baseline", "known.json", folder=folder).returncode == 1


@pytest.mark.parametrize("text", ["", "[]", '{"version": 9}', '{"version": 1}', '{"version": 1, "findings": [{}]}'])
def test_a_baseline_that_is_none_is_an_error(folder: Path, text: str) -> None:
    (folder / "known.json").write_text(text)
    done = tflint("--baseline", "known.json", folder=folder)
    assert done.returncode == 2
    assert done.stderr.startswith(b"tflint-layers: error: known.json: ")


def test_options_that_contradict_each_other(folder: Path) -> None:
    assert tflint("--baseline", "nowhere.json", folder=folder).returncode == 2
    assert tflint("--write-baseline", "no/where.json", folder=folder).returncode == 2
    assert tflint("--add-noqa", "--fix", folder=folder).returncode == 2
    assert tflint("--add-noqa", "--write-baseline", "a.json", folder=folder).returncode == 2
    assert (folder / "layers.py").read_text() == LAYER


def test_comments_silence_every_finding(folder: Path) -> None:
    done = tflint("--add-noqa", folder=folder)
    assert (done.returncode, done.stdout) == (0, b"")
    assert b"3 findings silenced" in done.stderr
    assert (folder / "layers.py").read_text() == LAYER.replace("(True)", "(True)  # noqa: TFL301").replace(
        "print(inputs)", "print(inputs)  # noqa: TFL201"
    ).replace("numpy()", "numpy()  # noqa: TFL101")
    assert tflint(folder=folder).returncode == 0
    assert run(["flake8", "--select", "TFL", "."], folder).stdout == b""


LINES = {
    "print(inputs), inputs.numpy()": "print(inputs), inputs.numpy()  # noqa: TFL101, TFL201",
    "print(inputs)  # why": "print(inputs)  # why  # noqa: TFL201",
    "print(inputs)  # noqa: E501": "print(inputs)  # noqa: E501, TFL201",
    "print(inputs)  # noqa:E501,W291 too long": "print(inputs)  # noqa:E501,W291,TFL201 too long",
    "print(inputs) ;  ": "print(inputs) ;  # noqa: TFL201",
    'print(inputs, """\n""")': 'print(inputs, """\n""")  # noqa: TFL201',
    "print(inputs, \\\n  1)": "print(inputs, \\\n  1)  # noqa: TFL201",
    "print(\n  inputs,\n  inputs.numpy())": "print(  # noqa: TFL201\n  inputs,\n  inputs.numpy())  # noqa: TFL101",
}


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_comments_stand_where_flake8_looks_for_them(tmp_path: Path, ending: str) -> None:
    def text(lines: list[str]) -> str:
        layer = "class L{}(keras.Layer):\n    def call(self, inputs):\n      {}\n"
        methods = "".join(layer.format(number, line) for number, line in enumerate(lines))
        return f"import keras\n{methods}".replace("\n", ending)

    path = tmp_path / "layers.py"
    path.write_bytes(text([*LINES]).encode())
    assert tflint("--add-noqa", folder=tmp_path).returncode == 0
    assert path.read_bytes().decode() == text([*LINES.values()])
    assert ast.dump(ast.parse(path.read_bytes())) == ast.dump(ast.parse(text([*LINES])))
    assert run(["flake8", "--select", "TFL", "."], tmp_path).stdout == b""


def test_what_no_comment_can_hide_is_left(tmp_path: Path) -> None:
    path = tmp_path / "layers.py"
    path.write_text(text := LAYER.replace("print(inputs)", 'print("# noqa: E501", inputs)'))
    done = tflint("--add-noqa", "--select", "TFL2", folder=tmp_path)
    assert done.returncode == 1
    assert places(done.stdout) == EXPECTED[1:2]
    assert path.read_text() == text


def test_comments_in_notebooks_and_standard_input(tmp_path: Path) -> None:
    path = tmp_path / "n.ipynb"
    path.write_text(notebook("%matplotlib inline\n", LAYER))
    assert tflint("--add-noqa", folder=tmp_path).returncode == 0
    assert "numpy()  # noqa: TFL101" in path.read_text()
    assert tflint(folder=tmp_path).returncode == 0
    piped = tflint("--add-noqa", "-", folder=tmp_path, stdin=LAYER.encode())
    assert piped.returncode == 0
    assert b"numpy()  # noqa: TFL101\n" in piped.stdout
