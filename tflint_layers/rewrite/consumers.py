"""Follows a value that used to be a number or an array, and becomes a tensor, to all that is done with it."""

from __future__ import annotations

import ast
import sys

from tflint_layers.model import api
from tflint_layers.model.scopes import Phase, Scope
from tflint_layers.model.syntax import walk
from tflint_layers.model.values import (
    NOT_CONSTANT,
    Api,
    Array,
    Container,
    Instance,
    Method,
    Static,
    Value,
    is_static,
    is_symbolic,
    literal,
    may_be_symbolic,
)
from tflint_layers.rewrite import branches, callers, loops
from tflint_layers.rewrite.arrays import array_method, math_call, numpy_call
from tflint_layers.rewrite.conditions import condition
from tflint_layers.rewrite.conversions import Conversions
from tflint_layers.rewrite.dtypes import Kind, joined, kind_of
from tflint_layers.rewrite.meeting import dtype_met, is_number_in_eager_mode

_ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.MatMult)
_COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
_STATIC_KEYWORDS = frozenset({"axis", "keepdims", "dtype", "name", "num", "ord", "training", "rate", "units", "axes"})
_TAKING_PYTHON = frozenset({"constant", "TensorShape", "Variable", "add_weight", "range_input_producer", "placeholder"})
_CARRYING = (ast.List, ast.Tuple, ast.keyword, ast.Assign)
_TAKING_TENSORS = frozenset({"update_state", "add_loss"})
_WHOLE = frozenset({Kind.INT, Kind.BOOL})
_STACKING = frozenset({"tensorflow.stack", "tensorflow.concat", "tensorflow.add_n", "tensorflow.convert_to_tensor"})
_DEEPEST = 6
# Operations whose operands have one dtype; those of keras.ops find one themselves.
_PAIRING = frozenset(
    {"add", "subtract", "multiply", "divide", "truediv", "floordiv", "floormod", "mod", "pow", "maximum", "minimum"}
    | {
        "divide_no_nan",
        "multiply_no_nan",
        "squared_difference",
        "scalar_mul",
        "where",
        "clip_by_value",
        "clip",
        "atan2",
    }
    | {"equal", "not_equal", "less", "less_equal", "greater", "greater_equal"}
)
_LITERALS = (ast.List, ast.Tuple, ast.Set, ast.Dict)
# Operations that want int64 for a size or a whole shape, which they make of numbers but not of an int32 tensor
# (measured), and those that want the dtype of their indices, which may be int64.
_TAKING_LONG = frozenset(
    f"tensorflow.{name}" for name in ("SparseTensor", "sparse.SparseTensor", "sparse.slice", "compat.v1.SparseTensor")
)
_TAKING_DTYPE_OF_INDICES = frozenset({"scatter_nd", "sparse_to_dense", "from_value_rowids"})


