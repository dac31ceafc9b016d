"""Findings that are accepted as they are, found again after fixes of others have moved them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tflint_layers.finding import Edit, Finding
from tflint_layers.source import Source


@dataclass(frozen=True)
class Accepted:
    """Places of a file, as codes and the bytes among which a finding with that code begins."""

    spans: frozenset[tuple[str, int, int]] = frozenset()

    @classmethod
    def of(cls, findings: Iterable[Finding], data: bytes) -> Accepted:
        """The places of these findings."""
        findings = list(findings)
        if not findings:
            return cls()
        source = Source.from_bytes(data)
        return cls(frozenset((f.code, start := _start(f, source), start) for f in findings))

    def among(self, findings: Iterable[Finding], data: bytes) -> list[Finding]:
        """Those of the findings that are accepted."""
        if not self.spans:
            return []
        source = Source.from_bytes(data)
        return [finding for finding in findings if self._holds(finding.code, _start(finding, source))]

    def moved(self, edits: Iterable[Edit], data: bytes) -> Accepted:
        """The places after sorted edits of ``data``; where one touches a place, that is now all of its new text."""
        if not self.spans:
            return self
        encoding = Source.from_bytes(data).encoding
        sizes = [(edit.start, edit.end, len(edit.text.encode(encoding))) for edit in edits]
        return Accepted(
            frozenset((code, _moved(start, sizes, 0), _moved(end, sizes, 1)) for code, start, end in self.spans)
        )

    def _holds(self, code: str, start: int) -> bool:
        return any(code == known and first <= start <= last for known, first, last in self.spans)


def _start(finding: Finding, source: Source) -> int:
    before = source.lines[finding.line - 1][: finding.column - 1]
    return source.offset(finding.line, len(before.encode()))


def _moved(offset: int, edits: list[tuple[int, int, int]], side: int) -> int:
    """Where a byte is after edits, given as start, end and new length; ``side`` of a text that touches it counts."""
    shift = 0
    for start, end, length in edits:
        if start <= offset <= end:
            return start + shift + side * length
        if end < offset:
            shift += length - (end - start)
    return offset + shift
