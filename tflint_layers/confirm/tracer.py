"""Answers trace requests: from the cache, from an identical request, or by running the layer."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tflint_layers.confirm.cache import Cache, Key, Keys
from tflint_layers.confirm.pool import Pool
from tflint_layers.confirm.request import Trace, TraceRequest
from tflint_layers.processors import processors

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class _Question:
    """A request that nobody has answered yet, and all those that it answers: their numbers and keys."""

    request: TraceRequest
    asked_by: list[tuple[int, Key | None]]


@dataclass(frozen=True, order=True)
class Output:
    """What a layer (or function) printed while it was run."""

    path: str
    name: str
    keras: int
    text: str


class Tracer:
    """Runs layers, each once; TensorFlow is imported once for each interpreter and Keras. A context manager.

    Without a ``cache`` folder nothing is kept. ``jobs`` layers run at a time (default: one on each processor);
    ``progress`` is told how many requests of how many are answered.
    """

    def __init__(self, *, jobs: int | None = None, cache: Path | None = None, progress: Progress | None = None) -> None:
        self._jobs = jobs
        self._progress = progress
        self._cache = Cache(cache) if cache is not None else None
        self._pools: dict[str | None, Pool] = {}
        self._keys: dict[str | None, Keys] = {}
        self._known: dict[str, Trace] = {}
        self._notes: dict[str, None] = {}
        self._outputs: dict[tuple[str, str, int], Output] = {}

    def __enter__(self) -> Tracer:
        return self

    def __exit__(self, *_: object) -> None:
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()

    def run(self, requests: Sequence[TraceRequest], python: str | None = None) -> list[Trace]:
        """The traces of the requests, in their order.

        Raises:
            NoTensorFlow: the interpreter has no TensorFlow, or not the Keras asked for.
        """
        answers: dict[int, Trace] = {}
        questions = self._questions(requests, python, answers)

        def tell(done: int, total: int) -> None:
            if self._progress is not None:
                self._progress(len(requests) - total + done, len(requests))

        self._ask(questions, python, tell, answers)
        # What cannot be told in terms of another place is run at each of them.
        left = [number for number in range(len(requests)) if number not in answers]
        alone = [_Question(requests[number], [(number, None)]) for number in left]
        self._ask(alone, python, tell, answers)
        traces = [answers[number] for number in range(len(requests))]
        for request, trace in zip(requests, traces, strict=True):
            self._remember(request, trace)
        return traces

    @property
    def isolation(self) -> tuple[str, ...]:
        """How the layers that this one told of were cut off from the network."""
        return tuple(self._notes)

    @property
    def outputs(self) -> list[Output]:
        """What layers printed, in the order of files."""
        return sorted(self._outputs.values())

    def _remember(self, request: TraceRequest, trace: Trace) -> None:
        """Keep what is not about findings. Of a layer that runs several times, the first run tells what it prints."""
        self._notes.update(dict.fromkeys(trace.notes))
        name = request.layer or request.function or "module"
        if trace.output.strip():
            output = Output(request.path, name, request.keras, trace.output)
            self._outputs.setdefault((request.path, name, request.keras), output)

    def _ask(
        self, questions: Sequence[_Question], python: str | None, progress: Progress, answers: dict[int, Trace]
    ) -> None:
        if questions:
            traces = self._pool(python).run([question.request for question in questions], progress)
            for question, trace in zip(questions, traces, strict=True):
                answers.update(self._answers(question, trace))

    def _questions(
        self, requests: Sequence[TraceRequest], python: str | None, answers: dict[int, Trace]
    ) -> list[_Question]:
        """What must be run; what need not be is answered."""
        keys = self._keys.setdefault(python, Keys(python))
        questions: dict[object, _Question] = {}
        for number, request in enumerate(requests):
            key = keys.of(request)
            if key is not None and (known := self._find(key)) is not None:
                answers[number] = key.outward(known)
                continue
            name = (key.digest, len(key.slice.lines)) if key is not None else number
            questions.setdefault(name, _Question(request, [])).asked_by.append((number, key))
        return list(questions.values())

    def _find(self, key: Key) -> Trace | None:
        if key.digest not in self._known and self._cache and (data := self._cache.get(key)) is not None:
            # Another version of this tool, or half a file, is as good as nothing.
            with contextlib.suppress(KeyError, TypeError, ValueError, AttributeError):
                self._known[key.digest] = Trace.from_data(data)
        return self._known.get(key.digest)

    def _answers(self, question: _Question, trace: Trace) -> Iterator[tuple[int, Trace]]:
        (first, key), *others = question.asked_by
        yield first, trace
        kept = key.inward(trace) if key is not None else None
        if key is not None and kept is not None and not trace.cut_short:
            self._known[key.digest] = kept
            if self._cache:
                self._cache.put(key, kept)
        if kept is not None:
            yield from ((number, other.outward(kept)) for number, other in others if other is not None)

    def _pool(self, python: str | None) -> Pool:
        if python not in self._pools:
            self._pools[python] = Pool(python, self._jobs or processors())
        return self._pools[python]
