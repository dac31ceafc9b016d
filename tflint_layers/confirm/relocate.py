"""Moves what a trace says from one place to another: the lines of a layer change when code above it does."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from tflint_layers.confirm.request import Failure, Lines, Run, Trace

Move = Callable[[str, int], tuple[str, int]]
"""From a path and a line to others; raises LookupError for a place that does not exist on the other side."""

_NAMED_LINE = re.compile(r"\bline (@?)(\d+)\b")


def relocated(trace: Trace, move: Move, rename: Callable[[re.Match[str]], str]) -> Trace:
    """The trace with all its places moved; ``rename`` rewrites ``line 5`` (or ``line @5``) in messages.

    Raises:
        LookupError: a place cannot be moved.
    """

    def failure(old: Failure | None) -> Failure | None:
        if old is None:
            return None
        moved = tuple(move(path, line) for path, line in old.lines)
        return replace(old, message=_NAMED_LINE.sub(rename, old.message), lines=moved)

    def run(old: Run) -> Run:
        return replace(
            old,
            traced=_moved(old.traced, move),
            graph=tuple(_moved(lines, move) for lines in old.graph),
            eager=tuple(_moved(lines, move) for lines in old.eager),
            error=failure(old.error),
            later_error=failure(old.later_error),
            swallowed=tuple((*move(path, line), what) for path, line, what in old.swallowed),
            replaced=tuple(move(path, line) for path, line in old.replaced),
        )

    return replace(
        trace,
        stopped=_NAMED_LINE.sub(rename, trace.stopped) if trace.stopped else trace.stopped,
        construction=failure(trace.construction),
        eager_error=failure(trace.eager_error),
        eager=tuple(_moved(lines, move) for lines in trace.eager),
        eager_raised=tuple((*move(path, line), what) for path, line, what in trace.eager_raised),
        runs=tuple(run(old) for old in trace.runs),
    )


def _moved(lines: Lines, move: Move) -> Lines:
    moved: Lines = {}
    for path, counts in lines.items():
        for line, count in counts.items():
            new_path, new_line = move(path, line)
            moved.setdefault(new_path, {})[new_line] = count
    return moved
