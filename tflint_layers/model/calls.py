"""Calls to values: what calling a function, a layer, a library function or a method gives while tracing."""

from __future__ import annotations

import ast
import typing
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace

from tflint_layers.model import api
from tflint_layers.model.classes import ClassInfo
from tflint_layers.model.effects import effect
from tflint_layers.model.expressions import Expressions, grown
from tflint_layers.model.namepatterns import ANYTHING, pattern_of
from tflint_layers.model.scopes import Phase, api_name
from tflint_layers.model.syntax import walk
from tflint_layers.model.values import (
    NONE,
    STATIC,
    UNKNOWN,
    Api,
    Array,
    Class,
    Constant,
    Container,
    Function,
    Instance,
    Method,
    NamedTuple,
    OneOf,
    Shape,
    Static,
    StaticDim,
    Super,
    Tensor,
    Value,
    Variable,
    alternatives,
    is_single_tensor,
    is_static,
    is_tensor,
    join,
    of_each,
)


class Arguments(typing.NamedTuple):
    """The values of a call's arguments; ``partial`` where a star hides how many there are."""

    positional: tuple[Value, ...]
    keywords: tuple[tuple[str, Value], ...] = ()
    partial: bool = False

    def get(self, position: int, name: str) -> Value | None:
        """The argument at a position or of a name; None where it is not given."""
        if position < len(self.positional):
            return self.positional[position]
        return next((value for keyword, value in self.keywords if keyword == name), None)

    @property
    def values(self) -> list[Value]:
        """All of them."""
        return [*self.positional, *(value for _, value in self.keywords)]


