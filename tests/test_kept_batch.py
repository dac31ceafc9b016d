"""Operations along an axis of which the table says that they leave the batch axis alone: TensorFlow and Keras do so."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import pytest

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
