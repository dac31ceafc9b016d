"""What stands behind a path: the bytes on disk, the Python code in them, and the way from one to the other."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from tflint_layers.notebook import Notebook
from tflint_layers.source import Source, UnreadableSource

_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class Place:
    """A place as the user sees it: ``cell`` is the number of the notebook cell in which ``line`` counts."""

    cell: int | None
    line: int
    column: int


@dataclass(frozen=True)
class Document:
    """A file or notebook. Findings and edits are about ``code``, which is ``data`` itself but for notebooks."""

    path: str
    data: bytes
    code: bytes
    notebook: Notebook | None = None

    @classmethod
    def of(cls, data: bytes, path: str) -> Document:
        """Read what a file holds.

        Raises:
            UnreadableSource: a notebook that is none.
        """
        if not path.endswith(".ipynb"):
            return cls(path, data, data)
        notebook = Notebook.from_bytes(data)
        return cls(path, data, notebook.code.encode(), notebook)

    @cached_property
    def source(self) -> Source | None:
        """The decoded code, unless it cannot be decoded."""
        try:
            return Source.from_bytes(self.code, self.path)
        except UnreadableSource:
            return None

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the code as the user sees them, none where it cannot be decoded."""
        lines = self.source.lines if self.source else []
        if self.notebook is None:
            return lines
        # What stands in a cell that is no Python may be no text either.
        return [self.notebook.as_written(line).encode("utf-8", "replace").decode() for line in lines]

    def place(self, line: int, column: int) -> Place:
        """Where the user finds a line of the code."""
        if self.notebook is None or not self.notebook.cells:
            return Place(None, line, column)
        cell, line = self.notebook.place(line)
        return Place(cell, line, column)

    def place_of_offset(self, offset: int) -> Place:
        """Where the user finds a byte of the code."""
        source = self.source
        if source is None:
            return self.place(1, 1)
        before = self.code[source.bom : offset].decode(source.encoding, errors="replace")
        ends = [match.end() for match in _LINE_END.finditer(before)]
        return self.place(len(ends) + 1, len(before) - (ends[-1] if ends else 0) + 1)

    def with_code(self, code: bytes) -> bytes | None:
        """The bytes of the file with its code replaced; None for a notebook that cannot be written back."""
        return code if self.notebook is None else self.notebook.with_code(code.decode())