class Calls(Expressions):
    """Evaluates call expressions."""

    def run(self, function: Function, arguments: Arguments, autograph: bool | None = None) -> Value:
        """The value of calling a function of the project."""
        raise NotImplementedError

    def belonging_to(self, cls: ClassInfo) -> AbstractContextManager[None]:
        """Run code of a class for what it gives; where the class stands in another file, its scopes are kept there."""
        raise NotImplementedError

    def unrecorded(self) -> AbstractContextManager[None]:
        """Run code for what it gives, and keep no scopes of it."""
        raise NotImplementedError

    def trace_callback(self, function: Function, arguments: Arguments, autograph: bool) -> None:
        """Note that TensorFlow will trace a function that is handed to it outside of traced code."""
        raise NotImplementedError

    def call_function(self, function: Function, arguments: tuple[Value, ...]) -> Value:
        """The value of calling a function of the project with positional arguments."""
        return self.run(function, Arguments(arguments))

    def call(self, node: ast.Call) -> Value:
        """The value of a call expression."""
        callee = self.evaluate(node.func)
        arguments = self._arguments(node)
        self._change_in_place(node, callee, arguments)
        if isinstance(node.func, ast.Attribute) and node.func.attr == "compile" and self.frame.eager:
            self._compile(node, arguments)
        if not isinstance(callee, OneOf):
            return self.call_value(callee, arguments, node)
        if any(isinstance(v, Instance) and v.cls is not None for v in callee.values):
            # Which layer it is may go with what it is given, so what comes of the other pairs shows nothing.
            with self.unrecorded():
                return of_each(callee, lambda alternative: self.call_value(alternative, arguments, node))
        return of_each(callee, lambda alternative: self.call_value(alternative, arguments, node))

    def _arguments(self, node: ast.Call) -> Arguments:
        positional: list[Value] = []
        partial = False
        for argument in node.args:
            value = self.evaluate(argument)
            if isinstance(argument, ast.Starred):
                spread = self.spread(value)
                partial = partial or spread is None
                positional.extend(spread if spread is not None else ())
            elif not partial:
                positional.append(value)
        keywords = []
        for keyword in node.keywords:
            value = self.evaluate(keyword.value)
            if keyword.arg is not None:
                keywords.append((keyword.arg, value))
            elif not (isinstance(value, Container) and value.items == () and not value.origin):
                keywords.extend(value.entries if isinstance(value, Container) else ())
                partial = True
        return Arguments(tuple(positional), tuple(keywords), partial)

    def call_value(self, callee: Value, arguments: Arguments, node: ast.Call | None = None) -> Value:
        """The value of calling ``callee``."""
        if isinstance(callee, Function):
            return self.run(callee, arguments)
        if isinstance(callee, Api):
            return self._call_api(callee.name, arguments, node)
        if isinstance(callee, Method):
            return self._call_method(callee, arguments)
        if isinstance(callee, Class):
            return self._construct(callee.cls, arguments)
        if isinstance(callee, Instance):
            return self._call_instance(callee, arguments)
        return _named_tuple(callee.fields, arguments) if isinstance(callee, NamedTuple) else UNKNOWN

    def _compile(self, node: ast.Call, arguments: Arguments) -> None:
        """Note the losses and metrics that a model is given as functions; Keras 2 converts them with AutoGraph."""
        given = [arguments.get(1, "loss"), arguments.get(2, "metrics"), arguments.get(99, "weighted_metrics")]
        functions = [leaf for value in given if value is not None for leaf in _leaves(value)]
        for made in walk(node):
            maker = self.frame.scope.value(made.func) if isinstance(made, ast.Call) and made is not node else UNKNOWN
            if isinstance(maker, Function) and (inner := maker.info.returned) is not None:
                functions.append(self.function_value(inner))
        for function in functions:
            if isinstance(function, Function):
                sides = (Tensor(batch=True), Tensor(batch=True))
                self.trace_callback(function, Arguments((*function.partial, *sides)), self.keras == 2)

    # Objects.

    def _construct(self, cls: ClassInfo, arguments: Arguments) -> Value:
        if cls.fields is not None:
            self.keep_fields(cls, cls.fields, arguments)
        if "typing.NamedTuple" in cls.ancestry:
            fields = (node.target for node in cls.node.body if isinstance(node, ast.AnnAssign))
            return _named_tuple(tuple(field.id for field in fields if isinstance(field, ast.Name)), arguments)
        name = api.base_of_role(cls.role)
        if not name:
            libraries = [ancestor for ancestor in cls.ancestry if isinstance(ancestor, str)]
            name = libraries[0] if libraries else ""
        return Instance(name, cls, fresh=True)

    def keep_fields(self, cls: ClassInfo, fields: tuple[str, ...], arguments: Arguments) -> None:
        """Give an object of a data class what its constructor is given; all objects of the class are taken as one."""
        given = {**dict(zip(fields, arguments.positional, strict=False)), **dict(arguments.keywords)}
        for name, value in given.items():
            known = self.heap.get((cls, name))
            self.heap[cls, name] = value if known is None else join([known, value])

    def _call_instance(self, callee: Instance, arguments: Arguments) -> Value:
        if callee.cls is not None:
            if callee.name in api.CALLED_BY_KERAS and _any_tensor(arguments, "keras"):
                return self.tensor(keras=True)
            method = callee.cls.method("call" if callee.name in api.CALLED_BY_KERAS else "__call__")
            if method is None:
                return self._call_library_object(callee.name, arguments)
            function = self.function_value(method, bound=callee)
            if callee.name not in api.CALLED_BY_KERAS:
                return self.run(function, arguments)
            with self.belonging_to(callee.cls):
                return self.run(function, arguments, self.keras == 2)
        return self._call_library_object(callee.name, arguments)

    def _call_library_object(self, name: str, arguments: Arguments) -> Value:
        role = api.class_role(name)
        if role in api.ROLES_RETURNING_TENSORS:
            returned = api.layer_result(name)
            if returned is None:
                return UNKNOWN
            batch = any(
                isinstance(v, Tensor) and v.batch for value in arguments.values[:1] for v in alternatives(value)
            )
            if isinstance(returned, Tensor):
                shapeless = _any_tensor(arguments, "shapeless") and api.layer_state(name, self.keras) != "weights"
                result = self.tensor(batch=batch, shapeless=shapeless, keras=_any_tensor(arguments, "keras"))
                return replace(result, nest=returned.nest or _returns_more(arguments))
            return returned
        return UNKNOWN

    # Library functions.

    def _call_api(self, name: str, arguments: Arguments, node: ast.Call | None) -> Value:
        if name in _BY_NAME and node is not None and len(node.args) == len(arguments.positional) > 1:
            arguments = _with_pattern(node.args[1], arguments)
        special = _SPECIAL.get(name)
        if special is not None:
            return special(self, arguments)
        if name == "builtins.super":
            return self._super()
        callback = api.callback(name)
        if callback is not None:
            return self._call_with_callback(name, callback, arguments)
        if name.startswith("numpy."):
            return self._call_numpy(name, arguments)
        if name == "functools.partial":
            return _partial(arguments)
        value = api.result(name, self.keras)
        return self._made_here(value, name, arguments)

    def _made_here(self, value: Value, name: str, arguments: Arguments) -> Value:
        if isinstance(value, Tensor):
            keeps_batch = api.keeps_batch(name) and any(
                isinstance(v, Tensor) and v.batch
                for argument in arguments.positional[:1]
                for v in alternatives(argument)
            )
            shapeless = value.shapeless or (api.keeps_shape(name) and _any_tensor(arguments, "shapeless"))
            keras = name in api.INPUTS or _any_tensor(arguments, "keras")
            return self.tensor(batch=keeps_batch, shapeless=shapeless, keras=keras)
        if name == api.DYNAMIC_SHAPE:
            return self._dynamic_shape(arguments)
        if isinstance(value, Container):
            items = value.items and tuple(self._made_here(item, "", arguments) for item in value.items)
            return replace(value, of=self._made_here(value.of, "", arguments), items=items)
        return value

    def _dynamic_shape(self, arguments: Arguments) -> Value:
        subject = arguments.get(0, "x")
        batch = any(isinstance(v, Tensor) and v.batch for v in alternatives(subject or UNKNOWN))
        return Instance(api.DYNAMIC_SHAPE, origin="batch" if batch else "")

    def _call_numpy(self, name: str, arguments: Arguments) -> Value:
        if any(_has_tensor(value) for value in arguments.values):
            return UNKNOWN
        value = api.result(name, self.keras)
        return value if isinstance(value, Instance) and not name.rpartition(".")[2][:1].isupper() else Array()

    def _super(self) -> Value:
        function = self.frame.scope.function
        if function is None or function.cls is None or self.frame.receiver is None:
            return UNKNOWN
        return Super(self.frame.receiver, function.cls)

    def _call_with_callback(self, name: str, callback: api.Callback, arguments: Arguments) -> Value:
        functions = [arguments.get(position, keyword) for position, keyword in callback.functions]
        if callback.wraps:
            return self._wrap(name, functions[0], arguments)
        if not callback.traced:
            return self._from_host(arguments) if callback.shapeless else api.result(name, self.keras)
        results = []
        for value in functions:
            for alternative in alternatives(value) if value is not None else ():
                results.append(self._run_callback(alternative, self._callback_arguments(callback, arguments), callback))
        if callback.returns_result and results:
            return join(results)
        return self._callback_result(callback, arguments, join(results))

    def _from_host(self, arguments: Arguments) -> Value:
        """What a function that runs outside of the graph gives: one tensor for each type that it is said to return."""
        types = arguments.get(2, "Tout")
        result = self.tensor(shapeless=True)
        if isinstance(types, Container):
            items = (result,) * len(types.items) if types.items is not None else None
            return Container(result if items != () else UNKNOWN, items)
        return result if types is not None and types != UNKNOWN else replace(result, nest=True)

    def _wrap(self, name: str, value: Value | None, arguments: Arguments) -> Value:
        if not isinstance(value, Function):
            return UNKNOWN
        switched_off = arguments.get(99, "autograph") == Static(False)
        wrapped = replace(value, autograph=not switched_off if name in api.TRACING_DECORATORS else False)
        if self.frame.eager and name in api.TRACING_DECORATORS:
            self.trace_callback(wrapped, Arguments(()), not switched_off)
        return wrapped

    def _run_callback(self, value: Value, arguments: Arguments, callback: api.Callback) -> Value:
        if self.frame.eager:
            if isinstance(value, Function):
                self.trace_callback(value, arguments, callback.autograph or self.keras == 2)
            return UNKNOWN
        if isinstance(value, Function) and callback.autograph and value.autograph is None:
            value = replace(value, autograph=True)
        return self.call_value(unconverted(value) if callback.unconverted else value, arguments)

    def _callback_arguments(self, callback: api.Callback, arguments: Arguments) -> Arguments:
        if callback.subject is None:
            return Arguments((), partial=callback.arity is None)
        subject = arguments.get(*callback.subject)
        if callback.arity is None:
            items = subject.items if isinstance(subject, Container) and subject.items is not None else None
            loop_variables = tuple(self._in_graph(item) for item in items) if items is not None else ()
            return Arguments(loop_variables, partial=items is None)
        element = _slice_of(subject or UNKNOWN)
        start = arguments.get(*callback.start) if callback.start is not None else None
        first = element if start is None or start == NONE else self._in_graph(start)
        return Arguments((first, *[element] * (callback.arity - 1)) if callback.arity else ())

    def _in_graph(self, value: Value) -> Value:
        """What a loop of the graph makes of a variable that it is given: numbers become tensors."""
        if isinstance(value, Container) and value.items is not None:
            items = tuple(self._in_graph(item) for item in value.items)
            return Container(join(items) if items else UNKNOWN, items, value.type)
        return self.tensor() if isinstance(value, (Tensor, Variable, Static, StaticDim, Array)) else value

    def _callback_result(self, callback: api.Callback, arguments: Arguments, returned: Value) -> Value:
        if callback.arity is None and callback.subject is not None:
            subject = arguments.get(*callback.subject)
            return self._in_graph(subject) if isinstance(subject, Container) else UNKNOWN
        return self.tensor() if callback.returns_tensor and is_tensor(returned) else UNKNOWN

    # Methods of objects that are no classes of the project.

    def _call_method(self, method: Method, arguments: Arguments) -> Value:
        receiver, name = method.receiver, method.name
        if isinstance(receiver, Tensor):
            return self._call_tensor_method(receiver, name)
        if isinstance(receiver, Variable):
            return Shape() if name == "get_shape" else self.tensor() if name in api.VARIABLE_TENSORS else UNKNOWN
        if isinstance(receiver, Shape):
            if name == "num_elements" and receiver.batch:
                return StaticDim()
            return receiver if name in {"as_list", "with_rank"} else STATIC
        if isinstance(receiver, Container):
            return _call_container_method(receiver, name, arguments)
        if isinstance(receiver, Static):
            return STATIC
        if isinstance(receiver, Array):
            return Array()
        if isinstance(receiver, Instance):
            return self._call_library_method(receiver, name, arguments)
        return UNKNOWN

    def _call_tensor_method(self, receiver: Tensor, name: str) -> Value:
        if name == "get_shape":
            return Shape(receiver.batch and not receiver.eager)
        if name == "numpy":
            return Array()
        return NONE if name == "set_shape" else UNKNOWN

    def _call_library_method(self, receiver: Instance, name: str, arguments: Arguments) -> Value:
        if name in {"call", "__call__"} and api.class_role(receiver.name) in api.ROLES_RETURNING_TENSORS:
            return self._call_library_object(receiver.name, arguments)
        if receiver.name == "tensorflow.data.Dataset":
            return self._call_dataset_method(name, arguments)
        value = api.method_result(receiver.name, name)
        return self.tensor() if isinstance(value, Tensor) else value

    def _call_dataset_method(self, name: str, arguments: Arguments) -> Value:
        if name in api.DATASET_CALLBACKS:
            function = arguments.get(0, "map_func")
            for alternative in alternatives(function) if function is not None else ():
                if isinstance(alternative, Function):
                    given = len(alternative.partial) + (alternative.bound is not None)
                    elements = (Tensor(nest=True),) * (alternative.info.required - given)
                    self.trace_callback(alternative, Arguments((*alternative.partial, *elements)), True)
        return Instance("tensorflow.data.Dataset")

    def _change_in_place(self, node: ast.Call, callee: Value, arguments: Arguments) -> None:
        if not isinstance(callee, Method) or not isinstance(node.func, ast.Attribute):
            return
        receiver, name = callee.receiver, callee.name
        if isinstance(receiver, Tensor) and name == "set_shape":
            self.update(node.func.value, replace(receiver, shapeless=False))
        elif isinstance(receiver, Container) and arguments.values:
            if name in {"append", "add", "appendleft", "insert", "setdefault"}:
                self.update(node.func.value, grown(receiver, arguments.values[-1]))
            elif name in {"extend", "update", "extendleft"}:
                added = arguments.values[0]
                is_mapping = name == "update" and (arguments.keywords or receiver.type == "dict")
                of = added if arguments.keywords else self.element_of_dict(added) if is_mapping else self.element(added)
                self.update(node.func.value, grown(receiver, of))
        elif isinstance(receiver, Container) and name == "clear":
            self.update(node.func.value, replace(receiver, of=UNKNOWN, items=()))


