"""Operations along an axis of which the table says that they leave the batch axis alone: TensorFlow and Keras do so."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import pytest

from tflint_layers import Settings, lint_source
from tflint_layers.model import api, api_table

FOLDERS = {"tensorflow", "tensorflow.math", "tensorflow.linalg", "keras.ops"}
OPERATIONS = [
    name for name in api_table.RETURNS if name.rpartition(".")[0] in FOLDERS and api.place_of_axis(name) is not None
]
# What stands between the tensor and the axis.
BETWEEN = {"norm": 2, "repeat": 3, "roll": 1, "take": [0]}


def function(dotted: str) -> Callable[..., Any]:
    """The function of a library, such as ``tensorflow.math.argmax``."""
    module, _, name = dotted.rpartition(".")
    root, _, rest = module.partition(".")
    found: Any = importlib.import_module(root)
    for part in filter(None, [*rest.split("."), name]):
        found = getattr(found, part)
    operation: Callable[..., Any] = found
    return operation


def test_there_are_such_operations_in_both_libraries() -> None:
    assert {name.partition(".")[0] for name in OPERATIONS} == {"tensorflow", "keras"}


@pytest.mark.tensorflow
@pytest.mark.parametrize("dotted", OPERATIONS)
def test_the_size_of_the_batch_stays_unknown(dotted: str) -> None:
    import tensorflow as tf

    operation, name = function(dotted), dotted.rpartition(".")[2]
    between = [BETWEEN[name]] if name in BETWEEN else []
    shapes = []

    @tf.function(autograph=False)
    def traced(tensor: Any) -> Any:
        for axis in (-1, 1):
            shapes.append(operation(tensor, *between, axis).shape)
        return tensor

    kind = tf.bool if name.removeprefix("reduce_") in {"any", "all"} else tf.float32
    traced.get_concrete_function(tf.TensorSpec((None, 1), kind))
    assert [shape[0] for shape in shapes] == [None, None]


# Of a tensor `x` with three axes and one like it, `y`; `w` is a weight, `t` a tensor without a batch axis.
KEPT = [
    "tf.matmul(x, tf.transpose(y, [0, 2, 1]))",
    "tf.matmul(x, y, transpose_b=True)",
    "tf.matmul(x, w)",
    "tf.linalg.matmul(x, w)",
    "ops.matmul(x, ops.transpose(y, (0, 2, 1)))",
    "tf.transpose(x, perm=[0, 2, 1])",
    "ops.swapaxes(x, 1, -1)",
    "ops.moveaxis(x, 1, 2)",
    "tf.reshape(x, [-1, 4])",
    "ops.reshape(x, (-1, 2))",
    "tf.gather(x, [0, 1], axis=1)",
    "tf.gather(x, tf.zeros([2, 1], tf.int32), batch_dims=0, axis=-1)",
    "tf.pad(x, [[0, 0], [1, 1], [0, 0]])",
    "ops.pad(x, ((0, 0), (1, 1), (0, 0)))",
    "tf.split(x, 2, axis=-1)[0]",
    "ops.split(x, 2, axis=2)[1]",
    "tf.unstack(x, axis=1)[0]",
    "tf.stack([x, y], axis=1)",
    "ops.stack([x, y], axis=-1)",
    "tf.tile(x, [2, 1, 1])",
    "tf.where(x > 0, x, 0.0)",
    "tf.where(x > 0, x, y)",
    "tf.einsum('bij,bkj->bik', x, y)",
    "tf.einsum('bij,jk->bik', x, w)",
    "tf.pad(x, [[0, 1], [0, 0], [0, 0]])",
    "tf.reverse(x, [1])",
    "ops.flip(x, axis=2)",
    "ops.take_along_axis(x, ops.argsort(x, axis=1), axis=1)",
    "tf.gather(t, tf.argmax(x[:, 0], axis=1))",
    "tf.nn.embedding_lookup(w, tf.argmax(x[:, 0], axis=-1))",
    "ops.take(w, tf.argmax(x, axis=1), axis=0)",
    "tf.ensure_shape(x, [None, 4, 4])",
    "tf.ensure_shape(x, y.shape)",
]
MOVED = [
    "tf.transpose(x)",
    "tf.transpose(x, [1, 0, 2])",
    "ops.swapaxes(x, 0, 1)",
    "ops.swapaxes(x, -3, 1)",
    "ops.moveaxis(x, 1, 0)",
    "tf.reshape(x, [2, -1])",
    "tf.reshape(t, [-1, 1])",
    "tf.gather(x, [0, 1])",
    "tf.split(x, 2, axis=1)[0][0, :, :]",
    "tf.unstack(tf.transpose(x, [1, 0, 2]))[0][0]",
    "tf.stack([x, y])",
    "tf.where(t > 0, t, 0.0)",
    "tf.einsum('bij,bkj->ik', x, y)",
    "tf.matmul(t, w)",
    "tf.matmul(tf.expand_dims(x, 0), y)",
    "ops.tile(x, (2, 1, 1, 1))",
    "tf.ensure_shape(x, [2, 4, 4])",
    "tf.ensure_shape(x, self.sizes)",
    "tf.reverse(tf.transpose(x), [1])",
    "ops.take(x, [0, 1], axis=0)",
]
MODULE = """\
import tensorflow as tf
from tensorflow import keras
from keras import ops


class Sized(keras.layers.Layer):
    def build(self, input_shape):
        self.w = self.add_weight(shape=(4, 4), name="w")

    def call(self, x):
        y, w, t = x * 2.0, self.w, tf.ones([4, 4])
        return {expression}.shape[0] + 1
"""


def objects(expression: str) -> bool:
    """Whether the linter says that the first size of an expression is not known."""
    text = MODULE.format(expression=expression).encode()
    return [f.code for f in lint_source(text, "<string>", Settings(keras=3))] == ["TFL108"]


@pytest.mark.parametrize("expression", KEPT)
def test_operations_that_leave_the_batch_axis_first(expression: str) -> None:
    assert objects(expression)


@pytest.mark.parametrize("expression", MOVED)
def test_operations_that_move_the_batch_axis_or_know_the_size(expression: str) -> None:
    assert not objects(expression)


@pytest.mark.tensorflow
def test_their_first_size_is_unknown_in_a_graph() -> None:
    import tensorflow as tf
    from keras import ops

    sizes: dict[str, int | None] = {}
    weight = tf.Variable(tf.ones([4, 4]))

    @tf.function(autograph=False)
    def traced(x: Any) -> Any:
        names = {"tf": tf, "ops": ops, "x": x, "y": x * 2.0, "w": weight, "t": tf.ones([4, 4])}
        sizes.update({expression: eval(expression, names).shape[0] for expression in KEPT})
        return x

    traced.get_concrete_function(tf.TensorSpec((None, 4, 4)))
    assert {expression: size for expression, size in sizes.items() if size is not None} == {}
