"""Values for the parameters of ``__init__``, from everything that is written about them. Standard library only.

Each parameter gets several, likeliest first: from its annotation, from how the body uses it, from the docstring, from
its name.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
import typing
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tflint_layers.confirm.statements import parsed

LAYER = "tf.keras.layers.Dense(8)"
CELL = "tf.keras.layers.LSTMCell(8)"
RECURRENT = "tf.keras.layers.LSTM(8)"
CONVOLUTION = "tf.keras.layers.Conv2D(8, 3, padding='same')"
FUNCTION = "lambda x, *_, **__: x"
_LAST_RESORT = ("8", "0.5", "'relu'", "[8, 8]", LAYER, FUNCTION, "tf.ones([8])", "None", "{}")
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_DEEPEST = 3

# Integers, by name: first match counts.
_INTEGERS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), value)
    for pattern, value in (
        (r"^(rank|ndims?|n_?dims|.*_rank|\w*pool_dimensions)$", "2"),
        (r"(num|n)_?(query_|key_value_|kv_|attention_|q_)*heads?$|^heads?$|nhead", "2"),
        (r"(head|key|value|query)_(dim|size)$|size_per_head|head_size", "4"),
        (r"groups?$|cardinality|num_experts|n_experts|top_?k$|^k$|^n$|experts_per", "2"),
        (r"(num_|n_)?(layers|blocks|depth|repeats|stacks|stages|iterations|steps)$|^depths?$|num_\w*layers", "2"),
        (r"kernel|^ksize$|filter_size|window_length", "3"),
        (r"stride|dilation|(^|_)rate$", "1"),
        (r"pool_size|patch|window|block_size|(down|up)(sampling|scale)|scale_factor|shift|crop|merge_size", "2"),
        (r"vocab|num_embeddings|input_dim|num_tokens|num_buckets|num_bins|num_classes|num_labels", "16"),
        (r"max_?\w*(len|length|size|positions?|seq\w*|distance|wavelength)$|sequence_length|seq_len", "16"),
        (r"(image|img|input)_(size|height|width|dim)$|^(height|width)$|resolution|crop_size", "8"),
        (r"axis$", "-1"),
        (r"_id$|^seed$|index$|begin|start|offset", "1"),
        (r"^(units|filters|channels|features)$", "8"),
        (
            r"unit|filter|dim|width|size|channel|feature|hidden|depth|num|n_|len|count|classes|latent|embed|capacity"
            r"|multiplier|expansion|length|bins|tokens",
            "8",
        ),
    )
)
_RATE = re.compile(
    r"rate|drop|prob|alpha|beta|gamma|momentum|epsilon|eps|scale|factor|temperature|lambda|std|stddev|weight|sigma|decay"
    r"|threshold|lr|ratio|fraction|value|slope|theta|cap$|coef",
)  # fmt: skip
_TEXTS = {
    "padding": "'same'", "name": "'layer'", "dtype": "'float32'", "mode": "'train'", "optimizer": "'sgd'",
    "loss": "'mse'", "data_format": "'channels_last'", "interpolation": "'bilinear'", "prefix": "'layer'",
}  # fmt: skip
_FLAGS = re.compile(
    r"^(use|is|has|with|return|causal|bidirectional|trainable|normali[sz]e|debug|verbose|apply|add)(_|$)"
)
_SHAPES = re.compile(r"shape$")
_CELLS = re.compile(r"cells?$")
_LAYERS = re.compile(
    r"layer|model|net(work)?$|encoder|decoder|backbone|(^|_)block|module|extractor|mlp|sublayer|dense|^head$|_head$"
    r"|embedding$|norm$|projection$"
)
_FUNCTIONS = re.compile(r"(^|_)(fn|func|function|callable|callback|op|transform|normali[sz]er)$|activation$")
_PLURALS = re.compile(r"(units|filters|sizes|dims|layers|channels|blocks|shapes|strides|rates|depths|cells|heads)$")
_DOCUMENTED: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), values)
    for pattern, values in (
        (r"\b(tuple|list) of (2|two) int|int(eger)?s?,? or (a )?(tuple|list)", ("2",)),
        (r"\b(list|tuple|sequence|iterable|array)s?( or tuple)? of (\w+ )?(int|num)", ("[8, 8]", "(2, 2)")),
        (r"\b(list|tuple|sequence|iterable)s?( or tuple)? of (\w+ )?float", ("[0.5, 0.5]",)),
        (r"\b(list|tuple|sequence|iterable)s?( or tuple)? of (\w+ )?(str|token|word)", ("['a', 'b']",)),
        (r"\b(list|tuple|sequence|iterable)s? of (\w+[ .])*(cells)", (f"[{CELL}]",)),
        (r"\b(list|tuple|sequence|iterable)s? of (\w+[ .])*(layers?|models?)", (f"[{LAYER}]",)),
        (r"^\W*(an? )?(optional )?(non-?negative |positive |python )*int(eger)?\b|\bnumber of\b", ()),
        (r"^\W*(an? )?(optional )?(non-?negative |positive |python )*float\b", ("0.5",)),
        (r"^\W*(an? )?(optional )?bool(ean)?\b|^whether", ("True",)),
        (r"^\W*(an? )?(optional )?`?str(ing)?\b", ("'relu'",)),
        (r"\b(dict|dictionary|mapping)\b", ("{}",)),
        (r"\brnn cell\b|\bcell instance", (CELL,)),
        (r"`?(keras\.layers\.)?RNN`? (layer|instance)", (RECURRENT,)),
        (r"\blayer\b( or `?\w+`?)? instance|\binstance of `?(keras\.)?(layers\.)?Layer|^\W*(an? )?`?keras\.\w*layer",
         (LAYER,)),
        (r"\b(callable|function|lambda)\b", (FUNCTION,)),
        (r"^\W*(an? )?(list|tuple|sequence)\b", ("[8, 8]", "(1, 2)", "[0]")),
        (r"\bshape\b", ("(8,)",)),
    )
)  # fmt: skip


@dataclass(frozen=True)
class Argument:
    """An argument with the values that it may be given; the first one is used."""

    name: str
    options: tuple[str, ...]
    keyword: bool = True

    def __str__(self) -> str:
        return f"{self.name}={self.options[0]}" if self.keyword else self.options[0]


@dataclass(frozen=True)
class Signature:
    """The constructor of a class (or a function that makes layers): its parameters, and what is written about them."""

    parameters: Mapping[str, inspect.Parameter]
    documentation: str = ""
    sources: tuple[str, ...] = ()
    namespace: Mapping[str, Any] = field(default_factory=dict)
    depth: int = 0

    @classmethod
    def of(cls, target: Any, namespace: Mapping[str, Any], depth: int = 0) -> Signature:
        """What a class or function says about its arguments."""
        function = inspect.getattr_static(target, "__init__") if isinstance(target, type) else target
        try:
            parameters = dict(inspect.signature(function).parameters)
        except (TypeError, ValueError):
            parameters = {}
        if isinstance(target, type):
            parameters = dict(list(parameters.items())[1:])
        texts = [getattr(part, "__doc__", None) or "" for part in (target, function)]
        methods = [function, *(getattr(target, name, None) for name in ("build", "call"))]
        sources = tuple(text for method in methods if (text := _source(method)))
        return cls(parameters, "\n".join(inspect.cleandoc(text) for text in texts), sources, namespace, depth)

    def required(self) -> list[Argument]:
        """The arguments that must be given."""
        return [
            self.argument(parameter.name)
            for parameter in self.parameters.values()
            if parameter.default is parameter.empty and parameter.kind in (*_POSITIONAL, inspect.Parameter.KEYWORD_ONLY)
        ]

    def argument(self, name: str) -> Argument:
        """A parameter with the values that it may be given, likeliest first."""
        parameter = self.parameters[name]
        options = list(dict.fromkeys(self._options(parameter)))
        known = len(options)
        options += [value for value in _LAST_RESORT if value not in options]
        keyword = parameter.kind is not inspect.Parameter.POSITIONAL_ONLY
        # What nothing is known about is worth more tries than what is only one of several numbers.
        return Argument(name, tuple(options[: max(known + 3, len(_LAST_RESORT))]), keyword)

    def optional(self) -> list[str]:
        """The names of the arguments that need not be given."""
        return [p.name for p in self.parameters.values() if p.default is not p.empty and p.kind is not p.VAR_KEYWORD]

    def _options(self, parameter: inspect.Parameter) -> Iterator[str]:
        name = parameter.name
        yield from self._annotated(parameter.annotation, name)
        used = list(_used(name, self._trees))
        yield from used
        yield from self._documented(name)
        default = parameter.default
        if isinstance(default, bool | int | float | str) and not isinstance(default, bool):
            yield from (by_name for by_name in named(name) if type(default).__name__ == _type(by_name))
            return
        yield from named(name)

    @cached_property
    def _trees(self) -> list[ast.AST]:
        return [tree for source in self.sources if (tree := parsed(source)) is not None]

    def _documented(self, name: str) -> Iterator[str]:
        """What the entry of a parameter in the docstring says about its type."""
        found = re.search(
            rf"^[ \t]*[-*]?[ \t]*`{{0,2}}{re.escape(name)}`{{0,2}}[ \t]*(?:\(([^)]*)\))?[ \t]*(?::|--|\n)[ \t]*"
            r"(.*(?:\n(?!\s*[-*]?\s*`?\w+`?\s*:).+){0,3})",
            self.documentation,
            re.MULTILINE,
        )
        if not found:
            return
        text = " ".join(f"{found[1] or ''} {found[2]}".split())[:240].strip()
        yield from _quoted_choices(text)
        for pattern, values in _DOCUMENTED:
            if pattern.search(text):
                if values == ("'relu'",):
                    yield from (value for value in named(name) if value.startswith("'"))
                yield from values or (_integer(name) or "8",)
                return

    def _annotated(self, annotation: Any, name: str) -> Iterator[str]:
        if annotation is inspect.Parameter.empty:
            return
        if isinstance(annotation, str):
            try:
                annotation = eval(annotation, dict(self.namespace))
            except Exception:
                yield from _by_type_name(annotation, name)
                return
        yield from self._of_type(annotation, name)

    def _of_type(self, kind: Any, name: str) -> Iterator[str]:
        origin, inner = typing.get_origin(kind), typing.get_args(kind)
        if origin is typing.Literal:
            yield from map(repr, inner)
        elif origin in (list, tuple, typing.Sequence) or getattr(origin, "__name__", "") in ("Sequence", "Iterable"):
            yield from self._sequence(origin, inner, name)
        elif getattr(origin, "__name__", "") in ("dict", "Mapping", "MutableMapping"):
            yield "{}"
        elif origin is not None and getattr(origin, "__name__", "") != "Callable":
            for part in inner:
                if part is not type(None):
                    yield from self._of_type(part, name)
        elif isinstance(kind, type) and kind.__module__ not in ("builtins", "typing") and self.depth < _DEEPEST:
            yield from self._instance(kind, name)
        else:
            yield from _by_type_name(getattr(kind, "__name__", str(kind)), name)

    def _sequence(self, origin: Any, inner: tuple[Any, ...], name: str) -> Iterator[str]:
        parts = [part for part in inner if part is not Ellipsis]
        item = next(self._of_type(parts[0], name), "8") if parts else "8"
        count = len(parts) if origin is tuple and len(parts) > 1 else 2
        text = ", ".join([item] * count)
        yield f"({text})" if origin is tuple else f"[{text}]"

    def _instance(self, kind: type, name: str) -> Iterator[str]:
        """An object of a class: of Keras by its usual one, of the user's own by building it in the same way."""
        names = {base.__name__ for base in kind.__mro__}
        own = next((key for key, value in self.namespace.items() if value is kind), None)
        if own is not None and not kind.__module__.startswith(("keras", "tf_keras", "tensorflow")):
            if hasattr(kind, "__members__"):
                yield from (f"{own}.{member}" for member in list(kind.__members__)[:1])
                return
            inner = Signature.of(kind, self.namespace, self.depth + 1)
            yield f"{own}({', '.join(map(str, inner.required()))})"
        if "Layer" in names:
            yield CELL if "cell" in name.lower() else LAYER
        elif kind.__name__ in ("Tensor", "ndarray", "Variable"):
            yield "tf.ones([8])"


