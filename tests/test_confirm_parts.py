"""The parts of the confirmation that need no TensorFlow."""

from __future__ import annotations

import ast
import json
from dataclasses import asdict
from pathlib import Path

import pytest

from tflint_layers.confirm.judge import judge, layer_status, place_of
from tflint_layers.confirm.module_slice import ModuleSlice, slice_module
from tflint_layers.confirm.request import Failure, Run, Trace, TraceRequest
from tflint_layers.finding import Finding, Proof, Status

PATH = "/layers.py"
SOURCE = """\
class L:
    def call(self, x):
        self.n += 1
        print(x)
        rows = []
        rows.append(x)
        return stack(
            rows,
            float(x),
        )
"""


def finding(line: int, proof: Proof, suspect: bool = False) -> Finding:
    return Finding(
        path=PATH, cell=None, line=line, column=1, code="TFL999", end_line=line, end_column=2, name="n", message="m",
        layer="L", function="L.call", route=("L.call",), keras=3, proof=proof, suspect=suspect,
    )  # fmt: skip


def lines(*numbers: int) -> dict[str, dict[int, int]]:
    return {PATH: dict.fromkeys(numbers, 1)}


def fails(line: int, message: str = "no value") -> Failure:
    return Failure("TypeError", message, ((PATH, line),))


ALL = lines(3, 4, 5, 6, 7)
EAGER = (ALL, ALL, ALL)
GRAPH: tuple[dict[str, dict[int, int]], ...] = ({}, {}, {})


@pytest.mark.parametrize(
    ("line", "proof", "run", "status", "because"),
    [
        (4, Proof.RUNS_ONCE, Run("built", ALL, GRAPH), "confirmed", "ran in each of 3 eager calls"),
        (4, Proof.RUNS_ONCE, Run("built", ALL, (ALL, ALL, ALL)), "refuted", "keep up"),
        (3, Proof.RUNS_ONCE, Run("built", ALL, GRAPH), "refuted", "keep up"),
        (3, Proof.RUNS_ONCE, Run("built", ALL, GRAPH, stuck=("self.n: 1, 2, 3",)), "confirmed", "self.n: 1, 2, 3"),
        (4, Proof.RUNS_ONCE, Run("built", lines(3), error=fails(3)), "unproven", "tracing stops earlier, at line 3"),
        (4, Proof.RUNS_ONCE, Run("built", lines(3), GRAPH), "unproven", "line 4 was not reached"),
        (9, Proof.RAISES, Run("built", ALL, error=fails(9)), "confirmed", "tracing raises TypeError: no value"),
        (7, Proof.RAISES, Run("built", ALL, error=fails(9)), "confirmed", "tracing raises TypeError: no value"),
        (6, Proof.RAISES, Run("built", ALL, error=fails(8)), "confirmed", "at line 8, which uses what"),
        (4, Proof.RAISES, Run("built", ALL, error=fails(8)), "unproven", "then failed elsewhere, at line 8"),
        (4, Proof.RAISES, Run("built", ALL, GRAPH), "refuted", "nothing raised"),
        (4, Proof.FROZEN, Run("built", ALL, GRAPH, repeats=True), "confirmed", "repeat one result"),
        (4, Proof.FROZEN, Run("built", ALL, GRAPH, repeats=False), "refuted", "new results"),
        (3, Proof.LEAKS, Run("built", ALL, GRAPH, leaks=("self.n (tensor)",)), "confirmed", "left in self.n"),
        (3, Proof.LEAKS, Run("built", ALL, GRAPH), "refuted", "no symbolic tensor"),
        (4, Proof.GLOBAL_FLAG, Run("built", ALL, flags=("floatx: a -> b",)), "confirmed", "floatx: a -> b"),
        (4, Proof.SWALLOWED, Run("built", ALL, swallowed=((PATH, 4, "E: e"),)), "confirmed", "E: e, at line 4"),
        (3, Proof.RAISES, Run("built", ALL, GRAPH, replaced=((PATH, 3),)), "unproven", "was not reached"),
        (4, Proof.RAISES, Run("built", ALL, GRAPH, replaced=((PATH, 3),)), "refuted", "nothing raised"),
        (4, Proof.RAISES, Run("built", ALL, error=fails(4), replaced=((PATH, 3),)), "confirmed", "replacing line 3, "),
        (4, Proof.NONE, Run("built", ALL, GRAPH), "unproven", "one layer cannot show it"),
    ],
)
def test_verdicts(line: int, proof: Proof, run: Run, status: str, because: str) -> None:
    asked = finding(line, proof)
    trace = Trace(3, recipe="L()(x)", eager=EAGER, varies=True, runs=(run,))
    verdict = judge(asked, place_of(asked, PATH, SOURCE), trace)
    assert (verdict.status.value, verdict.recipe, verdict.keras) == (status, "L()(x)", 3)
    assert because in verdict.because


