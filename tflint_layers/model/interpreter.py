"""Statements to values: the half of the interpreter that follows control flow, and enters functions."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import ClassVar

from tflint_layers.model import api
from tflint_layers.model.arguments import Arguments
from tflint_layers.model.calls import Calls
from tflint_layers.model.classes import ClassInfo, FunctionInfo, ModuleInfo
from tflint_layers.model.decorators import autograph_of, is_transparent, is_wrapped
from tflint_layers.model.expressions import with_entry
from tflint_layers.model.frame import Frame, Heap, Names
from tflint_layers.model.imports import bindings
from tflint_layers.model.reach import Reach
from tflint_layers.model.scopes import Phase, Scope, api_name
from tflint_layers.model.syntax import children, last_name, walk
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
    truth,
    truth_by_default,
)

_DEEPEST = 8
_MOST_FUNCTIONS = 300
_SWALLOWING = frozenset({"Exception", "BaseException", "AttributeError", "NotImplementedError", "TypeError"})
_SETTING_UP = frozenset({"__init__", "build"})
_BUILT = frozenset({"built", "_built"})
_CACHING_DECORATORS = frozenset({"cache", "lru_cache", "cached_property"})
_CONTEXT_DECORATORS = frozenset({"contextmanager", "asynccontextmanager"})

Results = dict[tuple[object, ...], tuple[Value, Heap]]


class Interpreter(Calls):
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
        self._given: dict[tuple[ClassInfo, str], Names] = {}
        self._results: Results = {}
        self._wrappers: dict[FunctionInfo, Function | None] = {}
        # What classes of other files come to is the same whichever file asks.
        self._memory = module.project.memory(keras)
        self._active: list[FunctionInfo] = []
        self._entered = 0
        self._elsewhere = 0
        self._binding = 0

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
        if (caller.scope.phase is Phase.PLAIN and not self._is_constant(info, arguments)) or (
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
        key = (info, function.bound, function.partial, function.bare, arguments, kind)
        results = self._memory.results if self._elsewhere else self._results
        if function.environment is None and key in results:
            known, written = results[key]
            self.heap.update(written)
            return known
        self._entered += 1
        if self._entered > _MOST_FUNCTIONS:
            return UNKNOWN
        scope = replace_scope(caller.scope, info, autograph)
        before = dict(self.heap)
        result = self._run_in(scope, function, arguments, caller.eager)
        if isinstance(result, Container) and _is_context(info):
            result = result.of
        result = UNKNOWN if is_wrapped(info) and not function.bare else result
        results[key] = result, {place: v for place, v in self.heap.items() if before.get(place) != v}
        return result

    def _decorated(self, function: Function) -> Function | None:
        """The function that decorators of the project put in place of one; None where they do not, or nobody knows."""
        info = function.info
        if function.bare or not info.decorators or not is_wrapped(info):
            return None
        if info not in self._wrappers:
            self._wrappers[info] = None  # for a decorator that is decorated with itself
            self._wrappers[info] = self._decorate(function)
        wrapper = self._wrappers[info]
        if wrapper is None:
            return None
        autograph = function.autograph if wrapper.autograph is None else wrapper.autograph
        partial = wrapper.partial + function.partial
        return replace(wrapper, bound=wrapper.bound or function.bound, autograph=autograph, partial=partial)

    def _decorate(self, function: Function) -> Function | None:
        """What the decorators of a function make of it, run as they are where it is defined."""
        info = function.info
        value: Value = replace(function, bound=None, partial=(), bare=True)
        with self._aside(), self.unrecorded():
            scope = Scope(info.module, None, Phase.INIT, self.keras, False, None, ())
            self.frame = self._frame(scope, Environment(function.environment), eager=True)
            for decorator in reversed(info.decorators):
                if not is_transparent(decorator, info.module):
                    value = self.call_value(self.evaluate(decorator), Arguments((value,)))
        return replace(value, bare=True) if isinstance(value, Function) else None

    def _is_active(self, function: Function) -> bool:
        """Whether a function is under way; one wrapper may stand around several functions that call each other."""
        return function.info in self._active and not (function.bare and function.environment is not None)

    def _takes_over(self, info: FunctionInfo, instance: Instance) -> bool:
        """Give an object what a base class of another file sets up, unless that comes back to the object's class.

        So it is concluded once for all the classes that inherit it, whatever arguments they pass.
        """
        cls = instance.cls
        if cls is None or info.cls is None or info.cls is cls or not self._sets_up_elsewhere(info):
            return False
        overridden = cls.methods.keys() - _SETTING_UP
        if any(node.attr in overridden for node in info.of_kind(ast.Attribute)):
            return False
        for name, value in self.declared(info.cls).items():
            self.heap[cls, name] = value
        return True

    def _builds_another(self, info: FunctionInfo, instance: Instance) -> bool:
        """Whether ``build`` of one layer calls that of another, whose attributes are known as those of its class."""
        scope = self.frame.scope
        own = scope.layer.ancestry if scope.layer is not None else ()
        is_build = scope.phase is Phase.BUILD and info.name == "build" and instance.cls is not None
        return is_build and instance.cls not in own and instance.cls is not None and instance.cls.role is not None

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
        if caller.caught:
            frame.caught = 1
        if caller.optional:
            frame.optional = 1
        if caller.guarded or _runs_once(info):
            frame.guarded = 1
        frame.environment.lasting = scope.phase is Phase.INIT
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
            and info.name in _SETTING_UP
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
        defaults = _defaults(specification)
        if function.environment is not None and defaults and missing is None:
            keywords = {**_bound_defaults(defaults, function.environment), **keywords}
        for index, parameter in enumerate(info.parameters):
            if index < len(given):
                names[parameter.arg] = given[index]
                keywords.pop(parameter.arg, None)
            else:
                names[parameter.arg] = self._parameter(parameter, keywords, defaults, missing)
        for parameter in specification.kwonlyargs:
            names[parameter.arg] = self._parameter(parameter, keywords, defaults, missing)
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
        self, parameter: ast.arg, keywords: Names, defaults: dict[str, ast.expr], missing: Value | None
    ) -> Value:
        if parameter.arg in keywords:
            return keywords.pop(parameter.arg)
        if missing is not None or parameter.arg not in defaults:
            return UNKNOWN
        return default_value(defaults[parameter.arg], parameter.arg)

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
            known[cls] = {}
            known[cls] = self._declare(cls)
        return known[cls]

    def _declare(self, cls: ClassInfo) -> Names:
        names: Names = {}
        for ancestor in reversed(cls.ancestry):
            if isinstance(ancestor, ClassInfo):
                for name, expression in ancestor.attributes.items():
                    names[name] = stored(self.module_value(ancestor.module, expression), name)
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
            for name, value in self._given.get((base, method.name), {}).items():
                self.heap[cls, name] = value
            return
        before = dict(self.heap)
        self._run_set_up(method, instance, cls)
        self._given[cls, method.name] = {
            name: value
            for (owner, name), value in self.heap.items()
            if owner is cls and before.get((owner, name)) is not value
        }

    def _run_set_up(self, method: FunctionInfo, instance: Instance, cls: ClassInfo) -> None:
        if self._takes_over(method, instance):
            return
        phase = Phase.BUILD if method.name == "build" else Phase.INIT
        function = self.function_value(method, bound=instance)
        defaults = _defaults(method.node.args)
        arguments = tuple(
            Static() if phase is Phase.BUILD else option_value(parameter, defaults)
            for parameter in method.parameters[1:]
        )
        keywords = tuple(
            (parameter.arg, option_value(parameter, defaults)) for parameter in method.node.args.kwonlyargs
        )
        scope = Scope(method.module, method, phase, self.keras, False, cls, (method.qualname,))
        eager = phase is Phase.INIT or self.keras == 2
        self._run_in(scope, function, Arguments(arguments, keywords), eager)
        scope.left.update(self.heap)

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

    def module_value(self, module: ModuleInfo, node: ast.expr) -> Value:
        """The value of an expression at module level."""
        scope = Scope(module, None, Phase.PLAIN, self.keras, False, None, ())
        frame, self.frame = self.frame, self._frame(scope, Environment(), eager=True)
        self._binding += 1
        try:
            with self.unrecorded():
                return self.evaluate(node)
        finally:
            self._binding -= 1
            self.frame = frame

    # Statements. Each handler tells whether control goes on behind the statement.

    def execute(self, body: list[ast.stmt]) -> bool:
        """Run a block; whether control reaches its end."""
        for statement in body:
            handler = self._statements.get(type(statement))
            self.frame.record(statement, None)
            if handler is None:
                self._plain(statement)
            elif handler(self, statement) is False:
                return False
        return True

    def _plain(self, node: ast.stmt) -> None:
        for child in children(node):
            if isinstance(child, ast.expr):
                self.evaluate(child)

    def _assign(self, node: ast.Assign) -> None:
        value = self.evaluate(node.value)
        for target in node.targets:
            self.assign(target, value)

    def _annotated(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.assign(node.target, self.evaluate(node.value))

    def _augmented(self, node: ast.AugAssign) -> None:
        old = self.evaluate(node.target)
        new = self.combine(node.op, old, self.evaluate(node.value))
        if isinstance(node.target, (ast.Name, ast.Attribute)):
            self.assign(node.target, new)
        elif isinstance(node.target, ast.Subscript):
            container = self.frame.scope.value(node.target.value)
            if isinstance(container, Container):
                self.update(node.target.value, with_entry(container, node.target.slice, new))
        self.frame.record(node.target, old)

    def _delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                self.frame.environment.names.pop(target.id, None)
                self.frame.record(target, UNKNOWN)
            elif isinstance(target, ast.Attribute):
                self.assign(target, NONE)
            else:
                self.evaluate(target)

    def _return(self, node: ast.Return) -> bool:
        self.frame.returns.append(self.evaluate(node.value) if node.value is not None else NONE)
        self.frame.exits.append(dict(self.heap))
        return False

    def _raise(self, node: ast.Raise) -> bool:
        self._plain(node)
        return False

    def _jump(self, node: ast.Break | ast.Continue) -> bool:
        if self.frame.jumps:
            self.frame.jumps[-1].append(self._state())
        return False

    def _assert(self, node: ast.Assert) -> None:
        self.evaluate(node.test)
        if node.msg is not None:
            self.evaluate(node.msg)
        self.assume(node.test, True)

    def _outer_names(self, node: ast.Global | ast.Nonlocal) -> None:
        self.frame.outer_names.update(node.names)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        module = self.frame.scope.module
        if self.frame.scope.function is None:
            # What the module imports for itself is looked up when it is used: it may be a large part of the project.
            return
        for name, dotted in bindings(node, module.package):
            if name != "*":
                self.frame.environment.names[name] = self.imported(dotted, module)

    def _define(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        module = self.frame.scope.module
        info = module.functions_by_node.get(node)
        if info is not None:
            for decorator in node.decorator_list:
                self.evaluate(decorator)
            value = Function(info, self.frame.environment, None, autograph_of(info))
            self.frame.environment.names[node.name] = value

    def _define_class(self, node: ast.ClassDef) -> None:
        info = self.frame.scope.module.classes_by_node.get(node)
        if info is not None:
            self.frame.environment.names[node.name] = Class(info)

    # Branches.

    def _state(self) -> tuple[Names, Heap]:
        return dict(self.frame.environment.names), dict(self.heap)

    def _restore(self, state: tuple[Names, Heap]) -> None:
        self.frame.environment.names, self.heap = dict(state[0]), dict(state[1])

    def _merge(self, states: list[tuple[Names, Heap]]) -> None:
        self.frame.environment.names = _join_maps([names for names, _ in states])
        self.heap = self._join_heaps([heap for _, heap in states])

    def _join_heaps(self, heaps: list[Heap]) -> Heap:
        if len(heaps) == 1 or all(heap == heaps[0] for heap in heaps[1:]):
            return dict(heaps[0])
        joined: Heap = {}
        for key in dict.fromkeys(key for heap in heaps for key in heap):
            owner, name = key
            declared = self.declared(owner).get(name) if isinstance(owner, ClassInfo) else None
            values = [heap.get(key, declared) for heap in heaps]
            joined[key] = join(value for value in values if value is not None)
        return joined

    def _if(self, node: ast.If) -> bool:
        test = self.evaluate(node.test)
        outcome = truth(test)
        guarding = outcome is None and self._guards(node.test)
        before = self._state()
        ends = []
        for wanted, body in ((True, node.body), (False, node.orelse)):
            if outcome not in (None, wanted):
                continue
            self._restore(before)
            self.assume(node.test, wanted)
            off_by_default = truth_by_default(test) is (not wanted)
            self.frame.optional += off_by_default
            self.frame.guarded += guarding
            if self.execute(body):
                ends.append(self._state())
            self.frame.guarded -= guarding
            self.frame.optional -= off_by_default
        if ends:
            self._merge(ends)
        # Behind `if self.w is not None: return self.w`, the rest of the function is as guarded as an `else` branch.
        self.frame.guarded += guarding and len(ends) == 1 and not node.orelse
        return bool(ends)

    def _guards(self, test: ast.expr) -> bool:
        """Whether a condition asks for state that traced code itself changes, as code that runs once does."""
        return any(self._is_changing(node) for node in walk(test))

    def _is_changing(self, node: ast.AST) -> bool:
        scope = self.frame.scope
        if isinstance(node, ast.Attribute):
            receiver = scope.value(node.value)
            owner = receiver.cls if isinstance(receiver, (Instance, Class)) else None
            ancestry = owner.ancestry if owner is not None else ()
            rewritten = (ancestor.rewritten for ancestor in ancestry if isinstance(ancestor, ClassInfo))
            return owner is not None and any(node.attr in names for names in (_BUILT, *rewritten))
        if isinstance(node, ast.Name):
            return self.frame.environment.find(node.id) is None and _may_be_unset(scope.value(node))
        return isinstance(node, ast.Call) and api_name(scope.value(node.func)) == "builtins.hasattr"

    def _match(self, node: ast.Match) -> bool:
        subject = self.evaluate(node.subject)
        before = self._state()
        ends = []
        exhaustive = False
        for case in node.cases:
            self._restore(before)
            for pattern in walk(case.pattern):
                name = getattr(pattern, "name", None) or getattr(pattern, "rest", None)
                if isinstance(name, str):
                    whole = pattern is case.pattern
                    self.frame.environment.names[name] = subject if whole else UNKNOWN
            if case.guard is not None:
                self.evaluate(case.guard)
            self.frame.record(case, None)
            irrefutable = isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None
            exhaustive = exhaustive or (irrefutable and case.guard is None)
            if self.execute(case.body):
                ends.append(self._state())
        if not exhaustive:
            ends.append(before)
        if ends:
            self._merge(ends)
        return bool(ends)

    # Loops: the body runs once on what is known before it and again on what its own end adds, and is taken to run
    # at least once, as loops over blocks, heads and steps do.

    def _for(self, node: ast.For | ast.AsyncFor) -> bool:
        iterable = self.evaluate(node.iter)
        if isinstance(iterable, Container) and iterable.items == () and not iterable.origin:
            return self.execute(node.orelse)
        self._loop(node.body, lambda: self.assign(node.target, self.element(iterable)))
        return self.execute(node.orelse)

    def _while(self, node: ast.While) -> bool:
        outcome = truth(self.evaluate(node.test))
        if outcome is False:
            return self.execute(node.orelse)

        def enter() -> None:
            self.evaluate(node.test)
            self.assume(node.test, True)

        self._loop(node.body, enter)
        return self.execute(node.orelse)

    def _loop(self, body: list[ast.stmt], enter: Callable[[], None]) -> None:
        before = self._state()
        end = self._iterate(body, enter)
        if end is not None and end != before:
            self._merge([before, end])
            again = self._iterate(body, enter)
            end = again if again is not None else end
        self._restore(end if end is not None else before)

    def _iterate(self, body: list[ast.stmt], enter: Callable[[], None]) -> tuple[Names, Heap] | None:
        enter()
        self.frame.jumps.append([])
        completes = self.execute(body)
        ends = self.frame.jumps.pop()
        if completes:
            ends.append(self._state())
        if not ends:
            return None
        self._merge(ends)
        return self._state()

    # Blocks with a context.

    def _with(self, node: ast.With | ast.AsyncWith) -> bool | None:
        lifted = False
        for item in node.items:
            value = self.evaluate(item.context_expr)
            called = item.context_expr.func if isinstance(item.context_expr, ast.Call) else item.context_expr
            lifted = lifted or api_name(self.frame.scope.value(called)) in api.LIFTING_CONTEXTS
            if item.optional_vars is not None:
                self.assign(item.optional_vars, value)
        was_eager = self.frame.eager
        self.frame.eager = was_eager or lifted
        completes = self.execute(node.body)
        self.frame.eager = was_eager
        return completes

    def _try(self, node: ast.Try) -> bool:
        before = self._state()
        returned = len(self.frame.exits)
        swallows = any(_swallows(handler) for handler in node.handlers)
        self.frame.caught += swallows
        completes = self.execute(node.body)
        self.frame.caught -= swallows
        ends = []
        after_body = self._state()
        if completes and self.execute(node.orelse):
            ends.append(self._state())
        for handler in node.handlers if not _only_imports_libraries(node.body) else ():
            self._merge([before, after_body])
            self.frame.record(handler, None)
            if handler.type is not None:
                self.evaluate(handler.type)
            if handler.name:
                self.frame.environment.names[handler.name] = STATIC
            if self.execute(handler.body):
                ends.append(self._state())
        if node.finalbody and len(self.frame.exits) > returned:
            self._leave_by_return(node.finalbody, returned)
        if ends:
            self._merge(ends)
        return self.execute(node.finalbody) and bool(ends)

    def _leave_by_return(self, body: list[ast.stmt], returned: int) -> None:
        """Run a ``finally`` block on what the ``return`` statements before it leave."""
        names = dict(self.frame.environment.names)
        self.heap = self._join_heaps(self.frame.exits[returned:])
        del self.frame.exits[returned:]
        if self.execute(body):
            self.frame.exits.append(dict(self.heap))
        self.frame.environment.names = names

    _statements: ClassVar[dict[type, Callable[..., bool | None]]] = {
        ast.Assign: _assign,
        ast.AnnAssign: _annotated,
        ast.AugAssign: _augmented,
        ast.Delete: _delete,
        ast.Return: _return,
        ast.Raise: _raise,
        ast.Break: _jump,
        ast.Continue: _jump,
        ast.Assert: _assert,
        ast.Global: _outer_names,
        ast.Nonlocal: _outer_names,
        ast.Import: _import,
        ast.ImportFrom: _import,
        ast.FunctionDef: _define,
        ast.AsyncFunctionDef: _define,
        ast.ClassDef: _define_class,
        ast.If: _if,
        ast.Match: _match,
        ast.For: _for,
        ast.AsyncFor: _for,
        ast.While: _while,
        ast.With: _with,
        ast.AsyncWith: _with,
        ast.Try: _try,
    }
    if hasattr(ast, "TryStar"):
        _statements[ast.TryStar] = _try


def replace_scope(scope: Scope, info: FunctionInfo, autograph: bool) -> Scope:
    """The scope of a function that is called from ``scope``."""
    # A decorated entry point is entered through its wrapper, under its own name.
    route = (
        scope.route if scope.route == (info.qualname,) and scope.function is not info else (*scope.route, info.qualname)
    )
    return Scope(info.module, info, scope.phase, scope.keras, autograph, scope.layer, route, left=scope.left)


def _join_maps(maps: list[Names]) -> Names:
    joined = dict(maps[0])
    for names in maps[1:]:
        for name, value in names.items():
            known = joined.get(name)
            if known is not value:
                joined[name] = value if known is None else join((known, value))
    return joined


def _defaults(arguments: ast.arguments) -> dict[str, ast.expr]:
    positional = [*arguments.posonlyargs, *arguments.args]
    with_default = positional[len(positional) - len(arguments.defaults) :] if arguments.defaults else []
    found = {parameter.arg: value for parameter, value in zip(with_default, arguments.defaults, strict=True)}
    for parameter, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if value is not None:
            found[parameter.arg] = value
    return found


def _bound_defaults(defaults: dict[str, ast.expr], environment: Environment) -> Names:
    """Parameters of an inner function whose defaults are names around it, as in `lambda t, s=s: t * s`."""
    found = {name: environment.find(node.id) for name, node in defaults.items() if isinstance(node, ast.Name)}
    return {name: value for name, value in found.items() if value is not None}


def default_value(node: ast.expr, name: str) -> Value:
    """The value of a parameter that the caller leaves out; a mutable default outlives the call."""
    constant = literal(node)
    if constant != NOT_CONSTANT:
        return Static(constant)
    if isinstance(node, (ast.List, ast.Dict, ast.Set)):
        return Container(UNKNOWN, (), type(node).__name__.lower(), origin=f"the default of `{name}`")
    return STATIC if isinstance(node, (ast.Tuple, ast.BinOp)) else UNKNOWN


def option_value(parameter: ast.arg, defaults: dict[str, ast.expr]) -> Value:
    """The value of an option that the user may set: of its default's type, with the default as a guess."""
    default = defaults.get(parameter.arg)
    constant = literal(default) if default is not None else NOT_CONSTANT
    if constant is None or constant == NOT_CONSTANT:
        return UNKNOWN
    return Static(constant, sure=False)


def _only_imports_libraries(body: list[ast.stmt]) -> bool:
    """Whether all that a block does is to import TensorFlow or Keras, which are there where something is traced."""
    return all(
        isinstance(node, ast.Import) and all(alias.name in {"tensorflow", "keras"} for alias in node.names)
        for node in body
    )


def _swallows(handler: ast.ExceptHandler) -> bool:
    if any(isinstance(node, ast.Raise) for node in walk(handler)):
        return False
    if handler.type is None:
        return True
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(last_name(node) in _SWALLOWING for node in types)


def _runs_once(info: FunctionInfo) -> bool:
    """Whether a decorator keeps the result of the first call."""
    return any(last_name(decorator) in _CACHING_DECORATORS for decorator in info.decorators)


def _is_context(info: FunctionInfo) -> bool:
    """Whether a function becomes one that gives a context, whose value is what the function yields."""
    return any(last_name(decorator) in _CONTEXT_DECORATORS for decorator in info.decorators)


def _may_be_unset(value: Value) -> bool:
    return value == UNKNOWN or (isinstance(value, Static) and value.constant is None)
