"""What the linter says, as plain data: it pickles, sorts and compares, and holds no syntax tree."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Safety(str, enum.Enum):
    """Whether a fix may be applied without asking.

    ``SAFE`` keeps the numbers and the effects of eager mode, ``UNSAFE`` may change the meaning,
    ``SUGGESTION`` is shown and exported but never applied.
    """

    SAFE = "safe"
    UNSAFE = "unsafe"
    SUGGESTION = "suggestion"


class Status(str, enum.Enum):
    """What real TensorFlow said about a finding."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    UNPROVEN = "unproven"


class Proof(str, enum.Enum):
    """The observation in a traced layer that confirms a finding."""

    RAISES = "raises"  # tracing raises, and the traceback passes through the flagged line
    SWALLOWED = "swallowed"  # tracing raises where eager mode does not, and the user's own `except` hides it
    RUNS_ONCE = "runs-once"  # the line runs at each eager call, but only while tracing in graph mode
    FROZEN = "frozen"  # graph calls repeat one result; eager calls give new ones, or another one
    LEAKS = "leaks"  # a symbolic tensor is left in the layer or in a global after tracing
    GLOBAL_FLAG = "global-flag"  # a process-wide TensorFlow, Keras or NumPy setting differs after tracing
    CONSTRUCTION = "construction"  # building the layer raises
    UNTRACKED = "untracked"  # a variable that the layer keeps is not among its weights
    NONE = "none"  # nothing that one layer does shows it


@dataclass(frozen=True, order=True)
class Edit:
    """Replace the bytes ``start:end`` of the file by ``text``; offsets count bytes of the file as it is on disk."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Fix:
    """Edits that belong together, and how much they can be trusted."""

    message: str
    safety: Safety
    edits: tuple[Edit, ...]


@dataclass(frozen=True)
class Verdict:
    """What running the layer showed: ``because`` is the evidence, ``recipe`` the call that was run.

    ``setup`` are imports that the recipe needs apart from those of the layer's file.
    """

    status: Status
    because: str
    recipe: str | None
    keras: int
    setup: tuple[str, ...] = ()


@dataclass(frozen=True, order=True)
class Entry:
    """What tracing starts from: the function ``root`` of ``layer``, or of no layer.

    ``path`` is the file that defines it where that is not the file that is asked about.
    """

    path: str | None
    layer: str | None
    root: str
    keras: int


@dataclass(frozen=True, order=True)
class Finding:
    """One problem at one place.

    Lines and columns are 1-based and count characters; ``end_column`` is the first column after the span.
    ``route`` names the functions through which tracing reaches the place, entry point first.
    ``layer_path`` is the file that defines ``layer`` (or the entry point) when that is not ``path``.
    A ``suspect`` is what the analysis alone cannot decide: only a trace may report it.
    """

    path: str
    cell: int | None
    line: int
    column: int
    code: str
    end_line: int
    end_column: int
    name: str
    message: str
    layer: str | None
    function: str | None
    route: tuple[str, ...]
    keras: int
    proof: Proof
    layer_path: str | None = None
    suspect: bool = False
    fix: Fix | None = None
    verdict: Verdict | None = None

    @property
    def entry(self) -> Entry | None:
        """What tracing started from when it came by here; None for code that nothing traces."""
        root = self.route[0] if self.route else self.function
        if self.layer is None and root is None:
            return None
        return Entry(self.layer_path, self.layer, root or "call", self.keras)
