"""The style of a file: what it calls TensorFlow, and whether its code uses the operations of Keras."""

from __future__ import annotations

import ast
from functools import cached_property

from tflint_layers.finding import Edit
from tflint_layers.model.classes import ModuleInfo
from tflint_layers.model.scopes import Scope
from tflint_layers.model.syntax import walk
from tflint_layers.modules import bound_name
from tflint_layers.rewrite.imports import insert_import

# Operations of `keras.ops` that TensorFlow has under another name.
_TENSORFLOW_NAMES = {
    **{name: f"reduce_{name}" for name in ("sum", "max", "min", "mean", "prod", "any", "all")},
    **{name: f"math.{name}" for name in ("log", "log1p", "expm1", "ceil", "erf")},
    "std": "math.reduce_std",
    "var": "math.reduce_variance",
    "isnan": "math.is_nan",
    "isinf": "math.is_inf",
    "isfinite": "math.is_finite",
    "clip": "clip_by_value",
    "map": "map_fn",
    "arctan2": "atan2",
    "power": "pow",
}
_IMPORTS = (ast.Import, ast.ImportFrom)


class Library:
    """The operations that the code around a scope uses: ``keras.ops``, else TensorFlow.

    What has to be imported for the names that were asked for is in ``imports``.
    """

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self.keras = _uses_keras_ops(scope)
        self._imports: dict[str, tuple[Edit, ...]] = {}

    def imports_for(self, written: str) -> list[Edit]:
        """The imports of the names that were asked for and that the new text holds."""
        used = [new for name, new in self._imports.items() if f"{name}." in written]
        return [edit for new in used for edit in new]

    @cached_property
    def tensorflow(self) -> str:
        """How the file writes ``tensorflow``."""
        name, edits = tensorflow_name(self._scope)
        self._imports[name] = edits
        return name

    @cached_property
    def ops(self) -> str:
        """How the file writes ``keras.ops``."""
        for wanted, suffix in (("keras.ops", ""), ("keras", ".ops")):
            for name, dotted in usable_names(self._scope).items():
                if dotted == wanted:
                    return name + suffix
        name, statement = (
            ("ops", "from keras import ops") if "ops" not in _taken(self._scope) else ("keras.ops", "import keras")
        )
        self._imports[name] = (insert_import(self._scope.module.source, statement),)
        return name

    def name(self, operation: str) -> str:
        """How the file writes an operation that is called ``operation`` in ``keras.ops``."""
        if self.keras:
            return f"{self.ops}.{operation}"
        return f"{self.tensorflow}.{_TENSORFLOW_NAMES.get(operation, operation)}"

    def dotted(self, name: str) -> str:
        """How the file writes a dotted name below ``keras.ops`` or ``tensorflow``."""
        if name.startswith("keras.ops."):
            return f"{self.ops}.{name.removeprefix('keras.ops.')}"
        return f"{self.tensorflow}.{name.removeprefix('tensorflow.')}"


def _uses_keras_ops(scope: Scope) -> bool:
    """Whether the function uses ``keras.ops``; one that uses neither library goes by its file."""
    module = scope.module
    if scope.keras == 2 or b"ops" not in module.source.data:
        return False
    roots = [scope.function.node] if scope.function is not None else []
    for root in (*roots, module.source.tree):
        ops, tensorflow = _libraries_in(root, module)
        if ops or tensorflow:
            return ops and not (tensorflow and root is not module.source.tree)
    return False


def _libraries_in(root: ast.AST, module: ModuleInfo) -> tuple[bool, bool]:
    names = {module.dotted(node) or "" for node in walk(root) if isinstance(node, (ast.Attribute, ast.Name))}
    ops = any(name == "keras.ops" or name.startswith("keras.ops.") for name in names)
    return ops, any(name.startswith("tensorflow.") for name in names)


def usable_names(scope: Scope) -> dict[str, str]:
    """What the imported names of the file stand for, those that the code of a function can read when it runs."""
    unusable = _only_for_types(scope.module) | _bound_in(scope)
    return {name: dotted for name, dotted in scope.module.names.items() if name not in unusable}


def _only_for_types(module: ModuleInfo) -> set[str]:
    """The names that are imported for type checkers only."""
    if b"TYPE_CHECKING" not in module.source.data:
        return set()
    guarded = [
        inner
        for node in module.source.tree.body
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for inner in node.body
    ]
    return {bound_name(alias) for node in guarded if isinstance(node, _IMPORTS) for alias in node.names}


def _bound_in(scope: Scope) -> set[str]:
    """The names that a function binds, which stand for something else in all of it."""
    root = scope.function.node if scope.function is not None else None
    found: set[str] = set()
    for node in walk(root) if root is not None else ():
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, _IMPORTS):
            found.update(bound_name(alias) for alias in node.names)
    return found


def _taken(scope: Scope) -> set[str]:
    module = scope.module
    names = set(module.names) - _only_for_types(module)
    return names | set(module.assigned) | set(module.functions) | set(module.classes) | _bound_in(scope)


def tensorflow_name(scope: Scope) -> tuple[str, tuple[Edit, ...]]:
    """How the code of a function writes ``tensorflow``, and the edits that import it where the file does not yet."""
    for name, dotted in usable_names(scope).items():
        if dotted == "tensorflow":
            return name, ()
    tf_is_taken = "tf" in _taken(scope)
    statement, name = ("import tensorflow", "tensorflow") if tf_is_taken else ("import tensorflow as tf", "tf")
    return name, (insert_import(scope.module.source, statement),)