def _named_tuple(fields: tuple[str, ...], arguments: Arguments) -> Value:
    if arguments.partial or len(arguments.positional) > len(fields):
        return UNKNOWN
    given = {**dict(zip(fields, arguments.positional, strict=False)), **dict(arguments.keywords)}
    items = tuple(given.get(field, UNKNOWN) for field in fields)
    return Container(join(items) if items else UNKNOWN, items, "tuple", entries=tuple(zip(fields, items, strict=True)))


def _named_tuple_class(machine: Calls, arguments: Arguments) -> Value:
    names = arguments.get(1, "field_names")
    if isinstance(names, Static) and isinstance(names.constant, str):
        return NamedTuple(tuple(names.constant.replace(",", " ").split()))
    if isinstance(names, Container) and names.items is not None:
        constants = [item.constant for item in names.items if isinstance(item, Static)]
        fields = tuple(constant for constant in constants if isinstance(constant, str))
        return NamedTuple(fields) if len(fields) == len(names.items) else UNKNOWN
    return UNKNOWN


def _partial(arguments: Arguments) -> Value:
    """A function some of whose arguments are given already; what those are does not change what a call prints."""
    function = arguments.get(0, "func")
    if isinstance(function, Function):
        return replace(function, partial=function.partial + arguments.positional[1:])
    if isinstance(function, Api) and (len(arguments.positional) == 1 or effect(function.name) is not None):
        return UNKNOWN if function.name in _SPECIAL or api.callback(function.name) else function
    return UNKNOWN


