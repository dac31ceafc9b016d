"""Loops over tensors as operations of the graph that do the same, step by step and in the same order."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tflint_layers.model.scopes import Scope
from tflint_layers.model.syntax import walk
from tflint_layers.model.values import Tensor, constant_of, is_symbolic, literal
from tflint_layers.rewrite.conditions import condition
from tflint_layers.rewrite.dtypes import Kind, kind_of
from tflint_layers.rewrite.library import Library
from tflint_layers.rewrite.plan import Plan, Text

_SYMBOLS: dict[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**", ast.MatMult: "@",
}  # fmt: skip
# What makes another shape of its argument, so that a loop could not keep the shape of its state.
_RESHAPING = frozenset(
    {"concat", "concatenate", "stack", "pad", "tile", "repeat", "expand_dims", "reshape", "squeeze", "boolean_mask"}
    | {"unstack", "split", "append", "hstack", "vstack", "gather", "transpose", "cast"}
)
_REDUCING = ("reduce_", "sum", "mean", "max", "min", "norm", "cast", "abs", "square", "sqrt", "exp", "tanh", "add_n")
_ROWS = frozenset({"tensorflow.data.Dataset.from_tensor_slices"})


@dataclass(frozen=True)
class _State:
    """What a loop carries from step to step: a name, the statement that updates it, and what it becomes."""

    name: str
    value: ast.expr
    prefix: str = ""

    def text(self, plan: Plan) -> str:
        return f"{self.prefix}{plan.atom(self.value)}" if self.prefix else plan.text(self.value)


def plan_for(scope: Scope, plan: Plan, library: Library, loop: ast.For) -> bool:
    """A `for` over a tensor, or over `range` of one, that only updates names or collects what is stacked afterwards."""
    if loop.orelse or not isinstance(loop.target, ast.Name) or _names_after(scope, loop, {loop.target.id}):
        return False
    if _plan_collect(scope, plan, library, loop, loop.target.id):
        return True
    state = _state(scope, plan, loop.body)
    if state is None or not all(_keeps_shape(scope, loop, one) for one in state) or _depend(state):
        return False
    target = loop.target.id
    return _plan_count(scope, plan, library, loop, state, target) or _plan_fold(
        scope, plan, library, loop, state, target
    )


def _plan_collect(scope: Scope, plan: Plan, library: Library, loop: ast.For, target: str) -> bool:
    """`rows.append(f(row))`, and `tf.stack(rows)` behind the loop: one operation over the rows."""
    append = loop.body[0].value if len(loop.body) == 1 and isinstance(loop.body[0], ast.Expr) else None
    if not isinstance(append, ast.Call) or not isinstance(append.func, ast.Attribute) or append.func.attr != "append":
        return False
    rows, collected = append.func.value, append.args[0]
    if not isinstance(rows, ast.Name) or kind_of(scope, collected) in {Kind.INT, Kind.BOOL}:
        return False
    block = scope.block(loop)
    start = block[block.index(loop) - 1] if block.index(loop) else None
    stack = _stack_of(scope, loop, rows)
    if stack is None or not isinstance(start, ast.Assign) or ast.unparse(start) != f"{rows.id} = []":
        return False
    function, name = library.name("map"), rows.id
    over = _numbers(scope, plan, library, loop, collected, target)
    if over is None and not (is_symbolic(scope.value(loop.iter)) or plan.is_tensor(loop.iter)):
        return False

    def text() -> str:
        elements = over() if over is not None else plan.argument(loop.iter)
        new = f"{name} = {function}(lambda {target}: {plan.argument(collected)}, {elements})"
        return plan.with_comments(start, loop, new)

    plan.put_between(start, loop, text)
    plan.put(stack, lambda: name)
    return True


def _stack_of(scope: Scope, loop: ast.For, rows: ast.Name) -> ast.Call | None:
    """The one use of the collected rows, if it stacks them."""
    uses = [use for use in scope.uses(rows.id) if use is not rows]
    stack = scope.parent(uses[0]) if len(uses) == 1 and uses[0].lineno > loop.lineno else None
    if not isinstance(stack, ast.Call) or len(stack.args) != 1:
        return None
    first = all(keyword.arg == "axis" and literal(keyword.value) == 0 for keyword in stack.keywords)
    stacks = scope.api_name(stack.func).rpartition(".")[2] in {"stack", "convert_to_tensor"}
    return stack if first and stacks else None


def _numbers(
    scope: Scope, plan: Plan, library: Library, loop: ast.For, collected: ast.expr, target: str
) -> Text | None:
    """The numbers that a loop over `range` steps through; `map_fn` must be told the dtype of what they index."""
    bounds = loop.iter
    if not isinstance(bounds, ast.Call) or bounds.keywords:
        return None
    if scope.api_name(bounds.func) not in {"builtins.range", "tensorflow.range", "keras.ops.arange"}:
        return None
    if library.keras:
        return lambda: f"{library.ops}.arange({plan.arguments(bounds)})"
    indexed = [
        node.value.id
        for node in walk(collected)
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and target in _loaded([node.slice])
    ]
    if not indexed:
        return None
    name = library.tensorflow
    return lambda: f"{name}.range({plan.arguments(bounds)}), fn_output_signature={indexed[0]}.dtype"


def _plan_count(scope: Scope, plan: Plan, library: Library, loop: ast.For, state: list[_State], target: str) -> bool:
    """Over numbers: `keras.ops.fori_loop`, or `tf.foldl` over `tf.range`."""
    bounds = loop.iter
    if not isinstance(bounds, ast.Call) or bounds.keywords or not 0 < len(bounds.args) <= 2:
        return False
    name = scope.api_name(bounds.func)
    if name not in {"builtins.range", "tensorflow.range", "keras.ops.arange"}:
        return False
    index = target if _reads(loop.body, target) else "_"
    if not library.keras:
        range_name = f"{library.tensorflow}.range"
        if name == "builtins.range":
            plan.put(bounds.func, lambda: range_name)
        _put_fold(plan, library, loop, state, index, bounds)
        return True
    function = library.name("fori_loop")
    lower = bounds.args[0] if len(bounds.args) == 2 else None
    upper = bounds.args[-1]

    def call(one: _State) -> str:
        first = plan.argument(lower) if lower is not None else "0"
        step = f"lambda {index}, {one.name}: {one.text(plan)}"
        return f"{function}({first}, {plan.argument(upper)}, {step}, {one.name})"

    _put(plan, loop, state, call)
    return True


def _plan_fold(scope: Scope, plan: Plan, library: Library, loop: ast.For, state: list[_State], target: str) -> bool:
    """Over the rows of a tensor: `tf.foldl`."""
    rows = _rows(scope, loop.iter)
    if library.keras or not (is_symbolic(scope.value(rows)) or plan.is_tensor(rows)):
        return False
    _put_fold(plan, library, loop, state, target if _reads(loop.body, target) else "_", rows)
    return True


def _put_fold(plan: Plan, library: Library, loop: ast.For, state: list[_State], index: str, rows: ast.expr) -> None:
    function = f"{library.tensorflow}.foldl"

    def call(one: _State) -> str:
        return f"{function}(lambda {one.name}, {index}: {one.text(plan)}, {plan.argument(rows)}, {one.name})"

    _put(plan, loop, state, call)


def _rows(scope: Scope, node: ast.expr) -> ast.expr:
    """The tensor whose rows are stepped through; a dataset of slices has the rows of its tensor."""
    is_slices = isinstance(node, ast.Call) and scope.api_name(node.func) in _ROWS and len(node.args) == 1
    return node.args[0] if is_slices and isinstance(node, ast.Call) else node


def plan_while(scope: Scope, plan: Plan, library: Library, loop: ast.While) -> bool:
    """A `while` on a tensor that only updates names from step to step."""
    state = _state(scope, plan, loop.body)
    if loop.orelse or state is None or not all(_keeps_shape(scope, loop, one) for one in state):
        return False
    test = condition(scope, plan, library, loop.test)
    if test is None:
        return False
    function = library.name("while_loop")
    names = ", ".join(one.name for one in state)
    trailing = "," if len(state) == 1 else ""
    indent = " " * loop.col_offset

    def text() -> str:
        results = ", ".join(one.text(plan) for one in state)
        parts = [
            f"lambda {names}: {test()}",
            f"lambda {names}: ({results}{trailing})",
            f"({names}{trailing})",
        ]
        inner = "".join(f"{indent}    {part},\n" for part in parts)
        new = f"({names}{trailing}) = {function}(\n{inner}{indent})"
        return plan.with_comments(loop, loop, new)

    plan.put(loop, text)
    return True


def plan_map(scope: Scope, plan: Plan, library: Library, mapped: ast.expr) -> bool:
    """`tf.stack([f(row) for row in x])`, or the same with `map`, to one operation over the rows."""
    stack = scope.parent(mapped)
    if not isinstance(stack, ast.Call) or len(stack.args) != 1 or stack.keywords:
        return False
    if scope.api_name(stack.func).rpartition(".")[2] not in {"stack", "convert_to_tensor"}:
        return False
    function = library.name("map")
    if isinstance(mapped, ast.ListComp):
        return _plan_comprehension(scope, plan, mapped, stack, function)
    inner = mapped.args[0] if isinstance(mapped, ast.Call) and len(mapped.args) == 1 else None
    if not isinstance(inner, ast.Call) or scope.api_name(inner.func) != "builtins.map" or len(inner.args) != 2:
        return False
    body, rows = inner.args
    plan.put(stack, lambda: f"{function}({plan.argument(body)}, {plan.argument(rows)})")
    return True


def _plan_comprehension(scope: Scope, plan: Plan, mapped: ast.ListComp, stack: ast.Call, function: str) -> bool:
    generator = mapped.generators[0]
    if len(mapped.generators) != 1 or generator.ifs or not isinstance(generator.target, ast.Name):
        return False
    if kind_of(scope, mapped.elt) in {Kind.INT, Kind.BOOL}:
        return False  # `map_fn` takes the dtype of the rows for that of the results
    row, rows = generator.target.id, generator.iter
    plan.put(stack, lambda: f"{function}(lambda {row}: {plan.text(mapped.elt)}, {plan.argument(rows)})")
    return True


# --- the state of a loop ---------------------------------------------------------------------------------------------


def _state(scope: Scope, plan: Plan, body: list[ast.stmt]) -> list[_State] | None:
    """What the body updates; None where it does anything else, or one update needs another of the same step."""
    found: list[_State] = []
    for statement in body:
        one = _update(statement)
        if one is None or one.name in {other.name for other in found}:
            return None
        if {other.name for other in found} & _loaded([one.value]):
            return None
        if any(isinstance(node, (ast.NamedExpr, ast.Yield, ast.Await, ast.Lambda)) for node in walk(statement)):
            return None
        found.append(one)
    return found or None


def _depend(state: list[_State]) -> bool:
    """Whether one update needs another name of the loop, so that each cannot have a loop of its own."""
    return any(_loaded([one.value]) & {other.name for other in state if other is not one} for one in state)


def _update(statement: ast.stmt) -> _State | None:
    if isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
        symbol = _SYMBOLS.get(type(statement.op))
        return _State(statement.target.id, statement.value, f"{statement.target.id} {symbol} ") if symbol else None
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
        return _State(target.id, statement.value) if isinstance(target, ast.Name) else None
    return None


def _keeps_shape(scope: Scope, loop: ast.stmt, one: _State) -> bool:
    """Whether the state surely, or by its looks, has one shape and dtype at every step."""
    start = _start(scope, loop, one.name)
    if start is None:
        return False
    if not one.prefix and one.name not in _loaded([one.value]):
        return False  # it is replaced, and not carried on: its first value may be of any shape
    kind = kind_of(scope, one.value)
    literal = constant_of(scope.value(start)) if isinstance(start, (ast.Constant, ast.UnaryOp)) else None
    if isinstance(literal, (bool, int)) and kind is not Kind.INT:
        return False
    if isinstance(literal, float):
        return kind is not Kind.INT and _is_scalar(scope, one.value, one.name)
    calls = [node for node in walk(one.value) if isinstance(node, ast.Call)]
    names = {scope.api_name(call.func).rpartition(".")[2] for call in calls if one.name in _loaded(call.args[:1])}
    return not names & _RESHAPING


def _is_scalar(scope: Scope, node: ast.expr, state: str) -> bool:
    """Whether the expression has no axes, given that the state has none."""
    if isinstance(node, ast.Name) and node.id == state:
        return True
    if isinstance(node, ast.Constant):
        return True
    if isinstance(node, ast.BinOp):
        return _is_scalar(scope, node.left, state) and _is_scalar(scope, node.right, state)
    if isinstance(node, ast.UnaryOp):
        return _is_scalar(scope, node.operand, state)
    if isinstance(node, ast.Call) and node.args:
        last = scope.api_name(node.func).rpartition(".")[2]
        reduces = last.startswith("reduce_") or last in {"sum", "mean", "max", "min", "prod", "norm"}
        if reduces:
            return len(node.args) == 1 and not node.keywords
        return last.startswith(_REDUCING) and _is_scalar(scope, node.args[0], state)
    value = scope.value(node)
    return isinstance(node, ast.Attribute) and not isinstance(value, Tensor)


def _start(scope: Scope, loop: ast.stmt, name: str) -> ast.expr | None:
    """What the name holds when the loop begins; the loop itself stands for a parameter."""
    root = scope.function.node if scope.function is not None else scope.module.source.tree
    assigned = [
        node.value
        for node in walk(root)
        if isinstance(node, ast.Assign)
        and node.lineno < loop.lineno
        and any(isinstance(target, ast.Name) and target.id == name for target in node.targets)
    ]
    if assigned:
        return assigned[-1]
    is_parameter = scope.function is not None and scope.function.accepts(name)
    return ast.Name(name, ast.Load()) if is_parameter else None


def _loaded(nodes: Iterable[ast.AST]) -> set[str]:
    return {
        node.id
        for root in nodes
        for node in walk(root)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }


def _reads(body: list[ast.stmt], name: str) -> bool:
    return name in _loaded(body)


def _names_after(scope: Scope, loop: ast.stmt, names: set[str]) -> bool:
    """Whether code behind the loop reads one of the names."""
    root = scope.function.node if scope.function is not None else scope.module.source.tree
    last = loop.end_lineno or loop.lineno
    return any(
        isinstance(node, ast.Name) and node.id in names and isinstance(node.ctx, ast.Load) and node.lineno > last
        for node in walk(root)
    )


# --- texts -----------------------------------------------------------------------------------------------------------


def _put(plan: Plan, loop: ast.For, state: list[_State], call: Callable[[_State], str]) -> None:
    indent = "\n" + " " * loop.col_offset

    def text() -> str:
        new = indent.join(f"{one.name} = {call(one)}" for one in state)
        return plan.with_comments(loop, loop, new)

    plan.put(loop, text)
