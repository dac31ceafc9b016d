"""Follows a value that used to be a number or an array, and becomes a tensor, to all that is done with it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from typing import TypeGuard

from tflint_layers.finding import Fix, Safety
from tflint_layers.model.classes import FunctionInfo
from tflint_layers.model.scopes import Phase, Scope
from tflint_layers.model.syntax import walk
from tflint_layers.model.values import (
    NOT_CONSTANT,
    Api,
    Array,
    Container,
    Function,
    Instance,
    Static,
    Value,
    alternatives,
    is_static,
    is_symbolic,
    literal,
    may_be_symbolic,
)
from tflint_layers.rewrite import branches, loops
from tflint_layers.rewrite.arrays import array_method, math_call, numpy_call
from tflint_layers.rewrite.dtypes import Kind, joined, kind_of
from tflint_layers.rewrite.library import Library
from tflint_layers.rewrite.plan import Plan

_ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.MatMult)
_COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
_STATIC_KEYWORDS = frozenset({"axis", "keepdims", "dtype", "name", "num", "ord", "training", "rate", "units", "axes"})
_TAKING_PYTHON = frozenset({"constant", "TensorShape", "Variable", "add_weight", "range_input_producer", "placeholder"})
_EXTREMES = {"builtins.max": ("max", "maximum"), "builtins.min": ("min", "minimum")}
_MODES = frozenset({"tensorflow.executing_eagerly", "tensorflow.inside_function", "tensorflow.is_symbolic_tensor"})
_CARRYING = (ast.List, ast.Tuple, ast.keyword, ast.Assign)
_LITERALS = (ast.List, ast.Tuple, ast.Set, ast.Dict)


class Retyping:
    """One fix: what becomes a tensor, and what its consumers must become with it."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self.library = Library(scope)
        self.plan = Plan(scope.module.source)
        self.only_operations = True
        self._seen: set[ast.AST] = set()
        self._module = scope.module

    def fix(self, node: ast.expr | ast.stmt, message: str, safety: Safety = Safety.UNSAFE) -> Fix | None:
        """The fix of what was planned; None where eager mode runs other code, so that nothing says what is right."""
        if _differs_by_mode(self._scope, node):
            return None
        imports = self.library.imports_for(self.plan.written())
        return Fix(message, safety, (*imports, *self.plan.edits()))

    # --- what a rule starts with

    def cast(self, scope: Scope, node: ast.expr, subject: ast.expr, kind: Kind) -> None:
        """Make a conversion by Python one of the graph."""
        target = f'"{kind.value}{"" if kind is Kind.BOOL else "32"}"'
        if kind is Kind.FLOAT and (like := self._like(scope, node)) is not None:
            target = f"{like}.dtype"
        cast = self.library.name("cast")
        self.plan.put(node, lambda: f"{cast}({self.plan.argument(subject)}, {target})")

    def cast_like(self, scope: Scope, node: ast.expr) -> None:
        """Put a cast to the dtype of the tensor that it meets around what a number becomes."""
        self._wrap_cast(scope, node, self._like(scope, node))

    def _like(self, scope: Scope, node: ast.expr) -> str | None:
        """A name for the tensor that the number meets in arithmetic, whose dtype it would take in eager mode."""
        child = node
        for parent in scope.parents(node):
            if not isinstance(parent, (ast.BinOp, ast.UnaryOp)):
                return None
            if isinstance(parent, ast.BinOp):
                other = parent.right if parent.left is child else parent.left
                if is_symbolic(scope.value(other)):
                    simple = isinstance(other, ast.Name) or _is_attribute_of_self(other)
                    return self.plan.text(other) if simple and kind_of(scope, other) is not Kind.INT else None
            child = parent
        return None

    # --- consumers

    def consume(self, scope: Scope, node: ast.expr, kind: Kind) -> bool:
        """Plan what the code around a new tensor must become; False where something there needs Python's number."""
        if node in self._seen:
            return True
        self._seen.add(node)
        self.plan.becomes_tensor(node)
        if scope.module is not self._module:
            return False
        parent = scope.parent(node)
        self.only_operations &= isinstance(parent, _CARRYING) or _is_operation(scope, parent)
        if isinstance(parent, ast.BinOp):
            return self._operator(scope, parent, node, kind)
        if isinstance(parent, ast.UnaryOp):
            return self._unary(scope, parent, kind)
        if isinstance(parent, ast.Compare):
            return self._comparison(scope, parent, node, kind)
        if isinstance(parent, ast.Call):
            return node in parent.args and self._argument(scope, parent, node, kind)
        if isinstance(parent, ast.keyword):
            return self._keyword(scope, parent)
        if isinstance(parent, ast.Attribute):
            return self._attribute(scope, parent, node, kind)
        if isinstance(parent, ast.Subscript):
            return self._item(scope, parent, node, kind)
        if isinstance(parent, ast.Slice):
            return self._bound(scope, parent, kind)
        if isinstance(parent, (ast.List, ast.Tuple)):
            return self._literal(scope, parent)
        if isinstance(parent, ast.IfExp):
            return self._choice(scope, parent, node, kind)
        if isinstance(parent, ast.BoolOp):
            return self._junction(scope, parent)
        if isinstance(parent, ast.FormattedValue):
            return parent.format_spec is None and any(_is_print(scope, p) for p in scope.parents(parent))
        return self._statement(scope, parent, node, kind)

    def _statement(self, scope: Scope, parent: ast.AST | None, node: ast.expr, kind: Kind) -> bool:
        if isinstance(parent, (ast.Assign, ast.AnnAssign)) and parent.value is node:
            targets = parent.targets if isinstance(parent, ast.Assign) else [parent.target]
            return len(targets) == 1 and isinstance(targets[0], ast.Name) and self.consume_name(scope, targets[0], kind)
        if isinstance(parent, ast.AugAssign) and parent.value is node:
            return self._augmented(scope, parent, node, kind)
        if isinstance(parent, (ast.Return, ast.Lambda)):
            return self._result(scope, parent, kind)
        if isinstance(parent, ast.If) and parent.test is node:
            return branches.plan_if(scope, self.plan, self.library, parent)
        if isinstance(parent, ast.For) and parent.iter is node:
            return loops.plan_for(scope, self.plan, self.library, parent)
        if isinstance(parent, ast.Assert) and parent.test is node:
            return branches.plan_assert(scope, self.plan, self.library, parent)
        if isinstance(parent, ast.Dict) and node in parent.values:
            return self._literal(scope, parent)
        return isinstance(parent, ast.Expr)

    def _operator(self, scope: Scope, parent: ast.BinOp, node: ast.expr, kind: Kind) -> bool:
        other = parent.right if parent.left is node else parent.left
        value = scope.value(other)
        if not isinstance(parent.op, _ARITHMETIC) or scope.formats_text(parent) or isinstance(value, Container):
            return False
        other_kind = kind_of(scope, other)
        if is_symbolic(value) and not self.plan.is_tensor(other):
            if kind in {Kind.INT, Kind.BOOL} and other_kind is not Kind.INT:
                self._wrap_cast(scope, node, self._like(scope, node))
            return True
        whole = kind in {Kind.INT, Kind.BOOL}
        if whole and (other_kind is Kind.FLOAT or isinstance(parent.op, ast.Div) or self._is_option(scope, other)):
            self._wrap_cast(scope, node, self._like(scope, parent))
            kind = Kind.FLOAT
        if not (_is_plain(value) or self._also(scope, other)):
            return False
        return self.consume(scope, parent, joined(kind, other_kind) if kind is not Kind.UNKNOWN else kind)

    def _also(self, scope: Scope, node: ast.expr) -> bool:
        """Whether the other operand is another such value, which then becomes a tensor with this one."""
        for inner in walk(node):
            if not isinstance(inner, ast.expr) or inner in self._seen:
                continue
            if self.plan.is_noted(inner):
                if not self.consume(scope, inner, kind_of(scope, inner)):
                    return False
            elif isinstance(inner, ast.Call) and not self._source(scope, inner):
                return False
        return self.plan.is_tensor(node)

    def _source(self, scope: Scope, call: ast.Call) -> bool:
        """Plan for a call that reads the numbers of a tensor; True for one that does not."""
        if not any(is_symbolic(scope.value(argument)) for argument in call.args):
            subject = call.func.value if isinstance(call.func, ast.Attribute) and call.func.attr == "numpy" else None
            if subject is None or call.args or not is_symbolic(scope.value(subject)):
                return True
            self.plan.put(call, lambda: self.plan.atom(subject))
            return self.consume(scope, call, kind_of(scope, subject))
        if not scope.api_name(call.func).startswith("numpy."):
            return True
        kind = numpy_call(scope, self.plan, self.library, call)
        return kind is not None and self.consume(scope, call, kind)

    @staticmethod
    def _is_option(scope: Scope, node: ast.expr) -> bool:
        """Whether a number of Python or NumPy may be a float for all that is known."""
        value = scope.value(node)
        return isinstance(value, (Static, Array)) and kind_of(scope, node) is Kind.UNKNOWN

    def _wrap_cast(self, scope: Scope, node: ast.expr, like: str | None) -> None:
        cast, target = self.library.name("cast"), f"{like}.dtype" if like else '"float32"'
        self.plan.wrap(node, lambda text: f"{cast}({text}, {target})")

    def _unary(self, scope: Scope, parent: ast.UnaryOp, kind: Kind) -> bool:
        if isinstance(parent.op, ast.Not):
            text = branches.condition(scope, self.plan, self.library, parent)
            if text is None:
                return False
            self.plan.put(parent, text)
            return self.consume(scope, parent, Kind.BOOL)
        return isinstance(parent.op, (ast.USub, ast.UAdd)) and self.consume(scope, parent, kind)

    def _comparison(self, scope: Scope, parent: ast.Compare, node: ast.expr, kind: Kind) -> bool:
        if isinstance(parent.ops[0], (ast.Is, ast.IsNot)):
            return True  # neither an array nor a tensor is None
        if len(parent.ops) > 1 or not isinstance(parent.ops[0], _COMPARISONS):
            text = branches.condition(scope, self.plan, self.library, parent)
            if text is None:
                return False
            self.plan.put(parent, text)
            return self.consume(scope, parent, Kind.BOOL)
        other = parent.comparators[0] if parent.left is node else parent.left
        value = scope.value(other)
        if not (_is_plain(value) or self._also(scope, other)):
            return False
        if kind is Kind.INT and kind_of(scope, other) is Kind.FLOAT:
            self._wrap_cast(scope, node, None)
        return self.consume(scope, parent, Kind.BOOL)

    def _argument(self, scope: Scope, call: ast.Call, node: ast.expr, kind: Kind) -> bool:
        name = scope.api_name(call.func)
        if name.startswith("builtins."):
            return self._builtin(scope, call, node, kind, name)
        if name.startswith(("tensorflow.", "keras.ops.", "keras.backend.")):
            if name.rpartition(".")[2] in _TAKING_PYTHON:
                return self._constant(scope, call, node, name)
            return name.rpartition(".")[2] not in {"py_function", "numpy_function"}
        if name.startswith("numpy."):
            found = numpy_call(scope, self.plan, self.library, call)
            return found is not None and self.consume(scope, call, found)
        if name.startswith("math."):
            found = math_call(scope, self.plan, self.library, call, kind)
            return found is not None and self.consume(scope, call, found)
        callee = scope.value(call.func)
        return isinstance(callee, Instance) and may_be_symbolic(scope.value(call))

    def _constant(self, scope: Scope, call: ast.Call, node: ast.expr, name: str) -> bool:
        """`tf.constant` takes no tensor in a graph, `tf.convert_to_tensor` does."""
        if name != "tensorflow.constant" or len(call.args) != 1:
            return False
        function = self.library.dotted("tensorflow.convert_to_tensor")
        self.plan.put(call.func, lambda: function)
        return True

    def _builtin(self, scope: Scope, call: ast.Call, node: ast.expr, kind: Kind, name: str) -> bool:
        if name in {"builtins.print", "builtins.isinstance"}:
            return name == "builtins.print"
        if call.keywords or any(isinstance(argument, ast.Starred) for argument in call.args):
            return False
        if name == "builtins.abs":
            return self.consume(scope, call, kind)
        if name == "builtins.range":
            loop = scope.parent(call)
            return isinstance(loop, ast.For) and loops.plan_for(scope, self.plan, self.library, loop)
        found = self.number_function(scope, call, node, name, kind)
        return found is not None and self.consume(scope, call, found)

    def number_function(self, scope: Scope, call: ast.Call, node: ast.expr, name: str, kind: Kind) -> Kind | None:
        """Plan an operation for one of Python's functions of numbers; the kind of its result, or None."""
        last, plan = name.removeprefix("builtins."), self.plan
        if last in {"float", "int", "bool"} and len(call.args) == 1:
            if last == kind.value and (last != "float" or plan.is_tensor(node)):
                plan.put(call, lambda: plan.atom(node))
            else:
                self.cast(scope, call, node, Kind(last))
            return Kind(last)
        if last == "len" and len(call.args) == 1:
            shape = self.library.name("shape")
            plan.put(call, lambda: f"{shape}({plan.argument(node)})[0]")
            return Kind.INT
        if name in _EXTREMES:
            return self._extreme(scope, call, kind, *_EXTREMES[name])
        if last == "sum" and len(call.args) == 1:
            function = self.library.name("sum")
            plan.put(call, lambda: f"{function}({plan.argument(node)}, axis=0)")
            return kind
        return self._rounded(scope, call, node, kind) if last == "round" else None

    def _extreme(self, scope: Scope, call: ast.Call, kind: Kind, reducing: str, pairing: str) -> Kind | None:
        plan = self.plan
        if len(call.args) == 1:
            function = self.library.name(reducing)
            if isinstance(call.args[0], ast.Name | ast.Attribute | ast.Call | ast.Subscript | ast.BinOp):
                plan.put(call, lambda: f"{function}({plan.argument(call.args[0])})")
                return kind
            return None
        if len(call.args) != 2:
            return None
        kinds = [kind_of(scope, argument) for argument in call.args]
        if kind is not Kind.UNKNOWN and Kind.INT in kinds and Kind.FLOAT in kinds:
            return None
        function = self.library.name(pairing)
        plan.put(call.func, lambda: function)
        return joined(*kinds)

    def _rounded(self, scope: Scope, call: ast.Call, node: ast.expr, kind: Kind) -> Kind | None:
        plan, function = self.plan, self.library.name("round")
        if len(call.args) == 1:
            cast = self.library.name("cast")
            plan.put(call, lambda: f'{cast}({function}({plan.argument(node)}), "int32")')
            return Kind.INT
        digits = call.args[1].value if isinstance(call.args[1], ast.Constant) else None
        if not isinstance(digits, int) or not 0 < digits < 7:
            return None
        factor = float(10**digits)
        plan.put(call, lambda: f"{function}({plan.atom(node)} * {factor}) / {factor}")
        return kind

    def _keyword(self, scope: Scope, keyword: ast.keyword) -> bool:
        call = scope.parent(keyword)
        if not isinstance(call, ast.Call) or keyword.arg is None or keyword.arg in _STATIC_KEYWORDS:
            return False
        return scope.api_name(call.func).startswith(("tensorflow.", "keras.ops."))

    def _attribute(self, scope: Scope, parent: ast.Attribute, node: ast.expr, kind: Kind) -> bool:
        call = scope.parent(parent)
        if isinstance(call, ast.Call) and call.func is parent:
            found = array_method(scope, self.plan, self.library, call, node, kind)
            return found is not None and self.consume(scope, call, found)
        if parent.attr == "T":
            function = self.library.name("transpose")
            self.plan.put(parent, lambda: f"{function}({self.plan.argument(node)})")
            return self.consume(scope, parent, kind)
        if parent.attr == "size":
            function = self.library.name("size")
            self.plan.put(parent, lambda: f"{function}({self.plan.argument(node)})")
            return self.consume(scope, parent, Kind.INT)
        if parent.attr == "ndim":
            self.plan.put(parent, lambda: f"len({self.plan.atom(node)}.shape)")
            return True
        if parent.attr == "shape":  # all but the size of the batch is known of a tensor too
            return isinstance(call, ast.Subscript) and literal(call.slice) not in {0, NOT_CONSTANT}
        return parent.attr == "dtype" and isinstance(call, ast.Call)

    def _item(self, scope: Scope, parent: ast.Subscript, node: ast.expr, kind: Kind) -> bool:
        if not isinstance(parent.ctx, ast.Load):
            return False
        if parent.value is node:
            parts = parent.slice.elts if isinstance(parent.slice, ast.Tuple) else [parent.slice]
            simple = all(isinstance(part, ast.Slice) or _is_plain_index(scope, part) for part in parts)
            return simple and self.consume(scope, parent, kind)
        return is_symbolic(scope.value(parent.value)) and kind is not Kind.FLOAT

    @staticmethod
    def _bound(scope: Scope, bounds: ast.Slice, kind: Kind) -> bool:
        """A bound of a slice: a tensor may be one where it is a tensor that is sliced."""
        outer = next((parent for parent in scope.parents(bounds) if isinstance(parent, ast.Subscript)), None)
        return outer is not None and is_symbolic(scope.value(outer.value)) and kind is Kind.INT

    def _literal(self, scope: Scope, parent: ast.expr) -> bool:
        """An element of a list: fine in a shape or in what `call` returns."""
        outer = scope.parent(parent)
        if isinstance(outer, _LITERALS):
            return self._literal(scope, outer)
        if isinstance(outer, ast.Assign):
            return self._unpacked(scope, outer, parent)
        if isinstance(outer, (ast.Return, ast.Expr)):
            return _is_entry(scope) or isinstance(outer, ast.Expr)
        if isinstance(outer, ast.Call) and parent in outer.args and not isinstance(parent, ast.Dict):
            return self._filled(scope, outer) or _is_operation(scope, outer)
        if isinstance(outer, ast.keyword):
            return not isinstance(parent, ast.Dict) and self._keyword(scope, outer)
        return False

    def _unpacked(self, scope: Scope, statement: ast.Assign, values: ast.expr) -> bool:
        """`a, b = x, y`: the names for the values that become tensors."""
        target = statement.targets[0]
        if len(statement.targets) > 1 or not isinstance(target, ast.Tuple) or not isinstance(values, ast.Tuple):
            return False
        pairs = list(zip(target.elts, values.elts, strict=False))
        return len(target.elts) == len(values.elts) and all(
            isinstance(name, ast.Name) and self.consume_name(scope, name, kind_of(scope, value))
            for name, value in pairs
            if self.plan.is_tensor(value)
        )

    def _filled(self, scope: Scope, call: ast.Call) -> bool:
        """`np.zeros` and `np.ones` of a shape that only the graph knows."""
        name = scope.api_name(call.func)
        keywords = {keyword.arg for keyword in call.keywords}
        if name not in {"numpy.zeros", "numpy.ones"} or len(call.args) != 1 or not keywords <= {"dtype"}:
            return False
        function = self.library.name(name.rpartition(".")[2])
        self.plan.put(call.func, lambda: function)
        return self.consume(scope, call, Kind.FLOAT)

    def _choice(self, scope: Scope, parent: ast.IfExp, node: ast.expr, kind: Kind) -> bool:
        if parent.test is not node:
            return self.consume(scope, parent, kind)
        if not branches.plan_choice(scope, self.plan, self.library, parent):
            return False
        return self.consume(scope, parent, joined(kind_of(scope, parent.body), kind_of(scope, parent.orelse)))

    def _junction(self, scope: Scope, parent: ast.BoolOp) -> bool:
        text = branches.condition(scope, self.plan, self.library, parent)
        if text is None:
            return False
        self.plan.put(parent, text)
        return self.consume(scope, parent, Kind.BOOL)

    def _augmented(self, scope: Scope, statement: ast.AugAssign, node: ast.expr, kind: Kind) -> bool:
        if not isinstance(statement.op, _ARITHMETIC) or not is_symbolic(scope.value(statement.target)):
            return False
        if kind in {Kind.INT, Kind.BOOL} and kind_of(scope, statement.target) is not Kind.INT:
            self._wrap_cast(scope, node, self.plan.text(statement.target))
        return True

    # --- names and functions

    def consume_name(self, scope: Scope, target: ast.Name, kind: Kind) -> bool:
        """A local name that is bound once: all that reads it."""
        root = scope.function.node if scope.function is not None else None
        if root is None or (scope.function is not None and scope.function.accepts(target.id)):
            return False
        named = [node for node in walk(root) if isinstance(node, ast.Name) and node.id == target.id]
        stores = sorted((n for n in named if not isinstance(n.ctx, ast.Load)), key=lambda node: node.lineno)
        statements = [scope.statement(node) for node in stores]
        if len(stores) > 1 and not _are_in_line(scope, statements):
            return False
        first = stores.index(target)
        start = stores[first].lineno if first else 0
        end = _last_line(statements[first + 1]) if first + 1 < len(stores) else sys.maxsize
        loads = [node for node in named if isinstance(node.ctx, ast.Load) and start < node.lineno <= end]
        for node in loads:
            self.plan.becomes_tensor(node)
        return all(self.consume(self._scope_of(scope, node), node, kind) for node in loads)

    def _scope_of(self, scope: Scope, node: ast.AST) -> Scope:
        """The evaluation that knows a node, which may stand in a function inside the function."""
        if node in scope.values:
            return scope
        return next((other for other in scope.everything(Phase.CALL) if node in other.values), scope)

    def _result(self, scope: Scope, statement: ast.Return | ast.Lambda, kind: Kind) -> bool:
        """What a function returns: to Keras, which takes a tensor, or to the code that calls it."""
        function = scope.function
        if isinstance(statement, ast.Return) and _is_entry(scope):
            return True
        if isinstance(statement, ast.Lambda):
            function = next(
                (s.function for s in scope.everything(Phase.CALL) if s.function and s.function.node is statement),
                None,
            )
        if function is None or not _is_plain_method(function):
            return False
        calls = list(_calls(scope, function))
        known = {id(call.func) for _, call in calls}
        if not calls or any(id(node) not in known for node in _mentions(self._module.source.tree, scope, function)):
            return False
        return all(self.consume(caller, call, kind) for caller, call in calls)


