"""Entry points: which functions of a module TensorFlow traces, and with what arguments."""

from __future__ import annotations

import ast
import itertools
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence, Set
from functools import lru_cache

from tflint_layers.model import api
from tflint_layers.model.annotations import annotated_value
from tflint_layers.model.arguments import Arguments
from tflint_layers.model.classes import ClassInfo, FunctionInfo, ModuleInfo
from tflint_layers.model.decorators import below_tracing, is_static_method, made_tensors
from tflint_layers.model.dynamic import run_eagerly
from tflint_layers.model.interpreter import Interpreter, default_value, option_value
from tflint_layers.model.plaincode import speaks_of_set_up
from tflint_layers.model.reach import Reach
from tflint_layers.model.scopes import Phase, Scope
from tflint_layers.model.syntax import walk
from tflint_layers.model.values import (
    NONE,
    STATIC,
    TENSOR,
    UNKNOWN,
    Environment,
    Function,
    Tensor,
    Value,
    changed,
    join,
    literal,
)

# Method -> whether Keras 2 converts it with AutoGraph (Keras 3 converts none); measured, see TRUTHS.md 1 and 2.
_LAYER_ENTRIES = {"call": True}
_MODEL_ENTRIES = {
    "call": True,
    "__call__": False,
    "train_step": False,
    "test_step": False,
    "predict_step": False,
    "compute_loss": False,
}
# What traces these: a method of Keras, with the names by which methods of that kind hand on to Keras.
_LOOPS = {
    "train_step": ("fit", "train"),
    "compute_loss": ("fit", "train"),
    "test_step": ("evaluate", "test"),
    "predict_step": ("predict", "predict"),
}
_ENTRIES: dict[str, dict[str, bool]] = {
    "layer": _LAYER_ENTRIES,
    "rnn_cell": _LAYER_ENTRIES,
    "model": _MODEL_ENTRIES,
    "loss": {"call": True},
    "metric": {"update_state": True, "result": True},
    "regularizer": {"__call__": False},
    "constraint": {"__call__": False},
    "schedule": {"__call__": False},
}
# What Keras applies to weights, whose shapes are known.
_OF_WEIGHTS = frozenset({"regularizer", "constraint"})
# What is given one tensor for sure: a weight, or the number of steps made.
_WITHOUT_BATCH = _OF_WEIGHTS | {"schedule"}
_FLAGS = frozenset({"training", "return_attention_scores", "use_causal_mask", "return_state", "name", "verbose"})
_SINGLE_TENSOR_ATTRIBUTES = frozenset({"shape", "dtype", "get_shape", "set_shape", "numpy", "ndim"})
_LOSS_SIDES = frozenset({"y", "y_pred"})
_SIDES = frozenset({"y_true", "y_pred"})
_MOST_HANDED_ON = 2
# `Name(...)(tf.ones(...))`; the search starts with what is rare in a text.
_CALLED_AT_ONCE = re.compile(r"\)\(\s*(?:tf|tensorflow|np|numpy|ops|keras\.ops)\.(\w+)\(")
_LAST_NAME = re.compile(r"\w+$")
_LONGEST_CALL = 400
_TAKING_TENSORS = (ast.BinOp, ast.Compare, ast.UnaryOp, ast.Subscript, ast.Call)
_ORDERED = (ast.Lt, ast.Gt, ast.LtE, ast.GtE)


def traced_scopes(module: ModuleInfo, keras: int, plain: Sequence[int]) -> list[Scope]:
    """Every evaluation of a function that tracing, building or making the layers of a module runs.

    ``plain``: lines, in order, on which module-level code and functions that nothing traces are to be run as well, for
    rules that speak about them.
    """
    scopes = _interpreted(module, keras, plain).scopes
    eager = run_eagerly(scopes)
    return [scope for scope in scopes if not (eager and _is_run_by(scope, eager))]


def _is_run_by(scope: Scope, eager: Set[ClassInfo]) -> bool:
    """Whether layers of some classes run the code in the place of a graph."""
    return scope.is_traced and scope.layer is not None and not eager.isdisjoint(scope.layer.ancestry)


