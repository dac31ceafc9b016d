"""Annotations of parameters to values: what an author says that a function of traced code is given."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tflint_layers.model import api
from tflint_layers.model.classes import FunctionInfo, ModuleInfo
from tflint_layers.model.syntax import last_name
from tflint_layers.model.values import NONE, STATIC, Container, Instance, Tensor, Value, join, literal

_TENSORS = frozenset({"tensorflow.Tensor", "keras.KerasTensor", "tensorflow.Variable"})
_NUMBERS = frozenset({"int", "float", "bool", "str"})
_MAPPINGS = frozenset({"dict", "Dict", "Mapping"})
# `name: List of ..` and `:param name: a tuple ..`, as the styles of documentation write it.
_SEVERAL = re.compile(
    r"^\s*(?::param\s+)?(\w+)\s*(?:\([^()]*\))?\s*:\s*(?:an?\s+|the\s+)?(?:list|tuple|sequence|pair|dict)", re.M | re.I
)
_SEQUENCES = frozenset({"list", "tuple", "List", "Tuple", "Sequence", "Iterable"})
_NUMBERS_IN_ORDER = Container(STATIC)


def annotated_object(parameter: ast.arg, function: FunctionInfo) -> Value | None:
    """The layer or model that the annotation of a parameter asks for, of Keras; None if it asks for something else."""
    annotation = _annotation(parameter)
    parts = list(_parts(annotation)) if annotation is not None else []
    given = [part for part in parts if literal(part) is not None]
    if len(given) != 1:
        return None
    name = function.module.dotted(given[0])
    if name is None or not api.is_traced_role(api.class_role(name)):
        return None
    found = Instance(name)
    return found if len(given) == len(parts) else join([NONE, found])


def _parts(annotation: ast.expr) -> Iterator[ast.expr]:
    """The members of a union, however it is written; an annotation that is none is its only member."""
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        yield from _parts(annotation.left)
        yield from _parts(annotation.right)
    elif isinstance(annotation, ast.Subscript) and last_name(annotation.value) in {"Optional", "Union"}:
        yield from annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else [annotation.slice]
        if last_name(annotation.value) == "Optional":
            yield ast.Constant(None)
    else:
        yield annotation


def annotated_value(parameter: ast.arg, function: FunctionInfo, tensor: Tensor) -> Value | None:
    """What the annotation of a parameter says that it is, with ``tensor`` for each tensor; None if it says nothing."""
    annotation = _annotation(parameter)
    if annotation is None:
        return None
    value = _value(annotation, function.module, tensor)
    if isinstance(value, Tensor) and _is_several(parameter.arg, function):
        return None
    return value


def _value(annotation: ast.expr, module: ModuleInfo, tensor: Tensor) -> Value | None:
    if isinstance(annotation, ast.Constant) and annotation.value is None:
        return NONE
    if isinstance(annotation, ast.Name) and annotation.id in _NUMBERS:
        return STATIC
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        return _any_of([annotation.left, annotation.right], module, tensor)
    if isinstance(annotation, ast.Subscript):
        return _value_of_generic(annotation, module, tensor)
    return tensor if module.dotted(annotation) in _TENSORS else None


def _value_of_generic(annotation: ast.Subscript, module: ModuleInfo, tensor: Tensor) -> Value | None:
    name = last_name(annotation.value)
    items = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else [annotation.slice]
    if name == "Union":
        return _any_of(items, module, tensor)
    if name == "Optional":
        return _any_of([*items, ast.Constant(None)], module, tensor)
    if name in _MAPPINGS and len(items) == 2:
        of = _value(items[1], module, tensor)
        return Container(of, type="dict") if isinstance(of, Tensor) else None
    # `...` and None aside.
    parts = [_value(item, module, tensor) for item in items if not isinstance(item, ast.Constant)]
    if name not in _SEQUENCES or not parts:
        return None
    if all(part in (STATIC, _NUMBERS_IN_ORDER) for part in parts):
        return _NUMBERS_IN_ORDER
    if not all(isinstance(part, Tensor) for part in parts):
        return None
    is_counted = name in {"tuple", "Tuple"} and len(parts) == len(items)
    return Container(tensor, (tensor,) * len(parts) if is_counted else None, "tuple" if is_counted else "list")


def _any_of(annotations: list[ast.expr], module: ModuleInfo, tensor: Tensor) -> Value | None:
    """The value of a union, where all of its parts are known; of a tensor or several, a nest.

    What is a number unless it is None, nobody says; lists of numbers are taken to be given.
    """
    known = [_value(annotation, module, tensor) for annotation in annotations]
    given = [value for value in known if value is not None and value != NONE]
    if not given or None in known or STATIC in given:
        return None
    if all(value == _NUMBERS_IN_ORDER for value in given):
        return _NUMBERS_IN_ORDER
    nones = [NONE] if NONE in known else []
    if any(isinstance(value, Container) for value in given) and any(isinstance(value, Tensor) for value in given):
        return join([Tensor(batch=tensor.batch, nest=True), *nones])
    return join([*given, *nones])


def _is_several(name: str, function: FunctionInfo) -> bool:
    """Whether a parameter holds several tensors, whatever its annotation says."""
    return _is_documented_as_several(name, function) or _goes_with_parts(name, function)


def _goes_with_parts(name: str, function: FunctionInfo) -> bool:
    """Whether the function pairs the entries of a parameter with what its object keeps: `zip(states, self.parts)`."""
    return any(
        isinstance(node.func, ast.Name)
        and node.func.id == "zip"
        and any(isinstance(given, ast.Name) and given.id == name for given in node.args)
        and any(isinstance(given, ast.Attribute) for given in node.args)
        for node in function.of_kind(ast.Call)
    )


def _is_documented_as_several(name: str, function: FunctionInfo) -> bool:
    """Whether the documentation says that a parameter holds several tensors: authors annotate these as one, too."""
    documentation = None if isinstance(function.node, ast.Lambda) else ast.get_docstring(function.node, clean=False)
    return any(match[1] == name for match in _SEVERAL.finditer(documentation or ""))


def _annotation(parameter: ast.arg) -> ast.expr | None:
    annotation = parameter.annotation
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return _parsed(annotation.value)
    return annotation


def _parsed(annotation: str) -> ast.expr | None:
    """The expression of an annotation that is written as a text."""
    try:
        return ast.parse(annotation, mode="eval").body
    except (SyntaxError, ValueError):
        return None