def _is_plain(value: Value) -> bool:
    """Whether a tensor can be computed with the value as it is: Python's number, a tensor, a constant of NumPy."""
    is_constant = isinstance(value, Api) and value.name.startswith(("numpy.", "math."))
    return is_static(value) or is_symbolic(value) or is_constant


def _are_in_line(scope: Scope, statements: list[ast.stmt | None]) -> bool:
    """Whether statements follow each other in the body of the function, each assigning one value to one name."""
    body = getattr(scope.function.node, "body", []) if scope.function is not None else []
    return all(isinstance(statement, ast.Assign) and statement in body for statement in statements)


def _last_line(statement: ast.stmt | None) -> int:
    return (statement.end_lineno or statement.lineno) if statement is not None else 0


def _calls(scope: Scope, function: FunctionInfo) -> Iterator[tuple[Scope, ast.Call]]:
    seen: set[ast.AST] = set()
    for caller in scope.everything(Phase.CALL):
        for node in caller.values:
            if isinstance(node, ast.Call) and node not in seen and _calls_function(caller, node, function):
                seen.add(node)
                yield caller, node


def _calls_function(scope: Scope, call: ast.Call, function: FunctionInfo) -> bool:
    values = alternatives(scope.value(call.func))
    return all(isinstance(value, Function) and value.info.node is function.node for value in values)


