"""Which operations leave the batch axis the first one of what they give, so that its size is not known there either.

Asked of TensorFlow and of ``keras.ops`` with a batch of unknown size (``tests/test_kept_batch.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from tflint_layers.model import api
from tflint_layers.model.arguments import Arguments, have_batch
from tflint_layers.model.values import (
    UNKNOWN,
    Container,
    Shape,
    StaticDim,
    Tensor,
    Value,
    Variable,
    alternatives,
    constant_of,
)

Decision = Callable[[Arguments], bool]
# What these make of several tensors has the batch axis that those have; along it, too, its size is not known.
_JOINING = frozenset({"tensorflow.concat", "tensorflow.add_n", "keras.ops.concatenate", "keras.backend.concatenate"})


def keeps_batch(name: str, arguments: Arguments) -> bool:
    """Whether the first axis of what a library function gives is the batch axis of what it is given."""
    decide = _decision(name)
    return decide is not None and decide(arguments)


@cache
def _decision(name: str) -> Decision | None:
    root, last = name.partition(".")[0], name.rpartition(".")[2]
    if name in _JOINING:
        return lambda arguments: have_batch(arguments.get(0, "values"))
    # In the way of NumPy, `tile` may put new axes before the others.
    if root in {"tensorflow", "keras"} and last in _DECISIONS and name != "keras.ops.tile":
        return _DECISIONS[last]
    if api.keeps_batch(name):
        return lambda arguments: _has_batch(arguments, 0)
    place = api.place_of_axis(name)
    return _along(place) if place is not None else None


def _along(place: int) -> Decision:
    """The decision for an operation along an axis that it takes at a place."""
    return lambda arguments: _has_batch(arguments, 0) and _spares_first(arguments, place)


def _is_batch(value: Value | None) -> bool:
    return value is not None and any(isinstance(one, Tensor) and one.batch for one in alternatives(value))


def _has_batch(arguments: Arguments, place: int) -> bool:
    return place < len(arguments.positional) and _is_batch(arguments.positional[place])


def _spares_first(arguments: Arguments, place: int) -> bool:
    """Whether an operation works along axes of which none is that of the batch."""
    axes = arguments.get(place, "axis")
    given = (axes.items or ()) if isinstance(axes, Container) else (axes,)
    return bool(given) and all(axis is not None and _is_behind_first(axis) for axis in given)


def _is_behind_first(axis: Value) -> bool:
    """Whether an axis is surely none but the first; other negative ones may be, of a tensor with few axes."""
    number = constant_of(axis)
    return isinstance(number, int) and (number == -1 or number > 0)


def _matmul(arguments: Arguments) -> bool:
    right = arguments.get(1, "b")
    turned = arguments.get(2, "transpose_a")
    if turned is not None and constant_of(turned) is not False:
        return False
    # Any other tensor may have axes that come before those of the first one.
    return _has_batch(arguments, 0) and (isinstance(right, Variable) or _is_batch(right))


def _transpose(arguments: Arguments) -> bool:
    order = next((found for name in ("perm", "axes", "pattern") if (found := arguments.get(1, name))), None)
    return _has_batch(arguments, 0) and _starts_with(order, 0)


def _starts_with(value: Value | None, number: int) -> bool:
    items = value.items if isinstance(value, Container) else None
    constant = constant_of(items[0]) if items else None
    return isinstance(constant, int) and constant == number


def _swapaxes(arguments: Arguments) -> bool:
    axes = arguments.positional[1:3]
    return _has_batch(arguments, 0) and len(axes) == 2 and all(map(_is_behind_first, axes))


def _reshape(arguments: Arguments) -> bool:
    shape = next((found for name in ("shape", "newshape") if (found := arguments.get(1, name))), None)
    return _has_batch(arguments, 0) and _starts_with(shape, -1)


def may_fix_first_size(shape: Value | None) -> bool:
    """Whether a tensor that is said to have a shape may have a first axis of a known size."""
    if isinstance(shape, Shape):
        return not shape.batch
    first = shape.items[0] if isinstance(shape, Container) and shape.items else UNKNOWN
    return not isinstance(first, StaticDim) and constant_of(first) is not None


def _ensure_shape(arguments: Arguments) -> bool:
    return _has_batch(arguments, 0) and not may_fix_first_size(arguments.get(1, "shape"))


def _gather(arguments: Arguments) -> bool:
    axis, batch_axes = arguments.get(3, "axis"), arguments.get(4, "batch_dims")
    if axis is None and batch_axes is None:
        return _has_batch(arguments, 1)
    spares = (axis is not None and _is_behind_first(axis)) or (batch_axes is not None and _is_behind_first(batch_axes))
    return _has_batch(arguments, 0) and spares


def _take(arguments: Arguments) -> bool:
    axis = arguments.get(2, "axis")
    if axis is not None and constant_of(axis) == 0:
        return _has_batch(arguments, 1)
    return _has_batch(arguments, 0) and _spares_first(arguments, 2)


def _embedding_lookup(arguments: Arguments) -> bool:
    return _has_batch(arguments, 1)


def _stack(arguments: Arguments) -> bool:
    return have_batch(arguments.get(0, "values")) and _spares_first(arguments, 1)


def _longer(arguments: Arguments) -> bool:
    """What repeats or pads a tensor: how long the batch axis becomes is not known either."""
    return _has_batch(arguments, 0)


def _where(arguments: Arguments) -> bool:
    tensors = [value for value in arguments.positional if not isinstance(constant_of(value), (bool, int, float))]
    return len(arguments.positional) == 3 and bool(tensors) and all(map(_is_batch, tensors))


def _einsum(arguments: Arguments) -> bool:
    """Whether the letter that the result starts with is the first one of an operand with a batch axis."""
    equation = constant_of(arguments.positional[0]) if arguments.positional else None
    if not isinstance(equation, str):
        return False
    taken, _, given = equation.replace(" ", "").partition("->")
    starts = zip(taken.split(","), arguments.positional[1:], strict=False)
    return given[:1].isalpha() and any(one[:1] == given[:1] and _is_batch(operand) for one, operand in starts)


# By the last part of a name; these go before the plainer tables of `api`.
_DECISIONS: dict[str, Decision] = {
    "ensure_shape": _ensure_shape,
    "embedding_lookup": _embedding_lookup,
    "take": _take,
    "matmul": _matmul,
    "transpose": _transpose,
    "permute_dimensions": _transpose,
    "swapaxes": _swapaxes,
    "moveaxis": _swapaxes,
    "reshape": _reshape,
    "gather": _gather,
    "pad": _longer,
    "reverse": _along(1),
    "take_along_axis": _along(2),
    "split": _along(2),
    "unstack": _along(2),
    "stack": _stack,
    "tile": _longer,
    "where": _where,
    "einsum": _einsum,
}
