"""Ask the installed TensorFlow and Keras what their public API returns, and write `model/api_table.py`.

Run this file under a Python that has TensorFlow, Keras 3 and tf_keras (ten minutes on two idle cores).
Every public function is called inside a graph that is being traced, with a ladder of argument recipes,
until a few of them work; the kinds of the results go into the table. Nothing is typed from memory: the lists in
this file say how to *ask* (which values fit a parameter called `axis`), never what the answer is.

Calls are made in forked children, a batch at a time, so that a crash, a hang or a switched global flag
costs one function and not the run.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import functools
import importlib
import inspect
import itertools
import json
import math
import multiprocessing
import multiprocessing.connection
import os
import pkgutil
import re
import resource
import runpy
import sys
import tempfile
import textwrap
import time
import types
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
import tensorflow as tf
import tf_keras
from keras._tf_keras import keras as keras_legacy
from tensorflow.python.framework import op_def_registry
from tensorflow.python.framework.composite_tensor import CompositeTensor
from tensorflow.python.framework.func_graph import FuncGraph

from tflint_layers.model.imports import canonical

TABLE = Path(__file__).parent.parent / "tflint_layers" / "model" / "api_table.py"
JOBS = 2
SECONDS_PER_TASK = 60.0
BATCH = 24
MEMORY = 3 << 30

# ---------------------------------------------------------------------------------------------------------------------
# Public names
# ---------------------------------------------------------------------------------------------------------------------


PUBLIC_MODULE = re.compile(
    r"tensorflow(\._api\.|\.experimental$|\.compat$)|(keras|tf_keras)(?!.*\.(src|protobuf|python)\b)"
)


Table = tuple[str, "Mapping[str, Any] | set[str]"]


def public_names(module: Any, name: str, skip: frozenset[str], seen: set[int]) -> Iterator[tuple[str, Any]]:
    """Every public attribute below a module, as (dotted name, object); a module reached twice counts twice."""
    if id(module) in seen:
        return
    for attribute in sorted(dir(module)):
        dotted = f"{name}.{attribute}"
        if attribute.startswith("_") or dotted in skip:
            continue
        try:
            value = getattr(module, attribute)
        except Exception:  # lazily loaded parts that are not installed
            continue
        if not isinstance(value, types.ModuleType):
            yield dotted, value
        elif PUBLIC_MODULE.match(str(vars(value).get("__name__"))):
            yield from public_names(value, dotted, skip, seen | {id(module)})


TENSORFLOW_SKIP = frozenset({"tensorflow.keras", "tensorflow.compat", "tensorflow.raw_ops", "tensorflow.lite",
                             "tensorflow.estimator", "tensorflow.python", "tensorflow.tsl", "tensorflow.core",
                             "tensorflow.tools", "tensorflow.security", "tensorflow.include", "tensorflow.compiler",
                             "tensorflow.losses", "tensorflow.metrics", "tensorflow.optimizers",
                             "tensorflow.initializers"})  # fmt: skip
KERAS_SKIP = frozenset({"keras.src", "keras.api", "keras._tf_keras", "keras.datasets", "keras.protobuf",
                        "keras.estimator", "keras.wrappers"})  # fmt: skip


def tensorflow_names() -> dict[str, Any]:
    """TensorFlow 2's API, and of compat.v1 what is missing or different there."""
    found = dict(public_names(tf, "tensorflow", TENSORFLOW_SKIP, set()))
    v1_skip = frozenset(name.replace("tensorflow.", "tensorflow.compat.v1.", 1) for name in TENSORFLOW_SKIP)
    for name, value in public_names(tf.compat.v1, "tensorflow.compat.v1", v1_skip, set()):
        if found.get(name.replace(".compat.v1.", ".", 1)) is not value:
            found[name] = value
    return found


def keras3_names() -> dict[str, Any]:
    """`keras.*`, completed by what only `tf.keras.*` has (the old backend functions)."""
    legacy = dict(public_names(keras_legacy, "keras", KERAS_SKIP, set()))
    return legacy | dict(public_names(keras, "keras", KERAS_SKIP, set()))


def keras2_names() -> dict[str, Any]:
    """`tf_keras.*`, written as `keras.*`."""
    return dict(public_names(tf_keras, "keras", KERAS_SKIP, set()))


def is_function(value: Any) -> bool:
    return callable(value) and not inspect.isclass(value) and not isinstance(value, types.ModuleType)


# ---------------------------------------------------------------------------------------------------------------------
# Running calls in children
# ---------------------------------------------------------------------------------------------------------------------


def in_children(tasks: Sequence[Any], ask: Callable[[Any], Any], batch: int = BATCH) -> dict[Any, Any]:
    """`ask(task)` for every task, in forked children; a task that crashes or hangs is missing from the answer."""
    context = multiprocessing.get_context("fork")
    waiting = collections.deque(list(tasks[i : i + batch]) for i in range(0, len(tasks), batch))
    answers: dict[Any, Any] = {}
    running: dict[Any, tuple[Any, list[Any], float]] = {}
    while waiting or running:
        while waiting and len(running) < JOBS:
            todo = waiting.popleft()
            ours, theirs = context.Pipe(duplex=False)
            child = context.Process(target=_answer_all, args=(theirs, todo, ask), daemon=True)
            child.start()
            theirs.close()
            running[ours] = (child, todo, time.monotonic())
        ready: list[Any] = multiprocessing.connection.wait(list(running), timeout=0.5)
        for pipe in ready:
            child, todo, _ = running[pipe]
            try:
                task, answer = pipe.recv()
            except Exception:  # died: drop the task it was at, go on with the rest
                _stop(running, pipe, waiting)
                continue
            if isinstance(answer, Exception):
                print(f"  {task}: {answer!r}", file=sys.stderr)
            else:
                answers[task] = answer
            todo.remove(task)
            running[pipe] = (child, todo, time.monotonic())
            if not todo:
                del running[pipe]
                child.join()
        for pipe in [p for p, (_, _, since) in running.items() if time.monotonic() - since > SECONDS_PER_TASK]:
            _stop(running, pipe, waiting)
    return answers


def _stop(running: dict[Any, tuple[Any, list[Any], float]], pipe: Any, waiting: collections.deque[list[Any]]) -> None:
    child, todo, _ = running.pop(pipe)
    child.kill()
    child.join()
    print(f"  crashed or hung: {todo[0]}", file=sys.stderr)
    if todo[1:]:
        waiting.append(todo[1:])


