"""What the fixes make of single layers, and what they leave alone, with the reason."""

# ruff: noqa: E501 - one case a line
from __future__ import annotations

import ast

import pytest

from tflint_layers.finding import Safety
from tflint_layers.fixer import fix_source
from tflint_layers.linter import lint_source
from tflint_layers.settings import Settings

HEAD = """\
import math
import random

import numpy as np
import tensorflow as tf
from tensorflow import keras


class L(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.rate = 0.5
        self.scales = [1.0, 2.0]
        self.items = ["a", "b"]
        self.dense = keras.layers.Dense(3)

    def build(self, input_shape):
        self.w = self.add_weight(shape=(), name="w")

    def call(self, inputs, training=None):
"""
TAIL = "\n\n\nprint(math, random, np, tf)\n"  # the imports stay in use


def layer(body: str) -> bytes:
    lines = "\n".join(f"        {line}" if line else "" for line in body.splitlines())
    return (HEAD + lines + TAIL).encode()


def fixed(body: str, keras: int = 3, *, unsafe: bool = True) -> str:
    data = layer(body)
    result = fix_source(data, "layer.py", Settings(keras=keras), unsafe=unsafe)
    text = result.data.decode()
    assert text.startswith(HEAD), text
    again = fix_source(result.data, "layer.py", Settings(keras=keras), unsafe=unsafe)
    assert again.data == result.data
    body = text[len(HEAD) :].removesuffix(TAIL)
    return "\n".join(line.removeprefix("        ") for line in body.splitlines())


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        # numbers of tensors
        ("return inputs - inputs.numpy().mean(axis=0)", "return inputs - tf.reduce_mean(inputs, axis=0)"),
        ("return inputs * (inputs + 1.0).numpy()", "return inputs * (inputs + 1.0)"),
        ("return inputs * tf.reduce_sum(inputs).numpy().item()", "return inputs * tf.reduce_sum(inputs)"),
        ("return inputs * max(inputs.numpy().ravel())", "return inputs * tf.reduce_max(tf.reshape(inputs, [-1]))"),
        ("a = inputs.numpy()\nreturn inputs * a.max()", "a = inputs\nreturn inputs * tf.reduce_max(a)"),
        ("print(inputs.numpy().max())\nreturn inputs", "tf.print(tf.reduce_max(inputs))\nreturn inputs"),
        # Python's numbers
        ("return inputs / float(tf.shape(inputs)[0])", "return inputs / tf.cast(tf.shape(inputs)[0], inputs.dtype)"),
        ("return inputs / int(tf.shape(inputs)[0])", "return inputs / tf.cast(tf.shape(inputs)[0], inputs.dtype)"),
        ("return inputs[:, : int(tf.shape(inputs)[1] // 2)]", "return inputs[:, : (tf.shape(inputs)[1] // 2)]"),
        ("return inputs * math.sqrt(tf.reduce_sum(inputs))", "return inputs * tf.sqrt(tf.reduce_sum(inputs))"),
        ("return inputs * self.scales[tf.argmax(inputs[0])]", "return inputs * tf.gather(self.scales, tf.argmax(inputs[0]))"),
        # NumPy
        ("return inputs * np.maximum(0.0, inputs)", "return inputs * tf.maximum(0.0, inputs)"),
        ("return inputs * np.where(inputs > 0.0, 1.0, 0.0)", "return inputs * tf.where(inputs > 0.0, 1.0, 0.0)"),
        ("x = inputs * 1.0\nreturn tf.constant(np.stack([x, x], axis=1))", "x = inputs * 1.0\nreturn tf.convert_to_tensor(tf.stack([x, x], axis=1))"),
        (
            "x = np.asarray(inputs)\nx = x - x.mean()\nreturn tf.nn.relu(x)",
            "x = tf.convert_to_tensor(inputs)\nx = x - tf.reduce_mean(x)\nreturn tf.nn.relu(x)",
        ),
        # branches
        (
            "if tf.reduce_sum(inputs) > 0:\n    return inputs\nreturn -inputs",
            "return tf.cond(tf.reduce_sum(inputs) > 0, lambda: inputs, lambda: -inputs)",
        ),
        (
            "x = inputs\nif tf.reduce_sum(x) > 0:  # why\n    x *= 2.0\nreturn x",
            "x = inputs\n# why\nx = tf.cond(tf.reduce_sum(x) > 0, lambda: x * 2.0, lambda: x)\nreturn x",
        ),
        (
            'if tf.reduce_min(inputs) < 0:\n    raise ValueError("negative")\nreturn inputs',
            'tf.debugging.Assert(tf.logical_not(tf.reduce_min(inputs) < 0), ["negative"])\nreturn inputs',
        ),
        (
            "if tf.reduce_sum(inputs) > 0:\n    self.w.assign_add(1.0)\nreturn inputs * self.w",
            "self.w.assign_add(tf.where(tf.reduce_sum(inputs) > 0, 1.0, 0.0))\nreturn inputs * self.w",
        ),
        (
            "if training is not None and tf.reduce_any(inputs > 0):\n    return -inputs\nreturn inputs",
            "if training is not None:\n    return tf.cond(tf.reduce_any(inputs > 0), lambda: -inputs, lambda: inputs)\nreturn inputs",
        ),
        # loops
        (
            "total = 0.0\nfor row in tf.square(inputs):\n    total += tf.reduce_sum(row)\nreturn inputs + total",
            "total = 0.0\ntotal = tf.foldl(lambda total, row: total + tf.reduce_sum(row), tf.square(inputs), total)\n"
            "return inputs + total",
        ),
        ("return tf.stack([row * 2.0 for row in tf.square(inputs)])", "return tf.map_fn(lambda row: row * 2.0, tf.square(inputs))"),
        # sizes of the batch
        (
            "b, d = inputs.shape\nreturn tf.reshape(inputs, (b, d, 1))",
            "b, d = inputs.shape\nb = tf.shape(inputs)[0]\nreturn tf.reshape(inputs, (b, d, 1))",
        ),
        (
            "n, d = inputs.shape[0], inputs.shape[1]\nreturn tf.reshape(inputs, (n * d,))",
            "n, d = tf.shape(inputs)[0], inputs.shape[1]\nreturn tf.reshape(inputs, (n * d,))",
        ),
        ("n = inputs.shape[0]\nreturn inputs / n", "n = tf.shape(inputs)[0]\nreturn inputs / tf.cast(n, inputs.dtype)"),
        (
            "return tf.sparse.SparseTensor(inputs.indices, tf.nn.relu(inputs.values), inputs.shape)",
            "return tf.sparse.SparseTensor(inputs.indices, tf.nn.relu(inputs.values), tf.shape(inputs, out_type=tf.int64))",
        ),
        (
            "return tf.SparseTensor(inputs.indices, inputs.values, dense_shape=[inputs.shape[0], 3])",
            "return tf.SparseTensor(inputs.indices, inputs.values, dense_shape=[tf.shape(inputs)[0], 3])",
        ),
        # texts
        ('print(f"max {tf.reduce_max(inputs)}")\nreturn inputs', 'tf.print("max", tf.reduce_max(inputs))\nreturn inputs'),
        (
            'print("a%sb" % tf.reduce_max(inputs))\nreturn inputs',
            'tf.print("a", tf.reduce_max(inputs), "b", sep="")\nreturn inputs',
        ),
        # random numbers
        ("return inputs * random.randint(1, 3)", 'return inputs * tf.cast(tf.random.uniform((), minval=1, maxval=4, dtype="int32"), inputs.dtype)'),
        (
            "if random.random() < self.rate:\n    return inputs\nreturn -inputs",
            "return tf.cond(tf.random.uniform(()) < self.rate, lambda: inputs, lambda: -inputs)",
        ),
    ],
)  # fmt: skip
def test_rewrites(body: str, expected: str) -> None:
    assert fixed(body) == expected


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("self.last = inputs.numpy()\nreturn inputs", "a tensor would leak instead"),
        ("a = inputs.numpy()\na[0] = 0.0\nreturn inputs + a", "a tensor has no items to assign to"),
        ("return inputs * {0: 1.0}[int(tf.argmax(inputs[0]))]", "a tensor is no key"),
        ("if tf.executing_eagerly():\n    return inputs\nreturn inputs * inputs.numpy() if not tf.executing_eagerly() else inputs", "eager mode never runs it"),
        ("return inputs * len(f'{inputs.numpy()}')", "the text of a tensor is its name"),
        ("return inputs * np.percentile(inputs, 50)", "TensorFlow has no such operation"),
        ("return inputs * np.sum(inputs, dtype=np.float64)", "not measured when called like this"),
        ("if tf.reduce_sum(inputs) > 0:\n    return inputs\nreturn None", "no dtype fits both sides"),
        ("if tf.reduce_sum(inputs) > 0:\n    x = inputs\nreturn x", "without a value on the other side"),
        ("if tf.reduce_sum(inputs) > 0:\n    x = inputs * 2.0\n    y = x + 1.0\nelse:\n    x = y = inputs\nreturn x + y", "one binding needs the other"),
        ("if training is None or tf.reduce_any(training):\n    return -inputs\nreturn inputs", "the first operand protects the second"),
        ("x = inputs\nfor row in tf.square(inputs):\n    x = tf.concat([x, row[None]], axis=0)\nreturn x", "the state changes its shape"),
        ("n = 0\nfor row in tf.square(inputs):\n    n = n + tf.reduce_sum(row)\nreturn inputs * n", "the state changes its dtype"),
        ("for row in tf.square(inputs):\n    if tf.reduce_sum(row) > 3:\n        break\nreturn inputs", "the loop does more than update"),
        ("return sum([f for f in zip(inputs * 1.0, inputs * 2.0)][0])", "nobody knows the size of the batch"),
        ("return inputs if random.choice(self.items) == 'a' else -inputs", "a choice between Python objects"),
        ("return tf.scatter_nd(tf.where(inputs > 0), tf.ones([1]), inputs.shape)", "the shape has the dtype of the indices"),
        ("return tf.RaggedTensor.from_value_rowids(inputs, tf.range(3), nrows=inputs.shape[0])", "so has the number of rows"),
        ("steps = [tf.square, tf.abs]\nrandom.shuffle(steps)\nfor step in steps:\n    inputs = step(inputs)\nreturn inputs", "functions in no tensor"),
        ("n = int(inputs.numpy()[0, 0])\nreturn tf.reshape(inputs, [n * self.scales[0], -1])", "no float in a shape"),
        ("for scale in self.scales:\n    if random.random() < 0.5:\n        continue\n    inputs = inputs * scale\nreturn inputs", "a jump of Python"),
    ],
)  # fmt: skip
def test_refusals(body: str, reason: str) -> None:
    assert fixed(body) == body, reason


