"""What a layer is called with: tensors, lists and dicts of tensors, and other expressions. Standard library only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

BATCH = 4


@dataclass(frozen=True)
class Tensor:
    """A tensor to be made up; integers are below ``limit``, and ``ordered`` on demand.

    ``sparse`` asks for a ``tf.SparseTensor``.
    """

    shape: tuple[int, ...]
    dtype: str = "float32"
    limit: int = 4
    sparse: bool = False
    ordered: bool = False

    def __str__(self) -> str:
        dense = tensor(self.shape, self.dtype, self.limit)
        dense = f"tf.sort({dense})" if self.ordered else dense
        return f"tf.sparse.from_dense({dense})" if self.sparse else dense


@dataclass(frozen=True)
class Several:
    """A list or tuple of values, or a dict where ``keys`` are given."""

    items: tuple[Value, ...]
    kind: str = "list"
    keys: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.keys:
            return f"{{{', '.join(f'{key!r}: {item}' for key, item in zip(self.keys, self.items, strict=True))}}}"
        inner = ", ".join(map(str, self.items))
        if self.kind == "tuple":
            return f"({inner},)" if len(self.items) == 1 else f"({inner})"
        return f"[{inner}]"


Value = Tensor | Several | str


def tensor(shape: Sequence[int], dtype: str = "float32", limit: int = 4) -> str:
    """An expression for a tensor without two equal values next to each other."""
    size = ", ".join(map(str, shape))
    if dtype.startswith(("int", "uint")):
        return f"tf.random.uniform([{size}], maxval={limit}, dtype=tf.{dtype})" if dtype in ("int32", "int64") else (
            f"tf.cast(tf.random.uniform([{size}], maxval={limit}, dtype=tf.int32), tf.{dtype})"
        )  # fmt: skip
    if dtype == "bool":
        return f"tf.ones([{size}], dtype=tf.bool)"
    if dtype == "string":
        return f"tf.as_string({tensor(shape, 'int32', limit)})"
    if dtype in ("float32", "float64", "float16"):
        return (
            f"tf.random.uniform([{size}])" if dtype == "float32" else f"tf.random.uniform([{size}], dtype=tf.{dtype})"
        )
    return f"tf.cast(tf.random.uniform([{size}]), tf.{dtype})"


def from_data(data: Any) -> Value:
    """A value from JSON: an expression, or ``{"shape", "dtype"}``, ``{"list"}``, ``{"tuple"}``, ``{"dict"}``."""
    if isinstance(data, str):
        return data
    if "shape" in data:
        return Tensor(tuple(data["shape"]), data["dtype"], sparse=bool(data.get("sparse")))
    if "dict" in data:
        return Several(tuple(from_data(item) for item in data["dict"].values()), keys=tuple(data["dict"]))
    kind = "tuple" if "tuple" in data else "list"
    return Several(tuple(from_data(item) for item in data[kind]), kind)


def tensors(value: Value) -> Iterator[Tensor]:
    """The tensors in a value."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Several):
        for item in value.items:
            yield from tensors(item)


def mapped(value: Value, change: Callable[[Tensor], Tensor]) -> Value:
    """The value with each of its tensors changed."""
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, Several):
        return replace(value, items=tuple(mapped(item, change) for item in value.items))
    return value
