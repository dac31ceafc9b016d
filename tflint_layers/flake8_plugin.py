"""The same findings in flake8, which itself handles selection and ``# noqa``."""

from __future__ import annotations

import argparse
import ast
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar

from tflint_layers import __version__
from tflint_layers.linter import lint, unreadable
from tflint_layers.settings import Configuration, Settings
from tflint_layers.source import Source, UnreadableSource
from tflint_layers.suppressions import Suppressions


class Plugin:
    """What flake8 makes for each file."""

    name = "tflint-layers"
    version = __version__
    keras: ClassVar[str | None] = None
    preview: ClassVar[bool] = False
    configuration: ClassVar[Configuration] = Configuration()

    def __init__(self, tree: ast.Module, filename: str, lines: list[str]) -> None:
        # flake8 reads the module's tree from the lines that it decoded, without byte order mark: so do we.
        text = "".join(lines)
        self._source = Source(filename, text.encode("utf-8", "surrogatepass"), text, "utf-8", 0)
        self._settings = self._settings_for(filename)

    @classmethod
    def add_options(cls, parser: Any) -> None:
        """Tell flake8 which options there are; all of them can stand in its configuration, too."""
        parser.add_option(
            "--tfl-keras",
            choices=("auto", "2", "3"),
            parse_from_config=True,
            help="The Keras that the findings are about (default: as configured for tflint-layers, else auto)",
        )
        parser.add_option(
            "--tfl-preview",
            action="store_true",
            default=False,
            parse_from_config=True,
            help="Use the preview rules of tflint-layers, too",
        )

    @classmethod
    def parse_options(cls, options: argparse.Namespace) -> None:
        """Remember the options for the files to come."""
        cls.keras = options.tfl_keras
        cls.preview = options.tfl_preview

    def run(self) -> Iterator[tuple[int, int, str, type[Plugin]]]:
        """The findings as flake8 takes them: its columns start at 0."""
        if Suppressions.of(self._source).skip_file:
            return
        try:
            findings = lint(self._source, self._settings, noqa=False)
        except UnreadableSource as error:
            findings = [unreadable(self._source.path, error, self._settings)]
        for finding in findings:
            if not finding.suspect:
                yield finding.line, finding.column - 1, f"{finding.code} {finding.message}", Plugin

    def _settings_for(self, filename: str) -> Settings:
        """The configured settings, but for what flake8 decides: which rules to show."""
        settings = replace(
            self.configuration.settings_for(filename),
            select=("ALL",),
            extend_select=(),
            ignore=(),
            preview=self.preview,
        )
        if self.keras is None:
            return settings
        return replace(settings, keras=None if self.keras == "auto" else int(self.keras))
