"""What the README shows is what happens: its example is run, and its output compared."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

pytestmark = [pytest.mark.tensorflow, pytest.mark.xdist_group("seed")]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)


def test_example_prints_what_the_readme_says(tmp_path: Path) -> None:
    (tmp_path / "layers.py").write_text(blocks("python")[0], encoding="utf-8")
    options = ["--isolated", "--keras", "3", "--confirm", "--output-format", "full", "layers.py"]
    done = subprocess.run(
        [sys.executable, "-m", "tflint_layers", *options], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    assert done.stdout.strip() == blocks("text")[0].strip()
