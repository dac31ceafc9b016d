"""Turns findings and questions about layers into requests that a worker understands."""

from __future__ import annotations

import ast
import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from tflint_layers.confirm.elsewhere import Elsewhere
from tflint_layers.confirm.request import TraceRequest
from tflint_layers.confirm.statements import parsed
from tflint_layers.finding import Finding, Proof
from tflint_layers.source import Source, UnreadableSource

_STEPS = ("train_step", "test_step", "predict_step")
_CALLED = frozenset({"__call__", "call"})
# Classes of libraries whose objects cannot be called.
_UNCALLED_BASES = frozenset({"object", "ABC", "Module"})


def group_of(finding: Finding, sources: Mapping[str, Source]) -> tuple[Any, ...]:
    """Findings for which this is the same are answered by running one thing once."""
    home = finding.layer_path or finding.path
    alone = finding.line if finding.layer is None and finding.function is None else None
    entry = _entry_of(finding, sources[home].text if home in sources else "")
    return home, finding.layer, finding.layer or _root_function(finding), alone, entry, finding.keras


def _entry_of(finding: Finding, text: str) -> str:
    return entry_of(_root_function(finding) or "", finding.layer, text)


def entry_of(root: str, layer: str | None, text: str) -> str:
    """The method that must be called to get to what tracing reaches from ``root``; ``text`` is that of its file."""
    method = root.rpartition(".")[2]
    if method in (*_STEPS, "__call__", "update_state", "result"):
        return method
    return method if root == f"{layer}.{method}" and layer in _uncalled_classes(text) else "call"


@cache
def _uncalled_classes(text: str) -> frozenset[str]:
    """The module-level classes of a file whose objects surely cannot be called."""
    tree = parsed(text) if "function" in text else None
    return frozenset(
        node.name
        for node in (tree.body if tree is not None else ())
        if isinstance(node, ast.ClassDef)
        and {ast.unparse(base).rpartition(".")[2] for base in node.bases} <= _UNCALLED_BASES
        and not any(isinstance(inner, ast.FunctionDef) and inner.name in _CALLED for inner in node.body)
    )


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
        entry=_entry_of(first, source.text),
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
