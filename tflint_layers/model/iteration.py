"""Functions of Python that step through values, or put them together: what each gives while tracing."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from tflint_layers.model.arguments import Arguments, unconverted
from tflint_layers.model.values import (
    STATIC,
    UNKNOWN,
    Array,
    Container,
    Shape,
    Static,
    Tensor,
    Value,
    alternatives,
    is_single_tensor,
    is_static,
    join,
)

if TYPE_CHECKING:
    from tflint_layers.model.calls import Calls


def _sequence_of(machine: Calls, arguments: Arguments) -> Value:
    if not arguments.positional:
        return Container(UNKNOWN, ())
    return join(_as_sequence(machine, alternative) for alternative in alternatives(arguments.positional[0]))


def _as_sequence(machine: Calls, subject: Value) -> Value:
    if isinstance(subject, Shape):
        return subject
    if isinstance(subject, Container) and subject.type != "dict":
        return replace(subject, type="list", origin="")
    # That it is a tensor is AutoGraph's doing, which goes no further.
    is_range = isinstance(subject, Tensor) and subject.whole
    return Container(STATIC if is_range else machine.element(subject))


def _sorted(machine: Calls, arguments: Arguments) -> Value:
    _apply_key(machine, arguments)
    return _sequence_of(machine, arguments)


def _largest(machine: Calls, arguments: Arguments) -> Value:
    _apply_key(machine, arguments)
    return _reduced(machine, arguments)


def _apply_key(machine: Calls, arguments: Arguments) -> None:
    """Run what a sequence is put in order by on an entry of it."""
    key = arguments.get(99, "key")
    if key is not None and len(arguments.positional) == 1:
        machine.call_value(unconverted(key), Arguments((machine.element(arguments.positional[0]),)))


def _range(machine: Calls, arguments: Arguments) -> Value:
    if machine.frame.scope.autograph and any(map(is_single_tensor, arguments.positional)):
        return machine.tensor(whole=True)
    return Container(STATIC, type="range")


def _enumerate(machine: Calls, arguments: Arguments) -> Value:
    element = machine.element(arguments.get(0, "iterable") or UNKNOWN)
    return Container(Container(join([STATIC, element]), (STATIC, element), "tuple"))


def _zip(machine: Calls, arguments: Arguments) -> Value:
    if arguments.partial:
        return UNKNOWN
    items = tuple(machine.element(value) for value in arguments.positional)
    return Container(Container(join(items) if items else UNKNOWN, items, "tuple"))


def _map(machine: Calls, arguments: Arguments) -> Value:
    if arguments.partial or not arguments.positional:
        return UNKNOWN
    elements = tuple(machine.element(value) for value in arguments.positional[1:])
    function = unconverted(arguments.positional[0])
    return Container(machine.call_value(function, Arguments(elements)), type="generator")


def _filter(machine: Calls, arguments: Arguments) -> Value:
    element = machine.element(arguments.get(1, "iterable") or UNKNOWN)
    if arguments.positional:
        machine.call_value(unconverted(arguments.positional[0]), Arguments((element,)))
    return Container(element, type="generator")


def _folded(machine: Calls, arguments: Arguments) -> Value:
    """What `functools.reduce` gives: after the first step, its function is passed what it gave itself."""
    if arguments.partial or not arguments.positional[1:]:
        return UNKNOWN
    function, element = unconverted(arguments.positional[0]), machine.element(arguments.positional[1])
    start = arguments.get(2, "initial") or element
    first = machine.call_value(function, Arguments((start, element)))
    return first if first == start else join([first, machine.call_value(function, Arguments((first, element)))])


def _chained(machine: Calls, arguments: Arguments) -> Value:
    if arguments.partial or not arguments.positional:
        return UNKNOWN
    return Container(join(map(machine.element, arguments.positional)), type="generator")


def _chained_parts(machine: Calls, arguments: Arguments) -> Value:
    parts = machine.element(arguments.get(0, "iterable") or UNKNOWN)
    return Container(machine.element(parts), type="generator")


def _accumulated(machine: Calls, arguments: Arguments) -> Value:
    element = machine.element(arguments.get(0, "iterable") or UNKNOWN)
    function = arguments.get(1, "func")
    if function is None:
        return Container(join([element, machine.combine(ast.Add(), element, element)]), type="generator")
    folded = _folded(machine, Arguments((function, Container(element))))
    return Container(join([element, folded]), type="generator")


def _paired(machine: Calls, arguments: Arguments) -> Value:
    element = machine.element(arguments.get(0, "iterable") or UNKNOWN)
    return Container(Container(element, (element, element), "tuple"), type="generator")


def _repeated(machine: Calls, arguments: Arguments) -> Value:
    return Container(arguments.get(0, "object") or UNKNOWN, type="generator")


def _operator(operator: ast.operator | ast.cmpop) -> Callable[[Calls, Arguments], Value]:
    """The function of the module `operator` that does what an operator does."""

    def operate(machine: Calls, arguments: Arguments) -> Value:
        if len(arguments.positional) != 2 or arguments.partial:
            return UNKNOWN
        left, right = arguments.positional
        if isinstance(operator, ast.cmpop):
            return machine.compare(operator, left, right)
        return machine.combine(operator, left, right)

    return operate


def _elementwise(machine: Calls, arguments: Arguments) -> Value:
    subject = arguments.get(0, "x") or UNKNOWN
    return machine.combine(ast.Sub(), subject, STATIC)


def _reduced(machine: Calls, arguments: Arguments) -> Value:
    values = list(arguments.positional)
    if len(values) == 1:
        values = [machine.element(values[0])]
    return machine.combine(ast.Sub(), join(values), STATIC) if values else UNKNOWN


def _summed(machine: Calls, arguments: Arguments) -> Value:
    """What the elements of the first argument come to, with what a sum starts with."""
    if not arguments.positional or arguments.partial:
        return UNKNOWN
    start = arguments.get(1, "start")
    values = [machine.element(arguments.positional[0]), *([start] if start is not None else [])]
    return machine.combine(ast.Sub(), join(values), STATIC)


def _next(machine: Calls, arguments: Arguments) -> Value:
    return machine.element(arguments.get(0, "iterator") or UNKNOWN)


def _iterator(machine: Calls, arguments: Arguments) -> Value:
    subject = arguments.get(0, "iterable") or UNKNOWN
    if not all(isinstance(v, (Container, Shape, Static, Array)) for v in alternatives(subject)):
        # The iterator of a dataset belongs to the graph.
        return UNKNOWN
    return _python_iterator(machine, arguments)


def _python_iterator(machine: Calls, arguments: Arguments) -> Value:
    return Container(machine.element(arguments.get(0, "iterable") or UNKNOWN), type="generator")


def _deque(machine: Calls, arguments: Arguments) -> Value:
    if not arguments.positional:
        return Container(UNKNOWN, (), "deque")
    return Container(machine.element(arguments.positional[0]), type="deque")


def _product(machine: Calls, arguments: Arguments) -> Value:
    return STATIC if is_static(arguments.get(0, "iterable") or UNKNOWN) else UNKNOWN


_OPERATORS: dict[str, ast.operator | ast.cmpop] = {
    "add": ast.Add(),
    "sub": ast.Sub(),
    "mul": ast.Mult(),
    "truediv": ast.Div(),
    "floordiv": ast.FloorDiv(),
    "mod": ast.Mod(),
    "pow": ast.Pow(),
    "matmul": ast.MatMult(),
    "lt": ast.Lt(),
    "le": ast.LtE(),
    "gt": ast.Gt(),
    "ge": ast.GtE(),
    "eq": ast.Eq(),
    "ne": ast.NotEq(),
    "is_": ast.Is(),
    "is_not": ast.IsNot(),
}
ITERATION: dict[str, Callable[[Calls, Arguments], Value]] = {
    "builtins.list": _sequence_of,
    "builtins.tuple": _sequence_of,
    "builtins.set": _sequence_of,
    "builtins.sorted": _sorted,
    "builtins.reversed": _sequence_of,
    "builtins.range": _range,
    "builtins.enumerate": _enumerate,
    "builtins.zip": _zip,
    "builtins.map": _map,
    "builtins.filter": _filter,
    "builtins.abs": _elementwise,
    "builtins.pow": _elementwise,
    "builtins.round": _elementwise,
    "builtins.sum": _summed,
    "builtins.max": _largest,
    "builtins.min": _largest,
    "functools.reduce": _folded,
    "builtins.next": _next,
    "builtins.iter": _iterator,
    "itertools.cycle": _python_iterator,
    "itertools.count": _python_iterator,
    "itertools.islice": _python_iterator,
    "itertools.chain": _chained,
    "itertools.chain.from_iterable": _chained_parts,
    "itertools.accumulate": _accumulated,
    "itertools.pairwise": _paired,
    "itertools.repeat": _repeated,
    "random.choice": _next,
    "collections.deque": _deque,
    "math.prod": _product,
    **{f"operator.{name}": _operator(operator) for name, operator in _OPERATORS.items()},
}
