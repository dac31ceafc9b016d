"""Layers that a grammar makes up, fixed and run; `python benchmarks/fuzz_fixes.py` does it for thousands."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

import fuzz_fixes


@pytest.mark.tensorflow
def test_fixed_layers_compute_what_they_computed(keras: int, tmp_path: Path) -> None:
    assert fuzz_fixes.fuzz(60, 7, keras, tmp_path) == []
