"""What several tests use: the fixture folders and their hand-written markers."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tools"))
FIXTURES = ROOT / "fixtures"
_MARKER = re.compile(r"#.*?\b(TFL\d{3}(?:\[[23]\])?(?:,\s*TFL\d{3}(?:\[[23]\])?)*)")


def rule_folders() -> list[Path]:
    """The folders of rule fixtures, in the order of the codes."""
    return sorted(FIXTURES.glob("TFL*"))


def marked(path: Path, keras: int) -> set[tuple[int, str]]:
    """Lines and codes that the markers of a fixture name for one Keras version.

    ``# TFL104`` holds for both, ``# TFL104[3]`` only for Keras 3.
    """
    found = set()
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = _MARKER.search(line)
        for marker in re.split(r",\s*", match[1]) if match and "noqa: TFL" not in line else ():
            code, _, version = marker.partition("[")
            if version in ("", f"{keras}]"):
                found.add((number, code))
    return found


@pytest.fixture(params=rule_folders(), ids=lambda folder: folder.name)
def rule_folder(request: pytest.FixtureRequest) -> Path:
    """Each fixture folder in turn."""
    folder: Path = request.param
    return folder


@pytest.fixture(params=[3, 2], ids=["keras3", "keras2"])
def keras(request: pytest.FixtureRequest) -> int:
    """Each Keras version in turn."""
    version: int = request.param
    return version