def reach_of(module: ModuleInfo, keras: int) -> Reach:
    """What tracing starts from in a module, and what it runs from there.

    A class that inherits its function unchanged is an entry point like the one that it inherits from.
    """
    return _interpreted(module, keras, ()).reach


def _interpreted(module: ModuleInfo, keras: int, plain: Sequence[int]) -> Interpreter:
    """The interpreter after it has run everything that is traced in a module."""
    interpreter = Interpreter(module, keras)
    for cls in module.all_classes:
        _enter_class(interpreter, cls)
    entered = {scope.function for scope in interpreter.scopes if len(scope.route) == 1}
    for function in module.all_functions:
        if function in entered:
            continue
        if below_tracing(function) is not None:
            _enter_function(interpreter, function)
    if plain:
        _enter_plain(interpreter, module, plain)
    _enter_callbacks(interpreter)
    interpreter.share()
    return interpreter


def _enter_class(interpreter: Interpreter, cls: ClassInfo) -> None:
    entries = _ENTRIES.get(cls.role or "", {})
    if not entries:
        return
    replaced = _replaced_when_made(cls)
    found = [method for name in entries if (method := cls.method(name)) is not None and name not in replaced]
    traced = [method for method in found if not _is_past_keras(cls, method.name)]
    inherited = [method for method in traced if _is_as_inherited(cls, method)]
    interpreter.reach.entries.extend((cls, method) for method in inherited)
    own = [method for method in traced if method not in inherited]
    if own or _is_spoken_about(cls):
        interpreter.declared(cls)
    for method in own:
        interpreter.heap = {}
        function = interpreter.function_value(method, bound=interpreter.instance(cls))
        interpreter.enter(
            function,
            _entry_arguments(method, cls),
            phase=Phase.CALL,
            autograph=entries[method.name] and interpreter.keras == 2,
            layer=cls,
        )


def _is_spoken_about(cls: ClassInfo) -> bool:
    """Whether there may be something to say about how objects are made of a class that has nothing traced of its own.

    A model may put layers together in its ``__init__``.
    """
    return cls.role == "model" or "build" in cls.methods or speaks_of_set_up(cls.module.source)


def _is_as_inherited(cls: ClassInfo, method: FunctionInfo) -> bool:
    """Whether a base is an entry point with the same method; other entry points of the class are entered themselves."""
    entered = _ENTRIES.get(method.cls.role or "", {}) if method.cls is not None else {}
    return cls.inherits_unchanged(method, apart_from=entered)


def _replaced_when_made(cls: ClassInfo) -> set[str]:
    """The methods in whose place ``__new__`` puts others, which decide how and when they run."""
    made = cls.method("__new__")
    return {
        node.attr
        for node in (walk(made.node) if made is not None else ())
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }


def _is_past_keras(cls: ClassInfo, name: str) -> bool:
    """Whether a class calls in its own way what Keras would trace."""
    if name == "__call__" and cls.role == "model":
        return cls.method("call") is not None or _has_own_loop(cls, "train_step")
    if name == "call":
        return _goes_past_keras(cls)
    return name in _LOOPS and (not _takes_what_keras_gives(cls, name) or _has_own_loop(cls, name))


def _takes_what_keras_gives(cls: ClassInfo, step: str) -> bool:
    """Whether Keras could call a step at all: it gives the data of one batch, and losses the two sides by name."""
    method = cls.method(step)
    if method is None or method.node.args.kwarg is not None or method.node.args.vararg is not None:
        return True
    if step == "compute_loss":
        return method.accepts("y") and method.accepts("y_pred")
    return method.required <= 2 <= len(method.parameters)


def _has_own_loop(cls: ClassInfo, step: str) -> bool:
    """Whether a model runs a step without Keras: in its own `fit` or the like, which needs no graph to do so."""
    loop, kind = _LOOPS[step]
    if (own := cls.method(loop)) is not None and not _hands_on(cls, own, kind):
        return True
    fit = cls.method("fit")
    return fit is not None and step in cls.reads(fit) and not _hands_on(cls, fit, "train")


