"""Where code that nothing traces says something that rules speak about: by its text, before it is evaluated."""

from __future__ import annotations

import builtins
import re
from bisect import bisect_right
from collections.abc import Collection, Iterator
from functools import lru_cache

from tflint_layers.model import api, callbacks
from tflint_layers.model.imports import canonical
from tflint_layers.model.outline import Outline
from tflint_layers.source import Source

_WORDS = (
    "run_functions_eagerly",
    "run_eagerly",
    "enable_debug_mode",
    "add_metric",
    "add_update",
    "Activation(lambda",
)


def _before(name: str) -> str:
    # What Python has as well is a library's only where it is taken from something.
    return r"\." if hasattr(builtins, name) else r"\b"


def _calls(names: Collection[str]) -> re.Pattern[str]:
    """An expression for the calls of some names.

    It looks back from each bracket, over three letters first, which few names end with: that takes an eighth of the
    time of plain searches for one name after the other (measured).
    """
    endings = "|".join(sorted({name[-3:] for name in names}))
    whole = "|".join(rf"(?<={_before(name)}{name}[(])" for name in sorted(names))
    return re.compile(rf"\((?<=(?:{endings})\()(?:{whole})")


_CALLS = _calls({"Lambda", *callbacks.CALLBACK_NAMES})
# Where no name ends with this, there is no dataset of TensorFlow whose methods may be called.
_DATASET = "Dataset"
_CALLS_BUT_OF_DATASETS = _calls({"Lambda", *callbacks.CALLBACK_NAMES} - callbacks.DATASET_CALLBACKS)
# A Keras tensor is spoken about where an operation of TensorFlow may take it. An expression that does not start with a
# fixed text takes ten times as long (measured).
_KERAS_TENSOR = re.compile(r"Input\((?<=\bInput\()")
_NAME_CALLED = re.compile(r"\b\w+\(")
_DEFINITION = re.compile(r"def (?<=\bdef )(?P<name>\w+)\(")
# A class with a base that Keras may trace, under a name that TensorFlow does not allow.
_HIDDEN = "class _"
_HAS_BASE = re.compile(r"\w*\((?!object\)|\))")
_ARGUMENT = "dynamic"
_VARIABLE = "Variable"
# A model is given a loss or metric that is a function of the project.
_COMPILE = ".compile("
_GIVEN = re.compile(
    r"(?:[^()]|\([^()]*\)){0,400}?\b(?:loss|metrics) ?= ?[^\n)]*?(?<![\w.\"'])[A-Za-z_]\w*[,)\]}(]"
    # The loss is the second argument.
    r"|\s*(?:\"\w+\"|'\w+'|[\w.]+(?:\([^()]*\))?)\s*,\s*[A-Za-z_]\w*\s*[,)(]"
)
_LIBRARIES = (b"keras", b"tensorflow")
_FUNCTION = re.compile(rb"function(?<=[.@]function)\b")
# As a module of the project may hand it on, in a file that does not name TensorFlow.
_HANDED_ON = (b"tf.function", b"@function")


def _names_library(source: Source) -> bool:
    """Whether a file speaks of Keras or TensorFlow at all."""
    if any(library in source.data for library in _LIBRARIES):
        return True
    lowered = source.data.lower()
    return any(library in lowered for library in _LIBRARIES)


def has_traced_text(source: Source) -> bool:
    """Whether a file has a ``tf.function``, or what rules say about code outside of layers."""
    return _has_function(source) or bool(_places(source))


def _has_function(source: Source) -> bool:
    """Whether a file has a ``tf.function``, as far as its text tells: other libraries have functions, too."""
    if _FUNCTION.search(source.data) is None:
        return False
    return any(text in source.data for text in _HANDED_ON) or _names_library(source)


def speaks_of_set_up(source: Source) -> bool:
    """Whether rules may have something to say about the ``__init__`` of the layers of a file."""
    return _VARIABLE in source.text or has_traced_text(source)


def plain_lines(source: Source) -> tuple[int, ...]:
    """The numbers of the lines, from 1, at which such code stands, in order; none in a file without Keras."""
    places = sorted((*_places(source), *_hidden_classes(source))) if _names_library(source) else []
    return tuple(source.line_numbers(places))


