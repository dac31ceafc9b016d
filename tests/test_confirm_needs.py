"""What the statements of a module set and need."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tflint_layers.confirm.excerpt import excerpt_of
from tflint_layers.confirm.needs import bound_names, needed


@pytest.mark.parametrize(
    ("statement", "names"),
    [
        ("def f(x, y=1):\n    z = x", {"f"}),
        ("import a.b, c as d", {"a", "d"}),
        ("from a import b as c, d", {"c", "d"}),
        ("from a import *", {"*"}),
        ("a, (b, *c) = d", {"a", "b", "c"}),
        ("a[b] = c.d = e", {"a"}),  # of a table, an entry
        ("rows = [row for row in (all := table)]", {"rows", "all"}),
        ("try:\n    import a\nexcept ImportError:\n    a = b = None", {"a", "b"}),
        ("if x:\n    def f():\n        y = 1\nelse:\n    class C:\n        z = 1", {"f", "C"}),
        ("f = lambda: (x := 1)", {"f"}),
    ],
)
def test_the_names_that_a_statement_sets(statement: str, names: set[str]) -> None:
    assert bound_names(ast.parse(statement).body[0]) == names


def test_what_is_needed_needs_more() -> None:
    binds = [{"a"}, {"b"}, {"c"}, {"d"}, {"e"}]
    words = [{"b"}, {"c"}, {"c"}, {"e"}, set[str]()]
    assert needed(binds, words, {"a"}) == [0, 1, 2]
    assert needed(binds, words, {"b"}, given=[3]) == [1, 2, 3, 4]


def test_an_import_of_everything_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "layers.py"
    source = "from tensorflow.keras.layers import *\n\n\nclass L(Layer):\n    pass\n"
    path.write_text(source)
    assert list(excerpt_of(str(path), source, {"L"}).imports) == ["from tensorflow.keras.layers import *"]
