"""Fixes write names that stand for the library where they are read, and the line endings of the file."""

from __future__ import annotations

import pytest

from tflint_layers.fixer import fix_source
from tflint_layers.settings import Settings

CLASS = "\n\nclass L(keras.layers.Layer):\n    def call(self, x):\n"


def fixed(head: str, body: str, keras: int = 3) -> str:
    lines = "".join(f"        {line}\n" for line in body.splitlines())
    data = (head + CLASS + lines).encode()
    result = fix_source(data, "layer.py", Settings(keras=keras), unsafe=True)
    assert fix_source(result.data, "layer.py", Settings(keras=keras), unsafe=True).data == result.data
    return result.data.decode()


@pytest.mark.parametrize(
    ("head", "body", "expected"),
    [
        (
            "from typing import TYPE_CHECKING\n\nimport keras\n\nif TYPE_CHECKING:\n    import tensorflow as tf",
            'print("a")\nreturn x',
            ["import keras\nimport tensorflow as tf\n\nif TYPE", '        tf.print("a")'],
        ),
        (
            "import typing\n\nimport keras\nimport numpy as np\n\n"
            "if typing.TYPE_CHECKING:\n    from keras import ops\n",
            "y: ops.Tensor = x\nreturn np.square(y)",
            ["return keras.ops.square(y)"],
        ),
        (
            "import keras\nimport tensorflow as tf\n",
            'print("a")\ntf = 2.0\nreturn x * tf',
            ["import tensorflow\n", '        tensorflow.print("a")\n        tf = 2.0'],
        ),
        (
            "import keras\n",
            'print("a")\nimport tensorflow as tf\n\nreturn tf.abs(x)',
            ["import tensorflow\n", '        tensorflow.print("a")\n        import tensorflow as tf'],
        ),
    ],
)
def test_names_stand_for_the_library_where_they_are_read(head: str, body: str, expected: list[str]) -> None:
    text = fixed(head, body)
    assert [part for part in expected if part not in text] == [], text


def test_the_lines_of_a_rewritten_call_end_as_before() -> None:
    head = "import keras\nimport tensorflow as tf\n"
    body = 'print(\n    "x",  # why\n    x,\n    flush=True,\n)\nreturn x'
    lines = "".join(f"        {line}\n" for line in body.splitlines())
    data = (head + CLASS + lines).replace("\n", "\r\n").encode()
    result = fix_source(data, "layer.py", Settings(keras=3), unsafe=True)
    assert result.data.decode() == fixed(head, body).replace("\n", "\r\n")


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        ("Lambda(lambda x: np.square(x))", "Lambda(lambda x: tf.square(x))"),
        ("Lambda(lambda x: np.square(x), name='a')", "Lambda(lambda x: tf.square(x), name='a')"),
        (
            "Lambda(function=lambda t: float(tf.reduce_sum(t)))",
            'Lambda(function=lambda t: tf.cast(tf.reduce_sum(t), "float32"))',
        ),
    ],
)
def test_what_a_lambda_returns_goes_to_keras(layer: str, expected: str) -> None:
    data = (
        f"import numpy as np\nimport tensorflow as tf\nfrom tensorflow import keras\n\nlayer = keras.layers.{layer}\n"
    )
    result = fix_source(data.encode(), "layer.py", Settings(keras=3), unsafe=True)
    assert f"layer = keras.layers.{expected}\n" in result.data.decode()


def test_a_lambda_that_others_call_is_left_alone() -> None:
    data = (
        b"import numpy as np\nfrom tensorflow import keras\n\nsquare = lambda x: np.square(x)\n"
        b"layer = keras.layers.Lambda(square)\nprint(square(3.0).item())\n"
    )
    assert fix_source(data, "layer.py", Settings(keras=3), unsafe=True).data == data
