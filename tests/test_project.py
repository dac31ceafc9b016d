"""Which modules of a project are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from tflint_layers.model import project as projects
from tflint_layers.model.project import Project
from tflint_layers.source import Source

BYTES = {"user": 1500, "bulk": 2000, "old": 1000, "new": 1000}


def test_modules_that_were_asked_for_long_ago_are_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projects, "_MOST_BYTES", 3000)
    for name, size in BYTES.items():
        (tmp_path / f"{name}.py").write_bytes(b"#" * size)
    project = Project()

    def add(name: str, helper: str, times: int) -> None:
        path = tmp_path / f"{name}.py"
        module = project.add(Source.from_bytes(path.read_bytes(), str(path)))
        for _ in range(times):
            project.module(helper, module)

    add("user", "old", 3)
    add("bulk", "old", 3)
    project.tidy()
    old = project.read(str(tmp_path / "old.py"))
    assert old is not None
    add("user", "new", 2)
    new = project.read(str(tmp_path / "new.py"))
    assert new is not None
    project.tidy()
    assert project.read(str(tmp_path / "new.py")) is new
    assert project.read(str(tmp_path / "old.py")) is not old


def test_a_module_that_nobody_uses_is_given_up_at_once(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("def double(x): return x * 2\n")
    (tmp_path / "user.py").write_text("from helper import double\n")
    (tmp_path / "alone.py").write_text("x = 1\n")
    project = Project()
    modules = {name: project.read(str(tmp_path / f"{name}.py")) for name in ("helper", "user", "alone")}
    for module in modules.values():
        assert module is not None
        project.leave(module)
    kept = {name for name in modules if project.read(str(tmp_path / f"{name}.py")) is modules[name]}
    assert kept == {"helper"}


def test_a_module_that_another_one_looked_into_is_kept(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "helper.py").write_text("class Base: pass\n")
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "user.py").write_text("import importlib\n")
    project = Project()
    user, helper = (project.read(str(tmp_path / name)) for name in ("scripts/user.py", "helper.py"))
    assert user is not None
    assert helper is not None
    # By a name that no import statement has.
    assert project.module("helper", user) is helper
    project.leave(helper)
    assert project.read(str(tmp_path / "helper.py")) is helper


def test_a_file_that_was_read_for_its_imports_is_read_once(tmp_path: Path) -> None:
    helper, user = tmp_path / "helper.py", tmp_path / "user.py"
    helper.write_text("x = 1\n")
    user.write_text("from helper import x\n")
    project = Project()
    assert project.importers(str(helper)) == [str(user)]
    user.write_text("from helper import x as y\n")
    # What was kept is given once.
    assert project.source(str(user)).text == "from helper import x\n"
    assert project.source(str(user)).text == "from helper import x as y\n"


def test_a_given_text_goes_before_what_was_read_for_its_imports(tmp_path: Path) -> None:
    path = tmp_path / "file.py"
    path.write_text("x = 1\n")
    project = Project()
    project.importers(str(path))
    project.give(Source.from_bytes(b"x = 2\n", str(path)))
    assert project.source(str(path)).text == "x = 2\n"
    project.give(Source.from_bytes(b"", str(tmp_path / "other.py")))
    path.write_text("x = 3\n")
    assert project.source(str(path)).text == "x = 3\n"
