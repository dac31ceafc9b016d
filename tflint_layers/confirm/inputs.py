"""Inputs for ``call``, from its signature, from how its body takes them apart, and from names.

Standard library only.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tflint_layers.confirm.values import BATCH, Several, Tensor, Value

Shape = tuple[int, ...]
Name = str | tuple[str, ...]
"""The name of an input, or those in a tuple of inputs."""

_STEPS, _FEATURES = 6, 8
_FLAT, _SEQUENCE, _IMAGE, _DEEP_IMAGE = (BATCH, 8), (BATCH, 6, 8), (BATCH, 8, 8, 3), (BATCH, 8, 8, 8)
_VOLUME, _IDS = (BATCH, 4, 8, 8, 3), (BATCH, 6)
LADDER: tuple[Shape, ...] = (
    _FLAT, _SEQUENCE, _IMAGE, _DEEP_IMAGE, (BATCH,), (BATCH, 3), (BATCH, 3, 3), _VOLUME, (BATCH, 16), (BATCH, 16, 16),
    (BATCH, 32, 32, 1), (1,), (8, 8), (3,), (BATCH, 1), (BATCH, 4, 6, 8), (BATCH, 32, 32, 3),
)  # fmt: skip
_MASK = re.compile(r"mask", re.IGNORECASE)
_INTEGERS = re.compile(
    r"\bid\b|ids$|^ids|_id$|token|index(?!ed)|indices|idx|labels?$|positions?$|segments?$|timesteps?$|^t$|^i$|class(es)?$"
)
_ADJACENCY = re.compile(r"^(a|adj\w*|adjacency\w*|laplacian|edge_mask)$")
_STATES = re.compile(r"states?$|^(hidden|carry)$")
_FLAG = re.compile(r"^(training|use|return|is|causal|deterministic|reverse|inverse|debug|output|do|apply|no)(_|$)")
_NUMBER = re.compile(r"^(start\w*|offset|step|layer_idx|num_\w+|n_\w+|\w*_length|\w*_size|axis|cache_\w*index|k)$")
_STRINGS = re.compile(r"^(raw_)?(texts?|strings?|sentences?|words?|prompts?|documents?)$")
_ALWAYS_OPTIONAL = frozenset({"self", "training", "mask"})
# What code calls, and what its inputs then are like.
_SIGNS: tuple[tuple[re.Pattern[str], tuple[Shape, ...]], ...] = (
    (re.compile(r"Conv3D|Pool(ing)?3D|video|volume|num_frames", re.IGNORECASE), (_VOLUME,)),
    (re.compile(r"Conv2D|Pool(ing)?2D|image|UpSampling2D|height|depthwise", re.IGNORECASE), (_IMAGE, _DEEP_IMAGE)),
    (re.compile(r"Conv1D|LSTM|GRU|\bRNN\b|sequence|attention|timesteps|seq_len|tokens|transformer|patches", re.I),
     (_SEQUENCE,)),
)  # fmt: skip
_EATS_IDS = re.compile(r"\b((Reversible|TokenAndPosition)?Embedding)\(|embedding_lookup|one_hot|vocab")
# Names of what is no index, whatever the layer does with it.
_CONTINUOUS = re.compile(r"hidden|embed|feature|image|pixel|query|key|value|state|encoded|memory|audio|spectrogram")
_EATS_STRINGS = re.compile(r"tf\.strings|string_to_hash|tf_text|dtype=\"string\"|tf\.string\b|StringLookup|tokenize\(")
_TENSOR_USES = frozenset({"shape", "dtype", "ndim", "get_shape", "numpy", "rank"})
_LIST_FUNCTIONS = frozenset({
    "len", "list", "tuple", "zip", "enumerate", "reversed", "isinstance", "map", "range", "sorted", "sum",
    "add_n", "stack", "concat", "concatenate", "add", "multiply", "add_all",
})  # fmt: skip


@dataclass(frozen=True)
class Form:
    """How ``call`` takes its first input apart: into a list with these names, or a dict with these keys."""

    names: tuple[Name, ...] = ()
    keys: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.names or self.keys)


@dataclass(frozen=True)
class Call:
    """What is written about the inputs of a layer."""

    names: tuple[str, ...]
    annotations: Mapping[str, str] = field(default_factory=dict)
    optional: tuple[str, ...] = ()
    by_keyword: frozenset[str] = frozenset()
    shown: tuple[Tensor, ...] = ()
    form: Form = field(default_factory=Form)
    text: str = ""

    @classmethod
    def of(cls, function: Any, text: str = "", documentation: str = "") -> Call:
        """The required inputs of ``call``; ``text`` is the code of the whole layer."""
        plain = inspect.unwrap(getattr(function, "python_function", function))
        try:
            parameters = list(inspect.signature(plain).parameters.values())
        except (TypeError, ValueError):
            parameters = []
        wanted = [
            parameter
            for parameter in parameters
            if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.POSITIONAL_ONLY, parameter.KEYWORD_ONLY)
            and parameter.default is parameter.empty
            and parameter.name not in _ALWAYS_OPTIONAL
        ]
        several = not wanted and any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters)
        names = tuple(parameter.name for parameter in wanted)
        if several or (not names and not any(p.default is not p.empty for p in parameters if p.name != "self")):
            names = ("inputs",)
        names = names or tuple(p.name for p in parameters if p.name not in _ALWAYS_OPTIONAL)[:1]
        annotations = {p.name: _type_name(p.annotation) for p in wanted if p.annotation is not p.empty}
        form = _form(plain, names[0]) if names else Form()
        optional = tuple(p.name for p in parameters if p.default is not p.empty and p.name not in names)
        by_keyword = frozenset(p.name for p in parameters if p.kind is p.KEYWORD_ONLY)
        return cls(names, annotations, optional, by_keyword, documented(documentation), form, text)

    def drafts(self, shapes: Sequence[Shape]) -> Iterator[tuple[tuple[str, Value], ...]]:
        """Inputs with their names, likeliest first; ``shapes`` are some that the file mentions."""
        if not self.form:
            yield from self._drafts(shapes)
            return
        # What is taken apart at one place may be a tensor at another: in turns.
        apart, whole = self._drafts(shapes), replace(self, form=Form())._drafts(shapes)
        yield from itertools.islice(apart, 2)
        pairs = itertools.zip_longest(apart, whole)
        yield from (draft for pair in pairs for draft in pair if draft is not None)

    def _drafts(self, shapes: Sequence[Shape]) -> Iterator[tuple[tuple[str, Value], ...]]:
        if not self.names:
            return
        for count in range(len(self.shown), 1, -1):
            # The last ones are often optional.
            if count >= len(self.names):
                yield self._as_documented(self.shown[:count])
        shapes = [*(tensor.shape for tensor in self.shown[:1]), *shapes]
        hinted = [shape for pattern, group in _SIGNS if pattern.search(self.text) for shape in group]
        ladder = list(dict.fromkeys([*shapes, *hinted, *LADDER]))
        name = self.names[0].lower()
        eats_ids = bool(_INTEGERS.search(name) or (_EATS_IDS.search(self.text) and not _CONTINUOUS.search(name)))
        if _EATS_STRINGS.search(self.text):
            yield from (self._all(shape, "string") for shape in ((BATCH,), (BATCH, 1)))
        if eats_ids:
            yield from (self._all(shape, "int32") for shape in (_IDS, (BATCH,)))
        first = max(3, len(shapes) + len(set(hinted)))
        yield from (self._all(shape, "float32") for shape in ladder[:first])
        if not self.form:
            for shape, count in (((BATCH, 8), 2), (_SEQUENCE, 2), (_SEQUENCE, 3), ((BATCH, 8), 3), (_DEEP_IMAGE, 2)):
                yield self._in_list(shape, count)
        if not eats_ids:
            yield from (self._all(shape, "int32") for shape in (_IDS, (BATCH,)))
        yield from (self._all(shape, "float32") for shape in ladder[first:])
        if not _EATS_STRINGS.search(self.text):
            yield from (self._all(shape, "string") for shape in ((BATCH,), (BATCH, 1)))

    def _as_documented(self, shown: tuple[Tensor, ...]) -> tuple[tuple[str, Value], ...]:
        """Each input as the docstring describes it."""
        if len(self.names) > 1:
            return tuple((name, _named(tensor, name)) for name, tensor in zip(self.names, shown, strict=False))
        names = self.form.names if len(self.form.names) == len(shown) else ("",) * len(shown)
        values = tuple(_named(tensor, str(name)) for name, tensor in zip(names, shown, strict=True))
        return ((self.names[0], Several(values)),)

    def _all(self, shape: Shape, dtype: str) -> tuple[tuple[str, Value], ...]:
        first = self._first(shape, dtype)
        return ((self.names[0], first), *((name, self._other(name, shape)) for name in self.names[1:]))

    def _first(self, shape: Shape, dtype: str) -> Value:
        if self.form.keys:
            return Several(tuple(value_for(key, shape, dtype) for key in self.form.keys), keys=self.form.keys)
        if self.form.names:
            return Several(tuple(_nested(name, shape, dtype) for name in self.form.names))
        value = value_for(self.names[0], shape, dtype, self.annotations.get(self.names[0], ""))
        # The first input is what the ladder is about, whatever its name.
        return value if not isinstance(value, Tensor) or value.dtype != "float32" else Tensor(shape, dtype)

    def _in_list(self, shape: Shape, count: int) -> tuple[tuple[str, Value], ...]:
        others = ((name, self._other(name, shape)) for name in self.names[1:])
        return ((self.names[0], Several((Tensor(shape),) * count)), *others)

    def _other(self, name: str, shape: Shape) -> Value:
        return value_for(name, shape, "float32", self.annotations.get(name, ""))

    def extra(self, name: str, shape: Shape) -> tuple[str, Value]:
        """One more argument, which an error message asked for."""
        return name, self._other(name, shape)


def _named(tensor: Tensor, name: str) -> Tensor:
    """The tensor with the type that its name asks for."""
    value = value_for(name, tensor.shape, tensor.dtype)
    return replace(tensor, dtype=value.dtype) if isinstance(value, Tensor) else tensor


def documented(documentation: str) -> tuple[Tensor, ...]:
    """The tensors that a docstring describes as inputs, with one size for each name in their shapes."""
    section = re.search(r"\binputs?\b( shapes?)?\W*\n(.*?)(?=\n\W*(output|return|argument)|\Z)", documentation, _ANY)
    sizes: dict[str, int] = {}
    found = re.findall(r"(.*)shape:?\s*`{0,2}[(\[]((?:[^()`]|\([^()]*\))*?)[)\]]`(.*)", section[2] if section else "")
    tensors = (
        Tensor(tuple(_sizes(shape, sizes)), "int32" if _WHOLE.search(before + after) else "float32")
        for before, shape, after in found
    )
    return tuple(tensor for tensor in tensors if 0 < len(tensor.shape) <= 5)[:4]


_WHOLE = re.compile(r"\b(ids?|indices|index|integers?|int32|int64)\b", re.IGNORECASE)
_ANY = re.IGNORECASE | re.DOTALL
_KNOWN_SIZES = ((r"batch|^b$|samples", BATCH), (r"channel|feature|dim|units|depth|^c$|^d$", _FEATURES),
                (r"height|width|rows|cols|^h$|^w$|^n$", 8))  # fmt: skip


def _sizes(text: str, sizes: dict[str, int]) -> Iterator[int]:
    for part in text.split(","):
        word = part.strip(" `'\"")
        if not word or word == "..." or word.startswith("["):
            continue
        if word.isdigit():
            yield int(word)
            continue
        by_name = next((size for pattern, size in _KNOWN_SIZES if re.search(pattern, word, re.IGNORECASE)), None)
        yield sizes.setdefault(word, by_name or _STEPS)


def _nested(name: Name, shape: Shape, dtype: str) -> Value:
    if isinstance(name, str):
        return value_for(name, shape, dtype)
    return Several(tuple(value_for(inner, shape, dtype) for inner in name), kind="tuple")


def value_for(name: str, shape: Shape, dtype: str, annotation: str = "") -> Value:
    """A value for an input with this name, next to others of this shape."""
    lower = name.lower()
    if annotation in ("bool", "int", "float", "str"):
        return {"bool": "False", "int": "2", "float": "0.5", "str": "'a'"}[annotation]
    if _MASK.search(lower):
        if "attention" in lower and len(shape) > 2:
            return Tensor((shape[0], shape[1], shape[1]), "bool")
        return Tensor(shape[:-1] if len(shape) > 2 else shape, "bool")
    if _ADJACENCY.search(lower) and len(shape) >= 2:
        return Tensor((*shape[:-1], shape[-2]))
    if _FLAG.search(lower):
        return "False"
    if _NUMBER.search(lower):
        return "2"
    if _STATES.search(lower) and lower != "hidden_states":
        state = Tensor((shape[0], shape[-1]))
        return Several((state,)) if lower.endswith("states") else state
    if _INTEGERS.search(lower):
        return Tensor(shape[:1] if lower == "i" else shape[:-1] if len(shape) > 2 else shape[:2], "int32")
    if _STRINGS.search(lower):
        return Tensor(shape[:1], "string")
    return Tensor(shape, dtype)


def with_rank(shape: Shape, rank: int) -> Shape:
    """A shape of another rank: the batch and the features stay, what is between comes or goes."""
    if rank <= 0:
        return ()
    if rank == 1:
        return shape[:1] or (BATCH,)
    features = shape[-1] if len(shape) > 1 else _FEATURES
    between = shape[1:-1][: rank - 2]
    between = (*between, *((_STEPS if rank == 3 else _FEATURES) for _ in range(rank - 2 - len(between))))
    return (shape[0] if shape else BATCH, *between, features)


def _type_name(annotation: Any) -> str:
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")


def _form(function: Any, name: str) -> Form:
    """How a function takes one of its parameters apart, where nothing speaks for a plain tensor."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return Form()
    if names := _unpacked(tree, name):
        return Form(names=names)
    keys = dict.fromkeys(
        node.slice.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript)
        and _is_name(node.value, name)
        and isinstance(node.slice, ast.Constant)
        and isinstance(node.slice.value, str)
    )
    if keys:
        return Form(keys=tuple(keys))
    if _is_used_as_tensor(tree, name):
        return Form()
    if _is_counted(tree, name):
        return Form(names=("first", "second"))
    return Form(names=_picked(tree, name))


