"""Findings that are accepted as they are: a file that lists them by the text of their lines, not by numbers.

What is listed stays accepted when lines move, and becomes new when its line is changed.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import PurePath
from typing import Any

from tflint_layers.document import Document
from tflint_layers.finding import Finding, Status
from tflint_layers.notices import FILE_NOT_READABLE

_VERSION = 1


@dataclass(frozen=True, order=True)
class Entry:
    """What identifies a finding; ``path`` is relative to the folder of the baseline, with ``/``."""

    path: str
    code: str
    text: str


@dataclass(frozen=True)
class Baseline:
    """How often each finding is accepted."""

    counts: Mapping[Entry, int]

    @classmethod
    def of(cls, findings: Iterable[Finding], documents: Mapping[str, Document], folder: str) -> Baseline:
        """The baseline that accepts exactly these findings."""
        return cls(Counter(entry_of(finding, documents[finding.path], folder) for finding in findings))

    @classmethod
    def from_text(cls, text: str) -> Baseline:
        """Read what :meth:`to_text` wrote.

        Raises:
            ValueError: it is something else; the message says what is wrong.
        """
        try:
            content = json.loads(text)
        except ValueError as error:
            raise ValueError(f"no valid JSON: {error}") from error
        if not isinstance(content, dict) or content.get("version") != _VERSION:
            raise ValueError(f"no baseline of version {_VERSION}; --write-baseline makes one")
        items = content.get("findings")
        if not isinstance(items, list):
            raise ValueError("`findings` must be a list")
        counts: Counter[Entry] = Counter()
        for item in items:
            counts[_entry(item)] += item["count"]
        return cls(counts)

    def to_text(self) -> str:
        """The baseline as JSON, sorted, so that two runs write the same bytes."""
        items = [{**asdict(entry), "count": count} for entry, count in sorted(self.counts.items())]
        return json.dumps({"version": _VERSION, "findings": items}, indent=2) + "\n"

    def of_file(self, path: str, folder: str) -> Baseline:
        """The part that is about one file."""
        name = _name(path, folder)
        return Baseline({entry: count for entry, count in self.counts.items() if entry.path == name})

    def without(self, entries: Iterable[Entry]) -> Baseline:
        """What is left to be accepted when these were."""
        return Baseline(Counter(self.counts) - Counter(entries))

    def accepted(self, findings: Iterable[Finding], document: Document, folder: str) -> list[Finding]:
        """Those findings of a file that are accepted."""
        own = [finding for finding in findings if finding.path == document.path and is_acceptable(finding)]
        new = set(self.split(own, {document.path: document}, folder)[0])
        return [finding for finding in own if finding not in new]

    def split(
        self, findings: Iterable[Finding], documents: Mapping[str, Document], folder: str
    ) -> tuple[list[Finding], dict[Entry, int]]:
        """The findings that are not accepted, and what is accepted but not there; the first of equals are accepted."""
        left = dict(self.counts)
        new = []
        for finding in findings:
            entry = entry_of(finding, documents[finding.path], folder)
            if left.get(entry, 0):
                left[entry] -= 1
            else:
                new.append(finding)
        return new, {entry: count for entry, count in sorted(left.items()) if count}


def is_acceptable(finding: Finding) -> bool:
    """Whether a finding can be accepted: that nothing is known about a file is no state to get used to."""
    refuted = finding.verdict is not None and finding.verdict.status is Status.REFUTED
    return finding.code != FILE_NOT_READABLE.code and not refuted


def entry_of(finding: Finding, document: Document, folder: str) -> Entry:
    """What identifies a finding in a baseline that is kept in ``folder``."""
    lines = document.lines
    text = lines[finding.line - 1] if finding.line <= len(lines) else ""
    return Entry(_name(finding.path, folder), finding.code, " ".join(text.split()))


def _name(path: str, folder: str) -> str:
    return PurePath(os.path.relpath(path, folder)).as_posix()


def _entry(item: Any) -> Entry:
    try:
        entry, count = Entry(item["path"], item["code"], item["text"]), item["count"]
    except (KeyError, TypeError) as error:
        raise ValueError(f"a finding needs `path`, `code`, `text` and `count`, which {item!r} lacks") from error
    if not isinstance(count, int) or not all(isinstance(part, str) for part in (entry.path, entry.code, entry.text)):
        raise ValueError(f"{item!r} must hold three texts and a number")
    return entry
