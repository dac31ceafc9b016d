"""What import statements name, and which files they read: from names alone. Standard library only; nothing is run."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache

_IMPORTS = re.compile(rb"import\b[ \t]*(?P<names>\([^)]*\)|[^\r\n#;]+)")
_NAME = re.compile(r"(\w+|\*)(?:\s+as\s+(\w+))?")
# What only the root of a project holds.
_MARKS = frozenset(
    {"pyproject.toml", "setup.py", "setup.cfg", "requirements.txt", "environment.yml", "Pipfile", ".git"}
)
_FARTHEST_ROOT = 6
_MODULE = re.compile(r"([\w.]+)(?:\s+as\s+(\w+))?")


def bound_name(alias: ast.alias) -> str:
    """The local name that a part of an import statement binds: ``a`` for ``import a.b``."""
    return alias.asname or alias.name.partition(".")[0]


def absolute_name(node: ast.ImportFrom, package: str) -> str:
    """The dotted name of the module that a ``from`` import reads; it keeps its dots where they lead out of ``package``.

    ``package`` is the dotted name of the package that holds the importing module.
    """
    if not node.level:
        return node.module or ""
    parts = package.split(".") if package else []
    if len(parts) < node.level - 1 or not parts:
        return "." * node.level + (node.module or "")
    base = parts[: len(parts) - (node.level - 1)]
    return ".".join([*base, node.module] if node.module else base)


def imports(text: bytes, skip: Callable[[str], bool]) -> Iterator[tuple[str, str, str]]:
    """The import statements of a file, as its text tells: the module, the name taken from it, the name bound here.

    The name taken is empty for ``import a.b``. ``skip`` tells which modules are of no interest.
    """
    for match in _IMPORTS.finditer(text):
        words = text[text.rfind(b"\n", 0, match.start()) + 1 : match.start()].split()
        if not words:
            for module, local in _MODULE.findall(match["names"].decode("ascii", "replace")):
                if not skip(module):
                    yield module, "", local or module.partition(".")[0]
        elif len(words) == 2 and words[0] == b"from" and not skip(module := words[1].decode("ascii", "replace")):
            for name, local in _NAME.findall(match["names"].decode("ascii", "replace")):
                yield module, name, local or name


def member_name(module: str, name: str) -> str:
    """The dotted name of what a module, itself perhaps relative, has under a name."""
    return module + name if module.endswith(".") else f"{module}.{name}"


def imported_names(text: bytes, skip: Callable[[str], bool]) -> Iterator[tuple[str, str]]:
    """The modules that import statements may read, as their text tells, and the name each takes from there, if any.

    ``skip`` tells which modules are of no interest.
    """
    for module, name, _ in imports(text, skip):
        yield module, name
        if name:
            # The name may be a module of its own.
            yield member_name(module, name), ""


@cache
def is_package(folder: str) -> bool:
    """Whether a folder has an ``__init__.py``."""
    return os.path.isfile(os.path.join(folder, "__init__.py"))


@cache
def module_name(path: str) -> tuple[str | None, str]:
    """The folder that an import of this file starts from (None: there is no file), and the file's dotted name there."""
    stem = os.path.splitext(os.path.basename(path))[0]
    if not os.path.exists(path):
        return None, stem
    folder, packages = _packages_of(os.path.dirname(path))
    return folder, ".".join(packages if stem == "__init__" else (*packages, stem))


@cache
def _packages_of(folder: str) -> tuple[str, tuple[str, ...]]:
    """The folder around the outermost package that a folder belongs to, and the packages from there to the folder."""
    above, name = os.path.split(folder)
    if not is_package(folder) or above == folder:
        return folder, ()
    outermost, packages = _packages_of(above)
    return outermost, (*packages, name)


@cache
def project_root(folder: str) -> str | None:
    """The nearest folder, this one or one around it, that holds what projects have at their root."""
    for _ in range(_FARTHEST_ROOT):
        if not _MARKS.isdisjoint(_names_in(folder)):
            return folder
        folder = os.path.dirname(folder)
    return None


@cache
def _names_in(folder: str) -> frozenset[str]:
    try:
        return frozenset(os.listdir(folder))
    except OSError:
        return frozenset()


def file_of_import(dotted: str, importer: str) -> str | None:
    """The file of the project that a dotted name stands for when the file ``importer`` imports it.

    Folders without an ``__init__.py`` are packages too, as long as they are below the root of the project.
    """
    base, folder = _where(importer)
    return _file_from(base, folder, dotted) if base is not None and dotted else None


@cache
def _where(importer: str) -> tuple[str | None, str]:
    """The folders that absolute and relative imports of a file start from."""
    return module_name(importer)[0], os.path.dirname(importer)


@cache
def _file_from(base: str, folder: str, dotted: str) -> str | None:
    """As :func:`file_of_import`, for all files of a folder, whose absolute imports start from ``base``."""
    if dotted.startswith("."):
        inner = dotted.lstrip(".")
        above = [os.pardir] * (len(dotted) - len(inner) - 1)
        return _file_below(os.path.normpath(os.path.join(folder, *above)), inner)
    root = dotted.partition(".")[0]
    for start in (base, *_folders_around(base)):
        if root in (names := _names_in(start)) or root + ".py" in names:
            found = _file_below(start, dotted)
            if found is not None or start != base:
                return found
    named = _folder_above(base, root) if project_root(base) is None else None
    return _file_below(named, dotted) if named is not None else None


@cache
def _folder_above(folder: str, name: str) -> str | None:
    """The folder that holds the nearest folder with a name, of this one and those around it."""
    for _ in range(_FARTHEST_ROOT):
        above, own = os.path.split(folder)
        if own == name:
            return above
        folder = above
    return None


def named_root(path: str, imported: Iterable[str]) -> str | None:
    """The folder from which a file imports modules of its project, where nothing else marks that as the root of it.

    An import names a folder that the file is in, so that this is a package, with or without an ``__init__.py``.
    """
    folder = os.path.dirname(path)
    above = (_folder_above(folder, dotted.partition(".")[0]) for dotted in imported)
    return next((found for found in above if found is not None), None)


def _file_below(folder: str, dotted: str) -> str | None:
    return file_of_module(os.path.join(folder, dotted.replace(".", os.sep)) if dotted else folder)


@cache
def _folders_around(base: str) -> tuple[str, ...]:
    """The folders around one, up to the root of the project."""
    root = project_root(base)
    found = []
    while root is not None and base != root:
        base = os.path.dirname(base)
        found.append(base)
    return tuple(found)


@cache
def file_of_module(stem: str) -> str | None:
    """The file of the module or package whose path without an ending is ``stem``; as Python does, packages first."""
    folder, name = os.path.split(stem)
    names = _names_in(folder)
    if name in names and is_package(stem):
        return os.path.join(stem, "__init__.py")
    path = stem + ".py"
    return path if name + ".py" in names and os.path.isfile(path) else None
