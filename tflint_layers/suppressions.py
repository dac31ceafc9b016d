"""Comments with which users silence findings: ``# noqa`` exactly as flake8 reads it, and ``skip-file``."""

from __future__ import annotations

import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from tflint_layers.finding import Finding
from tflint_layers.source import Source

# The two patterns are flake8's own, so that the command line hides what flake8 hides and nothing else.
_NOQA = re.compile(r"# noqa(?::[\s]?(?P<codes>([A-Z]+[0-9]+(?:[,\s]+)?)+))?", re.IGNORECASE)
# Only these can name one of our codes; looking at others would mean tokenising half of all files.
_NOQA_OF_OURS = re.compile(r"# noqa:[^\n]*TFL", re.IGNORECASE)
_NOQA_FILE = re.compile(r"^\s*# flake8[:=]\s*noqa", re.IGNORECASE | re.MULTILINE)
_LONG_QUOTES = ('"""', "'''")
# Only in such strings code may stand on lines that have no quotes.
_LONG_FORMATTED = re.compile(r"""[fFtT][rR]?(?:\"{3}|'{3})""")
_SKIP_FILE = re.compile(r"#\s*tflint-layers:\s*skip-file\s*")


@dataclass(frozen=True)
class Noqa:
    """A ``# noqa`` in a comment, which speaks for the lines ``first`` to ``last`` and stands on the last of them.

    ``column`` and ``codes_column`` count from 0. ``written`` are the codes as the user wrote them, empty where the
    comment names none and hides everything.
    """

    first: int
    last: int
    column: int
    codes_column: int
    written: str

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes and prefixes of codes that the comment names."""
        return _codes(self.written)


@dataclass(frozen=True)
class Suppressions:
    """What the comments of one file silence."""

    source: Source

    @classmethod
    def of(cls, source: Source) -> Suppressions:
        """The suppressions of a file; nothing is tokenised until a question needs it."""
        return cls(source)

    @cached_property
    def skip_file(self) -> bool:
        """Whether the file says, in a comment on a line of its own, that it is not to be linted."""
        return "tflint-layers:" in self.source.text and any(
            token.type == tokenize.COMMENT and _SKIP_FILE.fullmatch(token.line.strip()) for token in self._tokens()
        )

    def hides(self, finding: Finding) -> bool:
        """Whether a comment silences a finding of this file."""
        if self._whole_file:
            return True
        match = self._match(finding.line)
        if match is None:
            return False
        return match["codes"] is None or finding.code.startswith(_codes(match["codes"]))

    def noqas(self) -> list[Noqa]:
        """The comments that hide something on some lines; none where one comment hides the whole file."""
        if not _NOQA_OF_OURS.search(self.source.text) or self._whole_file:
            return []
        found = (self.noqa_for(first) for first, _ in sorted(set(self._blocks.values())))
        return [noqa for noqa in found if noqa is not None]

    def noqa_for(self, line: int) -> Noqa | None:
        """The comment that speaks for a line; None where there is none, or where it is the text of a string."""
        match = self._match(line)
        if match is None:
            return None
        first, last = self._blocks[line]
        before = sum(map(len, self._lines[first - 1 : last - 1]))
        column = match.start() - before
        if last not in self._comments or column < self._comments[last]:
            return None
        codes_column = (match.start("codes") if match["codes"] else match.end()) - before
        return Noqa(first, last, column, codes_column, (match["codes"] or "").rstrip(", \t\f\n"))

    def has_noqa_text(self, line: int) -> bool:
        """Whether flake8 sees a ``# noqa`` for a line, be it in a comment or in a string."""
        return self._match(line) is not None

    def last_line(self, line: int) -> int:
        """The line whose end is the place for a comment about ``line``."""
        return self._blocks[line][1]

    def _match(self, line: int) -> re.Match[str] | None:
        if not self._may_match(line) or line not in self._blocks:
            return None
        first, last = self._blocks[line]
        return _NOQA.search("".join(self._lines[first - 1 : last]))

    def _may_match(self, line: int) -> bool:
        """Whether a ``# noqa`` may speak for a line of code; most files that have one need not be tokenised."""
        return bool(self._noqa_lines) and (line in self._noqa_lines or self._may_be_continued(line))

    def _may_be_continued(self, line: int) -> bool:
        """Whether a line of code may count as one with others, as a string or a backslash joins them."""
        near = self._lines[max(line - 2, 0) : line]
        is_joined = any(text.endswith("\\\n") or any(quotes in text for quotes in _LONG_QUOTES) for text in near)
        return is_joined or self._has_code_in_strings

    @cached_property
    def _has_code_in_strings(self) -> bool:
        return _LONG_FORMATTED.search(self.source.text) is not None

    @cached_property
    def _noqa_lines(self) -> frozenset[int]:
        """The lines on which a ``# noqa`` starts."""
        return frozenset(self.source.line_numbers(match.start() for match in _NOQA.finditer(self.source.text)))

    @cached_property
    def _whole_file(self) -> bool:
        return "flake8" in self.source.text.lower() and _NOQA_FILE.search("".join(self._lines)) is not None

    @cached_property
    def _lines(self) -> list[str]:
        """The lines with `\\n` as their ending, as Python's own reading of a file gives them."""
        return [line.rstrip("\r\n") + "\n" for line in self.source.lines if line]

    @cached_property
    def _blocks(self) -> dict[int, tuple[int, int]]:
        """For each line the first and the last of those in whose text `# noqa` is looked for.

        A line that a backslash or a string continues counts as one with the next; a line inside brackets does not.
        """
        blocks = {number: (number, number) for number in range(1, len(self._lines) + 1)}
        first, last = 0, 0
        for token in self._tokens():
            if token.type in {tokenize.ENDMARKER, tokenize.DEDENT}:
                continue
            first, last = min(first or token.start[0], token.start[0]), max(last, token.end[0])
            if token.type in {tokenize.NL, tokenize.NEWLINE}:
                blocks.update(dict.fromkeys(range(first, last + 1), (first, last)))
                first, last = 0, 0
        return blocks

    @cached_property
    def _comments(self) -> dict[int, int]:
        """The column, from 0, at which the comment of a line starts."""
        return {token.start[0]: token.start[1] for token in self._tokens() if token.type == tokenize.COMMENT}

    def _tokens(self) -> Iterator[tokenize.TokenInfo]:
        """The tokens up to the first error."""
        lines = iter(self._lines)
        try:
            yield from tokenize.generate_tokens(lambda: next(lines, ""))
        except (tokenize.TokenError, SyntaxError):
            return


def _codes(written: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[^,\s]+", written))