def _hidden_classes(source: Source) -> Iterator[int]:
    """Where classes stand that TensorFlow may not name: no reason to parse a file, as only those of Keras count."""
    return (place for place in source.places_of(_HIDDEN) if _HAS_BASE.match(source.text, place + len(_HIDDEN)))


# A file is asked about before it is parsed, and again when it is evaluated right after that.
@lru_cache(maxsize=1)
def _places(source: Source) -> tuple[int, ...]:
    return tuple(_places_in(source)) if _names_library(source) else ()


def _places_in(source: Source) -> Iterator[int]:
    text = source.text
    # Plain searches one after the other take a sixth of the time of one regular expression for all (measured).
    for word in _WORDS:
        yield from source.places_of(word)
    calls = _CALLS if _DATASET in text else _CALLS_BUT_OF_DATASETS
    yield from (match.start() for match in calls.finditer(text))
    keras_tensors = [match.start() for match in _KERAS_TENSOR.finditer(text)]
    if keras_tensors:
        operations = _operations(source)
        yield from (place for place in keras_tensors if _is_before_operation(source, place, operations))
    for place in source.places_of(_ARGUMENT):
        end = place + len(_ARGUMENT)
        quoted = text[place - 1 : place] in {"'", '"'} and text[end : end + 1] == text[place - 1 : place]
        if quoted or text[end : end + 4].lstrip(" ").startswith("="):
            yield place
    for place in source.places_of(_COMPILE):
        if _GIVEN.match(text, place + len(_COMPILE)):
            yield place


def _names_of_tensorflow(outline: Outline) -> dict[str, list[str]]:
    """What the names for TensorFlow and parts of it stand for in a file; `tf` is one wherever it comes from."""
    found = {"tf": ["tensorflow"]}
    for local, wholes in outline.imported.items():
        parts = [whole for whole in map(canonical, wholes) if whole.partition(".")[0] == "tensorflow"]
        if parts:
            found[local] = [*found.get(local, ()), *parts]
    return found


def _word(name: str) -> str:
    """An expression for a name as a whole word that starts with a fixed text (see ``_KERAS_TENSOR``)."""
    return rf"{name}(?<=\b{name})\b"


def _operations(source: Source) -> list[int]:
    """Where operations of TensorFlow are named, or functions of the file that name some, in order."""
    names = _names_of_tensorflow(Outline.of(source))
    # After a star import any name may be one.
    if "*" in names:
        return [match.start() for match in _NAME_CALLED.finditer(source.text)]
    places = {
        match.start()
        for name, wholes in names.items()
        for match in re.finditer(rf"{_word(name)}(?P<rest>(?:\.\w+)*)", source.text)
        if any(api.is_tensorflow_operation(canonical(whole + match["rest"])) for whole in wholes)
    }
    definitions = [(match.start(), match["name"]) for match in _DEFINITION.finditer(source.text)]
    found, new = places, places
    while new and definitions:
        around = {definitions[bisect_right(definitions, (place,)) - 1][1] for place in new}
        new = {place for name in around for place in _uses(source, name)} - found
        found = found | new
    return sorted(found)


def _uses(source: Source, name: str) -> Iterator[int]:
    """Where a name stands as a whole word, but for its definition."""
    return (place for place in source.places_of_name(name) if not source.text.startswith("def ", max(place - 4, 0)))


def _is_before_operation(source: Source, place: int, operations: list[int]) -> bool:
    """Whether an operation of TensorFlow is named in the same function behind a place."""
    index = bisect_right(operations, place)
    return index < len(operations) and operations[index] < _end_of_block(source, place)


def _end_of_block(source: Source, place: int) -> int:
    """Where the function ends that holds a place, at the latest."""
    line, end = source.before(place), len(source.text)
    indentation = len(line) - len(line.lstrip())
    if not indentation:
        return end
    outer = re.compile(rf"[\r\n][ \t]{{0,{indentation - 1}}}(?:async|def|class|@)\b").search(source.text, place)
    return outer.start() if outer is not None else end
