"""What objects own: whether making and calling a layer, metric or optimizer creates weights or random state."""

from __future__ import annotations

import enum
from collections.abc import Iterable

from tflint_layers.model import api
from tflint_layers.model.classes import ClassInfo
from tflint_layers.model.scopes import Scope
from tflint_layers.model.values import Api, Class, Container, Instance, Value, Variable, alternatives

_DEEPEST = 6


class State(enum.Enum):
    """What an object owns that TensorFlow keeps from one call to the next."""

    NOTHING = "nothing"
    RESOURCES = "resources"  # variables or random state
    UNKNOWN = "unknown"


def state_of(scope: Scope, value: Value, *, made_only: bool = False, depth: int = 0) -> State:
    """What an object creates when it is made and called; of several objects, what any of them creates.

    ``made_only``: leave out what it creates only when it is called.
    """
    return _most(_of_one(scope, alternative, made_only, depth) for alternative in alternatives(value))


def is_built_by_call(scope: Scope) -> bool:
    """Whether Keras 3 runs ``call`` once to build the layer, and so keeps the state that this run makes (measured).

    It does so where the layer has no ``build`` of its own, but parts that are not built yet.
    """
    cls = scope.layer
    if cls is None or cls.method("build") is not None:
        return False
    return any(_is_unbuilt(scope, value) for value in scope.declared(cls).values())


def _is_unbuilt(scope: Scope, value: Value) -> bool:
    """Whether a value is a layer, or a list of layers, that get their weights when they are called."""
    return any(
        any(_is_unbuilt(scope, item) for item in part.items or (part.of,))
        if isinstance(part, Container)
        else isinstance(part, Instance)
        and (part.cls.role == "layer" if part.cls is not None else api.layer_state(part.name, scope.keras) == "weights")
        for part in alternatives(value)
    )


def holds_new(scope: Scope, value: Value) -> bool:
    """Whether objects that own something are made here; those that are made elsewhere have it already."""
    return any(
        any(holds_new(scope, item) for item in part.items or (part.of,))
        if isinstance(part, Container)
        else isinstance(part, Instance) and part.fresh and state_of(scope, part) is State.RESOURCES
        for part in alternatives(value)
    )


def _of_one(scope: Scope, value: Value, made_only: bool, depth: int) -> State:
    if isinstance(value, Variable):
        return State.RESOURCES
    if isinstance(value, Container):
        items = value.items or (value.of,)
        return _most(state_of(scope, item, made_only=made_only, depth=depth) for item in items)
    if isinstance(value, Class) or (isinstance(value, Instance) and value.cls is not None):
        assert value.cls is not None
        return _of_class(scope, value.cls, made_only, depth)
    return _of_library_class(scope, value.name, made_only) if isinstance(value, (Api, Instance)) else State.NOTHING


def _most(parts: Iterable[State]) -> State:
    found = set(parts)
    return next((state for state in (State.RESOURCES, State.UNKNOWN) if state in found), State.NOTHING)


def _of_library_class(scope: Scope, name: str, made_only: bool) -> State:
    if name in api.STATEFUL_OBJECTS or api.class_role(name) in api.STATEFUL_ROLES:
        return State.RESOURCES
    state = api.layer_state(name, scope.keras)
    if state is None:
        return State.UNKNOWN
    return State.NOTHING if state == "stateless" or (made_only and state == "weights") else State.RESOURCES


def _of_class(scope: Scope, cls: ClassInfo, made_only: bool, depth: int) -> State:
    if cls.role in api.STATEFUL_ROLES:
        return State.RESOURCES
    if depth > _DEEPEST:
        return State.UNKNOWN
    # Keras 3 builds the parts of a layer without a `build` of its own in a graph that it throws away (measured).
    made_only = made_only or (scope.keras == 3 and cls.method("build") is None)
    libraries = [ancestor for ancestor in cls.ancestry if isinstance(ancestor, str)]
    parts = [_of_library_class(scope, name, made_only) for name in libraries if name not in api.PLAIN_BASES]
    for value in scope.always_declared(cls).values():
        found = {_of_one(scope, alternative, made_only, depth + 1) for alternative in alternatives(value)}
        # Where it is a weight only with some options, nobody knows.
        parts.append(State.UNKNOWN if len(found) > 1 else found.pop())
    return _most(parts)
