"""A number of Python takes the dtype of the tensor that it meets, and so must what a fix puts in its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from tflint_layers.confirm import FixQuestion, prove_fixes
from tflint_layers.fixer import fix_source
from tflint_layers.settings import Settings

HEADER = {
    "tf": "import math\nimport random\n\nimport keras\nimport numpy as np\nimport tensorflow as tf\n",
    "ops": "import math\nimport random\n\nimport keras\nimport numpy as np\nfrom keras import ops\n",
}
CLASS = """

class L(keras.layers.Layer):
    rate = 0.5

    def call(self, x):
"""
# What the body of `call` becomes, line by line.
BODIES = {
    "tf": [
        ("return x / float(tf.shape(x)[0])", "return x / tf.cast(tf.shape(x)[0], x.dtype)"),
        ("n = float(tf.shape(x)[0])\nreturn x / n", "n = tf.cast(tf.shape(x)[0], x.dtype)\nreturn x / n"),
        (
            "n = float(tf.shape(x)[0])\nx = x - tf.reduce_mean(x)\nreturn x / n",
            "n = tf.cast(tf.shape(x)[0], x.dtype)\nx = x - tf.reduce_mean(x)\nreturn x / n",
        ),
        (
            "return tf.reduce_sum(x, axis=0) / float(tf.shape(x)[0])",
            "return tf.reduce_sum(x, axis=0) / tf.cast(tf.shape(x)[0], x.dtype)",
        ),
        (
            "scale = 1.0 / math.sqrt(tf.shape(x)[0])\nreturn x * scale",
            "scale = 1.0 / tf.sqrt(tf.cast(tf.shape(x)[0], x.dtype))\nreturn x * scale",
        ),
        ("return tf.multiply(x, 1.0 / x.shape[0])", "return tf.multiply(x, 1.0 / tf.cast(tf.shape(x)[0], x.dtype))"),
        ("return x + math.pi * x.shape[0]", "return x + math.pi * tf.cast(tf.shape(x)[0], x.dtype)"),
        (
            "return x * max(1.0, float(tf.shape(x)[0]))",
            "return x * tf.maximum(tf.cast(tf.shape(x)[0], x.dtype), 1.0)",
        ),
        (
            "m = float(tf.reduce_mean(x))\nreturn tf.clip_by_value(x, -m, m)",
            "m = tf.cast(tf.reduce_mean(x), x.dtype)\nreturn tf.clip_by_value(x, -m, m)",
        ),
        (
            "d = float(tf.shape(x)[-1])\nreturn tf.matmul(x, x, transpose_b=True) / math.sqrt(d)",
            "d = tf.cast(tf.shape(x)[-1], x.dtype)\nreturn tf.matmul(x, x, transpose_b=True) / tf.sqrt(d)",
        ),
        (
            "return float(tf.shape(x)[0]) * tf.ones([3], 'float64')",
            "return tf.cast(tf.shape(x)[0], 'float64') * tf.ones([3], 'float64')",
        ),
        ("return x * np.float32(tf.reduce_max(x))", "return x * tf.cast(tf.reduce_max(x), x.dtype)"),
        (
            "noise = np.random.normal(size=8)\nreturn x + noise",
            "noise = tf.random.normal((8,), dtype=x.dtype)\nreturn x + noise",
        ),
        ("return float(tf.shape(x)[0])", 'return tf.cast(tf.shape(x)[0], "float32")'),
    ],
    "ops": [
        ("return x / float(ops.shape(x)[0])", 'return x / ops.cast(ops.shape(x)[0], x.dtype)'),
        ("n = x.shape[0]\nreturn ops.sum(x) / n", "n = ops.shape(x)[0]\nreturn ops.sum(x) / ops.cast(n, x.dtype)"),
        ("return x * max(1.0, float(ops.max(x)))", "return x * ops.maximum(1.0, ops.cast(ops.max(x), x.dtype))"),
        (
            "return ops.abs(x) + random.gauss(0.0, 1.0)",
            "return ops.abs(x) + keras.random.normal((), mean=0.0, stddev=1.0, dtype=x.dtype)",
        ),
    ],
}  # fmt: skip
CASES = [(style, *case) for style, cases in BODIES.items() for case in cases]


def layer(style: str, body: str) -> bytes:
    lines = "".join(f"        {line}\n" for line in body.splitlines())
    return (HEADER[style] + CLASS + lines).encode()


def fixed(style: str, body: str) -> bytes:
    return fix_source(layer(style, body), "layer.py", Settings(keras=3), unsafe=True).data


@pytest.mark.parametrize(("style", "body", "expected"), CASES)
def test_numbers_are_cast_to_the_dtype_of_what_they_meet(style: str, body: str, expected: str) -> None:
    text = fixed(style, body).decode()
    new = text[text.index(CLASS) + len(CLASS) :]
    assert "\n".join(line[8:] for line in new.splitlines()) == expected


@pytest.mark.tensorflow
@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_layers_of_any_precision_agree_with_the_original(tmp_path: Path, dtype: str) -> None:
    questions = []
    for number, (style, body, _) in enumerate(CASES):
        path = str(tmp_path / f"layer{number}.py")
        questions.append(FixQuestion(layer(style, body), fixed(style, body), path, "L"))
    inputs = [{"shape": [4, 8], "dtype": dtype}]
    examples = {f"layer{number}:L": {"init": f"L(dtype={dtype!r})", "inputs": inputs} for number in range(len(CASES))}
    proofs = prove_fixes(questions, examples=examples)
    wrong = [
        (body, proof.because)
        for (_, body, _), proof in zip(CASES, proofs, strict=True)
        if not proof.ok and not proof.other_gradients
    ]
    assert wrong == []
    assert all(f"L(dtype='{dtype}')" in (proof.recipe or "") for proof in proofs)
