"""Find, confirm and fix eager-only code in Keras layers."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tflint_layers.confirm import confirm
    from tflint_layers.finding import Edit, Finding, Fix, Proof, Safety, Status, Verdict
    from tflint_layers.fixer import FixResult, fix_source
    from tflint_layers.linter import lint_source
    from tflint_layers.settings import Settings

__version__ = "0.1.0"

__all__ = [
    "Edit",
    "Finding",
    "Fix",
    "FixResult",
    "Proof",
    "Safety",
    "Settings",
    "Status",
    "Verdict",
    "__version__",
    "confirm",
    "fix_source",
    "lint_source",
]


_HOMES = {
    **dict.fromkeys(("Edit", "Finding", "Fix", "Proof", "Safety", "Status", "Verdict"), "finding"),
    **dict.fromkeys(("FixResult", "fix_source"), "fixer"),
    "lint_source": "linter",
    "Settings": "settings",
}


def __getattr__(name: str) -> Any:
    """Import a part when it is asked for: flake8 has no use for what runs layers, and pytest for what lints them."""
    if name == "confirm":
        return importlib.import_module("tflint_layers.confirm")
    if name in _HOMES:
        return getattr(importlib.import_module(f"tflint_layers.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
