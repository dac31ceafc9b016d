"""The comments above the cells of a notebook in its code, with which linting learns of cells that are no Python."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tflint_layers.source import UnreadableSource

# IPython takes from all lines of a cell the indentation that the first one has; below this they may keep it.
BLOCK = "if True:  "
_MARK = "# tflint-layers: cell "
# The number of the cell; where it is no Python, the place and the reason.
BOUNDARY = re.compile(rf"^(?:{BLOCK})?{_MARK}(\d+)(?:, \d+:\d+: [^\n]*)?\n", re.MULTILINE)
_UNREADABLE = re.compile(rf"^{_MARK}\d+, (\d+):(\d+): ([^\r\n]*)", re.MULTILINE)


def boundary(number: int, *, block: bool = False, error: UnreadableSource | None = None) -> str:
    """The line above a cell; ``error`` says why the cell is no Python, so that there is no code of it."""
    reason = f", {error.line}:{error.column}: {' '.join(str(error).split())}" if error is not None else ""
    return f"{BLOCK if block else ''}{_MARK}{number}{reason}\n"


def unreadable_cells(text: str) -> Iterator[UnreadableSource]:
    """Why cells are no Python, at the lines that stand for those of the cells in the code of a notebook."""
    if _MARK in text:
        for match in _UNREADABLE.finditer(text):
            first = text.count("\n", 0, match.start()) + 2
            yield UnreadableSource(match[3], first + int(match[1]) - 1, int(match[2]))
