"""Keeps traces from run to run: a layer that has not changed is not run again. TensorFlow is not imported for it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tflint_layers.confirm.content import Slice, slice_of
from tflint_layers.confirm.environment import environment_of, own_digest
from tflint_layers.confirm.neighbours import Neighbours
from tflint_layers.confirm.relocate import relocated
from tflint_layers.confirm.request import Trace, TraceRequest

_HERE = "<layer>"
_OLD = 30 * 24 * 3600.0
_IN_OTHER_WORDS = frozenset({"path", "source", "fixed", "watch", "flagged", "sure", "fixes", "timeout", "memory_mb"})


@dataclass(frozen=True)
class Key:
    """What a trace depends on, as a digest, and the slice by whose lines it is kept."""

    digest: str
    path: str
    slice: Slice

    def inward(self, trace: Trace) -> Trace | None:
        """The trace in terms of the slice; None if code ran that the slice does not hold."""

        def move(path: str, line: int) -> tuple[str, int]:
            return (_HERE, self.slice.numbers[line]) if path == self.path else (path, line)

        def rename(match: re.Match[str]) -> str:
            number = self.slice.numbers.get(int(match[2]))
            return f"line @{number}" if number and not match[1] else match[0]

        try:
            return relocated(trace, move, rename)
        except LookupError:
            return None

    def outward(self, trace: Trace) -> Trace:
        """The trace in terms of the file."""

        def move(path: str, line: int) -> tuple[str, int]:
            return (self.path, self.slice.lines[line - 1]) if path == _HERE else (path, line)

        def rename(match: re.Match[str]) -> str:
            return f"line {self.slice.lines[int(match[2]) - 1]}" if match[1] else match[0]

        return relocated(trace, move, rename)


class Keys:
    """Makes the keys of requests for one interpreter."""

    def __init__(self, python: str | None) -> None:
        self._environment = environment_of(python)
        self._neighbours = Neighbours(self._environment.roots if self._environment else ())

    def of(self, request: TraceRequest) -> Key | None:
        """The key of a request; None where its trace must not be kept: times are measured anew."""
        if self._environment is None or request.benchmark:
            return None
        name = request.layer or request.function
        own = slice_of(request.source, name)
        fixed = slice_of(request.fixed, name) if request.fixed is not None else None
        try:
            neighbours = self._neighbours.of(request.path, f"{own.text}\n{fixed.text if fixed else ''}")
        except OSError:
            return None

        def place(path: str, line: int) -> object:
            return own.numbers.get(line) if path == request.path else (path, line)

        parts = [
            own_digest(),
            self._environment.digest,
            {name: value for name, value in asdict(request).items() if name not in _IN_OTHER_WORDS},
            [own.text, own.shapes],
            [fixed.text, fixed.shapes] if fixed else None,
            neighbours,
            request.path if neighbours or not own.placeless else None,
            [[place(path, line) for path, line in places] for places in (request.flagged, request.sure)],
            [path for path in request.watch if path != request.path],
            [(own.numbers.get(line), [text for _, _, text in edits]) for line, edits in request.fixes],
        ]
        return Key(hashlib.sha256(json.dumps(parts, default=repr).encode()).hexdigest(), request.path, own)


class Cache:
    """Traces in the files of a folder. That it cannot be read or written never stops a run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, key: Key) -> Mapping[str, Any] | None:
        """What was kept under a key."""
        file = self._file(key)
        try:
            data: Mapping[str, Any] = json.loads(file.read_bytes())
        except (OSError, ValueError):
            return None
        with contextlib.suppress(OSError):
            os.utime(file)
        return data

    def put(self, key: Key, trace: Trace) -> None:
        """Keep a trace, in terms of its slice."""
        file = self._file(key)
        with contextlib.suppress(OSError):
            self._prepare()
            file.parent.mkdir(exist_ok=True)
            handle, name = tempfile.mkstemp(dir=file.parent)
            with os.fdopen(handle, "w") as stream:
                json.dump(asdict(trace), stream)
            os.replace(name, file)

    def _file(self, key: Key) -> Path:
        return self._folder / "traces" / key.digest[:2] / f"{key.digest[2:]}.json"

    def _prepare(self) -> None:
        """Make the folder, unseen by git and by backups, and once a day throw out what nobody asks for any more."""
        mark = self._folder / "CACHEDIR.TAG"
        if mark.exists() and time.time() - mark.stat().st_mtime < 24 * 3600:
            return
        (self._folder / "traces").mkdir(parents=True, exist_ok=True)
        (self._folder / ".gitignore").write_text("*\n")
        mark.write_text("Signature: 8a477f597d28d172789f06886806bc55\n# Made by tflint-layers; it can be deleted.\n")
        for file in self._folder.glob("traces/*/*"):
            if time.time() - file.stat().st_mtime > _OLD:
                file.unlink(missing_ok=True)
