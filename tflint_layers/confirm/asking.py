"""Turns findings and questions about layers into requests that a worker understands."""

from __future__ import annotations

import ast
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tflint_layers.confirm.elsewhere import Elsewhere
from tflint_layers.confirm.request import TraceRequest
from tflint_layers.finding import Finding, Proof
from tflint_layers.source import Source, UnreadableSource

_STEPS = ("train_step", "test_step", "predict_step")


def group_of(finding: Finding) -> tuple[Any, ...]:
    """Findings for which this is the same are answered by running one thing once."""
    home = finding.layer_path or finding.path
    alone = finding.line if finding.layer is None and finding.function is None else None
    return home, finding.layer, finding.layer or _root_function(finding), alone, entry_of(finding), finding.keras


def entry_of(finding: Finding) -> str:
    """The method that must be called to get to a finding."""
    first = (finding.route[0] if finding.route else finding.function or "").rpartition(".")[2]
    return first if first in (*_STEPS, "__call__", "update_state", "result") else "call"


def _root_function(finding: Finding) -> str | None:
    return finding.route[0] if finding.route else finding.function


def request_for(
    group: Sequence[Finding],
    sources: Mapping[str, Source],
    examples: Mapping[str, Any],
    elsewhere: Elsewhere,
    timeout: float,
    memory_mb: int,
) -> TraceRequest | None:
    """What a worker is asked about findings of one group; None where a file cannot be read."""
    first = group[0]
    home = first.layer_path or first.path
    source = sources.get(home) or read_source(home)
    if source is None or any(finding.path not in sources for finding in group):
        return None
    return TraceRequest(
        path=absolute(home),
        source=source.text,
        layer=first.layer,
        function=None if first.layer else _root_function(first),
        entry=entry_of(first),
        keras=first.keras,
        watch=tuple(sorted({absolute(finding.path) for finding in group})),
        flagged=tuple(sorted({(absolute(finding.path), finding.line) for finding in group})),
        sure=tuple(sorted({(absolute(finding.path), finding.line) for finding in group if not finding.suspect})),
        fixes=tuple(_fix(finding, source) for finding in group if finding.fix and finding.path == home),
        example=example_for(examples, home, first.layer),
        shown=elsewhere.of(absolute(home), first.layer),
        call=_call_at(first, source.text) if first.proof is Proof.CONSTRUCTION else None,
        timeout=timeout,
        memory_mb=memory_mb,
    )


def _call_at(finding: Finding, text: str) -> str | None:
    """The flagged call of a finding that belongs to no layer and no function."""
    if finding.layer is not None or finding.function is not None:
        return None
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    holding = [call for call in calls if call.lineno <= finding.line <= (call.end_lineno or call.lineno)]
    flagged = [call for call in holding if any(keyword.arg == "dynamic" for keyword in call.keywords)]
    return ast.unparse(flagged[-1]) if flagged else None


def example_for(examples: Mapping[str, Any], path: str, layer: str | None) -> Mapping[str, Any] | None:
    """The entry ``"package.module:Layer"`` for a layer: its module is the end of the file's path."""
    parts = Path(absolute(path)).with_suffix("").parts
    for name, example in examples.items():
        module, _, wanted = name.rpartition(":")
        if wanted == layer and parts[len(parts) - len(module.split(".")) :] == tuple(module.split(".")):
            found: Mapping[str, Any] = example
            return found
    return None


def absolute(path: str) -> str:
    """The path that a worker knows a file by."""
    return os.path.abspath(path)


def source_of(path: str, data: bytes) -> Source | None:
    """A decoded file, or None where it cannot be."""
    try:
        return Source.from_bytes(data, path)
    except UnreadableSource:
        return None


def read_source(path: str) -> Source | None:
    """A file on disk, decoded, or None where it cannot be."""
    try:
        return source_of(path, Path(path).read_bytes())
    except OSError:
        return None


def _fix(finding: Finding, source: Source) -> tuple[int, tuple[tuple[int, int, str], ...]]:
    """What the linter would do about a finding, as edits of the decoded text."""

    def characters(offset: int) -> int:
        return len(source.data[source.bom : offset].decode(source.encoding))

    edits = finding.fix.edits if finding.fix else ()
    return finding.line, tuple((characters(edit.start), characters(edit.end), edit.text) for edit in edits)
