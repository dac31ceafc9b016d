"""How the user wants to be linted: ``[tool.tflint-layers]`` of the nearest ``pyproject.toml``."""

from __future__ import annotations

import difflib
import fnmatch
import math
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path, PurePath
from typing import Any

from tflint_layers.notices import FILE_NOT_READABLE
from tflint_layers.project import NEWEST_KERAS, installed_keras, keras_of_project, read_toml

UNREADABLE = FILE_NOT_READABLE.code

BOTH = (2, 3)
CACHE = ".tflint_layers_cache"

DEFAULT_EXCLUDE = (
    ".bzr",
    ".direnv",
    ".eggs",
    ".git",
    ".hg",
    ".ipynb_checkpoints",
    ".mypy_cache",
    ".nox",
    ".pytest_cache",
    ".ruff_cache",
    ".svn",
    CACHE,
    ".tox",
    ".venv",
    "__pycache__",
    "build",
    "dist",
    "node_modules",
    "site-packages",
    "venv",
)


class SettingsError(Exception):
    """The user's configuration or selection cannot be used; the message says what is wrong, where, and what to do."""


@dataclass(frozen=True)
class Settings:
    """What selects rules, and how findings are made, confirmed and fixed.

    ``keras=None`` means: find out from the file; ``project_keras`` answers where the file does not say.
    ``also_keras`` is a second version that the command line is to ask about.
    ``file_ignore`` is what ``per_file_ignores`` says about the file at hand, see `for_file`.
    Patterns, ``python`` and ``recorded`` are relative to ``root``, the folder of the configuration.
    """

    select: tuple[str, ...] = ("ALL",)
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    preview: bool = False
    keras: int | None = None
    also_keras: int | None = None
    layer_bases: tuple[str, ...] = ()
    project_keras: int = NEWEST_KERAS
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    file_ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = DEFAULT_EXCLUDE
    extend_exclude: tuple[str, ...] = ()
    unfixable: tuple[str, ...] = ()
    extend_safe_fixes: tuple[str, ...] = ()
    python: str | None = None
    confirm_timeout: float = 20.0
    confirm_memory_mb: int = 4096
    recorded: str | None = None
    examples: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, hash=False)
    root: Path | None = None

    def selects(self, code: str, name: str, preview_rule: bool = False) -> bool:
        """Whether a rule is on. The selector that says most wins, and ignoring wins a tie; a preview rule needs
        ``preview`` or to be named in full. That a file cannot be read is always said, unless ignored in full.
        """
        selected = max(_weights(self.select + self.extend_select, code, name), default=-1)
        ignored = max(_weights(self.ignore, code, name), default=-1)
        if matches(self.file_ignore, code, name):
            return False
        if code == UNREADABLE:
            return ignored < len(code)
        if preview_rule and not self.preview and selected < len(code):
            return False
        return selected > ignored

    def fixes(self, code: str, name: str) -> bool:
        """Whether the user lets a rule change files."""
        return not matches(self.unfixable, code, name)

    def trusts(self, code: str, name: str) -> bool:
        """Whether the user takes the unsafe fixes of a rule for safe."""
        return matches(self.extend_safe_fixes, code, name)

    def for_file(self, path: str) -> Settings:
        """The same settings with ``per-file-ignores`` applied."""
        ignored = tuple(
            selector
            for pattern, selectors in self.per_file_ignores
            if path_matches(pattern, path, self.root)
            for selector in selectors
        )
        return replace(self, file_ignore=ignored) if ignored else self

    def excludes(self, path: str) -> bool:
        """Whether a folder or file is left out when folders are walked."""
        relative = _relative(path, self.root)
        return any(map(self._excluded.match, (relative.name, relative.as_posix())))

    @cached_property
    def _excluded(self) -> re.Pattern[str]:
        """The patterns as one, since a walk asks about each entry of each folder."""
        patterns = (shape for pattern in self.exclude + self.extend_exclude for shape in _shapes(pattern))
        return re.compile("|".join(map(fnmatch.translate, patterns)) or r"(?!)")

    def with_selection(
        self, select: tuple[str, ...] | None, extend_select: tuple[str, ...], ignore: tuple[str, ...]
    ) -> Settings:
        """The same settings with the command line's selection, which outranks the file's."""
        if select is not None:
            return replace(self, select=select, extend_select=extend_select, ignore=ignore)
        return replace(
            self,
            select=_without(self.select, ignore),
            extend_select=_without(self.extend_select, ignore) + extend_select,
            ignore=_without(self.ignore, extend_select) + ignore,
        )

    def check_selectors(self, rules: Mapping[str, str]) -> None:
        """Raise for a selector that means none of the ``rules`` (name by code).

        Raises:
            SettingsError: names the selector and the nearest that exists.
        """
        per_file = (("per-file-ignores", selectors) for _, selectors in self.per_file_ignores)
        for key, selectors in (
            ("select", self.select),
            ("extend-select", self.extend_select),
            ("ignore", self.ignore),
            ("unfixable", self.unfixable),
            ("extend-safe-fixes", self.extend_safe_fixes),
            *per_file,
        ):
            for selector in selectors:
                if selector != "ALL" and selector not in rules.values() and not _is_prefix(selector, rules):
                    hint = nearest(selector, [*rules, *rules.values()])
                    raise SettingsError(f"{key}: no rule is called `{selector}`{hint}; --list-rules shows them all")


