"""A recipe in the making: what the search for one that runs may still change. Standard library only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tflint_layers.confirm.parameters import Argument
from tflint_layers.confirm.recipe import Recipe
from tflint_layers.confirm.values import Tensor, Value, from_data, mapped, tensors

_UNSOURCED = Recipe("")

Inputs = tuple[tuple[str, Value], ...]


@dataclass(frozen=True)
class Draft:
    """A way to build and call a layer.

    ``build`` is the expression for the class or function that makes it, with ``arguments`` to follow; where those are
    None it is the layer itself. ``around`` is what the layer is put into. ``base`` brings imports and the origin.
    """

    build: str
    arguments: tuple[Argument, ...] | None = None
    inputs: Inputs = ()
    keywords: Inputs = ()
    around: str = "{}"
    base: Recipe = _UNSOURCED

    @classmethod
    def shown(cls, data: Mapping[str, Any]) -> Draft:
        """A use of the layer somewhere else, from JSON."""
        return cls(
            data["layer"],
            inputs=tuple(("", from_data(value)) for value in data["inputs"]),
            keywords=tuple((name, from_data(value)) for name, value in data["keywords"]),
            base=Recipe(data["layer"], imports=tuple(data["imports"]), origin=data["origin"]),
        )

    @property
    def layer(self) -> str:
        """The expression that builds the layer."""
        if self.arguments is None:
            return self.build
        return self.around.format(f"{self.build}({', '.join(map(str, self.arguments))})")

    def recipe(self) -> Recipe:
        """The draft as a recipe."""
        keywords = tuple((name, str(value)) for name, value in self.keywords)
        inputs = tuple(str(value) for _, value in self.inputs)
        return replace(self.base, layer=self.layer, inputs=inputs, keywords=keywords)

    def argument(self, name: str) -> Argument | None:
        """The argument with this name, if it is given."""
        return next((argument for argument in self.arguments or () if argument.name == name), None)

    def with_argument(self, argument: Argument) -> Draft:
        """The draft with another value for an argument, or one argument more."""
        if self.argument(argument.name) is None:
            return replace(self, arguments=(*(self.arguments or ()), argument))
        changed = (argument if old.name == argument.name else old for old in self.arguments or ())
        return replace(self, arguments=tuple(changed))

    def without_argument(self, name: str) -> Draft:
        """The draft without an argument."""
        return replace(self, arguments=tuple(old for old in self.arguments or () if old.name != name))

    def with_inputs(self, change: Callable[[Tensor], Tensor], only: int | None = None) -> Draft:
        """The draft with each tensor changed, or those of one input only."""
        inputs = tuple(
            (name, mapped(value, change) if only in (None, number) else value)
            for number, (name, value) in enumerate(self.inputs)
        )
        return replace(self, inputs=inputs)

    def first_tensor(self) -> Tensor | None:
        """The tensor that the others follow."""
        return next((tensor for _, value in self.inputs for tensor in tensors(value)), None)
