"""How to build a layer and its inputs. Standard library only.

A recipe is text: expressions that are evaluated in the layer's module (where ``tf`` and ``keras`` can also be used),
so that the one that worked can be shown to the user and typed again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tflint_layers.confirm.values import BATCH, tensor

GUESSED = "guessed"
# Recipes of which nobody said that they are how the layer is meant to be used.
MADE_UP = frozenset({GUESSED, "documentation", "project"})


@dataclass(frozen=True)
class Recipe:
    """Expressions for a layer, the tuple of its inputs, and its keyword arguments.

    ``pair`` says that ``layer`` is an expression for both the layer and its inputs. ``imports`` are statements that
    bring names in that the layer's module does not have. ``origin`` says where the recipe comes from. ``method`` is
    what is called of an object that cannot be called itself.
    """

    layer: str
    inputs: tuple[str, ...] = ()
    keywords: tuple[tuple[str, str], ...] = ()
    pair: bool = False
    imports: tuple[str, ...] = ()
    origin: str = GUESSED
    method: str = ""

    def __str__(self) -> str:
        if self.pair:
            return self.layer
        arguments = [*self.inputs, *(f"{name}={value}" for name, value in self.keywords)]
        called = f"{self.layer}.{self.method}" if self.method else self.layer
        return f"{called}({', '.join(arguments)})"


def from_settings(layer: str, example: Mapping[str, Any]) -> Recipe:
    """The recipe that a project wrote into its settings."""
    name = layer.rpartition(".")[2] if layer.startswith("_") else layer
    init = example.get("init", "")
    if isinstance(init, Mapping):
        init = ", ".join(f"{key}={value!r}" for key, value in init.items())
    build = init if "(" in init else f"{name}({init})"
    inputs = [
        item if isinstance(item, str) else tensor(item["shape"], item.get("dtype", "float32"))
        for item in example.get("inputs", [{"shape": [BATCH, 8]}])
    ]
    keywords = tuple((key, repr(value)) for key, value in example.get("call", {}).items())
    return Recipe(build, tuple(inputs), keywords, origin="settings")
