"""Writes a script for each confirmed finding."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from tflint_layers.cli.delivering import write_text
from tflint_layers.confirm.repro import NoScript, script_of
from tflint_layers.confirming import code_of
from tflint_layers.finding import Finding, Status
from tflint_layers.settings import SettingsError
from tflint_layers.source import Source
from tflint_layers.work import Outcome


def write_repros(shown: Iterable[Finding], outcomes: Iterable[Outcome], folder: Path) -> list[str]:
    """Write the scripts that show the confirmed findings; a note on each finding that gets none.

    Raises:
        SettingsError: the folder or a file cannot be written.
    """
    codes = {outcome.path: code_of(outcome) for outcome in outcomes}
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"{folder}: cannot be made: {error.strerror or error}") from error
    notes = []
    for finding in shown:
        if finding.verdict is None or finding.verdict.status is not Status.CONFIRMED:
            continue
        try:
            script = script_of(finding, _source(finding, codes))
        except NoScript as why:
            notes.append(f"{finding.path}:{finding.line}: no script for {finding.code}: {why}")
        else:
            write_text(folder / _name(finding), script)
    return notes


def _source(finding: Finding, codes: dict[str, bytes]) -> str:
    if finding.layer_path is None:
        return Source.from_bytes(codes[finding.path], finding.path).text
    return Source.from_bytes(Path(finding.layer_path).read_bytes(), finding.layer_path).text


def _name(finding: Finding) -> str:
    about = re.sub(r"\W+", "_", finding.layer or finding.function or "module")
    stem = re.sub(r"\W+", "_", Path(finding.path).stem)
    return f"{stem}_{about}_{finding.code}_{finding.line}_{finding.column}.py"
