"""Demands: the places where Python asks of a tensor what only the running graph could answer.

Each function yields the demands of one kind that a node makes: of a branch for a truth value, of a loop for elements,
of NumPy for numbers. They fail while a graph is traced, whether in `call` or in the `build` that Keras 3 runs there.
"""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tflint_layers.model import api
from tflint_layers.model.scopes import Phase, Scope
from tflint_layers.model.syntax import walk
from tflint_layers.model.values import (
    UNKNOWN,
    Array,
    Container,
    Instance,
    Method,
    Shape,
    Static,
    Tensor,
    Value,
    Variable,
    alternatives,
    constant_of,
    is_single_tensor,
    is_symbolic,
    may_be_symbolic,
    without_none,
)


@dataclass(frozen=True)
class Demand:
    """``node`` asks something of ``subject``. ``suspect``: only a trace can tell whether that is a tensor."""

    node: ast.expr | ast.stmt
    subject: ast.expr
    suspect: bool = False


Find = Callable[[Scope, ast.AST], Iterator[Demand]]
_CONVERSIONS = re.compile(r"%(?:\((\w+)\))?[-+ #0]*(?:\*|\d+)?(?:\.(?:\*|\d+))?[hlL]?([a-zA-Z%])")
_FORMATTING = frozenset({"builtins.format", ".format"})
# What compares the values that it is given.
ORDERING = frozenset({"builtins.max", "builtins.min", "builtins.sorted"})
_NUMBER_CONVERSIONS = frozenset("diouxXeEfFgGc")


def may_be_read(attribute: str) -> bool:
    """Whether the name of an attribute is one by which numbers are handed out, of tensors or of arrays."""
    return attribute in api.HOST_METHODS or attribute in api.FOREIGN_METHODS


def reads(scope: Scope, node: ast.AST) -> Iterator[Demand]:
    """Methods and functions that hand out the numbers of a tensor; the subject is the tensor."""
    if isinstance(node, ast.Attribute) and node.attr in api.HOST_METHODS:
        receiver = without_none(scope.value(node.value))  # None has no such method either
        parent = scope.parent(node)
        called = parent if isinstance(parent, ast.Call) and parent.func is node else None
        if is_symbolic(receiver):
            yield Demand(called or node, node.value)
        elif receiver is UNKNOWN and node.attr == "numpy" and called is not None and not called.args:
            yield Demand(called, node.value, suspect=True)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Call) and _reads_through_getattr(scope, node.func):
        yield Demand(node, node.func.args[0])
    elif (
        isinstance(node, ast.Call)
        and node.args
        and scope.api_name(node.func) in api.HOST_FUNCTIONS
        and is_symbolic(scope.value(node.args[0]))
        and not _is_lifted(scope, node)
    ):
        yield Demand(node, node.args[0])


def foreign_methods(scope: Scope, node: ast.AST) -> Iterator[Demand]:
    """Methods that arrays have to hand out their numbers; tensors do not have them in eager mode either."""
    if isinstance(node, ast.Attribute) and node.attr in api.FOREIGN_METHODS and is_symbolic(scope.value(node.value)):
        parent = scope.parent(node)
        yield Demand(parent if isinstance(parent, ast.Call) and parent.func is node else node, node.value)


def _reads_through_getattr(scope: Scope, node: ast.Call) -> bool:
    """Whether a call gives the method that hands out the numbers of a tensor: `getattr(x, "numpy")`."""
    method = scope.value(node)
    found = isinstance(method, Method) and method.name in api.HOST_METHODS and is_symbolic(method.receiver)
    return found and scope.api_name(node.func) == "builtins.getattr"


def _is_lifted(scope: Scope, node: ast.Call) -> bool:
    """Whether Keras 2 reads a weight under `tf.init_scope`, outside of the graph, which works."""
    is_weight = isinstance(scope.value(node.args[0]), Variable)
    return scope.keras == 2 and is_weight and scope.api_name(node.func) in api.LIFTED_READS


