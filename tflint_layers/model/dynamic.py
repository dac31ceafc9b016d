"""The argument ``dynamic``: where a layer is made with it, and whether what the layer runs needs it."""

from __future__ import annotations

import ast

from tflint_layers.model import api
from tflint_layers.model.classes import ClassInfo
from tflint_layers.model.effects import effect
from tflint_layers.model.scopes import Phase, Scope
from tflint_layers.model.syntax import children, last_name
from tflint_layers.model.values import (
    UNKNOWN,
    Api,
    Array,
    Class,
    Container,
    Function,
    Instance,
    Method,
    Shape,
    Tensor,
    Value,
    Variable,
    alternatives,
    is_static,
    literal,
    may_be_symbolic,
)

NAME = "dynamic"
# How the argument stands in a file that gives it: many files have the word for something else.
WORDS = (*(b"dynamic" + b" " * spaces + b"=" for spaces in range(4)), b'"dynamic', b"'dynamic")
_NEEDS_NUMBERS = frozenset(
    {
        f"builtins.{name}"
        for name in ("int", "float", "bool", "len", "range", "max", "min", "sum", "any", "all", "round")
    }
    | {"builtins.sorted", "builtins.str", "builtins.repr", "builtins.format", "builtins.abs", "builtins.pow"}
)
_HARMLESS_BUILTINS = _NEEDS_NUMBERS | {
    f"builtins.{name}"
    for name in ("isinstance", "super", "zip", "enumerate", "list", "tuple", "dict", "getattr", "hasattr", "reversed")
}
_HARMLESS_METHODS = frozenset({"call", "build", "add_loss", "get_config", "compute_mask"})
_PYTHON_STATEMENTS = (ast.Try, ast.Global, ast.Nonlocal, ast.Delete, ast.Match, ast.Yield, ast.YieldFrom, ast.Await)


def argument(scope: Scope, node: ast.AST) -> ast.expr | None:
    """What ``dynamic`` is where the node hands it to the constructor of a Keras class; None where it does not."""
    if isinstance(node, ast.Call):
        given = next(filter(None, map(_given, node.keywords)), None)
        if given is not None:
            return given if _makes_layer(scope, node.func) else None
        return node.args[1] if _sets_default(scope, node) and _passes_on(scope) else None
    if isinstance(node, ast.Assign) and _sets_item(node) and _passes_on(scope):
        return node.value
    return None


def _given(keyword: ast.keyword) -> ast.expr | None:
    """What ``dynamic`` is in a keyword argument, or in a dict that is spelled out: `**{"dynamic": True, **rest}`."""
    if keyword.arg is not None:
        return keyword.value if keyword.arg == NAME else None
    if isinstance(keyword.value, ast.Dict):
        entries = zip(keyword.value.keys, keyword.value.values, strict=True)
        return next((value for key, value in entries if key is not None and literal(key) == NAME), None)
    if not isinstance(keyword.value, ast.Call) or last_name(keyword.value) != "dict":
        return None
    return next(filter(None, map(_given, keyword.value.keywords)), None)


def _makes_layer(scope: Scope, callee: ast.expr) -> bool:
    value = scope.value(callee)
    if isinstance(value, Class):
        constructor = value.cls.method("__init__")
        return api.is_traced_role(value.cls.role) and (
            constructor is None or (constructor.node.args.kwarg is not None and not constructor.accepts(NAME))
        )
    name = scope.api_name(callee)
    if name.endswith(".__init__"):
        return scope.layer is not None and api.is_traced_role(scope.layer.role)
    return api.is_traced_role(api.class_role(name))


def _keyword_parameter(scope: Scope) -> str | None:
    kwarg = scope.function.node.args.kwarg if scope.function is not None else None
    return kwarg.arg if kwarg is not None else None


def _sets_item(node: ast.Assign) -> bool:
    target = node.targets[0]
    return isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name) and literal(target.slice) == NAME


def _sets_default(scope: Scope, node: ast.Call) -> bool:
    return (
        isinstance(node.func, ast.Attribute)
        and node.func.attr == "setdefault"
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == _keyword_parameter(scope)
        and len(node.args) == 2
        and literal(node.args[0]) == NAME
    )


def _passes_on(scope: Scope) -> bool:
    """Whether the function hands its own keyword arguments to the constructor of a Keras class."""
    own = _keyword_parameter(scope)
    return own is not None and any(
        isinstance(node, ast.Call)
        and any(k.arg is None and isinstance(k.value, ast.Name) and k.value.id == own for k in node.keywords)
        and _makes_layer(scope, node.func)
        for node in list(scope.values)
    )


def made_dynamic(scope: Scope, node: ast.AST) -> ClassInfo | None:
    """The project's layer class that the node makes dynamic for sure."""
    value = argument(scope, node)
    if value is None or literal(value) is not True:
        return None
    callee = scope.value(node.func) if isinstance(node, ast.Call) else UNKNOWN
    if isinstance(callee, Class):
        return callee.cls
    return scope.function.cls if scope.function is not None else None


