"""What a layer makes once, for code that makes it at each call: statements in ``__init__`` or ``build``."""

from __future__ import annotations

import ast

from tflint_layers.finding import Edit, Fix, Safety
from tflint_layers.model.classes import ClassInfo
from tflint_layers.model.scopes import Scope
from tflint_layers.model.syntax import statements, walk
from tflint_layers.model.values import Variable, literal

_NEW = {
    "__init__": "def __init__(self, **kwargs):\n{indent}    super().__init__(**kwargs)\n{indent}    {statement}",
    "build": "def build(self, input_shape):\n{indent}    {statement}",
}


def set_up(cls: ClassInfo, method: str, statement: str) -> Edit:
    """Put a statement at the end of a class's ``__init__`` or ``build``, which is made where there is none."""
    source = cls.module.source
    function = cls.methods.get(method)
    if function is not None and not isinstance(function.node, ast.Lambda):
        last = function.node.body[-1]
        line = last.end_lineno or last.lineno
        at = source.offset(line, 0) + len(source.lines[line - 1].encode(source.encoding))
        return Edit(at, at, f"{' ' * last.col_offset}{statement}\n")
    first = next((node for node in cls.node.body if isinstance(node, ast.FunctionDef)), cls.node.body[-1])
    line = min([first.lineno, *(decorator.lineno for decorator in getattr(first, "decorator_list", []))])
    at = source.offset(line, 0)
    indent = " " * first.col_offset
    return Edit(at, at, f"{indent}{_NEW[method].format(indent=indent, statement=statement)}\n\n")


def initial(cls: ClassInfo, attribute: str) -> ast.Assign | None:
    """The one assignment that gives an attribute its first value in ``__init__``."""
    function = cls.methods.get("__init__")
    found = [
        node
        for node in statements(getattr(function.node, "body", []) if function is not None else [])
        if isinstance(node, ast.Assign) and any(_is_own(target, attribute) for target in node.targets)
    ]
    return found[0] if len(found) == 1 and len(found[0].targets) == 1 else None


def in_weight(scope: Scope, node: ast.expr | ast.stmt) -> Fix | None:
    """Suggest a weight for an attribute that starts as 0 or 1 and is written in traced code."""
    step, cls = _step(scope, node), scope.layer
    if step is None or cls is None or cls.module is not scope.module:
        return None
    target, method, value = step
    start = initial(cls, target.attr)
    first = literal(start.value) if start is not None else None
    if start is None or first not in {0, 1} or isinstance(first, bool):
        return None
    dtype = "int32" if isinstance(first, int) else "float32"
    weight = (
        f'self.add_weight(name="{target.attr}", shape=(), initializer="{"ones" if first else "zeros"}", '
        f'dtype="{dtype}", trainable=False)'
    )
    source = scope.module.source
    text = f"{source.segment(target)}.{method}({source.segment(value)})"
    edits = (Edit(*source.span(start.value), weight), Edit(*source.span(node), text))
    message = f"keep it in a weight: `self.{target.attr} = {weight}` in `__init__`, and `{text}` here"
    return Fix(message, Safety.SUGGESTION, edits)


def assigned(scope: Scope, node: ast.expr | ast.stmt) -> Fix | None:
    """Suggest to assign to a weight where the code puts a tensor in its place."""
    step, cls = _step(scope, node), scope.layer
    if step is None or cls is None or not isinstance(scope.declared(cls).get(step[0].attr), Variable):
        return None
    target, method, value = step
    source = scope.module.source
    text = f"{source.segment(target)}.{method}({source.segment(value)})"
    return Fix(f"assign to the weight: `{text}`", Safety.SUGGESTION, (Edit(*source.span(node), text),))


def local(scope: Scope, node: ast.expr | ast.stmt) -> Fix | None:
    """Suggest a local name for an attribute that no other code reads."""
    step, cls, function = _step(scope, node), scope.layer, scope.function
    if step is None or cls is None or function is None or not isinstance(node, ast.Assign):
        return None
    name = step[0].attr
    taken = {n.id for n in walk(function.node) if isinstance(n, ast.Name)} | {p.arg for p in function.parameters}
    if name in taken or reads_elsewhere(cls, name, function.node):
        return None
    source = scope.module.source
    uses = [n for n in walk(function.node) if isinstance(n, ast.Attribute) and _is_own(n, name)]
    if any(use.lineno < node.lineno for use in uses if isinstance(use.ctx, ast.Load)):
        return None  # what an earlier call left is read first
    edits = tuple(Edit(*source.span(use), name) for use in uses)
    text = f"{name} = {source.segment(node.value)}"
    return Fix(f"nothing else in this file reads it, so a local name will do: `{text}`", Safety.SUGGESTION, edits)


def _step(scope: Scope, node: ast.stmt | ast.expr) -> tuple[ast.Attribute, str, ast.expr] | None:
    """The attribute that is written, the method of a weight that does it, and what it is given."""
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Attribute):
        method = {ast.Add: "assign_add", ast.Sub: "assign_sub"}.get(type(node.op))
        return (node.target, method, node.value) if method is not None else None
    if not isinstance(node, ast.Assign) or len(node.targets) > 1 or not isinstance(node.targets[0], ast.Attribute):
        return None
    target, value = node.targets[0], node.value
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add) and scope.text(value.left) == scope.text(target):
        return target, "assign_add", value.right
    return target, "assign", value


def needs_locals(scope: Scope, node: ast.expr) -> bool:
    """Whether an expression reads names of the function that it stands in, other than ``self``."""
    root = scope.function.node if scope.function is not None else None
    bound = {n.id for n in walk(root) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)} if root else set()
    if root is not None:
        arguments = root.args
        bound |= {a.arg for a in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]}
    return any(isinstance(n, ast.Name) and n.id in bound - {"self"} for n in walk(node))


def reads_elsewhere(cls: ClassInfo, attribute: str, function: ast.AST) -> bool:
    """Whether code outside of a function names an attribute, but to give it a first value."""
    inside = set(walk(function))
    start = cls.methods.get("__init__")
    inside |= set(walk(start.node)) if start is not None else set()
    return any(
        isinstance(node, ast.Attribute) and node.attr == attribute and node not in inside
        for node in walk(cls.module.source.tree)
    )


def _is_own(node: ast.expr, attribute: str) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and node.attr == attribute
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    )
