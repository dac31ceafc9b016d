"""Which functions tracing reaches, and from where."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tflint_layers.model.classes import ClassInfo, FunctionInfo


@dataclass(frozen=True)
class Reach:
    """What tracing starts from, and who calls whom on the way: more rather than less, for results are used again."""

    entries: list[tuple[ClassInfo | None, FunctionInfo]] = field(default_factory=list)
    callees: dict[FunctionInfo, dict[ClassInfo | None, set[FunctionInfo]]] = field(default_factory=dict)

    def note(self, layer: ClassInfo | None, caller: FunctionInfo, called: FunctionInfo) -> None:
        """One function calls another one while ``layer`` is traced."""
        self.callees.setdefault(caller, {}).setdefault(layer, set()).add(called)

    def include(self, other: Reach) -> None:
        """Take over what was seen in another module."""
        self.entries.extend(other.entries)
        for caller, by_layer in other.callees.items():
            for layer, called in by_layer.items():
                self.callees.setdefault(caller, {}).setdefault(layer, set()).update(called)

    def functions(self, layer: ClassInfo | None, start: FunctionInfo) -> set[FunctionInfo]:
        """What is run when tracing a layer starts with this function."""
        reached, pending = {start}, [start]
        while pending:
            new = self._called(layer, pending.pop()) - reached
            reached |= new
            pending += new
        return reached

    def _called(self, layer: ClassInfo | None, caller: FunctionInfo) -> set[FunctionInfo]:
        by_layer = self.callees.get(caller, {})
        if layer in by_layer:
            return by_layer[layer]
        # A function that was run for one layer is not run again for the next that passes the same.
        return {function for called in by_layer.values() for function in called}