def _by_type_name(kind: str, name: str) -> Iterator[str]:
    """Values for an annotation that is known by name only."""
    plain = re.sub(r"\b(Optional|Union|typing|t|None)\b|[\[\]|.]", " ", kind).split()
    for word in plain:
        if word == "int":
            yield _integer(name) or "8"
        elif word == "float":
            yield "0.5"
        elif word == "bool":
            yield "True"
        elif word == "str":
            yield next((value for value in named(name) if value.startswith("'")), "'relu'")
        elif word in ("list", "List", "Sequence", "Iterable"):
            yield "[8, 8]"
        elif word in ("tuple", "Tuple"):
            yield "(8, 8)"
        elif word in ("dict", "Dict", "Mapping"):
            yield "{}"
        elif word == "Callable":
            yield FUNCTION
        elif word.endswith(("Layer", "Model")):
            yield LAYER
        elif word in ("Tensor", "ndarray", "TensorLike", "ArrayLike"):
            yield "tf.ones([8])"


def named(name: str) -> Iterator[str]:
    """Values for a parameter with this name."""
    lower = name.lower().strip("_")
    if lower in _TEXTS:
        yield _TEXTS[lower]
    elif "initializer" in lower:
        yield "'ones'"
    elif "regularizer" in lower or "constraint" in lower:
        yield "None"
    elif _FLAGS.search(lower):
        yield "True"
    elif lower.endswith("activation"):
        yield "'relu'"
    elif _SHAPES.search(lower):
        yield from ("(8,)", "(8, 8, 3)", "(6, 8)", "(4, 6, 8)")
    elif _CELLS.search(lower):
        yield from ((f"[{CELL}, {CELL}]",) if lower.endswith("s") else (CELL,))
    elif _FUNCTIONS.search(lower):
        yield from (FUNCTION, LAYER)
    elif _PLURALS.search(lower) and not re.search(r"^(num|n)_|^(units|filters|channels|heads|strides|layers)$", lower):
        yield from ((f"[{LAYER}]", "[8, 8]") if _LAYERS.search(lower) else ("[8, 8]",))
    elif lower == "layers":
        yield from (f"[{LAYER}]", "2")
    elif _LAYERS.search(lower) and not re.search(r"dim|size|num|units|rate|^n_|depth", lower):
        yield from (LAYER, RECURRENT, CONVOLUTION)
    elif _RATE.search(lower) and not _integer_first(lower):
        yield from ("0.5", "2")
    elif (integer := _integer(lower)) is not None:
        yield from (integer, "2")