def _answer_all(pipe: Any, todo: list[Any], ask: Callable[[Any], Any]) -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, 1)
        os.dup2(sink, 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        warnings.simplefilter("ignore")
        tf.get_logger().setLevel("ERROR")
        for task in todo:
            try:
                pipe.send((task, ask(task)))
            except Exception as error:
                pipe.send((task, error))
    pipe.close()
    os._exit(0)


# ---------------------------------------------------------------------------------------------------------------------
# Kinds of results
# ---------------------------------------------------------------------------------------------------------------------

TENSORS = (tf.Tensor, keras.KerasTensor)
VARIABLES = (tf.Variable, keras.Variable)
PYTHON = (bool, int, float, complex, str, bytes, np.ndarray, np.generic, tf.DType, tf.TensorShape, type,
          tf.TypeSpec, tf.compat.v1.Dimension)  # fmt: skip


def kind_of(value: Any) -> str:
    """The kind of a result, in the words of the table; "object" for what the table does not speak about."""
    if value is None or isinstance(value, tf.Operation):
        return "none"
    # What assigning gives stands for the variable that was there before, and is read like a tensor.
    if isinstance(value, VARIABLES) and type(value).__name__ != "_UnreadVariable":
        return "variable"
    if isinstance(value, (*TENSORS, *VARIABLES)):
        return "tensor"
    if isinstance(value, CompositeTensor):
        return "composite"
    if isinstance(value, PYTHON):
        return "static"
    if isinstance(value, (list, tuple)):
        return _kind_of_sequence(value)
    if isinstance(value, Mapping):
        kinds = {kind_of(item) for item in value.values()}
        return "static" if kinds <= {"static", "none"} else "dict" if kinds <= {"tensor", "composite"} else "object"
    return "object"


def _kind_of_sequence(value: Sequence[Any]) -> str:
    kinds = [kind_of(item) for item in value]
    if not kinds:
        return "empty"
    if set(kinds) == {"none"}:
        return "empty"
    if set(kinds) <= {"static", "none"}:
        return "static"
    if isinstance(value, list):
        return "tensors" if set(kinds) <= {"tensor", "composite"} else "object"
    if set(kinds) == {"static", "tensor"} and {type(v) for k, v in zip(kinds, value, strict=True) if k == "static"} == {
        int
    }:
        return "shape"
    return "object" if {"object", "empty"} & set(kinds) else f"({','.join(kinds)})"


def merged(kinds: Iterable[str]) -> str:
    """One kind for what several recipes gave; "object" where they contradict each other."""
    found = set(kinds)
    if "empty" in found:
        found = found - {"empty"} or {"object"}
    if len(found) == 1:
        return found.pop()
    if found == {"tensor", "composite"}:
        return "tensor"
    if found == {"shape", "static"}:
        return "shape"
    if found and all(k == "tensors" or (set(re.findall(r"\w+", k)) == {"tensor"} and k.startswith("(")) for k in found):
        return "tensors"
    return "object"


# ---------------------------------------------------------------------------------------------------------------------
# Arguments
# ---------------------------------------------------------------------------------------------------------------------


class Symbol(NamedTuple):
    """An argument that is a placeholder in a graph, and a constant in eager execution."""

    dtype: str
    shape: tuple[int | None, ...]


class Composite(NamedTuple):
    """A sparse or ragged argument."""

    form: str
    dtype: str = "float32"


FLOAT, INT = Symbol("float32", (None, 3)), Symbol("int32", (None, 3))
SCALAR, INT_SCALAR = Symbol("float32", ()), Symbol("int32", ())
VECTOR, INT_VECTOR, LONG_VECTOR = Symbol("float32", (3,)), Symbol("int32", (None,)), Symbol("int64", (None,))
CUBE, IMAGE, VOLUME = (
    Symbol("float32", (None, 4, 3)),
    Symbol("float32", (None, 8, 8, 3)),
    Symbol("float32", (None, 4, 4, 4, 3)),
)
SQUARE, COMPLEX, COMPLEX_SQUARE = (
    Symbol("float32", (None, 3, 3)),
    Symbol("complex64", (None, 4)),
    Symbol("complex64", (None, 4, 4)),
)
STRING, STRINGS, BOOL, BYTES = (
    Symbol("string", ()),
    Symbol("string", (None,)),
    Symbol("bool", (None, 3)),
    Symbol("uint8", (None, 8, 8, 3)),
)
ONE_IMAGE, LONG, BOOL_VECTOR = Symbol("float32", (8, 8, 3)), Symbol("int64", (None, 3)), Symbol("bool", (None,))
SPARSE, RAGGED, WEIGHT = Composite("sparse"), Composite("ragged"), Composite("variable")

MAIN: tuple[Any, ...] = (FLOAT, INT, SQUARE, IMAGE, SCALAR, [FLOAT, FLOAT], VECTOR, INT_VECTOR, CUBE, STRINGS, COMPLEX,
    BOOL,
                         BYTES, STRING, LONG_VECTOR, LONG, SPARSE, RAGGED, VOLUME, INT_SCALAR, COMPLEX_SQUARE,
                             ONE_IMAGE,
                         BOOL_VECTOR, [STRINGS, STRINGS], WEIGHT, Symbol("float32", (None, 4, 2, 3)), Symbol("float32",
                             (None, 4)))  # fmt: skip
"""What the first tensor-like parameter is tried with, in this order."""
OTHERS: tuple[Any, ...] = ("same", 1, INT_VECTOR, INT, SCALAR, VECTOR, [1, 1], INT_SCALAR, 0.5, STRINGS, BOOL,
    LONG_VECTOR,
                           CUBE, [FLOAT, FLOAT], "a")  # fmt: skip
"""What further parameters that no name explains are tried with."""
PYTHON_MAIN: tuple[Any, ...] = (1.0, [1.0, 2.0], 3, [2, 3], [[1, 2], [3, 4]], "a", "float32", [[1.0, 2.0], [3.0, 4.0]])
"""What the first parameter is tried with when no tensor fits."""


def first_of(*tensors: Any) -> Any:
    """A function argument with one result."""
    return tensors[0] if tensors else tf.constant(1.0)


def pair_of(*tensors: Any) -> Any:
    """A function argument with two results."""
    return first_of(*tensors), first_of(*tensors)


BY_NAME: dict[str, tuple[Any, ...]] = {
    r"axis|dim|dimension|batch_dims|concat_dim|split_dim|source|destination|axis1|axis2|offset": (-1, 0, 1, [0]),
    r"axes|batch_axis|reduction_axes|reduction_indices": ([0], 1, -1, (1,), [[1], [1]]),
    r"num_or_size_splits|indices_or_sections|num_splits|num_split|sections": (3, 1, 2),
    r"num|repeats|rep|n|k|num_classes|depth|num_segments|max_num_bins|nbins|target|N|M|num_rows|length|start|stop|limit|num_samples|"
    r"fft_length|window_length|frame_length|frame_step|num_lower|num_upper|groups|block_size|factor|bits|minlength|maxlen|"
    r"num_columns|sequence_length|sample_rate|num_buckets|max_length|radius|top_k|maxlag|deg|shift|rank|height|width|ndim|"
    r"num_true|num_sampled|range_max|padding_size|scale_factor|upsampling_ratio|times|order|level|decimals": (3, 2, 1,
        4),
    r"shape|newshape|dense_shape|target_shape|output_shape|out_shape|row_shape|size|new_shape|image_size|shapes": ([3],
        [-1], (2, 3), [4, 4], (1, 3), [None, 3], 2, [[2, 3], [3]]),
    r"target_height|target_width|crop_height|crop_width|offset_height|offset_width|height_factor|width_factor": (2, 1,
        10),
    r"dtype|Tout|out_type|output_dtype|tout|dtype1|internal_format|T|type_value": ("float32", tf.float32, tf.int32,
        "int64", tf.uint8, tf.string, [tf.float32, tf.float32]),
    r"perm|permutation": ([1, 0], [0, 2, 1]),
    r"equation|subscripts": ("ij,ij->i", "ij,jk->ik", "ij->i"),
    r"paddings|pad_width": ([[1, 1], [0, 0]], [[0, 0], [1, 1], [1, 1]], [[0, 0], [1, 1], [1, 1], [0, 0]], [[1, 1]], 1),
    r"begin|starts|start_indices|offsets": ([0, 0], [0, 0, 0], [0]),
    r"multiples|reps": ([1, 2], [1, 1, 2], 2),
    r"ksize|pool_size|kernel_size|sizes|window_shape|filter_shape": (2, [1, 2, 2, 1], [2], (2, 2), (2, 2, 2)),
    r"strides|rates|stride|dilations": ([1, 1], 1, [1, 1, 1, 1], [1], [1, 1, 1, 1, 1]),
    r"padding": ("VALID", "SAME", "valid"),
    r"pooling_type": ("AVG",),
    r"filters?|filter|kernel|kernels|depthwise_filter|depthwise_kernel": (Symbol("float32", (2, 2, 3, 4)),
        Symbol("float32", (2, 3, 4)), Symbol("float32", (2, 2, 2, 3, 4)), Symbol("float32", (2, 2, 3)),
        Symbol("float32", (2, 3))),
    r"pointwise_filter|pointwise_kernel": (Symbol("float32", (1, 1, 12, 2)), Symbol("float32", (1, 12, 2)),
        Symbol("float32", (1, 6, 2))),
    r"fn|func|function|body|f|body_fun|true_fn|false_fn|python_function|grad_fn|initial_grad_fn|fun|map_fn|branch_fns":
        (first_of, pair_of),
    r"cond|pred|condition|predicate": (Symbol("bool", ()), BOOL, True, lambda *a: tf.constant(False)),
    r"true_fn|false_fn|callable|then_fn|else_fn": (lambda: tf.constant(1.0), lambda: (tf.constant(1.0),
        tf.constant(2.0))),
    r"branches|pred_fn_pairs": ([first_of], [(Symbol("bool", ()), first_of)]),
    r"seed|key": ((1, 2), [1, 2], 1, "same"),
    r"shape_[xy]": (tf.TensorShape([2, 3]),),
    r"start_points|end_points": (Symbol("float32", (None, 4, 2)),),
    r"boxes[12]": ("same", Symbol("float32", (None, 4))),
    r"bounding_box_format": ("xyxy",),
    r"alg": ("auto_select",),
    r"elems|sequence|sequences|xs|loop_vars": (FLOAT, [FLOAT], (FLOAT, FLOAT)),
    r"inp|inputs|values|arrays|tensors|tensor_list|value_list|operands|images_list|arys|logits_list|nested_structure":
        ([FLOAT, FLOAT], FLOAT, IMAGE, CUBE, INT, STRINGS, VOLUME),
    r"indices|ids|segment_ids|indices_list|index|nested_indices|sp_ids|x_indices|multi_index": (INT_VECTOR,
        Symbol("int32", (None, 1)), INT, LONG_VECTOR, Symbol("int64", (None, 2)), 0),
    r"labels|targets|y_true|target_tensor": ("same", INT_VECTOR, Symbol("float32", (None, 1)), LONG_VECTOR, INT),
    r"name|scope|tag|identifier|device_name_or_function|device_name": ("abc",),
    r"message|format|format_string|pattern|delimiter|separator|sep|rewrite|template|regex|mode": ("a", "constant",
        "VALID"),
    r"filename|filepath|path|contents|fname|file_pattern": ("f", STRING),
    r"features": ({"a": tf.io.FixedLenFeature([], tf.float32)}, FLOAT, IMAGE, [FLOAT, FLOAT]),
    r"serialized|example_names|records|input_bytes": (STRINGS, STRING),
    r"record_defaults": ([[0.0], [0.0]],),
    r"bounds|boundaries|lower_bound|lower_bounds": ([0.0, 1.0], (1.0, 2.0)),
    r"minval|low|lam|alpha|mean|min|a_min|clip_value_min|clip_norm|rate|probs|max_delta|lower|beta|gamma|min_value|"
    r"momentum|epsilon|p|q|counts|concentration|delta|contrast_factor|saturation_factor|ord|power|multiplier|scale":
        (0.5, "same", 1, VECTOR),
    r"maxval|high|max|a_max|clip_value_max|upper|max_value|stddev|std|variance|gain|quality|jpeg_quality": (2.0,
        "same", 3, VECTOR),
    r"low_|lower_|min_jpeg_quality": (1, 0.5),
    r"max_jpeg_quality": (3,),
    r"transforms?|transformations": (Symbol("float32", (None, 8)),),
    r"boxes": (Symbol("float32", (None, 4)), Symbol("float32", (None, None, 4)), Symbol("float32", (1, None, 4))),
    r"box_indices|box_ind": (INT_VECTOR,),
    r"crop_size|new_size": ([2, 2],),
    r"scores": (VECTOR, Symbol("float32", (None,))),
    r"bounding_boxes": (Symbol("float32", (1, None, 4)),),
    r"max_output_size|max_output_size_per_class|max_total_size": (2,),
    r"block_shape": ([2],),
    r"crops": ([[0, 0]],),
    r"diagonal|diag": (VECTOR, Symbol("float32", (None, 3))),
    r"rhs|b": ("same", Symbol("float32", (None, 3, 1)), Symbol("float32", (3, 2)), Symbol("float32", (3, 3))),
    r"superdiag|subdiag|maindiag|diagonals": (Symbol("float32", (3, 4)), Symbol("float32", (None, 3, 4))),
    r"coordinates|query_points": ([FLOAT, FLOAT], Symbol("float32", (3, None)), Symbol("float32", (None, 8, 8, 2))),
    r"label_length|logit_length|input_length|sequence_lengths?|lengths?|label_lengths?|output_lengths?|target_length":
        (INT_VECTOR, Symbol("int32", (None, 1)), 3),
    r"queries|query": (Symbol("float32", (None, 4, 2, 3)), FLOAT),
    r"interpolation|method|resample": ("nearest", "bilinear"),
    r"data_format": ("channels_last", "NHWC"),
    r"initial_state|initializer|init|initial_states|initial_value": (FLOAT, VECTOR, [FLOAT]),
    r"step_function|loop_body": (lambda x, *s: (x, list(s[0]) if s else []),),
    r"bias|b_": (VECTOR, "same"),
    r"sp_input|sp_a|sp_b|sp|a_sp|sparse|sp_tensor|sp_inputs|sparse_tensor|set1|set2|sp_x": (SPARSE, [SPARSE, SPARSE]),
    r"rt_input|ragged_tensor|ragged|rt": (RAGGED,),
    r"trainable|training|is_training|flag|value_if": (True,),
    r"encoding|input_encoding|output_encoding|unicode": ("UTF-8",),
    r"little_endian|hash_bucket_size|num_hash": (3, True),
    r"spectrograms?|stfts": (Symbol("complex64", (None, 4, 5)),),
    r"y_pred|output|logits|predictions": (FLOAT, "same", IMAGE),
    r"reference_image|img|image|images|img1|img2": (IMAGE, BYTES, ONE_IMAGE, Symbol("float32", (None, 8, 8, 1))),
    r"img_contents": (STRING,),
    r"params": (FLOAT, VECTOR, CUBE),
    r"updates": ("same", Symbol("float32", (None,)), VECTOR),
    r"mask": (BOOL_VECTOR, BOOL),
    r"ys|xs_": (VECTOR, FLOAT),
    r"num_dims|spatial_dims": (1,),
    r"state|states": ([FLOAT], FLOAT),
    r"sampled_values|true_classes": (Symbol("int64", (None, 1)),),
    r"unique": (False,),
    r"weights": (FLOAT, VECTOR, Symbol("float32", (5, 3)), Symbol("float32", (3, 3))),
    r"biases": (VECTOR, Symbol("float32", (5,))),
    r"typespec|type_spec|spec|output_type|signature": (tf.TensorSpec([], tf.float32),),
}  # fmt: skip
"""Values worth trying for a parameter, by a pattern of its name. `"same"` is whatever the main tensor is."""

BY_NAME_COMPILED = [(re.compile(pattern), values) for pattern, values in BY_NAME.items()]
ASKED_WITH = {"where": 2, "where_v2": 2, "crop_images": 4, "pad_images": 4}
"""Functions asked about with that many of their optional arguments, because they are something else without them."""
MAX_ATTEMPTS = 420
MAX_SUCCESSES = 5
SECONDS_OF_ATTEMPTS = 6.0
SECONDS_AFTER_SUCCESS = 1.0


def named_values(name: str) -> tuple[Any, ...] | None:
    return next((values for pattern, values in BY_NAME_COMPILED if pattern.fullmatch(name)), None)


def realised(spec: Any, symbolic: bool, known: bool) -> Any:
    """A recipe's argument as a value: placeholders in a graph, constants in eager execution."""
    if isinstance(spec, Symbol):
        shape = [2 if size is None else size for size in spec.shape]
        if symbolic:
            return tf.raw_ops.Placeholder(dtype=spec.dtype, shape=shape if known else spec.shape)
        return tf.fill(shape, "1") if spec.dtype == "string" else tf.cast(tf.fill(shape, 1), spec.dtype)
    if isinstance(spec, Composite) and spec.form == "variable":
        with tf.init_scope():
            return tf.Variable(np.ones((2, 3), spec.dtype))
    if isinstance(spec, Composite) and spec.form == "slices":
        rows, places = Symbol(spec.dtype, (1, 3)), Symbol("int32", (1,))
        return tf.IndexedSlices(realised(rows, symbolic, known), realised(places, symbolic, known))
    if isinstance(spec, Composite):
        inner = realised(Symbol(spec.dtype, (2, 3)), symbolic, known)
        return tf.sparse.from_dense(inner) if spec.form == "sparse" else tf.RaggedTensor.from_tensor(inner)
    if type(spec) in (list, tuple):
        return type(spec)(realised(item, symbolic, known) for item in spec)
    return spec


def has_symbol(spec: Any) -> bool:
    if isinstance(spec, (Symbol, Composite)):
        return True
    return isinstance(spec, (list, tuple)) and any(has_symbol(item) for item in spec)


class Recipe(NamedTuple):
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def symbolic(self) -> bool:
        return has_symbol(self.args) or has_symbol(list(self.kwargs.values()))


def parameters(function: Any) -> list[inspect.Parameter] | None:
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return None


def is_needed(parameter: inspect.Parameter) -> bool:
    return parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD


def recipes(function: Any, mains: Sequence[Any]) -> Iterator[Recipe]:
    """Ways to call a function: required parameters by the meaning of their names, then by trying."""
    signature = parameters(function)
    if signature is None:
        signature = [inspect.Parameter("x", inspect.Parameter.POSITIONAL_ONLY)]
    needed = [p for p in signature if is_needed(p)]
    optional = [p for p in signature if not is_needed(p) and p.kind is p.POSITIONAL_OR_KEYWORD]
    if not needed and not optional:
        yield Recipe((), {})
        return
    if not needed:  # tf.reduce_mean-like functions of compat.v1, tf.executing_eagerly(...)
        yield Recipe((), {})
        needed = optional[:1]
    name = getattr(function, "__name__", "")
    needed = [*needed, *optional[: ASKED_WITH.get(name, 0)]]
    for main in mains:
        choices = [list(_choices(p, position, main, mains)) for position, p in enumerate(needed)]
        for values in itertools.islice(_diagonal(choices), 60):
            yield _recipe(needed, values)
    extra = [p for p in optional if p.name in ("axis", "num", "axes", "dtype", "values", "num_classes")]
    if extra:
        for main in mains[:6]:
            yield _recipe(
                [*needed, extra[0]], [main, *([main] * (len(needed) - 1)), (named_values(extra[0].name) or (1,))[0]]
            )


def _choices(parameter: inspect.Parameter, position: int, main: Any, mains: Sequence[Any]) -> Iterator[Any]:
    if parameter.kind is parameter.VAR_POSITIONAL:
        if parameter.name == "operands":
            yield ["ij,ij->i", main, main]
        yield from ([main],) if parameter.name == "arys" else ([main, main], [main], [])
        return
    named = named_values(parameter.name)
    if position == 0:
        yield main
        if main is mains[0] and named:
            yield from (main if isinstance(v, str) and v == "same" else v for v in named)
        return
    for value in [*(named or ()), *(OTHERS if not named else ("same",))]:
        yield main if isinstance(value, str) and value == "same" else value


def _diagonal(choices: list[list[Any]]) -> Iterator[tuple[Any, ...]]:
    """The product of the choices, the likely (first) ones of all parameters before the unlikely ones of any."""
    sizes = [range(len(c)) for c in choices]
    indices = itertools.islice(itertools.product(*sizes), 4000)
    for index in sorted(indices, key=lambda index: (sum(index), index)):
        yield tuple(c[i] for c, i in zip(choices, index, strict=True))


def _recipe(needed: Sequence[inspect.Parameter], values: Sequence[Any]) -> Recipe:
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    for parameter, value in zip(needed, values, strict=True):
        if parameter.kind is parameter.VAR_POSITIONAL:
            args.extend(value)
        elif parameter.kind is parameter.KEYWORD_ONLY:
            kwargs[parameter.name] = value
        else:
            args.append(value)
    return Recipe(tuple(args), kwargs)


# ---------------------------------------------------------------------------------------------------------------------
# Table 1: what functions return
# ---------------------------------------------------------------------------------------------------------------------


class Answer(NamedTuple):
    """What asking one function gave: the kinds of the results in a graph, one per recipe that worked."""

    kinds: tuple[str, ...]


def run(function: Any, recipe: Recipe, symbolic: bool, known: bool = False) -> Any:
    if not symbolic:
        return function(
            *realised(recipe.args, False, known), **{k: realised(v, False, known) for k, v in recipe.kwargs.items()}
        )
    with FuncGraph("trace").as_default():
        args = realised(recipe.args, True, known)
        kwargs = {name: realised(value, True, known) for name, value in recipe.kwargs.items()}
        return function(*args, **kwargs)


def attempts(function: Any, mains: Sequence[Any]) -> Iterator[tuple[Recipe, Any]]:
    """Recipes that work while tracing, with the result; once one has worked, only a short time for more."""
    end = time.process_time() + SECONDS_OF_ATTEMPTS
    for recipe in itertools.islice(recipes(function, mains), MAX_ATTEMPTS):
        if time.process_time() > end:
            return
        with contextlib.suppress(Exception):
            yield recipe, run(function, recipe, symbolic=True)
            end = min(end, time.process_time() + SECONDS_AFTER_SUCCESS)


def successes(function: Any, mains: Sequence[Any]) -> list[tuple[Recipe, Any]]:
    """At most a few working recipes, with different main arguments if there are."""
    found: list[tuple[Recipe, Any]] = []
    per_main: collections.Counter[str] = collections.Counter()
    for recipe, value in attempts(function, mains):
        main = repr(recipe.args[:1])
        if per_main[main] < 2:
            found.append((recipe, value))
            per_main[main] += 1
        if len(found) >= MAX_SUCCESSES:
            break
    return found


def ask_function(function: Any) -> Answer:
    found = [(recipe, value) for recipe, value in successes(function, MAIN) if not is_echo(recipe, value)]
    with_tensor = [(recipe, value) for recipe, value in found if recipe.symbolic()]
    found = with_tensor or found or successes(function, PYTHON_MAIN)
    return Answer(tuple(compared_with_eager(function, recipe, value) for recipe, value in found))


def is_echo(recipe: Recipe, value: Any) -> bool:
    """Whether a list of tensors came back as it was: the function did not look into it."""
    return (
        isinstance(value, list)
        and len(recipe.args) == 1
        and isinstance(recipe.args[0], list)
        and all(isinstance(v, tf.Tensor) and v.op.type == "Placeholder" for v in value)
    )


def compared_with_eager(function: Any, recipe: Recipe, value: Any) -> str:
    """The kind of a traced result; an operation without a value counts as what eager execution makes of it."""
    kind = kind_of(value)
    if kind not in ("static", "none"):
        return kind
    try:
        traced, eager = run(function, recipe, True, known=True), run(function, recipe, False, known=True)
    except Exception:
        return kind
    return "static" if kind_of(eager) == "static" and kind_of(traced) in ("static", "none") else kind


STRUCTURAL = re.compile(
    r".*\.(cond|case|switch_case|switch|while_loop|map_fn|scan|associative_scan|foldl|foldr|fori_loop|vectorized_map|custom_gradient|"
    r"py_function|py_func|numpy_function|eager_py_func|map|recompute_grad|grad_pass_through|in_train_phase|in_test_phase|"
    r"get|serialize|deserialize|get_seed)|keras\.backend\.rnn|"
    r"(tensorflow(\.compat\.v1)?\.nest|keras\.tree)\.(?!is_|assert_|flatten$).*"
)
"""Functions whose result is shaped by an argument: no kind is theirs."""


GETTERS_ONLY = re.compile(
    r"tensorflow\.(compat\.v1\.)?(io\.gfile|gfile|saved_model|distribute|tpu|summary|profiler|test|config|debugging\.experimental|"
    r"experimental\.(dtensor|dlpack)|dtensor|lite|mlir|sysconfig|autograph|train|data|app|flags|logging|resource_loader|"
    r"user_ops|queue|errors|graph_util|feature_column|load_|__internal__)|"
    r"keras\.(config|distribution|saving|models|datasets|dtensor|mixed_precision|visualization|distillation|export|"
    r"utils\.(get_file|.*_from_directory|plot_model|model_to_dot|clear_session|set_random_seed))"
)
"""Functions that may touch files, devices, processes or global switches: only called when they need no argument."""
SETTERS = re.compile(r"(?:.*[._])?(set|enable|disable|reset|clear|init|initialize\w*|start|stop|run|main|shutdown|"
                     r"learning_phase_scope|"
                     r"allow|add|install|register|list_logical_devices)(_.*)?")  # fmt: skip
NETWORKS = re.compile(r"keras\.applications\.(?!.*\.?(preprocess_input|decode_predictions)$).*")


def is_safe(name: str, function: Any) -> bool:
    if NETWORKS.match(name) or STRUCTURAL.fullmatch(name) or "breakpoint" in name:
        return False
    if not GETTERS_ONLY.match(name):
        return True
    if SETTERS.fullmatch(name.rsplit(".", 1)[1]):
        return False
    return not any(is_needed(p) and p.kind is not p.VAR_POSITIONAL for p in parameters(function) or [])


VALUE_CLASSES = ("TensorShape", "TensorSpec", "SparseTensor", "IndexedSlices", "SparseTensorSpec", "RaggedTensorSpec")
"""Classes whose instances are what a table of results speaks about."""


def functions_among(names: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in names.items()
        if is_function(value) or (inspect.isclass(value) and name.rsplit(".", 1)[1] in VALUE_CLASSES)
    }


def preferred(aliases: Iterable[str]) -> str:
    return min(aliases, key=lambda name: (name.count("."), len(name), name))


class Asked(NamedTuple):
    """One API, asked."""

    answers: dict[str, Answer]  # by preferred name
    aliases: dict[str, list[str]]  # of the preferred name, itself included
    functions: dict[str, Any]


def ask_functions(names: Mapping[str, Any]) -> Asked:
    """Every distinct function once, whatever it is called."""
    functions = functions_among(names)
    by_identity: dict[int, list[str]] = {}
    for name, function in functions.items():
        by_identity.setdefault(id(function), []).append(name)
    aliases = {preferred(group): sorted(group) for group in by_identity.values()}
    safe = [name for name, group in sorted(aliases.items()) if all(is_safe(alias, functions[alias]) for alias in group)]
    risky = [name for name in safe if SETTERS.fullmatch(name.rsplit(".", 1)[1])]
    answers = in_children([n for n in safe if n not in risky], lambda name: ask_function(functions[name]))
    answers |= in_children(risky, lambda name: ask_function(functions[name]), batch=1)
    return Asked(answers, aliases, functions)


DOCUMENTED = re.compile(
    r"Returns:\s+(?:\w+:\s+)?(?:An?|The|Output|Scalar)?\s*(?:\S+\s+){0,3}?(?:`?tf\.)?`?[Tt]ensor`?\b(?!s|Shape|Array)"
)
"""What the documentation of a function that returns one tensor says."""
NAMED_RESULTS = re.compile(r"Returns:\s*\n((?:[ \t]+\S.*\n?|[ \t]*\n)*)")


def documented_kind(function: Any) -> str | None:
    """The kind by the generated op's type annotation, else by the first words under "Returns:"."""
    annotation = str(getattr(inspect.unwrap(function), "__annotations__", {}).get("return", ""))
    if annotation.startswith("typing.Annotated[typing.Any"):
        return "tensor"
    text = inspect.getdoc(function) or ""
    return "tensor" if DOCUMENTED.search(text) and not names_several_results(text) else None


def names_several_results(text: str) -> bool:
    """Whether documentation lists what a function returns by name, one below the other."""
    described = NAMED_RESULTS.search(text)
    lines = described[1].splitlines() if described else []
    indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return sum(bool(re.match(rf" {{{indent}}}\w+: ", line)) for line in lines) > 1


class Results(NamedTuple):
    returns: dict[str, str]
    documented: set[str]
    contradictory: set[str]
    unanswered: set[str]


def results(asked: Asked) -> Results:
    found = Results({}, set(), set(), set())
    for name, aliases in asked.aliases.items():
        answer = asked.answers.get(name)
        if answer is not None and answer.kinds:
            kind = merged(answer.kinds)
            if "object" in kind:
                found.contradictory.update(aliases if len(set(answer.kinds)) > 1 else ())
                continue
        elif any(STRUCTURAL.fullmatch(alias) for alias in aliases):
            found.contradictory.update(aliases)
            continue
        else:
            documented = documented_kind(asked.functions[name])
            if documented is None:
                found.unanswered.update(aliases)
                continue
            kind = documented
            found.documented.update(aliases)
        found.returns.update(dict.fromkeys(aliases, kind))
    return found


def raw_op_kinds() -> dict[str, str]:
    """What `tf.raw_ops` return, by the signatures of the ops themselves; only what is not one tensor."""
    found = {}
    for name in sorted(set(dir(tf.raw_ops)) - {"register_op"}):
        definition = op_def_registry.get(name)
        if definition is None or name.startswith("_"):
            continue
        many = [bool(output.number_attr or output.type_list_attr) for output in definition.output_arg]
        if many != [False]:
            single = "none" if not many else "tensors"
            kinds = ["tensors" if is_list else "tensor" for is_list in many]
            found[f"tensorflow.raw_ops.{name}"] = single if len(many) < 2 else f"({','.join(kinds)})"
    return found


# ---------------------------------------------------------------------------------------------------------------------
# Table 2: layers created and called inside `call`
# ---------------------------------------------------------------------------------------------------------------------


class LayerAnswer(NamedTuple):
    """One layer class under one Keras."""

    state: str  # "weights", "random" or "stateless", by what it owns after an eager call
    traced: bool  # created and called inside a traced `call` without an exception
    kind: str  # of its result


LAYER_ARGUMENTS: dict[str, Any] = {
    "units": 3, "filters": 2, "kernel_size": 2, "rate": 0.3, "stddev": 0.1, "n": 2, "target_shape": (-1,), "dims": (2,
        1),
    "input_dim": 5, "output_dim": 3, "num_heads": 2, "key_dim": 2, "head_dim": 2, "num_query_heads": 2,
    "num_key_value_heads": 1, "height": 4, "width": 4, "factor": 0.2, "height_factor": 0.2, "width_factor": 0.2,
    "scale": 0.5, "num_bins": 4, "bin_boundaries": [0.5, 1.0], "num_tokens": 4, "function": first_of, "axes": 1,
    "crop_to_aspect_ratio": True, "pool_size": 2, "equation": "ab,bc->ac", "output_shape": 4, "name": "x",
    "mask_value": 0.0, "max_value": 1.0, "size": 2, "padding": 1, "max_tokens": 8, "value_range": (0, 255),
    "crossing_bins": 4, "num_hashes": 2, "fft_length": 4, "sequence_length": 4, "groups": 1, "rank": 2,
    "activation": "relu",
    "input_shape": (3,), "shape": (3,), "layers": [], "callable": first_of, "sequence_stride": 2, "num_classes": 3,
    "vocabulary": ["a", "b"], "backward_layer": None, "feature_columns": [], "pipeline": [], "l1": 0.1, "l2": 0.1,
    "num_projection_dim": 2, "key_size": 2, "embedding_dim": 3, "num_samples": 2, "p": 0.5, "mean": 0.0,
        "variance": 1.0,
    "features": {}, "output_size": 2, "return_sequences": True,
}  # fmt: skip
"""Small values for the required parameters of layers, by name."""

LAYER_OVERRIDES: dict[str, dict[str, Any]] = {
    "Embedding": {"output_dim": 3}, "CategoryEncoding": {"num_tokens": 4}, "Normalization": {"mean": 0.0,
        "variance": 1.0},
    "StringLookup": {"vocabulary": ["a", "b"]}, "IntegerLookup": {"vocabulary": [1, 2]},
        "TextVectorization": {"vocabulary": ["a", "b"]},
    "Discretization": {"bin_boundaries": [0.5, 1.0]}, "Hashing": {"num_bins": 4}, "HashedCrossing": {"num_bins": 4},
    "GroupNormalization": {"groups": 1}, "RandomPosterization": {"factor": 4}, "STFTSpectrogram": {"fft_length": 8,
        "frame_length": 8, "frame_step": 4},
    "MelSpectrogram": {"fft_length": 8, "sequence_stride": 4, "num_mel_bins": 4}, "Permute": {"dims": (1,)},
        "EinsumDense": {"equation": "ab,bc->ac", "output_shape": 4}, "Lambda": {"function": first_of},
}  # fmt: skip
LAYER_INPUTS: tuple[Any, ...] = (
    FLOAT, CUBE, IMAGE, VOLUME, [FLOAT, FLOAT], [CUBE, CUBE], INT, STRINGS, INT_VECTOR, (STRINGS, STRINGS),
    Symbol("float32", (None, 3, 4, 4, 3)), Symbol("float32", (None, 2, 4, 4, 4, 3)), Symbol("float32", (None, 16)),
        Symbol("float32", (None, 3, 4, 3)),
)  # fmt: skip
LAYER_CALLS: tuple[Callable[[Any, Any], Any], ...] = (
    lambda layer, x: layer(x),
    lambda layer, x: layer(x, x),
    lambda layer, x: layer(x, [x]),
    lambda layer, x: layer(x, [x, x]),
    lambda layer, x: layer(x, x, x),
)


def layer_makers(module: Any, cls: Any) -> Iterator[Callable[[], Any]]:
    """Ways to construct a layer: overrides and required parameters; a wrapped or recurrent kind in several variants."""
    needed = [p.name for p in parameters(cls) or [] if is_needed(p) and p.kind is not p.VAR_POSITIONAL]
    overrides = LAYER_OVERRIDES.get(cls.__name__, {})
    variants = {
        "layer": (lambda: module.layers.Dense(3), lambda: module.layers.LSTM(3), lambda: module.layers.Conv2D(2, 2)),
        "cell": (lambda: module.layers.SimpleRNNCell(3),),
        "cells": (lambda: [module.layers.GRUCell(3)],),
    }
    first = next((name for name in needed if name in variants), None)
    for variant in variants[first] if first else (None,):

        def make(variant: Any = variant) -> Any:
            given = {name: LAYER_ARGUMENTS[name] for name in needed if name != first} | overrides
            return cls(**given | ({first: variant()} if first else {}))

        yield make


def ask_layer(module: Any, cls: Any) -> LayerAnswer | None:
    for make in layer_makers(module, cls):
        for spec, call in itertools.product(LAYER_INPUTS, LAYER_CALLS):
            with contextlib.suppress(Exception):
                created: list[Any] = []
                with tf.variable_creator_scope(
                    lambda create, created=created, **kwargs: created.append(1) or create(**kwargs)
                ):
                    layer = make()
                    result = call(layer, realised(spec, symbolic=False, known=True))
                state = "weights" if layer.weights else "random" if created else "stateless"
                return LayerAnswer(state, *traced_layer(module, make, call, spec, kind_of(result)))
    return None


def traced_layer(
    module: Any, make: Callable[[], Any], call: Callable[[Any, Any], Any], spec: Any, eager: str
) -> tuple[bool, str]:
    """Whether an outer layer may create and call it while `tf.function` traces, and the kind of what comes out."""
    kinds: list[str] = []

    class Outer(module.layers.Layer):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            result = call(make(), x)
            kinds.append(kind_of(result))
            return tf.constant(0.0)

    arguments = realised(spec, symbolic=False, known=True)
    for batch in (None, 2):
        signature = tf.nest.map_structure(
            lambda x, batch=batch: tf.TensorSpec([batch, *x.shape[1:]], x.dtype), arguments
        )
        outer = Outer()
        with contextlib.suppress(Exception):
            tf.function(lambda x, outer=outer: outer(x)).get_concrete_function(signature)
            return True, kinds[-1]
    return False, kinds[-1] if kinds else eager


def ask_layers(module: Any, names: Mapping[str, Any]) -> dict[str, LayerAnswer]:
    """The answers for every public layer class, by each of its names."""
    classes = {
        name: value for name, value in names.items() if name.startswith("keras.layers.") and is_layer(module, value)
    }
    answers = in_children(sorted(classes), lambda name: ask_layer(module, classes[name]), batch=8)
    return {name: answer for name, answer in answers.items() if answer is not None}


def is_layer(module: Any, value: Any) -> bool:
    return inspect.isclass(value) and issubclass(value, module.layers.Layer) and value is not module.layers.Layer


def layer_tables(three: Mapping[str, LayerAnswer], two: Mapping[str, LayerAnswer]) -> dict[str, dict[str, str]]:
    """LAYERS and LAYER_RETURNS, with "Keras 3/Keras 2" where the two differ."""
    states = {name: _both(name, three, two, effective_state) for name in {*three, *two}}
    kinds = {name: _both(name, three, two, lambda answer: answer.kind) for name in {*three, *two}}
    return {"LAYERS": states, "LAYER_RETURNS": {name: kind for name, kind in kinds.items() if kind != "tensor"}}


def effective_state(answer: LayerAnswer) -> str:
    """What a layer owns, where owning it makes tracing fail."""
    if answer.traced:
        return answer.state if answer.state == "weights" else "stateless"
    return answer.state if answer.state != "stateless" else "resource"


def _both(
    name: str, three: Mapping[str, LayerAnswer], two: Mapping[str, LayerAnswer], of: Callable[[LayerAnswer], str]
) -> str:
    values = [of(table[name]) for table in (three, two) if name in table]
    return values[0] if len(set(values)) == 1 else "/".join(values)


# ---------------------------------------------------------------------------------------------------------------------
# Table 3: classes by role
# ---------------------------------------------------------------------------------------------------------------------


def role_bases(module: Any) -> list[tuple[str, Any]]:
    """Roles with their base class under one Keras, the narrower before the wider."""
    return [("model", module.Model), ("layer", module.layers.Layer), ("metric", module.metrics.Metric),
             ("loss", module.losses.Loss),
             ("initializer", module.initializers.Initializer), ("regularizer", module.regularizers.Regularizer),
             ("constraint", module.constraints.Constraint), ("optimizer", module.optimizers.Optimizer),
             ("schedule", module.optimizers.schedules.LearningRateSchedule), ("callback",
                 module.callbacks.Callback)]  # fmt: skip


ROLES: list[tuple[str, Any]] = [
    *role_bases(keras),
    *role_bases(tf_keras),
    ("optimizer", tf_keras.optimizers.legacy.Optimizer),
    ("optimizer", tf.compat.v1.train.Optimizer),
    ("generator", keras.random.SeedGenerator),
    ("generator", tf.random.Generator),
    ("variable", keras.Variable),
    ("variable", tf.Variable),
    ("dataset", tf.data.Dataset),
    ("module", tf.Module),
]


def role_of(value: Any) -> str | None:
    if not inspect.isclass(value):
        return None
    role = next((role for role, base in ROLES if issubclass(value, base)), None)
    return "rnn_cell" if role == "layer" and value.__name__.endswith(("Cell", "Cells")) else role


PRIVATE_SKIP = re.compile(r"test|torch|jax|openvino|numpy|legacy_tf|distribute|dtensor|integration|benchmarks|trainers")


def private_classes(package: Any) -> dict[str, Any]:
    """The classes of Keras's own modules, which Keras's own layers inherit from; by canonical name."""
    found: dict[str, Any] = {}
    for place in pkgutil.walk_packages(package.__path__, f"{package.__name__}.", onerror=lambda name: None):
        if not PRIVATE_SKIP.search(place.name):
            module = importlib.import_module(place.name)
            classes = (value for value in vars(module).values() if inspect.isclass(value))
            own = (value for value in classes if value.__module__ == place.name)
            found |= {canonical(f"{place.name}.{value.__name__}"): value for value in own}
    return found


def class_roles(*tables: Mapping[str, Any]) -> dict[str, str]:
    found = {name: role_of(value) for table in tables for name, value in table.items()}
    return {name: role for name, role in found.items() if role is not None}


# ---------------------------------------------------------------------------------------------------------------------
# Table 4: NumPy, math and the builtins
# ---------------------------------------------------------------------------------------------------------------------

NUMPY_SKIP = re.compile(
    r"numpy\.(test|show_\w+|load\w*|fromfile|memmap|info|bmat|printoptions|set\w+|get_include|seterr\w*|savez?\w*|genfromtxt)"
)


def numpy_names() -> dict[str, Any]:
    """The public functions of numpy, numpy.linalg and numpy.fft."""
    modules = {"numpy": np, "numpy.linalg": np.linalg, "numpy.fft": np.fft}
    public = [(f"{name}.{part}", getattr(module, part)) for name, module in modules.items() for part in dir(module)]
    found = {name: value for name, value in public if not name.rsplit(".", 1)[1].startswith("_")}
    wanted = {name: value for name, value in found.items() if is_function(value) and not NUMPY_SKIP.fullmatch(name)}
    return wanted | {f"numpy.{name}": getattr(np, name) for name in ("array", "asarray")}


def as_numpy(spec: Any, fill: float = 1) -> Any:
    """A recipe's argument as NumPy arrays (regular matrices) and, for scalars, Python numbers."""
    if isinstance(spec, Symbol):
        shape = [2 if size is None else size for size in spec.shape]
        if spec.dtype == "string":
            return np.full(shape, "1")
        array = np.full(shape, fill).astype(spec.dtype)
        if shape[-2:] == [3, 3]:
            array = array + 3 * np.eye(3, dtype=spec.dtype)
        return array if shape else array.item()
    if type(spec) in (list, tuple):
        return type(spec)(as_numpy(item, fill) for item in spec)
    return spec


def replaced(recipe: Recipe, make: Callable[[Any], Any]) -> Iterator[tuple[Any, ...]]:
    """The recipe's arguments with NumPy arrays everywhere but in one place; then with arrays nowhere."""
    places = [i for i, spec in enumerate(recipe.args) if has_symbol(spec)]
    for chosen in [*([place] for place in places), places]:
        yield tuple(make(spec) if i in chosen else as_numpy(spec) for i, spec in enumerate(recipe.args))


def outcome(function: Any, arguments: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    try:
        return kind_of(function(*arguments, **kwargs))
    except Exception:
        return "fails"


SIMPLE: tuple[Any, ...] = (FLOAT, INT, SQUARE, VECTOR, Symbol("int32", (3,)), SCALAR, INT_SCALAR, [VECTOR, VECTOR],
    BOOL, COMPLEX, CUBE,
                           STRINGS)  # fmt: skip


def ask_host_function(function: Any) -> tuple[str, ...]:
    """Find calls that work with arrays, and make them with a tensor in the arrays' places."""
    found: list[str] = []
    end = time.process_time() + SECONDS_OF_ATTEMPTS
    mains: collections.Counter[str] = collections.Counter()
    for recipe in itertools.islice(recipes(function, SIMPLE), MAX_ATTEMPTS):
        if not recipe.symbolic() or mains[repr(recipe.args[:1])] or time.process_time() > end:
            continue
        if not any(accepts(function, recipe, fill) for fill in (1, 0.5)):
            continue
        mains[repr(recipe.args[:1])] += 1
        found.extend(host_outcomes(function, recipe))
        if len(mains) >= MAX_SUCCESSES:
            break
    return tuple(found)


def accepts(function: Any, recipe: Recipe, fill: float) -> bool:
    """Whether a function takes arrays in the places of the recipe's symbols."""
    try:
        function(*as_numpy(recipe.args, fill), **as_numpy_values(recipe.kwargs))
    except Exception:
        return False
    return True


def as_numpy_values(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    return {name: as_numpy(value) for name, value in kwargs.items()}


def host_outcomes(function: Any, recipe: Recipe) -> list[str]:
    kwargs = as_numpy_values(recipe.kwargs)
    with FuncGraph("trace").as_default():
        return [outcome(function, args, kwargs) for args in replaced(recipe, lambda spec: realised(spec, True, True))]


def verdict(outcomes: Sequence[str]) -> str | None:
    """The one thing that every call did: "fails", or the kind of its result; None if that differs."""
    kinds = set(outcomes)
    if kinds == {"fails"}:
        return "fails"
    if not kinds or "fails" in kinds:
        return None
    return merged(kinds)


def host_tables(verbose: bool) -> Iterator[Table]:
    functions = numpy_names() | {
        f"math.{name}": getattr(math, name) for name in dir(math) if callable(getattr(math, name)) and name[0] != "_"
    }
    answers = in_children(sorted(functions), lambda name: ask_host_function(functions[name]))
    verdicts = {name: verdict(answer) for name, answer in answers.items()}
    for prefix in ("numpy", "math"):
        wanted = [name for name in functions if name.startswith(prefix)]
        fails = [n for n in wanted if verdicts.get(n) == "fails"]
        works = [n for n in wanted if verdicts.get(n) not in (None, "fails")]
        mixed = [n for n in wanted if verdicts.get(n) is None and n in answers and answers[n]]
        unasked = sorted(n for n in wanted if n not in answers or not answers[n])
        print(
            f"{prefix}: {len(wanted)} functions, {len(fails)} fail, {len(works)} work, {len(mixed)} depend, "
            f"{len(unasked)} unanswered"
        )
        if verbose:
            print("  depend:", {n: answers[n] for n in mixed}, "\n  unanswered:", *unasked)
    yield "NUMPY_WORKS", {n: k for n, k in verdicts.items() if n.startswith("numpy") and k not in (None, "fails")}


# A call of each builtin with one tensor. x: float scalar, v: float vector, n: int scalar, b: bool vector, c: bool
# scalar, s: string, m: float matrix.
BUILTIN_CALLS = """
float(x) | int(x) | bool(x) | len(v) | range(n) | abs(x) | pow(x, 2) | round(x) | divmod(x, 2) | sum(v) | max(v)
min(v) | any(b) | all(b) | sorted(v) | list(v) | tuple(v) | set(v) | frozenset(v) | dict(v) | enumerate(v) | zip(v, v)
map(abs, v) | filter(None, v) | iter(v) | reversed(v) | isinstance(x, int) | hash(x) | str(x) | repr(x) | ascii(x)
format(x) | complex(x) | chr(n) | hex(n) | oct(n) | bin(n) | ord(s) | bytes(n) | print(x) | type(x) | id(x)
callable(x) | slice(n)
"""
PROBE_NAMES = "x v n b c s m"
PROBE_SPECS = (SCALAR, VECTOR, INT_SCALAR, Symbol("bool", (3,)), Symbol("bool", ()), STRING, Symbol("float32", (3, 3)))


def builtin_calls() -> list[str]:
    return [call.strip() for line in BUILTIN_CALLS.strip().splitlines() for call in line.split(" | ")]


def probe_module(folder: Path) -> Any:
    """A module with one function per call: AutoGraph wants to read the source of what it converts."""
    lines = ["import tensorflow as tf"]
    for number, call in enumerate(builtin_calls()):
        lines += ["", f"def probe_{number}({', '.join(PROBE_NAMES.split())}):", f"    {call}"]
    path = folder / "tflint_probes.py"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    sys.path.insert(0, str(folder))
    return importlib.import_module(path.stem)


def raises(function: Any, autograph: bool) -> bool:
    """Whether tracing the function raises."""

    def traced(*tensors: Any) -> None:
        function(*tensors)

    signature = [tf.TensorSpec(spec.shape, spec.dtype) for spec in PROBE_SPECS]
    runner = tf.autograph.experimental.do_not_convert(traced) if not autograph else traced
    try:
        tf.function(runner, autograph=autograph).get_concrete_function(*signature)
    except Exception:
        return True
    return False


def builtin_tables(verbose: bool) -> Iterator[Table]:
    calls = builtin_calls()
    with tempfile.TemporaryDirectory() as folder:
        module = probe_module(Path(folder))
        functions = [getattr(module, f"probe_{number}") for number in range(len(calls))]
        answers = in_children(
            range(len(calls)), lambda number: (raises(functions[number], False), raises(functions[number], True))
        )
    print(f"builtins: {len(calls)}, answered {len(answers)}")
    yield "BUILTINS", {calls[number].partition("(")[0]: answer for number, answer in answers.items()}


# ---------------------------------------------------------------------------------------------------------------------
# Table 5: NumPy functions with a counterpart
# ---------------------------------------------------------------------------------------------------------------------

Call = Callable[[Any, Any, Any, Any], Any]
CALL_FORMS: dict[str, list[Call]] = {
    "x": [lambda f, x, y, n: f(x)],
    "x, y": [lambda f, x, y, n: f(x, y)],
    "x, 1": [lambda f, x, y, n: f(x, 0), lambda f, x, y, n: f(x, 1), lambda f, x, y, n: f(x, 2)],
    "x, ()": [lambda f, x, y, n: f(x, (-1,)), lambda f, x, y, n: f(x, (1, 0)), lambda f, x, y, n: f(x, (3, 3)),
        lambda f, x, y, n: f(x, [0, 1])],
    "x, [[]]": [lambda f, x, y, n: f(x, [[1, 1], [0, 2]]), lambda f, x, y, n: f(x, [[1, 1], [0, 2], [0, 0]])],
    "x, y, 1": [lambda f, x, y, n: f(x, y, 1)],
    "1, x": [lambda f, x, y, n: f(2, x)],
    "x, 1, 1": [lambda f, x, y, n: f(x, 0, 1), lambda f, x, y, n: f(x, 0.25, 0.75)],
    "x, (), 1": [lambda f, x, y, n: f(x, [0, 1], 1)],
    "x, axis=": [lambda f, x, y, n: f(x, axis=1), lambda f, x, y, n: f(x, axis=-1)],
    "x, axis=()": [lambda f, x, y, n: f(x, axis=(0, 1))],
    "x, keepdims=": [lambda f, x, y, n: f(x, keepdims=True)],
    "x, axis=, keepdims=": [lambda f, x, y, n: f(x, axis=-1, keepdims=True)],
    "x, 1, keepdims=": [lambda f, x, y, n: f(x, 1, keepdims=True)],
    "x, dtype=": [lambda f, x, y, n: f(x, dtype="float32")],
    "x, y, axis=": [lambda f, x, y, n: f(x, y, axis=1)],
    "x, 1, axis=": [lambda f, x, y, n: f(x, 1, axis=0)],
    "x, (), axis=": [lambda f, x, y, n: f(x, [0, 1], axis=1)],
    "x, ord=": [lambda f, x, y, n: f(x, ord=2)],
    "x, ord=, axis=": [lambda f, x, y, n: f(x, ord=1, axis=-1)],
    "x, ''": [lambda f, x, y, n: f(x, "float32")],
    "[x]": [lambda f, x, y, n: f([x, y])],
    "[x], 1": [lambda f, x, y, n: f([x, y], 1)],
    "[x], axis=": [lambda f, x, y, n: f([x, y], axis=1), lambda f, x, y, n: f([x, y], axis=-1)],
    "c, x, y": [lambda f, x, y, n: f(n > 0, x, y), lambda f, x, y, n: f(n > 0, x, 0)],
    "'', x, y": [lambda f, x, y, n: f("ij,ij->i", x, y)],
    "n": [lambda f, x, y, n: f(4), lambda f, x, y, n: f((2, 3))],
    "n, n": [lambda f, x, y, n: f(2, 5)],
    "n, n, n": [lambda f, x, y, n: f(0.0, 1.0, 5)],
    "n, dtype=": [lambda f, x, y, n: f((2, 3), dtype="int32"), lambda f, x, y, n: f(4, dtype="float32")],
}  # fmt: skip
"""Ways to call a NumPy function, by what TABLES says about them. A way is good if every call of it that NumPy accepts
agrees."""

SPELLINGS: dict[str, tuple[str, ...]] = {
    "absolute": ("abs",), "fabs": ("abs",), "power": ("pow",), "concatenate": ("concat",), "arctan": ("atan",),
        "arcsin": ("asin",), "arccos": ("acos",),
    "arctan2": ("atan2",), "arctanh": ("atanh",), "arcsinh": ("asinh",), "arccosh": ("acosh",),
        "clip": ("clip_by_value",), "remainder": ("math.floormod",),
    "mod": ("math.floormod",), "true_divide": ("divide", "truediv"), "floor_divide": ("math.floordiv",),
        "rint": ("round",), "round": ("round",), "around": ("round",),
    "isnan": ("math.is_nan",), "isinf": ("math.is_inf",), "isfinite": ("math.is_finite",),
        "invert": ("bitwise.invert",), "conj": ("math.conj",),
    "conjugate": ("math.conj",), "swapaxes": ("swapaxes",), "std": ("math.reduce_std",),
        "var": ("math.reduce_variance",), "amax": ("max", "reduce_max"),
    "amin": ("min", "reduce_min"), "full_like": ("full_like",), "array": ("convert_to_tensor",),
        "asarray": ("convert_to_tensor",), "copy": ("identity", "copy"),
    "flip": ("reverse",), "dot": ("tensordot", "matmul"), "take": ("gather", "take"), "full": ("fill", "full"),
        "arange": ("range",), "linspace": ("linspace",),
    "inv": ("linalg.inv",), "eye": ("eye",), "diagonal": ("linalg.diag_part",), "trace": ("linalg.trace",),
        "outer": ("outer",), "log2": ("log2",),
    "nan_to_num": ("nan_to_num",), "astype": ("cast",), "permute_dims": ("transpose",), "size": ("size",),
        "ascontiguousarray": ("identity",),
    "reciprocal": ("math.reciprocal",), "degrees": ("rad2deg",), "radians": ("deg2rad",), "float_power": ("pow",),
        "ravel": ("ravel",), "cumsum": ("cumsum", "math.cumsum"),
    "cumprod": ("math.cumprod",), "norm": ("norm", "linalg.norm"), "det": ("linalg.det",), "solve": ("linalg.solve",),
        "sinc": ("sinc",), "i0": ("math.bessel_i0",),
    "count_nonzero": ("math.count_nonzero",), "unique": ("unique",), "where": ("where",), "cross": ("linalg.cross",
        "cross"), "fft": ("signal.fft",), "tile": ("tile",),
}  # fmt: skip
"""Where else to look than under the same name; every candidate is checked."""


def candidates(name: str, roots: Sequence[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    short = name.rsplit(".", 1)[1]
    for spelling in (
        short,
        f"reduce_{short}",
        f"math.{short}",
        f"linalg.{short}",
        f"bitwise.{short}",
        f"nn.{short}",
        *SPELLINGS.get(short, ()),
    ):
        for root, module in roots:
            value = module
            for part in spelling.split("."):
                value = getattr(value, part, None)
            if is_function(value):
                yield f"{root}.{spelling}", value


ROOTS = {"NUMPY_TO_OPS": [("keras.ops", keras.ops)], "NUMPY_TO_TF": [("tensorflow", tf)]}


SIGNED, UNIT, ABOVE = (-2.0, 2.0), (0.05, 0.95), (1.1, 3.0)
SAMPLES = [((2, 3), SIGNED), ((2, 3), UNIT), ((2, 3), ABOVE), ((3, 3), SIGNED), ((3, 3), UNIT), ((2, 3, 3), SIGNED),
           ((2, 3, 3), UNIT), ((3,), SIGNED)]  # fmt: skip
"""Shapes and ranges of what counterparts are compared on; the vector last, see `agrees`."""


@functools.cache
def samples(kind: str) -> list[list[Any]]:
    """Two arrays and a mask of every sort; kind "float", "int" or "bool"."""
    rng = np.random.default_rng(0)
    cast: Callable[[Any], Any] = {
        "float": lambda a: a.astype("float32"),
        "int": lambda a: np.round(a * 3).astype("int32"),
        "bool": lambda a: a > 0.5,
    }[kind]
    uniform = [[rng.uniform(*limits, shape) for _ in range(3)] for shape, limits in SAMPLES]
    return [[cast(first), cast(second), mask] for first, second, mask in uniform]


def plain(value: Any) -> Any:
    """A result as NumPy arrays, in the container it came in."""
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return np.asarray(value)


def equal(ours: Any, theirs: Any) -> bool:
    if isinstance(theirs, list):
        return isinstance(ours, list) and len(ours) == len(theirs) and all(map(equal, ours, theirs))
    if isinstance(ours, list) or ours.shape != theirs.shape or ours.dtype.kind != theirs.dtype.kind:
        return False
    return ours.dtype.kind in "biufc" and bool(np.allclose(ours, theirs, rtol=1e-4, atol=1e-5, equal_nan=True))


def agrees(function: Any, counterpart: Any, calls: Sequence[Call], kind: str) -> bool | None:
    """Whether calls give the same numbers, and work in a graph; None if NumPy itself accepts none of them."""
    traced: set[Call] = set()
    for call, sample in itertools.product(calls, samples(kind)):
        copies = [part.copy() for part in sample]
        try:
            with np.errstate(all="ignore"):
                expected = plain(call(function, *copies))
        except Exception:
            continue
        if is_useless(expected) or not all(map(np.array_equal, copies, sample)):  # it wrote into its arguments
            continue
        try:
            given = plain(call(counterpart, *map(tf.constant, sample)))
            if call not in traced:
                with FuncGraph("trace").as_default():
                    call(counterpart, *(realised(Symbol(str(part.dtype), part.shape), True, True) for part in sample))
        except Exception:
            if sample[0].ndim == 1 and traced:  # raises for vectors where NumPy does not: heard, not silent
                continue
            return False
        if not equal(given, expected):
            return False
        traced.add(call)
    return True if traced else None


def is_useless(expected: Any) -> bool:
    """Whether a result says nothing, as the logarithm of negative numbers only."""
    parts = expected if isinstance(expected, list) else [expected]
    return any(
        isinstance(part, np.ndarray) and part.dtype.kind == "f" and part.size and np.isnan(part).all() for part in parts
    )


def ask_counterpart(question: tuple[str, str]) -> tuple[str, tuple[str, ...], bool] | None:
    """(counterpart, the ways of calling that agree, whether they do for whole numbers and truth values as well)."""
    table, name = question
    function = numpy_names()[name]
    kinds = ("bool",) if ".logical_" in name else ("float", "int", "bool")  # TensorFlow's take truth values only
    best: tuple[str, tuple[str, ...], bool] | None = None
    for candidate, counterpart in candidates(name, ROOTS[table]):
        answers = {
            kind: {form: agrees(function, counterpart, calls, kind) for form, calls in CALL_FORMS.items()}
            for kind in kinds
        }
        forms = tuple(form for form in CALL_FORMS if is_good([answers[kind][form] for kind in kinds]))
        if forms and (best is None or len(forms) > len(best[1])):
            best = candidate, forms, all(answers[kind][form] is not False for kind in kinds for form in forms)
    return best


def is_good(agreed: Sequence[bool | None]) -> bool:
    """Whether a way of calling agrees for floats, or if NumPy takes no floats, for what it takes."""
    taken = [answer for answer in agreed[1:] if answer is not None]
    return bool(agreed[0]) if agreed[0] is not None else bool(taken) and all(taken)


def counterpart_tables(verbose: bool) -> Iterator[Table]:
    questions = [(table, name) for table in ROOTS for name in numpy_names() if "empty" not in name]
    answers = in_children(questions, ask_counterpart)
    for table in ROOTS:
        found = {name: answer for (of, name), answer in answers.items() if of == table and answer}
        print(f"{table}: {len(numpy_names())} numpy functions, {len(found)} with a counterpart")
        yield table, {name: answer[0] for name, answer in found.items()}
        yield f"{table}_FORMS", {name: answer[1] for name, answer in found.items()}
        yield f"{table}_FLOAT_ONLY", {name for name, answer in found.items() if not answer[2]}


# ---------------------------------------------------------------------------------------------------------------------
# The file
# ---------------------------------------------------------------------------------------------------------------------

HEADER = '''"""What public functions of TensorFlow, Keras, NumPy and Python do with symbolic tensors; generated.

Written by `python tools/generate_api.py` under Python {python} from TensorFlow {tensorflow}, Keras {keras},
tf_keras {tf_keras}, NumPy {numpy}.
Kinds of results: "tensor"; "composite" (sparse, ragged, indexed slices); "variable"; "tensors" (list or tuple of
tensors, length unknown); "(tensor,tensor)" (a tuple, named or not, of exactly these); "shape" (a tuple that mixes
ints and tensors); "dict" (of tensors); "static" (a Python value known while tracing, even for symbolic arguments);
"none".
A function that is in no table is one whose result nobody vouches for.
"""

# ruff: noqa: E501
# fmt: off
from __future__ import annotations
'''


KINDS_OF = "dict[str, str]"
NAMES = "frozenset[str]"
TABLES: dict[str, tuple[str, str]] = {
    "RETURNS": (KINDS_OF, "Function -> kind of its result."),
    "RETURNS_KERAS2": (KINDS_OF, "Where tf_keras differs from Keras 3."),
    "LAYERS": (
        KINDS_OF,
        'Layer class -> what it owns, once created and called: "weights", "random" (state of a generator) or '
        '"resource" (a table), all of which raise in a traced `call`; "stateless" is fine. "A/B": A under Keras 3, B '
        "under Keras 2.",
    ),
    "LAYER_RETURNS": (KINDS_OF, "Layers whose default call does not return one tensor -> what it returns."),
    "CLASSES": (KINDS_OF, "Public classes by role."),
    "NUMPY_WORKS": (KINDS_OF, "NumPy functions that take a symbolic tensor in every place -> kind of the result."),
    "BUILTINS": (
        "dict[str, tuple[bool, bool]]",
        "Builtin, called with one tensor of a suitable rank and type -> (raises without AutoGraph, raises with it).",
    ),
    **{
        key: value
        for table, of in (("NUMPY_TO_OPS", "keras.ops"), ("NUMPY_TO_TF", "TensorFlow"))
        for key, value in {
            table: (
                KINDS_OF,
                f"NumPy function -> one of {of} that gives the same numbers for floats in the forms below.",
            ),
            f"{table}_FORMS": (
                "dict[str, tuple[str, ...]]",
                "The ways to call for which that was seen. x, y: tensors, [x]: a list of tensors, c: truth values, "
                "n: a number or a shape, 1: a number, (): a tuple or list of numbers, [[]]: a list of those, "
                "'': a string, axis=: a keyword, axis=(): with a tuple.",
            ),
            f"{table}_FLOAT_ONLY": (
                NAMES,
                "Those that give something else (or raise) for whole numbers or truth values in some of the ways.",
            ),
        }.items()
    },
}
"""Every table: its type and what it says."""


def packed(items: Iterable[str], width: int = 118) -> Iterator[str]:
    """The items on as few lines as they fit on, each followed by a comma."""
    line = ""
    for item in items:
        if line and len(line) + len(item) + 2 > width:
            yield line
            line = ""
        line += f" {item},"
    if line:
        yield line


def quoted(value: Any) -> str:
    """A Python literal, with double quotes."""
    return json.dumps(value) if isinstance(value, str) else repr(value)


def section(name: str, values: Mapping[str, Any] | set[str]) -> str:
    """One table of the file."""
    annotation, about = TABLES[name]
    comment = textwrap.fill(about, 116, initial_indent="# ", subsequent_indent="# ")
    if isinstance(values, Mapping):
        items, opening, closing = [f"{quoted(k)}: {quoted(values[k])}" for k in sorted(values)], "{", "}"
    else:
        items, opening, closing = [quoted(value) for value in sorted(values)], "frozenset({", "})"
    return "\n".join(["", comment, f"{name}: {annotation} = {opening}", *packed(items), closing, ""])


def header() -> str:
    versions = {
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "tf_keras": tf_keras.__version__,
        "numpy": np.__version__,
        "python": "{}.{}".format(*sys.version_info),
    }
    return HEADER.format_map(versions)


def report(title: str, found: Results, total: int) -> None:
    kinds = collections.Counter(found.returns.values()).most_common(8)
    print(f"{title}: {total} names, {len(found.returns)} with a kind ({len(found.documented)} by documentation only), "
          f"{len(found.contradictory)} depend on their arguments, "
          f"{len(found.unanswered)} unanswered; {kinds}")  # fmt: skip


def function_tables(verbose: bool) -> Iterator[Table]:
    apis = {"TensorFlow": tensorflow_names(), "Keras 3": keras3_names(), "Keras 2": keras2_names()}
    found = {}
    for title, names in apis.items():
        found[title] = results(ask_functions(names))
        report(title, found[title], len(functions_among(names)))
        if verbose:
            print(" contradictory:", *sorted(found[title].contradictory))
            print(" unanswered:", *sorted(found[title].unanswered))
    three, two = found["Keras 3"], found["Keras 2"]
    known = {**three.returns, **dict.fromkeys(three.contradictory, "object")}
    returns = found["TensorFlow"].returns | {n: k for n, k in two.returns.items() if n not in known} | three.returns
    overrides = {n: k for n, k in two.returns.items() if n in known and known[n] != k}
    raw = raw_op_kinds()
    print(f"raw ops: {len(raw)} of {len(dir(tf.raw_ops))} do not return one tensor")
    yield "RETURNS", returns | raw
    yield "RETURNS_KERAS2", overrides


def layer_and_class_tables(verbose: bool) -> Iterator[Table]:
    three_names, two_names = keras3_names(), keras2_names()
    three, two = ask_layers(keras, three_names), ask_layers(tf_keras, two_names)
    for title, module, names, answers in (
        ("Keras 3", keras, three_names, three),
        ("Keras 2", tf_keras, two_names, two),
    ):
        wanted = {n for n, v in names.items() if n.startswith("keras.layers.") and is_layer(module, v)}
        print(f"{title} layers: {len(wanted)}, asked {len(answers)}; missing: {sorted(wanted - set(answers))}")
        odd = {n: a for n, a in answers.items() if a.traced == (a.state == "weights")}
        print("  unexpected:", odd) if verbose else None
    tables = layer_tables(three, two)
    yield from tables.items()
    roles = class_roles(tensorflow_names(), two_names, three_names)
    public = {name.rpartition(".")[2] for name in roles}
    private = class_roles(private_classes(tf_keras.src), private_classes(keras.src))
    yield "CLASSES", roles | {name: role for name, role in private.items() if name.rpartition(".")[2] not in public}


PARTS: dict[str, Callable[[bool], Iterator[Table]]] = {
    "functions": function_tables,
    "layers": layer_and_class_tables,
    "host": host_tables,
    "builtins": builtin_tables,
    "counterparts": counterpart_tables,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("-v", "--verbose", action="store_true", help="list what has no answer")
    parser.add_argument("-o", "--output", type=Path, default=TABLE)
    parser.add_argument("--parts", nargs="*", choices=PARTS, default=list(PARTS), help="ask only these, keep the rest")
    options = parser.parse_args()
    start = time.monotonic()
    tables = runpy.run_path(str(options.output)) if options.output.exists() else {}
    for part in options.parts:
        tables |= PARTS[part](options.verbose)
    sections = (section(name, tables[name]) for name in TABLES if name in tables)
    options.output.write_text(header() + "".join(sections), encoding="utf-8")
    print(f"{options.output}: {options.output.stat().st_size} bytes, {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