def test_a_named_number_of_python_is_cast_where_autograph_makes_it_a_tensor() -> None:
    body = (
        "size = int(tf.shape(inputs)[1])\nreturn inputs * ((size - inputs.shape[0]) * tf.reduce_mean(inputs).numpy())"
    )
    assert fixed(body, 2) == (
        "size = int(tf.shape(inputs)[1])\n"
        "return inputs * ((tf.cast(size - tf.shape(inputs)[0], inputs.dtype)) * tf.reduce_mean(inputs))"
    )


@pytest.mark.parametrize(
    "body",
    [
        "return inputs * inputs.numpy().mean()  # noqa: TFL101",
        "return inputs * np.sqrt(self.rate)",
        "return inputs * float(inputs.shape[-1])",
        "if training:\n    return inputs * 2.0\nreturn inputs",
        "with tf.init_scope():\n    print('once')\nreturn inputs",
    ],
)
def test_what_is_right_or_suppressed_stays(body: str) -> None:
    assert fixed(body) == body


def test_code_that_keras_never_traces_stays() -> None:
    source = HEAD.replace("def call", "def describe") + "        return float(inputs.numpy().mean())\n"
    assert fix_source(source.encode(), "layer.py", Settings(keras=3), unsafe=True).data == source.encode()


def test_only_safe_fixes_without_the_option() -> None:
    body = "return inputs * float(tf.reduce_sum(inputs)) + len(tf.shape(inputs))"
    assert fixed(body, unsafe=False) == body.replace("len(tf.shape(inputs))", "len(inputs.shape)")