def _mentions(tree: ast.Module, scope: Scope, function: FunctionInfo) -> Iterator[ast.AST]:
    """All places that read a name the function goes by: one that is not a call may do anything with the result."""
    names = {function.name}
    if isinstance(function.node, ast.Lambda):
        statement = scope.parent(function.node) or scope.module.parents.get(function.node)
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        names = {target.id for target in targets if isinstance(target, ast.Name)}
    for node in walk(tree):
        name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else None
        if name in names and isinstance(getattr(node, "ctx", None), ast.Load):
            yield node


def _is_plain_method(function: FunctionInfo) -> bool:
    return all(isinstance(d, ast.Name) and d.id in {"staticmethod", "classmethod"} for d in function.decorators)


def _is_entry(scope: Scope) -> bool:
    return scope.function is not None and bool(scope.route) and scope.function.qualname == scope.route[0]


def _is_attribute_of_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"


def _is_operation(scope: Scope, node: ast.AST | None) -> bool:
    return isinstance(node, ast.Call) and scope.api_name(node.func).startswith(("tensorflow.", "keras.ops."))


def _differs_by_mode(scope: Scope, node: ast.AST) -> bool:
    """Whether a test of the execution mode keeps eager mode from running the code."""
    return any(
        isinstance(parent, (ast.If, ast.IfExp))
        and _MODES & {scope.api_name(n) for n in walk(parent.test) if _is_name(n)}
        for parent in scope.parents(node)
    )


def _is_name(node: ast.AST) -> TypeGuard[ast.expr]:
    return isinstance(node, (ast.Name, ast.Attribute))


def _is_plain_index(scope: Scope, node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return node.value is None or node.value is Ellipsis or isinstance(node.value, int)
    return isinstance(scope.value(node), Static) or (
        isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant)
    )


def _is_print(scope: Scope, node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and scope.api_name(node.func) in {"builtins.print", "tensorflow.print"}
