"""What is traced once only: unchanged layers of another run, identical layers of the same one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tflint_layers.confirm import Tracer, tracer
from tflint_layers.confirm.content import slice_of
from tflint_layers.confirm.environment import environment_of
from tflint_layers.confirm.neighbours import Neighbours
from tflint_layers.confirm.request import Failure, Run, Trace, TraceRequest

SOURCE = """\
import keras
import tensorflow as tf

SIZE = 3
OTHER = 4


class Other(keras.layers.Layer):
    def call(self, inputs):
        return inputs * OTHER


def twice(x):
    return x * 2


class Scale(keras.layers.Layer):
    def __init__(self, units):
        super().__init__()

    def call(self, inputs):
        return twice(inputs).numpy() * SIZE


layer = Scale(SIZE)
"""


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[TraceRequest]:
    """The requests that came through to a worker, which finds that the last line of the layer's `call` fails."""
    asked: list[TraceRequest] = []

    class Worker:
        def __init__(self, python: str | None, jobs: int) -> None: ...

        def run(self, requests: Sequence[TraceRequest], progress: object) -> list[Trace]:
            asked.extend(requests)
            return [answer(request) for request in requests]

        def close(self) -> None: ...

    monkeypatch.setattr(tracer, "Pool", Worker)
    return asked


def answer(request: TraceRequest) -> Trace:
    line = 1 + next(n for n, text in enumerate(request.source.splitlines()) if "numpy()" in text)
    failure = Failure("AttributeError", f"at line {line} no numpy", ((request.path, line),))
    return Trace(request.keras, "Scale(3)(x)", runs=(Run("built", {request.path: {line: 1}}, error=failure),))


def request(path: str = "/nowhere/layers.py", source: str = SOURCE, **changes: object) -> TraceRequest:
    made = TraceRequest(path, source, "Scale", None, "call", 3, (path,), ((path, 22),))
    return replace(made, **changes)  # type: ignore[arg-type]


def test_a_slice_holds_what_a_layer_needs() -> None:
    own = slice_of(SOURCE, "Scale")
    assert "class Scale" in own.text
    assert "def twice" in own.text
    assert "SIZE = 3" in own.text
    assert "layer = Scale(SIZE)" in own.text
    assert "Other" not in own.text
    assert own.text.splitlines()[own.numbers[22] - 1].strip() == "return twice(inputs).numpy() * SIZE"
    assert slice_of(SOURCE, "Absent").text.count("class") == 2


def test_an_unchanged_layer_is_not_run_again(ran: list[TraceRequest], tmp_path: Path) -> None:
    with Tracer(cache=tmp_path) as first:
        (before,) = first.run([request()])
    with Tracer(cache=tmp_path) as second:
        (after,) = second.run([request()])
    assert len(ran) == 1
    assert after == before == answer(request())


def test_a_layer_that_moved_is_not_run_again(ran: list[TraceRequest], tmp_path: Path) -> None:
    moved = SOURCE.replace("OTHER = 4\n", "OTHER = 5\n\n\n")
    with Tracer(cache=tmp_path) as run:
        run.run([request()])
        (after,) = run.run([request(source=moved, flagged=(("/nowhere/layers.py", 24),))])
    assert len(ran) == 1
    assert after == answer(request(source=moved))
    assert "at line 24 no numpy" in str(after.runs[0].error)


@pytest.mark.parametrize(
    "changes",
    [
        {"source": SOURCE.replace("x * 2", "x * 3")},
        {"source": SOURCE.replace("SIZE = 3", "SIZE = 4")},
        {"source": SOURCE + "print(Scale(5))\n"},
        {"source": SOURCE + "keras.Input(shape=(3, 4))\n"},
        {"keras": 2},
        {"entry": "train_step"},
        {"example": {"init": "Scale(9)"}},
        {"fixed": SOURCE.replace(".numpy()", "")},
        {"flagged": ()},
    ],
)
def test_a_changed_question_is_asked(ran: list[TraceRequest], tmp_path: Path, changes: dict[str, object]) -> None:
    with Tracer(cache=tmp_path) as run:
        run.run([request()])
        run.run([request(**changes)])
    assert len(ran) == 2


def test_identical_layers_are_run_once(ran: list[TraceRequest]) -> None:
    with Tracer() as run:
        one, other = run.run([request(), request("/nowhere/copy.py", flagged=(("/nowhere/copy.py", 22),))])
    assert len(ran) == 1
    assert one == answer(ran[0])
    assert other == answer(request("/nowhere/copy.py"))


def test_what_ran_elsewhere_in_the_file_is_not_kept(ran: list[TraceRequest], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "answer", lambda r: Trace(3, runs=(Run("built", {r.path: {10: 1}}),)))
    with Tracer() as run:
        run.run([request(), request("/nowhere/copy.py", flagged=(("/nowhere/copy.py", 22),))])
        run.run([request()])
    assert len(ran) == 3


@pytest.mark.parametrize(("trace", "times"), [({"stopped": "ended"}, 1), ({"stopped": "slow", "cut_short": True}, 2)])
def test_what_may_end_otherwise_is_not_kept(
    ran: list[TraceRequest], monkeypatch: pytest.MonkeyPatch, trace: dict[str, object], times: int
) -> None:
    monkeypatch.setitem(globals(), "answer", lambda r: Trace(3, **trace))
    with Tracer() as run:
        run.run([request()])
        run.run([request()])
    assert len(ran) == times


def test_times_are_measured_anew(ran: list[TraceRequest]) -> None:
    with Tracer() as run:
        for _ in range(2):
            run.run([request(benchmark=True)])
    assert len(ran) == 2


def test_a_damaged_cache_is_no_cache(ran: list[TraceRequest], tmp_path: Path) -> None:
    for text in ("", "[]", '{"keras": 3, "runs": [1]}'):
        with Tracer(cache=tmp_path) as run:
            assert run.run([request()]) == [answer(request())]
        for file in tmp_path.glob("traces/*/*"):
            file.write_text(text)
    assert len(ran) == 3


def test_what_a_layer_imports_counts(ran: list[TraceRequest], tmp_path: Path) -> None:
    helper = tmp_path / "helpers.py"
    helper.write_text("from deeper import *\n")
    (tmp_path / "deeper.py").write_text("FACTOR = 1\n")
    path = str(tmp_path / "layers.py")
    asked = request(path, SOURCE.replace("def twice(x):", "from helpers import FACTOR\ndef twice(x):"))
    for text in ("FACTOR = 1\n", "FACTOR = 2\n", "FACTOR = 1\n"):
        (tmp_path / "deeper.py").write_text(text)
        with Tracer(cache=tmp_path / "cache") as run:
            run.run([asked])
    assert len(ran) == 2


def test_neighbours_of_a_file_in_a_package(tmp_path: Path) -> None:
    package = tmp_path / "project" / "nets"
    package.mkdir(parents=True)
    for name in ("__init__", "layers", "helpers", "losses", "unused"):
        (package / f"{name}.py").write_text("")
    text = "import numpy\nfrom .helpers import (\n    scale,\n)\nfrom nets import losses as l\n"
    found = Neighbours(()).of(str(package / "layers.py"), text)
    assert [Path(path).stem for path, _ in found] == ["__init__", "helpers", "losses"]


def test_an_interpreter_that_cannot_be_asked() -> None:
    assert environment_of("/nowhere/python") is None
