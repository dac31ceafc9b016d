"""The difference between two versions of a file as a patch that ``git apply`` takes, byte for byte."""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path

_NO_NEWLINE = b"\n\\ No newline at end of file\n"


def unified(before: bytes, after: bytes, path: str) -> bytes:
    """A unified diff; its paths are relative to the current folder where that is possible."""
    name, first = _name(path), b""
    if inner := _misread(name):
        # Under git's own first line a path counts from the root of the repository, and nothing is guessed.
        name = inner + name
        first = b"diff --git %s %s\n" % (_quoted("a", name), _quoted("b", name))
    hunks = difflib.diff_bytes(
        difflib.unified_diff,
        _lines(before),
        _lines(after),
        _header("a", name),
        _header("b", name),
        lineterm=b"\n",
    )
    changes = b"".join(line if line.endswith(b"\n") else line + _NO_NEWLINE for line in hunks)
    return first + changes if changes else b""


def _misread(name: str) -> str | None:
    """The path of the current folder in its repository if `git apply` would take it for the beginning of ``name``."""
    here = Path.cwd()
    root = next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), here)
    inner = here.relative_to(root).as_posix() + "/"
    return inner if name.startswith(inner) else None


def _lines(data: bytes) -> list[bytes]:
    """Lines as git sees them: only a line feed ends one."""
    return re.findall(rb"[^\n]*\n|[^\n]+", data)


def _name(path: str) -> str:
    """The path of the file itself: git patches nothing through a link."""
    relative = os.path.relpath(os.path.realpath(path), os.path.realpath(os.curdir))
    name = path if relative.startswith(os.pardir) else relative
    return name.replace(os.sep, "/").lstrip("/")


def _header(side: str, name: str) -> bytes:
    """The file name as it stands before a hunk: ended by a tab if it has spaces."""
    written = _quoted(side, name)
    return written + b"\t" if b" " in written and not written.endswith(b'"') else written


def _quoted(side: str, name: str) -> bytes:
    """The file name as git writes it: quoted if it has special characters."""
    written = f"{side}/{name}"
    if re.search(r'[\x00-\x1f"\\\x7f]', written):
        escaped = re.sub(r'["\\]', lambda found: "\\" + found[0], written)
        escaped = re.sub(r"[\x00-\x1f\x7f]", lambda found: f"\\{ord(found[0]):03o}", escaped)
        written = f'"{escaped}"'
    return written.encode(errors="surrogateescape")
