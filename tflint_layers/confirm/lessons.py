"""What the error message of a failed try says about the next one. Standard library only.

A lesson reads a failure and changes a draft: the rank, size or type of inputs, how many there are, or the argument that
the message or the failing lines name.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from tflint_layers.confirm import messages
from tflint_layers.confirm.draft import Draft
from tflint_layers.confirm.inputs import Call, value_for, with_rank
from tflint_layers.confirm.parameters import Argument, Signature
from tflint_layers.confirm.values import BATCH, Several, Tensor, Value

_LARGEST, _HIGHEST_RANK = 1024, 6
_WORDS = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True)
class Mishap:
    """Why a draft did not run; ``code`` are the lines that its traceback passes through, innermost first."""

    kind: str
    message: str
    code: tuple[str, ...]
    built: bool


@dataclass(frozen=True)
class Knowledge:
    """What is known about the layer apart from the failure."""

    signature: Signature
    call: Call


Lesson = Callable[[Draft, Mishap, Knowledge], Iterator[Draft]]


def learn(draft: Draft, mishap: Mishap, knowledge: Knowledge) -> Iterator[Draft]:
    """Drafts that avoid this failure, likeliest first."""
    sure = False
    for lesson in _LESSONS_OF_CALLS if mishap.built else ():
        for better in lesson(draft, mishap, knowledge):
            sure = True
            yield better
    if mishap.built and not sure:
        yield from _one_rank_more(draft, mishap)
    if draft.arguments is not None:
        for lesson in _LESSONS_OF_BUILDING:
            yield from lesson(draft, mishap, knowledge)
    if mishap.built and not sure:
        yield from _number_in_message(draft, mishap)


# --- the rank and size of inputs


def _rank(draft: Draft, mishap: Mishap, knowledge: Knowledge) -> Iterator[Draft]:
    text = mishap.message
    if messages.VECTOR.search(text):
        yield draft.with_inputs(lambda t: replace(t, shape=t.shape[:1]) if t.dtype == "int32" else t)
    elif kernel := messages.KERNEL.search(text):
        yield from _with_rank(draft, len(kernel[1].split(",")))
    elif wanted := messages.RANK.search(text):
        rank = _number(wanted)
        yield from _with_rank(draft, rank) if rank <= _HIGHEST_RANK else ()
    elif unpacked := messages.UNPACKED.search(text):
        count = _number(unpacked)
        ranks = _with_rank(draft, count) if count <= _HIGHEST_RANK else iter(())
        lists = _as_list(draft, count)
        about_shape = any("shape" in line for line in mishap.code[:2])
        yield from itertools.chain(ranks, lists) if about_shape else itertools.chain(lists, ranks)


def _number(found: re.Match[str]) -> int:
    return int(next(group for group in found.groups() if group))


def _one_rank_more(draft: Draft, mishap: Mishap) -> Iterator[Draft]:
    first = draft.first_tensor()
    if messages.ONE_INPUT.search(mishap.message) or not messages.RANK_TOO_LOW.search(mishap.message):
        return
    if first is not None and len(first.shape) < 5:
        yield from _with_rank(draft, len(first.shape) + 1)


def _with_rank(draft: Draft, rank: int) -> Iterator[Draft]:
    yield draft.with_inputs(lambda t: replace(t, shape=with_rank(t.shape, rank)))
    for number in range(len(draft.inputs)) if len(draft.inputs) > 1 else ():
        yield draft.with_inputs(lambda t: replace(t, shape=with_rank(t.shape, rank)), number)


def _size(draft: Draft, mishap: Mishap, knowledge: Knowledge) -> Iterator[Draft]:
    for pattern in messages.LAST_SIZE:
        found = pattern.search(mishap.message)
        if found and 0 < int(found[1]) <= _LARGEST:
            yield from _with_last(draft, int(found[1]))
    for shape in messages.WHOLE_SHAPE.findall(mishap.message):
        sizes = [part.strip() for part in shape.split(",") if part.strip()]
        if sizes and all(size.isdigit() or size == "None" for size in sizes):
            yield from _with_shape(draft, sizes)
    both = messages.PRODUCT.search(mishap.message)
    if both and len(draft.inputs) > 1:
        size = int(both[1].split(",")[-1])
        yield draft.with_inputs(lambda t: replace(t, shape=(*t.shape[:-1], size)), 1)


def _with_last(draft: Draft, size: int) -> Iterator[Draft]:
    yield draft.with_inputs(lambda t: replace(t, shape=(*t.shape[:-1], size)) if len(t.shape) > 1 else t)
    if len(draft.inputs) > 1:
        yield draft.with_inputs(lambda t: replace(t, shape=(*t.shape[:-1], size)) if len(t.shape) > 1 else t, 0)
    first = draft.first_tensor()
    if first is not None and len(first.shape) == 1:
        yield draft.with_inputs(lambda t: replace(t, shape=(BATCH, size)))


def _with_shape(draft: Draft, sizes: list[str]) -> Iterator[Draft]:
    first = draft.first_tensor()
    if first is None:
        return
    known = [*first.shape, *([8] * len(sizes))]
    shape = tuple(int(size) if size.isdigit() else known[place] for place, size in enumerate(sizes))
    if all(0 < size <= _LARGEST for size in shape):
        yield draft.with_inputs(lambda t: replace(t, shape=shape))


def _number_in_message(draft: Draft, mishap: Mishap) -> Iterator[Draft]:
    """Any other number that a message names may be the size that is wanted."""
    first = draft.first_tensor()
    if first is None or not messages.ABOUT_SIZES.search(mishap.message):
        return
    numbers = dict.fromkeys(int(number) for number in re.findall(r"(?<![\w.])(\d+)(?![\w.])", mishap.message))
    for number in [number for number in numbers if 1 < number <= 256 and number not in first.shape][:6]:
        yield from _with_last(draft, number)
        if len(first.shape) > 2:
            yield _with_sides(draft, number)


def _with_sides(draft: Draft, size: int) -> Draft:
    """All that is between batch and features gets this size."""

    def change(old: Tensor) -> Tensor:
        return replace(old, shape=(old.shape[0], *[size] * (len(old.shape) - 2), old.shape[-1]))

    return draft.with_inputs(lambda old: change(old) if len(old.shape) > 2 else old)


def _elements(draft: Draft, mishap: Mishap, knowledge: Knowledge) -> Iterator[Draft]:
    """A reshape that asks for so many values."""
    found = messages.ELEMENTS.search(mishap.message)
    first = draft.first_tensor()
    if not found or first is None or len(first.shape) < 2:
        return
    wanted, rest = int(found[2]), 1
    for size in first.shape[1:-1]:
        rest *= size
    for batch in (first.shape[0], 1):
        if wanted % (batch * rest) == 0 and 0 < wanted // (batch * rest) <= _LARGEST:
            yield from _with_last(draft, wanted // (batch * rest))
    if len(first.shape) > 2 and wanted % (first.shape[0] * first.shape[-1]) == 0:
        middle = wanted // (first.shape[0] * first.shape[-1])
        side = round(middle ** (1 / (len(first.shape) - 2)))
        if side ** (len(first.shape) - 2) == middle:
            yield _with_sides(draft, side)


# --- the type of inputs


def _type(draft: Draft, mishap: Mishap, knowledge: Knowledge) -> Iterator[Draft]:
    for pattern, dtype in messages.TYPES:
        if pattern.search(mishap.message):
            for number in [None, *range(len(draft.inputs))] if len(draft.inputs) > 1 else [None]:
                yield _with_type(draft, dtype, number)
    if found := messages.TWO_TYPES.search(mishap.message):
        wanted, got = (_dtype(name) for name in found.groups())
        yield draft.with_inputs(lambda t: replace(t, dtype=wanted) if t.dtype == got else t)
        yield draft.with_inputs(lambda t: replace(t, dtype=got) if t.dtype == wanted else t)


def _with_type(draft: Draft, dtype: str, number: int | None) -> Draft:
    return draft.with_inputs(lambda old: replace(old, dtype=dtype), number)


def _dtype(name: str) -> str:
    return {"float": "float32", "double": "float64", "half": "float16"}.get(name, name)


def _ids_out_of_range(draft: Draft, mishap: Mishap, knowledge: Knowledge) -> Iterator[Draft]:
    if messages.UNSORTED.search(mishap.message):
        yield draft.with_inputs(lambda t: replace(t, ordered=t.dtype.startswith("int")))
    if found := messages.IDS.search(mishap.message):
        yield draft.with_inputs(lambda t: replace(t, limit=max(1, int(found[1]))))


def _sparse(draft: Draft, mishap: Mishap, knowledge: Knowledge) -> Iterator[Draft]:
    """One of the inputs is a sparse tensor, which mostly says how the rows of the first one belong together."""
    if messages.SPARSE.search(mishap.message):
        for number, (name, value) in enumerate(draft.inputs):
            for sparse in _with_a_sparse_one(value):
                yield replace(draft, inputs=(*draft.inputs[:number], (name, sparse), *draft.inputs[number + 1 :]))


def _with_a_sparse_one(value: Value) -> Iterator[Value]:
    if isinstance(value, Tensor) and not value.sparse:
        yield replace(value, sparse=True)
    elif isinstance(value, Several):
        rows = next((item.shape[0] for item in value.items if isinstance(item, Tensor) and item.shape), BATCH)
        for place in [*range(1, len(value.items)), 0]:
            for square in (True, False):
                changed = _made_sparse(value.items[place], rows if square and place else None)
                yield replace(value, items=(*value.items[:place], changed, *value.items[place + 1 :]))


def _made_sparse(value: Value, rows: int | None) -> Value:
    if not isinstance(value, Tensor):
        return value
    return replace(value, sparse=True, dtype="float32", shape=value.shape if rows is None else (rows, rows))


# --- how many inputs there are


def _count(draft: Draft, mishap: Mishap, knowledge: Knowledge) -> Iterator[Draft]:
    text = mishap.message
    if found := messages.COUNT.search(text):
        yield from _as_list(draft, max(_number(found), 1))
    elif messages.LIST.search(text) or _indexes_shapes(mishap):
        yield from itertools.chain(_as_list(draft, 2), _as_list(draft, 3))
    if mishap.kind == "KeyError" and (key := re.fullmatch(r"'?(\w+)'?", text)):
        yield from _with_key(draft, key[1])
    if messages.KEYS.search(text):
        for line in mishap.code[:3]:
            for name in re.findall(r"\[['\"](\w+)['\"]\]", line):
                yield from _with_key(draft, name)


def _indexes_shapes(mishap: Mishap) -> bool:
    """Whether a size was taken for a shape: ``build`` expects a list of them."""
    return messages.LIST_OF_SHAPES.search(mishap.message) is not None and "shape" in "".join(mishap.code[:1])


def _as_list(draft: Draft, count: int) -> Iterator[Draft]:
    """The first input as a list of so many."""
    if not draft.inputs or not 0 < count <= 8:
        return
    name, value = draft.inputs[0]
    if isinstance(value, Several) and not value.keys:
        items: tuple[Value, ...] = (*value.items, *([value.items[-1]] * count))[:count]
        yield replace(draft, inputs=((name, replace(value, items=items)), *draft.inputs[1:]))
    elif isinstance(value, Tensor):
        yield replace(draft, inputs=((name, Several((value,) * count)), *draft.inputs[1:]))


def _with_key(draft: Draft, key: str) -> Iterator[Draft]:
    """The first input as a dict that has this key too."""
    if not draft.inputs:
        return
    (name, value), first = draft.inputs[0], draft.first_tensor()
    shape = first.shape if first else (BATCH, 8)
    if isinstance(value, Several) and value.keys:
        if key in value.keys:
            return
        items, keys = (*value.items, value_for(key, shape, "float32")), (*value.keys, key)
    else:
        items, keys = (value_for(key, shape, "float32"),), (key,)
    yield replace(draft, inputs=((name, Several(items, keys=keys)), *draft.inputs[1:]))


def _missing_input(draft: Draft, mishap: Mishap, knowledge: Knowledge) -> Iterator[Draft]:
    if "missing" not in mishap.message or "required" not in mishap.message:
        return
    names = re.findall(r"'(\w+)'", mishap.message.partition("argument")[2])
    first = draft.first_tensor()
    shape = first.shape if first else (BATCH, 8)
    known = {name for name, _ in (*draft.inputs, *draft.keywords)}
    extra = tuple(knowledge.call.extra(name, shape) for name in names if name not in known and name != "input_shape")
    if extra:
        yield replace(draft, keywords=(*draft.keywords, *extra))


def _unset_input(draft: Draft, mishap: Mishap, knowledge: Knowledge) -> Iterator[Draft]:
    """An optional input that turns out to be needed: the failing line, or the message, names it, and it is None."""
    if not messages.UNSET.search(mishap.message):
        return
    first = draft.first_tensor()
    shape = first.shape if first else (BATCH, 8)
    known = {name for name, _ in (*draft.inputs, *draft.keywords)}
    for name in _mentioned([n for n in knowledge.call.optional if n not in known], mishap)[:2]:
        yield replace(draft, keywords=(*draft.keywords, knowledge.call.extra(name, shape)))


# --- the arguments of the constructor


def _missing_argument(draft: Draft, mishap: Mishap, knowledge: Knowledge) -> Iterator[Draft]:
    if mishap.built or "missing" not in mishap.message:
        return
    for name in re.findall(r"'(\w+)'", mishap.message.partition("argument")[2]):
        if draft.argument(name) is None and name in knowledge.signature.parameters:
            draft = draft.with_argument(knowledge.signature.argument(name))
            yield draft


def _other_type_of_argument(draft: Draft, mishap: Mishap, knowledge: Knowledge) -> Iterator[Draft]:
    """Another kind of value for the argument that the failing line names."""
    values = _values_for(mishap.message)
    if not values:
        return
    for name in _blamed(draft, mishap, knowledge)[:3]:
        argument = draft.argument(name) or knowledge.signature.argument(name)
        for value in values:
            if value != argument.options[0]:
                yield draft.with_argument(_starting_with(argument, value))


def _values_for(message: str) -> tuple[str, ...]:
    return next((values for pattern, values in messages.KINDS if pattern.search(message)), ())


def _offered_choice(draft: Draft, mishap: Mishap, knowledge: Knowledge) -> Iterator[Draft]:
    """The values that a message lists as the only ones, for the argument that it names."""
    if " object " in mishap.message or not messages.CHOICE.search(mishap.message):
        return
    names = _blamed(draft, mishap, knowledge)[:2]
    given = mishap.message.rpartition("eceived")[2] if "eceived" in mishap.message else ""
    offered = [
        word
        for word in dict.fromkeys(re.findall(r"['\"`]([A-Za-z][\w-]*)['\"`]", mishap.message))
        if word not in names and word not in given and word not in knowledge.signature.parameters
    ]
    numbers = re.findall(r"(?:one of|in|either) [\[({](\d+)", mishap.message)
    for name in names:
        argument = draft.argument(name) or knowledge.signature.argument(name)
        for value in [*map(repr, offered[:4]), *numbers]:
            if value != argument.options[0]:
                yield draft.with_argument(_starting_with(argument, value))


def _give_or_change(draft: Draft, mishap: Mishap, knowledge: Knowledge) -> Iterator[Draft]:
    """The next value for what is blamed; what was left to its default is given."""
    for name in _blamed(draft, mishap, knowledge)[:3]:
        given = draft.argument(name)
        if given is None:
            yield draft.with_argument(knowledge.signature.argument(name))
        elif len(given.options) > 1:
            yield draft.with_argument(replace(given, options=given.options[1:]))


def _any_argument(draft: Draft, mishap: Mishap, knowledge: Knowledge) -> Iterator[Draft]:
    """Nothing is blamed: the next value of each argument that was made up, in turn."""
    if mishap.built or _blamed(draft, mishap, knowledge):
        return
    for argument in draft.arguments or ():
        if len(argument.options) > 1:
            yield draft.with_argument(replace(argument, options=argument.options[1:]))


def _starting_with(argument: Argument, value: str) -> Argument:
    return replace(argument, options=(value, *(option for option in argument.options if option != value)))


def _blamed(draft: Draft, mishap: Mishap, knowledge: Knowledge) -> list[str]:
    """The parameters that the message names, then those that the failing lines name, innermost first."""
    names = list(knowledge.signature.parameters)
    names = [name for name in names if name not in ("kwargs", "args", "dtype", "self")]
    if draft.argument("dtype") is not None:
        names.append("dtype")
    return _mentioned(names, mishap)


def _mentioned(names: list[str], mishap: Mishap) -> list[str]:
    found: dict[str, None] = {}
    before = re.split(r"\b[Rr]eceived\b", mishap.message)[0]
    for text in (before, mishap.message, *mishap.code[:4]):
        words = {word.strip("_") for word in _words(text)}
        matching = [name for name in names if name.strip("_") in words]
        if len(matching) <= 4:
            found |= dict.fromkeys(matching)
    return list(found)


def _words(text: str) -> set[str]:
    """The names in a line of code, or the words in a text that is none."""
    try:
        tree = ast.parse(text.strip().rstrip(":"))
    except (SyntaxError, ValueError):
        return set(_WORDS.findall(text))
    nodes = list(ast.walk(tree))
    return {n.id for n in nodes if isinstance(n, ast.Name)} | {n.attr for n in nodes if isinstance(n, ast.Attribute)}


_LESSONS_OF_CALLS: tuple[Lesson, ...] = (
    _missing_input, _count, _ids_out_of_range, _sparse, _size, _elements, _rank, _type, _unset_input,
)  # fmt: skip
_LESSONS_OF_BUILDING: tuple[Lesson, ...] = (
    _missing_argument, _offered_choice, _other_type_of_argument, _give_or_change, _any_argument,
)  # fmt: skip
