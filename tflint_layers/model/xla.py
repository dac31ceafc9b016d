"""Operations of TensorFlow and Keras that XLA cannot compile, as data.

Each was compiled on a CPU by ``tf.function(.., jit_compile=True)`` of TensorFlow 2.21, which said "No registered
OpKernel for XLA_CPU_JIT"; a test asks again. Operations whose result has a size that depends on the data
(``tf.boolean_mask``, ``tf.where`` with one argument, ``tf.unique``) are none of them: XLA compiles those.
"""

from __future__ import annotations

_TENSORFLOW = """
print py_function numpy_function timestamp edit_distance histogram_fixed_width unique_with_counts
strings.as_string strings.format strings.split strings.bytes_split strings.ngrams strings.unicode_decode
strings.unicode_split
io.decode_raw io.decode_png io.decode_jpeg io.decode_image io.encode_png io.encode_jpeg io.matching_files
io.parse_tensor io.serialize_tensor io.parse_example io.parse_single_example
image.adjust_jpeg_quality image.random_jpeg_quality image.crop_and_resize image.draw_bounding_boxes
image.sample_distorted_bounding_box image.combined_non_max_suppression image.extract_glimpse
image.non_max_suppression_with_scores
linalg.eig linalg.eigvals linalg.det linalg.slogdet linalg.lu linalg.sqrtm linalg.logm
random.gamma random.poisson random.stateless_gamma random.stateless_binomial random.stateless_poisson
random.uniform_candidate_sampler random.log_uniform_candidate_sampler random.fixed_unigram_candidate_sampler
random.learned_unigram_candidate_sampler
nn.fractional_max_pool nn.fractional_avg_pool nn.max_pool_with_argmax nn.ctc_greedy_decoder nn.ctc_beam_search_decoder
nn.nce_loss nn.sampled_softmax_loss nn.dilation2d nn.erosion2d nn.compute_accidental_hits
math.segment_sum math.segment_mean math.segment_max math.segment_min math.segment_prod
math.special.bessel_j0 math.special.dawsn math.special.expint math.special.fresnel_cos math.special.spence
sets.intersection sets.union sets.difference sets.size
sparse.segment_sum sparse.segment_mean sparse.segment_sqrt_n sparse.sparse_dense_matmul sparse.add sparse.reorder
sparse.reduce_sum sparse.concat sparse.softmax sparse.slice sparse.fill_empty_rows
ragged.range audio.decode_wav audio.encode_wav quantization.quantize
"""
_KERAS = "ops.det ops.lu_factor random.gamma random.binomial random.beta"
UNCOMPILED = frozenset(
    f"{root}.{name}" for root, names in (("tensorflow", _TENSORFLOW), ("keras", _KERAS)) for name in names.split()
)
# The methods that Keras 3 compiles with XLA where there is a GPU, and the attribute by which a layer forbids it.
ENTRIES = frozenset({"call", "train_step", "test_step", "compute_loss", "update_state", "result"})
CONSENT = "supports_jit"
OPTION = "jit_compile"
