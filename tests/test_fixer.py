from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import pytest
from hosts import finding

from tflint_layers import fixer
from tflint_layers.finding import Edit, Finding, Fix, Safety
from tflint_layers.fixer import apply, fix_source
from tflint_layers.settings import Settings

Lint = Callable[[bytes, str, Settings], list[Finding]]


def fixable(
    *edits: Edit, line: int = 1, column: int = 1, safety: Safety = Safety.SAFE, code: str = "TFL101", **more: object
) -> Finding:
    return finding("a.py", line, column, code=code, fix=Fix("fix", safety, edits), **more)


def use(monkeypatch: pytest.MonkeyPatch, lint: Lint) -> None:
    monkeypatch.setattr(fixer, "lint_with_suspects", lint)


def replacing(pattern: bytes, text: str, safety: Safety = Safety.SAFE, code: str = "TFL101", **more: object) -> Lint:
    """A linter that finds a pattern and offers to replace it."""

    def lint(data: bytes, path: str, settings: Settings) -> list[Finding]:
        return [
            fixable(Edit(match.start(), match.end(), text), column=match.start() + 1, safety=safety, code=code, **more)
            for match in re.finditer(pattern, data)
        ]

    return lint


def test_all_fixes_of_a_file_are_applied_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, replacing(rb"bad", "good"))
    result = fix_source(b"bad = 1\nbad = 2", "a.py", Settings())
    assert result.data == b"good = 1\ngood = 2"
    assert (len(result.applied), result.remaining, result.converged) == (2, [], True)


def test_nested_fixes_take_a_round_each(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, replacing(rb"f\((?=(\w+|f\(.*\))\))", "g("))
    nested = fixable(Edit(0, 7, "g(f(x))")), fixable(Edit(2, 6, "g(x)"), column=3)
    applied, data = apply(b"f(f(x))", nested)
    assert (applied, data) == ([nested[0]], b"g(f(x))")
    assert fix_source(b"f(f(x))", "a.py", Settings()).data == b"g(g(x))"


def test_the_same_import_is_inserted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    new_import = Edit(0, 0, "import tensorflow as tf\n")
    fixes = [fixable(new_import, Edit(3, 4, "A")), fixable(new_import, Edit(6, 7, "B"), column=7)]
    applied, data = apply(b"x, y, z\n", fixes)
    assert data == b"import tensorflow as tf\nx, A, B\n"
    assert applied == fixes


def test_the_same_bracket_is_not_merged() -> None:
    outer = fixable(Edit(0, 0, "f("), Edit(1, 1, ")"))
    inner = fixable(Edit(0, 0, "g("), Edit(1, 1, ")"), column=2)
    applied, data = apply(b"x", [outer, inner])
    assert (applied, data) == ([outer], b"f(x)")


def test_order_of_findings_does_not_matter() -> None:
    fixes = [fixable(Edit(4, 5, "B"), column=5), fixable(Edit(0, 1, "A"))]
    assert apply(b"a = b", fixes) == apply(b"a = b", fixes[::-1])


@pytest.mark.parametrize(
    ("safety", "unsafe", "fixed"),
    [
        (Safety.SAFE, False, True),
        (Safety.UNSAFE, False, False),
        (Safety.UNSAFE, True, True),
        (Safety.SUGGESTION, True, False),
    ],
)
def test_safety(monkeypatch: pytest.MonkeyPatch, safety: Safety, unsafe: bool, fixed: bool) -> None:
    use(monkeypatch, replacing(rb"bad", "good", safety))
    result = fix_source(b"bad", "a.py", Settings(), unsafe=unsafe)
    assert (result.data == b"good", bool(result.applied), not result.remaining) == (fixed, fixed, fixed)


@pytest.mark.parametrize(
    ("settings", "fixed"),
    [
        (Settings(unfixable=("TFL1",)), False),
        (Settings(extend_safe_fixes=("numpy-method-on-tensor",)), True),
        (Settings(extend_safe_fixes=("TFL101",), unfixable=("TFL101",)), False),
    ],
)
def test_settings_change_the_safety(monkeypatch: pytest.MonkeyPatch, settings: Settings, fixed: bool) -> None:
    use(monkeypatch, replacing(rb"bad", "good", Safety.UNSAFE))
    assert (fix_source(b"bad", "a.py", settings).data == b"good") is fixed


def test_suspects_and_other_files_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, replacing(rb"bad", "good", suspect=True))
    assert fix_source(b"bad", "a.py", Settings()).data == b"bad"
    use(monkeypatch, replacing(rb"bad", "good"))
    assert fix_source(b"bad", "b.py", Settings()).data == b"bad"


def test_a_syntax_error_takes_the_whole_file_back(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, replacing(rb"bad", "("))
    result = fix_source(b"bad = 1\n", "a.py", Settings())
    assert (result.data, result.applied, result.converged) == (b"bad = 1\n", [], False)
    assert result.problem == (
        "the fixes of TFL101 numpy-method-on-tensor make a syntax error; the file is left as it was."
        " This is a bug of the rules, please report it"
    )