def unconverted(function: Value) -> Value:
    """A function as code runs it that AutoGraph does not look into: without AutoGraph, unless it asks for it."""
    return (
        replace(function, autograph=False)
        if isinstance(function, Function) and function.autograph is None
        else function
    )


def _any_tensor(arguments: Arguments, trait: str) -> bool:
    """Whether some argument, or an element of one, is a tensor of which ``trait`` holds."""
    values = [one for value in arguments.values for one in alternatives(value)]
    elements = [one for value in values if isinstance(value, Container) for one in alternatives(value.of)]
    return any(isinstance(value, Tensor) and bool(getattr(value, trait)) for value in [*values, *elements])


def _slice_of(value: Value) -> Value:
    """What a function gets that is called for each entry along the first axis of all tensors of a nest."""
    if isinstance(value, Container):
        items = tuple(_slice_of(item) for item in value.items) if value.items is not None else None
        return Container(join(items) if items else _slice_of(value.of), items, value.type)
    return Tensor(nest=not is_single_tensor(value))


def _returns_more(arguments: Arguments) -> bool:
    """Whether a layer is asked for several results, as by ``return_attention_scores=True``."""
    return any(name.startswith("return_") and value != Static(False) for name, value in arguments.keywords)


def _has_tensor(value: Value) -> bool:
    return any(
        isinstance(v, (Tensor, Variable))
        or v == UNKNOWN
        or (isinstance(v, Container) and v.items != () and _has_tensor(v.of))
        for v in alternatives(value)
    )


