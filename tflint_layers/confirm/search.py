"""The order in which ways to run a layer are tried: the cheapest guess first, and what a failure taught before others.

Standard library only.
"""

from __future__ import annotations

import heapq
import itertools
import re
import time
from collections.abc import Iterator, Sequence

from tflint_layers.confirm.draft import Draft
from tflint_layers.confirm.lessons import Knowledge, Mishap, learn

_STEP, _RANK, _NO_PROGRESS = 0.2, 0.4, 1.5
_MOST_TRIES, _MOST_LESSONS = 250, 24

Source = tuple[float, Iterator[Draft]]
"""Drafts of one kind, and how much dearer they are than others."""


class Search:
    """Drafts to be tried, until the time is over; whoever tries them tells what went wrong."""

    def __init__(self, sources: Sequence[Source], knowledge: Knowledge, seconds: float) -> None:
        self._knowledge = knowledge
        self._end = time.monotonic() + seconds
        self._bases = heapq.merge(*(_priced(start, drafts) for start, drafts in sources), key=lambda pair: pair[0])
        self._next_base: tuple[float, Draft] | None = next(self._bases, None)
        self._learned: list[tuple[float, int, str, Draft]] = []
        self._number = itertools.count()
        self._tried: set[str] = set()
        self._unbuildable: set[str] = set()
        self._price, self._before = 0.0, ""

    @property
    def out_of_time(self) -> bool:
        """Whether the time was over before the tries were."""
        return time.monotonic() >= self._end

    def __iter__(self) -> Iterator[Draft]:
        while len(self._tried) < _MOST_TRIES and not self.out_of_time:
            if (draft := self._pop()) is None:
                return
            text = str(draft.recipe())
            if text not in self._tried and draft.layer not in self._unbuildable:
                self._tried.add(text)
                yield draft

    def _pop(self) -> Draft | None:
        base = self._next_base
        if self._learned and (base is None or self._learned[0][0] <= base[0]):
            self._price, _, self._before, draft = heapq.heappop(self._learned)
            return draft
        if base is None:
            return None
        self._next_base = next(self._bases, None)
        self._price, self._before = base[0], ""
        return base[1]

    def failed(self, draft: Draft, mishap: Mishap) -> None:
        """Learn from what went wrong with the draft that was given out last."""
        if not mishap.built:
            self._unbuildable.add(draft.layer)
        # The same complaint about other numbers is no progress.
        message = re.sub(r"\d+", "0", mishap.message)
        price = self._price + (_NO_PROGRESS if message == self._before else 0.0)
        lessons = itertools.islice(learn(draft, mishap, self._knowledge), _MOST_LESSONS)
        for rank, better in enumerate(lessons):
            cost = price + _STEP + rank * _RANK
            heapq.heappush(self._learned, (cost, next(self._number), message, better))


def _priced(start: float, drafts: Iterator[Draft]) -> Iterator[tuple[float, Draft]]:
    return ((start + number, draft) for number, draft in enumerate(drafts))