class Retyping(Conversions):
    """One fix: what becomes a tensor, and what its consumers must become with it."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)
        self.only_operations = True
        self._seen: set[ast.AST] = set()

    def ask_for_long(self, scope: Scope, node: ast.expr, subject: ast.expr) -> bool:
        """Plan for a whole shape where only one of int64 will do; False where it stands elsewhere."""
        parent = scope.parent(node)
        call = scope.parent(parent) if isinstance(parent, ast.keyword) else parent
        if not isinstance(call, ast.Call) or scope.api_name(call.func) not in _TAKING_LONG:
            return False
        shape = self.library.name("shape")
        # That of Keras is a tuple, whose entries an operation takes like numbers (measured).
        dtype = "" if self.library.keras else f", out_type={self.library.dotted('tensorflow.int64')}"
        self.plan.put(node, lambda: f"{shape}({self.plan.argument(subject)}{dtype})")
        return True

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
            return self._keyword(scope, parent, kind)
        if isinstance(parent, ast.Attribute):
            return self._attribute(scope, parent, node, kind)
        if isinstance(parent, ast.Subscript):
            return self._item(scope, parent, node, kind)
        if isinstance(parent, ast.Slice):
            return self._bound(scope, parent, kind)
        if isinstance(parent, ast.Tuple) and isinstance(outer := scope.parent(parent), ast.Subscript):
            return isinstance(outer.ctx, ast.Load) and is_symbolic(scope.value(outer.value)) and kind is Kind.INT
        if isinstance(parent, (ast.List, ast.Tuple)):
            return not _is_odd(scope, parent, kind) and self._literal(scope, parent)
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
        if is_symbolic(value) and not self.plan.is_tensor(other):
            return self._meeting(scope, parent, node, kind)
        other_kind, is_plain = kind_of(scope, other), _is_plain(value)
        if not is_plain and not self._also(scope, other):
            return False
        may_be_float = other_kind is Kind.FLOAT or isinstance(parent.op, ast.Div) or self._is_option(scope, other)
        if kind in _WHOLE and (may_be_float or (not is_plain and other_kind is Kind.UNKNOWN)):
            self.cast_like(scope, node)
            kind = Kind.FLOAT
        return self.consume(scope, parent, joined(kind, other_kind) if kind is not Kind.UNKNOWN else kind)

    def _meeting(self, scope: Scope, parent: ast.BinOp, node: ast.expr, kind: Kind) -> bool:
        """Arithmetic with what already is a tensor, whose dtype must be that of the new one."""
        other = parent.right if parent.left is node else parent.left
        other_kind, is_number = kind_of(scope, other), is_number_in_eager_mode(scope, other)
        if kind in _WHOLE and other_kind is not Kind.INT:
            self.cast_like(scope, node)
        elif kind not in _WHOLE and other_kind is Kind.INT:
            dtype = dtype_met(scope, parent)
            if not is_number or (dtype is None and kind is Kind.UNKNOWN):
                return False
            self.wrap_cast(other, dtype)
        # In eager mode, too, what is computed from a number of Python becomes a tensor.
        return not is_number or self.consume(scope, parent, joined(kind, other_kind))

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

    def _unary(self, scope: Scope, parent: ast.UnaryOp, kind: Kind) -> bool:
        if isinstance(parent.op, ast.Not):
            text = condition(scope, self.plan, self.library, parent)
            if text is None:
                return False
            self.plan.put(parent, text)
            return self.consume(scope, parent, Kind.BOOL)
        return isinstance(parent.op, (ast.USub, ast.UAdd)) and self.consume(scope, parent, kind)

    def _comparison(self, scope: Scope, parent: ast.Compare, node: ast.expr, kind: Kind) -> bool:
        if isinstance(parent.ops[0], (ast.Is, ast.IsNot)):
            return True  # neither an array nor a tensor is None
        if len(parent.ops) > 1 or not isinstance(parent.ops[0], _COMPARISONS):
            text = condition(scope, self.plan, self.library, parent)
            if text is None:
                return False
            self.plan.put(parent, text)
            return self.consume(scope, parent, Kind.BOOL)
        other = parent.comparators[0] if parent.left is node else parent.left
        value = scope.value(other)
        if not (_is_plain(value) or self._also(scope, other)):
            return False
        other_kind = kind_of(scope, other)
        if kind is Kind.INT and other_kind is Kind.UNKNOWN and not is_static(value):
            return False
        if kind is Kind.INT and other_kind is Kind.FLOAT:
            self.wrap_cast(node, None)
        return self.consume(scope, parent, Kind.BOOL)

    def _argument(self, scope: Scope, call: ast.Call, node: ast.expr, kind: Kind) -> bool:
        name = scope.api_name(call.func)
        if name.startswith("builtins."):
            return self._builtin(scope, call, node, kind, name)
        if name.startswith(("tensorflow.", "keras.ops.", "keras.backend.")):
            if name.rpartition(".")[2] in _TAKING_PYTHON:
                return self._constant(scope, call, node, name)
            if kind in _WHOLE and _has_own_dtype(name):
                return False
            if kind in _WHOLE and _pairs(name):
                return self._operand(scope, call, node)
            return name.rpartition(".")[2] not in {"py_function", "numpy_function"}
        if name.startswith("numpy."):
            found = numpy_call(scope, self.plan, self.library, call)
            return found is not None and self.consume(scope, call, found)
        if name.startswith("math."):
            found = math_call(scope, self.plan, self.library, call, kind)
            return found is not None and self.consume(scope, call, found)
        callee = scope.value(call.func)
        if isinstance(callee, Method) and callee.name in _TAKING_TENSORS:
            return isinstance(callee.receiver, Instance)
        return isinstance(callee, Instance) and may_be_symbolic(scope.value(call))

    def _operand(self, scope: Scope, call: ast.Call, node: ast.expr) -> bool:
        """An operand of an operation whose operands have one dtype: a number took that of the others."""
        is_choice = scope.api_name(call.func).endswith(".where")
        operands = call.args[1:] if is_choice else call.args
        others = [other for other in operands if other is not node and kind_of(scope, other) is not Kind.INT]
        if node not in operands or not others:
            return True
        dtype = dtype_met(scope, node)
        if dtype is None and not any(kind_of(scope, other) is Kind.FLOAT for other in others):
            return False
        self.wrap_cast(node, dtype)
        return True

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

    def _keyword(self, scope: Scope, keyword: ast.keyword, kind: Kind = Kind.UNKNOWN) -> bool:
        call = scope.parent(keyword)
        if not isinstance(call, ast.Call) or keyword.arg is None or keyword.arg in _STATIC_KEYWORDS:
            return False
        name = scope.api_name(call.func)
        if kind in _WHOLE and (_pairs(name) or _has_own_dtype(name)):
            return False
        return name.startswith(("tensorflow.", "keras.ops."))

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
            return callers.is_entry(scope) or isinstance(outer, ast.Expr)
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
            is_converted = scope.autograph and is_symbolic(scope.value(parent.test))
            return not (is_converted and branches.has_two_dtypes(scope, parent)) and self.consume(scope, parent, kind)
        if not branches.plan_choice(scope, self.plan, self.library, parent):
            return False
        return self.consume(scope, parent, joined(kind_of(scope, parent.body), kind_of(scope, parent.orelse)))

    def _junction(self, scope: Scope, parent: ast.BoolOp) -> bool:
        text = condition(scope, self.plan, self.library, parent)
        if text is None:
            return False
        self.plan.put(parent, text)
        return self.consume(scope, parent, Kind.BOOL)

    def _augmented(self, scope: Scope, statement: ast.AugAssign, node: ast.expr, kind: Kind) -> bool:
        if not isinstance(statement.op, _ARITHMETIC) or not is_symbolic(scope.value(statement.target)):
            return False
        if kind in {Kind.INT, Kind.BOOL} and kind_of(scope, statement.target) is not Kind.INT:
            self.cast_like(scope, node)
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
        if isinstance(statement, ast.Return) and callers.is_entry(scope):
            return True
        if isinstance(statement, ast.Lambda):
            if callers.is_given_to_library(scope.module, statement):
                return True
            function = next(
                (s.function for s in scope.everything(Phase.CALL) if s.function and s.function.node is statement),
                None,
            )
        if function is None or not callers.is_plain_method(function):
            return False
        calls = list(callers.calls(scope, function))
        known = {id(call.func) for _, call in calls}
        if not calls or any(
            id(node) not in known for node in callers.mentions(self._module.source.tree, scope, function)
        ):
            return False
        return all(self.consume(caller, call, kind) for caller, call in calls)


def _is_plain(value: Value) -> bool:
    """Whether a tensor can be computed with the value as it is: Python's number, a tensor, a constant of NumPy."""
    is_constant = isinstance(value, Api) and value.name.startswith(("numpy.", "math."))
    return is_static(value) or is_symbolic(value) or is_constant


