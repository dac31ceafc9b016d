"""What the arguments of an entry point are taken for, where its own code or its annotations tell."""

from __future__ import annotations

import pytest

from tflint_layers import Settings, lint_source

HEAD = "import keras\nimport tensorflow as tf\nimport typing\n\n\nclass Layer(keras.layers.Layer):\n"
SILENT = {
    # A number as well as a tensor can be multiplied with, compared and cast.
    "an option of any kind": """
    def call(self, inputs, scale=None, factor=None):
        if scale is not None and scale > 0.0:
            inputs = inputs * scale
        if factor is not None:
            inputs = inputs * tf.cast(factor, inputs.dtype) * float(factor)
        return inputs
""",
    "an option with a shape of its own": """
    def call(self, inputs, states=None):
        if isinstance(states, tuple):
            states = states[0]
        if states is not None and states.shape[-1] > 2:
            inputs = inputs + states
        if states is None or states.shape[0] is None:
            return inputs
        return inputs * float(states.shape[0])
""",
    "an option": """
    def call(self, inputs: tf.Tensor, context: tf.Tensor | None = None):
        if context is not None:
            inputs = inputs + context
        return inputs
""",
    "tensors by name": """
    def call(self, inputs: dict[str, tf.Tensor]):
        return tf.add_n([inputs[name] for name in inputs]) + tf.add_n([value for _, value in inputs.items()])
""",
    "several tensors": """
    def call(self, inputs: tuple[tf.Tensor, tf.Tensor], more: list[tf.Tensor]):
        first, second = inputs
        for one in more:
            first = first + one
        return first + second
""",
    "one tensor or several": """
    def call(self, inputs: tf.Tensor | list[tf.Tensor]):
        first, second = inputs
        return first + second
""",
    # Whoever takes two parts knows that there are two: the first axis is no batch.
    "a pair": """
    def call(self, inputs, past):
        keys, values = tf.unstack(past, axis=0)
        return inputs + keys + values
""",
    # The annotation says that these are numbers, whatever operation they are given to.
    "sizes": """
    def call(self, inputs, size: tuple[int, int]):
        smallest = tf.reduce_min(size)
        height, width = size
        return inputs * float(height * width) + tf.cast(smallest, inputs.dtype)
""",
    "sizes of a list": """
    def call(self, inputs, sizes: "list[int]", more: typing.Optional[typing.List[float]] = None):
        tf.reduce_min(sizes)
        for size in sizes:
            inputs = inputs * float(size)
        return inputs
""",
    # What the layer is given goes with the option that it was made with.
    "parts by option": """
    def __init__(self, paired=False):
        super().__init__()
        self.paired = paired

    def call(self, inputs):
        if self.paired:
            inputs, other = inputs
            return inputs * other
        return inputs * 2.0
""",
}
FOUND = {
    "a tensor where it is given": (
        "TFL104",
        """
    def call(self, inputs, context=None):
        if context is not None and tf.shape(context)[1] > 2:
            return inputs + context
        return inputs
""",
    ),
    "an optional tensor for a helper": (
        "TFL102",
        """
    def _rows(self, inputs, boxes):
        return tf.stack([inputs[row] for row in range(tf.shape(boxes)[0])])

    def call(self, inputs, boxes=None):
        if boxes is not None:
            return self._rows(inputs, boxes)
        return inputs
""",
    ),
    # Whoever reads its shape does not give None.
    "a tensor that is optional by mistake": (
        "TFL108",
        """
    def call(self, inputs, hidden=None):
        return inputs + tf.zeros([hidden.shape[0], 4])
""",
    ),
    "the batch of an annotated tensor": (
        "TFL108",
        """
    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return tf.zeros((inputs.shape[0], 3)) + inputs
""",
    ),
    "an optional tensor": (
        "TFL101",
        """
    def call(self, inputs, context: typing.Optional[tf.Tensor] = None):
        if context is not None:
            inputs = inputs + context.numpy()
        return inputs
""",
    ),
    "one of several tensors": (
        "TFL102",
        """
    def call(self, inputs: typing.Tuple[tf.Tensor, tf.Tensor]):
        first, second = inputs
        return first * float(tf.reduce_sum(second))
""",
    ),
    "a tensor by name": (
        "TFL101",
        """
    def call(self, inputs: dict[str, tf.Tensor]):
        return inputs["a"] / inputs["b"].numpy()
""",
    ),
    # One name for all parts: how many there are nobody says.
    "a list of parts": (
        "TFL108",
        """
    def call(self, inputs):
        return inputs + tf.unstack(inputs, axis=0)[0]
""",
    ),
    # No option stands between: it is one tensor, and then several.
    "one and then several": (
        "TFL105",
        """
    def call(self, inputs):
        inputs = inputs * 2.0
        first, second = inputs
        return first + second
""",
    ),
    # Texts and numbers say nothing about the argument beside them.
    "a tensor beside sizes": (
        "TFL102",
        """
    def call(self, inputs, size: tuple[int, int]):
        return inputs * float(tf.reduce_sum(inputs)) * float(size[0])
""",
    ),
}


@pytest.mark.parametrize("way", SILENT)
def test_what_is_no_tensor_of_a_batch_is_not_flagged(way: str) -> None:
    assert lint_source((HEAD + SILENT[way]).encode(), "layer.py", Settings(keras=3)) == []


@pytest.mark.parametrize("way", FOUND)
def test_what_is_one_is(way: str) -> None:
    code, body = FOUND[way]
    assert [f.code for f in lint_source((HEAD + body).encode(), "layer.py", Settings(keras=3))] == [code]


SIGNED = """\
import tensorflow as tf
from tensorflow import keras


class Chosen(keras.layers.Layer):
    def call(self, x, flag=False):
        return tf.where(flag, x * 2.0, x)


class Signed(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.inner = Chosen()

    {decorator}
    def call(self, x, flag: bool = False):
        return self.inner(x, flag)


@tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32)])
def read(x):
    return x.numpy()
"""


@pytest.mark.parametrize(
    ("decorator", "expected"),
    [
        ("@tf.function(input_signature=(tf.TensorSpec([None, 3]), tf.TensorSpec([], tf.bool)))", ["TFL101"]),
        ("@tf.function(input_signature=(tf.TensorSpec([None, 3]),))", ["TFL110", "TFL101"]),
        ("@tf.function", ["TFL110", "TFL101"]),
    ],
)
def test_a_signature_makes_tensors_of_arguments(decorator: str, expected: list[str]) -> None:
    findings = lint_source(SIGNED.format(decorator=decorator).encode(), "<string>", Settings(keras=3))
    assert [finding.code for finding in findings] == expected