def peeks(scope: Scope, node: ast.AST) -> Iterator[Demand]:
    """Functions that give the numbers of a tensor in eager mode and None while tracing, on what depends on the data."""
    if not isinstance(node, ast.Call) or scope.api_name(node.func) not in api.PEEKING_FUNCTIONS:
        return
    if node.args and _depends_on_data(scope, node.args[0]):
        yield Demand(node, node.args[0])


def _depends_on_data(scope: Scope, node: ast.expr) -> bool:
    value = scope.value(node)
    if not isinstance(value, Tensor) or value.eager:
        return False
    if value.batch:
        return True
    if isinstance(node, ast.Call):
        is_shape = scope.api_name(node.func).rpartition(".")[2] in api.SHAPE_FUNCTIONS
        return not is_shape and any(_depends_on_data(scope, argument) for argument in node.args)
    return isinstance(node, ast.BinOp) and any(_depends_on_data(scope, side) for side in (node.left, node.right))


# --- truth values ----------------------------------------------------------------------------------------------------


def truths(scope: Scope, node: ast.AST) -> Iterator[Demand]:
    """Branches and operators that need to know whether a tensor is true."""
    if isinstance(node, (ast.If, ast.While, ast.IfExp)):
        if not scope.autograph:
            yield from _undecided(scope, node.test)
    elif isinstance(node, ast.comprehension):
        for condition in node.ifs:
            yield from _undecided(scope, condition)
    elif isinstance(node, (ast.BoolOp, ast.UnaryOp)):
        if not scope.autograph:
            yield from (demand for demand in _undecided_operator(scope, node) if not _in_test(scope, node))
    elif isinstance(node, ast.Compare):
        yield from _undecided_comparison(scope, node)
    elif isinstance(node, ast.Match):
        yield from _undecided_cases(scope, node)
    elif isinstance(node, ast.Call) and scope.api_name(node.func) in {"builtins.any", "builtins.all"}:
        for argument in node.args[:1]:
            if _holds_several(scope.value(argument)):
                yield Demand(node, argument)


def asserts(scope: Scope, node: ast.AST) -> Iterator[Demand]:
    """Assertions about a tensor, which AutoGraph does not convert."""
    if isinstance(node, ast.Assert):
        yield from _undecided(scope, node.test)


def _undecided(scope: Scope, test: ast.expr) -> Iterator[Demand]:
    """The first operand of a condition that is a tensor; the others fail of the same cause."""
    found = [demand for leaf in _operands(test) for demand in _undecided_leaf(scope, leaf)]
    yield from sorted(found, key=lambda demand: demand.suspect)[:1]


def depends_on_tensor(scope: Scope, test: ast.expr) -> bool:
    """Whether a condition surely is, or is put together from, a symbolic tensor."""
    return any(not demand.suspect for demand in _undecided(scope, test))


def _operands(test: ast.expr) -> Iterator[ast.expr]:
    if isinstance(test, ast.BoolOp):
        for operand in test.values:
            yield from _operands(operand)
    elif isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        yield from _operands(test.operand)
    else:
        yield test


def _undecided_leaf(scope: Scope, leaf: ast.expr) -> Iterator[Demand]:
    value = scope.value(leaf)
    if is_symbolic(value):
        yield Demand(leaf, leaf, suspect=_may_be_nest(value))
    elif may_be_symbolic(value):
        yield Demand(leaf, leaf, suspect=True)


def _undecided_operator(scope: Scope, node: ast.BoolOp | ast.UnaryOp) -> Iterator[Demand]:
    if isinstance(node, ast.UnaryOp):
        if isinstance(node.op, ast.Not):
            yield from _undecided(scope, node.operand)
        return
    for operand in node.values[:-1]:  # the last one is passed on as it is
        found = list(_undecided(scope, operand))
        if found:
            yield found[0]
            return


