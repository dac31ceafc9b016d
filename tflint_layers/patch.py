"""The difference between two versions of a file as a patch that ``git apply`` takes, byte for byte."""

from __future__ import annotations

import difflib
import os
import re

_NO_NEWLINE = b"\n\\ No newline at end of file\n"


def unified(before: bytes, after: bytes, path: str) -> bytes:
    """A unified diff; its paths are relative to the current folder where that is possible."""
    name = _name(path)
    hunks = difflib.diff_bytes(
        difflib.unified_diff,
        _lines(before),
        _lines(after),
        _header("a", name),
        _header("b", name),
        lineterm=b"\n",
    )
    return b"".join(line if line.endswith(b"\n") else line + _NO_NEWLINE for line in hunks)


def _lines(data: bytes) -> list[bytes]:
    """Lines as git sees them: only a line feed ends one."""
    return re.findall(rb"[^\n]*\n|[^\n]+", data)


def _name(path: str) -> str:
    relative = os.path.relpath(path)
    name = path if relative.startswith(os.pardir) else relative
    return name.replace(os.sep, "/").lstrip("/")


def _header(side: str, name: str) -> bytes:
    """The file name as git writes it: quoted if it has special characters, ended by a tab if it has spaces."""
    written = f"{side}/{name}"
    if re.search(r'[\x00-\x1f"\\\x7f]', written):
        quoted = re.sub(r'["\\]', lambda found: "\\" + found[0], written)
        quoted = re.sub(r"[\x00-\x1f\x7f]", lambda found: f"\\{ord(found[0]):03o}", quoted)
        return f'"{quoted}"'.encode(errors="surrogateescape")
    return (written + ("\t" if " " in written else "")).encode(errors="surrogateescape")