def _integer_first(name: str) -> bool:
    return bool(re.search(r"^(num|n)_|stride|dilation|size$|dim$|units|filters|channels|scale_factor", name))


def _integer(name: str) -> str | None:
    return next((value for pattern, value in _INTEGERS if pattern.search(name.lower())), None)


def _type(text: str) -> str:
    try:
        return type(ast.literal_eval(text)).__name__
    except ValueError:
        return ""


def _quoted_choices(text: str) -> Iterator[str]:
    """The words in quotes or code that a text offers, if it says that they are a choice."""
    if re.search(r"one of|either|`?(str|string)`?\b|\{", text, re.IGNORECASE):
        yield from (repr(word) for word in re.findall(r"[\"'`]{1,2}([a-z][\w-]*)[\"'`]{1,2}", text) if len(word) > 1)


def _source(function: Any) -> str:
    try:
        return textwrap.dedent(inspect.getsource(inspect.unwrap(getattr(function, "python_function", function))))
    except (OSError, TypeError, IndentationError):
        return ""


# --- use


def _used(name: str, trees: Iterable[ast.AST]) -> Iterator[str]:
    """Values that fit how the code uses a parameter, or the attribute that keeps it."""
    for tree in trees:
        for node in ast.walk(tree):
            yield from _use(node, name)


