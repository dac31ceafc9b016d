from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hosts import EXPECTED, LAYER, places, run, tflint

FIXED = LAYER.replace("        tf.config.run_functions_eagerly(True)\n", "")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "layers.py").write_text(LAYER)
    return tmp_path


def test_findings_go_to_standard_output_and_notes_elsewhere(folder: Path) -> None:
    done = tflint(folder=folder)
    assert done.returncode == 1
    assert places(done.stdout) == EXPECTED
    assert done.stdout.startswith(b"layers.py:6:9: TFL301 ")
    assert b"Found 3 findings in 1 file (1 fixable with --fix" in done.stderr
    assert tflint("--quiet", folder=folder).stderr == b""


def test_exit_statuses(folder: Path) -> None:
    assert tflint("--exit-zero", folder=folder).returncode == 0
    assert tflint("--select", "TFL401", folder=folder).returncode == 0
    assert tflint("--output-format", "nonsense", folder=folder).returncode == 2
    assert tflint("--only", "confirmed", folder=folder).returncode == 2
    assert tflint("--select", "TFL999", folder=folder).returncode == 2
    assert b"it names no rule" in tflint("--select", ",", folder=folder).stderr


def test_a_missing_path_does_not_stop_the_others(folder: Path) -> None:
    done = tflint("nowhere.py", "layers.py", folder=folder)
    assert done.returncode == 2
    assert b"nowhere.py: no such file or folder" in done.stderr
    assert places(done.stdout) == EXPECTED


def test_selection(folder: Path) -> None:
    def codes(*arguments: str) -> list[str]:
        return [code for _, _, code in places(tflint(*arguments, folder=folder).stdout)]

    assert codes("--select", "TFL1,print-in-traced-code") == ["TFL201", "TFL101"]
    assert codes("--select", "TFL1", "--extend-select", "TFL3") == ["TFL301", "TFL101"]
    assert codes("--ignore", "TFL1", "--ignore", "TFL3") == ["TFL201"]


def test_configuration(folder: Path) -> None:
    pyproject = folder / "pyproject.toml"
    pyproject.write_text('[tool.tflint-layers]\nper-file-ignores = {"layers.py" = ["TFL2", "TFL3"]}\n')
    assert places(tflint(folder=folder).stdout) == EXPECTED[2:]
    assert places(tflint("--isolated", folder=folder).stdout) == EXPECTED
    pyproject.write_text("[tool.tflint-layers]\nignroe = []\n")
    done = tflint(folder=folder)
    assert done.returncode == 2
    assert b"pyproject.toml: [tool.tflint-layers] has no key `ignroe` (did you mean `ignore`?)" in done.stderr
    other = folder / "other.toml"
    other.write_text('[tool.tflint-layers]\nselect = ["TFL2"]\n')
    assert places(tflint("--config", "other.toml", folder=folder).stdout) == EXPECTED[1:2]


def test_noqa_hides_and_protects_from_fixes(folder: Path) -> None:
    text = LAYER.replace("(True)\n", "(True)  # noqa: TFL301\n").replace("print(inputs)\n", "print(inputs)  # noqa\n")
    (folder / "layers.py").write_text(text)
    assert places(tflint("--fix", folder=folder).stdout) == EXPECTED[2:]
    assert (folder / "layers.py").read_text() == text


def test_skip_file(folder: Path) -> None:
    (folder / "layers.py").write_text(f"# tflint-layers: skip-file\n{LAYER}")
    done = tflint(folder=folder)
    assert (done.returncode, done.stdout) == (0, b"")