def _pairs(name: str) -> bool:
    return name.startswith(("tensorflow.", "keras.backend.")) and name.rpartition(".")[2] in _PAIRING


def _has_own_dtype(name: str) -> bool:
    """Whether an operation does not take an int32 tensor for a size."""
    is_tensorflow = name.startswith("tensorflow.")
    return name in _TAKING_LONG or (is_tensorflow and name.rpartition(".")[2] in _TAKING_DTYPE_OF_INDICES)


def _is_odd(scope: Scope, elements: ast.List | ast.Tuple, kind: Kind) -> bool:
    """Whether a whole number would be stacked with what may be a tensor of floats, or a float be put in a shape."""
    call = scope.parent(elements)
    name = scope.api_name(call.func) if isinstance(call, ast.Call) else ""
    if kind is Kind.FLOAT and api.needs_dimension(name, scope.keras):
        return True
    if kind not in _WHOLE or name not in _STACKING:
        return False
    kinds = ((kind_of(scope, e), isinstance(e, ast.Call) or is_symbolic(scope.value(e))) for e in elements.elts)
    return any(found is Kind.FLOAT or (found is Kind.UNKNOWN and is_computed) for found, is_computed in kinds)


def _are_in_line(scope: Scope, statements: list[ast.stmt | None]) -> bool:
    """Whether statements follow each other in the body of the function, each assigning one value to one name."""
    body = getattr(scope.function.node, "body", []) if scope.function is not None else []
    return all(isinstance(statement, ast.Assign) and statement in body for statement in statements)


def _last_line(statement: ast.stmt | None) -> int:
    return (statement.end_lineno or statement.lineno) if statement is not None else 0


def _is_operation(scope: Scope, node: ast.AST | None) -> bool:
    return isinstance(node, ast.Call) and scope.api_name(node.func).startswith(("tensorflow.", "keras.ops."))


def _is_plain_index(scope: Scope, node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return node.value is None or node.value is Ellipsis or isinstance(node.value, int)
    return isinstance(scope.value(node), Static) or (
        isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant)
    )


def _is_print(scope: Scope, node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and scope.api_name(node.func) in {"builtins.print", "tensorflow.print"}
