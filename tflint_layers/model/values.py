"""Binding times: what an expression of a traced function is while the function is being traced.

A value is a :class:`Tensor` (it exists only when the graph runs), a :class:`Static` (a Python value that is there
while tracing), or something between and beside them. All values are immutable and comparable; :func:`join` is the
least value that covers several. :data:`UNKNOWN` covers everything, and no rule may conclude anything from it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from tflint_layers.model.immutable import immutable

if TYPE_CHECKING:
    from tflint_layers.model.classes import ClassInfo, FunctionInfo

_MOST_ALTERNATIVES = 4


class Value:
    """Anything that an expression can be."""

    __slots__ = ()


@immutable
class Unknown(Value):
    """Cannot tell."""


@immutable
class NotConstant:
    """The absence of a constant, which ``None`` cannot mark because it is one."""


NOT_CONSTANT: Final = NotConstant()
Constant = bool | int | float | str | None | NotConstant


@immutable
class Static(Value):
    """A Python value while tracing.

    ``constant`` is its value where that is known. ``sure`` tells a constant that holds in every call from one
    that is only the default of an option or the first value of an attribute.
    """

    constant: Constant = NOT_CONSTANT
    sure: bool = True


@immutable
class StaticDim(Value):
    """The size of the batch axis: a Python int or ``None``."""


@immutable
class Shape(Value):
    """A static shape, or a slice of one; ``batch`` tells that its first entry is the size of the batch axis."""

    batch: bool = False


@immutable
class Tensor(Value):
    """Exists only when the graph runs.

    ``batch``: the first axis is the batch axis, so its size may be ``None``.
    ``nest``: may also be a list, tuple or dict of tensors (an input whose use does not tell).
    ``eager``: made outside of the graph (in ``__init__``, under ``tf.init_scope``), so its numbers can be read.
    ``shapeless``: the result of ``tf.py_function`` and the like, whose static shape is unknown.
    ``keras``: a placeholder of a functional model that is being put together, outside of traced code.
    ``whole``: whole numbers of Python in eager mode, of which AutoGraph makes a tensor: ``len(x)``, ``int(x)``.
    """

    batch: bool = False
    nest: bool = False
    eager: bool = False
    shapeless: bool = False
    keras: bool = False
    whole: bool = False


@immutable
class Variable(Value):
    """A weight: of the layer, or a ``tf.Variable``.

    ``fresh``: created by the code that is being traced. ``keras``: surely a variable of Keras.
    """

    fresh: bool = False
    keras: bool = False


@immutable
class Array(Value):
    """A NumPy array whose numbers are known while tracing."""


@immutable
class Container(Value):
    """A Python list, tuple, dict, set or deque.

    ``items`` are the elements where their number is known, ``of`` covers all of them. ``entries`` are values of a
    dict by key, and of a named tuple by field, where they are known; there may be others.
    ``origin`` names where a container that outlives the call is kept (``self.log``), and is empty for one that
    the traced code itself made.
    """

    of: Value
    items: tuple[Value, ...] | None = None
    type: str = "list"
    origin: str = ""
    entries: tuple[tuple[str, Value], ...] = ()

    def entry(self, key: object) -> Value | None:
        """The value of a key or field; None where it is not known."""
        return next((value for name, value in self.entries if name == key), None)


@immutable
class NamedTuple(Value):
    """A class of named tuples, with the names of its fields in order."""

    fields: tuple[str, ...]


@immutable
class Api(Value):
    """A module, class, function or constant of a library, by its canonical dotted name."""

    name: str


@immutable
class Instance(Value):
    """An object of a library class (``name``) or of a class of the project (``cls``).

    ``fresh``: created by the code that is being traced. ``fields``: attributes of this one object, where objects of
    its class are told apart: of one that a decorator makes of a function. ``origin``: ``"self"`` for the object whose
    entry point is run, ``"kept"`` for one that is read back from wherever it is kept; of a dynamic shape ``"batch"``
    where its first entry is the size of the batch.
    """

    name: str
    cls: ClassInfo | None = None
    fresh: bool = False
    origin: str = ""
    fields: tuple[tuple[str, Value], ...] = ()


@immutable
class Class(Value):
    """A class of the project."""

    cls: ClassInfo


class Environment:
    """The local names of one function evaluation, and those of the functions around it.

    ``lasting``: the evaluation was over before anything is traced, so a closure keeps the names from call to call.
    """

    __slots__ = ("lasting", "names", "outer")

    def __init__(self, outer: Environment | None = None) -> None:
        self.names: dict[str, Value] = {}
        self.outer = outer
        self.lasting = False

    def find(self, name: str) -> Value | None:
        """The value of a local name, here or further out; None where it is no local name."""
        environment: Environment | None = self
        while environment is not None:
            if name in environment.names:
                return environment.names[name]
            environment = environment.outer
        return None


@immutable
class Function(Value):
    """A function of the project, with what it closes over and what it is bound to.

    ``autograph`` is what its decorators demand: True below ``tf.function``, False below ``do_not_convert``, None
    where it is as its caller's. ``bare``: as its decorators are given it.
    """

    info: FunctionInfo
    environment: Environment | None = field(default=None, compare=True)
    bound: Value | None = None
    autograph: bool | None = None
    partial: tuple[Value, ...] = ()
    bare: bool = False


@immutable
class Method(Value):
    """An attribute of a value that is no function of the project: ``x.numpy``, ``self.log.append``."""

    receiver: Value
    name: str


@immutable
class Super(Value):
    """``super()`` in a method of ``after``, called on ``instance``."""

    instance: Value
    after: ClassInfo


@immutable
class OneOf(Value):
    """One of a few values, depending on the path taken.

    ``values`` has them in the order in which they were found, so that every run goes through them alike; two that hold
    the same are the same in any order.
    """

    values: tuple[Value, ...] = field(compare=False)
    different: frozenset[Value]


Changing = TypeVar("Changing", Static, Tensor, Variable, Container, Instance)
UNKNOWN: Final = Unknown()
STATIC: Final = Static()
TENSOR: Final = Tensor()
TENSORS: Final = Container(TENSOR)
NONE: Final = Static(None)


def alternatives(value: Value) -> tuple[Value, ...]:
    """The values that a value may be: itself, or each of :class:`OneOf`."""
    return value.values if isinstance(value, OneOf) else (value,)


def of_each(value: Value, function: Callable[[Value], Value]) -> Value:
    """What a function gives for each alternative of a value, joined."""
    if isinstance(value, OneOf):
        return join([function(alternative) for alternative in value.values])
    return function(value)


def join(values: Iterable[Value]) -> Value:
    """The least value that covers all of ``values``; Unknown for none at all, or for too many different ones."""
    different: list[Value] = []
    for value in values:
        if value is UNKNOWN:
            return UNKNOWN
        # Most of what is joined is one and the same object, which need not be compared.
        if not different or value is not different[-1]:
            different.append(value)
    if len(different) == 1:
        return different[0]
    distinct = dict.fromkeys(alternative for value in different for alternative in alternatives(value))
    if len(distinct) == 1:
        return different[0]
    merged = _merge_alike(list(distinct))
    if len(merged) == 1:
        return merged[0]
    if not merged or len(merged) > _MOST_ALTERNATIVES:
        return UNKNOWN
    return OneOf(tuple(merged), frozenset(merged))


def _merge_alike(values: list[Value]) -> list[Value]:
    """One static (but None apart), one tensor and one container for all those of the kind."""
    tensors: list[Tensor] = []
    containers: list[Container] = []
    constants: list[Static] = []
    rest: list[Value] = []
    may_be_none = False
    for value in values:
        if isinstance(value, Tensor):
            tensors.append(value)
        elif isinstance(value, Container):
            containers.append(value)
        elif not isinstance(value, Static):
            rest.append(value)
        elif value.constant is None:
            may_be_none = True
        else:
            constants.append(value)
    if may_be_none:
        rest.append(Static(None, sure=False))
    if tensors:
        rest.append(tensors[0] if len(tensors) == 1 else _merge_tensors(tensors))
    if containers:
        rest.append(containers[0] if len(containers) == 1 else _merge_containers(containers))
    if constants:
        rest.append(constants[0] if len(constants) == 1 else STATIC)
    return rest


def _merge_tensors(tensors: list[Tensor]) -> Tensor:
    return Tensor(
        batch=all(tensor.batch for tensor in tensors),
        nest=any(tensor.nest for tensor in tensors),
        eager=all(tensor.eager for tensor in tensors),
        shapeless=any(tensor.shapeless for tensor in tensors),
        keras=all(tensor.keras for tensor in tensors),
        whole=all(tensor.whole for tensor in tensors),
    )


def _merge_containers(containers: list[Container]) -> Container:
    known = [container.of for container in containers if container.items != ()]
    types = {container.type for container in containers}
    origins = {container.origin for container in containers}
    items = None
    if len({len(container.items) if container.items is not None else -1 for container in containers}) == 1:
        columns = zip(*(container.items or () for container in containers), strict=True)
        items = tuple(join(column) for column in columns) if containers[0].items is not None else None
    return Container(
        join(known) if known else UNKNOWN,
        items,
        types.pop() if len(types) == 1 else "list",
        origins.pop() if len(origins) == 1 else "",
    )


def is_symbolic(value: Value) -> bool:
    """Whether the value is surely something that exists only when the graph runs."""
    if isinstance(value, OneOf):
        return all(map(is_symbolic, value.values))
    return not value.eager if isinstance(value, Tensor) else isinstance(value, Variable)


def is_tensor(value: Value) -> bool:
    """Whether the value is surely a symbolic tensor; a weight is none."""
    if isinstance(value, OneOf):
        return all(map(is_tensor, value.values))
    return isinstance(value, Tensor) and not value.eager


def is_single_tensor(value: Value) -> bool:
    """Whether the value is surely one symbolic tensor or weight, and no list of them."""
    return is_symbolic(value) and not any(isinstance(v, Tensor) and v.nest for v in alternatives(value))


def may_be_symbolic(value: Value) -> bool:
    """Whether some path gives the value a symbolic tensor or a weight."""
    return any(map(is_symbolic, value.values)) if isinstance(value, OneOf) else is_symbolic(value)


def may_hold_tensor(value: Value) -> bool:
    """Whether some path gives the value a symbolic tensor, or a container with one in it."""
    if isinstance(value, OneOf):
        return any(map(may_hold_tensor, value.values))
    if isinstance(value, Container):
        return any(map(may_hold_tensor, value.items or (value.of,)))
    return isinstance(value, Tensor) and not value.eager


def is_static(value: Value) -> bool:
    """Whether the value is surely known while tracing."""
    if isinstance(value, OneOf):
        return all(map(is_static, value.values))
    return isinstance(value, (Static, StaticDim, Shape, Array))


def constant_of(value: Value) -> Constant:
    """The constant that the value surely is, else ``NOT_CONSTANT``."""
    return value.constant if isinstance(value, Static) and value.sure else NOT_CONSTANT


def truth(value: Value) -> bool | None:
    """What ``bool(value)`` surely is while tracing; None where that depends, or fails."""
    constant = constant_of(value)
    if not isinstance(constant, NotConstant):
        return bool(constant)
    if isinstance(value, (Function, Class, Api, Method, Instance)) and not (
        isinstance(value, Instance) and value.name.startswith("collections")
    ):
        return True if not isinstance(value, (Api, Method, Instance)) else None
    return None


def truth_by_default(value: Value) -> bool | None:
    """What ``bool(value)`` is with the options that the layer has by default."""
    if isinstance(value, Static) and not isinstance(value.constant, NotConstant):
        return bool(value.constant)
    return None


def without_none(value: Value) -> Value:
    """The value where it is known not to be None."""
    kept = [v for v in alternatives(value) if not (isinstance(v, Static) and v.constant is None)]
    kept = [STATIC if isinstance(v, StaticDim) else v for v in kept]
    return join(kept) if kept else UNKNOWN


def changed(value: Changing, **fields: Any) -> Changing:
    """The value with some fields changed; itself where it has them, as one and the same object is soon compared."""
    for name, wanted in fields.items():
        if getattr(value, name) != wanted:
            return replace(value, **fields)
    return value


def stored(value: Value, origin: str) -> Value:
    """The value as one reads it back from a place that outlives the call, such as an attribute."""
    # Made anew and not by `replace`, which takes twice as long (measured): this is asked of all that is kept.
    if isinstance(value, Static):
        return Static(value.constant, sure=False) if value.sure else value
    if isinstance(value, Instance):
        # The same wherever it is kept: a function that is given such objects of one class need not run for each.
        is_kept = value.origin == "kept" and not value.fresh
        return value if is_kept else Instance(value.name, value.cls, origin="kept", fields=value.fields)
    if isinstance(value, Container):
        of, items = value.of, value.items
        if isinstance(of, (Instance, Container, Variable, OneOf)):
            of, items = stored(of, origin), items and tuple(stored(item, origin) for item in items)
        elif value.origin == origin and not value.entries:
            return value
        return Container(of, items, value.type, origin)
    if isinstance(value, OneOf):
        return join(stored(alternative, origin) for alternative in value.values)
    return changed(value, fresh=False) if isinstance(value, Variable) else value


def part_of_new(value: Value) -> Value:
    """An attribute's value, read from an object that the code under way has just made: it lasts no longer than that."""
    if isinstance(value, OneOf):
        return join(part_of_new(alternative) for alternative in value.values)
    if isinstance(value, Container):
        return replace(value, origin="")
    return replace(value, origin="", fresh=True) if isinstance(value, Instance) else value


def literal(node: ast.expr) -> Constant:
    """The constant that an expression spells out, else ``NOT_CONSTANT``."""
    if type(node) is ast.Constant:
        value = node.value
        return value if value is None or isinstance(value, (bool, int, float, str)) else NOT_CONSTANT
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        number = literal(node.operand)
        if isinstance(number, (int, float)):
            return -number
    return NOT_CONSTANT
