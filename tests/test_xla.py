"""What the table of operations without an XLA kernel claims, asked of TensorFlow's own compiler."""

from __future__ import annotations

import re

import pytest

from tflint_layers.model.xla import UNCOMPILED

pytestmark = pytest.mark.tensorflow

# A call of each operation, of `a`, a tensor of shape [4, 8]; the others are spelled out.
ARGUMENTS = {
    "print": "a",
    "py_function": "lambda v: v, [a], tf.float32",
    "numpy_function": "lambda v: v, [a], tf.float32",
    "timestamp": "",
    "edit_distance": "sparse_int, sparse_int",
    "histogram_fixed_width": "a, [0.0, 1.0]",
    "unique_with_counts": "tf.reshape(a, [-1])",
    "strings.as_string": "a",
    "strings.format": "'{}', a",
    "strings.split": "text",
    "strings.bytes_split": "text",
    "strings.ngrams": "text, 1",
    "strings.unicode_decode": "text, 'UTF-8'",
    "strings.unicode_split": "text, 'UTF-8'",
    "io.decode_raw": "text, tf.uint8",
    "io.decode_png": "text[0]",
    "io.decode_jpeg": "text[0]",
    "io.decode_image": "text[0]",
    "io.encode_png": "tf.cast(image, tf.uint8)",
    "io.encode_jpeg": "tf.cast(image, tf.uint8)",
    "io.matching_files": "text[0]",
    "io.parse_tensor": "text[0], tf.float32",
    "io.serialize_tensor": "a",
    "io.parse_example": "text, {'f': tf.io.FixedLenFeature([1], tf.float32)}",
    "io.parse_single_example": "text[0], {'f': tf.io.FixedLenFeature([1], tf.float32)}",
    "image.adjust_jpeg_quality": "image, 50",
    "image.random_jpeg_quality": "image, 50, 60",
    "image.crop_and_resize": "grey, [[0.0, 0.0, 1.0, 1.0]], [0], [2, 2]",
    "image.draw_bounding_boxes": "grey, [[[0.0, 0.0, 1.0, 1.0]]], [[1.0]]",
    "image.sample_distorted_bounding_box": "[4, 8, 1], [[[0.0, 0.0, 1.0, 1.0]]]",
    "image.combined_non_max_suppression": "a[None, :, None, :4], a[None, :, :1], 3, 3",
    "image.extract_glimpse": "grey, [2, 2], [[0.0, 0.0]]",
    "image.non_max_suppression_with_scores": "a[:, :4], a[:, 0], 3",
    "linalg.eig": "square",
    "linalg.eigvals": "square",
    "linalg.det": "square",
    "linalg.slogdet": "square",
    "linalg.lu": "square",
    "linalg.sqrtm": "square",
    "linalg.logm": "tf.cast(square, tf.complex64)",
    "random.gamma": "[2], a",
    "random.poisson": "[2], a",
    "random.stateless_gamma": "[2, 4, 8], [1, 2], a",
    "random.stateless_binomial": "[2, 4, 8], [1, 2], a, 0.5",
    "random.stateless_poisson": "[2, 4, 8], [1, 2], a",
    "random.uniform_candidate_sampler": "classes, 1, 2, True, 5",
    "random.log_uniform_candidate_sampler": "classes, 1, 2, True, 5",
    "random.fixed_unigram_candidate_sampler": "classes, 1, 2, True, 5, unigrams=[1.0] * 5",
    "random.learned_unigram_candidate_sampler": "classes, 1, 2, True, 5",
    "nn.fractional_max_pool": "grey, [1, 1.4, 1.4, 1]",
    "nn.fractional_avg_pool": "grey, [1, 1.4, 1.4, 1]",
    "nn.max_pool_with_argmax": "grey, 2, 2, 'SAME'",
    "nn.ctc_greedy_decoder": "a[:, None, :], [4]",
    "nn.ctc_beam_search_decoder": "a[:, None, :], [4]",
    "nn.nce_loss": "tf.ones([5, 8]), tf.ones([5]), classes, a, 2, 5",
    "nn.sampled_softmax_loss": "tf.ones([5, 8]), tf.ones([5]), classes, a, 2, 5",
    "nn.dilation2d": "grey, tf.ones([2, 2, 1]), [1, 1, 1, 1], 'SAME', 'NHWC', [1, 1, 1, 1]",
    "nn.erosion2d": "grey, tf.ones([2, 2, 1]), [1, 1, 1, 1], 'SAME', 'NHWC', [1, 1, 1, 1]",
    "nn.compute_accidental_hits": "classes, tf.constant([1], tf.int64), 1",
    **dict.fromkeys((f"math.segment_{name}" for name in ("sum", "mean", "max", "min", "prod")), "a, [0, 0, 1, 1]"),
    **dict.fromkeys(
        (f"math.special.{name}" for name in ("bessel_j0", "dawsn", "expint", "fresnel_cos", "spence")), "a"
    ),
    **dict.fromkeys((f"sets.{name}" for name in ("intersection", "union", "difference")), "[[1]], [[1]]"),
    "sets.size": "sparse_int",
    **dict.fromkeys((f"sparse.segment_{name}" for name in ("sum", "mean", "sqrt_n")), "a, [0, 1], [0, 0]"),
    "sparse.sparse_dense_matmul": "tf.sparse.SparseTensor([[0, 0]], [1.0], [8, 4]), a",
    "sparse.add": "sparse, sparse",
    "sparse.reorder": "sparse",
    "sparse.reduce_sum": "sparse",
    "sparse.concat": "0, [sparse, sparse]",
    "sparse.softmax": "sparse",
    "sparse.slice": "sparse, [0, 0], [1, 1]",
    "sparse.fill_empty_rows": "sparse, 0.0",
    "ragged.range": "[1, 2]",
    "audio.decode_wav": "text[0]",
    "audio.encode_wav": "a, 100",
    "quantization.quantize": "a, 0.0, 1.0, tf.qint8",
}
KERAS_ARGUMENTS = {
    "ops.det": "square",
    "ops.lu_factor": "square",
    "random.gamma": "[2], 1.0",
    "random.binomial": "[2], 2.0, 0.5",
    "random.beta": "[2], 1.0, 1.0",
}
CALLS = {
    **{f"tensorflow.{name}": f"tf.{name}({given})" for name, given in ARGUMENTS.items()},
    **{f"keras.{name}": f"keras.{name}({given})" for name, given in KERAS_ARGUMENTS.items()},
}
COMPILED = (
    "tf.boolean_mask(a, a > 0.5)",
    "tf.where(a > 0.5)",
    "tf.unique(tf.reshape(a, [-1]))",
    "tf.math.unsorted_segment_sum(a, [0, 0, 1, 1], 2)",
    "tf.random.stateless_normal([2], [1, 2])",
    "tf.linalg.inv(square)",
)


