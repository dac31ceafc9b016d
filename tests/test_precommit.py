"""The hooks in pre-commit itself, from a clone as users get it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hosts import LAYER, PROJECT

FIXABLE = LAYER.replace("        print(inputs)\n", "").replace("inputs.numpy()", "inputs")


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    if not (PROJECT / ".git").exists():
        pytest.skip("not a git checkout, so there is nothing to clone")
    git(tmp_path, "clone", "--quiet", "--no-hardlinks", str(PROJECT), "clone")
    return tmp_path / "clone"


def try_repo(clone: Path, folder: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "try-repo", str(clone), "--all-files", "--color", "never"],
        cwd=folder,
        env={**os.environ, "PRE_COMMIT_HOME": str(clone.parent / "home")},
        capture_output=True,
        text=True,
        timeout=600,
    )
    return done.returncode, done.stdout + done.stderr


def test_hooks_find_and_fix_and_then_pass(clone: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "--quiet")
    (folder / "layers.py").write_text(FIXABLE)
    (folder / "notes.txt").write_text(FIXABLE)
    git(folder, "add", ".")
    status, output = try_repo(clone, folder)
    assert status == 1, output
    assert "layers.py:6:9: TFL301" in output
    assert "files were modified by this hook" in output
    assert "run_functions_eagerly" not in (folder / "layers.py").read_text()
    assert (folder / "notes.txt").read_text() == FIXABLE
    git(folder, "add", ".")
    status, output = try_repo(clone, folder)
    assert status == 0, output
    assert output.count("Passed") == 2
