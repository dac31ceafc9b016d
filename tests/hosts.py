"""Runs the tool as its users do, and a layer to run it on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tflint_layers.finding import Finding, Proof

PROJECT = Path(__file__).parent.parent

LAYER = """\
import tensorflow as tf


class Attention(tf.keras.layers.Layer):
    def call(self, inputs):
        tf.config.run_functions_eagerly(True)
        print(inputs)
        return inputs.numpy()
"""

# What the linter says about LAYER: line, column, code.
EXPECTED = [(6, 9, "TFL301"), (7, 9, "TFL201"), (8, 16, "TFL101")]


def run(command: list[str], folder: Path, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run a module of this interpreter in ``folder``."""
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        input=stdin,
        capture_output=True,
        timeout=120,
        env={**os.environ, **environment},
    )


def tflint(*arguments: str, folder: Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run the command line in ``folder``."""
    return run(["tflint_layers", *arguments], folder, stdin)


def places(output: bytes, prefix: str = "") -> list[tuple[int, int, str]]:
    """Line, column and code of each ``path:line:column: CODE message``."""
    found = []
    for line in output.decode().splitlines():
        place, _, message = line.removeprefix(prefix).partition(": ")
        _, number, column = place.rsplit(":", 2)
        found.append((int(number), int(column), message.split()[0]))
    return found


def finding(path: str, line: int, column: int = 1, *, code: str = "TFL101", width: int = 1, **more: Any) -> Finding:
    """A finding on one line, as a rule would make it."""
    values = {
        "path": path,
        "cell": None,
        "line": line,
        "column": column,
        "code": code,
        "end_line": line,
        "end_column": column + width,
        "name": "numpy-method-on-tensor",
        "message": "`x.numpy()` fails",
        "layer": "L",
        "function": "L.call",
        "route": ("L.call",),
        "keras": 3,
        "proof": Proof.RAISES,
    }
    return Finding(**(values | more))
