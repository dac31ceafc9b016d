"""Which other files of the project a file imports, by their text. Standard library only; nothing is imported."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from tflint_layers.modules import file_of_module, imported_names, is_package, module_name, project_root


class Neighbours:
    """Reads each file of a project once."""

    def __init__(self, roots: Sequence[str]) -> None:
        self._roots = roots
        self._digests: dict[Path, str] = {}
        self._imports: dict[Path, tuple[Path, ...]] = {}

    def of(self, path: str, text: str) -> tuple[tuple[str, str], ...]:
        """The files that running ``text``, a part of the file ``path``, may import, with digests of their content.

        The packages around a file are imported with it.
        """
        home = Path(path)
        found: dict[Path, str] = {}
        todo = [*_packages(home), *self._imported(home, text.encode())]
        while todo:
            file = todo.pop()
            if file not in found and file != home:
                found[file] = self._read(file)
                todo += self._imports[file]
        return tuple(sorted((str(file), digest) for file, digest in found.items()))

    def _read(self, file: Path) -> str:
        if file not in self._digests:
            data = file.read_bytes()
            self._digests[file] = hashlib.sha256(data).hexdigest()
            self._imports[file] = (*_packages(file), *self._imported(file, data))
        return self._digests[file]

    def _imported(self, path: Path, text: bytes) -> Iterator[Path]:
        """The files that import statements may read: of modules, and of the packages around them."""
        top, _ = module_name(str(path))
        project = project_root(str(path.parent))
        everywhere = dict.fromkeys(
            [str(path.parent), top or str(path.parent), *([project] if project else []), *self._roots]
        )
        for dotted in {dotted for dotted, _ in imported_names(text, lambda name: False)}:
            bare = dotted.lstrip(".")
            level = len(dotted) - len(bare)
            if level > len(path.parents):
                continue
            for stem in [str(path.parents[level - 1])] if level else everywhere:
                yield from _files_below(stem, bare.split("."))


def _files_below(stem: str, parts: Sequence[str]) -> Iterator[Path]:
    for part in parts:
        stem = os.path.join(stem, part)
        if (file := file_of_module(stem)) is not None:
            yield Path(file)


def _packages(path: Path) -> Iterator[Path]:
    """The files of the packages around a file."""
    for folder in path.parents:
        if not is_package(str(folder)):
            return
        yield folder / "__init__.py"
