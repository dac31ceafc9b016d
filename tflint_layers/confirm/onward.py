"""Goes on where a layer stops, so that each of its findings is met: what fails first is replaced or left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tflint_layers.confirm.builder import Subject, Unrunnable
from tflint_layers.confirm.neutralise import Repair, StandIns, left_out, stand_ins_for
from tflint_layers.confirm.observe import Place, Span
from tflint_layers.confirm.request import Run

if TYPE_CHECKING:
    from tflint_layers.confirm.session import Eager, Session

_MOST_REPAIRS = 12


class Onward:
    """The text of a layer's module as it is changed, step by step, to get past what fails."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.text = session.request.source
        self._flagged = {place for place in session.request.flagged if place[0] == session.request.path}
        self._tries: dict[Place, int] = {}
        self._replaced: list[Place] = []

    def after_refusal(self, answer: Unrunnable) -> Subject | None:
        """A subject of the text without what cannot even be built, or run eagerly; None: there is none.

        What the linter would do about a flagged line is done, or the statement is left out.
        """
        for _ in range(_MOST_REPAIRS):
            places = [place for place in _places(answer) if place in self._flagged]
            if not places or not self._has_more(set(self._replaced) | set(places)):
                return None
            if not any(self._repair(place, self._fixes(place[1])) for place in places):
                return None
            self._session.build = self._session.builder(self.text)
            self._session.replaced = tuple(self._replaced)
            try:
                return self._session.build.first_that_runs()
            except Unrunnable as next_answer:
                answer = next_answer
        return None

    def after_failures(self, subject: Subject, failed: Run, spans: list[tuple[Place, Span | None]]) -> None:
        """Trace again and again, until tracing ends or every flagged line has failed."""
        session = self._session
        met = set(failed.error.lines if failed.error else ())
        shapes: list[Any] = [getattr(value, "shape", ()) for value in session.tf.nest.flatten(subject.inputs)]
        batch = next((shape[0] for shape in shapes if len(shape)), None)
        for number in range(_MOST_REPAIRS):
            if not self._has_more(met) or not self._stand_in(spans, number):
                return
            session.stand_ins, session.replaced = StandIns(session.tf, batch), tuple(self._replaced)
            run = self._trace(subject)
            if run.error is None:
                return
            met |= set(run.error.lines)
            spans = session.spans

    def _trace(self, subject: Subject) -> Run:
        """Trace the text as it is now: a layer that has run, and if that works also one that has not."""
        session = self._session
        build = session.builder(self.text)
        eager = session.eager_calls(build, subject)
        run = self._tell(session.trace("built", build, eager.subject, eager), eager)
        if run.error is None:
            again = session.builder(self.text)
            run = self._tell(session.trace("fresh", again, again.with_data(again.fresh(subject)), eager), eager)
        return run

    def _tell(self, run: Run, eager: Eager) -> Run:
        # Values that were put in for others make no difference that the layer makes.
        repeats = None if self._session.stand_ins and self._session.stand_ins.vary else run.repeats
        run = replace(run, eager=eager.lines, differs=False, repeats=repeats)
        self._session.tell(run)
        return run

    def _has_more(self, met: set[Place]) -> bool:
        return not set(self._session.request.flagged) <= met

    def _stand_in(self, spans: list[tuple[Place, Span | None]], number: int) -> bool:
        own = [(place, span) for place, span in spans if place[0] == self._session.request.path]
        return any(self._repair(place, stand_ins_for(self.text, place[1], span, number)) for place, span in own)

    def _repair(self, place: Place, repairs: Iterator[Repair]) -> bool:
        """Make the first repair that has not been tried at this place."""
        texts = [text for repair in repairs if (text := repair.apply(self.text)) is not None]
        tried = self._tries.get(place, 0)
        if tried >= len(texts):
            return False
        self._tries[place] = tried + 1
        self.text = texts[tried]
        if place not in self._replaced:
            self._replaced.append(place)
        return True

    def _fixes(self, line: int) -> Iterator[Repair]:
        # Edits are about the text as it was.
        if self.text == self._session.request.source:
            for flagged, edits in self._session.request.fixes:
                if flagged == line and len(edits) == 1:
                    yield Repair(*edits[0])
        yield from left_out(self.text, line)


def _places(answer: Unrunnable) -> list[Place]:
    """Where the failure of the last recipe was, innermost first."""
    failure = answer.event.get("construction") or answer.event.get("eager_error") or {}
    return [(path, line) for path, line in reversed(failure.get("lines", ()))]