@pytest.mark.parametrize(
    ("trace", "status", "because"),
    [
        (Trace(3, construction=fails(4)), "confirmed", "building the layer raises TypeError"),
        (Trace(3, construction=fails(3)), "unproven", "it could not be built: TypeError: no value (line 3)"),
        (Trace(3, eager_error=fails(4, "does not support item assignment")), "confirmed", "raises TypeError"),
        (Trace(3, eager_error=fails(4, "shapes differ")), "unproven", "no input makes it run: TypeError: shapes"),
        # Another input may have what this one lacks.
        (Trace(3, eager_error=fails(4, "'Tensor' object has no attribute 'indices'")), "unproven", "no input makes"),
        (Trace(3, stopped="did not end within 5 s"), "unproven", "did not end within 5 s"),
    ],
)
def test_verdicts_on_layers_that_do_not_run(trace: Trace, status: str, because: str) -> None:
    asked = finding(4, Proof.RAISES)
    verdict = judge(asked, place_of(asked, PATH, SOURCE), trace)
    assert verdict.status.value == status
    assert because in verdict.because


def test_a_suspect_needs_its_own_line_to_raise() -> None:
    asked = finding(6, Proof.RAISES, suspect=True)
    trace = Trace(3, eager=EAGER, runs=(Run("built", ALL, error=fails(8)),))
    assert judge(asked, place_of(asked, PATH, SOURCE), trace).status is Status.UNPROVEN


def test_an_unfinished_trace_refutes_nothing() -> None:
    asked = finding(4, Proof.RAISES)
    trace = Trace(3, eager=EAGER, runs=(Run("built", ALL, GRAPH),), stopped="did not end")
    assert judge(asked, place_of(asked, PATH, SOURCE), trace).status is Status.UNPROVEN


def test_the_status_of_a_layer() -> None:
    assert layer_status(Trace(3, runs=(Run("built", ALL, GRAPH),)))[0] == "traces"
    assert layer_status(Trace(3, runs=(Run("built", ALL, error=fails(9)),))) == (
        "fails", "tracing raises TypeError: no value", 9,
    )  # fmt: skip
    assert layer_status(Trace(3, stopped="crashed"))[0] == "unproven"


def test_requests_and_traces_survive_json() -> None:
    request = TraceRequest("/a.py", "x = 'ü'", "L", None, "call", 3, ("/a.py",), (("/a.py", 3),), (), {"init": "L()"})
    assert TraceRequest.from_json(request.to_json()) == request
    swallowed, replaced = ((PATH, 3, "E"),), ((PATH, 4),)
    run = Run("built", ALL, GRAPH, fails(3), None, swallowed, ("a",), ("b",), ("c",), True, True, (ALL,), replaced)
    trace = Trace(
        keras=2, recipe="L()", setup=("import a",), cut_short=True, eager_error=fails(4), eager=EAGER, varies=True,
        output="said",
        moved=("n",), untracked=("self.w",), runs=(run,), notes=("note",), eager_ms=1.5, graph_ms=0.5, same=True,
        because="so",
    )  # fmt: skip
    assert Trace.from_data(json.loads(json.dumps(asdict(trace)))) == trace


def test_a_missing_module_is_not_the_fault_of_a_layer() -> None:
    missing = Failure("ModuleNotFoundError", "it needs text_tools", ((PATH, 9),))
    trace = Trace(3, recipe="L()(x)", eager=EAGER, runs=(Run("built", ALL, error=missing),))
    verdict = judge(finding(9, Proof.RAISES), place_of(finding(9, Proof.RAISES), PATH, SOURCE), trace)
    assert verdict.status is Status.UNPROVEN
    assert layer_status(trace)[:2] == (
        "unproven",
        "tracing needs what is not installed: ModuleNotFoundError: it needs text_tools",
    )


# --- slices


def test_a_slice_keeps_definitions_only() -> None:
    kept, skipped = slice_module(
        ast.parse(
            "from __future__ import annotations\n"
            "import os\n"
            "log = logging.getLogger(__name__)\n"
            "layers = tf.keras.layers\n"
            "N: int = 3\n"
            "model = Sequential([])\n"
            "model.fit(1)\n"
            "try:\n    import x\nexcept ImportError:\n    x = None\n"
            "if TYPE_CHECKING:\n    import y\n"
            "for i in range(3):\n    train()\n"
            "with open('f') as g:\n    h = g.read()\n"
            "if __name__ == '__main__':\n    main()\n"
            "if backend() == 'tf':\n    from b import Base\nelif backend() == 'jax':\n    import jax\n"
            "else:\n    raise E\n"
            "if ask() == 'y':\n    shoot()\n"
            "class A: pass\n"
            "def f(): pass\n"
        )
    )
    text = ast.unparse(kept)
    for gone in ("Sequential", "fit", "train", "open", "main", "shoot"):
        assert gone not in text
    for there in (
        "import os",
        "getLogger",
        "layers = ",
        "N: int",
        "import x",
        "import y",
        "import Base",
        "class A",
        "def f",
    ):
        assert there in text
    assert skipped == {"model": 6, "i": 14, "g": 16, "h": 16}


def test_a_slice_survives_what_cannot_be_defined(tmp_path: Path) -> None:
    source = "import absent_module\nfrom os import path, absent\nclass A(absent_module.B): pass\nclass C: pass\n"
    path = tmp_path / "sliced.py"
    path.write_text(source)
    module = ModuleSlice(str(path), source).load()
    assert module.C is not None
    assert module.path is not None
    for name in ("absent_module", "absent", "A"):
        with pytest.raises(ImportError, match="could not be defined"):
            getattr(module, name)()