def _call_container_method(receiver: Container, name: str, arguments: Arguments) -> Value:
    if name in {"pop", "get"} and receiver.entries and arguments.positional:
        key = arguments.positional[0]
        if isinstance(key, Static) and (entry := receiver.entry(key.constant)) is not None:
            return entry
    if name in {"pop", "popleft", "get", "setdefault", "popitem"}:
        default = arguments.values[1:2] if name in {"get", "setdefault"} else []
        return join([receiver.of, *(default or ([NONE] if name == "get" else []))])
    if name == "items":
        return Container(Container(join([STATIC, receiver.of]), (STATIC, receiver.of), "tuple"))
    if name == "values":
        return Container(receiver.of)
    if name == "keys":
        return Container(STATIC)
    if name == "copy":
        return replace(receiver, origin="")
    if name in {"append", "extend", "insert", "clear", "update", "add", "remove", "sort", "reverse", "appendleft"}:
        return NONE
    return STATIC if name in {"index", "count"} else UNKNOWN


# --- library functions whose result depends on their arguments -------------------------------------------------------


def _executing_eagerly(machine: Calls, arguments: Arguments) -> Value:
    return Static(machine.frame.eager)


def _inside_function(machine: Calls, arguments: Arguments) -> Value:
    return Static(not machine.frame.eager)


def _in_grain_pipeline(machine: Calls, arguments: Arguments) -> Value:
    """Pipelines of Grain run Python on arrays; no graph is traced there."""
    return STATIC if machine.frame.eager else Static(False)


def _is_tensor(machine: Calls, arguments: Arguments) -> Value:
    subject = arguments.get(0, "x") or UNKNOWN
    if all(isinstance(v, (Tensor, Variable)) and not getattr(v, "nest", False) for v in alternatives(subject)):
        return Static(True)
    return Static(False) if is_static(subject) else STATIC


def _is_symbolic(machine: Calls, arguments: Arguments) -> Value:
    subject = arguments.get(0, "tensor") or UNKNOWN
    if all(isinstance(v, Tensor) and not v.eager for v in alternatives(subject)):
        return Static(True)
    return STATIC


