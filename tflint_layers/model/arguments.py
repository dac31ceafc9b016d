"""What a call is given, and what of it decides over the result."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from dataclasses import replace

from tflint_layers.model.values import (
    UNKNOWN,
    Container,
    Function,
    OneOf,
    Static,
    Tensor,
    Value,
    Variable,
    alternatives,
    is_single_tensor,
    join,
)


class Arguments(typing.NamedTuple):
    """The values of a call's arguments; ``partial`` where a star hides how many there are."""

    positional: tuple[Value, ...]
    keywords: tuple[tuple[str, Value], ...] = ()
    partial: bool = False

    def get(self, position: int, name: str) -> Value | None:
        """The argument at a position or of a name; None where it is not given."""
        if position < len(self.positional):
            return self.positional[position]
        return next((value for keyword, value in self.keywords if keyword == name), None)

    @property
    def values(self) -> list[Value]:
        """All of them."""
        return [*self.positional, *(value for _, value in self.keywords)]


def unconverted(function: Value) -> Value:
    """A function as code runs it that AutoGraph does not look into: without AutoGraph, unless it asks for it.

    What stands inside of a function goes through AutoGraph with that.
    """
    if not isinstance(function, Function) or function.autograph is not None or _is_inner(function):
        return function
    return replace(function, autograph=False)


def _is_inner(function: Function) -> bool:
    environment = function.environment
    return environment is not None and not environment.lasting and "." in function.info.qualname


def any_tensor(arguments: Arguments, trait: str) -> bool:
    """Whether some argument, or an element of one, is a tensor of which ``trait`` holds."""
    for value in arguments.positional:
        if _is_any(value, trait):
            return True
    return any(_is_any(value, trait) for _, value in arguments.keywords)


def _is_any(value: Value, trait: str) -> bool:
    if isinstance(value, Tensor):
        return bool(getattr(value, trait))
    if isinstance(value, OneOf):
        return any(_is_any(one, trait) for one in value.values)
    return isinstance(value, Container) and any(_is_any(item, trait) for item in value.items or (value.of,))


def have_batch(value: Value | None) -> bool:
    """Whether a value is several tensors, each with a batch axis."""
    return isinstance(value, Container) and all(isinstance(one, Tensor) and one.batch for one in _elements(value))


def _elements(value: Value) -> Iterator[Value]:
    """What a value may be; of containers, what may be in them."""
    for one in alternatives(value):
        for item in one.items or (one.of,) if isinstance(one, Container) else (one,):
            yield from alternatives(item)


def has_tensor(value: Value) -> bool:
    """Whether a value may be a tensor, or hold one."""
    return any(
        isinstance(v, (Tensor, Variable))
        or v is UNKNOWN
        or (isinstance(v, Container) and v.items != () and has_tensor(v.of))
        for v in alternatives(value)
    )


def slice_of(value: Value) -> Value:
    """What a function gets that is called for each entry along the first axis of all tensors of a nest."""
    if isinstance(value, Container):
        items = tuple(slice_of(item) for item in value.items) if value.items is not None else None
        return Container(join(items) if items else slice_of(value.of), items, value.type)
    return Tensor(nest=not is_single_tensor(value))


def returns_more(arguments: Arguments) -> bool:
    """Whether a layer is asked for several results, as by ``return_attention_scores=True``."""
    return any(name.startswith("return_") and value != Static(False) for name, value in arguments.keywords)


def named_tuple(fields: tuple[str, ...], arguments: Arguments) -> Value:
    """The named tuple with these fields that is made of some arguments."""
    if arguments.partial or len(arguments.positional) > len(fields):
        return UNKNOWN
    given = {**dict(zip(fields, arguments.positional, strict=False)), **dict(arguments.keywords)}
    items = tuple(given.get(field, UNKNOWN) for field in fields)
    return Container(join(items) if items else UNKNOWN, items, "tuple", entries=tuple(zip(fields, items, strict=True)))


def leaves(value: Value) -> list[Value]:
    """What is in a nest at the bottom, whatever that is."""
    found: list[Value] = []
    for alternative in alternatives(value):
        if isinstance(alternative, Container):
            found += [leaf for item in alternative.items or (alternative.of,) for leaf in leaves(item)]
        else:
            found.append(replace(alternative, nest=False) if isinstance(alternative, Tensor) else alternative)
    return found
