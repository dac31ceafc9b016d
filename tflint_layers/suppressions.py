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
_NOQA_FILE = re.compile(r"^\s*# flake8[:=]\s*noqa", re.IGNORECASE | re.MULTILINE)
_SKIP_FILE = re.compile(r"#\s*tflint-layers:\s*skip-file\s*")


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
        text = self._noqa_texts.get(finding.line)
        match = _NOQA.search(text) if text else None
        if match is None:
            return False
        return match["codes"] is None or finding.code.startswith(tuple(re.findall(r"[^,\s]+", match["codes"])))

    @cached_property
    def _whole_file(self) -> bool:
        return _NOQA_FILE.search("".join(self._lines)) is not None

    @cached_property
    def _lines(self) -> list[str]:
        """The lines with `\\n` as their ending, as Python's own reading of a file gives them."""
        return [line.rstrip("\r\n") + "\n" for line in self.source.lines if line]

    @cached_property
    def _noqa_texts(self) -> dict[int, str]:
        """The text in which `# noqa` is looked for, for each line.

        A line that a backslash or a string continues counts as one with the next; a line inside brackets does not.
        """
        if _NOQA.search(self.source.text) is None:
            return {}
        texts = dict(enumerate(self._lines, 1))
        first, last = 0, 0
        for token in self._tokens():
            if token.type in {tokenize.ENDMARKER, tokenize.DEDENT}:
                continue
            first, last = min(first or token.start[0], token.start[0]), max(last, token.end[0])
            if token.type in {tokenize.NL, tokenize.NEWLINE}:
                texts.update(dict.fromkeys(range(first, last + 1), "".join(self._lines[first - 1 : last])))
                first, last = 0, 0
        return texts

    def _tokens(self) -> Iterator[tokenize.TokenInfo]:
        """The tokens up to the first error."""
        lines = iter(self._lines)
        try:
            yield from tokenize.generate_tokens(lambda: next(lines, ""))
        except (tokenize.TokenError, SyntaxError):
            return
