"""What conditions tell about the values that they speak of."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace

from tflint_layers.model.frame import Machine
from tflint_layers.model.scopes import api_name
from tflint_layers.model.values import (
    NONE,
    UNKNOWN,
    Container,
    Instance,
    Shape,
    StaticDim,
    Tensor,
    Value,
    without_none,
)

_TENSOR_CLASSES = frozenset({"tensorflow.Tensor", "tensorflow.Variable", "tensorflow.SymbolicTensor"})
_TENSOR_TESTS = frozenset({"tensorflow.is_tensor", "tensorflow.is_symbolic_tensor", "keras.ops.is_tensor"})


class Narrowing(Machine):
    """Narrows names and attributes to what holds in a branch."""

    def assume(self, test: ast.expr, outcome: bool) -> None:
        """Narrow the names that ``test`` speaks about, where it turned out as ``outcome``."""
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            self.assume(test.operand, not outcome)
        elif isinstance(test, ast.BoolOp):
            if isinstance(test.op, ast.And) is outcome:
                for operand in test.values:
                    self.assume(operand, outcome)
        elif isinstance(test, ast.Compare) and len(test.ops) == 1:
            self._assume_comparison(test, outcome)
        elif isinstance(test, ast.Call):
            self._assume_call(test, outcome)
        elif isinstance(test, (ast.Name, ast.Attribute, ast.Subscript)) and outcome:
            self._assume_something(test)

    def _assume_comparison(self, test: ast.Compare, outcome: bool) -> None:
        comparator = test.comparators[0]
        asked = test.left
        if (
            isinstance(asked, ast.Call)
            and api_name(self.frame.scope.value(asked.func)) == "builtins.type"
            and asked.args
        ):
            agrees = isinstance(test.ops[0], (ast.Is, ast.Eq, ast.In)) is outcome
            self._assume_class(asked.args[0], self._class_names(comparator), agrees)
        self._assume_rank(test, outcome)
        is_none = isinstance(comparator, ast.Constant) and comparator.value is None
        if not is_none or not isinstance(test.ops[0], (ast.Is, ast.IsNot)):
            return
        if isinstance(test.ops[0], ast.IsNot) is outcome:
            self._assume_something(asked)
        else:
            self._narrow(test.left, lambda _: NONE)

    def _assume_something(self, asked: ast.expr) -> None:
        """Narrow what an expression speaks of where it is not None."""
        size = isinstance(asked, ast.Subscript) and isinstance(self.frame.scope.value(asked), StaticDim)
        self._narrow(asked, without_none)
        if size and isinstance(asked, ast.Subscript):
            self._narrow(_tensor_of_shape(asked.value), _of_known_size)

    def _assume_rank(self, test: ast.Compare, outcome: bool) -> None:
        """Where a tensor has fewer axes than it may have, it may well be one entry of the batch."""
        shape = _shape_of_rank(test.left)
        fewer = (ast.Lt, ast.LtE) if outcome else (ast.Gt, ast.GtE)
        if shape is not None and isinstance(test.ops[0], fewer):
            function = self.frame.scope.function
            bound = function.locals.get(shape.id) if isinstance(shape, ast.Name) and function is not None else None
            self._narrow(_tensor_of_shape(bound if bound is not None else shape), _of_known_size)

    def _assume_call(self, test: ast.Call, outcome: bool) -> None:
        name = api_name(self.frame.scope.value(test.func))
        if name == "builtins.isinstance" and len(test.args) == 2:
            self._assume_class(test.args[0], self._class_names(test.args[1]), outcome)
        elif isinstance(test.func, ast.Attribute) and test.func.attr == "is_fully_defined" and outcome:
            self._narrow(_tensor_of_shape(test.func.value), _of_known_size)
        elif name in _TENSOR_TESTS and test.args:
            self._narrow(test.args[0], _as_tensor if outcome else _as_no_tensor)

    def _assume_class(self, subject: ast.expr, classes: set[str], outcome: bool) -> None:
        if classes & {"builtins.list", "builtins.tuple", "builtins.dict"}:
            if outcome:
                self._narrow(subject, _as_container)
            elif classes & {"builtins.list", "builtins.tuple"}:
                self._narrow(subject, _as_single)
        elif classes and classes <= _TENSOR_CLASSES:
            self._narrow(subject, _as_tensor if outcome else _as_no_tensor)
        elif outcome and not classes & _TENSOR_CLASSES:
            self._narrow(subject, _as_something_else)

    def _class_names(self, node: ast.expr) -> set[str]:
        nodes = node.elts if isinstance(node, (ast.Tuple, ast.List, ast.Set)) else [node]
        return {api_name(self.frame.scope.value(element)) for element in nodes}

    def _narrow(self, node: ast.expr, narrowing: Callable[[Value], Value]) -> None:
        if isinstance(node, ast.NamedExpr):
            node = node.target
        if isinstance(node, ast.Name):
            found = self.frame.environment.names.get(node.id)
            if found is not None:
                self.frame.environment.names[node.id] = narrowing(found)
        elif isinstance(node, ast.Subscript) and isinstance(self.frame.scope.value(node), StaticDim):
            # Looked up where `x.shape[0]` is read again; good enough, as few assign to `x` in between.
            self.frame.environment.names[ast.unparse(node)] = narrowing(StaticDim())
        elif isinstance(node, ast.Attribute):
            receiver = self.frame.scope.value(node.value)
            if isinstance(receiver, Instance) and receiver.cls is not None:
                self.heap[receiver.cls, node.attr] = narrowing(self.frame.scope.value(node))


def _as_container(value: Value) -> Value:
    if isinstance(value, Tensor) and value.nest:
        return Container(value)
    return value


def _as_single(value: Value) -> Value:
    return replace(value, nest=False) if isinstance(value, Tensor) else value


def _as_no_tensor(value: Value) -> Value:
    return UNKNOWN if isinstance(value, Tensor) and value.nest else value


def _shape_of_rank(node: ast.expr) -> ast.expr | None:
    """The shape whose length an expression asks for, as `len(shape)` or `shape.rank`; None for anything else."""
    if isinstance(node, ast.Attribute) and node.attr in {"rank", "ndims"}:
        return node.value
    is_length = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len" and node.args
    return node.args[0] if is_length and isinstance(node, ast.Call) else None


def _tensor_of_shape(node: ast.expr) -> ast.expr:
    """The tensor of `x.shape`, of a list of it, or of a slice of it; else the expression itself."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "list" and node.args:
        return _tensor_of_shape(node.args[0])
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "as_list":
        return _tensor_of_shape(node.func.value)
    whole = node.value if isinstance(node, ast.Subscript) else node
    return whole.value if isinstance(whole, ast.Attribute) and whole.attr == "shape" else node


def _of_known_size(value: Value) -> Value:
    return replace(value, batch=False) if isinstance(value, (Tensor, Shape)) else value


def _as_something_else(value: Value) -> Value:
    return UNKNOWN if isinstance(value, Tensor) else value


def _as_tensor(value: Value) -> Value:
    return Tensor() if value is UNKNOWN else _as_single(value)