def _in_test(scope: Scope, node: ast.expr) -> bool:
    """Whether the expression is part of a condition, which is judged as a whole."""
    child: ast.AST = node
    for parent in scope.parents(node):
        if isinstance(parent, (ast.If, ast.While, ast.IfExp, ast.Assert)):
            return child is parent.test
        if isinstance(parent, ast.comprehension):
            return child in parent.ifs
        if not isinstance(parent, ast.BoolOp) and not (
            isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not)
        ):
            return False
        if isinstance(parent, ast.BoolOp) and child is not parent.values[-1]:
            return True
        if isinstance(parent, ast.UnaryOp):
            return True
        child = parent
    return False


def _undecided_comparison(scope: Scope, node: ast.Compare) -> Iterator[Demand]:
    if isinstance(node.ops[0], (ast.In, ast.NotIn)):
        yield from _undecided_membership(scope, node)
    elif len(node.ops) > 1 and not scope.autograph:
        for left, right in zip([node.left, *node.comparators], node.comparators[:-1], strict=False):
            subject = next((side for side in (left, right) if is_symbolic(scope.value(side))), None)
            if subject is not None:
                yield Demand(node, subject)
                return


def _undecided_membership(scope: Scope, node: ast.Compare) -> Iterator[Demand]:
    member, group = scope.value(node.left), scope.value(node.comparators[0])
    is_empty = isinstance(group, Container) and group.items == () and group.type != "dict"
    if is_symbolic(member) and not _may_be_nest(member) and isinstance(group, (Container, Static)) and not is_empty:
        if not (isinstance(group, Container) and may_be_symbolic(group.of)):  # `x in [x]` holds by identity
            yield Demand(node, node.left)
    elif is_symbolic(group) and not _may_be_nest(group) and not isinstance(constant_of(member), str):
        yield Demand(node, node.comparators[0])


def _undecided_cases(scope: Scope, node: ast.Match) -> Iterator[Demand]:
    value = scope.value(node.subject)
    if not is_symbolic(value) or _may_be_nest(value):
        return
    for case in node.cases:
        for pattern in walk(case.pattern):
            if isinstance(pattern, ast.MatchValue):
                yield Demand(pattern.value, node.subject)
                return


# --- Python numbers --------------------------------------------------------------------------------------------------


def scalars(scope: Scope, node: ast.AST) -> Iterator[Demand]:
    """Places where Python needs a number, an index or a key of its own and gets a tensor."""
    if isinstance(node, ast.Call):
        yield from _scalar_calls(scope, node)
    elif isinstance(node, ast.Subscript):
        yield from _scalar_items(scope, node)
    elif isinstance(node, (ast.Dict, ast.Set)):
        for key in node.keys if isinstance(node, ast.Dict) else node.elts:
            if key is not None and is_symbolic(scope.value(key)):
                yield Demand(key, key, suspect=_may_be_nest(scope.value(key)))
    elif isinstance(node, ast.FormattedValue):
        if node.format_spec is not None and node.conversion == -1 and is_symbolic(scope.value(node.value)):
            yield Demand(node.value, node.value)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        yield from _percent_fields(scope, node)


def _scalar_calls(scope: Scope, node: ast.Call) -> Iterator[Demand]:
    name = scope.api_name(node.func)
    if name in api.NUMBER_FUNCTIONS or name.startswith("math."):
        if not (scope.autograph and name in api.CONVERTED_FUNCTIONS):
            yield from _scalar_arguments(scope, node, name)
    elif name == "builtins.format" and len(node.args) == 2 and is_symbolic(scope.value(node.args[0])):
        yield Demand(node, node.args[0])
    elif isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        yield from _format_fields(scope, node, node.func.value)


def _scalar_arguments(scope: Scope, node: ast.Call, name: str) -> Iterator[Demand]:
    for argument in node.args:
        value = scope.value(argument)
        if is_symbolic(value):
            yield Demand(node, argument, suspect=_may_be_nest(value))
            return


