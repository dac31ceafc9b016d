"""A file as its bytes tell: lines, and what else is read before there is a syntax tree."""

from __future__ import annotations

import pytest

from tflint_layers.model.imports import keras_of_names
from tflint_layers.source import Source


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", [""]),
        (b"a", ["a", ""]),
        (b"a\r\rb\r\n\nc\n", ["a\r", "\r", "b\r\n", "\n", "c\n", ""]),
        # What else Unicode takes for the end of a line is none to Python.
        ("a\x0c\x1cb\x85c\u2028d\n".encode(), ["a\x0c\x1cb\x85c\u2028d\n", ""]),
    ],
)
def test_lines_end_where_they_end_for_the_parser(data: bytes, lines: list[str]) -> None:
    source = Source.from_bytes(data)
    assert source.lines == lines
    assert "".join(source.lines) == source.text


@pytest.mark.parametrize(
    ("names", "keras"),
    [
        (["os", "tf_keras"], 2),
        (["tensorflow.python.keras.layers.Dense"], 2),
        (["keras.ops", "numpy"], 3),
        (["keras.ops.cast", "tf_keras.layers"], 2),
        (["keras.layers", "keras.ops_like", "tf_keras_models"], None),
    ],
)
def test_the_keras_that_imported_names_give_away(names: list[str], keras: int | None) -> None:
    assert keras_of_names(names) == keras


def test_places_are_on_the_lines_that_the_parser_counts() -> None:
    text = "a = 1\rb = [\r\n    2,\n]\nc = 1 # b\r"
    source = Source.from_bytes(text.encode(), "lines.py")
    places = sorted(place for word in ("b =", "]", "#") for place in source.places_of(word))
    numbers = list(source.line_numbers(places))
    assert numbers == [2, 4, 5]
    assert [node.lineno for node in source.tree.body] == [1, 2, 5]
