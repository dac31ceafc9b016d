"""Calls to values: what calling a function, a layer, a library function or a method gives while tracing."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import ClassVar

from tflint_layers.model import api, callbacks
from tflint_layers.model.arguments import (
    Arguments,
    any_tensor,
    has_tensor,
    have_batch,
    leaves,
    named_tuple,
    returns_more,
    slice_of,
    unconverted,
)
from tflint_layers.model.batches import keeps_batch, may_fix_first_size
from tflint_layers.model.classes import ClassInfo, FunctionInfo
from tflint_layers.model.expressions import Expressions, grown
from tflint_layers.model.special import BY_NAME, SPECIAL, note_activations, with_pattern
from tflint_layers.model.syntax import last_name, walk
from tflint_layers.model.values import (
    NONE,
    STATIC,
    UNKNOWN,
    Api,
    Array,
    Class,
    Container,
    Environment,
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
    Unknown,
    Value,
    Variable,
    alternatives,
    changed,
    is_symbolic,
    is_tensor,
    join,
    stored,
)

_RUN_BY_STRATEGIES = frozenset({"run", "experimental_run_v2"})
_ACTIVATION = re.compile(r"(?:^|_)(?:act|activation|nonlinearity)(?:_fn|_func|_function)?$")


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
        called = node.func
        callee = self.evaluate(called)
        arguments = self._arguments(node)
        if isinstance(callee, Method):
            self._change_in_place(node, callee, arguments)
        if self.frame.eager and isinstance(called, ast.Attribute) and called.attr == "compile":
            self._compile(node, arguments)
        if callee is UNKNOWN and _is_activation(called):
            return self._activated(arguments)
        if not isinstance(callee, OneOf):
            if isinstance(callee, (Unknown, Method)) and _is_run_of_strategy(node):
                return self._run_by_strategy(arguments)
            return self.call_value(callee, arguments, node)
        # Which layer it is may go with what it is given, so what comes of the other pairs shows nothing.
        is_choice = any(isinstance(one, Instance) and one.cls is not None for one in callee.values)
        with self.unrecorded() if is_choice else nullcontext():
            return join([self.call_value(alternative, arguments, node) for alternative in callee.values])

    def _run_by_strategy(self, arguments: Arguments) -> Value:
        """Run what `strategy.run` is given; in a graph it is a part of that, converted as the caller is (measured)."""
        function, given = arguments.get(0, "fn"), arguments.get(1, "args")
        if function is not None and not self.frame.eager:
            items = given.items if isinstance(given, Container) else None
            self.call_value(function, Arguments(items or (), partial=items is None and given is not None))
        return UNKNOWN

    def _activated(self, arguments: Arguments) -> Value:
        """What an activation that nobody can see makes of a tensor: one like it."""
        is_sole = len(arguments.positional) == 1 and not arguments.keywords and not arguments.partial
        is_given = is_sole and is_symbolic(arguments.positional[0])
        return self._call_api(api.ANY_ACTIVATION, arguments, None) if is_given else UNKNOWN

    def _arguments(self, node: ast.Call) -> Arguments:
        positional: list[Value] = []
        keywords: list[tuple[str, Value]] = []
        partial = False
        for argument in node.args:
            value = self.evaluate(argument)
            if type(argument) is ast.Starred:
                spread = self.spread(value)
                partial = partial or spread is None
                positional.extend(spread if spread is not None else ())
            elif not partial:
                positional.append(value)
        for keyword in node.keywords:
            name, value = keyword.arg, self.evaluate(keyword.value)
            if name is not None:
                keywords.append((name, value))
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
        return named_tuple(callee.fields, arguments) if isinstance(callee, NamedTuple) else UNKNOWN

    def _compile(self, node: ast.Call, arguments: Arguments) -> None:
        """Note the losses and metrics that a model is given as functions; Keras 2 converts them with AutoGraph."""
        given = [arguments.get(1, "loss"), arguments.get(2, "metrics"), arguments.get(99, "weighted_metrics")]
        functions = [leaf for value in given if value is not None for leaf in leaves(value)]
        for made in walk(node):
            maker = self.frame.scope.value(made.func) if isinstance(made, ast.Call) and made is not node else UNKNOWN
            if isinstance(maker, Function) and (inner := maker.info.returned) is not None:
                functions.append(self.function_value(inner, self._left_by(maker.info)))
        for function in functions:
            if isinstance(function, Function):
                sides = (Tensor(batch=True), Tensor(batch=True))
                self.trace_callback(function, Arguments((*function.partial, *sides)), self.keras == 2)

    def _left_by(self, maker: FunctionInfo) -> Environment:
        """The names that a function which is over leaves to those that it made."""
        environment = Environment()
        environment.lasting = True
        environment.names.update({name: self.around(maker, name) or UNKNOWN for name in maker.locals})
        return environment

    _handlers: ClassVar[dict[type, Callable[..., Value]]] = {**Expressions._handlers, ast.Call: call}

    # Objects.

    def function_of(self, value: Value) -> Value:
        """A callable object of the project as the method that calling it runs; anything else as it is."""
        cls = value.cls if isinstance(value, Instance) else None
        method = cls.method("__call__") if cls is not None and cls.role is None else None
        return value if method is None else self.function_value(method, bound=value)

    def _construct(self, cls: ClassInfo, arguments: Arguments) -> Value:
        if cls.fields is not None:
            self.keep_fields(cls, cls.fields, arguments)
        if "typing.NamedTuple" in cls.ancestry:
            fields = (node.target for node in cls.node.body if isinstance(node, ast.AnnAssign))
            return named_tuple(tuple(field.id for field in fields if isinstance(field, ast.Name)), arguments)
        name = api.base_of_role(cls.role)
        if not name:
            libraries = [ancestor for ancestor in cls.ancestry if isinstance(ancestor, str)]
            name = libraries[0] if libraries else ""
        made = Instance(name, cls, fresh=True)
        # What is made under a guard is made once, as it should be.
        if cls.role is None and self.frame.scope.is_traced and "guarded" not in self.frame.marks:
            self._initialise(made, cls, arguments)
        return made

    def _initialise(self, made: Instance, cls: ClassInfo, arguments: Arguments) -> None:
        """Run what makes an object while the code is traced; all objects of the class are taken as one."""
        constructor, given = ("__init__", arguments) if cls.fields is None else ("__post_init__", Arguments(()))
        method = cls.method(constructor)
        if method is None:
            return
        before = {key: value for key, value in self.heap.items() if key[0] is cls}
        # AutoGraph leaves constructors alone (measured).
        self.run(self.function_value(method, bound=made), given, autograph=False)
        for key, known in before.items() if cls.fields is None else ():
            self.heap[key] = join([known, self.heap.get(key, known)])

    def keep_fields(self, cls: ClassInfo, fields: tuple[str, ...], arguments: Arguments) -> None:
        """Give an object of a data class what its constructor is given; all objects of the class are taken as one."""
        given = {**dict(zip(fields, arguments.positional, strict=False)), **dict(arguments.keywords)}
        for name, value in given.items():
            known = self.heap.get((cls, name))
            self.heap[cls, name] = value if known is None else join([known, value])

    def _call_instance(self, callee: Instance, arguments: Arguments) -> Value:
        if callee.cls is not None:
            if callee.name in api.CALLED_BY_KERAS and any_tensor(arguments, "keras"):
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
                (isinstance(v, Tensor) and v.batch) or have_batch(v)
                for value in arguments.values[:1]
                for v in alternatives(value)
            )
            if isinstance(returned, Tensor):
                shapeless = any_tensor(arguments, "shapeless") and api.layer_state(name, self.keras) != "weights"
                result = self.tensor(batch=batch, shapeless=shapeless, keras=self._is_given_keras_tensor(arguments))
                return changed(result, nest=returned.nest or returns_more(arguments))
            return self._made_here(returned, name, arguments)
        return UNKNOWN

    def _is_given_keras_tensor(self, arguments: Arguments) -> bool:
        """Whether an argument is a Keras tensor, of which code that is traced sees none."""
        return self.frame.eager and any_tensor(arguments, "keras")

    # Library functions.

    def _call_api(self, name: str, arguments: Arguments, node: ast.Call | None) -> Value:
        if name in BY_NAME and node is not None and len(node.args) == len(arguments.positional) > 1:
            arguments = with_pattern(node.args[1], arguments)
        special = SPECIAL.get(name)
        if special is not None:
            return special(self, arguments)
        if name == "builtins.super":
            return self._super()
        callback = callbacks.callback(name)
        if callback is not None:
            return self._call_with_callback(name, callback, arguments)
        if name.startswith("numpy."):
            return self._call_numpy(name, arguments)
        value = api.result(name, self.keras)
        if isinstance(value, Instance) and api.class_role(name) == "layer":
            note_activations(self, name, arguments)
        return self._made_here(value, name, arguments)

    def _made_here(self, value: Value, name: str, arguments: Arguments) -> Value:
        if isinstance(value, Tensor):
            shapeless = value.shapeless or (api.keeps_shape(name) and any_tensor(arguments, "shapeless"))
            keras = name in api.INPUTS or self._is_given_keras_tensor(arguments)
            return self.tensor(batch=keeps_batch(name, arguments), shapeless=shapeless, keras=keras)
        if name == api.DYNAMIC_SHAPE:
            return self._dynamic_shape(arguments)
        if isinstance(value, Container):
            items = value.items and tuple(self._made_here(item, name, arguments) for item in value.items)
            return replace(value, of=self._made_here(value.of, name, arguments), items=items)
        return value

    def _dynamic_shape(self, arguments: Arguments) -> Value:
        subject = arguments.get(0, "x")
        batch = any(isinstance(v, Tensor) and v.batch for v in alternatives(subject or UNKNOWN))
        return Instance(api.DYNAMIC_SHAPE, origin="batch" if batch else "")

    def _call_numpy(self, name: str, arguments: Arguments) -> Value:
        if any(has_tensor(value) for value in arguments.values):
            return UNKNOWN
        value = api.result(name, self.keras)
        return value if isinstance(value, Instance) and not name.rpartition(".")[2][:1].isupper() else Array()

    def _super(self) -> Value:
        function = self.frame.scope.function
        if function is None or function.cls is None or self.frame.receiver is None:
            return UNKNOWN
        return Super(self.frame.receiver, function.cls)

    def _call_with_callback(self, name: str, callback: callbacks.Callback, arguments: Arguments) -> Value:
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

    def without_gradient(self, result: Container) -> Value:
        """What callers get of a function with a gradient of its own, which TensorFlow traces where it needs that."""
        items = result.items or ()
        gradient = items[1] if len(items) == 2 else UNKNOWN
        if not isinstance(gradient, Function):
            return result
        # TensorFlow calls it, where AutoGraph does not reach (measured).
        self.call_value(replace(gradient, autograph=False), Arguments((self.tensor(),) * gradient.info.required))
        return items[0]

    def _from_host(self, arguments: Arguments) -> Value:
        """What a function that runs outside of the graph gives: one tensor for each type that it is said to return."""
        types = arguments.get(2, "Tout")
        result = self.tensor(shapeless=True)
        if isinstance(types, Container):
            items = (result,) * len(types.items) if types.items is not None else None
            return Container(result if items != () else UNKNOWN, items)
        return result if types is not None and types is not UNKNOWN else replace(result, nest=True)

    def _wrap(self, name: str, value: Value | None, arguments: Arguments) -> Value:
        if not isinstance(value, Function):
            return UNKNOWN
        switched_off = arguments.get(99, "autograph") == Static(False)
        wrapped = replace(value, autograph=not switched_off if name in callbacks.TRACING_DECORATORS else False)
        if self.frame.eager and name in callbacks.TRACING_DECORATORS:
            self.trace_callback(wrapped, Arguments(()), not switched_off)
        return wrapped

    def _run_callback(self, value: Value, arguments: Arguments, callback: callbacks.Callback) -> Value:
        if callback.returns_result and isinstance(value, (Tensor, Variable)):
            return self.tensor()  # `K.switch` takes tensors, too
        if self.frame.eager:
            if isinstance(value, Function) and callback.always:
                self.trace_callback(value, arguments, False)  # which AutoGraph does not convert (measured)
            return UNKNOWN
        return self.call_value(unconverted(value) if callback.unconverted else value, arguments)

    def _callback_arguments(self, callback: callbacks.Callback, arguments: Arguments) -> Arguments:
        if callback.subject is None:
            return Arguments((), partial=callback.arity is None)
        subject = arguments.get(*callback.subject)
        if callback.arity is None:
            items = subject.items if isinstance(subject, Container) and subject.items is not None else None
            loop_variables = tuple(self._in_graph(item) for item in items) if items is not None else ()
            return Arguments(loop_variables, partial=items is None)
        element = slice_of(subject or UNKNOWN)
        start = arguments.get(*callback.start) if callback.start is not None else None
        first = element if start is None or start == NONE else self._in_graph(start)
        return Arguments((first, *[element] * (callback.arity - 1)) if callback.arity else ())

    def _in_graph(self, value: Value) -> Value:
        """What a loop of the graph makes of a variable that it is given: numbers become tensors."""
        if isinstance(value, Container) and value.items is not None:
            items = tuple(self._in_graph(item) for item in value.items)
            return Container(join(items) if items else UNKNOWN, items, value.type)
        return self.tensor() if isinstance(value, (Tensor, Variable, Static, StaticDim, Array)) else value

    def _callback_result(self, callback: callbacks.Callback, arguments: Arguments, returned: Value) -> Value:
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
        if name in callbacks.DATASET_CALLBACKS:
            function = arguments.get(0, "map_func")
            for alternative in alternatives(function) if function is not None else ():
                if isinstance(alternative, Function):
                    given = len(alternative.partial) + (alternative.bound is not None)
                    elements = (Tensor(nest=True),) * (alternative.info.required - given)
                    self.trace_callback(alternative, Arguments((*alternative.partial, *elements)), True)
        return Instance("tensorflow.data.Dataset")

    def _change_in_place(self, node: ast.Call, callee: Method, arguments: Arguments) -> None:
        if not isinstance(node.func, ast.Attribute):
            return
        receiver, name = callee.receiver, callee.name
        if isinstance(receiver, Tensor) and name == "set_shape":
            batch = receiver.batch and not may_fix_first_size(arguments.get(0, "shape"))
            self.update(node.func.value, replace(receiver, shapeless=False, batch=batch))
        elif isinstance(receiver, Container) and arguments.values:
            if name in {"append", "add", "appendleft", "insert", "setdefault"}:
                added = arguments.values[-1]
                keeps = name == "setdefault" and receiver.origin
                self.update(node.func.value, grown(receiver, stored(added, receiver.origin) if keeps else added))
            elif name in {"extend", "update", "extendleft"}:
                added = arguments.values[0]
                is_mapping = name == "update" and (arguments.keywords or receiver.type == "dict")
                of = added if arguments.keywords else self.element_of_dict(added) if is_mapping else self.element(added)
                self.update(node.func.value, grown(receiver, of))
        elif isinstance(receiver, Container) and name == "clear":
            self.update(node.func.value, replace(receiver, of=UNKNOWN, items=()))


def _is_run_of_strategy(node: ast.Call) -> bool:
    """Whether a call reads `strategy.run(..)`; what a layer is given as its strategy is known by the name alone."""
    function = node.func
    return (
        isinstance(function, ast.Attribute)
        and function.attr in _RUN_BY_STRATEGIES
        and last_name(function.value).endswith("strategy")
    )


def _entry_or_default(receiver: Container, name: str, default: Value) -> Value:
    """What an entry holds, or a default, which ``setdefault`` keeps; of an empty dict, what such calls put there."""
    kept = stored(default, receiver.origin) if name == "setdefault" and receiver.origin else default
    if receiver.items != ():
        return join([receiver.of, kept])
    if isinstance(default, Static) and default.constant is not None:
        return STATIC
    return kept if name == "setdefault" and isinstance(default, Container) else UNKNOWN


def _call_container_method(receiver: Container, name: str, arguments: Arguments) -> Value:
    if name in {"pop", "get"} and receiver.entries and arguments.positional:
        key = arguments.positional[0]
        if isinstance(key, Static) and (entry := receiver.entry(key.constant)) is not None:
            return entry
    if name in {"get", "setdefault"} and arguments.values[1:]:
        return _entry_or_default(receiver, name, arguments.values[1])
    if name in {"pop", "popleft", "get", "setdefault", "popitem"}:
        return join([receiver.of, *([NONE] if name == "get" else [])])
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


def _is_activation(called: ast.expr) -> bool:
    """Whether a name, or an attribute of the object that a name stands for, says that it is an activation."""
    if isinstance(called, ast.Attribute):
        return isinstance(called.value, ast.Name) and _ACTIVATION.search(called.attr) is not None
    return isinstance(called, ast.Name) and _ACTIVATION.search(called.id) is not None