def _hands_on(cls: ClassInfo, loop: FunctionInfo, kind: str) -> bool:
    """Whether a `fit`, `evaluate` or `predict` calls another one, or asks Keras for the function that that runs."""
    names = {loop.name, f"make_{kind}_function", f"{kind}_function", f"{kind}_on_batch"}
    called = (node.attr for node in walk(loop.node) if isinstance(node, ast.Attribute))
    return not names.isdisjoint(called) or not names.isdisjoint(cls.reads(loop))


def _goes_past_keras(cls: ClassInfo) -> bool:
    """Whether calling a layer runs a ``__call__`` of its own in the place of that of Keras, which takes only tensors.

    Such layers are given texts, paths and images before anything is traced. No model has them among its layers: it
    keeps the operations that `call` gives for a Keras tensor (measured). The ``call`` of a model `fit` traces all the
    same.
    """
    own = cls.method("__call__") if cls.role == "layer" else None
    return own is not None and not any(
        isinstance(node, ast.Attribute) and node.attr == "__call__" for node in walk(own.node)
    )


def _enter_function(interpreter: Interpreter, info: FunctionInfo) -> None:
    interpreter.heap = {}
    in_class = info.cls is not None and not is_static_method(info)
    bound = interpreter.instance(info.cls) if in_class and info.cls is not None else None
    arguments = _loose_arguments(info, skip=1 if in_class else 0)
    function = interpreter.as_traced(interpreter.function_value(info, bound=bound))
    interpreter.enter(function, arguments, phase=Phase.CALL, autograph=True, layer=info.cls)


def _enter_callbacks(interpreter: Interpreter) -> None:
    for function, arguments, autograph in interpreter.callbacks:
        interpreter.heap = {}
        given = (
            arguments
            if arguments.positional
            else _loose_arguments(function.info, skip=0 if function.bound is None else 1)
        )
        interpreter.enter(
            Function(function.info, _lasting(function), function.bound, function.autograph),
            given,
            phase=Phase.CALL,
            autograph=autograph,
            layer=function.info.cls,
        )


def _lasting(function: Function) -> Environment | None:
    """The names around a function as they are when it is traced, where those are known."""
    environment = function.environment
    return environment if environment is not None and environment.lasting else None


def _enter_plain(interpreter: Interpreter, module: ModuleInfo, lines: Sequence[int]) -> None:
    functions = [info for info in module.all_functions if _within(lines, info)]
    interpreter.heap = {}
    if set(lines).difference(*(_within(lines, info) for info in functions)):
        interpreter.run_module()
    reached = {scope.function for scope in interpreter.scopes}
    for info in functions:
        if info not in reached:
            interpreter.heap = {}
            bound = interpreter.instance(info.cls) if info.cls is not None and not is_static_method(info) else None
            interpreter.enter(
                interpreter.function_value(info, bound=bound),
                Arguments((), partial=True),
                phase=Phase.PLAIN,
                autograph=False,
                layer=info.cls,
                eager=True,
            )


def _within(lines: Sequence[int], info: FunctionInfo) -> Sequence[int]:
    """Those of some lines, in order, that a function has."""
    end = info.node.end_lineno or info.node.lineno
    return lines[bisect_left(lines, info.node.lineno) : bisect_right(lines, end)]


def _entry_arguments(method: FunctionInfo, cls: ClassInfo) -> Arguments:
    evidence, role = _used_as_tensor(method), cls.role
    if method.name == "call" and len(method.parameters) > 1 and _is_called_with_one_tensor(cls):
        evidence |= {method.parameters[1].arg} - _checked_for_lists(method)
    if role in _WITHOUT_BATCH and len(method.parameters) > 1:
        evidence |= {method.parameters[1].arg}
    defaults, single = method.defaults, made_tensors(method, skip=1)
    expected = (
        (parameter.arg, _entry_value(parameter, index, method, role, evidence, defaults))
        for index, parameter in enumerate(method.parameters[1:])
    )
    values = tuple(_one_tensor(value) if name in single else value for name, value in expected)
    keywords = tuple((p.arg, _entry_value(p, 1, method, role, evidence, defaults)) for p in method.node.args.kwonlyargs)
    return Arguments(values, keywords)


