"""How the user wants to be linted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """What selects rules and decides which Keras a finding is about; ``keras=None`` means: find out."""

    select: tuple[str, ...] = ("ALL",)
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    preview: bool = False
    keras: int | None = None
    layer_bases: tuple[str, ...] = ()
