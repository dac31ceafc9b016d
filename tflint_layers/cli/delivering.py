"""Writes files, or prints what would be written."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tflint_layers.cli.options import STDIN_NAME, Options
from tflint_layers.cli.terminal import print_bytes
from tflint_layers.discover import STDIN
from tflint_layers.patch import unified
from tflint_layers.settings import SettingsError
from tflint_layers.work import Outcome


def deliver(outcomes: Iterable[Outcome], options: Options) -> Iterable[str]:
    """Write, or print, what the fixes made of the files; gives what went wrong."""
    for outcome in outcomes:
        document, fixed = outcome.document, outcome.fixed
        if document is None or fixed is None:
            continue
        data = document.data if fixed.data == document.code else document.with_code(fixed.data)
        is_stdin = STDIN in options.paths and outcome.path == (options.stdin_filename or STDIN_NAME)
        if data is None:
            yield f"{outcome.path}: not fixed: its layout would not survive being written again"
        elif options.diff:
            print_bytes(unified(document.data, data, outcome.path) if data != document.data else b"")
        elif is_stdin:
            print_bytes(data)
        elif data != document.data:
            try:
                _write(Path(outcome.path), document.data, data)
            except OSError as error:
                yield f"{outcome.path}: not fixed: {error.strerror or error}"


def _write(path: Path, before: bytes, after: bytes) -> None:
    """Replace a file in one step, so that it is never seen half written; mode, owner and links stay."""
    target = path.resolve()
    if target.read_bytes() != before:
        raise OSError("it was changed by someone else meanwhile")
    status = target.stat()
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(after)
        shutil.copymode(target, name)
        if hasattr(os, "chown"):
            _keep_owner(name, status)
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise


def _keep_owner(name: str, status: os.stat_result) -> None:
    try:
        os.chown(name, status.st_uid, status.st_gid)
    except PermissionError:
        # Only root may give files away; for anyone else a file of another owner becomes theirs.
        return


def write_text(file: Path, text: str) -> None:
    """Write a file of our own.

    Raises:
        SettingsError: it cannot be written.
    """
    try:
        # File names need not be UTF-8; what is not is shown as an escape, as on standard output.
        file.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise SettingsError(f"{file}: cannot be written: {error.strerror or error}") from error