def _entry_value(
    parameter: ast.arg,
    index: int,
    method: FunctionInfo,
    role: str | None,
    evidence: Set[str],
    defaults: dict[str, ast.expr],
) -> Value:
    name = parameter.arg
    batch = role not in _WITHOUT_BATCH and (index == 0 or name in evidence)
    annotated = annotated_value(parameter, method, Tensor(batch=batch))
    if annotated is not None:
        return annotated
    if name in _FLAGS:
        return STATIC
    if name in defaults:
        default = defaults[name]
        if literal(default) is None:
            if method.name == "compute_loss" and name in _LOSS_SIDES:
                return Tensor(batch=True, nest=name not in evidence)
            return _optional(name, method, evidence)
        mutable = isinstance(default, (ast.List, ast.Dict, ast.Set))
        return default_value(default, name) if mutable else option_value(parameter, defaults)
    if method.name == "train_step" or method.name.endswith("_step"):
        return Tensor(batch=True, nest=name not in evidence)
    if index == 0 or name in evidence or role == "loss" or method.name == "update_state":
        is_single = (
            name in evidence
            or role in _WITHOUT_BATCH
            or ((method.name == "update_state" or role == "loss") and _is_one_side(name, method))
        )
        return Tensor(batch=role not in _WITHOUT_BATCH, nest=not is_single)
    return UNKNOWN


def _is_one_side(name: str, method: FunctionInfo) -> bool:
    """Whether a metric or loss is given one tensor under a name: Keras does so, and others what they take apart."""
    if name not in _SIDES:
        return False
    keyed = (node.value for node in method.of_kind(ast.Subscript) if isinstance(literal(node.slice), str))
    keyed_by_name = (node.value for node in method.of_kind(ast.Subscript) if isinstance(node.slice, ast.Name))
    parts = (node.value for node in method.of_kind(ast.Attribute) if node.attr in {"items", "keys", "values"})
    unpacked = (node.value for node in method.of_kind(ast.Assign) if isinstance(node.targets[0], (ast.Tuple, ast.List)))
    taken = (*keyed, *keyed_by_name, *parts, *unpacked)
    apart = {node.id for node in taken if isinstance(node, ast.Name)} | _checked_for_lists(method)
    return not apart & _SIDES


def _optional(name: str, method: FunctionInfo, evidence: Set[str]) -> Value:
    """A parameter that is None unless given; Keras gives a mask for each input, and weights of the samples.

    Masks are given by callers, too, and theirs need not have an entry for each entry of the batch. What else is given
    is a tensor where the function reads its shape: a number has none.
    """
    if not name.endswith(("mask", "sample_weight")):
        return join([NONE, Tensor(batch=True)]) if name in _with_shapes(method) else UNKNOWN
    inputs = method.parameters[1].arg if len(method.parameters) > 1 else ""
    batch = not name.endswith("mask")
    return join([NONE, Tensor(batch=batch, nest=inputs not in evidence and name not in evidence)])


def _loose_arguments(info: FunctionInfo, skip: int) -> Arguments:
    """Arguments of a traced function that nobody declares: only annotations and its own use of them tell."""
    values: list[Value] = []
    single = made_tensors(info, skip)
    attributes = {name.id for name in _as_passed(info, _read_as_tensor(info))}
    for parameter in info.parameters[skip:]:
        annotated = annotated_value(parameter, info, TENSOR)
        value = annotated or (Tensor(nest=True) if parameter.arg in attributes else UNKNOWN)
        values.append(_one_tensor(value) if parameter.arg in single else value)
    return Arguments(tuple(values))


def _one_tensor(value: Value) -> Value:
    """What a signature makes of an argument that would else be something else."""
    return changed(value, nest=False) if isinstance(value, Tensor) else TENSOR


