"""The command line: the only part that knows the terminal and writes files."""

from tflint_layers.cli.command import main

__all__ = ["main"]