def test_fixes_that_undo_each_other_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def lint(data: bytes, path: str, settings: Settings) -> list[Finding]:
        if data == b"a":
            return [fixable(Edit(0, 1, "b"))]
        return [fixable(Edit(0, 1, "a"), code="TFL201", name="print-in-traced-code")]

    use(monkeypatch, lint)
    result = fix_source(b"a", "a.py", Settings())
    assert (result.data, result.applied, result.converged) == (b"a", [], False)
    assert result.problem == (
        "the fixes of TFL101 numpy-method-on-tensor, TFL201 print-in-traced-code did not converge, they undo each"
        " other; the file is left as it was. This is a bug of the rules, please report it"
    )


def test_fixes_without_end_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, replacing(rb"a$", "aa"))
    result = fix_source(b"a", "a.py", Settings())
    assert (result.data, result.applied, result.converged) == (b"a", [], False)
    assert result.problem is not None
    assert result.problem.startswith("the fixes of TFL101 numpy-method-on-tensor did not converge in 100 rounds")


def test_what_is_accepted_stays_also_when_other_fixes_move_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def lint(data: bytes, path: str, settings: Settings) -> list[Finding]:
        bad = replacing(rb"bad", "much_better")(data, path, settings)
        return [*bad, *replacing(rb"known", "new", code="TFL201")(data, path, settings)]

    def accept(findings: Sequence[Finding]) -> list[Finding]:
        return [finding for finding in findings if finding.code == "TFL201"][:2]

    use(monkeypatch, lint)
    result = fix_source(b"bad(known, bad)+known; known", "a.py", Settings(), accept=accept)
    assert result.data == b"much_better(known, much_better)+known; new"
    assert [finding.column for finding in result.accepted] == [5, 17]
    assert list(result.kept) == result.remaining
    assert [finding.column for finding in result.kept] == [13, 33]


def test_bytes_that_are_not_edited_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, replacing(rb"bad", "two\nlines"))
    data = b"# -*- coding: latin-1 -*-\r\ns = '\xe9'\r\nbad"
    assert fix_source(data, "a.py", Settings()).data == data[:-3] + b"two\r\nlines"


def test_text_that_the_encoding_lacks_is_not_inserted(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, replacing(rb"bad", "'日本'"))
    data = b"# -*- coding: latin-1 -*-\nbad\n"
    assert fix_source(data, "a.py", Settings()).data == data


def test_byte_order_mark_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, replacing(rb"bad", "good"))
    assert fix_source(b"\xef\xbb\xbfbad", "a.py", Settings()).data == b"\xef\xbb\xbfgood"


def test_what_is_proved_counts_as_safe(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, replacing(rb"bad", "good", Safety.UNSAFE))
    asked = []

    def keep(before: bytes, after: bytes, finding: Finding) -> bool:
        asked.append((before, after))
        return True

    assert fix_source(b"bad", "a.py", Settings(), keep=keep).data == b"good"
    assert asked == [(b"bad", b"good")]


def test_what_is_not_proved_is_not_applied(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, replacing(rb"bad", "good"))
    result = fix_source(b"bad", "a.py", Settings(), keep=lambda before, after, finding: False)
    assert (result.data, result.applied, len(result.remaining), result.converged) == (b"bad", [], 1, True)


def test_fixes_of_a_layer_that_pass_only_together_are_applied(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, replacing(rb"bad", "good"))
    result = fix_source(b"bad, bad", "a.py", Settings(), keep=lambda before, after, finding: b"bad" not in after)
    assert result.data == b"good, good"


def test_a_fix_that_fails_does_not_hold_back_another(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, replacing(rb"bad\d", "good"))
    result = fix_source(b"bad1, bad2, bad3", "a.py", Settings(), keep=lambda before, after, finding: b"bad2" in after)
    assert result.data == b"good, bad2, good"
    assert len(result.applied) == 2


def test_a_length_is_cast_where_it_met_a_number_of_numpy() -> None:
    layer = """\
import keras
from keras import ops


class Layer(keras.layers.Layer):
    def call(self, x):
        return x * (ops.mean(x).numpy() * len(x))
"""
    result = fix_source(layer.encode(), "a.py", Settings(keras=3), unsafe=True)
    assert result.data.decode().endswith("return x * (ops.mean(x) * ops.cast(ops.shape(x)[0], x.dtype))\n")


def test_no_choice_is_made_between_whole_numbers_and_floats() -> None:
    layer = """\
import tensorflow as tf


class Layer(tf.keras.layers.Layer):
    def call(self, x):
        return x * (tf.reduce_mean(x) if tf.reduce_sum(x) > 0.0 else int(tf.shape(x)[1]))
"""
    result = fix_source(layer.encode(), "a.py", Settings(keras=3), unsafe=True)
    assert b"tf.where" not in result.data
    assert "TFL104" in {finding.code for finding in result.remaining}