@pytest.mark.parametrize(
    ("imports", "expected"),
    [
        ("import keras\n", "import keras\nimport tensorflow as tf\n"),
        ("import numpy as np\nimport keras\n", "import numpy as np\nimport keras\nimport tensorflow as tf\n"),
        ("import os\n\nimport zlib_ng\nfrom keras import layers\n", "import os\n\nimport tensorflow as tf\nimport zlib_ng\nfrom keras import layers\n"),
        ("from __future__ import annotations\n\nimport os\n\nfrom tensorflow import keras\n", "from __future__ import annotations\n\nimport os\n\nimport tensorflow as tf\nfrom tensorflow import keras\n"),
        ('"""A layer."""\n\nimport os\n\nfrom . import base\nimport keras\n', '"""A layer."""\n\nimport os\n\nfrom . import base\nimport keras\nimport tensorflow as tf\n'),
    ],
)  # fmt: skip
def test_new_imports_stand_in_order(imports: str, expected: str) -> None:
    keras = "layers.Layer" if "import layers" in imports else "keras.layers.Layer"
    code = f"\n\nclass L({keras}):\n    def call(self, inputs):\n        print('seen')\n        return inputs\n"
    result = fix_source((imports + code).encode(), "layer.py", Settings(keras=3), unsafe=True)
    assert result.data.decode() == expected + code.replace("print", "tf.print")