def _hasattr(machine: Calls, arguments: Arguments) -> Value:
    subject, name = arguments.get(0, "obj") or UNKNOWN, arguments.get(1, "name")
    if subject == api.GRAPH:
        # Libraries that must not import TensorFlow ask so for a graph tensor.
        return Static(True)
    if isinstance(subject, Api) and isinstance(name, Static) and api.is_known(f"{subject.name}.{name.constant}"):
        return Static(True)
    symbolic = all(isinstance(v, Tensor) and not v.eager and not v.nest for v in alternatives(subject))
    if symbolic and isinstance(name, Static) and name.constant in {"numpy", "graph"}:
        return Static(name.constant == "graph")
    if symbolic and name in (Static("shape"), Static("dtype")):
        return Static(True)
    return Static(False) if is_tensor(subject) and name == Static("numpy") else STATIC


def _getattr(machine: Calls, arguments: Arguments) -> Value:
    subject, name = arguments.get(0, "obj") or UNKNOWN, arguments.get(1, "name")
    constant: Constant = name.constant if isinstance(name, Static) else None
    if not isinstance(constant, str):
        return UNKNOWN
    if ANYTHING in constant:
        return machine.matching_attribute(subject, constant)
    found = join(machine.attribute(alternative, constant) for alternative in alternatives(subject))
    return found if len(arguments.positional) == 2 else join([found, arguments.positional[2]])


def _isinstance(machine: Calls, arguments: Arguments) -> Value:
    subject, classes = arguments.get(0, "obj") or UNKNOWN, arguments.get(1, "cls") or UNKNOWN
    wanted = (
        {api_name(item) for item in (classes.items or ()) if classes.items}
        if isinstance(classes, Container)
        else {api_name(classes)}
    )
    tensors = [v for v in alternatives(subject) if isinstance(v, Tensor)]
    if wanted and wanted <= _PLAIN_TYPES and len(tensors) == len(alternatives(subject)):
        return STATIC if any(tensor.nest for tensor in tensors) and wanted & _NESTS else Static(False)
    if isinstance(subject, Container) and (own := f"builtins.{subject.type}") in _NESTS and wanted <= _PLAIN_TYPES:
        if wanted == {own} or wanted >= _SEQUENCES:
            return Static(own != "builtins.dict" or wanted >= {own})
        return Static(own in wanted) if own == "builtins.dict" else STATIC
    traced = machine.frame.scope.phase is Phase.CALL and not machine.frame.eager
    if subject == UNKNOWN and wanted and wanted <= _ARRAY_CLASSES and traced:
        # Where it is an array, the code runs on arrays, and outside of a graph.
        return Static(False)
    if "tensorflow.Tensor" in wanted and is_tensor(subject) and not any(tensor.nest for tensor in tensors):
        return Static(True)
    return STATIC


_ARRAY_CLASSES = frozenset({"numpy.ndarray", "numpy.generic"})
_SEQUENCES = frozenset({"builtins.list", "builtins.tuple"})
_NESTS = frozenset({"builtins.list", "builtins.tuple", "builtins.dict"})
_PLAIN_TYPES = _NESTS | {"builtins.int", "builtins.float", "builtins.str", "builtins.bool", "numpy.ndarray"}


def _type(machine: Calls, arguments: Arguments) -> Value:
    subject = arguments.get(0, "object")
    return Class(subject.cls) if isinstance(subject, Instance) and subject.cls is not None else STATIC


def _length(machine: Calls, arguments: Arguments) -> Value:
    return _number(machine, arguments) if is_single_tensor(arguments.get(0, "obj") or UNKNOWN) else STATIC


def _sequence_of(machine: Calls, arguments: Arguments) -> Value:
    if not arguments.positional:
        return Container(UNKNOWN, ())
    return join(_as_sequence(machine, alternative) for alternative in alternatives(arguments.positional[0]))


def _as_sequence(machine: Calls, subject: Value) -> Value:
    if isinstance(subject, Shape):
        return subject
    if isinstance(subject, Container) and subject.type != "dict":
        return replace(subject, type="list", origin="")
    return Container(machine.element(subject))


def _flattened(machine: Calls, arguments: Arguments) -> Value:
    return Container(join(_leaves(arguments.get(0, "structure") or UNKNOWN)))


def _mapped(machine: Calls, arguments: Arguments) -> Value:
    """A nest of what a function makes of the leaves of others; AutoGraph does not reach the function."""
    if not arguments.positional or not arguments.positional[1:]:
        return UNKNOWN
    leaves = tuple(join(_leaves(structure)) for structure in arguments.positional[1:])
    result = machine.call_value(unconverted(arguments.positional[0]), Arguments(leaves))
    structure = arguments.positional[1]
    if is_single_tensor(structure):
        return result
    if isinstance(structure, Container):
        return Container(result, None if structure.items != () else (), structure.type)
    return replace(result, nest=True) if isinstance(result, Tensor) else UNKNOWN


