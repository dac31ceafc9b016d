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
