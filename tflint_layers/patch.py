"""The difference between two versions of a file as a patch that ``git apply`` takes, byte for byte."""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path

_NO_NEWLINE = b"\n\\ No newline at end of file\n"


def unified(before: bytes, after: bytes, path: str) -> bytes:
    """A unified diff; its paths are relative to the current folder where `git apply` takes them so.

    Else they are relative to the root of the repository, where the patch is to be applied then.
    """
    name, first = _name(path), b""
    if in_repository := _name_in_repository(path, name):
        # Under git's own first line a path counts from the root of the repository, and nothing is guessed.
        name = in_repository
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


def _name_in_repository(path: str, name: str) -> str | None:
    """The path from the root of the repository, where `git apply` would read ``name`` as another one, or as none.

    It takes no path that leads out of the current folder, and one that begins with the path of that folder for one
    from the root.
    """
    here = Path.cwd().resolve()
    root = next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), None)
    file = Path(path).resolve()
    if root is None or not file.is_relative_to(root):
        return None
    is_read_as_it_is = file.is_relative_to(here) and not name.startswith(here.relative_to(root).as_posix() + "/")
    return None if is_read_as_it_is else file.relative_to(root).as_posix()


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
