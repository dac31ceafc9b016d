"""How to build a layer and its inputs. Standard library only.

A recipe is text: expressions that are evaluated in the layer's module (where ``tf`` and ``keras`` can also be used),
so that the one that worked can be shown to the user and typed again.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

_SIZES = re.compile(
    r"unit|filter|dim|width|size|channel|feature|hidden|depth|num|n_|len|count|classes|rank|kernel|stride|latent|embed",
    re.IGNORECASE,
)
_RATES = re.compile(
    r"rate|drop|prob|alpha|beta|gamma|momentum|epsilon|eps|scale|factor|temperature|lambda|std|stddev|weight|sigma|decay"
    r"|threshold|lr",
    re.IGNORECASE,
)
_LAYERS = re.compile(r"layer|model|net|encoder|decoder|backbone|block|cell|module|extractor|mlp|sublayer|dense", re.I)
_FLAGS = re.compile(r"^(use|is|has|with|return|causal|bidirectional|trainable|normali[sz]e|debug|verbose)", re.I)
_SMALL = {
    "num_heads": "2", "heads": "2", "n_heads": "2", "nhead": "2", "num_layers": "2", "n_layers": "2", "depth": "2",
    "kernel_size": "3", "strides": "1", "stride": "1", "pool_size": "2", "dilation_rate": "1", "groups": "1",
    "vocab_size": "50", "input_dim": "50", "max_len": "16", "maxlen": "16", "max_length": "16", "seed": "1",
    "axis": "-1", "activation": "'relu'", "padding": "'same'", "name": "'layer'", "dtype": "'float32'",
    "initializer": "'ones'",
    "mode": "'train'", "optimizer": "'sgd'", "loss": "'mse'", "layers": "[tf.keras.layers.Dense(8)]",
    "image_size": "8", "patch_size": "2", "shape": "(8,)", "target_shape": "(8,)", "output_shape": "(8,)",
    "input_shape": "(8,)", "units": "8", "filters": "8", "n": "2", "k": "2", "inputs": "None",
}  # fmt: skip
_UNKNOWN = ("4", "0.5", "[8, 8]", "tf.keras.layers.Dense(8)", "'relu'", "lambda x: x", "tf.ones([8])", "None")

SHAPES: tuple[tuple[int, ...], ...] = (
    (4, 8), (4, 6, 8), (4, 8, 8, 3), (4, 8, 8, 8), (4,), (4, 3), (4, 3, 3), (2, 4, 8, 8, 3), (4, 16), (4, 16, 16),
    (4, 32, 32, 1), (1,), (8, 8), (3,), (4, 1), (),
)  # fmt: skip
_MASKS = re.compile(r"mask", re.IGNORECASE)
_IDS = re.compile(r"\bid\b|ids$|token|index|indices|label", re.IGNORECASE)


@dataclass(frozen=True)
class Recipe:
    """Expressions for a layer, the tuple of its inputs, and its keyword arguments.

    ``pair`` says that ``layer`` is an expression for both the layer and its inputs.
    """

    layer: str
    inputs: tuple[str, ...] | None = None
    keywords: Mapping[str, str] = field(default_factory=dict)
    pair: bool = False

    def __str__(self) -> str:
        if self.pair:
            return self.layer
        arguments = [*(self.inputs or ()), *(f"{name}={value}" for name, value in self.keywords.items())]
        return f"{self.layer}({', '.join(arguments)})"


def tensor(shape: Sequence[int], dtype: str = "float32") -> str:
    """An expression for a tensor without two equal values next to each other."""
    size = ", ".join(map(str, shape))
    if dtype.startswith(("int", "uint")):
        return f"tf.random.uniform([{size}], maxval=4, dtype=tf.{dtype})"
    if dtype == "bool":
        return f"tf.ones([{size}], dtype=tf.bool)"
    return f"tf.random.uniform([{size}])" if dtype == "float32" else f"tf.ones([{size}], dtype=tf.{dtype})"


def from_settings(layer: str, example: Mapping[str, Any]) -> Recipe:
    """The recipe that a project wrote into its settings."""
    name = layer.rpartition(".")[2] if layer.startswith("_") else layer
    init = example.get("init", "")
    if isinstance(init, Mapping):
        init = ", ".join(f"{key}={value!r}" for key, value in init.items())
    build = init if "(" in init else f"{name}({init})"
    inputs = [
        item if isinstance(item, str) else tensor(item["shape"], item.get("dtype", "float32"))
        for item in example.get("inputs", [])
    ]
    return Recipe(build, tuple(inputs) or None, {key: repr(value) for key, value in example.get("call", {}).items()})


def found_in_file(tree: ast.Module, layer: str) -> Iterator[Recipe]:
    """Recipes that the file itself shows: calls of the class, with the inputs of the result where they are there."""
    values = {
        target.id: statement.value
        for statement in ast.walk(tree)
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
    seen = set()
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and _is_call_of(call.func, layer):
            build = ast.unparse(_inline(call, values))
            names = {name for name, value in values.items() if value is call}
            for recipe in [*_uses(tree, call, names, build, values), Recipe(build)]:
                if str(recipe) not in seen:
                    seen.add(str(recipe))
                    yield recipe


def factories(tree: ast.Module, layer: str) -> list[str]:
    """The functions of the module whose body defines the class."""
    name = layer.rpartition(".")[2]
    return [
        function.name
        for function in tree.body
        if isinstance(function, ast.FunctionDef)
        and any(isinstance(node, ast.ClassDef) and node.name == name for node in ast.walk(function))
    ]


def _is_call_of(function: ast.expr, layer: str) -> bool:
    return isinstance(function, ast.Name | ast.Attribute) and ast.unparse(function) == layer


def _uses(
    tree: ast.Module, build_call: ast.Call, names: set[str], build: str, values: Mapping[str, ast.expr]
) -> Iterator[Recipe]:
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        if call.func is build_call or (isinstance(call.func, ast.Name) and call.func.id in names):
            inputs = tuple(ast.unparse(_inline(argument, values)) for argument in call.args)
            keywords = {k.arg: ast.unparse(_inline(k.value, values)) for k in call.keywords if k.arg}
            if inputs and not any("Input(" in text for text in inputs) and _is_known(call, tree):
                yield Recipe(build, inputs, keywords)


def _is_known(call: ast.Call, tree: ast.Module) -> bool:
    """Whether a call means the same at module level: it names no local variable of the function that it stands in."""
    bound = {name.id for name in ast.walk(tree) if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)}
    bound |= {parameter.arg for parameter in ast.walk(tree) if isinstance(parameter, ast.arg)}
    outside = {
        name.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for name in ast.walk(node)
        if isinstance(name, ast.Name)
    }
    arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
    used = {name.id for argument in arguments for name in ast.walk(argument) if isinstance(name, ast.Name)}
    return not used & (bound - outside)


def _inline(node: ast.expr, values: Mapping[str, ast.expr], depth: int = 2) -> ast.expr:
    """Names of module-level values replaced by what they stand for, for the statements that set them do not run."""

    class Inline(ast.NodeTransformer):
        def visit_Name(self, name: ast.Name) -> ast.expr:
            value = values.get(name.id)
            return _inline(value, values, depth - 1) if value is not None and depth else name

    copy = ast.parse(ast.unparse(node), mode="eval").body
    result = Inline().visit(copy)
    assert isinstance(result, ast.expr)
    return result


def shapes_in_file(tree: ast.Module) -> list[tuple[int, ...]]:
    """Input shapes that the file mentions, with a batch of four."""
    found: dict[tuple[int, ...], None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg in ("input_shape", "shape", "batch_shape", "batch_input_shape"):
            shape = _shape(node.value)
            found[shape[1:] if node.arg.startswith("batch") else shape] = None
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Input") and node.args:
            found[_shape(node.args[0])] = None
    return [(4, *shape) for shape in found if shape][:4]


def _shape(node: ast.expr) -> tuple[int, ...]:
    if not isinstance(node, ast.Tuple | ast.List):
        return ()
    values = [item.value if isinstance(item, ast.Constant) else None for item in node.elts]
    sizes = [6 if value is None else value for value in values]
    return tuple(size for size in sizes if isinstance(size, int)) if all(isinstance(s, int) for s in sizes) else ()


def constructions(layer: str, init: inspect.Signature) -> Iterator[str]:
    """Expressions that may build the layer, from the names, defaults and annotations of ``__init__``."""
    required = [
        parameter
        for parameter in init.parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.POSITIONAL_ONLY, parameter.KEYWORD_ONLY)
    ]
    guesses = [_guess(parameter) for parameter in required]
    seen = set()
    for unknown in _UNKNOWN if None in guesses else _UNKNOWN[:1]:
        text = ", ".join(
            f"{parameter.name}={guess or unknown}" for parameter, guess in zip(required, guesses, strict=True)
        )
        if text not in seen:
            seen.add(text)
            yield f"{layer}({text})"


def _guess(parameter: inspect.Parameter) -> str | None:
    name, annotation = parameter.name, str(getattr(parameter.annotation, "__name__", parameter.annotation))
    if name in _SMALL:
        return _SMALL[name]
    for kind, value in (("bool", "True"), ("int", "8"), ("float", "0.5"), ("str", "'relu'")):
        if annotation == kind:
            return value
    if re.search(r"Layer|Model", annotation):
        return "tf.keras.layers.Dense(8)"
    if re.search(r"(list|List|Sequence|Tuple|tuple|Iterable)", annotation):
        return "[8, 8]"
    named: tuple[tuple[re.Pattern[str], str | None], ...] = (
        (_FLAGS, "True"),
        (re.compile("activation"), "'relu'"),
        (re.compile("initializer"), "'ones'"),
        (re.compile(r"(units|filters|sizes|dims|layers|channels)$"), None),
        (_LAYERS, "tf.keras.layers.Dense(8)"),
        (_RATES, "0.5"),
        (_SIZES, "8"),
    )
    return next((value for pattern, value in named if pattern.search(name)), None)


def inputs_for(call: inspect.Signature, shapes: Sequence[tuple[int, ...]]) -> Iterator[tuple[str, ...]]:
    """Tuples of input expressions for a ``call`` with this signature, likeliest first."""
    names = [
        parameter.name
        for parameter in call.parameters.values()
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.POSITIONAL_ONLY)
        and parameter.default is parameter.empty
        and parameter.name not in ("self", "training", "mask")
    ] or ["inputs"]
    ladder = [*shapes, *(shape for shape in SHAPES if shape not in shapes)]
    ids = [(4, 6), (4,)]
    if _IDS.search(names[0]):
        yield from (tuple(_value(name, shape, "int32") for name in names) for shape in ids)
    for shape in ladder[: 3 + len(shapes)]:
        yield tuple(_value(name, shape, "float32") for name in names)
    for shape, count in (((4, 8), 2), ((4, 6, 8), 2), ((4, 6, 8), 3), ((4, 8), 3), ((4, 8, 8, 3), 2)):
        yield (f"[{', '.join([tensor(shape)] * count)}]", *(_value(name, shape, "float32") for name in names[1:]))
    for shape in ids:
        yield tuple(_value(name, shape, "int32") for name in names)
    if len(names) > 1:
        yield (tensor((4, 8)), *(f"[{tensor((4, 8))}]" for _ in names[1:]))
    for shape in ladder[3 + len(shapes) :]:
        yield tuple(_value(name, shape, "float32") for name in names)


def _value(name: str, shape: tuple[int, ...], dtype: str) -> str:
    if _MASKS.search(name):
        return tensor(shape[:-1] or shape, "bool")
    if name in ("state", "states"):
        return f"[{tensor(shape)}]"
    return tensor(shape, "int32" if _IDS.search(name) else dtype)


_WANTED = (
    re.compile(r"expected axis -?\d+ of input shape to have value (\d+)"),
    re.compile(r"expected shape=\(None, (?:\d+, |None, )*(\d+)\)"),
    re.compile(r"In\[0\]: \[[\d,]+\], In\[1\]: \[(\d+),"),
    re.compile(r"Incompatible shapes: \[[\d,]+\] vs\. \[(?:\d+,)*(\d+)\]"),
    re.compile(r"Dimensions must be equal, but are \d+ and (\d+)"),
    re.compile(r"required broadcastable shapes.*\[(?:\d+,)*(\d+)\]"),
)


def learn(recipe: Recipe, message: str) -> Recipe | None:
    """The recipe with the last dimension that an error message asks for."""
    for pattern in _WANTED:
        match = pattern.search(message)
        if match and recipe.inputs:
            inputs = tuple(re.sub(r"(\[(?:\d+, )*)\d+\]", rf"\g<1>{match[1]}]", text) for text in recipe.inputs)
            return replace(recipe, inputs=inputs) if inputs != recipe.inputs else None
    return None
