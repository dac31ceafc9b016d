"""What is asked of a worker and what it answers, and the JSON in between. Standard library only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

Lines = dict[str, dict[int, int]]
"""How often each line of each watched file ran."""


@dataclass(frozen=True)
class TraceRequest:
    """One layer (or, without ``layer``, one function) to run eagerly and traced.

    ``flagged`` are places (path, line) that a recipe should reach, ``sure`` those that are no mere suspects; ``shown``
    are uses of the layer in other files. ``call`` is the text of a call that builds a layer, where neither layer nor
    function is named; ``fixes`` are what the linter would do about flagged lines, as edits of the text (start, end,
    new text). With ``fixed`` the question is another one: does the layer in that source compute the same as the one in
    ``source``? Where a fix changes a ``helper``, another file that the layer needs, ``helper_texts`` are that file
    before and after it.
    """

    path: str
    source: str
    layer: str | None
    function: str | None
    entry: str
    keras: int
    watch: tuple[str, ...] = ()
    flagged: tuple[tuple[str, int], ...] = ()
    sure: tuple[tuple[str, int], ...] = ()
    example: Mapping[str, Any] | None = None
    shown: tuple[Mapping[str, Any], ...] = ()
    call: str | None = None
    fixes: tuple[tuple[int, tuple[tuple[int, int, str], ...]], ...] = ()
    fixed: str | None = None
    helper: str | None = None
    helper_texts: tuple[str, str] | None = None
    benchmark: bool = False
    timeout: float = 20.0
    memory_mb: int = 4096

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> TraceRequest:
        """The request that :meth:`to_json` wrote."""
        data = json.loads(text)
        data["watch"] = tuple(data["watch"])
        for name in ("flagged", "sure"):
            data[name] = tuple((path, line) for path, line in data[name])
        data["shown"] = tuple(data["shown"])
        data["fixes"] = tuple((line, tuple(tuple(edit) for edit in edits)) for line, edits in data["fixes"])
        data["helper_texts"] = tuple(data["helper_texts"]) if data["helper_texts"] else None
        return cls(**data)


ENDLESS = "TimeLimit"
"""The type of the failure of a trace that had to be stopped."""

MISSING_MODULE = "ModuleNotFoundError"
"""The type of the failure of code that needs what is not installed."""

_LONGEST_MESSAGE = 240


def _first_sentence(message: str) -> str:
    """TensorFlow says what is wrong in its first sentence, and then gives advice by the paragraph."""
    end = message.find(". ", 20)
    if 0 < end < _LONGEST_MESSAGE:
        return message[: end + 1]
    return message if len(message) <= _LONGEST_MESSAGE else message[:_LONGEST_MESSAGE] + "..."


@dataclass(frozen=True)
class Failure:
    """An exception: ``lines`` are the places in watched files that its traceback passes through, innermost last."""

    type: str
    message: str
    lines: tuple[tuple[str, int], ...] = ()

    def __str__(self) -> str:
        return f"{self.type}: {_first_sentence(self.message)}" if self.message else self.type

    def to_data(self) -> dict[str, Any]:
        """What JSON can hold."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: Mapping[str, Any] | None) -> Failure | None:
        """A failure read back from JSON."""
        if data is None:
            return None
        return cls(data["type"], data["message"], tuple((path, line) for path, line in data["lines"]))