def run_eagerly(scopes: list[Scope]) -> frozenset[ClassInfo]:
    """The classes of layers that make themselves dynamic, so that Keras 2 runs them, and what they call, eagerly."""
    setting_up = [scope for scope in scopes if scope.keras == 2 and scope.phase is Phase.INIT]
    speaking = {module for module in {scope.module for scope in setting_up} if NAME in module.source.text}
    made = (made_dynamic(scope, node) for scope in setting_up if scope.module in speaking for node in scope.values)
    return frozenset(cls for cls in made if cls is not None)


def runs_as_graph(scope: Scope, cls: ClassInfo) -> bool:
    """Whether nothing that the class and its subclasses run when they are called needs Python at each call.

    Sure by construction: any node that is not understood makes the answer no.
    """
    traced = traced_scopes(scope, cls)
    return bool(traced) and all(_is_graph_code(one, node) for one in traced for node in one.values)


def updates_weights(scope: Scope, cls: ClassInfo) -> bool:
    """Whether the class assigns to weights when it is called."""
    return any(
        isinstance(value, Method) and isinstance(value.receiver, Variable) and value.name in api.VARIABLE_UPDATES
        for one in traced_scopes(scope, cls)
        for value in one.values.values()
    )


def traced_scopes(scope: Scope, cls: ClassInfo) -> list[Scope]:
    """The evaluations of what calls of a class, and of its subclasses, reach."""
    return [one for one in scope.everything(Phase.CALL) if one.layer is not None and cls in one.layer.ancestry]


def _is_graph_code(scope: Scope, node: ast.AST) -> bool:
    if isinstance(node, _PYTHON_STATEMENTS):
        return False
    if isinstance(node, ast.Call):
        return all(_is_graph_call(scope, node, callee) for callee in alternatives(scope.value(node.func)))
    if isinstance(node, (ast.If, ast.IfExp, ast.While, ast.Assert)):
        return is_static(scope.value(node.test))
    if isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
        return _is_python_sequence(scope.value(node.iter))
    if isinstance(node, (ast.BoolOp, ast.FormattedValue, ast.Starred)):
        return not any(may_be_symbolic(scope.value(child)) for child in children(node))
    if isinstance(node, ast.Compare) and any(isinstance(operator, (ast.In, ast.NotIn)) for operator in node.ops):
        return is_static(scope.value(node.left))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return not may_be_symbolic(scope.value(node.operand))
    if isinstance(node, (ast.Assign, ast.AugAssign)):
        return all(_is_graph_target(scope, node, target) for target in _targets(node))
    if isinstance(node, ast.Subscript):
        return not isinstance(scope.value(node.value), Container) or not may_be_symbolic(scope.value(node.slice))
    return True


def _targets(node: ast.Assign | ast.AugAssign) -> list[ast.expr]:
    return node.targets if isinstance(node, ast.Assign) else [node.target]


def _is_graph_target(scope: Scope, node: ast.Assign | ast.AugAssign, target: ast.expr) -> bool:
    if isinstance(target, (ast.Tuple, ast.List)):
        return not may_be_symbolic(scope.value(node.value))
    return isinstance(target, ast.Name)


def _is_python_sequence(value: Value) -> bool:
    return all(isinstance(one, (Container, Shape)) for one in alternatives(value))


def _is_graph_call(scope: Scope, node: ast.Call, callee: Value) -> bool:
    arguments = [scope.value(argument) for argument in [*node.args, *(keyword.value for keyword in node.keywords)]]
    if isinstance(callee, Function):
        return True
    if isinstance(callee, Instance):
        return callee.cls is not None or api.layer_result(callee.name) is not None
    if isinstance(callee, Method):
        return _is_graph_method(callee)
    if not isinstance(callee, Api) or effect(callee.name) is not None:
        return False
    if callee.name.startswith("builtins."):
        needs_numbers = callee.name in _NEEDS_NUMBERS and any(may_be_symbolic(value) for value in arguments)
        return callee.name in _HARMLESS_BUILTINS and not needs_numbers
    if callee.name.startswith(("numpy.", "math.")):
        return all(is_static(value) for value in arguments)
    return api.returns_graph_value(callee.name, scope.keras)


def _is_graph_method(callee: Method) -> bool:
    receiver = callee.receiver
    if isinstance(receiver, Tensor):
        return callee.name in {"get_shape", "set_shape"}
    if isinstance(receiver, Variable):
        return callee.name in api.VARIABLE_TENSORS
    if isinstance(receiver, Container):
        return not receiver.origin
    if isinstance(receiver, Instance):
        return callee.name in _HARMLESS_METHODS
    return isinstance(receiver, (Shape, Array)) or is_static(receiver)
