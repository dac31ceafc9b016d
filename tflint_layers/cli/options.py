"""The command line as given."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

STDIN_NAME = "<stdin>"


@dataclass(frozen=True)
class Options:
    """The command line as given; None where an option was not."""

    paths: tuple[str, ...]
    select: tuple[str, ...] | None
    ignore: tuple[str, ...] | None
    extend_select: tuple[str, ...] | None
    preview: bool
    keras: str | None
    confirm: bool
    only: str | None
    show_refuted: bool
    trace_all: bool
    show_output: bool
    benchmark: bool
    python: str | None
    recorded: Path | None
    emit_repro: Path | None
    fix: bool
    unsafe_fixes: bool
    diff: bool
    add_noqa: bool
    baseline: Path | None
    write_baseline: Path | None
    output_format: str | None
    output_file: Path | None
    quiet: bool
    statistics: bool
    exit_zero: bool
    stdin_filename: str | None
    config: Path | None
    isolated: bool
    jobs: int | None
    no_cache: bool
    cache_dir: Path | None
    explain: str | None
    list_rules: bool

    @property
    def runs_layers(self) -> bool:
        """Whether TensorFlow is asked for."""
        return self.confirm or self.trace_all or self.benchmark