def _scalar_items(scope: Scope, node: ast.Subscript) -> Iterator[Demand]:
    receivers = alternatives(scope.value(node.value))
    if not all(isinstance(receiver, (Container, Shape, Array)) for receiver in receivers):
        return
    index = node.slice
    # Of Python's own, only arrays have several axes.
    indices = index.elts if isinstance(index, ast.Tuple) and _are_arrays(receivers) else [index]
    for part in (part for one in indices for part in _index_parts(one)):
        if part is not None and is_symbolic(scope.value(part)):
            # What one steps through may be a dict, and this one of its keys.
            yield Demand(node, part, suspect=_may_be_nest(scope.value(part)))
            return


def mixtures(scope: Scope, node: ast.AST) -> Iterator[Demand]:
    """Arithmetic of what are whole numbers in eager mode, and tensors of such where AutoGraph is on, with floats."""
    if not scope.autograph or not isinstance(node, ast.BinOp):
        return
    for side, other in ((node.left, node.right), (node.right, node.left)):
        value = scope.value(side)
        if isinstance(value, Tensor) and value.whole and _may_be_float(scope, other):
            yield Demand(node, side, suspect=not _is_float(scope, other))
            return


def _is_float(scope: Scope, node: ast.expr) -> bool:
    value = scope.value(node)
    if isinstance(value, Static):
        return isinstance(value.constant, float)
    return isinstance(node, ast.Call) and scope.api_name(node.func) == "builtins.float" and is_symbolic(value)


def _may_be_float(scope: Scope, node: ast.expr) -> bool:
    """Whether a value is a float, or a tensor of which the code does not tell of what."""
    value = scope.value(node)
    return _is_float(scope, node) or (isinstance(value, Tensor) and not value.whole and not value.nest)


def _are_arrays(values: tuple[Value, ...]) -> bool:
    return all(isinstance(value, Array) for value in values)


def _index_parts(index: ast.expr) -> list[ast.expr | None]:
    return [index.lower, index.upper, index.step] if isinstance(index, ast.Slice) else [index]


def _format_fields(scope: Scope, node: ast.Call, template: ast.expr) -> Iterator[Demand]:
    text = constant_of(scope.value(template))
    if not isinstance(text, str):
        return
    given = {keyword.arg: keyword.value for keyword in node.keywords}
    given.update({str(index): argument for index, argument in enumerate(node.args)})
    for argument in (given.get(field) for field in _formatted_fields(text)):
        if argument is not None and is_symbolic(scope.value(argument)):
            yield Demand(node, argument)
            return


def _formatted_fields(text: str) -> list[str]:
    """The fields of a `str.format` template that have a format of their own, such as `{:.2f}`."""
    try:
        fields = [field for field in string.Formatter().parse(text) if field[1] is not None]
    except ValueError:
        return []
    return [name or str(index) for index, (_, name, spec, how) in enumerate(fields) if spec and not how]


def _percent_fields(scope: Scope, node: ast.BinOp) -> Iterator[Demand]:
    text = constant_of(scope.value(node.left))
    if not isinstance(text, str):
        return
    kinds = [match[2] for match in _CONVERSIONS.finditer(text) if match[2] != "%"]
    given = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
    for kind, argument in zip(kinds, given, strict=False):
        if kind in _NUMBER_CONVERSIONS and is_symbolic(scope.value(argument)):
            yield Demand(node, argument)
            return


# --- elements --------------------------------------------------------------------------------------------------------


