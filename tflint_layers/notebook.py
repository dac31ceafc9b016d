"""Jupyter notebooks as one Python module, and back: cells become text, nothing else of the JSON is touched."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tflint_layers.cells import BLOCK, BOUNDARY, boundary
from tflint_layers.source import Source, UnreadableSource

_LINE = re.compile(r"[^\n]*\n")
_CONTINUED_LINES = re.compile(r"(?:[^\n]*\\\n)*[^\n]*\n")
_LINES_OF_LIST = re.compile(r"[^\n]*\n|[^\n]+")
_LINE_END = re.compile(r"\r\n|\r|\n")
_MAGIC = re.compile(r"(\s*)(?:[%!?]|[\w.]+\?\??\s*$|[\w, ]+=\s*[%!])")
_BLANKED = re.compile(r'(?:pass|"\w+=\w+")  # tflint-layers: magic (\d+)$', re.MULTILINE)
_ENVIRONMENT = re.compile(r"%(?:set_)?env\s+(\w+)[ =]\s*(\w+)\s*$")

# Cell magics whose cell is Python all the same.
_PYTHON_CELLS = frozenset({"%%capture", "%%prun", "%%time", "%%timeit"})

_AUTOMAGIC_NAMES = (
    "alias cat cd clear conda cp env history less ll load ls mamba man matplotlib mkdir more mv pip pwd pycat pylab "
    "reset rm rmdir run time timeit uv who whos"
)
_AUTOMAGIC = frozenset(_AUTOMAGIC_NAMES.split())

_LAYOUTS: tuple[dict[str, Any], ...] = tuple(
    {"indent": indent, "ensure_ascii": escaped, "separators": separators}
    for indent in (1, 2, 4, None)
    for escaped in (False, True)
    for separators in ((",", ": "), (", ", ": "), (",", ":"))
)


@dataclass(frozen=True)
class Notebook:
    """The code cells of a notebook as ``code``; ``cells`` gives the number and the first line of each."""

    content: dict[str, Any]
    text: str
    code: str
    cells: tuple[tuple[int, int], ...]
    magics: tuple[str, ...]

    @classmethod
    def from_bytes(cls, data: bytes) -> Notebook:
        """Read a notebook.

        Raises:
            UnreadableSource: the bytes are no notebook.
        """
        try:
            text = data.decode("utf-8")
            content = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise UnreadableSource(f"no valid notebook: {error}", getattr(error, "lineno", 1)) from error
        if not isinstance(content, dict) or not isinstance(content.get("cells"), list):
            raise UnreadableSource("no valid notebook: it has no list of cells")
        pieces: list[str] = []
        cells: list[tuple[int, int]] = []
        magics: list[str] = []
        line = 1
        for number, cell in _code_cells(content):
            pieces += _pieces(number, _text(cell), magics)
            cells.append((number, line + 1))
            line += 1 + len(_LINE_END.findall(pieces[-1]))
        return cls(content, text, "".join(pieces), tuple(cells), tuple(magics))

    def place(self, line: int) -> tuple[int, int]:
        """The cell number, and the line within it, of a line of ``code``."""
        before = [cell for cell in self.cells if cell[1] <= line] or [self.cells[0]]
        number, first = before[-1]
        return number, max(line - first + 1, 1)

    def with_code(self, code: str) -> bytes | None:
        """The notebook with its cells taken from the changed ``code``; None where its layout would not survive."""
        layout = self._layout()
        if layout is None:
            return None
        content = json.loads(self.text)
        parts = BOUNDARY.split(code)
        changed = dict(zip(map(int, parts[1::2]), parts[2::2], strict=True))
        changed[self.cells[0][0]] = parts[0] + changed[self.cells[0][0]]
        for number, cell in _code_cells(content):
            before = _text(cell)
            after = self.as_written(changed[number])
            after = after if before.endswith("\n") else after.removesuffix("\n")
            if after != before:
                cell["source"] = _LINES_OF_LIST.findall(after) if isinstance(cell["source"], list) else after
        return _dump(content, layout, self.text).encode()

    def as_written(self, code: str) -> str:
        """Some of the code with the magics, and what else stands in cells that is no Python, back in their places."""
        return _BLANKED.sub(lambda found: self.magics[int(found[1])], code)

    def _layout(self) -> dict[str, Any] | None:
        """How the file was written: the way to write it that gives its very bytes."""
        return next((layout for layout in _LAYOUTS if _dump(self.content, layout, self.text) == self.text), None)


def _dump(content: dict[str, Any], layout: dict[str, Any], original: str) -> str:
    ending = original[len(original.rstrip()) :]
    return json.dumps(content, **layout) + ending


def _code_cells(content: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The code cells with their 1-based numbers; none in a notebook of another language."""
    metadata = content.get("metadata")
    language = metadata.get("language_info") if isinstance(metadata, dict) else None
    if isinstance(language, dict) and language.get("name", "python") != "python":
        return
    for number, cell in enumerate(content["cells"], 1):
        if isinstance(cell, dict) and cell.get("cell_type") == "code" and isinstance(cell.get("source"), str | list):
            yield number, cell


def _text(cell: dict[str, Any]) -> str:
    source = cell["source"]
    return source if isinstance(source, str) else "".join(part for part in source if isinstance(part, str))


def _python(text: str, magics: list[str]) -> str:
    """The text of a cell with a last line ending, and code that does nothing for its magics (kept in ``magics``)."""
    text = text if not text or text.endswith("\n") else text + "\n"
    if _error(text) is None:
        return text
    words = text.split()
    first = words[0] if words else ""
    foreign = first.startswith("%%") and first not in _PYTHON_CELLS
    # IPython takes the only line of a cell for a magic that is written without its `%`.
    foreign = foreign or (first in _AUTOMAGIC and len(text.strip().splitlines()) == 1)
    pieces: list[str] = []
    for statement in _CONTINUED_LINES.findall(text):
        magic = _MAGIC.match(statement)
        if foreign or magic:
            indent = magic[1] if magic and not foreign else ""
            pieces += [_blank(line, indent, magics) for line in _LINE.findall(statement)]
        else:
            pieces.append(statement)
    return "".join(pieces)


def _pieces(number: int, text: str, magics: list[str]) -> tuple[str, str]:
    """The line above a cell and its code, which does nothing where the cell is no Python."""
    code = _python(text, magics)
    error = _error(code)
    if error is None:
        return boundary(number), code
    if code.lstrip("\n")[:1] in {" ", "\t"} and _error(f"{BLOCK}\n{code}") is None:
        return boundary(number, block=True), code
    lines = _LINE.findall(text if text.endswith("\n") else text + "\n")
    return boundary(number, error=error), "".join(_blank(line, "", magics) for line in lines)


def _blank(line: str, indent: str, magics: list[str]) -> str:
    """A line in the place of a magic, whose number it gives; what the environment is set to stays in sight."""
    magics.append(line.rstrip("\n")[len(indent) :])
    setting = _ENVIRONMENT.match(magics[-1])
    code = f'"{setting[1]}={setting[2]}"' if setting else "pass"
    return f"{indent}{code}  # tflint-layers: magic {len(magics) - 1}\n"


def _error(text: str) -> UnreadableSource | None:
    """Why a text is no Python; None where it is."""
    try:
        Source("", b"", text, "utf-8", 0).check()
    except UnreadableSource as error:
        return error
    return None