def _lambda_layer(machine: Calls, arguments: Arguments) -> Value:
    _trace_later(machine, arguments.get(0, "function"), Tensor(batch=True, nest=True))
    return Instance("keras.layers.Lambda", fresh=True)


def _activation_layer(machine: Calls, arguments: Arguments) -> Value:
    _trace_later(machine, arguments.get(0, "activation"), Tensor(batch=True))
    return Instance("keras.layers.Activation", fresh=True)


def _trace_later(machine: Calls, function: Value | None, argument: Tensor) -> None:
    """Note a function that a layer of Keras is given, and calls on its input; AutoGraph converts it nowhere."""
    for alternative in alternatives(function) if function is not None else ():
        if isinstance(alternative, Function) and machine.frame.scope.phase is not Phase.CALL:
            machine.trace_callback(alternative, Arguments((*alternative.partial, argument)), False)


def _leaves(value: Value) -> list[Value]:
    """What is in a nest at the bottom, whatever that is."""
    found: list[Value] = []
    for alternative in alternatives(value):
        if isinstance(alternative, Container):
            found += [leaf for item in alternative.items or (alternative.of,) for leaf in _leaves(item)]
        else:
            found.append(replace(alternative, nest=False) if isinstance(alternative, Tensor) else alternative)
    return found


def _dictionary(machine: Calls, arguments: Arguments) -> Value:
    if arguments.partial or arguments.positional:
        return Container(UNKNOWN, type="dict")
    values = [value for _, value in arguments.keywords]
    of = join(values) if values else UNKNOWN
    return Container(of, None if values else (), "dict", entries=arguments.keywords)


def _range(machine: Calls, arguments: Arguments) -> Value:
    if machine.frame.scope.autograph and any(map(is_single_tensor, arguments.positional)):
        return machine.tensor()
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


def _number(machine: Calls, arguments: Arguments) -> Value:
    subject = arguments.get(0, "x") or STATIC
    converts = machine.frame.scope.autograph and all(isinstance(v, (Tensor, Variable)) for v in alternatives(subject))
    return machine.tensor() if converts else STATIC


def _elementwise(machine: Calls, arguments: Arguments) -> Value:
    subject = arguments.get(0, "x") or UNKNOWN
    return machine.combine(ast.Sub(), subject, STATIC)


def _reduced(machine: Calls, arguments: Arguments) -> Value:
    values = list(arguments.positional)
    if len(values) == 1:
        values = [machine.element(values[0])]
    return machine.combine(ast.Sub(), join(values), STATIC) if values else UNKNOWN


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


def _random_state(name: str) -> Callable[[Calls, Arguments], Value]:
    def make(machine: Calls, arguments: Arguments) -> Value:
        seeded = any(value != NONE for value in arguments.values)
        return Instance(name, fresh=True, origin="" if seeded else "entropy")

    return make


def _with_pattern(name: ast.expr, arguments: Arguments) -> Arguments:
    """The arguments of `getattr` or `setattr`, with the pattern of a name that is put together."""
    known, pattern = arguments.positional[1], pattern_of(name)
    if pattern is None or (isinstance(known, Static) and isinstance(known.constant, str)):
        return arguments
    first, _, *rest = arguments.positional
    return arguments._replace(positional=(first, Static(pattern), *rest))


_BY_NAME = frozenset({"builtins.getattr", "builtins.setattr"})


def _with_fields(machine: Calls, arguments: Arguments) -> Value:
    """`dataclasses.replace`: an object of the same class, some of whose fields are given."""
    subject = arguments.get(0, "obj") or UNKNOWN
    if not isinstance(subject, Instance) or subject.cls is None:
        return UNKNOWN
    machine.keep_fields(subject.cls, (), Arguments((), arguments.keywords))
    return replace(subject, fresh=True, origin="")


def _setattr(machine: Calls, arguments: Arguments) -> Value:
    subject, name, value = (arguments.get(i, "") for i in range(3))
    attribute = name.constant if isinstance(name, Static) else None
    if isinstance(subject, Instance) and subject.cls is not None and isinstance(attribute, str) and value is not None:
        machine.heap[subject.cls, attribute] = value
    return NONE


def _delattr(machine: Calls, arguments: Arguments) -> Value:
    return _setattr(machine, Arguments((*arguments.positional, NONE)))


def _deque(machine: Calls, arguments: Arguments) -> Value:
    if not arguments.positional:
        return Container(UNKNOWN, (), "deque")
    return Container(machine.element(arguments.positional[0]), type="deque")