def test_folders_are_walked_without_what_is_not_the_users(folder: Path) -> None:
    for name in ("pkg/a.py", "pkg/b.pyi", "pkg/c.txt", "build/d.py", ".venv/lib/e.py", "excluded/f.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(LAYER)
    (folder / "pyproject.toml").write_text('[tool.tflint-layers]\nextend-exclude = ["excluded"]\n')

    def files(*arguments: str) -> list[str]:
        done = tflint("--select", "TFL1", "--output-format", "json", *arguments, folder=folder)
        return [item["path"] for item in json.loads(done.stdout)]

    assert files() == ["layers.py", "pkg/a.py", "pkg/b.pyi"]
    assert files("pkg", "pkg/a.py", "./pkg") == ["pkg/a.py", "pkg/b.pyi"]
    assert files("build/d.py", "excluded/f.py", "pkg/c.txt") == ["build/d.py", "excluded/f.py", "pkg/c.txt"]


def test_several_processes_print_the_same(folder: Path) -> None:
    for number in range(40):
        (folder / f"layers{number}.py").write_text(LAYER)
    one = tflint("--jobs", "1", folder=folder)
    assert tflint("--jobs", "2", folder=folder).stdout == one.stdout
    assert len(one.stdout.splitlines()) == 41 * 3


def test_standard_input(folder: Path) -> None:
    done = tflint("-", "--stdin-filename", "other.py", folder=folder, stdin=LAYER.encode())
    assert done.returncode == 1
    assert done.stdout.startswith(b"other.py:6:9: TFL301")
    fixed = tflint("--fix", "-", folder=folder, stdin=LAYER.encode())
    assert fixed.stdout.decode() == FIXED
    assert places(fixed.stderr.splitlines()[0]) == [(6, 9, "TFL201")]
    clean = tflint("--fix", "-", folder=folder, stdin=b"x = 1\r\n")
    assert (clean.returncode, clean.stdout) == (0, b"x = 1\r\n")


def test_fix_changes_the_file_and_nothing_but_the_file(folder: Path) -> None:
    path = folder / "layers.py"
    path.chmod(0o750)
    if os.geteuid() == 0:
        os.chown(path, 4321, 4321)
    owner = path.stat().st_uid
    link = folder / "link.py"
    link.symlink_to("layers.py")
    done = tflint("--fix", "link.py", folder=folder)
    assert path.read_text() == FIXED
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o750
    assert path.stat().st_uid == owner
    assert sorted(os.listdir(folder)) == ["layers.py", "link.py"]
    assert done.returncode == 1
    assert b"Fixed 1 finding, 2 left in 1 file." in done.stderr
    before = path.stat().st_mtime_ns
    again = tflint("--fix", "link.py", folder=folder)
    assert b"Fixed 0 findings" in again.stderr
    assert path.stat().st_mtime_ns == before


def test_fixes_within_fixes_are_made_and_counted_in_one_run(folder: Path) -> None:
    path = folder / "layers.py"
    path.write_text(LAYER.replace("print(inputs)", 'print("sum", tf.reduce_sum(inputs).numpy(), sep=" ")'))
    announced = tflint("--diff", "--unsafe-fixes", folder=folder)
    done = tflint("--fix", "--unsafe-fixes", folder=folder)
    assert b"tf.print" in path.read_bytes()
    assert b".numpy()" not in path.read_bytes()
    assert b"Would fix 4 findings in 1 file." in announced.stderr
    assert b"Fixed 4 findings, 0 left in 1 file." in done.stderr
    assert b"Fixed 0 findings" in tflint("--fix", "--unsafe-fixes", folder=folder).stderr


@pytest.mark.parametrize(
    "data",
    [
        LAYER.encode(),
        LAYER.encode().rstrip(b"\n"),
        LAYER.replace("\n", "\r\n").encode(),
        b"\xef\xbb\xbf" + LAYER.encode(),
        b"# -*- coding: latin-1 -*-\n# \xe9\n" + LAYER.encode(),
        LAYER.replace("        print(inputs)\n        return inputs.numpy()\n", "").encode().rstrip(b"\n"),
    ],
    ids=["lf", "no newline at the end", "crlf", "byte order mark", "latin-1", "last line"],
)
def test_the_patch_is_what_fix_does(folder: Path, data: bytes) -> None:
    path = folder / "a file.py"
    path.write_bytes(data)
    patch = tflint("--diff", "a file.py", folder=folder)
    assert patch.returncode == 1
    assert path.read_bytes() == data
    assert tflint("--fix", "a file.py", "--exit-zero", folder=folder).returncode == 0
    fixed = path.read_bytes()
    assert fixed != data
    assert b"run_functions_eagerly" not in fixed
    path.write_bytes(data)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    subprocess.run(["git", "apply", "--whitespace=nowarn"], cwd=folder, check=True, input=patch.stdout)
    assert path.read_bytes() == fixed


def test_the_patch_of_a_folder_that_is_called_as_one_in_it(folder: Path) -> None:
    inner = folder / "net" / "net"
    inner.mkdir(parents=True)
    (folder / "layers.py").rename(inner / "layers.py")
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    patch = tflint("--diff", ".", folder=inner.parent)
    subprocess.run(["git", "apply"], cwd=inner.parent, check=True, input=patch.stdout)
    assert (inner / "layers.py").read_text() == FIXED


def test_the_patch_of_a_file_outside_of_the_folder_is_applied_at_the_root(folder: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    for name in ("inner", "other folder"):
        (folder / name).mkdir()
    (folder / "other folder/layers.py").write_text(LAYER)
    (folder / "inner/link.py").symlink_to("../other folder/layers.py")
    for path in ("../other folder/layers.py", "link.py"):
        patch = tflint("--diff", "--unsafe-fixes", path, folder=folder / "inner")
        subprocess.run(["git", "apply", "--check"], cwd=folder, check=True, input=patch.stdout)
        assert b"+++ b/other folder/layers.py\t\n" in patch.stdout


def test_a_file_with_two_names_is_one_file(folder: Path) -> None:
    (folder / "a_link.py").symlink_to("layers.py")
    done = tflint(".", str(folder / "layers.py"), folder=folder)
    assert places(done.stdout, "layers.py") == EXPECTED
    patch = tflint("--diff", "a_link.py", folder=folder)
    fixed = tflint("--fix", folder=folder)
    assert b"Fixed 1 finding, 2 left in 1 file." in fixed.stderr
    (folder / "layers.py").write_text(LAYER)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    subprocess.run(["git", "apply"], cwd=folder, check=True, input=patch.stdout)
    assert (folder / "layers.py").read_text() == FIXED
    assert (folder / "a_link.py").is_symlink()


def test_no_patch_for_nothing(folder: Path) -> None:
    (folder / "layers.py").write_text(FIXED)
    done = tflint("--diff", folder=folder)
    assert (done.returncode, done.stdout) == (0, b"")


def test_json(folder: Path) -> None:
    first, *_ = json.loads(tflint("--output-format", "json", folder=folder).stdout)
    assert list(first) == [
        *("path", "line", "column", "end_line", "end_column", "cell", "code", "name", "message"),
        *("layer", "function", "route", "keras", "verdict", "fix"),
    ]
    assert (first["layer"], first["keras"], first["fix"]["safety"]) == ("Attention", 3, "safe")


def test_full_shows_the_code(folder: Path) -> None:
    done = tflint("--output-format", "full", "--select", "TFL101", folder=folder)
    assert "8 |         return inputs.numpy()\n  |                ^^^^^^" in done.stdout.decode()


def test_colours_are_for_terminals_only(folder: Path) -> None:
    assert b"\x1b" not in tflint("--output-format", "full", folder=folder).stdout


def test_output_file(folder: Path) -> None:
    done = tflint("--output-file", "out.txt", folder=folder)
    assert done.stdout == b""
    assert places((folder / "out.txt").read_bytes()) == EXPECTED
    assert tflint("--output-file", "no/where.txt", folder=folder).returncode == 2


def test_statistics(folder: Path) -> None:
    lines = tflint("--statistics", folder=folder).stdout.decode().splitlines()
    assert lines[0] == "1  TFL101  numpy-method-on-tensor"
    assert len(lines) == 3


def test_explain_and_list() -> None:
    for wanted in ("TFL101", "tfl101", "numpy-method-on-tensor"):
        done = tflint("--explain", wanted, folder=Path.cwd())
        assert done.returncode == 0
        assert b"Why is this bad" in done.stdout
    assert b"did you mean `numpy-method-on-tensor`" in tflint("--explain", "numpy-method", folder=Path.cwd()).stderr
    rules = tflint("--list-rules", folder=Path.cwd()).stdout.decode().splitlines()
    assert any(line.startswith("TFL101  numpy-method-on-tensor ") for line in rules)
    assert rules == sorted(rules)


def test_version() -> None:
    assert tflint("--version", folder=Path.cwd()).stdout.startswith(b"tflint-layers, version ")


def test_a_poor_terminal_encoding_is_no_reason_to_fail(folder: Path) -> None:
    (folder / "é.py").write_text(LAYER.replace("print(inputs)", "print('日本', inputs)"))
    done = run(["tflint_layers", "--output-format", "full"], folder, PYTHONIOENCODING="ascii")
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr


def notebook(*cells: str) -> str:
    def cell(source: str) -> dict[str, object]:
        lines = source.splitlines(keepends=True)
        return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": lines}

    content = {"cells": [{"cell_type": "markdown", "metadata": {}, "source": ["# Title"]}, *map(cell, cells)]}
    return json.dumps(content | {"metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1) + "\n"


def test_notebooks(folder: Path) -> None:
    before = notebook("%matplotlib inline\n!pip install \\\n    keras\n", "%%bash\nls -l\n", LAYER.rstrip("\n"))
    path = folder / "n.ipynb"
    path.write_text(before)
    done = tflint("n.ipynb", folder=folder)
    assert done.stdout.startswith(b"n.ipynb:cell 4:6:9: TFL301")
    items = json.loads(tflint("n.ipynb", "--output-format", "json", folder=folder).stdout)
    assert [(item["cell"], item["line"], item["column"], item["code"]) for item in items] == [(4, *p) for p in EXPECTED]
    patch = tflint("--diff", "n.ipynb", folder=folder).stdout
    tflint("--fix", "n.ipynb", folder=folder)
    assert path.read_text() == notebook(
        "%matplotlib inline\n!pip install \\\n    keras\n", "%%bash\nls -l\n", FIXED.rstrip("\n")
    )
    path.write_text(before)
    subprocess.run(["git", "apply"], cwd=folder, check=True, input=patch)
    assert path.read_text() != before


def test_an_indented_cell_of_a_notebook(folder: Path) -> None:
    # IPython takes the indentation of the first line from all lines that have it.
    magic, rows = "    %matplotlib inline\n    rows = [1]\nprint(rows)\n", "\n for r in rows:\n     print(r)\n"
    indented = [magic, rows, textwrap.indent(LAYER, "    "), "    # nothing\n", "len(rows)\n"]
    path = folder / "n.ipynb"
    path.write_text(notebook(*indented))
    items = json.loads(tflint("n.ipynb", "--output-format", "json", folder=folder).stdout)
    assert [(item["cell"], item["line"], item["column"], item["code"]) for item in items] == [
        (4, line, column + 4, code) for line, column, code in EXPECTED
    ]
    tflint("--fix", "n.ipynb", folder=folder)
    assert path.read_text() == notebook(magic, rows, textwrap.indent(FIXED, "    "), *indented[3:])


def test_a_cell_that_is_no_python(folder: Path) -> None:
    broken = ["x = 3\nthis is no python\n", "%matplotlib inline\n\n  y = \n", '"""', "a = '\0'\n", "b = '\ud800'\n"]
    path = folder / "n.ipynb"
    path.write_text(notebook(*broken, LAYER))
    done = tflint("n.ipynb", "--output-format", "json", folder=folder)
    assert done.returncode == 1
    items = json.loads(done.stdout)
    unreadable = [(2, 2, "TFL900"), (3, 3, "TFL900"), (4, 1, "TFL900"), (5, 1, "TFL900"), (6, 1, "TFL900")]
    assert [(item["cell"], item["line"], item["code"]) for item in items] == [
        *unreadable,
        *((7, line, code) for line, _, code in EXPECTED),
    ]
    assert items[0]["message"].startswith("the cell was not linted: syntax error")
    assert b"2 | this is no python" in tflint("n.ipynb", "--output-format", "full", folder=folder).stdout
    assert b"TFL900" not in tflint("n.ipynb", "--ignore", "TFL900", folder=folder).stdout
    done = tflint("n.ipynb", "--fix", folder=folder)
    assert done.stdout.count(b"TFL900") == 5
    assert json.loads(path.read_text()) == json.loads(notebook(*broken, FIXED))


def test_a_sole_line_that_ipython_takes_for_a_magic(folder: Path) -> None:
    path = folder / "n.ipynb"
    magics = ["pip install x\n", "cd ..", "\nls data\n"]
    path.write_text(notebook(*magics, "cd ..\nx = 1\n", LAYER))
    items = json.loads(tflint("n.ipynb", "--output-format", "json", folder=folder).stdout)
    assert [item["cell"] for item in items if item["code"] == "TFL900"] == [5]
    tflint("n.ipynb", "--fix", folder=folder)
    assert json.loads(path.read_text()) == json.loads(notebook(*magics, "cd ..\nx = 1\n", FIXED))


def test_a_notebook_whose_layout_would_be_lost_is_not_fixed(folder: Path) -> None:
    path = folder / "n.ipynb"
    path.write_text(before := notebook(LAYER).replace('"nbformat": 4', '"nbformat":    4'))
    done = tflint("--fix", "n.ipynb", folder=folder)
    assert done.returncode == 2
    assert b"n.ipynb: not fixed" in done.stderr
    assert path.read_text() == before


def test_a_notebook_of_another_language_has_no_findings(folder: Path) -> None:
    text = notebook(LAYER).replace(
        '"metadata": {},\n "nbformat"', '"metadata": {"language_info": {"name": "R"}},\n "nbformat"'
    )
    (folder / "n.ipynb").write_text(text)
    assert tflint("n.ipynb", folder=folder).returncode == 0


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
@pytest.mark.parametrize("arguments", [[], ["--output-format", "json"], ["--list-rules"]])
def test_what_cannot_be_printed_is_a_failure(tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "layers.py").write_text(LAYER)
    with open("/dev/full", "wb") as full:
        command = [sys.executable, "-m", "tflint_layers", *arguments]
        done = subprocess.run(command, cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, timeout=120)
    assert done.returncode == 2
    assert b"error: what was found could not be printed: No space left" in done.stderr
    assert b"Traceback" not in done.stderr


def test_nobody_need_read_to_the_end(tmp_path: Path) -> None:
    (tmp_path / "layers.py").write_text(LAYER * 2000)
    with subprocess.Popen(
        [sys.executable, "-m", "tflint_layers", "."], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert b"TFL301" in process.stdout.readline()
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()
        assert process.wait(timeout=120) == 1