def _is_name(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _unpacked(tree: ast.AST, name: str) -> tuple[Name, ...]:
    """The names in ``a, b = inputs``."""
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=targets) | ast.List(elts=targets)], value=value):
                if _is_name(value, name) and not any(isinstance(target, ast.Starred) for target in targets):
                    return tuple(_target(target, f"input_{number}") for number, target in enumerate(targets))
    return ()


def _target(target: ast.expr, name: str) -> Name:
    if isinstance(target, ast.Tuple | ast.List):
        return tuple(inner.id if isinstance(inner, ast.Name) else name for inner in target.elts)
    return target.id if isinstance(target, ast.Name) else name


def _picked(tree: ast.AST, name: str) -> tuple[str, ...]:
    """The names that ``a = inputs[0]``, ``b = inputs[1]`` give to the items; only where there is more than one."""
    found: dict[int, str] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Assign(
                targets=[ast.Name(id=target)], value=ast.Subscript(value=value, slice=ast.Constant(value=i))
            ):
                if _is_name(value, name) and isinstance(i, int) and i >= 0:
                    found[i] = target
            case ast.Subscript(value=value, slice=ast.Constant(value=int(i))) if _is_name(value, name) and i >= 0:
                found.setdefault(i, f"input_{i}")
    return tuple(found.get(i, f"input_{i}") for i in range(max(found) + 1)) if found and max(found) > 0 else ()


def _is_counted(tree: ast.AST, name: str) -> bool:
    return any(
        isinstance(node, ast.Call) and _is_name(node.func, "len") and node.args and _is_name(node.args[0], name)
        for node in ast.walk(tree)
    )


def _is_used_as_tensor(tree: ast.AST, name: str) -> bool:
    """Whether arithmetic, a tensor's attributes or a function that takes one tensor meets the bare name."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=value, attr=attribute) if _is_name(value, name) and attribute in _TENSOR_USES:
                return True
            case ast.BinOp(left=left, right=right) if _is_name(left, name) or _is_name(right, name):
                return True
            case ast.UnaryOp(operand=operand) if _is_name(operand, name) and not isinstance(node.op, ast.Not):
                return True
            case ast.Call(func=function, args=arguments) if any(_is_name(argument, name) for argument in arguments):
                if ast.unparse(function).rpartition(".")[2] not in _LIST_FUNCTIONS:
                    return True
    return False
