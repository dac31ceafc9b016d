"""Functions of the libraries that take functions, as data: which trace them, and with what."""

from __future__ import annotations

from dataclasses import dataclass

TRACING_DECORATORS = frozenset({"tensorflow.function", "tensorflow.compat.v1.function"})
# The function that these decorate gives its result and the function that computes the gradient.
GRADIENT_DECORATORS = frozenset({"tensorflow.custom_gradient"})
UNCONVERTED_DECORATORS = (
    frozenset({"tensorflow.autograph.experimental.do_not_convert", "tensorflow.autograph.do_not_convert"})
    # These run the function on their own behalf, and AutoGraph leaves TensorFlow's own code alone.
    | {"tensorflow.recompute_grad"}
    | GRADIENT_DECORATORS
)

# With one of these a function is traced once, for tensors of the kinds that it names.
SIGNATURES = frozenset({"input_signature"})

_TRANSPARENT_DECORATORS = (
    "tensorflow.",
    "keras.",
    "functools.",
    "typing.",
    "typing_extensions.",
    "abc.",
    "contextlib.",
    "builtins.",
    "typeguard.",
    "beartype.",
    "jaxtyping.",
    "gin.",
)
LIFTING_CONTEXTS = frozenset({"tensorflow.init_scope"})


def is_transparent(decorator: str) -> bool:
    """Whether a decorator passes the arguments and the result of the function on as they are."""
    return decorator.startswith(_TRANSPARENT_DECORATORS)


@dataclass(frozen=True)
class Callback:
    """How a library function uses the functions that it is given.

    ``functions`` and ``subject`` are the places (position, keyword) of the functions and of what they are applied
    to. ``arity``: how many tensors each gets; None: one for each element of the subject. ``start`` is the
    place of what the first of them is at the first step, if it is given. ``traced``: inside the
    graph; ``py_function`` runs its function eagerly. ``wraps``: the result is the function again. ``unconverted``:
    AutoGraph does not reach the functions. ``always``: they are traced outside of a graph, too, where all others just
    call them, with tensors that have numbers (measured).
    """

    functions: tuple[tuple[int, str], ...]
    subject: tuple[int, str] | None = None
    arity: int | None = 1
    start: tuple[int, str] | None = None
    traced: bool = True
    wraps: bool = False
    shapeless: bool = False
    returns_result: bool = False
    returns_tensor: bool = False
    unconverted: bool = False
    always: bool = False


_FN = ((0, "fn"),)
_WRAPS = Callback(((0, "f"),), wraps=True)
_HOST = Callback(((0, "func"),), traced=False, shapeless=True)
_MAP = Callback(_FN, (1, "elems"), returns_tensor=True)
_FOLD = Callback(_FN, (1, "elems"), arity=2, start=(2, "initializer"), returns_tensor=True)
_BRANCH = Callback(((1, "true_fn"), (2, "false_fn")), arity=0, returns_result=True)
_LOOP = Callback(((0, "cond"), (1, "body")), (2, "loop_vars"), arity=None)

_CALLBACKS: dict[str, Callback] = {
    **dict.fromkeys([*TRACING_DECORATORS, *UNCONVERTED_DECORATORS], _WRAPS),
    **dict.fromkeys(("tensorflow.recompute_grad", *GRADIENT_DECORATORS), _WRAPS),
    **dict.fromkeys(
        (
            "tensorflow.py_function",
            "tensorflow.numpy_function",
            "tensorflow.compat.v1.py_func",
            "tensorflow.compat.v1.py_function",
            "tensorflow.py_func",
        ),
        _HOST,
    ),
    "tensorflow.map_fn": _MAP,
    "tensorflow.vectorized_map": Callback(_FN, (1, "elems"), returns_tensor=True, unconverted=True, always=True),
    "keras.backend.map_fn": _MAP,
    "keras.ops.map": Callback(((0, "f"),), (1, "xs"), returns_tensor=True),
    "keras.ops.vectorized_map": Callback(((0, "function"),), (1, "elements"), returns_tensor=True, always=True),
    **dict.fromkeys(("tensorflow.scan", "tensorflow.foldl", "tensorflow.foldr"), _FOLD),
    "keras.ops.scan": Callback(((0, "f"),), (2, "xs"), arity=2, start=(1, "init")),
    "keras.ops.associative_scan": Callback(((0, "f"),), (1, "elems"), arity=2, returns_tensor=True),
    "tensorflow.cond": _BRANCH,
    "keras.ops.cond": _BRANCH,
    "keras.backend.switch": Callback(((1, "then_expression"), (2, "else_expression")), arity=0, returns_result=True),
    "tensorflow.while_loop": _LOOP,
    "keras.ops.while_loop": _LOOP,
    "keras.ops.fori_loop": Callback(((2, "body_fun"),), (3, "init_val"), arity=2, returns_tensor=True),
}
DATASET_CALLBACKS = frozenset({"map", "flat_map", "interleave", "filter", "take_while", "reduce", "scan"})


# How the names of library functions and methods end that trace the functions they are given, wherever they are called.
CALLBACK_NAMES = DATASET_CALLBACKS | {
    name.rpartition(".")[2] for name, use in _CALLBACKS.items() if use.always or name in TRACING_DECORATORS
}


def callback(dotted: str) -> Callback | None:
    """How a library function uses the functions that it is given; None where it takes none."""
    return _CALLBACKS.get(dotted)
