"""What decorators do to functions, as far as their names tell."""

from __future__ import annotations

import ast

from tflint_layers.model import callbacks
from tflint_layers.model.classes import FunctionInfo, ModuleInfo
from tflint_layers.model.values import literal


def autograph_of(info: FunctionInfo) -> bool | None:
    """What the decorators of a function say: AutoGraph on (True), off (False), or as for the caller (None)."""
    for decorator in info.decorators:
        name, keywords = _applied(decorator, info.module)
        if name in callbacks.TRACING_DECORATORS:
            return not any(k.arg == "autograph" and literal(k.value) is False for k in keywords)
        if name in callbacks.UNCONVERTED_DECORATORS:
            return False
    return None


def below_tracing(info: FunctionInfo) -> list[ast.expr] | None:
    """The decorators below the one that has TensorFlow trace the function; None where none does."""
    for index, decorator in enumerate(info.decorators):
        if _applied(decorator, info.module)[0] in callbacks.TRACING_DECORATORS:
            return info.decorators[index + 1 :]
    return None


def made_tensors(info: FunctionInfo, skip: int) -> set[str]:
    """The parameters that a signature makes one tensor each, whatever they are given; it leaves out the first few."""
    for decorator in info.decorators:
        _, keywords = _applied(decorator, info.module)
        for keyword in keywords:
            if keyword.arg in callbacks.SIGNATURES and isinstance(keyword.value, (ast.List, ast.Tuple)):
                pairs = zip(info.parameters[skip:], keyword.value.elts, strict=False)
                return {parameter.arg for parameter, spec in pairs if _is_tensor_spec(spec, info.module)}
    return set()


def _is_tensor_spec(node: ast.expr, module: ModuleInfo) -> bool:
    return isinstance(node, ast.Call) and module.dotted(node.func) == "tensorflow.TensorSpec"


def _applied(decorator: ast.expr, module: ModuleInfo) -> tuple[str | None, list[ast.keyword]]:
    """The dotted name of what a decorator applies, and the keyword arguments that go with it."""
    decorator = written_out(decorator, module)
    if not isinstance(decorator, ast.Call):
        return module.dotted(decorator), []
    name = module.dotted(decorator.func)
    if name == "functools.partial" and decorator.args:
        name = module.dotted(decorator.args[0])
    return name, decorator.keywords


def written_out(decorator: ast.expr, module: ModuleInfo) -> ast.expr:
    """The call that a decorator is a module-level name for (`traced = tf.function(..)`), else the decorator."""
    made = module.assigned.get(decorator.id) if isinstance(decorator, ast.Name) else None
    return made if isinstance(made, ast.Call) else decorator


def has_own_gradient(info: FunctionInfo) -> bool:
    """Whether a function gives its result and the function that computes the gradient."""
    return any(info.module.dotted(decorator) in callbacks.GRADIENT_DECORATORS for decorator in info.decorators)


def is_static_method(info: FunctionInfo) -> bool:
    """Whether a method of a class is given no object."""
    return any(isinstance(decorator, ast.Name) and decorator.id == "staticmethod" for decorator in info.decorators)


_BUILTIN_DECORATORS = frozenset({"property", "staticmethod", "classmethod", "cached_property"})


def is_wrapped(info: FunctionInfo) -> bool:
    """Whether an unknown decorator stands between the callers of a function and the function."""
    return any(not is_transparent(decorator, info.module) for decorator in info.decorators)


def is_transparent(decorator: ast.expr, module: ModuleInfo) -> bool:
    """Whether a decorator is known to pass arguments and results on as they are."""
    decorator = written_out(decorator, module)
    node = decorator.func if isinstance(decorator, ast.Call) else decorator
    if isinstance(node, ast.Name) and node.id in _BUILTIN_DECORATORS:
        return True
    if isinstance(node, ast.Attribute) and node.attr in {"setter", "getter", "deleter"}:
        return True
    name = module.dotted(node)
    return name is not None and callbacks.is_transparent(name)
