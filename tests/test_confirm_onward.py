"""Beyond the first exception: each finding of a layer gets a verdict of its own."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest

from tflint_layers.confirm import confirm, trace_layer
from tflint_layers.confirm.neutralise import STAND_IN, left_out, stand_ins_for
from tflint_layers.finding import Status
from tflint_layers.linter import lint_with_suspects
from tflint_layers.settings import Settings


def call(line: str, number: int = 0) -> str:
    return f"{STAND_IN}({number}, lambda: {line})"


@pytest.mark.parametrize(
    ("line", "failing", "repaired"),
    [
        ("a = float(x) + 1", "float(x)", f"a = {call('(float(x))')} + 1"),
        ("a = float(x) + 1", None, f"a = {call('(float(x) + 1)')}"),
        ("a, b = x", "a, b", f"a, b = {call('tuple(x)')}"),
        ("if x:\n        pass", "x", f"if {call('bool(x)')}:\n        pass"),
        ("b = not x", "x", f"b = not {call('bool(x)')}"),
        ("while x > 0:\n        break", None, f"while {call('bool(x > 0)')}:\n        break"),
        ("for r in x:\n        pass", "x", f"for r in {call('list(x)')}:\n        pass"),
        ("c = [r for r in x if r]", "x", f"c = [r for r in {call('list(x)')} if r]"),
        ("assert x, 'no'", None, f"assert {call('bool(x)')}, 'no'"),
        ("é = ('é', int(x))", "int(x)", f"é = ('é', {call('(int(x))')})"),
        ("print(f'{int(x)}')", "int(x)", f"{call('''(print(f'{int(x)}'))''')}"),
        ("x[0] = 1", "x[0]", "x[0] = " + call("(1)")),
        ("del x[0]", None, "pass"),
        ("with x: pass", None, None),
        ("a = (b := x)", None, None),
        ("a = super().f(x)", None, None),
    ],
)
def test_what_fails_is_replaced(line: str, failing: str | None, repaired: str | None) -> None:
    source = f"def f(x):\n    {line}\n    return x\n"
    span = None
    if failing is not None:
        start = len(f"    {line}"[: f"    {line}".index(failing)].encode())
        span = (2, 2, start, start + len(failing.encode()))
    repairs = list(stand_ins_for(source, 2, span, 0))
    assert (repairs[0].apply(source) if repairs else None) == (
        None if repaired is None else source.replace(line, repaired)
    )


def test_a_repair_keeps_the_lines() -> None:
    source = "def f(x):\r\n    print(\r\n        x,\r\n    )\r\n    return (x +\r\n        1)\r\n"
    (dropped,) = left_out(source, 3)
    text = dropped.apply(source)
    assert text is not None
    assert ast.parse(text).body[0].body[1].lineno == 5  # type: ignore[attr-defined]
    (wrapped,) = stand_ins_for(source, 5, None, 3)
    assert wrapped.apply(source) == source.replace("x +\r\n        1", f"{STAND_IN}(3, lambda: (x +\r\n        1))")


MANY = """\
import keras
import numpy as np
import tensorflow as tf


class Many(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.calls = 0
        self.seen = []

    def call(self, inputs):
        total = tf.reduce_sum(inputs).numpy()
        scale = float(tf.reduce_max(inputs).numpy()) + total
        print("sum", total)
        self.calls += int(tf.reduce_sum(inputs).numpy())
        self.seen.append(inputs * scale)
        noise = np.random.normal()
        return tf.reshape(inputs, [inputs.shape[0], 8]) + noise


class Refused(keras.layers.Layer):
    def call(self, inputs):
        inputs[0] = 0.0
        print("there")
        return inputs - inputs.numpy().mean()
"""

DYNAMIC = """

class Dynamic(keras.layers.Layer):
    def __init__(self):
        super().__init__(dynamic=True)

    def call(self, inputs):
        print("here")
        return inputs * float(tf.reduce_mean(inputs))
"""


@pytest.mark.tensorflow
def test_every_finding_of_a_layer_is_judged(keras: int, tmp_path: Path) -> None:
    path = tmp_path / "many.py"
    path.write_text(MANY + (DYNAMIC if keras == 3 else ""))
    data = path.read_bytes()
    found = [f for f in lint_with_suspects(data, str(path), Settings(keras=keras)) if not f.suspect]
    judged = confirm(found, {str(path): data})
    assert [(f.line, f.code, f.verdict) for f in judged if not f.verdict or f.verdict.status != Status.CONFIRMED] == []
    assert {f.line for f in judged} >= {13, 14, 15, 16, 17, 18, 19, 24, 25, 26} | (
        {31, 34, 35} if keras == 3 else set()
    )
    because = {f.line: f.verdict.because for f in judged if f.verdict}
    assert because[13].endswith("has no attribute 'numpy'")
    assert because[14].endswith("(after replacing line 13, where tracing stops)")
    assert "after replacing lines 13, 14" in because[18]


@pytest.mark.tensorflow
def test_the_status_of_a_layer_is_that_of_its_own_code(tmp_path: Path) -> None:
    result = trace_layer(MANY.encode(), str(tmp_path / "many.py"), "Many")
    assert (result.status, result.line) == ("fails", 13)


@pytest.mark.tensorflow
def test_what_follows_a_replaced_line_can_be_refuted(tmp_path: Path) -> None:
    source = b"""\
import keras
import tensorflow as tf


class Layer(keras.layers.Layer):
    def call(self, inputs):
        mean = tf.reduce_mean(inputs).numpy()
        print(mean)
        return inputs * float(mean)
"""
    path = str(tmp_path / "layer.py")
    (first, *others) = [f for f in lint_with_suspects(source, path, Settings(keras=3)) if f.code == "TFL101"]
    assert others == []
    doubtful = replace(first, line=9, end_line=9, column=25, end_column=36)
    judged = confirm([first, doubtful], {path: source})
    assert [f.verdict and f.verdict.status for f in judged] == [Status.CONFIRMED, Status.REFUTED]


ENDLESS = """\
import keras
import tensorflow as tf


class Loop(keras.layers.Layer):
    def call(self, inputs):
        total = 0.0
        for row in tf.data.Dataset.from_tensor_slices(inputs):
            total += tf.reduce_sum(row)
        return inputs + total
"""
ENDED_OTHERWISE = """\
import keras
import tensorflow as tf


class Loop(keras.layers.Layer):
    def call(self, inputs):
        total = 0.0
        try:
            for row in tf.data.Dataset.from_tensor_slices(inputs):
                total += tf.reduce_sum(row)
        except BaseException as error:
            raise SystemError("bad argument to internal function") from error
        return inputs + total
"""


@pytest.mark.tensorflow
@pytest.mark.parametrize("text", [ENDLESS, ENDED_OTHERWISE], ids=["endless", "ended by another exception"])
def test_tracing_without_end(text: str, tmp_path: Path) -> None:
    source = text.encode()
    path = str(tmp_path / "layer.py")
    (found,) = lint_with_suspects(source, path, Settings(keras=3))
    (judged,) = confirm([found], {path: source}, timeout=8.0)
    assert judged.verdict is not None
    assert judged.verdict.status is Status.CONFIRMED
    assert judged.verdict.because.startswith("tracing does not end: it was not done after ")
    assert trace_layer(source, path, "Loop", timeout=4.0).status == "unproven"
