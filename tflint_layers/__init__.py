"""Find, confirm and fix eager-only code in Keras layers."""

from __future__ import annotations

from tflint_layers.finding import Edit, Finding, Fix, Proof, Safety, Status, Verdict
from tflint_layers.linter import lint_source
from tflint_layers.settings import Settings

__version__ = "0.1.0"

__all__ = ["Edit", "Finding", "Fix", "Proof", "Safety", "Settings", "Status", "Verdict", "__version__", "lint_source"]