def loops(scope: Scope, node: ast.AST) -> Iterator[Demand]:
    """Loops, unpacking and functions that need the elements of a tensor one by one."""
    if isinstance(node, ast.For):
        if not scope.autograph:
            yield from _elements(scope, node.iter, node.iter)
            if _is_dataset(scope.value(node.iter)):
                yield Demand(node.iter, node.iter)
    elif isinstance(node, ast.comprehension):
        yield from _elements(scope, node.iter, node.iter)
    elif isinstance(node, (ast.Tuple, ast.List)):
        if isinstance(node.ctx, ast.Store):
            yield from (demand for demand in _elements(scope, node, node) if not _fails_before(scope, node))
    elif isinstance(node, ast.Starred):
        if isinstance(node.ctx, ast.Load):
            yield from _elements(scope, node, node.value)
    elif isinstance(node, ast.Call):
        yield from _element_calls(scope, node)


def _elements(scope: Scope, node: ast.expr, subject: ast.expr) -> Iterator[Demand]:
    value = scope.value(subject)
    if is_symbolic(value) or _is_kept_tensor(scope, subject, value):
        yield Demand(node, subject, suspect=_may_be_nest(value))


def _is_kept_tensor(scope: Scope, node: ast.expr, value: Value) -> bool:
    """Whether a value is a tensor with numbers, read in a graph: Python steps through one in eager mode only."""
    is_eager = isinstance(value, Tensor) and value.eager and not value.nest
    return is_eager and scope.phase is Phase.CALL and node not in scope.eager


def _is_dataset(value: Value) -> bool:
    return isinstance(value, Instance) and value.name == "tensorflow.data.Dataset"


def _fails_before(scope: Scope, target: ast.Tuple | ast.List) -> bool:
    """Whether the loop that would unpack its elements into the targets cannot even begin."""
    parent = scope.parent(target)
    return isinstance(parent, (ast.For, ast.comprehension)) and may_be_symbolic(scope.value(parent.iter))


def _element_calls(scope: Scope, node: ast.Call) -> Iterator[Demand]:
    name = scope.api_name(node.func)
    if name not in api.ITERATING_FUNCTIONS:
        return
    converted = scope.autograph and name in api.CONVERTED_FUNCTIONS
    first = 1 if name in api.APPLYING_FUNCTIONS else 0
    for argument in node.args[first : api.SEQUENCES_GIVEN.get(name)]:
        value = scope.value(argument)
        if is_symbolic(value):
            if not converted:
                yield Demand(node, argument, suspect=_may_be_nest(value))
            return
        if name in ORDERING and not node.keywords and _holds_several(value):
            yield Demand(node, argument)
            return
        if name in ORDERING and (key := _key_that_gives_tensor(scope, node)) is not None:
            yield Demand(node, key)
            return


def _key_that_gives_tensor(scope: Scope, node: ast.Call) -> ast.expr | None:
    """What the function gives by which a call puts things in order, where that is a tensor: Python compares two."""
    key = next((keyword.value for keyword in node.keywords if keyword.arg == "key"), None)
    if not isinstance(key, ast.Lambda) or len(node.args) != 1:
        return None
    given = scope.value(node.args[0])
    if isinstance(given, Container) and given.items is not None and len(given.items) < 2:
        return None
    runs = [run for run in scope.everything(scope.phase) if run.function is not None and run.function.node is key]
    return key.body if runs and all(is_single_tensor(run.value(key.body)) for run in runs) else None


def _holds_several(value: Value) -> bool:
    return (
        isinstance(value, Container)
        and value.type != "dict"
        and is_symbolic(value.of)
        and not _may_be_nest(value.of)
        and (value.items is None or len(value.items) > 1)
    )


# --- NumPy -----------------------------------------------------------------------------------------------------------


