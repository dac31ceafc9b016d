"""Which files import which, from their import lines alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from functools import cache

from tflint_layers.model import api
from tflint_layers.modules import file_of_import, imports, is_package, member_name, project_root
from tflint_layers.settings import DEFAULT_EXCLUDE

_MOST_IMPORTERS = 40
# Bytes of files that are kept for whoever lints them next, which saves reading them again.
_MOST_KEPT = 16_000_000

# For each file: by the name that others take from it, empty for the module as a whole, the files that do.
Importers = dict[str, dict[str, set[str]]]


class ImportGraph:
    """Which files of a package import which names from which, read from their import lines alone."""

    def __init__(self) -> None:
        self._graphs: dict[str, Importers] = {}
        self._direct: dict[str, set[str]] = {}
        self._texts: dict[str, bytes] = {}
        self._kept = 0

    def importers(self, path: str) -> list[str]:
        """The files that import a file: directly, through names that others hand on, or through a helper between.

        Only the first so many are given, so that one file of a large package can be linted without all the others.
        """
        # A text that is no file.
        if not os.path.isabs(path):
            return []
        graph = self._graph_of(path)
        near = sorted(self._importers_of(path, graph) - {path})[:_MOST_IMPORTERS]
        if len(near) == _MOST_IMPORTERS:
            return near
        far = {outer for inner in near for outer in self._importers_of(inner, graph)}
        return [*near, *sorted(far - {path, *near})][:_MOST_IMPORTERS]

    def is_imported(self, path: str) -> bool:
        """Whether another file of the same package, or folder, imports a file."""
        return os.path.isabs(path) and not self._importers_of(path, self._graph_of(path)) <= {path}

    def _graph_of(self, path: str) -> Importers:
        folder = _top_folder(os.path.dirname(path))
        if folder not in self._graphs:
            self._graphs[folder] = self._read_imports(folder)
        return self._graphs[folder]

    def _read_imports(self, folder: str) -> Importers:
        graph: Importers = {}
        for path in _python_files(folder):
            try:
                with open(path, "rb") as file:
                    text = file.read()
            except OSError:
                continue
            self._keep(path, text)
            for imported, name in _files_imported(text, path):
                graph.setdefault(imported, {}).setdefault(name, set()).add(path)
        return graph

    def _keep(self, path: str, text: bytes) -> None:
        if self._kept + len(text) <= _MOST_KEPT:
            self._kept += len(text)
            self._texts[path] = text

    def take_text(self, path: str) -> bytes | None:
        """The bytes of a file that was read for its imports; None for any other. They are given once."""
        text = self._texts.pop(path, None)
        if text is not None:
            self._kept -= len(text)
        return text

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


@cache
def _top_folder(folder: str) -> str:
    """The outermost package that a folder belongs to, else the root of the project, else the folder itself."""
    if not is_package(folder):
        return project_root(folder) or folder
    while is_package(folder) and is_package(os.path.dirname(folder)):
        folder = os.path.dirname(folder)
    return folder


def _files_imported(text: bytes, path: str) -> Iterator[tuple[str, str]]:
    """The files that a file imports, each with the name that is taken from there, if any."""
    for module, name, _ in imports(text, api.is_library):
        imported = file_of_import(module, path)
        if imported is not None:
            yield imported, name
        # What is taken from a package may be a module of its own.
        if name and (imported is None or imported.endswith("__init__.py")):
            member = file_of_import(member_name(module, name), path)
            if member is not None:
                yield member, ""


def _python_files(folder: str) -> Iterator[str]:
    """The Python files of a package with its subpackages, else those of a project that belong to no such package.

    Of a folder that is neither, those right in it.
    """
    of_package, of_project = is_package(folder), project_root(folder) == folder
    pending = [folder]
    while pending:
        with suppress(OSError), os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    inside = of_project and not is_package(entry.path) and entry.name not in DEFAULT_EXCLUDE
                    pending += [entry.path] if of_package or inside else []
                # Reading a pipe would not end.
                elif entry.name.endswith(".py") and entry.is_file():
                    yield entry.path
