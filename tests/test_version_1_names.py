"""Code that takes its names from ``tensorflow.compat.v1`` is looked at as code that takes them from ``tensorflow``."""

from __future__ import annotations

from functools import reduce
from operator import attrgetter

import pytest

from tflint_layers import Settings, lint_source
from tflint_layers.model.imports import canonical

LAYER = (
    "import numpy as np\nfrom tensorflow import keras\nimport {} as tf\n\n\n"
    "class Plain(keras.layers.Layer):\n    def call(self, x):\n        {}\n        return x\n"
)
LINE = 8


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("return tf.cond(tf.reduce_sum(x) > 0, lambda: x.numpy(), lambda: x)", ["TFL101"]),
        ("return tf.map_fn(lambda row: row.numpy(), x)", ["TFL101"]),
        ("return tf.while_loop(lambda i: i.numpy(), lambda i: i, [x])", ["TFL101"]),
        ("n = tf.io.gfile.exists('a')", ["TFL205"]),
        # A dimension that is not known is None, which the function hands on.
        ("y = tf.ones([tf.compat.dimension_value(x.shape[0])])", ["TFL108"]),
        ("n = tf.compat.dimension_value(x.shape[0]) or 3", []),
        ("n = 3 if tf.compat.dimension_value(x.shape[-1]) else 4", []),
        # Not traced, or no tensors.
        ("with tf.init_scope(): n = tf.ones([2]).numpy()", []),
        ("n = int(tf.nest.flatten([1, 2])[0])", []),
        ("n = np.float32(sum(tf.nest.flatten(tf.nest.map_structure(lambda s: s.num, self.shapes))))", []),
    ],
)
@pytest.mark.parametrize("library", ["tensorflow", "tensorflow.compat.v1", "tensorflow.compat.v2"])
def test_findings_are_those_of_version_2(statement: str, expected: list[str], library: str, keras: int) -> None:
    text = LAYER.format(library, statement)
    findings = lint_source(text.encode(), "<string>", Settings(keras=keras))
    assert [(finding.code, finding.line) for finding in findings] == [(code, LINE) for code in expected]


@pytest.mark.parametrize("name", ["dimension_value", "compat.dimension_value"])
def test_the_value_of_a_dimension_under_either_name(name: str, keras: int) -> None:
    text = LAYER.format("tensorflow.compat.v1", f"n = 3 if tf.{name}(x.shape[0]) else 4")
    assert lint_source(text.encode(), "<string>", Settings(keras=keras)) == []


@pytest.mark.parametrize(
    "cell",
    [
        "tf.nn.rnn_cell.LSTMCell(4)",
        "tf.compat.v1.nn.rnn_cell.BasicRNNCell(4)",
        "tf.compat.v1.nn.rnn_cell.DropoutWrapper(tf.compat.v1.nn.rnn_cell.GRUCell(4))",
        "tf.nn.RNNCellDropoutWrapper(keras.layers.GRUCell(4), 0.5)",
        "keras.layers.LSTMCell(4)",
    ],
)
def test_cells_give_their_output_and_a_state(cell: str, keras: int) -> None:
    text = (
        "import tensorflow as tf\nfrom tensorflow import keras\n\n\nclass Steps(keras.Model):\n"
        f"    def __init__(self):\n        super().__init__()\n        self.cell = {cell}\n\n"
        "    def call(self, inputs):\n        state = self.cell.zero_state(1, tf.float32)\n"
        "        output, state = self.cell(inputs, state)\n        return self.cell(output, state)[0]\n"
    )
    assert lint_source(text.encode(), "<string>", Settings(keras=keras)) == []
    read = text.replace("return", "output.numpy()\n        return")
    is_wrapper = "Wrapper" in cell
    assert [f.code for f in lint_source(read.encode(), "<string>", Settings(keras=keras))] == ["TFL101"] * (
        not is_wrapper
    )


@pytest.mark.parametrize(
    "name", ["Session", "placeholder", "layers.dense", "losses.mean_squared_error", "summary.scalar"]
)
def test_what_version_2_has_not_or_other_keeps_its_name(name: str) -> None:
    assert canonical(f"tensorflow.compat.v1.{name}") == f"tensorflow.compat.v1.{name}"


@pytest.mark.tensorflow
def test_these_are_the_same_objects() -> None:
    import tensorflow as tf

    names = ["custom_gradient", "init_scope", "nest.flatten", "nest.map_structure", "numpy_function", "print"]
    names += [
        "py_function",
        "recompute_grad",
        "vectorized_map",
        "config.run_functions_eagerly",
        "compat.dimension_value",
    ]
    names += ["autograph.experimental.do_not_convert"]
    for name in names:
        assert attrgetter(name)(tf.compat.v1) is attrgetter(name)(tf)
    assert tf.compat.v1.dimension_value is tf.compat.dimension_value
    assert [tf.compat.dimension_value(entry) for entry in tf.TensorShape([None, 3])] == [None, 3]


@pytest.mark.tensorflow
def test_functions_of_both_versions_trace_what_they_are_given() -> None:
    import tensorflow as tf

    def seen(version: object, name: str) -> list[bool]:
        symbolic: list[bool] = []

        def given(*tensors: tf.Tensor) -> tf.Tensor:
            symbolic.extend(tf.is_symbolic_tensor(one) for one in tensors)
            return reduce(tf.add, tensors)

        function = getattr(version, name)
        calls = {
            "cond": lambda x: function(tf.reduce_sum(x) > 0.0, lambda: given(x), lambda: x),
            "while_loop": lambda x: function(lambda t: tf.reduce_sum(t) < 0.0, given, [x]),
            "map_fn": lambda x: function(given, x),
        }
        tf.function(calls.get(name, lambda x: function(given, x)), autograph=False)(tf.ones([3]))
        return symbolic

    for name in ("cond", "foldl", "foldr", "map_fn", "scan", "while_loop"):
        assert all(seen(tf, name))
        assert seen(tf.compat.v1, name) == seen(tf, name)
