"""Counts how often a function is traced anew, and finds the argument that causes it. Standard library only.

TensorFlow and what is to be called are passed in by the session.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tflint_layers.confirm.observe import Anatomy, short

_CALLS = 3
_COUNT = "experimental_get_tracing_count"


def of_functions(anatomy: Anatomy, layer: object, call: Callable[[], object]) -> Iterator[str]:
    """What the layer's own functions that are decorated with ``tf.function`` do in calls with the same inputs."""
    known = dict(_functions(anatomy, layer))
    if not known:
        return
    before = {name: len(_concrete(function)) for name, function in known.items()}
    for _ in range(_CALLS):
        call()
    for name, function in dict(_functions(anatomy, layer)).items():
        # Other layers may have called a function of the module.
        traces = _concrete(function)[before.get(name, 0) :]
        if function is not known.get(name) or len(traces) < _CALLS:
            continue
        for argument, values in _changing(traces):
            yield _told(f"`{name}`", argument, values)


def of_arguments(tf: Any, call: Callable[..., object], keywords: Mapping[str, Any]) -> Iterator[str]:
    """What a graph of the layer does when a number among its arguments is another one in each call.

    Where another number is refused, it is an option, and no value that changes.
    """
    for name, value in keywords.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        function = tf.function(call)
        values = [value + step for step in range(_CALLS)]
        try:
            for other in values:
                function(**{**keywords, name: other})
        except Exception:
            continue
        if function.experimental_get_tracing_count() >= _CALLS:
            yield _told("a tf.function that calls the layer", name, [short(other) for other in values])


def _told(what: str, argument: str, values: Sequence[str]) -> str:
    return f"{what} is traced anew in each of {_CALLS} calls, in which its argument `{argument}` is {', '.join(values)}"


def _functions(anatomy: Anatomy, layer: object) -> Iterator[tuple[str, Any]]:
    """The functions that can be reached from a layer; a method of each object has its own."""
    for path, value in anatomy.walk(layer):
        if isinstance(value, type):
            continue
        # Asked of the type: what stands for a missing module refuses every question.
        if hasattr(type(value), _COUNT):
            yield path.removeprefix("global "), value
        methods = {
            name for kind in type(value).__mro__ for name, own in vars(kind).items() if hasattr(type(own), _COUNT)
        }
        yield from ((f"{path.removeprefix('global ')}.{name}", getattr(value, name)) for name in sorted(methods))


def _concrete(function: Any) -> list[dict[str, str]]:
    """The arguments that each trace of a function was made for, as text."""
    return [
        {name: short(getattr(kind, "value", kind)) for name, kind in _arguments(trace)}
        for trace in function._list_all_concrete_functions()
    ]


def _arguments(trace: Any) -> Iterator[tuple[str, Any]]:
    for name, parameter in trace.function_type.parameters.items():
        yield name, parameter.type_constraint


def _changing(traces: Sequence[dict[str, str]]) -> Iterator[tuple[str, list[str]]]:
    """The arguments that were different in each of the last traces."""
    last = traces[-_CALLS:]
    for name in last[0]:
        values = [trace.get(name, "") for trace in last]
        if len(set(values)) == len(values):
            yield name, values
