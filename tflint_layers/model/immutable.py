"""Data classes for what is made by the hundred thousand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_):
        """For type checkers only; Python 3.10 does not have it."""
        return lambda function: function


T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def immutable(cls: type[T]) -> type[T]:
    """A data class whose objects nobody changes and everybody may compare; the type checker sees to that.

    A frozen one would see to it again at run time, and take more than three times as long to make (measured).
    """
    return dataclass(unsafe_hash=True, slots=True)(cls)
