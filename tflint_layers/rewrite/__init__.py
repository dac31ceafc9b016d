"""Building blocks of fixes: from what a rule objects to, to byte edits of the file.

libcst is imported where it is needed: linting alone, as flake8 does it, must not pay for it.
"""

from tflint_layers.rewrite import arrays, branches, draws, loops, members, texts
from tflint_layers.rewrite.conditions import condition
from tflint_layers.rewrite.consumers import Retyping
from tflint_layers.rewrite.dtypes import Kind, kind_of, kind_of_number, only_value
from tflint_layers.rewrite.edits import delete_call, delete_statement, replace, rewrite_call, without_argument
from tflint_layers.rewrite.imports import unused_imports
from tflint_layers.rewrite.library import Library, tensorflow_name
from tflint_layers.rewrite.meeting import dtype_met
from tflint_layers.rewrite.plan import Plan

__all__ = [
    "Kind",
    "Library",
    "Plan",
    "Retyping",
    "arrays",
    "branches",
    "condition",
    "delete_call",
    "delete_statement",
    "draws",
    "dtype_met",
    "kind_of",
    "kind_of_number",
    "loops",
    "members",
    "only_value",
    "replace",
    "rewrite_call",
    "tensorflow_name",
    "texts",
    "unused_imports",
    "without_argument",
]