def _is_called_with_one_tensor(cls: ClassInfo) -> bool:
    """Whether the file shows a call of the layer on one tensor: in its `example`, or as `Name(...)(tf.ones(...))`."""
    hook = cls.module.functions.get("example")
    for node in hook.nodes if hook is not None else ():
        made = node.value.elts if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple) else []
        if len(made) == 2 and isinstance(made[0], ast.Call) and isinstance(made[1], ast.Tuple):
            is_own = isinstance(made[0].func, ast.Name) and made[0].func.id == cls.name
            return is_own and bool(made[1].elts) and _makes_tensor(hook, made[1].elts[0])
    return cls.name in _called_at_once(cls.module.source.text)


@lru_cache(maxsize=1)
def _called_at_once(text: str) -> frozenset[str]:
    """The names of the classes that a file makes an object of and calls it on a new tensor."""
    matches = (match for match in _CALLED_AT_ONCE.finditer(text) if match[1] in api.TENSOR_MAKERS)
    return frozenset(_called_before(text, match.start()) for match in matches)


def _called_before(text: str, end: int) -> str:
    """The name of what is called with the brackets that close at a place."""
    depth = 0
    for place in range(end, max(end - _LONGEST_CALL, -1), -1):
        depth += (text[place] == ")") - (text[place] == "(")
        if depth == 0:
            name = _LAST_NAME.search(text[max(place - 100, 0) : place])
            return name[0] if name else ""
    return ""


def _makes_tensor(function: FunctionInfo | None, node: ast.expr) -> bool:
    """Whether an expression calls an operation that makes one tensor, or is a name for one."""
    if isinstance(node, ast.Name) and function is not None:
        bound = function.locals.get(node.id)
        return bound is not None and _makes_tensor(None, bound)
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in api.TENSOR_MAKERS


def _read_as_tensor(info: FunctionInfo) -> list[ast.expr]:
    return [node.value for node in info.of_kind(ast.Attribute) if node.attr in _SINGLE_TENSOR_ATTRIBUTES]


def _as_passed(info: FunctionInfo, operands: list[ast.expr]) -> list[ast.Name]:
    """The names among expressions that still stand for what the caller passed: read before anything else is bound."""
    rebound = info.bound_first
    names = (operand for operand in operands if isinstance(operand, ast.Name))
    return [name for name in names if name.lineno <= rebound.get(name.id, name.lineno)]


# A helper is asked about for each function that hands something on to it.
@lru_cache(maxsize=512)
def _used_as_tensor(info: FunctionInfo, depth: int = 0) -> frozenset[str]:
    """Names that the function does arithmetic with, or reads ``shape`` and the like of: one tensor, no list of them.

    What it hands on to functions of the same class or module, those may do.
    """
    operands = [
        operand for kind in _TAKING_TENSORS for node in info.of_kind(kind) for operand in _single_operands(info, node)
    ]
    if depth < _MOST_HANDED_ON:
        operands += _handed_on(info, lambda called: _used_as_tensor(called, depth + 1))
    used = _as_passed(info, operands + _read_as_tensor(info))
    names = frozenset(name.id for name in used)
    return names - _checked_for_lists(info) - _stepped_through_apart(info, used) if names else names


@lru_cache(maxsize=512)
def _with_shapes(info: FunctionInfo, depth: int = 0) -> frozenset[str]:
    """Names whose shape, or what else only one tensor has, the function reads, or lets another one read."""
    operands = _read_as_tensor(info)
    operands += [
        node.args[0]
        for node in info.of_kind(ast.Call)
        if node.args and isinstance(node.args[0], ast.Name) and info.module.dotted(node.func) in api.SHAPE_READERS
    ]
    if depth < _MOST_HANDED_ON:
        operands += _handed_on(info, lambda called: _with_shapes(called, depth + 1))
    return frozenset(name.id for name in _as_passed(info, operands)) - _checked_for_lists(info)


def _stepped_through_apart(info: FunctionInfo, used: list[ast.Name]) -> set[str]:
    """Names that the function takes apart on another way through it than those on which it uses them as one tensor."""
    subjects = [step.iter for step in info.of_kind(ast.comprehension)] + [step.iter for step in info.of_kind(ast.For)]
    return {
        taken.id
        for taken in subjects
        if isinstance(taken, ast.Name) and all(_on_other_way(info, use, taken) for use in used if use.id == taken.id)
    }


