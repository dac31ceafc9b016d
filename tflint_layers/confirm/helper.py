"""Loads a file that a layer needs with another text than is on disk, to try a fix in it. Standard library only."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import os
import sys
import types
from collections.abc import Sequence

from tflint_layers.confirm.module_slice import remember_source


class HelperText(importlib.abc.MetaPathFinder):
    """A text in the place of a file, for all that is imported while it is in use.

    Modules of the same project that were imported before hold what they took from the file as it was: they are
    imported again. ``known`` are the names of the modules that are none of the project's.
    """

    def __init__(self, path: str, text: str, known: frozenset[str]) -> None:
        self._path, self._text, self._known = path, text, known
        self._folder = _top_folder(path) + os.sep
        self._modules: dict[str, types.ModuleType] = {}

    def use(self) -> None:
        """Let imports find the text; modules that were imported while it was in use before are there again."""
        for finder in [finder for finder in sys.meta_path if isinstance(finder, HelperText)]:
            finder.put_away()
        sys.modules.update(self._modules)
        remember_source(self._path, self._text)
        sys.meta_path.insert(0, self)

    def put_away(self) -> None:
        """Take the modules of the project out of those that are imported."""
        sys.meta_path.remove(self)
        own = {name: module for name, module in sys.modules.items() if self._is_own(name, module)}
        self._modules = own
        for name in own:
            del sys.modules[name]

    def _is_own(self, name: str, module: types.ModuleType) -> bool:
        path = getattr(module, "__file__", None) or ""
        return name not in self._known and path.endswith(".py") and path.startswith(self._folder)

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The module of the file, with the other text."""
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is None or spec.origin is None or os.path.abspath(spec.origin) != self._path:
            return None
        spec.loader = _TextLoader(name, self._path, self._text)
        return spec


class _TextLoader(importlib.machinery.SourceFileLoader):
    def __init__(self, name: str, path: str, text: str) -> None:
        super().__init__(name, path)
        self._text = text

    def get_code(self, fullname: str) -> types.CodeType:
        code: types.CodeType = self.source_to_code(self._text, self.path)
        return code


def _top_folder(path: str) -> str:
    """The folder around the outermost package that holds a file."""
    folder = os.path.dirname(path)
    while os.path.isfile(os.path.join(folder, "__init__.py")):
        folder = os.path.dirname(folder)
    return folder