def _backend(machine: Calls, arguments: Arguments) -> Value:
    return Static("tensorflow")


def _static(machine: Calls, arguments: Arguments) -> Value:
    return STATIC


def _variable(machine: Calls, arguments: Arguments) -> Value:
    return Variable(fresh=True)


def _keras_variable(machine: Calls, arguments: Arguments) -> Value:
    return Variable(fresh=True, keras=True)


def _clustered_shape(machine: Calls, arguments: Arguments) -> Value:
    subject = arguments.get(0, "x") or UNKNOWN
    batch = all(isinstance(v, Tensor) and v.batch and not v.eager for v in alternatives(subject))
    return Shape(batch)


def _product(machine: Calls, arguments: Arguments) -> Value:
    return STATIC if is_static(arguments.get(0, "iterable") or UNKNOWN) else UNKNOWN


def _unpacked_data(machine: Calls, arguments: Arguments) -> Value:
    """``x``, ``y`` and ``sample_weight`` of what a step function is given: nests, and None for what is left out."""
    part = replace(machine.tensor(batch=True), nest=True)
    items = (part, join([NONE, part]), join([NONE, part]))
    return Container(join(items), items, "tuple")


_SPECIAL: dict[str, Callable[[Calls, Arguments], Value]] = {
    "keras.utils.unpack_x_y_sample_weight": _unpacked_data,
    "tensorflow.executing_eagerly": _executing_eagerly,
    "tensorflow.compat.v1.executing_eagerly": _executing_eagerly,
    "tensorflow.inside_function": _inside_function,
    "keras.utils.backend_utils.in_tf_graph": _inside_function,
    "keras.utils.backend_utils.in_grain_data_pipeline": _in_grain_pipeline,
    "tensorflow.is_tensor": _is_tensor,
    "keras.ops.is_tensor": _is_tensor,
    "tensorflow.is_symbolic_tensor": _is_symbolic,
    "keras.backend.backend": _backend,
    "keras.config.backend": _backend,
    "builtins.hasattr": _hasattr,
    "builtins.getattr": _getattr,
    "builtins.isinstance": _isinstance,
    "builtins.len": _length,
    "builtins.int": _number,
    "builtins.float": _number,
    "builtins.bool": _static,
    "builtins.str": _static,
    "builtins.repr": _static,
    "builtins.type": _type,
    "builtins.any": _static,
    "builtins.all": _static,
    "builtins.callable": _static,
    "builtins.list": _sequence_of,
    "builtins.tuple": _sequence_of,
    "builtins.set": _sequence_of,
    "builtins.sorted": _sequence_of,
    "builtins.reversed": _sequence_of,
    "keras.tree.flatten": _flattened,
    "tensorflow.nest.flatten": _flattened,
    "keras.tree.map_structure": _mapped,
    "tensorflow.nest.map_structure": _mapped,
    "keras.layers.Lambda": _lambda_layer,
    "keras.layers.Activation": _activation_layer,
    "builtins.dict": _dictionary,
    "collections.OrderedDict": _dictionary,
    "collections.defaultdict": _dictionary,
    "builtins.range": _range,
    "builtins.enumerate": _enumerate,
    "builtins.zip": _zip,
    "builtins.map": _map,
    "builtins.filter": _filter,
    "builtins.abs": _elementwise,
    "builtins.pow": _elementwise,
    "builtins.round": _elementwise,
    "builtins.sum": _reduced,
    "builtins.max": _reduced,
    "builtins.min": _reduced,
    "collections.namedtuple": _named_tuple_class,
    "builtins.next": _next,
    "builtins.iter": _iterator,
    "itertools.cycle": _python_iterator,
    "itertools.count": _python_iterator,
    "builtins.setattr": _setattr,
    "dataclasses.replace": _with_fields,
    "builtins.delattr": _delattr,
    "random.choice": _next,
    "numpy.random.default_rng": _random_state("numpy.random.Generator"),
    "numpy.random.RandomState": _random_state("numpy.random.RandomState"),
    "random.Random": _random_state("random.Random"),
    "collections.deque": _deque,
    "math.prod": _product,
    "tensorflow.Variable": _variable,
    "keras.Variable": _keras_variable,
    "keras.backend.variable": _variable,
    "keras.backend.Variable": _variable,
    "keras.backend.int_shape": _clustered_shape,
}
_SPECIAL.update(
    {f"math.{name}": _static for name in ("sqrt", "log", "ceil", "floor", "exp", "pow", "log2", "cos", "sin")}
)
