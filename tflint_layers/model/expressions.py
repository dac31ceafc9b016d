"""Expressions to values: one expression at a time, in the frame of the function that runs it."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import ClassVar

from tflint_layers.model import api
from tflint_layers.model.classes import ClassInfo, FunctionInfo, Member, ModuleInfo, find_member
from tflint_layers.model.decorators import autograph_of
from tflint_layers.model.members import Members
from tflint_layers.model.syntax import children
from tflint_layers.model.values import (
    NONE,
    NOT_CONSTANT,
    STATIC,
    UNKNOWN,
    Api,
    Array,
    Class,
    Constant,
    Container,
    Environment,
    Function,
    Instance,
    Method,
    NotConstant,
    Shape,
    Static,
    StaticDim,
    Tensor,
    Value,
    Variable,
    alternatives,
    constant_of,
    is_static,
    is_symbolic,
    join,
    literal,
    stored,
    truth,
    truth_by_default,
    without_none,
)

_BUILTINS = frozenset(dir(builtins))
_CONSTANTS = frozenset({bool, int, float, str, type(None)})


class Expressions(Members):
    """Evaluates expressions in the current :class:`Frame`; calls and statements are added by the subclasses."""

    def __init__(self) -> None:
        self._lambdas: dict[ast.Lambda, FunctionInfo] = {}
        self._globals: dict[tuple[ModuleInfo, str], Value] = {}
        self._members: dict[tuple[ModuleInfo, str], Member | None] = {}
        # The names that were read where no function had bound them yet.
        self.missed: set[str] = set()

    # Expressions.

    def evaluate(self, node: ast.expr) -> Value:
        """The value of an expression in the current frame; noted in its scope."""
        frame = self.frame
        # Every third expression is a local name.
        value = frame.environment.names.get(node.id) if type(node) is ast.Name else None
        if value is None:
            value = self._handlers.get(type(node), Expressions._evaluate_parts)(self, node)
        if frame.marks:
            frame.record(node, value)
        else:
            frame.scope.values[node] = value
        return value

    def _evaluate_parts(self, node: ast.AST) -> Value:
        for child in children(node):
            if isinstance(child, ast.expr):
                self.evaluate(child)
        return UNKNOWN

    def _constant(self, node: ast.Constant) -> Value:
        constant = node.value
        return _static(constant) if type(constant) in _CONSTANTS else STATIC

    def _text(self, node: ast.AST) -> Value:
        self._evaluate_parts(node)
        return STATIC

    def _name(self, node: ast.Name) -> Value:
        frame = self.frame
        environment = frame.environment
        found = environment.names.get(node.id)
        if found is None and environment.outer is not None and node.id not in frame.outer_names:
            found = environment.outer.find(node.id)
        if found is not None:
            return found
        self.missed.add(node.id)
        function = frame.scope.function
        if function is not None and function.cls is not None and function.cls.around is not None:
            found = self.around(function.cls.around, node.id)
            if found is not None:
                return found
        return self.global_value(frame.scope.module, node.id)

    def around(self, function: FunctionInfo, name: str) -> Value | None:
        """A name of a function around something: what it is bound to, if once only; None for no such name."""
        if name not in function.locals:
            return None
        bound = function.locals[name]
        return UNKNOWN if bound is None else stored(self.module_value(function.module, bound), name)

    def global_value(self, module: ModuleInfo, name: str) -> Value:
        """What a name means at module level."""
        key = (module, name)
        if key not in self._globals:
            self._globals[key] = UNKNOWN
            self._globals[key] = self._find_global(module, name)
        return self._globals[key]

    def _find_global(self, module: ModuleInfo, name: str) -> Value:
        if name in module.functions:
            return self.function_value(module.functions[name])
        if name in module.classes:
            return Class(module.classes[name])
        if name in module.names:
            return self.imported(module.names[name], module)
        if name in module.assigned:
            expression = module.assigned[name]
            if expression is None:
                return self._flag_of_branches(module, name)
            value = self.module_value(module, expression)
            return value if _is_flag(value, module, name) else _kept_by_module(value, module, name)
        for info in module.all_classes:
            if info.name == name:
                return Class(info)
        for star in module.stars:
            value = self.imported(f"{star}.{name}", module)
            if not isinstance(value, Api) or api.is_known(value.name):
                return value
        return Api(f"builtins.{name}") if name in _BUILTINS else UNKNOWN

    def _flag_of_branches(self, module: ModuleInfo, name: str) -> Value:
        """True or False where a name is bound to that several times, but in the end to the same, as the tests tell."""
        bound = module.bindings[name]
        flags = [node for node in bound if isinstance(node, ast.Constant) and isinstance(node.value, bool)]
        if len(flags) < len(bound):
            return UNKNOWN
        last: list[Value] = []
        for node in flags:
            ways = [self._comes_out(module, *way) for way in module.conditions(node)]
            if False not in ways:
                last = [*(last if None in ways else ()), self._constant(node)]
        value = join(last)
        return value if _is_flag(value, module, name) else UNKNOWN

    def _comes_out(self, module: ModuleInfo, test: ast.expr | None, outcome: bool) -> bool | None:
        """Whether a condition of module-level code turns out so; None where that depends."""
        known = truth(self.module_value(module, test)) if test is not None else None
        return None if known is None else known is outcome

    def imported(self, dotted: str, module: ModuleInfo) -> Value:
        """What an imported dotted name means: a member of the project, or a name of a library."""
        key = (module, dotted)
        if key not in self._members:
            self._members[key] = find_member(dotted, module)
        member = self._members[key]
        if isinstance(member, ClassInfo):
            return Class(member)
        if isinstance(member, FunctionInfo):
            return self.function_value(member)
        if isinstance(member, tuple):
            return stored(self.global_value(*member), member[1])
        return Api(module.project.origin(dotted, module.path))

    def function_value(
        self, info: FunctionInfo, environment: Environment | None = None, bound: Value | None = None
    ) -> Function:
        """A function with what its decorators say about AutoGraph."""
        return Function(info, environment, bound, autograph_of(info))

    def _lambda(self, node: ast.Lambda) -> Value:
        info = self._lambdas.get(node)
        if info is None:
            function = self.frame.scope.function
            qualname = f"{function.qualname}.<lambda>" if function else "<lambda>"
            info = self._lambdas[node] = FunctionInfo("<lambda>", qualname, node, self.frame.scope.module)
        return Function(info, self.frame.environment)

    def _sequence(self, node: ast.List | ast.Tuple | ast.Set) -> Value:
        values = [self.evaluate(element) for element in node.elts]
        kind = type(node).__name__.lower()
        if not any(isinstance(element, ast.Starred) for element in node.elts):
            return Container(join(values), tuple(values), kind)
        items: list[Value] = []
        known = True
        for element, value in zip(node.elts, values, strict=True):
            if isinstance(element, ast.Starred):
                spread = self.spread(value)
                known = known and spread is not None
                items.extend(spread if spread is not None else [self.element(value)])
            else:
                items.append(value)
        return Container(join(items) if items else UNKNOWN, tuple(items) if known else None, kind)

    def spread(self, value: Value) -> tuple[Value, ...] | None:
        """The elements that ``*value`` gives, where their number is known."""
        return value.items if isinstance(value, Container) and value.type != "dict" else None

    def _dict(self, node: ast.Dict) -> Value:
        for key in node.keys:
            if key is not None:
                self.evaluate(key)
        values = [self.evaluate(value) for value in node.values]
        spread = [
            self.element_of_dict(value) if key is None else value for key, value in zip(node.keys, values, strict=True)
        ]
        entries = tuple(
            (key.value, value)
            for key, value in zip(node.keys, values, strict=True)
            if isinstance(key, ast.Constant) and isinstance(key.value, str)
        )
        # A later mapping may replace what stands before it.
        complete = all(key is not None for key in node.keys)
        of = join(spread) if spread else UNKNOWN
        return Container(of, None if spread else (), "dict", entries=entries if complete else ())

    def element_of_dict(self, value: Value) -> Value:
        """A value of a mapping."""
        return value.of if isinstance(value, Container) else UNKNOWN

    def _starred(self, node: ast.Starred) -> Value:
        return self.evaluate(node.value)

    def _slice(self, node: ast.Slice) -> Value:
        parts = [self.evaluate(part) for part in (node.lower, node.upper, node.step) if part is not None]
        return STATIC if all(is_static(part) for part in parts) else UNKNOWN

    def _named(self, node: ast.NamedExpr) -> Value:
        value = self.evaluate(node.value)
        self.frame.environment.names[node.target.id] = value
        self.frame.record(node.target, value)
        return value

    def _await(self, node: ast.Await | ast.YieldFrom | ast.Yield) -> Value:
        if node.value is not None:
            value = self.evaluate(node.value)
            self.frame.yields.append(self.element(value) if isinstance(node, ast.YieldFrom) else value)
        return UNKNOWN

    # Operators.

    def _binary(self, node: ast.BinOp) -> Value:
        left, right = self.evaluate(node.left), self.evaluate(node.right)
        value = self.combine(node.op, left, right)
        # NumPy makes an array of a weight of Keras 3, but a tensor takes over from NumPy.
        is_array = self.keras == 3 and isinstance(right, Variable) and self._is_of_numpy(node.left, left)
        return join([value, Array()]) if is_array else value

    def _is_of_numpy(self, node: ast.expr, value: Value) -> bool:
        """Whether a value is an array, or a number that a function of NumPy gave."""
        called = self.frame.scope.values.get(node.func) if isinstance(node, ast.Call) else None
        return isinstance(value, Array) or (isinstance(called, Api) and called.name.startswith("numpy."))

    def combine(self, operator: ast.operator, left: Value, right: Value) -> Value:
        """The value of a binary operation."""
        if isinstance(operator, ast.Div) and (path := _path_in(left, right)) is not None:
            return path
        if isinstance(left, (Container, Shape)) and isinstance(operator, (ast.Add, ast.Mult)):
            return self._combine_containers(operator, left, right)
        if isinstance(left, Static) and isinstance(left.constant, str):
            return STATIC
        values = [*alternatives(left), *alternatives(right)]
        tensors = [value for value in values if isinstance(value, (Tensor, Variable))]
        if tensors:
            # A tensor of higher rank would put its own axes before those of the others.
            batches = [value.batch for value in tensors if isinstance(value, Tensor)]
            result = self.tensor(
                batch=bool(batches) and all(batches),
                shapeless=any(isinstance(value, Tensor) and value.shapeless for value in tensors),
                keras=any(isinstance(value, Tensor) and value.keras for value in tensors),
                whole=not isinstance(operator, ast.Div) and all(map(_is_whole, values)),
            )
            nests = [isinstance(value, Tensor) and value.nest for value in values if value is not UNKNOWN]
            if isinstance(operator, ast.Add) and all(nests):
                result = replace(result, nest=True)  # two lists may be joined
            sure = any(all(isinstance(v, (Tensor, Variable)) for v in alternatives(side)) for side in (left, right))
            return result if sure else join([result, STATIC])
        if any(value is UNKNOWN or isinstance(value, (Api, Function, Instance, Method)) for value in values):
            return UNKNOWN
        if any(isinstance(value, Array) for value in values):
            return Array()
        return STATIC

    def _combine_containers(self, operator: ast.operator, left: Container | Shape, right: Value) -> Value:
        if isinstance(operator, ast.Mult):
            return replace(left, items=None, origin="") if isinstance(left, Container) else left
        if isinstance(left, Shape):
            return left
        if isinstance(right, Container):
            items = left.items + right.items if left.items is not None and right.items is not None else None
            sides = [side.of for side in (left, right) if side.items != ()]
            return Container(join(sides) if sides else UNKNOWN, items, left.type)
        if isinstance(right, Shape):
            return Shape(bool(left.items) and isinstance((left.items or (None,))[0], StaticDim))
        return self.tensor() if isinstance(right, (Tensor, Variable)) else UNKNOWN

    def _unary(self, node: ast.UnaryOp) -> Value:
        value = self.evaluate(node.operand)
        if isinstance(node.op, ast.Not):
            outcome = truth(value)
            if outcome is not None:
                return Static(not outcome)
            if self.frame.scope.autograph and is_symbolic(value):
                return self.tensor()
            default = truth_by_default(value)
            return STATIC if default is None else Static(not default, sure=False)
        if isinstance(value, Static):
            return Static(literal(node))
        return self.combine(ast.Sub(), STATIC, value)

    def _compare(self, node: ast.Compare) -> Value:
        left = self.evaluate(node.left)
        results = []
        for operator, comparator in zip(node.ops, node.comparators, strict=True):
            right = self.evaluate(comparator)
            results.append(self.compare(operator, left, right))
            left = right
        if len(results) == 1:
            return results[0]
        # Python asks each comparison but the last whether it is true; AutoGraph combines them.
        return join(results) if self.frame.scope.autograph or not any(map(is_symbolic, results)) else STATIC

    def compare(self, operator: ast.cmpop, left: Value, right: Value) -> Value:
        """The value of comparing two values."""
        if isinstance(operator, (ast.Is, ast.IsNot)):
            return _identity(left, right, isinstance(operator, ast.IsNot))
        if isinstance(operator, (ast.In, ast.NotIn)):
            return STATIC
        if left == NONE or right == NONE:
            return STATIC
        combined = self.combine(ast.Sub(), left, right)
        if isinstance(combined, (Static, Container, Shape)):
            return _compare_constants(operator, left, right)
        return combined

    def _boolean(self, node: ast.BoolOp) -> Value:
        decisive = isinstance(node.op, ast.Or)
        before = dict(self.frame.environment.names), dict(self.heap)
        values: list[Value] = []
        default: bool | None = None
        for index, operand in enumerate(node.values):
            value = self.evaluate(operand)
            outcome = truth(value)
            if outcome is decisive:
                values = [*values, value] if decisive else [Static(False)]
                # One operand that is surely false decides, whatever the options before it are set to.
                default = default if decisive else None
                break
            if truth_by_default(value) is decisive:
                default = decisive
            if outcome is None or index == len(node.values) - 1:
                passed_on = decisive and index < len(node.values) - 1
                values.append(without_none(value) if passed_on else value)
            self.assume(operand, not decisive)
        self.frame.environment.names, self.heap = before
        if default is not None and all(isinstance(value, Static) for value in values):
            return Static(default, sure=False)
        if decisive and set(values[:-1]) == {UNKNOWN} and self.stands_for_given(values[-1]):
            return values[-1]  # `given or Default()`
        return join(values) if values else Static(not decisive)

    def _conditional(self, node: ast.IfExp) -> Value:
        outcome = truth(self.evaluate(node.test))
        before = dict(self.frame.environment.names), dict(self.heap)
        values = []
        for wanted, branch in ((True, node.body), (False, node.orelse)):
            if outcome in (None, wanted):
                self.assume(node.test, wanted)
                values.append(self.evaluate(branch))
                self.frame.environment.names, self.heap = dict(before[0]), dict(before[1])
        known = [value for value in values if value is not UNKNOWN]
        if len(known) == 1 and self.stands_for_given(known[0]) and _asks_for_none(node):
            return known[0]  # `given if given is not None else Default()`
        return join(values)

    def stands_for_given(self, default: Value) -> bool:
        """Whether what is given in the place of a default does what that does: an object, function or operation."""
        is_operation = isinstance(default, Api) and api.gives_tensor(default.name, self.keras)
        return is_operation or isinstance(default, (Instance, Function))

    # Comprehensions.

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Value:
        outer = self.frame.environment
        self.frame.environment = Environment(outer)
        try:
            for generator in node.generators:
                self.assign(generator.target, self.element(self.evaluate(generator.iter)))
                for condition in generator.ifs:
                    self.evaluate(condition)
                    self.assume(condition, True)
                self.frame.record(generator, None)
            if isinstance(node, ast.DictComp):
                self.evaluate(node.key)
                return Container(self.evaluate(node.value), type="dict")
            kind = {ast.ListComp: "list", ast.SetComp: "set"}.get(type(node), "generator")
            return Container(self.evaluate(node.elt), type=kind)
        finally:
            self.frame.environment = outer

    # Assignment.

    def assign(self, target: ast.expr, value: Value) -> None:
        """Bind a target: a name, an attribute, an item, or several at once."""
        self.frame.record(target, value)
        if isinstance(target, ast.Name):
            self._assign_name(target, value)
        elif isinstance(target, ast.Starred):
            self.assign(target.value, Container(self.element(value)))
        elif isinstance(target, (ast.Tuple, ast.List)):
            self._assign_several(target, value)
        elif isinstance(target, ast.Attribute):
            receiver = self.evaluate(target.value)
            if isinstance(receiver, Instance) and receiver.cls is not None:
                self._write_attribute(receiver, receiver.cls, target.attr, value)
            elif isinstance(receiver, Class):
                self.heap[receiver.cls, target.attr] = value
        elif isinstance(target, ast.Subscript):
            receiver = self.evaluate(target.value)
            self.evaluate(target.slice)
            if isinstance(receiver, Container):
                self.update(target.value, with_entry(receiver, target.slice, value))
            elif isinstance(receiver, Shape) and literal(target.slice) in (0, NOT_CONSTANT):
                # Whoever replaces entries in a loop does so where they are None.
                self.update(target.value, Shape(isinstance(value, StaticDim) and literal(target.slice) == 0))

    def _write_attribute(self, receiver: Instance, cls: ClassInfo, name: str, value: Value) -> None:
        # What a constructor gives a property is what the property has.
        setter = cls.setter(name) if self.frame.scope.is_traced else None
        if setter is None:
            self.heap[cls, name] = value
        else:
            function = self.function_value(setter, bound=receiver)
            self.call_function(replace(function, autograph=function.autograph or False), (value,))

    def _assign_name(self, target: ast.Name, value: Value) -> None:
        environment: Environment | None = self.frame.environment
        if target.id in self.frame.outer_names:
            while environment is not None and target.id not in environment.names:
                environment = environment.outer
            if environment is None or environment is self.frame.environment or environment.lasting:
                self.frame.scope.outliving.add(target)
        (environment or self.frame.environment).names[target.id] = value

    def _assign_several(self, target: ast.Tuple | ast.List, value: Value) -> None:
        if any(isinstance(element, ast.Starred) for element in target.elts):
            items = value.items if isinstance(value, Container) else None
            if items is not None and len(items) >= len(target.elts) - 1:
                self._assign_items(target.elts, items)
                return
            if isinstance(value, Shape):
                self._assign_sizes(target.elts, value)
                return
            for element in target.elts:
                is_rest = isinstance(element, ast.Starred)
                self.assign(element, value if is_rest else self.element(value))
            return
        for element, part in zip(target.elts, self.unpacked(value, len(target.elts)), strict=True):
            self.assign(element, part)

    def _assign_items(self, targets: list[ast.expr], items: tuple[Value, ...]) -> None:
        """Bind targets of which one takes all the items that the others leave."""
        at = next(index for index, target in enumerate(targets) if isinstance(target, ast.Starred))
        behind = len(targets) - at - 1
        rest = items[at : len(items) - behind]
        parts = [*items[:at], Container(join(rest) if rest else UNKNOWN, rest), *items[len(items) - behind :]]
        for target, part in zip(targets, parts, strict=True):
            self.assign(target.value if isinstance(target, ast.Starred) else target, part)

    def _assign_sizes(self, targets: list[ast.expr], shape: Shape) -> None:
        """Bind targets of which one takes all the sizes that the others leave."""
        for index, target in enumerate(targets):
            if isinstance(target, ast.Starred):
                self.assign(target.value, Shape(shape.batch and not index))
            else:
                self.assign(target, StaticDim() if shape.batch and not index else STATIC)

    def update(self, node: ast.expr, value: Value) -> None:
        """Give the name or attribute that ``node`` reads another value, as a method that changes it in place does."""
        if isinstance(node, ast.Name):
            environment: Environment | None = self.frame.environment
            while environment is not None:
                if node.id in environment.names:
                    environment.names[node.id] = value
                    return
                environment = environment.outer
        elif isinstance(node, ast.Attribute):
            receiver = self.frame.scope.value(node.value)
            if isinstance(receiver, Instance) and receiver.cls is not None:
                self.heap[receiver.cls, node.attr] = value

    _handlers: ClassVar[dict[type, Callable[..., Value]]] = {
        ast.Constant: _constant,
        ast.JoinedStr: _text,
        ast.FormattedValue: _text,
        ast.Name: _name,
        ast.Lambda: _lambda,
        ast.List: _sequence,
        ast.Tuple: _sequence,
        ast.Set: _sequence,
        ast.Dict: _dict,
        ast.Starred: _starred,
        ast.Slice: _slice,
        ast.NamedExpr: _named,
        ast.Await: _await,
        ast.Yield: _await,
        ast.YieldFrom: _await,
        ast.BinOp: _binary,
        ast.UnaryOp: _unary,
        ast.Compare: _compare,
        ast.BoolOp: _boolean,
        ast.IfExp: _conditional,
        ast.Attribute: Members.attribute_of,
        ast.Subscript: Members.item_of,
        ast.ListComp: _comprehension,
        ast.SetComp: _comprehension,
        ast.GeneratorExp: _comprehension,
        ast.DictComp: _comprehension,
    }


# A module that could not be imported may be None (`try: import x`), but not these: the code is about them.
_ALWAYS_THERE = frozenset({"tensorflow", "keras", "numpy"})


@lru_cache(maxsize=1024, typed=True)
def _static(constant: Constant) -> Static:
    return Static(constant)


def grown(container: Container, value: Value) -> Container:
    """A container after a value was put into it."""
    of = value if container.items == () else join([container.of, value])
    return replace(container, of=of, items=None, entries=())


def with_entry(container: Container, key: ast.expr, value: Value) -> Container:
    """A dict after a value was put under a key."""
    name = literal(key)
    if container.type != "dict" or not isinstance(name, str):
        return grown(container, value)
    entries = (*(entry for entry in container.entries if entry[0] != name), (name, value))
    return replace(grown(container, value), entries=entries)


def _path_in(left: Value, right: Value) -> Value | None:
    """The path that `folder / "name"` is, beside one of its sides; None where none is a path."""
    return next((side for side in (left, right) if isinstance(side, Instance) and side.name == api.PATH), None)


def _is_whole(value: Value) -> bool:
    """Whether a value is a whole number of Python in eager mode."""
    return (isinstance(value, Tensor) and value.whole) or (
        isinstance(value, Static) and isinstance(value.constant, int)
    )


def _kept_by_module(value: Value, module: ModuleInfo, name: str) -> Value:
    """The value as one reads it back from a module-level name; a table that nothing changes keeps its entries."""
    kept = stored(value, name)
    if not isinstance(value, Container) or not value.entries or not isinstance(kept, Container):
        return kept
    if not module.changes(name):
        return replace(kept, entries=tuple((key, stored(entry, name)) for key, entry in value.entries))
    # What is put in besides may be of another kind, unless it counts something.
    return kept if isinstance(kept.of, Static) else replace(kept, of=UNKNOWN)


def _is_flag(value: Value, module: ModuleInfo, name: str) -> bool:
    """Whether a module-level name is True or False, and no function of the module binds it again."""
    constant = value.constant if isinstance(value, Static) else None
    return isinstance(constant, bool) and f"global {name}" not in module.source.text


def _asks_for_none(node: ast.IfExp) -> bool:
    """Whether a choice is one between something that may be None and what to take in its place."""
    test = node.test
    if not isinstance(test, ast.Compare) or not isinstance(test.ops[0], (ast.Is, ast.IsNot)):
        return False
    given = node.body if isinstance(test.ops[0], ast.IsNot) else node.orelse
    return ast.dump(test.left) == ast.dump(given) and literal(test.comparators[0]) is None


def _identity(left: Value, right: Value, negated: bool) -> Value:
    if right != NONE:
        return STATIC
    constants = {_is_none(alternative) for alternative in alternatives(left)}
    if len(constants) != 1 or (outcome := constants.pop()) is None:
        default = left.constant if isinstance(left, Static) else NOT_CONSTANT
        return STATIC if isinstance(default, NotConstant) else Static((default is None) is not negated, sure=False)
    return Static(outcome is not negated)


def _is_none(value: Value) -> bool | None:
    if isinstance(value, Static):
        return None if isinstance(constant_of(value), NotConstant) else value.constant is None
    if isinstance(value, Instance) and value.cls is None and not value.name:
        return None
    if isinstance(value, Api) and value.name in _ALWAYS_THERE:
        return False
    return None if isinstance(value, (type(UNKNOWN), StaticDim, Method, Api)) else False


def _compare_constants(operator: ast.cmpop, left: Value, right: Value) -> Value:
    if isinstance(left, Static) and isinstance(right, Static) and isinstance(operator, (ast.Eq, ast.NotEq)):
        known = not isinstance(left.constant, NotConstant) and not isinstance(right.constant, NotConstant)
        if known:
            equal = left.constant == right.constant
            return Static(equal is isinstance(operator, ast.Eq), sure=left.sure and right.sure)
    return STATIC
