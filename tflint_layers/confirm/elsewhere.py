"""What the rest of a project shows about how a layer is used: its other files, and a record of its tests.

It is read before the layer runs, so that what is known about a layer is part of the question. Standard library only.
"""

from __future__ import annotations

import itertools
import json
import os
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from tflint_layers.confirm import found
from tflint_layers.confirm.recipe import Recipe

_MOST_FILES, _MOST_BYTES, _MOST_SHOWN = 2000, 400_000, 12

Shown = Mapping[str, Any]
"""A recipe as JSON: ``layer``, ``inputs``, ``keywords``, ``imports``, ``origin``."""


class UnreadableRecord(Exception):  # noqa: N818 - says what is wrong
    """A record of tests that is none; the message says why."""


class Elsewhere:
    """Looks for uses of layers outside of their own files; ``recorded`` is what ``pytest --tflint-record`` wrote."""

    def __init__(self, recorded: str | None = None) -> None:
        self._recorded = _read_record(recorded) if recorded else {}

    def of(self, path: str, layer: str | None) -> tuple[Shown, ...]:
        """Uses of a layer in the other files of its project and in the record, best first."""
        if layer is None:
            return ()
        shown = itertools.islice(_in_files(path, layer.rpartition(".")[2]), _MOST_SHOWN)
        return (*shown, *self._recorded.get(_place(path, layer), ()))


def _place(path: str, layer: str) -> tuple[str, str]:
    return os.path.realpath(path), layer


def _in_files(path: str, name: str) -> Iterator[Shown]:
    for other, text in _texts_that_mention(Path(path), name):
        if (code := found.code_of_other(other, text)) is not None:
            for recipe in _recipes_in(code, name):
                yield {
                    "layer": recipe.layer,
                    "inputs": list(recipe.inputs),
                    "keywords": [list(pair) for pair in recipe.keywords],
                    "imports": list(recipe.imports),
                    "origin": recipe.origin,
                }


def _recipes_in(code: found.Code, name: str) -> list[Recipe]:
    try:
        return list(found.recipes_in(code, name))
    except RecursionError:  # code that is nested too deeply shows nothing
        return []


def _texts_that_mention(path: Path, name: str) -> Iterator[tuple[Path, bytes]]:
    """Files of the same project with the name in them, tests and neighbours first."""
    if not path.is_file():
        return
    word = re.compile(rf"\b{re.escape(name)}\b".encode())
    texts = _project_texts(path.parent)
    near = sorted(
        texts,
        key=lambda other: (
            path.stem not in other.stem,
            not found.is_test(other),
            other.parent != path.parent,
            other,
        ),
    )
    yield from ((other, texts[other]) for other in near if other != path and word.search(texts[other]))


@lru_cache(maxsize=8)
def _project_texts(folder: Path) -> Mapping[Path, bytes]:
    """The Python files of the package that a folder belongs to, and of the tests around it."""
    top = folder
    while (top / "__init__.py").is_file():
        top = top.parent
    package = () if top == folder else _walk(top / folder.relative_to(top).parts[0])
    around = (place / name for place in dict.fromkeys((folder, top, top.parent)) for name in ("tests", "test"))
    tests = itertools.chain.from_iterable(_walk(place) for place in around if place.is_dir())
    texts: dict[Path, bytes] = {}
    for path in itertools.islice(itertools.chain(sorted(folder.glob("*.py")), tests, package), _MOST_FILES):
        try:
            if path not in texts and path.is_file() and path.stat().st_size <= _MOST_BYTES:
                texts[path] = path.read_bytes()
        except OSError:
            continue
    return texts


def _walk(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "_")))
        yield from (Path(parent, name) for name in sorted(names) if name.endswith(".py"))


def _read_record(path: str) -> dict[tuple[str, str], list[Shown]]:
    try:
        content = json.loads(Path(path).read_bytes())
        entries = content["tflint-layers record"]
        base = Path(path).resolve().parent
        uses: dict[tuple[str, str], list[Shown]] = {}
        for entry in entries:
            place = _place(str(base / entry["path"]), entry["class"])
            uses.setdefault(place, []).append({**entry["use"], "origin": "recorded"})
    except OSError as error:
        why = error.strerror or error
        raise UnreadableRecord(f"{path}: {why}; `pytest --tflint-record` writes such a file") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableRecord(f"{path}: this is no record that pytest --tflint-record wrote") from error
    return uses