@pytest.mark.parametrize(
    ("imports", "left"),
    [
        ("import numpy as np\nimport keras\n", "import keras\nimport tensorflow as tf\n"),
        ("import os\nimport numpy as np\nimport keras\n", "import os\nimport keras\nimport tensorflow as tf\n"),
        ("import numpy as np  # noqa: F401\nimport keras\n", "import numpy as np  # noqa: F401\nimport keras\nimport tensorflow as tf\n"),
        ("import numpy as np\n\nimport keras\n", "import keras\nimport tensorflow as tf\n"),
        ('import numpy as np\nimport keras\n__all__ = ["np"]\n', 'import numpy as np\nimport keras\nimport tensorflow as tf\n__all__ = ["np"]\n'),
    ],
)  # fmt: skip
def test_imports_that_a_fix_leaves_without_a_use_are_gone(imports: str, left: str) -> None:
    code = "\n\nclass L(keras.layers.Layer):\n    def call(self, inputs):\n        return np.square(inputs)\n"
    result = fix_source((imports + code).encode(), "layer.py", Settings(keras=3), unsafe=True)
    assert result.data.decode() == left + code.replace("np.square", "tf.square")


def test_one_of_several_imported_names_is_gone() -> None:
    source = (
        "import keras\nimport tensorflow as tf\nfrom numpy import (\n    asarray,\n    pi,\n)\n\n\n"
        "class L(keras.layers.Layer):\n    def call(self, inputs):\n        return asarray(inputs) * pi\n"
    )
    result = fix_source(source.encode(), "layer.py", Settings(keras=3), unsafe=True)
    assert "from numpy import (\n    pi,\n)\n" in result.data.decode()


def test_code_with_keras_ops_gets_keras_ops() -> None:
    source = (
        "import keras\nimport numpy as np\nfrom keras import ops as K\n\n\nclass L(keras.layers.Layer):\n"
        "    def call(self, inputs):\n        if K.sum(inputs) > 0:\n            return K.relu(inputs) - np.median(inputs)\n"
        "        return inputs * float(K.mean(inputs))\n"
    )
    result = fix_source(source.encode(), "layer.py", Settings(keras=3), unsafe=True)
    assert "tensorflow" not in result.data.decode()
    assert "K.cond(" in result.data.decode()
    assert "K.median(inputs)" in result.data.decode()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "i = int(tf.argmax(inputs[0]))\nreturn inputs[:, i]",
            "i = tf.argmax(inputs[0])\nreturn inputs[:, i]",
        ),
        (
            "k = random.randint(0, 7)\nreturn inputs[:, k]",
            'k = tf.random.uniform((), minval=0, maxval=8, dtype="int32")\nreturn inputs[:, k]',
        ),
        (
            "return inputs * (np.random.rand() > 0.5)",
            "return inputs * (tf.cast(tf.random.uniform(()) > 0.5, inputs.dtype))",
        ),
        (
            "s = random.choice(self.scales)\nreturn inputs * s",
            's = tf.cast(tf.gather(self.scales, tf.random.uniform((), maxval=len(self.scales), dtype="int32")), inputs.dtype)\nreturn inputs * s',
        ),
        ("t = time.time()\nreturn inputs + t", "t = tf.timestamp()\nreturn inputs + tf.cast(t, inputs.dtype)"),
        # what is not known to be numbers, or is printed, stays
        ("s = random.choice(self.items)\nreturn inputs", "s = random.choice(self.items)\nreturn inputs"),
        (
            "t = time.time()\nself.add_metric(t)\nreturn inputs + t",
            "t = time.time()\nself.add_metric(t)\nreturn inputs + t",
        ),
    ],
)
def test_numbers_by_other_ways(body: str, expected: str) -> None:
    head = HEAD.replace("import random\n", "import random\nimport time\n")
    lines = "".join(f"        {line}\n" for line in body.splitlines())
    result = fix_source((head + lines + TAIL).encode(), "layer.py", Settings(keras=3), unsafe=True)
    text = result.data.decode().removesuffix(TAIL)
    assert "\n".join(line[8:] for line in text[text.index("training=None):\n") + 16 :].splitlines()) == expected