@dataclass(frozen=True)
class Run:
    """One instance of the layer, traced once and called three times as a graph.

    ``swallowed`` are exceptions that passed through a line while tracing, whether or not somebody caught them.
    ``stuck`` is Python state that eager calls change and graph calls do not; ``flags`` are changed settings.
    ``differs`` says that deterministic eager and graph calls of the same weights gave different numbers.
    ``later_error`` came after the first trace: from the graph, or from tracing once more. ``eager`` counts eager calls
    where they were made with other arguments than those of the trace as a whole. ``replaced`` are places where tracing
    stopped before, and that were replaced by what eager mode computes there, or left out.
    """

    kind: str
    traced: Lines
    graph: tuple[Lines, ...] = ()
    error: Failure | None = None
    later_error: Failure | None = None
    swallowed: tuple[tuple[str, int, str], ...] = ()
    leaks: tuple[str, ...] = ()
    stuck: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    repeats: bool | None = None
    differs: bool = False
    eager: tuple[Lines, ...] = ()
    replaced: tuple[tuple[str, int], ...] = ()

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Run:
        """A run read back from JSON."""
        return cls(
            kind=data["kind"],
            traced=_lines(data["traced"]),
            graph=tuple(_lines(lines) for lines in data["graph"]),
            error=Failure.from_data(data["error"]),
            later_error=Failure.from_data(data["later_error"]),
            swallowed=tuple((path, line, what) for path, line, what in data["swallowed"]),
            leaks=tuple(data["leaks"]),
            stuck=tuple(data["stuck"]),
            flags=tuple(data["flags"]),
            repeats=data["repeats"],
            differs=data["differs"],
            eager=tuple(_lines(lines) for lines in data["eager"]),
            replaced=tuple((path, line) for path, line in data["replaced"]),
        )


@dataclass(frozen=True)
class Trace:
    """What a worker saw.

    ``stopped`` says why the observation is incomplete: time, memory, a crash, a source that cannot be loaded;
    ``cut_short`` that it may be another one next time.
    ``untracked`` are attributes that hold variables of which the layer knows nothing.
    ``same`` and ``because`` answer whether a fixed layer computes the same; ``other_gradients``: all but them agree;
    ``undecided``: nothing speaks against it either.
    ``varies`` says that eager calls with the same inputs gave different numbers; ``moved`` is state that they changed.
    ``retraces`` says which functions are traced anew in each call, and for which argument.
    ``notes`` say how the process was cut off from the network; ``output`` is what it printed.
    ``construction`` and ``eager_error`` are set when no recipe could build the layer, or run it eagerly.
    """

    keras: int
    recipe: str | None = None
    setup: tuple[str, ...] = ()
    stopped: str | None = None
    cut_short: bool = False
    construction: Failure | None = None
    eager_error: Failure | None = None
    eager: tuple[Lines, ...] = ()
    eager_raised: tuple[tuple[str, int, str], ...] = ()
    varies: bool | None = None
    moved: tuple[str, ...] = ()
    untracked: tuple[str, ...] = ()
    retraces: tuple[str, ...] = ()
    runs: tuple[Run, ...] = ()
    notes: tuple[str, ...] = ()
    output: str = ""
    eager_ms: float | None = None
    graph_ms: float | None = None
    eager_step_ms: float | None = None
    graph_step_ms: float | None = None
    same: bool | None = None
    because: str = ""
    other_gradients: bool = False
    undecided: bool = False
    versions: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Trace:
        """A trace read back from JSON; what the worker did not get to say keeps its default."""
        plain = {name: data[name] for name in _PLAIN if name in data}
        return cls(
            **plain,
            construction=Failure.from_data(data.get("construction")),
            eager_error=Failure.from_data(data.get("eager_error")),
            eager=tuple(_lines(lines) for lines in data.get("eager", ())),
            eager_raised=tuple((path, line, what) for path, line, what in data.get("eager_raised", ())),
            runs=tuple(Run.from_data(run) for run in data.get("runs", ())),
            moved=tuple(data.get("moved", ())),
            setup=tuple(data.get("setup", ())),
            untracked=tuple(data.get("untracked", ())),
            retraces=tuple(data.get("retraces", ())),
            notes=tuple(data.get("notes", ())),
        )


_PLAIN = (
    *(
        "keras",
        "recipe",
        "stopped",
        "cut_short",
        "varies",
        "output",
        "eager_ms",
        "graph_ms",
        "eager_step_ms",
        "graph_step_ms",
    ),
    *("same", "because", "other_gradients", "undecided", "versions"),
)


def _lines(data: Mapping[str, Mapping[str, int]]) -> Lines:
    return {path: {int(line): count for line, count in counts.items()} for path, counts in data.items()}