def complaint(call: str) -> str:
    """The operation that XLA cannot compile in a call; empty where it compiles the whole."""
    import keras
    import tensorflow as tf

    def run(a: tf.Tensor) -> list[tf.Tensor]:
        names = {
            "tf": tf,
            "keras": keras,
            "a": a,
            "image": tf.stack([a] * 3, -1),
            "grey": a[None, :, :, None],
            "square": tf.eye(8) * a[0, 0],
            "text": tf.constant(["a b", "c"]),
            "sparse": tf.sparse.from_dense(a),
            "classes": tf.ones([4, 1], tf.int64),
            "sparse_int": tf.sparse.from_dense([[1]]),
        }
        parts = tf.nest.flatten(eval(call, names), expand_composites=True)
        # Texts cannot be given back.
        tensors = (part for part in parts if isinstance(part, tf.Tensor))
        return [tf.strings.length(part) if part.dtype == tf.string else part for part in tensors]

    try:
        tf.function(run, jit_compile=True)(tf.random.uniform([4, 8]))
    except tf.errors.InvalidArgumentError as error:
        found = re.search(r"No registered '(\w+)' OpKernel for XLA_CPU_JIT", str(error))
        return found[1] if found else ""
    return ""


def test_the_table_is_what_is_asked_about() -> None:
    assert set(CALLS) == UNCOMPILED


def test_xla_compiles_none_of_the_table() -> None:
    assert [call for call in CALLS.values() if complaint(call) in {"", "_Retval"}] == []


@pytest.mark.parametrize("call", COMPILED)
def test_xla_compiles_what_is_left_alone(call: str) -> None:
    assert complaint(call) == ""
