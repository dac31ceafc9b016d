"""Which other files of the project a file imports, by their text. Standard library only; nothing is imported."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+([.\w]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n;#]*)|import[ \t]+([\w., \t]+))", re.MULTILINE
)


class Neighbours:
    """Reads each file of a project once."""

    def __init__(self, roots: Sequence[str]) -> None:
        self._roots = [Path(root) for root in roots]
        self._digests: dict[Path, str] = {}
        self._imports: dict[Path, tuple[Path, ...]] = {}

    def of(self, path: str, text: str) -> tuple[tuple[str, str], ...]:
        """The files that running ``text``, a part of the file ``path``, may import, with digests of their content.

        The packages around a file are imported with it.
        """
        home = Path(path)
        found: dict[Path, str] = {}
        todo = [*_packages(home), *self._imported(home, text)]
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
            self._imports[file] = (*_packages(file), *self._imported(file, data.decode(errors="replace")))
        return self._digests[file]

    def _imported(self, path: Path, text: str) -> Iterator[Path]:
        for match in _IMPORT.finditer(text):
            module, names, plain = match.groups()
            if plain is not None:
                for name in plain.split(","):
                    yield from self._files(path, name.split(" as ")[0].strip(), ())
            else:
                yield from self._files(path, module, re.findall(r"\w+", names))

    def _files(self, path: Path, module: str, names: Sequence[str]) -> Iterator[Path]:
        """The files of a module, of the packages around it, and of those ``names`` in it that are modules."""
        bare = module.lstrip(".")
        level = len(module) - len(bare)
        parts = bare.split(".") if bare else []
        for root in [path.parents[level - 1]] if 0 < level <= len(path.parents) else self._bases(path):
            if parts and not _is_there(root / parts[0]):
                continue
            folder = root
            for part in parts:
                folder /= part
                yield from _module_files(folder)
            yield from (file for name in names for file in _module_files(folder / name))

    def _bases(self, path: Path) -> list[Path]:
        top = path.parent
        while (top / "__init__.py").is_file():
            top = top.parent
        return list(dict.fromkeys([path.parent, top, *self._roots]))


def _packages(path: Path) -> Iterator[Path]:
    """The files of the packages around a file."""
    folder = path.parent
    while (init := folder / "__init__.py").is_file():
        yield init
        folder = folder.parent


def _is_there(module: Path) -> bool:
    return module.is_dir() or module.with_suffix(".py").is_file()


def _module_files(module: Path) -> Iterator[Path]:
    yield from (file for file in (module / "__init__.py", module.with_suffix(".py")) if file.is_file())