def _on_other_way(info: FunctionInfo, first: ast.AST, second: ast.AST) -> bool:
    """Whether no call runs both of two nodes, as they are in different branches."""
    branches = dict(_branches(info, first))
    return any(branches.get(test, taken) is not taken for test, taken in _branches(info, second))


def _branches(info: FunctionInfo, node: ast.AST) -> Iterator[tuple[ast.AST, bool]]:
    """The conditions that decide whether a node runs, each with whether it does where the condition holds."""
    while (parent := info.parents.get(node)) is not None:
        if isinstance(parent, ast.If) and node is not parent.test:
            yield parent, node in parent.body
        for earlier in _before(parent, node):
            if isinstance(earlier, ast.If) and isinstance(earlier.body[-1], (ast.Return, ast.Raise)):
                yield earlier, False
        node = parent


def _before(parent: ast.AST, node: ast.AST) -> list[ast.stmt]:
    """The statements of the same block that stand before a statement."""
    blocks = (getattr(parent, name, ()) for name in ("body", "orelse"))
    block = next((block for block in blocks if isinstance(block, list) and node in block), [])
    return list(itertools.takewhile(lambda statement: statement is not node, block))


def _handed_on(info: FunctionInfo, taken: Callable[[FunctionInfo], Set[str]]) -> list[ast.expr]:
    """The arguments of calls that functions of the same class or module take in a certain way, by their parameters."""
    return [argument for node in info.of_kind(ast.Call) for argument in _handed_to_users(info, node, taken)]


def _handed_to_users(info: FunctionInfo, node: ast.Call, taken: Callable[[FunctionInfo], Set[str]]) -> list[ast.expr]:
    if not any(isinstance(argument, ast.Name) for argument in node.args):
        return []
    called, parameters = None, []
    if isinstance(node.func, ast.Name):
        called = info.module.functions.get(node.func.id)
        parameters = called.parameters if called is not None else []
    elif isinstance(node.func, ast.Attribute) and info.cls is not None and _is_receiver(info, node.func.value):
        called = info.cls.method(node.func.attr)
        parameters = called.parameters[1:] if called is not None else []
    if called is None or called is info:
        return []
    used = taken(called)
    given = zip(parameters, node.args, strict=False)
    return [argument for parameter, argument in given if parameter.arg in used]


def _is_receiver(info: FunctionInfo, node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and bool(info.parameters) and node.id == info.parameters[0].arg


def _single_operands(info: FunctionInfo, node: ast.AST) -> list[ast.expr]:
    """The operands of a node that takes single tensors only."""
    if isinstance(node, ast.BinOp) and not isinstance(node.op, (ast.FloorDiv, ast.Mod)):
        sides = [node.left, node.right]
        joined = isinstance(node.op, ast.Add) and _are_parameters(info, sides)
        return [] if joined or any(isinstance(side, (ast.List, ast.Tuple)) for side in sides) else sides
    if isinstance(node, ast.Compare) and isinstance(node.ops[0], _ORDERED):
        return [node.left, *node.comparators]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return [node.operand]
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple):
        return [node.value]
    # What is no name tells nothing about a parameter, and most arguments are none.
    if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Name):
        return node.args[:1] if api.takes_one_tensor(info.module.dotted(node.func) or "") else []
    return []


def _are_parameters(info: FunctionInfo, nodes: list[ast.expr]) -> bool:
    """Whether all are names of parameters: their sum may well be a longer list."""
    return all(isinstance(node, ast.Name) and info.accepts(node.id) for node in nodes)


def _checked_for_lists(info: FunctionInfo) -> set[str]:
    return {
        node.args[0].id
        for node in info.of_kind(ast.Call)
        if isinstance(node.func, ast.Name)
        and node.func.id in {"isinstance", "type"}
        and node.args
        and isinstance(node.args[0], ast.Name)
    }
