"""Tells a waiting user how far the work is."""

from __future__ import annotations

import sys
import time

_SECONDS_BEFORE_PROGRESS = 1.0


class Progress:
    """A line on standard error that counts; only on a terminal, and only when the work takes a while."""

    def __init__(self, label: str, quiet: bool) -> None:
        self._label = label
        self._visible = sys.stderr.isatty() and not quiet
        self._start = time.monotonic()
        self._drawn = False

    def __call__(self, done: int, total: int) -> None:
        """Show how far the work is."""
        if self._visible and time.monotonic() - self._start > _SECONDS_BEFORE_PROGRESS:
            filled = 30 * done // max(total, 1)
            bar = "#" * filled + "-" * (30 - filled)
            print(f"\r{self._label} [{bar}] {done}/{total}", end="", file=sys.stderr, flush=True)
            self._drawn = True

    def close(self) -> None:
        """Take the line away."""
        if self._drawn:
            print("\r\x1b[2K", end="", file=sys.stderr, flush=True)