def test_noise_on_what_numpy_makes_of_a_weight_is_left_alone() -> None:
    # Of a weight of Keras 3 NumPy makes an array, and of that and its own noise float64.
    body = "y = np.sqrt(2.0) * self.w\nz = y + np.random.normal(size=3)\nreturn inputs + tf.cast(z, 'float32')"
    assert "np.random.normal(size=3)" in fixed(body)
    assert "tf.random.normal((3,), dtype=y.dtype)" in fixed(body, keras=2)


def test_line_endings_encoding_and_long_calls_stay() -> None:
    text = layer("x = np.maximum(  # an argument a line\n    inputs,\n    0.0,  # é\n)\nreturn tf.nn.relu(x)").decode()
    data = b"# -*- coding: latin-1 -*-\r\n" + text.replace("\n", "\r\n").encode("latin-1")
    result = fix_source(data, "layer.py", Settings(keras=3), unsafe=True)
    assert result.data == data.replace(b"np.maximum(", b"tf.maximum(")


def test_the_brackets_of_a_comparison_in_a_chain_are_not_torn_apart() -> None:
    text = layer(
        "if 0 < (  # é\n        tf.reduce_sum(inputs)) < (2 if self.rate else 3):\n    return inputs\nreturn -inputs"
    )
    data = b"# -*- coding: latin-1 -*-\n" + text.decode().encode("latin-1")
    new = fix_source(data, "layer.py", Settings(keras=3), unsafe=True).data.decode("latin-1")
    assert "tf.logical_and(0 < tf.reduce_sum(inputs), tf.reduce_sum(inputs) < (2 if self.rate else 3))" in new
    assert "# é" in new


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ("x = inputs * 1.0\nx[0] = 0.0\nreturn x", "TFL107", "tf.tensor_scatter_nd_update(x, [[0]], [0.0])"),
        ("return keras.layers.Dense(4)(inputs)", "TFL109", "self.dense = keras.layers.Dense(4)` in `__init__`"),
        ("self.last = tf.reduce_sum(inputs)\nreturn inputs", "TFL207", "last = tf.reduce_sum(inputs)"),
        ("self.w = self.w * 0.9\nreturn inputs", "TFL207", "self.w.assign(self.w * 0.9)"),
    ],
)
def test_suggestions_are_shown_and_not_applied(body: str, code: str, words: str) -> None:
    found = [finding for finding in lint_source(layer(body), "layer.py", Settings(keras=3)) if finding.code == code]
    assert [finding.fix.safety for finding in found if finding.fix] == [Safety.SUGGESTION]
    assert found[0].fix is not None
    assert words in found[0].fix.message
    assert found[0].fix.edits
    assert fixed(body) == body


def test_a_counter_is_suggested_to_be_a_weight() -> None:
    source = HEAD.replace("self.rate = 0.5", "self.rate = 0") + "        self.rate += 1\n        return inputs\n"
    (finding,) = lint_source(source.encode(), "layer.py", Settings(keras=3))
    assert finding.code == "TFL202"
    assert finding.fix is not None
    assert "`self.rate.assign_add(1)` here" in finding.fix.message
    assert len(finding.fix.edits) == 2
    ast.parse(source)
