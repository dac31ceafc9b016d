"""Entering functions, and what classes and modules declare: the top of the interpreter."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace

from tflint_layers.model import api
from tflint_layers.model.annotations import annotated_object
from tflint_layers.model.arguments import Arguments, any_tensor
from tflint_layers.model.classes import SETTING_UP, ClassInfo, FunctionInfo, ModuleInfo
from tflint_layers.model.decorators import below_tracing, has_own_gradient, is_transparent, is_wrapped
from tflint_layers.model.frame import Frame, Heap, Names
from tflint_layers.model.reach import Reach
from tflint_layers.model.scopes import Phase, Scope
from tflint_layers.model.statements import Statements
from tflint_layers.model.syntax import last_name
from tflint_layers.model.values import (
    NONE,
    NOT_CONSTANT,
    STATIC,
    UNKNOWN,
    Class,
    Container,
    Environment,
    Function,
    Instance,
    Static,
    Value,
    join,
    literal,
    stored,
)

_DEEPEST = 8
# How many module-level names, or attributes of class bodies, are followed that each are made of the next; how many
# classes, of which each is set up with objects of the next.
_MOST_NAMES = 50
_MOST_CLASSES = 30
_MOST_FUNCTIONS = 300
# How often a function is run for one file with other arguments each time: so many nodes of it, and at least so often
# where it stands in that file. A helper of another file is run at least once.
_LEAST_REPEATS = 2
_MOST_REPEATED = 500
_CACHING_DECORATORS = frozenset({"cache", "lru_cache", "cached_property", "once", "run_once", "memoize"})
_CONTEXT_DECORATORS = frozenset({"contextmanager", "asynccontextmanager"})

_NEVER_TRACED = frozenset({Phase.INIT, Phase.PLAIN})

Results = dict[tuple[object, ...], tuple[Value, Heap]]


class Interpreter(Statements):
    """Runs the functions of one module on abstract values, and keeps a :class:`Scope` of each evaluation."""

    def __init__(self, module: ModuleInfo, keras: int) -> None:
        super().__init__()
        self.module = module
        self.keras = keras
        self.scopes: list[Scope] = []
        self.callbacks: list[tuple[Function, Arguments, bool]] = []
        self.reach = Reach()
        self.heap: Heap = {}
        # No scope of its own refers to the interpreter, which goes with the scopes that it keeps.
        self.frame = Frame(Scope(module, None, Phase.PLAIN, keras, False, None, ()), Environment(), eager=True)
        self._declared: dict[ClassInfo, Names] = {}
        self._class_values: dict[tuple[ClassInfo, str], Value] = {}
        self._set_up_by: dict[tuple[ClassInfo, str], Names] = {}
        self._results: Results = {}
        self._outcomes: dict[tuple[object, ...], list[Value]] = {}
        self._wrappers: dict[FunctionInfo, Function | Instance | None] = {}
        # What classes of other files come to is the same whichever file asks.
        self._memory = module.project.memory(keras)
        self.depending = self._memory.depending
        self._active: list[FunctionInfo] = []
        self._entered = 0
        self._elsewhere = 0
        self._binding = 0
        self._declaring = 0

    # Entering functions.

    def enter(
        self,
        function: Function,
        arguments: Arguments,
        *,
        phase: Phase,
        autograph: bool,
        layer: ClassInfo | None,
        eager: bool = False,
    ) -> Value:
        """Run a function that nothing in the module calls: an entry point, such as ``call``."""
        self._entered = 0
        if phase is Phase.CALL:
            self.reach.entries.append((layer, function.info))
        name = function.info.qualname
        if phase is Phase.CALL and (wrapper := self._decorated(function)) is not None:
            function = wrapper
        autograph = autograph if function.autograph is None else function.autograph
        autograph = autograph and function.info.is_convertible
        scope = Scope(function.info.module, function.info, phase, self.keras, autograph, layer, (name,))
        result = self._run_in(scope, function, arguments, eager)
        scope.left.update(self.heap)
        return result

    def run(self, function: Function, arguments: Arguments, autograph: bool | None = None) -> Value:
        """The value of calling a function of the project, evaluated with the kinds of its arguments."""
        caller = self.frame
        info = function.info
        if caller.scope.function is not None:
            self.reach.note(caller.scope.layer, caller.scope.function, info)
        if (caller.scope.phase is Phase.PLAIN and not self._runs_untraced(info, arguments)) or (
            self._is_active(function) or len(self._active) >= _DEEPEST
        ):
            return Container(UNKNOWN, type="generator") if info.is_generator else UNKNOWN
        if (wrapper := self._decorated(function)) is not None:
            return self.run(wrapper, arguments, autograph)
        if isinstance(function.bound, Instance) and (
            self._takes_over(info, function.bound) or self._builds_another(info, function.bound)
        ):
            return NONE
        if function.autograph is not None:
            autograph = function.autograph
        elif autograph is None:
            autograph = caller.scope.autograph
        autograph = autograph and info.is_convertible
        kind = (autograph, caller.eager, caller.scope.phase, bool(self._elsewhere))
        # What an inner function closes over may be something else each time.
        is_inner = function.environment is not None
        key = (info, function.bound, function.partial, function.bare, arguments, kind)
        if not is_inner and (known := self._remembered(info, key, kind)) is not None:
            return known
        self._entered += 1
        if self._entered > _MOST_FUNCTIONS:
            return UNKNOWN
        before = dict(self.heap)
        scope = replace_scope(caller.scope, info, autograph)
        result = self._seen_by_caller(function, self._run_in(scope, function, arguments, caller.eager))
        if not is_inner:
            self._outcomes.setdefault((info, kind), []).append(result)
            written = {place: value for place, value in self.heap.items() if before.get(place) is not value}
            self._all_results[key] = result, written
        return result

    @property
    def _all_results(self) -> Results:
        """What functions were seen to give: those of code that sets up classes of other files, or all others."""
        return self._memory.results if self._elsewhere else self._results

    def _remembered(self, info: FunctionInfo, key: tuple[object, ...], kind: tuple[object, ...]) -> Value | None:
        """What a function gave for the same arguments, or gives for any; None where it is to be run."""
        known = self._all_results.get(key)
        if known is not None:
            self.heap.update(known[1])
            return known[0]
        outcomes = self._outcomes.get((info, kind), [])
        least = _LEAST_REPEATS if info.module is self.module else 1
        # The number of nodes is asked for last, as it takes long to count them.
        if len(outcomes) < least or len(outcomes) < _MOST_REPEATED // len(info.nodes):
            return None
        # A long function that gave the same each time is taken to do so whatever it is passed.
        return outcomes[0] if all(value == outcomes[0] for value in outcomes) else UNKNOWN

    def _seen_by_caller(self, function: Function, result: Value) -> Value:
        """What callers get of what the body of a function returns, as its decorators have it."""
        info = function.info
        if isinstance(result, Container) and info.decorators:
            if _is_context(info):
                result = result.of
            elif has_own_gradient(info):
                result = self._without_gradient(info, result)
        return UNKNOWN if is_wrapped(info) and not function.bare else result

    def _without_gradient(self, info: FunctionInfo, result: Container) -> Value:
        """As :meth:`without_gradient`, while the function is under way: it may be the gradient of its gradient."""
        self._active.append(info)
        try:
            return self.without_gradient(result)
        finally:
            self._active.pop()

    def _decorated(self, function: Function) -> Function | None:
        """The function that decorators of the project put in place of one; None where they do not, or nobody knows."""
        is_bare = function.bare or not function.info.decorators
        return None if is_bare else self._put_in_place(self._wrapper(function), function)

    def as_traced(self, function: Function) -> Function:
        """What a tracing decorator gets of a function: the decorators above it are not traced."""
        below = below_tracing(function.info) or []
        if all(is_transparent(decorator, function.info.module) for decorator in below):
            return replace(function, bare=True)
        with_those = self._decorate(function, below)
        return self._put_in_place(with_those, function) or function

    def _put_in_place(self, wrapper: Function | Instance | None, function: Function) -> Function | None:
        if isinstance(wrapper, Instance):
            wrapper = self._called(wrapper, function)
        if wrapper is None:
            return None
        autograph = function.autograph if wrapper.autograph is None else wrapper.autograph
        partial = wrapper.partial + function.partial
        return replace(wrapper, bound=wrapper.bound or function.bound, autograph=autograph, partial=partial)

    def _wrapper(self, function: Function) -> Function | Instance | None:
        info = function.info
        if not is_wrapped(info):
            return None
        if info not in self._wrappers:
            self._wrappers[info] = None  # for a decorator that is decorated with itself
            self._wrappers[info] = self._decorate(function, info.decorators)
        return self._wrappers[info]

    def _called(self, wrapper: Instance, function: Function) -> Function | None:
        """What calling a function runs that became an object; one without a ``__get__`` does not know ``self``."""
        called = self.function_of(wrapper)
        if not isinstance(called, Function) or wrapper.cls is None or function.bound is None:
            return called if isinstance(called, Function) else None
        return replace(called, partial=(function.bound,)) if wrapper.cls.method("__get__") is not None else None

    def described(self, method: FunctionInfo, receiver: Value) -> Value | None:
        """What reading a method gives that became an object with a ``__get__``; None for all others."""
        wrapper = self._wrapper(self.function_value(method))
        getter = wrapper.cls.method("__get__") if isinstance(wrapper, Instance) and wrapper.cls is not None else None
        if getter is None:
            return None
        return self.run(self.function_value(getter, bound=wrapper), Arguments((receiver, UNKNOWN)))

    def _decorate(self, function: Function, decorators: list[ast.expr]) -> Function | Instance | None:
        """What decorators of a function make of it, run as they are where it is defined."""
        info = function.info
        value: Value = replace(function, bound=None, partial=(), bare=True)
        with self._aside(), self.unrecorded():
            scope = Scope(info.module, None, Phase.INIT, self.keras, False, None, ())
            self.frame = self._frame(scope, Environment(function.environment), eager=True)
            for decorator in reversed(decorators):
                if not (is_transparent(decorator, info.module) or self._hands_back(decorator, function)):
                    value = self._made_by(self.evaluate(decorator), value)
        if isinstance(value, Function):
            return replace(value, bare=True)
        return value if isinstance(value, Instance) and value.fields else None

    def _made_by(self, decorator: Value, function: Value) -> Value:
        """What a decorator makes of a function; of an object, with all that the ``__init__`` of its class gives it."""
        instance = self.call_value(decorator, Arguments((function,)))
        if not isinstance(decorator, Class) or not isinstance(instance, Instance) or decorator.cls.role is not None:
            return instance
        cls = decorator.cls
        if (method := cls.method("__init__")) is not None:
            self.run(self.function_value(method, bound=instance), Arguments((function,)))
        fields = ((name, stored(value, f"self.{name}")) for (owner, name), value in self.heap.items() if owner is cls)
        return replace(instance, fresh=False, origin="self", fields=tuple(fields))

    def _hands_back(self, decorator: ast.expr, function: Function) -> bool:
        """Whether a decorator of the project gives the function itself back, which need not be run to be known."""
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        if not isinstance(called, ast.Name) or function.environment is not None:
            return False
        value = self.global_value(function.info.module, called.id)
        info = value.info if isinstance(value, Function) else None
        if isinstance(decorator, ast.Call) and info is not None:
            info = info.returned if len(info.of_kind(ast.Return)) == 1 else None
        return info is not None and info.hands_back

    def _is_active(self, function: Function) -> bool:
        """Whether a function is under way; one wrapper may stand around several functions that call each other."""
        is_wrapper = function.bare and function.environment is not None
        is_object = isinstance(function.bound, Instance) and bool(function.bound.fields)
        return function.info in self._active and not (is_wrapper or is_object)

    def _takes_over(self, info: FunctionInfo, instance: Instance) -> bool:
        """Give an object what a base class of another file sets up, unless that comes back to the object's class.

        So it is concluded once for all the classes that inherit it, whatever arguments they pass.
        """
        cls = instance.cls
        if cls is None or info.cls is None or info.cls is cls or not self._sets_up_elsewhere(info):
            return False
        overridden = cls.methods.keys() - SETTING_UP
        if any(node.attr in overridden for node in info.of_kind(ast.Attribute)):
            return False
        for name, value in self.declared(info.cls).items():
            self.heap[cls, name] = value
        return True

    def _builds_another(self, info: FunctionInfo, instance: Instance) -> bool:
        """Whether ``build`` of one layer calls that of another, whose attributes are known as those of its class."""
        scope, cls = self.frame.scope, instance.cls
        if scope.phase is not Phase.BUILD or info.name != "build" or cls is None or cls.role is None:
            return False
        return scope.layer is None or cls not in scope.layer.ancestry

    def _runs_untraced(self, info: FunctionInfo, arguments: Arguments) -> bool:
        """Whether what a function gives is asked for where nothing traces the call: of few, as it takes long."""
        if self._is_constant(info, arguments):
            return True
        # Keras 2 takes any operation on the placeholders of a model. What a layer does in `call` is no fault of it,
        # whoever calls that with such a placeholder.
        is_of_layer = info.cls is not None and info.cls.role is not None
        return self.keras == 3 and not is_of_layer and (any_tensor(arguments, "keras") or _makes_layer(info))

    def _is_constant(self, info: FunctionInfo, arguments: Arguments) -> bool:
        """Whether a module-level name is being bound to what a function of the module gives without arguments."""
        return self._binding > 0 and info.cls is None and not info.parameters and not arguments.values

    def _run_in(self, scope: Scope, function: Function, arguments: Arguments, eager: bool) -> Value:
        info = function.info
        frame = self._frame(scope, Environment(function.environment), eager)
        self._bind_parameters(frame, function, arguments)
        elsewhere = self._sets_up_elsewhere(info)
        self._elsewhere += elsewhere
        if not self._elsewhere:
            self.scopes.append(scope)
        caller, self.frame = self.frame, frame
        frame.marks += {mark for mark in caller.marks if mark != "eager"}
        if _runs_once(info):
            frame.marks.append("guarded")
        frame.environment.lasting = scope.phase in _NEVER_TRACED
        self._active.append(info)
        try:
            if isinstance(info.node, ast.Lambda):
                return self.evaluate(info.node.body)
            completes = self.execute(info.node.body)
        finally:
            self._active.pop()
            self.frame = caller
            self._elsewhere -= elsewhere
        ends = [*frame.exits, self.heap] if completes else frame.exits
        if ends:
            self.heap = self._join_heaps(ends)
        if info.is_generator:
            return Container(join(frame.yields), type="generator")
        returns = [*frame.returns, NONE] if completes else frame.returns
        return join(returns)

    def _sets_up_elsewhere(self, info: FunctionInfo) -> bool:
        """Whether a function sets up a base class that is traced itself, and so is looked at in its own file."""
        return (
            info.module is not self.module
            and info.name in SETTING_UP
            and info.cls is not None
            and info.cls.role is not None
        )

    def belonging_to(self, cls: ClassInfo) -> AbstractContextManager[None]:
        """Run code of a class for what it gives; where the class stands in another file, its scopes are kept there."""
        return self.unrecorded() if cls.module is not self.module else nullcontext()

    @contextmanager
    def unrecorded(self) -> Iterator[None]:
        """Run code for what it gives, and keep no scopes of it."""
        self._elsewhere += 1
        try:
            yield
        finally:
            self._elsewhere -= 1

    def _frame(self, scope: Scope, environment: Environment, eager: bool) -> Frame:
        scope.evaluations = self
        return Frame(scope, environment, eager=eager)

    def _bind_parameters(self, frame: Frame, function: Function, arguments: Arguments) -> None:
        info, names = function.info, frame.environment.names
        if is_wrapped(info) and not function.bare:
            arguments = Arguments((), partial=True)
        bound = () if function.bound is None else (function.bound,)
        given = [*bound, *function.partial, *arguments.positional]
        if bound:
            frame.receiver = function.bound
        elif info.cls is not None and given:
            frame.receiver = given[0]
        specification = info.node.args
        keywords = dict(arguments.keywords)
        missing: Value | None = UNKNOWN if arguments.partial else None
        defaults = info.defaults
        if function.environment is not None and defaults and missing is None:
            keywords = {**_bound_defaults(defaults, function.environment), **keywords}
        for index, parameter in enumerate(info.parameters):
            if index < len(given):
                names[parameter.arg] = given[index]
                keywords.pop(parameter.arg, None)
            else:
                names[parameter.arg] = self._parameter(parameter, keywords, defaults, missing, info.module)
        for parameter in specification.kwonlyargs:
            names[parameter.arg] = self._parameter(parameter, keywords, defaults, missing, info.module)
        if specification.vararg is not None:
            rest = tuple(given[len(info.parameters) :])
            items = None if arguments.partial else rest
            names[specification.vararg.arg] = Container(join(rest) if rest else UNKNOWN, items, "tuple")
        if specification.kwarg is not None:
            rest = tuple(keywords.values())
            of = join(rest) if rest else UNKNOWN
            entries = () if arguments.partial else tuple(keywords.items())
            # Whoever calls an entry point may give it more.
            is_empty = not rest and not arguments.partial and len(frame.scope.route) > 1
            names[specification.kwarg.arg] = Container(of, () if is_empty else None, "dict", entries=entries)

    def _parameter(
        self,
        parameter: ast.arg,
        keywords: Names,
        defaults: dict[str, ast.expr],
        missing: Value | None,
        module: ModuleInfo,
    ) -> Value:
        if parameter.arg in keywords:
            return keywords.pop(parameter.arg)
        if missing is not None or parameter.arg not in defaults:
            return UNKNOWN
        default = defaults[parameter.arg]
        if isinstance(default, (ast.Name, ast.Attribute)):
            return self.module_value(module, default)
        return default_value(default, parameter.arg)

    def run_module(self) -> None:
        """Run the module-level statements, as importing the module does."""
        scope = Scope(self.module, None, Phase.PLAIN, self.keras, False, None, ())
        self.scopes.append(scope)
        frame, self.frame = self.frame, self._frame(scope, Environment(), eager=True)
        try:
            self.execute(self.module.source.tree.body)
        finally:
            self.frame = frame

    def trace_callback(self, function: Function, arguments: Arguments, autograph: bool) -> None:
        """Note that TensorFlow will trace a function that is handed to it outside of traced code."""
        self.callbacks.append((function, arguments, autograph))

    # Attributes of instances, names of modules.

    def declared(self, cls: ClassInfo) -> Names:
        """The attributes that ``__init__``, ``build`` and the class body give an instance."""
        known = self._declared if cls.module is self.module else self._memory.declared
        if cls not in known:
            if self._declaring >= _MOST_CLASSES:
                return {}
            known[cls] = {}
            self._declaring += 1
            try:
                known[cls] = self._declare(cls)
            finally:
                self._declaring -= 1
        return known[cls]

    def share(self) -> None:
        """Let other files know what the classes of the module declare."""
        self._memory.declared.update(self._declared)

    def always_declared(self, cls: ClassInfo) -> Names:
        """Those of the declared attributes that every object of the class has, whatever its options."""
        return {name: value for name, value in self.declared(cls).items() if (cls, name) not in self.depending}

    def _declare(self, cls: ClassInfo) -> Names:
        names: Names = {}
        for ancestor in reversed(cls.ancestry):
            if isinstance(ancestor, ClassInfo):
                for name in ancestor.attributes:
                    names[name] = stored(self.class_value(ancestor, name), name)
        with self._aside(), self.belonging_to(cls):
            instance = self.instance(cls)
            for name in ("__init__", "build"):
                if (method := cls.method(name)) is not None:
                    self._set_up(cls, method, instance)
            for (owner, name), value in self.heap.items():
                if owner is cls:
                    names[name] = stored(value, f"self.{name}")
        return names

    def _set_up(self, cls: ClassInfo, method: FunctionInfo, instance: Instance) -> None:
        """Run ``__init__`` or ``build`` of a class; where it inherits one that does the same, that is not run again."""
        base = method.cls
        if base is not None and base.module is self.module and cls.inherits_unchanged(method):
            self.declared(base)
            for name, value in self._set_up_by.get((base, method.name), {}).items():
                self.heap[cls, name] = value
            return
        before = dict(self.heap)
        self._run_set_up(method, instance, cls)
        self._set_up_by[cls, method.name] = {
            name: value
            for (owner, name), value in self.heap.items()
            if owner is cls and before.get((owner, name)) is not value
        }

    def _run_set_up(self, method: FunctionInfo, instance: Instance, cls: ClassInfo) -> None:
        if self._takes_over(method, instance):
            return
        # Keras builds layers; what other objects call `build` they run themselves.
        phase = Phase.BUILD if method.name == "build" and api.is_traced_role(cls.role) else Phase.INIT
        function = self.function_value(method, bound=instance)
        defaults = method.defaults
        arguments = tuple(
            Static() if phase is Phase.BUILD else self._option(parameter, defaults, method)
            for parameter in method.parameters[1:]
        )
        keywords = tuple(
            (parameter.arg, self._option(parameter, defaults, method)) for parameter in method.node.args.kwonlyargs
        )
        scope = Scope(method.module, method, phase, self.keras, False, cls, (method.qualname,))
        eager = phase is Phase.INIT or self.keras == 2
        self._run_in(scope, function, Arguments(arguments, keywords), eager)
        scope.left.update(self.heap)

    def _option(self, parameter: ast.arg, defaults: dict[str, ast.expr], method: FunctionInfo) -> Value:
        """The value of a parameter of ``__init__``: what its annotation asks for, or as its default tells."""
        annotated = annotated_object(parameter, method) if parameter.annotation is not None else None
        if annotated is not None:
            return annotated
        default = defaults.get(parameter.arg)
        if isinstance(default, (ast.Name, ast.Attribute)):
            value = self.module_value(method.module, default)
            return value if self.stands_for_given(value) else UNKNOWN
        return option_value(parameter, defaults)

    def instance(self, cls: ClassInfo) -> Instance:
        """The object that ``self`` is in methods of a class."""
        made = self._construct(cls, Arguments(()))
        return replace(made, fresh=False, origin="self") if isinstance(made, Instance) else Instance("", cls)

    @contextmanager
    def _aside(self) -> Iterator[None]:
        """Run something that is no part of the function under way, on attributes of its own."""
        heap, active, entered = self.heap, self._active, self._entered
        self.heap, self._active, self._entered = {}, [], 0
        frame = self.frame
        self.frame = self._frame(
            Scope(self.module, None, Phase.INIT, self.keras, False, None, ()), Environment(), eager=True
        )
        try:
            yield
        finally:
            self.heap, self._active, self._entered, self.frame = heap, active, entered, frame

    def class_value(self, cls: ClassInfo, name: str) -> Value:
        """The value that the body of a class gives an attribute."""
        key = (cls, name)
        if key not in self._class_values:
            self._class_values[key] = UNKNOWN  # for bodies that read each other
            self._class_values[key] = self.module_value(cls.module, cls.attributes[name])
        return self._class_values[key]

    def module_value(self, module: ModuleInfo, node: ast.expr) -> Value:
        """The value of an expression at module level."""
        if isinstance(node, ast.Constant):
            return self._constant(node)
        if self._binding >= _MOST_NAMES:
            return UNKNOWN
        scope = Scope(module, None, Phase.PLAIN, self.keras, False, None, ())
        frame, self.frame = self.frame, self._frame(scope, Environment(), eager=True)
        self._binding += 1
        try:
            with self.unrecorded():
                return self.evaluate(node)
        finally:
            self._binding -= 1
            self.frame = frame


def replace_scope(scope: Scope, info: FunctionInfo, autograph: bool) -> Scope:
    """The scope of a function that is called from ``scope``."""
    # A decorated entry point is entered through its wrapper, under its own name.
    route = (
        scope.route if scope.route == (info.qualname,) and scope.function is not info else (*scope.route, info.qualname)
    )
    return Scope(info.module, info, scope.phase, scope.keras, autograph, scope.layer, route, left=scope.left)


def _bound_defaults(defaults: dict[str, ast.expr], environment: Environment) -> Names:
    """Parameters of an inner function whose defaults are names around it, as in `lambda t, s=s: t * s`."""
    found = {name: environment.find(node.id) for name, node in defaults.items() if isinstance(node, ast.Name)}
    return {name: value for name, value in found.items() if value is not None}


def default_value(node: ast.expr, name: str) -> Value:
    """The value of a parameter that the caller leaves out; a mutable default outlives the call."""
    constant = literal(node)
    if constant is not NOT_CONSTANT:
        return Static(constant)
    if isinstance(node, (ast.List, ast.Dict, ast.Set)):
        return Container(UNKNOWN, (), type(node).__name__.lower(), origin=f"the default of `{name}`")
    return STATIC if isinstance(node, (ast.Tuple, ast.BinOp)) else UNKNOWN


def option_value(parameter: ast.arg, defaults: dict[str, ast.expr]) -> Value:
    """The value of an option that the user may set: of its default's type, with the default as a guess."""
    default = defaults.get(parameter.arg)
    constant = literal(default) if default is not None else NOT_CONSTANT
    if constant is None or constant is NOT_CONSTANT:
        return UNKNOWN
    return Static(constant, sure=False)


def _makes_layer(info: FunctionInfo) -> bool:
    """Whether a function returns a new layer or model of the library, in so many words."""
    returned = [node.value for node in info.of_kind(ast.Return)]
    value = returned[0] if len(returned) == 1 else None
    if isinstance(value, ast.Name):
        value = info.locals.get(value.id)
    name = info.module.dotted(value.func) if isinstance(value, ast.Call) else None
    return name is not None and api.class_role(name) in api.ROLES_RETURNING_TENSORS


def _runs_once(info: FunctionInfo) -> bool:
    """Whether a decorator keeps the result of the first call."""
    return any(last_name(decorator) in _CACHING_DECORATORS for decorator in info.decorators)


def _is_context(info: FunctionInfo) -> bool:
    """Whether a function becomes one that gives a context, whose value is what the function yields."""
    return any(last_name(decorator) in _CONTEXT_DECORATORS for decorator in info.decorators)
