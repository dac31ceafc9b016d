"""Which files the names in import statements stand for."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tflint_layers.model.importgraph import ImportGraph
from tflint_layers.modules import absolute_name, file_of_import, imported_names, module_name, named_root

FILES = [
    "pkg/__init__.py",
    "pkg/inner/__init__.py",
    "pkg/inner/layers.py",
    "pkg/tools.py",
    "both.py",
    "both/__init__.py",
]


@pytest.fixture
def layers(tmp_path: Path) -> Path:
    for name in FILES:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "pkg/inner/layers.py"


@pytest.mark.parametrize(
    ("dotted", "file"),
    [
        ("pkg.tools", "pkg/tools.py"),
        ("..tools", "pkg/tools.py"),
        (".", "pkg/inner/__init__.py"),
        ("pkg", "pkg/__init__.py"),
        ("both", "both/__init__.py"),  # as Python does
        (".tools", None),
        ("tools", None),
        ("", None),
        ("........x", None),
    ],
)
def test_the_file_behind_a_name(layers: Path, dotted: str, file: str | None) -> None:
    root = layers.parents[2]
    assert file_of_import(dotted, str(layers)) == (str(root / file) if file else None)


def test_folders_that_imports_name_are_packages_without_a_mark_of_a_project(tmp_path: Path) -> None:
    for name in ("tool/pkg/inner/layers.py", "tool/pkg/other/helpers.py", "tool/pkg/top.py", "tool/far.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    importer = str(tmp_path / "tool/pkg/inner/layers.py")
    assert file_of_import("pkg.other.helpers", importer) == str(tmp_path / "tool/pkg/other/helpers.py")
    assert file_of_import("tool.pkg.top", importer) == str(tmp_path / "tool/pkg/top.py")
    assert file_of_import("other.helpers", importer) is None
    assert file_of_import("far", importer) is None
    assert file_of_import("pkg.absent", importer) is None
    assert named_root(importer, ["numpy", "pkg.other.helpers"]) == str(tmp_path / "tool")
    assert named_root(importer, ["numpy", "absent.pkg"]) is None


def test_the_name_of_a_file(layers: Path) -> None:
    root = layers.parents[2]
    assert module_name(str(layers)) == (str(root), "pkg.inner.layers")
    assert module_name(str(root / "pkg/__init__.py")) == (str(root), "pkg")
    assert module_name("absent.py") == (None, "absent")


@pytest.mark.parametrize(
    ("importer", "statement", "file"),
    [
        ("pkg/user.py", "from . import inner", "pkg/inner/__init__.py"),
        ("pkg/user.py", "from .inner import plain", "pkg/inner/plain.py"),
        ("pkg/user.py", "from .inner.plain import name", "pkg/inner/plain.py"),
        ("pkg/user.py", "import pkg.inner.plain as p", "pkg/inner/plain.py"),
        ("user.py", "from loose import plain", "loose/plain.py"),
        ("user.py", "from loose.plain import *", "loose/plain.py"),
    ],
)
def test_the_files_that_import_a_file(tmp_path: Path, importer: str, statement: str, file: str) -> None:
    for name in ("setup.py", "pkg/__init__.py", "pkg/inner/__init__.py", "pkg/inner/plain.py", "loose/plain.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("", encoding="utf-8")
    (tmp_path / importer).write_text(statement + "\n", encoding="utf-8")
    graph = ImportGraph()
    assert graph.importers(str(tmp_path / file)) == [str(tmp_path / importer)]
    assert graph.importers(str(tmp_path / importer)) == []


def test_what_import_lines_name() -> None:
    text = b"import tensorflow as tf; x\nimport os, b.c as d\nfrom .e import (f as g,  # h\n    i)\nfrom . import *\n"
    names = set(imported_names(text, lambda name: name.startswith("tensorflow")))
    assert names >= {("os", ""), ("b.c", ""), (".e", "f"), (".e.f", ""), (".e", "i"), (".", "*")}
    assert not any("tensorflow" in dotted for dotted, _ in names)


@pytest.mark.parametrize(
    ("statement", "package", "dotted"),
    [
        ("from a.b import c", "pkg", "a.b"),
        ("from .b import c", "pkg.inner", "pkg.inner.b"),
        ("from .. import c", "pkg.inner", "pkg"),
        ("from ...b import c", "pkg", "...b"),
        ("from .b import c", "", ".b"),
    ],
)
def test_the_absolute_name_of_a_module(statement: str, package: str, dotted: str) -> None:
    node = ast.parse(statement).body[0]
    assert isinstance(node, ast.ImportFrom)
    assert absolute_name(node, package) == dotted
