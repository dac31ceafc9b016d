"""Random numbers of Python and NumPy as random numbers of the graph."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from tflint_layers.model.scopes import Scope
from tflint_layers.model.syntax import walk
from tflint_layers.model.values import Shape
from tflint_layers.rewrite.dtypes import Kind
from tflint_layers.rewrite.library import Library, usable_names
from tflint_layers.rewrite.meeting import FLOAT32

_NORMAL = ("normal", ("loc", "scale"))
_UNIFORM = ("uniform", ("low", "high"))
_UNIT = ("uniform", ())
_STANDARD = ("normal", ())
_WHOLE = ("randint", ("low", "high"))
_GENERATORS = ("numpy.random", "numpy.random.Generator", "numpy.random.RandomState")
# Function -> distribution, and its parameters before `size`.
_DRAWS: dict[str, tuple[str, tuple[str, ...]]] = {
    **{f"{home}.normal": _NORMAL for home in _GENERATORS},
    **{f"{home}.uniform": _UNIFORM for home in _GENERATORS},
    **{f"{home}.{name}": _UNIT for home in _GENERATORS for name in ("random", "random_sample")},
    **{f"{home}.standard_normal": _STANDARD for home in _GENERATORS},
    **{f"{home}.randint": _WHOLE for home in _GENERATORS},
    "numpy.random.Generator.integers": _WHOLE,
    **{f"{home}.{name}": ("normal", ("mu", "sigma")) for home in ("random", "random.Random") for name in
       ("gauss", "normalvariate")},
    **{f"{home}.uniform": ("uniform", ("a", "b")) for home in ("random", "random.Random")},
    **{f"{home}.random": _UNIT for home in ("random", "random.Random")},
    **{f"{home}.randrange": ("randint", ("start", "stop")) for home in ("random", "random.Random")},
    **{f"{home}.randint": ("randint_inclusive", ("a", "b")) for home in ("random", "random.Random")},
}  # fmt: skip
_BY_DIMENSIONS = {"numpy.random.rand": "uniform", "numpy.random.randn": "normal"}
_PARAMETERS = {"normal": ("mean", "stddev"), "uniform": ("minval", "maxval"), "randint": ("minval", "maxval")}


@dataclass(frozen=True)
class Draw:
    """Numbers to be drawn: from which distribution, with which parameters, in which shape (as source text)."""

    distribution: str
    parameters: tuple[str, ...]
    shape: str
    kind: Kind


def draw(scope: Scope, call: ast.Call, name: str) -> Draw | None:
    """What a call of Python or NumPy draws; None where it is not known, or has no counterpart."""
    text = scope.module.source.segment
    if name in _BY_DIMENSIONS and not call.keywords:
        shape = f"({', '.join(map(text, call.args))}{',' if len(call.args) == 1 else ''})"
        return Draw(_BY_DIMENSIONS[name], (), shape, Kind.FLOAT)
    if name not in _DRAWS:
        return None
    distribution, names = _DRAWS[name]
    order = (*names, "size")
    if len(call.args) > len(order):
        return None
    given = dict(zip(order, call.args, strict=False)) | {k.arg or "": k.value for k in call.keywords}
    if not set(given) <= set(order):
        return None
    shape_of = _shape(scope, given.get("size"))
    values = [text(given[parameter]) for parameter in names if parameter in given]
    if shape_of is None or any(parameter in given and names[0] not in given for parameter in names):
        return None
    if distribution.startswith("randint"):
        return _whole(values, shape_of, inclusive=distribution.endswith("inclusive"))
    return Draw(distribution, tuple(values), shape_of, Kind.FLOAT)


def _whole(values: list[str], shape: str, *, inclusive: bool) -> Draw | None:
    if not values:
        return None
    low, high = ("0", values[0]) if len(values) == 1 else (values[0], values[1])
    if inclusive:
        high = str(int(high) + 1) if high.isdigit() else f"{high} + 1"
    return Draw("randint", (low, high), shape, Kind.INT)


def _shape(scope: Scope, size: ast.expr | None) -> str | None:
    text = scope.module.source.segment
    if size is None or (isinstance(size, ast.Constant) and size.value is None):
        return "()"
    if isinstance(size, ast.Constant) and isinstance(size.value, int):
        return f"({size.value},)"
    value = scope.value(size)
    is_known = isinstance(value, Shape) and not value.batch
    return text(size) if is_known or isinstance(size, (ast.Tuple, ast.List)) else None


def text(scope: Scope, library: Library, drawn: Draw, dtype: str | None) -> str:
    """The call that draws in the graph: of Keras with the layer's seed generator, or in code that uses `keras.ops`.

    ``dtype`` is that of the tensor that the numbers meet, as source text, where it is known.
    """
    floats = [f"dtype={dtype}"] if dtype not in (None, FLOAT32) and drawn.kind is Kind.FLOAT else []
    keras = next((name for name, dotted in usable_names(scope).items() if dotted == "keras"), "")
    seed = _seed(scope) if keras else None
    names = _PARAMETERS[drawn.distribution]
    if keras and (seed is not None or library.keras):
        parts = [drawn.shape, *(f"{name}={value}" for name, value in zip(names, drawn.parameters, strict=False))]
        parts += floats + ([f"seed={seed}"] if seed is not None else [])
        return f"{keras}.random.{drawn.distribution}({', '.join(parts)})"
    parts = [drawn.shape, *(f"{name}={value}" for name, value in zip(names, drawn.parameters, strict=False))]
    parts += ['dtype="int32"'] if drawn.kind is Kind.INT else floats
    function = "uniform" if drawn.kind is Kind.INT else drawn.distribution
    return f"{library.tensorflow}.random.{function}({', '.join(parts)})"


def _seed(scope: Scope) -> str | None:
    """The layer's seed generator."""
    module = scope.module
    for node in walk(scope.layer.node) if scope.layer is not None else ():
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            target = node.targets[0]
            if module.dotted(node.value.func) == "keras.random.SeedGenerator" and isinstance(target, ast.Attribute):
                return module.source.segment(target)
    return None
