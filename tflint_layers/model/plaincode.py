"""Where code that nothing traces says something that rules speak about: by its text, before it is evaluated."""

from __future__ import annotations

import builtins
import re
from bisect import bisect_left
from collections.abc import Iterator

from tflint_layers.model import api

_WORDS = (
    "run_functions_eagerly",
    "run_eagerly",
    "enable_debug_mode",
    "eager_execution",
    "add_metric",
    "add_update",
    "class _",
    "Activation(lambda",
)
_CALLS = tuple(f"{name}(" for name in sorted({"Input", "Lambda", *api.CALLBACK_NAMES} - vars(builtins).keys()))
# What Python has as well is a library's only where it is taken from something.
_METHODS = tuple(f".{name}(" for name in sorted(api.CALLBACK_NAMES & vars(builtins).keys()))
_ARGUMENT = "dynamic"
# A model is given a loss or metric that is a function of the project.
_COMPILE = ".compile("
_GIVEN = re.compile(r"(?:[^()]|\([^()]*\)){0,400}?\b(?:loss|metrics) ?= ?[^\n)]*?(?<![\w.\"'])[A-Za-z_]\w*[,)\]}(]")


def plain_lines(text: str) -> list[int]:
    """The numbers of the lines, from 1, at which such code stands, in order."""
    places = sorted(_places(text))
    if not places:
        return []
    ends = _line_ends(text, places[-1])
    return [bisect_left(ends, place) + 1 for place in places]


def _places(text: str) -> Iterator[int]:
    # Plain searches one after the other take a sixth of the time of one regular expression for all (measured).
    for word in (*_WORDS, *_METHODS):
        yield from _occurrences(text, word)
    for call in _CALLS:
        for place in _occurrences(text, call):
            before = text[place - 1 : place]
            if not (before.isalnum() or before == "_"):
                yield place
    for place in _occurrences(text, _ARGUMENT):
        end = place + len(_ARGUMENT)
        if text[end : end + 4].lstrip(" ").startswith("=") or text[place - 1 : place] in {"'", '"', "."}:
            yield place
    for place in _occurrences(text, _COMPILE):
        if _GIVEN.match(text, place + len(_COMPILE)):
            yield place


def _occurrences(text: str, word: str) -> Iterator[int]:
    place = text.find(word)
    while place >= 0:
        yield place
        place = text.find(word, place + 1)


def _line_ends(text: str, last: int) -> list[int]:
    """The places of the line feeds before ``last``."""
    return list(_occurrences(text[:last], "\n"))
