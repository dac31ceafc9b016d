"""Bytes of a file, decoded once, with a way back from syntax-tree positions to bytes and to characters."""

from __future__ import annotations

import ast
import codecs
import io
import os
import re
import stat
import symtable
import sys
import tokenize
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property


@cache
def _real_folder(folder: str) -> str:
    """A folder without symbolic links; asked for each of its files otherwise."""
    return os.path.realpath(folder)


# A first line that ends the work of the compiler right behind the parser, a fifth sooner (measured), and what it then
# says. All else that it says is told from the text itself.
_STOPPING = "from __future__ import parsed\n"
_STOPPED = "future feature parsed is not defined"
# The edge of a name in code.
_WORD_EDGE = re.compile(r"\b")


def _encoding(data: bytes) -> str:
    """The encoding that Python reads a file with; SyntaxError where it knows none of that name."""
    behind_second = data.find(b"\n", data.find(b"\n") + 1)
    head = data if behind_second < 0 else data[:behind_second]
    # Asking the tokenizer takes ten times as long, and most files neither name an encoding nor start with a mark.
    if b"coding" not in head and not data.startswith(codecs.BOM_UTF8):
        return "utf-8"
    return tokenize.detect_encoding(io.BytesIO(data).readline)[0]


class UnreadableSource(Exception):  # noqa: N818 - what it says is wrong with the file, not with us
    """The bytes are no Python file; the message says why, ``line`` and ``column`` (1-based) say where."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


@dataclass(frozen=True)
class Position:
    """1-based line and column, counted in characters."""

    line: int
    column: int


@dataclass(frozen=True)
class Source:
    """A decoded file. ``text`` keeps the line endings of the file; a byte order mark is not part of it."""

    path: str
    data: bytes
    text: str
    encoding: str
    bom: int

    def __hash__(self) -> int:
        """A number that does not take reading the whole text."""
        return hash((self.path, len(self.data)))

    @classmethod
    def from_bytes(cls, data: bytes, path: str = "<string>") -> Source:
        """Decode as Python does (byte order mark, coding line, else UTF-8).

        Raises:
            UnreadableSource: NUL bytes, an unknown encoding, or bytes that the encoding does not allow.
        """
        if b"\0" in data:
            raise UnreadableSource("source code cannot contain NUL bytes", data[: data.index(b"\0")].count(b"\n") + 1)
        try:
            encoding = _encoding(data)
        except SyntaxError as error:
            raise UnreadableSource(str(error)) from error
        bom = 3 if encoding == "utf-8-sig" else 0
        encoding = "utf-8" if bom else encoding
        try:
            text = data[bom:].decode(encoding)
        except UnicodeDecodeError as error:
            line = data[bom:][: error.start].count(b"\n") + 1
            raise UnreadableSource(f"cannot decode as {encoding}: {error.reason}", line) from error
        return cls(path, data, text, encoding, bom)

    @cached_property
    def absolute_path(self) -> str:
        """The path that the file is known by; of a text that is no file, the name that it was given."""
        try:
            is_link = stat.S_ISLNK(os.lstat(self.path).st_mode)
        except (OSError, ValueError):
            return self.path
        folder, name = os.path.split(self.path)
        path = os.path.join(_real_folder(os.path.abspath(folder)), name)
        return os.path.realpath(path) if is_link else path

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree.

        Raises:
            UnreadableSource: the text is no valid Python, or nested too deeply to be read.
        """
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return ast.parse(self.text)
        except SyntaxError as error:
            # Another version may know more syntax.
            message = f"syntax error for Python {sys.version_info.major}.{sys.version_info.minor}: {error.msg}"
            raise UnreadableSource(message, error.lineno or 1, max(error.offset or 1, 1)) from error
        except (RecursionError, MemoryError, ValueError) as error:
            raise UnreadableSource(f"cannot be parsed: {error or type(error).__name__}") from error

    def check(self) -> None:
        """Raise UnreadableSource where the text is no valid Python; cheaper than making a tree of it."""
        if "tree" in vars(self):
            return
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                # By the name of a file, what is said would quote its first line, read from disk again.
                symtable.symtable(_STOPPING + self.text, "", "exec")
        except (SyntaxError, RecursionError, MemoryError, ValueError) as error:
            # Only the tree counts: some of what the compiler minds later, the parser does not.
            if not isinstance(error, SyntaxError) or error.msg != _STOPPED:
                self.tree  # noqa: B018

    @cached_property
    def lines(self) -> list[str]:
        """The lines as the parser counts them, each with its line ending."""
        return [*io.StringIO(self.text, newline=""), ""]

    def places_of(self, word: str) -> Iterator[int]:
        """Where a word stands in the text, in characters."""
        place = self.text.find(word)
        while place >= 0:
            yield place
            place = self.text.find(word, place + 1)

    def places_of_name(self, name: str) -> Iterator[int]:
        """Where a name stands in the text as a whole word, in characters."""
        # Compiling an expression for each name takes longer than all of this (measured).
        for place in self.places_of(name):
            if _WORD_EDGE.match(self.text, place) and _WORD_EDGE.match(self.text, place + len(name)):
                yield place

    def line_numbers(self, places: Iterable[int]) -> Iterator[int]:
        """The numbers of the lines, from 1, on which places stand that are in order."""
        line, counted = 1, 0
        for place in places:
            line += self._fed.count("\n", counted, place)
            counted = place
            yield line

    def before(self, place: int) -> str:
        """What stands before a place on its line."""
        return self.text[self._fed.rfind("\n", 0, place) + 1 : place]

    @cached_property
    def _fed(self) -> str:
        """The text with a line feed wherever a line ends for the parser, each character at its place."""
        return self.text.replace("\r\n", " \n").replace("\r", "\n") if "\r" in self.text else self.text

    @cached_property
    def _starts(self) -> list[int]:
        """Byte offset in the file at which each line starts."""
        starts, offset = [], self.bom
        for line in self.lines:
            starts.append(offset)
            offset += len(line.encode(self.encoding))
        return starts

    def position(self, line: int, utf8_column: int) -> Position:
        """The place that the syntax tree calls ``lineno``, ``col_offset``, in characters."""
        text = self.lines[line - 1]
        if not text.isascii():
            utf8_column = len(text.encode()[:utf8_column].decode(errors="replace"))
        return Position(line, utf8_column + 1)

    def offset(self, line: int, utf8_column: int) -> int:
        """Byte offset in the file of the place that the syntax tree calls ``lineno``, ``col_offset``."""
        text = self.lines[line - 1]
        column = self.position(line, utf8_column).column - 1
        return self._starts[line - 1] + len(text[:column].encode(self.encoding))

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """Byte range of a node in the file."""
        end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
        return self.offset(node.lineno, node.col_offset), self.offset(end_line, end_column)

    def segment(self, node: ast.expr | ast.stmt) -> str:
        """The text of a node as written."""
        start, end = self.span(node)
        return self.data[start:end].decode(self.encoding)
