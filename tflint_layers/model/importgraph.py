"""Which files import which, and where the module behind a dotted name is: from file names and import lines alone."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cache

from tflint_layers.model import api

_MOST_IMPORTERS = 40
_IMPORT_LINE = re.compile(
    rb"^[ \t]*(?:from[ \t]+(?P<module>[.\w]+)[ \t]+import[ \t]+(?P<names>\([^)]*\)|[^\r\n#]+)"
    rb"|import[ \t]+(?P<plain>[^\r\n#]+))",
    re.MULTILINE,
)

# For each file: by the name that others take from it, empty for the module as a whole, the files that do.
Importers = dict[str, dict[str, set[str]]]


class ImportGraph:
    """Which files of a package import which names from which, read from their import lines alone."""

    def __init__(self) -> None:
        self._graphs: dict[str, Importers] = {}
        self._direct: dict[str, set[str]] = {}

    def importers(self, path: str) -> list[str]:
        """The files that import a file: directly, through names that others hand on, or through a helper between.

        Only the first so many are given, so that one file of a large package can be linted without all the others.
        """
        if not os.path.isfile(path):
            return []
        folder = _top_folder(path)
        if folder not in self._graphs:
            self._graphs[folder] = _read_imports(folder)
        graph = self._graphs[folder]
        near = sorted(self._importers_of(path, graph) - {path})[:_MOST_IMPORTERS]
        if len(near) == _MOST_IMPORTERS:
            return near
        far = {outer for inner in near for outer in self._importers_of(inner, graph)}
        return [*near, *sorted(far - {path, *near})][:_MOST_IMPORTERS]

    def _importers_of(self, path: str, graph: Importers) -> set[str]:
        if path not in self._direct:
            self._direct[path] = _importers_of(path, graph)
        return self._direct[path]


def _importers_of(path: str, graph: Importers) -> set[str]:
    """The files that import a file, or a name that another file imports from it."""
    found: set[str] = set()
    pending = [(path, name) for name in graph.get(path, ())]
    seen = set(pending)
    while pending:
        target, wanted = pending.pop()
        by_name = graph.get(target, {})
        for name in {wanted, "*"}:
            for importer in by_name.get(name, ()):
                found.add(importer)
                if name and (importer, name) not in seen:
                    seen.add((importer, name))
                    pending.append((importer, name))
    return found


def _top_folder(path: str) -> str:
    """The outermost package that holds a file, else the file's folder."""
    folder = os.path.dirname(path)
    while _is_package(folder) and _is_package(os.path.dirname(folder)):
        folder = os.path.dirname(folder)
    return folder


def _read_imports(folder: str) -> Importers:
    graph: Importers = {}
    for path in _python_files(folder):
        try:
            with open(path, "rb") as file:
                text = file.read()
        except OSError:
            continue
        for dotted, name in set(_imported_names(text)):
            for imported in candidates(dotted, path):
                graph.setdefault(imported, {}).setdefault(name, set()).add(path)
    return graph


def _python_files(folder: str) -> Iterator[str]:
    """The Python files of a package with its subpackages, or of a plain folder alone."""
    for parent, folders, names in os.walk(folder):
        if not _is_package(folder):
            folders.clear()
        yield from (os.path.join(parent, name) for name in names if name.endswith(".py"))


def _imported_names(text: bytes) -> Iterator[tuple[str, str]]:
    """The modules that import statements may read, as their text tells, and the name each takes from there, if any."""
    for match in _IMPORT_LINE.finditer(text):
        module = (match["module"] or b"").decode("ascii", "replace")
        if match["plain"]:
            plain = match["plain"].decode("ascii", "replace").split(",")
            yield from ((name.split()[0], "") for name in plain if name.strip() and not api.is_library(name.strip()))
        elif not api.is_library(module):
            for name in re.findall(r"(\w+|\*)(?:\s+as\s+\w+)?", (match["names"] or b"").decode("ascii", "replace")):
                yield module, name
                # The name may be a module of its own.
                yield (module + name if module.endswith(".") else f"{module}.{name}"), ""


def absolute_path(path: str) -> str:
    """The path that a module is known by."""
    return os.path.realpath(path) if os.path.exists(path) else path


@cache
def _is_package(folder: str) -> bool:
    return os.path.isfile(os.path.join(folder, "__init__.py"))


@cache
def package_of(path: str) -> tuple[str | None, str]:
    """The folder that an import of this file starts from, and the dotted name of the file there."""
    stem = os.path.splitext(os.path.basename(path))[0]
    if not os.path.exists(path):
        return None, stem
    parts = [] if stem == "__init__" else [stem]
    folder = os.path.dirname(path)
    while _is_package(folder) and os.path.dirname(folder) != folder:
        parts.insert(0, os.path.basename(folder))
        folder = os.path.dirname(folder)
    return folder, ".".join(parts)


def candidates(dotted: str, importer: str) -> Iterator[str]:
    """The files that a dotted name may stand for when ``importer`` imports it."""
    base, _ = package_of(importer)
    if base is None or not dotted:
        return
    if dotted.startswith("."):
        level = len(dotted) - len(dotted.lstrip("."))
        base = os.path.normpath(os.path.join(os.path.dirname(importer), *[os.pardir] * (level - 1)))
        dotted = dotted.lstrip(".")
    found = _module_file(os.path.join(base, *dotted.split(".")) if dotted else base)
    if found is not None:
        yield found


@cache
def _module_file(stem: str) -> str | None:
    for path in (stem + ".py", os.path.join(stem, "__init__.py")):
        if os.path.isfile(path):
            return path
    return None
