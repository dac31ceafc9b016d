"""Which Keras a project is written for, by what it declares and what is installed; TensorFlow is never imported."""

from __future__ import annotations

import ast
import configparser
import importlib.metadata
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tflint_layers.legacy_keras import asks_for_legacy_keras

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

NEWEST_KERAS = 3
_DEEPEST = 3

_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*\(?([^;#@)]*)")
_CLAUSE = re.compile(r"(===|==|~=|>=|<=|!=|>|<|\^)\s*v?(\d+(?:\.\d+)*)(\.\*)?")

# The version of each distribution from which on `tf.keras` or `keras` is Keras 3.
_KERAS_3_FROM = {
    "keras": (3,),
    "tensorflow": (2, 16),
    "tensorflow-cpu": (2, 16),
    "tensorflow-gpu": (2, 16),
    "tensorflow-intel": (2, 16),
    "tensorflow-macos": (2, 16),
}

# Files that are run before any other of a folder, or that say how those are run.
_SETTING_UP = (
    *("__init__.py", "conftest.py", "setup.cfg", "tox.ini", "pytest.ini", "pyproject.toml"),
    *("Dockerfile", "Makefile", ".env"),
)
# Where a project that wants tf-keras says how its programs are run.
_TELLING = ("*.py", "*.md", "*.rst", "*.sh", "*.yml", "*.yaml")

Version = tuple[int, ...]


def keras_of_project(directory: Path) -> int | None:
    """The major version of Keras that the nearest project above ``directory`` sets or declares, if it says."""
    for folder in (directory, *directory.parents):
        if _asks(folder / name for name in _SETTING_UP):
            return 2
        specifiers = _specifiers(_declared(folder))
        found = _keras_of(specifiers)
        if found == 3 and "tf-keras" in specifiers and _asks(p for pattern in _TELLING for p in folder.glob(pattern)):
            return 2
        if found is not None:
            return found
        if (folder / ".git").exists():
            return None
    return None


@cache
def installed_keras() -> int | None:
    """The major version of the Keras that is installed next to the linter, if any."""
    try:
        major = importlib.metadata.version("keras").partition(".")[0]
    except importlib.metadata.PackageNotFoundError:
        return None
    return int(major) if major in {"2", "3"} else None


def keras_of_requirements(requirements: Iterable[str]) -> int | None:
    """What requirement specifiers say: a bound on `keras` first, then one on TensorFlow, then `tf-keras`.

    That tf-keras is installed does not make `tf.keras` Keras 2 with TensorFlow 2.16 and newer (measured), but who has
    older versions of TensorFlow in mind means it.
    """
    return _keras_of(_specifiers(requirements))


def _specifiers(requirements: Iterable[str]) -> dict[str, str]:
    """The versions that requirements allow, by the name of the distribution."""
    specifiers: dict[str, str] = {}
    for requirement in requirements:
        if match := _REQUIREMENT.match(requirement):
            name = re.sub(r"[-_.]+", "-", match[1]).lower()
            specifiers[name] = f"{specifiers.get(name, '')},{match[2]}"
    return specifiers


def _keras_of(specifiers: Mapping[str, str]) -> int | None:
    found = next((found for name in _KERAS_3_FROM if (found := _side(name, specifiers))), None)
    return found or (2 if "tf-keras" in specifiers else None)


def _asks(paths: Iterable[Path]) -> bool:
    return any(asks_for_legacy_keras(_bytes(path)) for path in paths)


def _side(name: str, specifiers: Mapping[str, str]) -> int | None:
    """2 or 3 when the specifier of a distribution allows one side of its boundary only."""
    boundary = _KERAS_3_FROM[name]
    for operator, digits, wildcard in _CLAUSE.findall(specifiers.get(name, "")):
        version = tuple(int(part) for part in digits.split("."))
        lower, upper = _range(operator, version, bool(wildcard))
        if upper is not None and upper <= boundary:
            return 2
        if lower is not None and lower >= boundary:
            return 3
    return None


def _range(operator: str, version: Version, wildcard: bool) -> tuple[Version | None, Version | None]:
    """The versions that a clause allows: from the first, up to but without the second."""
    if operator == "<":
        return None, version
    if operator == "<=":
        return None, (*version, 1)
    if operator in {">=", ">"}:
        return version, None
    if operator == "^":
        return version, (version[0] + 1,)
    if operator == "~=":
        return version, (*version[:-2], version[-2] + 1) if len(version) > 1 else None
    if operator in {"==", "==="}:
        return version, (*version[:-1], version[-1] + 1) if wildcard else (*version, 1)
    return None, None


def _declared(folder: Path) -> Iterator[str]:
    """Requirement strings of the project whose files are in ``folder``."""
    for path in sorted((*folder.glob("requirements*.txt"), *folder.glob("requirements/*.txt"))):
        yield from _lines(path)
    yield from _of_setup_cfg(folder / "setup.cfg")
    yield from _of_setup_py(folder / "setup.py")
    try:
        pyproject = read_toml(folder / "pyproject.toml")
    except (OSError, ValueError):
        return
    project = _table(pyproject, "project")
    yield from _strings(project.get("dependencies"))
    for extra in _table(project, "optional-dependencies").values():
        yield from _strings(extra)
    for name, specifier in _table(_table(_table(pyproject, "tool"), "poetry"), "dependencies").items():
        version = specifier.get("version", "") if isinstance(specifier, dict) else specifier
        yield f"{name} {version}"


def _of_setup_cfg(path: Path) -> Iterator[str]:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string("\n".join(_lines(path)))
    except configparser.Error:
        return
    wanted = [("options", "install_requires"), *(("options.extras_require", extra) for extra in _extras(parser))]
    for section, option in wanted:
        yield from parser.get(section, option, fallback="").splitlines()


def _extras(parser: configparser.ConfigParser) -> list[str]:
    return parser.options("options.extras_require") if parser.has_section("options.extras_require") else []


def _of_setup_py(path: Path) -> Iterator[str]:
    """The requirements that a call of ``setup`` spells out, or names that are bound to such lists; nothing is run."""
    try:
        tree = ast.parse("\n".join(_lines(path)))
    except (SyntaxError, ValueError, RecursionError):
        return
    named: dict[str, ast.expr] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            named[node.targets[0].id] = node.value
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "setup":
            for keyword in node.keywords:
                if keyword.arg in {"install_requires", "extras_require"}:
                    yield from _spelled_out(keyword.value, named)


def _spelled_out(node: ast.expr, named: Mapping[str, ast.expr], depth: int = 0) -> Iterator[str]:
    """The texts in lists and dicts that stand in an expression, through the names of some expressions."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield from node.value.splitlines()
        return
    if isinstance(node, ast.Name) and node.id in named and depth < _DEEPEST:
        yield from _spelled_out(named[node.id], named, depth + 1)
        return
    parts: list[ast.expr] = []
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        parts = node.elts
    elif isinstance(node, ast.Dict):
        parts = node.values
    elif isinstance(node, ast.BinOp):
        parts = [node.left, node.right]
    for part in parts:
        yield from _spelled_out(part, named, depth)


def read_toml(path: Path) -> dict[str, Any]:
    """The content of a TOML file.

    Raises:
        OSError: there is no such file, or it cannot be read.
        ValueError: it is no TOML.
    """
    return tomllib.loads(path.read_bytes().decode())


def _lines(path: Path) -> list[str]:
    return _bytes(path).decode("utf-8", errors="replace").splitlines()


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _table(parent: dict[str, Any], key: str) -> dict[str, Any]:
    child = parent.get(key)
    return child if isinstance(child, dict) else {}


def _strings(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