def _use(node: ast.AST, name: str) -> Iterator[str]:
    def is_it(other: ast.expr) -> bool:
        if isinstance(other, ast.Attribute):
            return isinstance(other.value, ast.Name) and other.value.id == "self" and other.attr.strip("_") == name
        return isinstance(other, ast.Name) and other.id == name

    match node:
        case ast.Compare(left=left, ops=[ast.In() | ast.NotIn()], comparators=[choices]) if is_it(left):
            yield from _strings(choices)
        case ast.Compare(left=left, ops=[ast.Eq() | ast.NotEq()], comparators=[choice]) if is_it(left):
            yield from _strings(choice)
        case ast.Call(func=ast.Attribute(value=owner, attr="items" | "keys" | "values")) if is_it(owner):
            yield "{}"
        case ast.Call(func=function, args=[first, *_]) if is_it(first):
            yield from _use_as_argument(ast.unparse(function), name)
        case ast.Attribute(value=owner, attr="state_size" | "output_size") if is_it(owner):
            yield CELL
        case ast.Attribute(value=owner, attr="units" | "filters" | "weights" | "get_config" | "compute_output_shape"):
            if is_it(owner):
                yield LAYER
        case ast.For(iter=iterated) | ast.comprehension(iter=iterated) if is_it(iterated):
            yield from _plural(name)
        case ast.Call(func=function) if is_it(function):
            yield from (LAYER, FUNCTION) if _LAYERS.search(name) else (FUNCTION, LAYER)


def _use_as_argument(function: str, name: str) -> Iterator[str]:
    last = function.rpartition(".")[2]
    if function.endswith("activations.get") or last == "Activation":
        yield "'relu'"
    elif function.endswith("initializers.get"):
        yield "'ones'"
    elif function.endswith(("regularizers.get", "constraints.get")):
        yield "None"
    elif last == "range":
        yield _integer(name) or "2"
    elif last in ("len", "enumerate", "list", "tuple", "set", "sorted"):
        yield from _plural(name)
    elif last in ("Dense", "Conv1D", "Conv2D", "Conv3D", "LSTM", "GRU", "Embedding"):
        yield _integer(name) or "8"
    elif last in ("Dropout", "SpatialDropout1D", "SpatialDropout2D", "GaussianNoise"):
        yield "0.5"


def _plural(name: str) -> Iterator[str]:
    yield from (value for value in named(name) if value.startswith(("[", "(")))
    yield from ("[8, 8]", "(1, 2)")


def _strings(node: ast.expr) -> Iterator[str]:
    items = node.elts if isinstance(node, ast.Tuple | ast.List | ast.Set) else [node]
    yield from (repr(item.value) for item in items if isinstance(item, ast.Constant) and isinstance(item.value, str))