class Configuration:
    """Finds the settings of each file; every folder is looked at once."""

    def __init__(self, config: Path | None = None, *, isolated: bool = False) -> None:
        self._isolated = isolated
        self._config = config
        self._by_folder: dict[Path, Settings] = {}
        self._by_file: dict[Path, Settings] = {}

    def settings_for(self, path: str | os.PathLike[str]) -> Settings:
        """The settings for a file or for the walk of a folder.

        Raises:
            SettingsError: the configuration cannot be used.
        """
        folder = Path(os.path.abspath(path))
        if not folder.is_dir():
            folder = folder.parent
        if folder not in self._by_folder:
            self._by_folder[folder] = self._find(folder)
        return self._by_folder[folder]

    def _find(self, folder: Path) -> Settings:
        keras = (None if self._isolated else keras_of_project(folder)) or installed_keras() or NEWEST_KERAS
        return replace(self._configured(folder), project_keras=keras)

    def _configured(self, folder: Path) -> Settings:
        if self._isolated:
            return Settings()
        if self._config is not None:
            return self._read(self._config) or Settings(root=self._config.absolute().parent)
        for parent in (folder, *folder.parents):
            pyproject = parent / "pyproject.toml"
            if pyproject.is_file() and (settings := self._read(pyproject)):
                return settings
        return Settings()

    def _read(self, path: Path) -> Settings | None:
        if path not in self._by_file:
            settings = read_settings(path)
            if settings is None:
                return None
            self._by_file[path] = settings
        return self._by_file[path]


def read_settings(path: Path) -> Settings | None:
    """The settings in a ``pyproject.toml``; None when it has no ``[tool.tflint-layers]``.

    Raises:
        SettingsError: the file cannot be read, is no TOML, or has a key or value that means nothing.
    """
    try:
        content = read_toml(path)
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise SettingsError(f"{path}: no valid TOML: {error}") from error
    tool = content.get("tool")
    if not isinstance(tool, dict) or "tflint-layers" not in tool:
        return None
    table = tool["tflint-layers"]
    if not isinstance(table, dict):
        raise SettingsError(f"{path}: `tool.tflint-layers` must be a table")
    return settings_of_table(table, path)


