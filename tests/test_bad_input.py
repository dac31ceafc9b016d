"""Whatever the input: a clear message, the right exit status, the other files linted, and no byte changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hosts import EXPECTED, LAYER, places, tflint

from tflint_layers import work
from tflint_layers.confirm.elsewhere import Elsewhere
from tflint_layers.settings import Settings
from tflint_layers.work import Task, lint_file

UNREADABLE = {
    "syntax error": (b"def call(self:\n", b"syntax error for Python 3."),
    "undecodable": (b"x = '\xff'\n", b""),
    "wrong coding line": (b"# -*- coding: utf-8 -*-\ns = '\xe9'\n", b""),
    "unknown encoding": (b"# -*- coding: nonsense -*-\n", b"nonsense"),
    "NUL": (b"x = 1\n\0\n", b"NUL"),
    "deep": (b"x = " + b"(" * 100_000 + b"\n", b""),
    "long sum below a layer": (LAYER.encode() + b"total = 1" + b" + 1" * 20_000 + b"\n", b"cannot be parsed"),
    "deep layer": (LAYER.rstrip().encode() + b".numpy()" * 400 + b"\n", b"its code is nested too deeply"),
}

FINE = {
    "empty": b"",
    "no newline at the end": b"x = 1",
    "crlf": b"x = 1\r\ny = 2\r\n",
    "old mac": b"x = 1\ry = 2\r",
    "mixed": b"x = 1\r\ny = 2\n",
    "byte order mark": b"\xef\xbb\xbfx = 1\n",
    "latin-1": b"# -*- coding: latin-1 -*-\ns = '\xe9'\n",
    # Python's parser reads it, if not its compiler; nothing in it is traced, so that nobody needs its tree.
    "long sum": b"total = 1" + b" + 1" * 20_000 + b"\n",
    "form feed": b"x = 1\n\x0c\ny = 2\n",
    "layer in latin-1 with crlf": b"# -*- coding: latin-1 -*-\r\n# \xe9\r\nfrom keras import layers\r\n"
    b"class L(layers.Layer):\r\n    def call(self, x):\r\n        return x",
}


@pytest.mark.parametrize(("data", "message"), UNREADABLE.values(), ids=UNREADABLE)
def test_unreadable_files_are_findings(tmp_path: Path, data: bytes, message: bytes) -> None:
    (tmp_path / "bad.py").write_bytes(data)
    (tmp_path / "layers.py").write_text(LAYER)
    for arguments in ((), ("--select", "TFL1,TFL2,TFL3"), ("--fix", "--select", "TFL1,TFL2")):
        done = tflint(*arguments, folder=tmp_path)
        first, *others = done.stdout.splitlines(keepends=True)
        assert done.returncode == 1
        assert first.startswith(b"bad.py:")
        assert b" TFL900 " in first
        assert message in first
        assert EXPECTED[-1] in places(b"".join(others))
        assert b"Traceback" not in done.stderr
    assert (tmp_path / "bad.py").read_bytes() == data


@pytest.mark.parametrize("data", FINE.values(), ids=FINE)
def test_files_without_findings_keep_their_bytes(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "fine.py"
    path.write_bytes(data)
    before = path.stat().st_mtime_ns
    done = tflint("--fix", "--unsafe-fixes", folder=tmp_path)
    assert (done.returncode, done.stdout) == (0, b"")
    assert path.read_bytes() == data
    assert path.stat().st_mtime_ns == before


def test_a_folder_without_python(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("call")
    done = tflint(folder=tmp_path)
    assert (done.returncode, done.stdout) == (0, b"")
    assert b"note: .: no Python files found" in done.stderr


def test_a_folder_called_like_a_file(tmp_path: Path) -> None:
    (tmp_path / "x.py").mkdir()
    (tmp_path / "x.py" / "layers.py").write_text(LAYER)
    assert places(tflint("x.py", folder=tmp_path).stdout) == EXPECTED


def test_nothing_on_standard_input(tmp_path: Path) -> None:
    done = tflint("-", folder=tmp_path)
    assert (done.returncode, done.stdout) == (0, b"")
    assert tflint("--fix", "-", folder=tmp_path).stdout == b""


def test_standard_input_that_is_no_python(tmp_path: Path) -> None:
    done = tflint("-", folder=tmp_path, stdin=b"x = (\n")
    assert done.returncode == 1
    assert b" TFL900 " in done.stdout
    assert tflint("--fix", "-", folder=tmp_path, stdin=b"x = (\n").stdout == b"x = (\n"


def test_a_dangling_link(tmp_path: Path) -> None:
    (tmp_path / "link.py").symlink_to("nowhere.py")
    (tmp_path / "layers.py").write_text(LAYER)
    done = tflint(folder=tmp_path)
    assert done.returncode == 1
    assert b"link.py:1:1: TFL900" in done.stdout
    assert places(done.stdout)[:-1] == EXPECTED


def test_a_file_that_may_not_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(task: Task) -> bytes:
        raise PermissionError(13, "Permission denied")

    # Tests may run as root, who may read everything.
    monkeypatch.setattr(work, "_read", refuse)
    outcome = lint_file(Task("a.py", Settings()))
    assert [finding.code for finding in outcome.findings] == ["TFL900"]
    assert "Permission denied" in outcome.findings[0].message


def test_a_bug_of_the_linter_is_a_problem_of_that_file_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(data: bytes, path: str, settings: Settings) -> None:
        raise KeyError("oops")

    monkeypatch.setattr(work, "lint_for_fixes", fail)
    outcome = lint_file(Task("a.py", Settings(), data=b""))
    assert outcome.problem is not None
    assert outcome.problem.startswith("a.py: the linter itself failed")


@pytest.mark.parametrize("text", ["{", "[]", '{"cells": 3}', '{"cells": [3]}', "\ud800"])
def test_notebooks_that_are_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "n.ipynb").write_bytes(text.encode("utf-8", "surrogatepass"))
    done = tflint(folder=tmp_path)
    assert done.returncode == (0 if "[3]" in text else 1)
    assert b"Traceback" not in done.stderr


def test_a_file_of_two_megabytes(tmp_path: Path) -> None:
    row = ", ".join(map(str, range(100)))
    data = LAYER + "DATA = [\n" + f"    [{row}],\n" * 5_200 + "]\n"
    (tmp_path / "layers.py").write_text(data)
    assert len(data) > 2_000_000
    assert places(tflint(folder=tmp_path).stdout) == EXPECTED
    assert (tmp_path / "layers.py").read_text() == data


def test_pipes_and_devices_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    assert tflint(folder=tmp_path).returncode == 0
    for path in ("pipe.py", "/dev/zero"):
        done = tflint(path, folder=tmp_path)
        assert (done.returncode, done.stdout) == (2, b"")
        assert f"{path}: not a regular file; give what it holds as standard input" in done.stderr.decode()
    # Files next to a linted one are read, too.
    (tmp_path / "layers.py").write_text(LAYER)
    assert places(tflint("layers.py", folder=tmp_path).stdout) == EXPECTED


def test_pipes_and_other_oddities_are_not_searched_for_uses_of_layers(tmp_path: Path) -> None:
    (tmp_path / "layers.py").write_text(LAYER)
    (tmp_path / "uses.py").write_text("from layers import Attention\nAttention()(tf.ones([2, 3]))\n")
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "deep.py").write_text("from layers import Attention\n" + "-" * 5000 + "1\n")
    (tmp_path / "chain.py").write_text(f"from layers import Attention\nAttention(x{'.y()' * 400})\n")
    assert "tf.ones([2, 3])" in str(Elsewhere().of(str(tmp_path / "layers.py"), "Attention"))