@pytest.mark.parametrize("keras", [2, 3])
def test_sizes_meet_what_was_a_number_of_numpy_as_floats(keras: int) -> None:
    after = "x * (tf.reduce_max(x) * tf.cast(tf.shape(x)[0], x.dtype))"
    assert _returned("x * (np.max(x) * x.shape[0])", keras) == after


@pytest.mark.parametrize("keras", [2, 3])
def test_sizes_are_not_compared_with_numbers_of_an_unknown_dtype(keras: int) -> None:
    for other in ("np.max(x)", "tf.reduce_max(x)"):
        assert "tf.shape" not in _returned(f"tf.where({other} > x.shape[0], x, -x)", keras)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("tf.multiply(x, x.shape[0])", "tf.multiply(x, tf.cast(tf.shape(x)[0], x.dtype))"),
        ("tf.where(x > 0.0, x, x.shape[0])", "tf.where(x > 0.0, x, tf.cast(tf.shape(x)[0], x.dtype))"),
        ("x * tf.maximum(0.5, x.shape[0])", 'x * tf.maximum(0.5, tf.cast(tf.shape(x)[0], "float32"))'),
        ("tf.reshape(x, [tf.maximum(1, x.shape[0]), 8])", "tf.reshape(x, [tf.maximum(1, tf.shape(x)[0]), 8])"),
        ("tf.maximum(-x, x.shape[0])", "tf.maximum(-x, tf.cast(tf.shape(x)[0], x.dtype))"),
        ("tf.maximum(x, y=x.shape[0])", "tf.maximum(x, y=x.shape[0])"),
    ],
)
@pytest.mark.parametrize("keras", [2, 3])
def test_sizes_among_the_operands_of_an_operation_get_their_dtype(before: str, after: str, keras: int) -> None:
    assert _returned(before, keras) == after


@pytest.mark.parametrize("keras", [2, 3])
def test_sizes_in_an_extreme_take_the_dtype_of_what_they_are_compared_with(keras: int) -> None:
    after = "x * tf.maximum(tf.reduce_max(x), tf.cast(tf.shape(x)[0], x.dtype))"
    for other in ("tf.reduce_max(x)", "np.max(x)"):
        assert _returned(f"x * max({other}, x.shape[0])", keras) == after
    assert "tf.shape" not in _returned("x * max(unknown(x), x.shape[0])", keras)


def test_sizes_are_not_stacked_with_an_unknown_dtype() -> None:
    for other in ("tf.reduce_max(x)", "np.max(x)", "0.5"):
        assert "tf.shape" not in _returned(f"x * tf.reduce_sum(tf.stack([{other}, x.shape[0]]))", 3)
    assert _returned("tf.reshape(x, tf.stack([x.shape[0], 8]))", 3) == "tf.reshape(x, tf.stack([tf.shape(x)[0], 8]))"


def test_a_choice_that_no_autograph_sees_may_hold_a_number() -> None:
    choice = "tf.reduce_mean(x).numpy() if tf.reduce_any(x > 0.0) else 2"
    assert _returned(f"x * ({choice})", 3) == "x * tf.where(tf.reduce_any(x > 0.0), tf.reduce_mean(x), 2)"


def test_what_autograph_makes_a_whole_tensor_meets_floats_as_one() -> None:
    assert _returned("x * ((int(tf.shape(x)[1]) - x.shape[0]) * tf.reduce_mean(x).numpy())", 2) == (
        "x * ((tf.cast(int(tf.shape(x)[1]) - tf.shape(x)[0], x.dtype)) * tf.reduce_mean(x))"
    )
    assert _returned("x * (int(tf.shape(x)[1]) * tf.reduce_mean(x).numpy())", 2) == (
        "x * (tf.cast(int(tf.shape(x)[1]), x.dtype) * tf.reduce_mean(x))"
    )
    unknown = "tf.reduce_mean(x).numpy() * len(x)"
    assert _returned(unknown, 2) == unknown


@pytest.mark.parametrize("whole", ["len(x)", "int(tf.shape(x)[1])", "2"])
def test_autograph_gets_no_branches_of_two_dtypes(whole: str) -> None:
    body = f"x * (tf.reduce_mean(x).numpy() if tf.reduce_any(x > 0.0) else {whole})"
    assert _returned(body, 2) == body


def _returned(expression: str, keras: int) -> str:
    head = "import numpy as np\nimport tensorflow as tf\n\n\n"
    head += "class Layer(tf.keras.layers.Layer):\n    def call(self, x):\n"
    tail = "\n\n\nprint(np)\n"
    layer = f"{head}        return {expression}{tail}"
    text = fix_source(layer.encode(), "a.py", Settings(keras=keras), unsafe=True).data.decode()
    return text[len(head) : -len(tail)].removeprefix("        return ")
