"""How the command line speaks: what is for people goes to standard error, and no character stops it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import NoReturn

import click


def survive_any_character() -> None:
    """Print what the terminal's encoding lacks as an escape instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure: Callable[..., None] | None = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def print_bytes(data: bytes) -> None:
    """Print bytes as they are: a patch keeps the encoding and line endings of the file."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def say(message: str) -> None:
    """Tell people something on standard error."""
    click.echo(f"tflint-layers: {message}", err=True)


def leave(status: int) -> NoReturn:
    """End the process as it is: taking the trees of a large project apart takes a second, and helps nobody.

    What is still to be printed must have been, or cannot be.
    """
    os._exit(status)


def plain(text: str, color: str) -> str:
    """The text as it is, where nobody sees colours."""
    return text


def colored(text: str, color: str) -> str:
    """The text in a colour of the terminal."""
    return click.style(text, fg=color)
