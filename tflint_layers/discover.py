"""From the paths that the user gives to the files that are linted."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tflint_layers.settings import Configuration

SUFFIXES = (".py", ".pyi", ".ipynb")
STDIN = "-"


@dataclass(frozen=True)
class Discovery:
    """The files to lint, sorted and each once; ``problems``: what could not be looked at; ``notes``: what to tell."""

    files: tuple[str, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]


def discover(paths: Iterable[str], configuration: Configuration) -> Discovery:
    """Walk the folders among ``paths``; a file that is named is taken whatever it is called.

    Raises:
        SettingsError: the configuration of a folder cannot be used.
    """
    files: set[str] = set()
    problems: list[str] = []
    notes: list[str] = []
    for path in paths:
        if path == STDIN:
            files.add(path)
        elif os.path.isdir(path):
            found = set(_walk(os.path.normpath(path), configuration, problems))
            files |= found
            if not found:
                notes.append(f"{path}: no Python files found")
        elif os.path.isfile(path):
            files.add(os.path.normpath(path))
        elif os.path.exists(path):
            problems.append(f"{path}: not a regular file; give what it holds as standard input, and - as the path")
        else:
            problems.append(f"{path}: no such file or folder")
    return Discovery(tuple(_once(files)), tuple(problems), tuple(notes))


def _once(paths: set[str]) -> list[str]:
    """The paths in order, each file once: with two names it would be reported, and fixed, twice. A link gives way."""
    names: dict[str, str] = {}
    real = {path: path if path == STDIN else os.path.realpath(path) for path in paths}
    for path in sorted(paths, key=lambda path: (real[path] != os.path.abspath(path), path)):
        names.setdefault(real[path], path)
    return sorted(names.values())


def _walk(folder: str, configuration: Configuration, problems: list[str]) -> Iterator[str]:
    """The Python files and notebooks below a folder that its settings do not exclude."""

    def report(error: OSError) -> None:
        problems.append(f"{error.filename}: cannot be read: {error.strerror}")

    for parent, folders, names in os.walk(folder, onerror=report):
        settings = configuration.settings_for(parent)
        folders[:] = [name for name in sorted(folders) if not settings.excludes(os.path.join(parent, name))]
        for name in names:
            path = os.path.normpath(os.path.join(parent, name))
            if name.endswith(SUFFIXES) and not settings.excludes(path) and _is_regular(path):
                yield path


def _is_regular(path: str) -> bool:
    """Whether reading the path ends: a pipe called ``x.py`` does not. A dangling link is reported as unreadable."""
    return os.path.isfile(path) or os.path.islink(path)