def settings_of_table(table: Mapping[str, Any], path: Path) -> Settings:
    """The settings that a ``[tool.tflint-layers]`` table of the file ``path`` spells out.

    Raises:
        SettingsError: a key that does not exist, or a value of the wrong type.
    """
    root = path.absolute().parent
    values: dict[str, Any] = {"root": root}
    for key, value in table.items():
        if key not in _KEYS:
            raise SettingsError(f"{path}: [tool.tflint-layers] has no key `{key}`{nearest(key, _KEYS)}")
        expected, read = _KEYS[key]
        try:
            values[key.replace("-", "_")] = read(value)
        except ValueError as error:
            detail = f" ({error})" if str(error) else ""
            raise SettingsError(f"{path}: `{key}` must be {expected}, not {value!r}{detail}") from error
    if python := values.get("python"):
        values["python"] = _interpreter(python, root)
    if values.get("keras") == BOTH:
        values |= dict(zip(("also_keras", "keras"), BOTH, strict=True))
    if recorded := values.get("recorded"):
        values["recorded"] = str(root / recorded)
    return Settings(**values)


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of an error message that names what the user may have meant."""
    close = difflib.get_close_matches(word.lower(), {item.lower(): item for item in known}, n=1, cutoff=0.5)
    found = {item.lower(): item for item in known}
    return f" (did you mean `{found[close[0]]}`?)" if close else ""


def matches(selectors: Iterable[str], code: str, name: str) -> bool:
    """Whether any selector (code, prefix of a code, rule name, ``ALL``) means the rule."""
    return any(True for _ in _weights(selectors, code, name))


def path_matches(pattern: str, path: str, root: Path | None) -> bool:
    """Whether a pattern means a path or a folder above it: by its name, or by its path relative to ``root``."""
    relative = _relative(path, root)
    return any(
        fnmatch.fnmatchcase(part.as_posix(), shape) or fnmatch.fnmatchcase(part.name, shape)
        for part in (relative, *relative.parents)
        if part.name
        for shape in _shapes(pattern)
    )


def _relative(path: str, root: Path | None) -> PurePath:
    absolute = PurePath(os.path.abspath(path))
    base = root or PurePath(os.getcwd())
    return absolute.relative_to(base) if absolute.is_relative_to(base) else absolute


def _shapes(pattern: str) -> set[str]:
    """What a pattern means to `fnmatch`, for which ``**/`` would need at least one folder."""
    pattern = pattern.removeprefix("./").rstrip("/")
    return {pattern, pattern.replace("**/", "")}


def _weights(selectors: Iterable[str], code: str, name: str) -> Iterable[int]:
    """How much each selector that means the rule says about it."""
    for selector in selectors:
        if selector == "ALL":
            yield 0
        elif selector == name:
            yield len(code)
        elif code.startswith(selector):
            yield len(selector)


def _without(selectors: tuple[str, ...], taken: tuple[str, ...]) -> tuple[str, ...]:
    """The selectors that do not say more about a rule than one of those ``taken``."""
    return tuple(s for s in selectors if not any(t == s or (t != "ALL" and s.startswith(t)) for t in taken))


def _is_prefix(selector: str, codes: Iterable[str]) -> bool:
    return bool(selector) and any(code.startswith(selector) for code in codes)


def _interpreter(python: str, root: Path) -> str:
    """A path is relative to the configuration's folder; a bare command name is looked up in PATH."""
    return python if os.path.dirname(python) == "" else str(root / python)


def _strings(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError
    return tuple(value)


def _string(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError
    return value


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise ValueError
    return float(value)


def _megabytes(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        raise ValueError
    return value


def _keras(value: object) -> int | tuple[int, int] | None:
    if value == "2,3":
        return BOTH
    if isinstance(value, bool) or str(value) not in {"auto", "2", "3"}:
        raise ValueError
    return None if value == "auto" else int(str(value))


def _per_file(value: object) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if not isinstance(value, dict):
        raise ValueError
    return tuple((pattern, _strings(selectors)) for pattern, selectors in value.items())


def _examples(value: object) -> dict[str, dict[str, Any]]:
    if not isinstance(value, dict):
        raise ValueError
    for layer, example in value.items():
        if not isinstance(example, dict):
            raise ValueError(f"`{layer}` is no table")
        for key, part in example.items():
            if key not in _EXAMPLE:
                raise ValueError(f"`{layer}` has no key `{key}`{nearest(key, _EXAMPLE)}")
            if not isinstance(part, _EXAMPLE[key]):
                raise ValueError(f"`{key}` of `{layer}` must be a {_EXAMPLE[key].__name__}")
    return value


_EXAMPLE: dict[str, type] = {"init": str, "inputs": list, "call": dict}

_KEYS: dict[str, tuple[str, Callable[[object], object]]] = {
    "select": ("a list of strings", _strings),
    "extend-select": ("a list of strings", _strings),
    "ignore": ("a list of strings", _strings),
    "per-file-ignores": ("a table of lists of strings", _per_file),
    "exclude": ("a list of strings", _strings),
    "extend-exclude": ("a list of strings", _strings),
    "keras": ('"auto", 2, 3 or "2,3"', _keras),
    "preview": ("true or false", _boolean),
    "unfixable": ("a list of strings", _strings),
    "extend-safe-fixes": ("a list of strings", _strings),
    "python": ("the path of an interpreter", _string),
    "confirm-timeout": ("a positive number of seconds", _seconds),
    "confirm-memory-mb": ("a positive whole number", _megabytes),
    "recorded": ("the path of a file that pytest --tflint-record wrote", _string),
    "layer-bases": ("a list of strings", _strings),
    "examples": ("a table of examples with `init`, `inputs` and `call`", _examples),
}