def conversions(scope: Scope, node: ast.AST) -> Iterator[Demand]:
    """NumPy functions and arrays that need the numbers of a tensor."""
    if isinstance(node, ast.Call):
        name = scope.api_name(node.func)
        if name in api.APPLYING_FUNCTIONS and len(node.args) > 1 and api.needs_numbers(scope.api_name(node.args[0])):
            if _converted(scope.value(node.args[1])) and not is_symbolic(scope.value(node.args[1])):
                yield Demand(node, node.args[1])
        elif api.needs_numbers(name) or _is_array_method(scope.value(node.func)):
            for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
                value = scope.value(argument)
                if _converted(value):
                    yield Demand(node, argument, suspect=isinstance(value, Container) and _may_be_nest(value.of))
                    return
    elif isinstance(node, ast.Assign):
        for target in node.targets:
            is_item = isinstance(target, ast.Subscript) and isinstance(scope.value(target.value), Array)
            if is_item and is_symbolic(scope.value(node.value)):
                yield Demand(node, node.value)
    elif isinstance(node, ast.BinOp) and scope.keras == 3 and scope.is_traced and node not in scope.eager:
        weight = scope.value(node.right)
        if isinstance(weight, Variable) and weight.keras and isinstance(scope.value(node.left), Array):
            yield Demand(node, node.right)


def _is_array_method(callee: Value) -> bool:
    return isinstance(callee, Method) and isinstance(callee.receiver, Array) and callee.name in api.ARRAY_METHODS


def _converted(value: Value) -> bool:
    if isinstance(value, Container):
        items = value.items if value.items is not None else (value.of,)
        return value.type in {"list", "tuple"} and any(_converted(item) for item in items)
    return is_symbolic(value)


# --- items -----------------------------------------------------------------------------------------------------------


def item_writes(scope: Scope, node: ast.AST) -> Iterator[Demand]:
    """Assignments to a part of a tensor."""
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, (ast.Store, ast.Del)):
        value = scope.value(node.value)
        is_key = isinstance(constant_of(scope.value(node.slice)), str)
        if is_symbolic(value) and not (is_key and _may_be_nest(value)):
            yield Demand(node, node.value, suspect=_may_be_nest(value))


NODES: dict[Find, tuple[type[ast.AST], ...]] = {
    reads: (ast.Attribute, ast.Call),
    foreign_methods: (ast.Attribute,),
    truths: (
        ast.If,
        ast.While,
        ast.IfExp,
        ast.comprehension,
        ast.BoolOp,
        ast.UnaryOp,
        ast.Compare,
        ast.Match,
        ast.Call,
    ),
    asserts: (ast.Assert,),
    scalars: (ast.Call, ast.Subscript, ast.Dict, ast.Set, ast.FormattedValue, ast.BinOp),
    loops: (ast.For, ast.comprehension, ast.Tuple, ast.List, ast.Starred, ast.Call),
    conversions: (ast.Call, ast.Assign, ast.BinOp),
    item_writes: (ast.Subscript,),
    mixtures: (ast.BinOp,),
}
# By kind of node: what may find a demand that plain Python makes; mixtures are of what AutoGraph makes of it.
OF_KIND: dict[type[ast.AST], tuple[Find, ...]] = {
    kind: tuple(find for find, kinds in NODES.items() if kind in kinds and find is not mixtures)
    for kind in {kind for kinds in NODES.values() for kind in kinds}
}
# Which calls may make a demand of the kind, by what `Scope.called` says of them.
CALLS: dict[Find, Callable[[str], bool]] = {
    reads: lambda name: not name or name in api.HOST_FUNCTIONS or name in api.PEEKING_FUNCTIONS,
    truths: frozenset({"builtins.any", "builtins.all"}).__contains__,
    scalars: lambda name: name in api.NUMBER_FUNCTIONS or name.startswith("math.") or name in _FORMATTING,
    loops: api.ITERATING_FUNCTIONS.__contains__,
    conversions: lambda name: (
        not name
        or api.needs_numbers(name)
        or name in api.APPLYING_FUNCTIONS
        or name.removeprefix(".") in api.ARRAY_METHODS
    ),
}


def _may_be_nest(value: Value) -> bool:
    return any(isinstance(alternative, Tensor) and alternative.nest for alternative in alternatives(value))
