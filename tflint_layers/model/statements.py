"""Statements: control flow over values, and what they bind."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from tflint_layers.model import callbacks
from tflint_layers.model.arguments import Arguments
from tflint_layers.model.calls import Calls
from tflint_layers.model.classes import ClassInfo
from tflint_layers.model.contexts import takes_back
from tflint_layers.model.decorators import autograph_of
from tflint_layers.model.expressions import with_entry
from tflint_layers.model.frame import Heap, Names
from tflint_layers.model.imports import bindings
from tflint_layers.model.scopes import Phase, api_name
from tflint_layers.model.syntax import children, last_name, walk
from tflint_layers.model.values import (
    NONE,
    STATIC,
    UNKNOWN,
    Class,
    Container,
    Function,
    Instance,
    Static,
    Value,
    join,
    truth,
    truth_by_default,
)

_SWALLOWING = frozenset({"Exception", "BaseException", "AttributeError", "NotImplementedError", "TypeError"})
_BUILT = frozenset({"built", "_built"})


class Statements(Calls):
    """Runs blocks of statements; each handler tells whether control goes on behind its statement."""

    def execute(self, body: list[ast.stmt]) -> bool:
        """Run a block; whether control reaches its end."""
        frame, handlers = self.frame, self._statements
        for statement in body:
            handler = handlers.get(type(statement))
            if frame.marks:
                frame.record(statement, None)
            else:
                frame.scope.values[statement] = None
            if handler is None:
                self._plain(statement)
            elif handler(self, statement) is False:
                return False
        return True

    def _plain(self, node: ast.stmt) -> None:
        for child in children(node):
            if isinstance(child, ast.expr):
                self.evaluate(child)

    def _expression(self, node: ast.Expr) -> None:
        # A documentation string is nothing that a function computes with.
        if not isinstance(node.value, ast.Constant):
            self.evaluate(node.value)

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
        if len(states) == 1:
            self.frame.environment.names, self.heap = states[0]
            return
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
        guarding = outcome is None and self.frame.scope.is_traced and self._guards(node.test)
        branches = [(way, body) for way, body in ((True, node.body), (False, node.orelse)) if outcome in (None, way)]
        before = self._state() if len(branches) > 1 else None
        ends = []
        for wanted, body in branches:
            self.assume(node.test, wanted)
            off_by_default = truth_by_default(test) is (not wanted)
            marks = len(self.frame.marks)
            self.frame.marks += ["optional"] * off_by_default + ["guarded"] * guarding
            run = self._execute_unseen if off_by_default and self._is_of_another() else self.execute
            if run(body):
                ends.append((self.frame.environment.names, self.heap))
            del self.frame.marks[marks:]
            if before is not None:
                # What one branch leaves is not copied: the other goes on with what there was before.
                self.frame.environment.names, self.heap = before
        if len(ends) > 1 and self.frame.scope.phase is Phase.INIT:
            self._note_depending(ends)
        if ends:
            self._merge(ends)
        # Behind `if self.w is not None: return self.w`, the rest of the function is as guarded as an `else` branch.
        if guarding and len(ends) == 1 and not node.orelse:
            self.frame.marks.append("guarded")
        return bool(ends)

    def _is_of_another(self) -> bool:
        """Whether the method under way is of an object that the layer uses, and whose options it may have chosen."""
        receiver, layer = self.frame.receiver, self.frame.scope.layer
        own = layer.ancestry if layer is not None else ()
        return layer is not None and isinstance(receiver, Instance) and receiver.cls not in (None, *own)

    def _execute_unseen(self, body: list[ast.stmt]) -> bool:
        """Run code for what it gives: what the caller passes goes with the options that it has chosen."""
        frame, scope = self.frame, self.frame.scope
        frame.scope = replace(scope, values={})
        try:
            with self.unrecorded():
                return self.execute(body)
        finally:
            frame.scope = scope

    def _note_depending(self, ends: list[tuple[Names, Heap]]) -> None:
        """Note the attributes that only one way through a constructor gives an object."""
        (_, first), (_, second) = ends
        self.depending.update(first.keys() ^ second.keys())

    def _guards(self, test: ast.expr) -> bool:
        """Whether a condition asks for state that traced code itself changes, as code that runs once does."""
        return self._asks_whether_empty(test) or any(self._is_changing(node) for node in walk(test))

    def _asks_whether_empty(self, test: ast.expr) -> bool:
        """Whether a condition is `not self.slots`, of a container that outlives the call and is filled only once so."""
        value = self.frame.scope.value(test.operand) if isinstance(test, ast.UnaryOp) else UNKNOWN
        return isinstance(value, Container) and bool(value.origin)

    def _is_changing(self, node: ast.AST) -> bool:
        scope = self.frame.scope
        if isinstance(node, ast.Name):
            return _may_be_unset(scope.value(node)) and self.frame.environment.find(node.id) is None
        if isinstance(node, ast.Attribute):
            receiver = scope.value(node.value)
            owner = receiver.cls if isinstance(receiver, (Instance, Class)) else None
            return owner is not None and (node.attr in _BUILT or owner.rewrites(node.attr))
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
        if end is not None and self._may_give_more(before, end):
            self._merge([before, end])
            again = self._iterate(body, enter)
            end = again if again is not None else end
        self._restore(end if end is not None else before)

    def _may_give_more(self, before: tuple[Names, Heap], end: tuple[Names, Heap]) -> bool:
        """Whether a second step of a loop starts with something else that it may read than the first one."""
        (names, heap), (after, heap_after) = before, end
        if heap_after != heap or any(after.get(name) != value for name, value in names.items()):
            return True
        return not self.missed.isdisjoint(after.keys() - names.keys())

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
        lifted = suppressed = False
        contexts: list[Value] = []
        for item in node.items:
            value = self.evaluate(item.context_expr)
            called = item.context_expr.func if isinstance(item.context_expr, ast.Call) else item.context_expr
            name = api_name(self.frame.scope.value(called))
            lifted = lifted or name in callbacks.LIFTING_CONTEXTS
            if name == "contextlib.suppress" and isinstance(item.context_expr, ast.Call):
                suppressed = any(last_name(error) in _SWALLOWING for error in item.context_expr.args)
            entered = self._entered_context(value)
            if item.optional_vars is not None:
                self.assign(item.optional_vars, entered)
            contexts.append(value)
        was_eager, marks = self.frame.eager, len(self.frame.marks)
        if lifted:
            self.frame.lift()
        self.frame.marks += ["caught"] * suppressed
        before = self._state() if suppressed else None
        completes = self.execute(node.body)
        self.frame.eager = was_eager
        del self.frame.marks[marks:]
        for value in reversed(contexts):
            self._run_of_context(value, "__exit__", (NONE, NONE, NONE))
        if before is not None:
            self._merge([before, self._state()] if completes else [before])
        return completes or suppressed

    def _entered_context(self, value: Value) -> Value:
        """What ``as`` is given: of an object of the project what its ``__enter__`` returns."""
        entered = self._run_of_context(value, "__enter__", ())
        return value if entered is None else entered

    def _run_of_context(self, value: Value, name: str, arguments: tuple[Value, ...]) -> Value | None:
        """What ``__enter__`` or ``__exit__`` of an object of the project gives; None for any other."""
        cls = value.cls if isinstance(value, Instance) else None
        method = cls.method(name) if cls is not None else None
        if method is None or cls is None:
            return None
        entering, leaving = cls.method("__enter__"), cls.method("__exit__")
        is_undone = entering is not None and leaving is not None and takes_back(entering, leaving)
        marks = len(self.frame.marks)
        self.frame.marks += ["undone"] * is_undone
        # Python calls it, behind the back of AutoGraph (measured).
        result = self.run(self.function_value(method, bound=value), Arguments(arguments), autograph=False)
        del self.frame.marks[marks:]
        return result

    def _try(self, node: ast.Try) -> bool:
        before = self._state()
        returned = len(self.frame.exits)
        swallows = any(_swallows(handler) for handler in node.handlers)
        marks = len(self.frame.marks)
        self.frame.marks += ["caught"] * swallows
        completes = self.execute(node.body)
        del self.frame.marks[marks:]
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
        ast.Expr: _expression,
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


def _join_maps(maps: list[Names]) -> Names:
    joined = dict(maps[0])
    for names in maps[1:]:
        for name, value in names.items():
            known = joined.get(name)
            if known is not value:
                joined[name] = value if known is None else join((known, value))
    return joined


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


def _may_be_unset(value: Value) -> bool:
    return value is UNKNOWN or (isinstance(value, Static) and value.constant is None)
