"""Conversions by Python as operations of the graph."""

from __future__ import annotations

import ast

from tflint_layers.finding import Fix, Safety
from tflint_layers.model.scopes import Scope
from tflint_layers.model.values import is_static, is_symbolic
from tflint_layers.rewrite import callers
from tflint_layers.rewrite.dtypes import Kind, joined, kind_of
from tflint_layers.rewrite.library import Library
from tflint_layers.rewrite.meeting import FLOAT32, dtype_met, is_number_in_eager_mode
from tflint_layers.rewrite.plan import Plan

_EXTREMES = {"builtins.max": ("max", "maximum"), "builtins.min": ("min", "minimum")}


class Conversions:
    """One fix under construction, in the style of the code around it."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._module = scope.module
        self.library = Library(scope)
        self.plan = Plan(scope.module.source)

    def fix(self, node: ast.expr | ast.stmt, message: str, safety: Safety = Safety.UNSAFE) -> Fix | None:
        """The fix of what was planned; None where eager mode runs other code, so that nothing says what is right."""
        if callers.differs_by_mode(self._scope, node):
            return None
        imports = self.library.imports_for(self.plan.written())
        return Fix(message, safety, (*imports, *self.plan.edits()))

    def cast(self, scope: Scope, node: ast.expr, subject: ast.expr, kind: Kind) -> None:
        """Make a conversion by Python one of the graph."""
        target = f'"{kind.value}{"" if kind is Kind.BOOL else "32"}"'
        if kind is Kind.FLOAT:
            target = dtype_met(scope, node) or target
        cast = self.library.name("cast")
        self.plan.put(node, lambda: f"{cast}({self.plan.argument(subject)}, {target})")

    def cast_like(self, scope: Scope, node: ast.expr) -> None:
        """Put a cast to the dtype of the tensor that it meets around what a number becomes."""
        self.wrap_cast(node, dtype_met(scope, node))

    def wrap_cast(self, node: ast.expr, dtype: str | None) -> None:
        """Put a cast to a dtype (source text), or to float32, around what an expression becomes."""
        cast, target = self.library.name("cast"), dtype or FLOAT32
        self.plan.wrap(node, lambda text: f"{cast}({text}, {target})")

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
        if any(self._is_whole_beside_unknown(scope, *pair) for pair in (call.args, call.args[::-1])):
            return None
        function = self.library.name(pairing)
        for argument in call.args:
            self._give_dtype(scope, argument)
        is_number = is_static(scope.value(call.args[0])) and not plan.is_tensor(call.args[0])
        if is_number and not self.library.keras:
            # TensorFlow takes the dtype of the first operand, which a number of Python does not have.
            first, second = call.args
            plan.put(call, lambda: f"{function}({plan.argument(second)}, {plan.argument(first)})")
        else:
            plan.put(call.func, lambda: function)
        return joined(*kinds)

    def _give_dtype(self, scope: Scope, number: ast.expr) -> None:
        """Let a number that an operation takes, and that AutoGraph makes a tensor, have the dtype that it meets."""
        is_number = is_symbolic(scope.value(number)) and is_number_in_eager_mode(scope, number)
        if is_number and not self.plan.is_tensor(number) and (dtype := dtype_met(scope, number)) not in (None, FLOAT32):
            self.wrap_cast(number, dtype)

    def _is_whole_beside_unknown(self, scope: Scope, whole: ast.expr, other: ast.expr) -> bool:
        """Whether a whole tensor meets something that may be a tensor of floats."""
        is_tensor = self.plan.is_tensor(whole) or is_symbolic(scope.value(whole))
        may_be_float = kind_of(scope, other) is not Kind.INT and not is_static(scope.value(other))
        return is_tensor and kind_of(scope, whole) is Kind.INT and may_be_float

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
