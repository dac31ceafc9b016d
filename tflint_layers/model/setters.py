"""Functions that are there to change a layer's attribute or a global from outside, while the model is in use."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache

from tflint_layers.model import api
from tflint_layers.model.classes import ClassInfo, FunctionInfo, ModuleInfo, writes_property
from tflint_layers.model.syntax import last_name, own_nodes, statements, walk
from tflint_layers.model.values import literal
from tflint_layers.model.writes import targets
from tflint_layers.modules import bound_name

# What Keras calls itself: before or while it traces, or to start over.
_NAMES = (
    "call build compile adapt train_step test_step predict_step compute_loss update_state result get_config "
    "from_config compute_output_shape compute_output_spec compute_output_signature compute_mask get_build_config "
    "build_from_config load_own_variables save_own_variables load_weights save_weights set_weights fit evaluate "
    "predict finalize_state trainable dtype reset_state reset_states quantize enable_lora make_train_function "
    "make_test_function make_predict_function"
)
_OF_KERAS = frozenset(_NAMES.split())
_RETRACING = frozenset({"compile", "make_train_function", "make_test_function", "make_predict_function", "function"})


@lru_cache(maxsize=256)
def setters(cls: ClassInfo) -> dict[str, FunctionInfo]:
    """What a public method or a property setter changes, as :func:`owner_and_place` names it, with that function.

    Methods that setting up or calling the layer reaches do not count, nor those that only reset an attribute or have
    Keras trace again.
    """
    methods = list(_public_methods(cls))
    found: dict[str, FunctionInfo] = {}
    for method in methods:
        for name in _changed(method):
            found.setdefault(name, method)
    switched = [(name, value, method) for method in methods for name, value in _switched(method)]
    for name, value, method in switched:
        # What is only switched on, before anything is traced perhaps, is another way to set the layer up.
        if (name, not value) in {(other, flag) for other, flag, _ in switched}:
            found.setdefault(name, method)
    return found


def _public_methods(cls: ClassInfo) -> Iterator[FunctionInfo]:
    """The methods that are there for others: not for Keras, and not called where the layer is set up or called."""
    read, written = _used_inside(cls)
    for owner in (ancestor for ancestor in cls.ancestry if isinstance(ancestor, ClassInfo)):
        for node in statements(owner.node.body):
            if not isinstance(node, ast.FunctionDef) or node.name.startswith("_") or node.name in _OF_KERAS:
                continue
            if node.name not in (written if writes_property(node) else read):
                yield FunctionInfo(node.name, f"{owner.qualname}.{node.name}", node, owner.module, owner)


def _switched(method: FunctionInfo) -> Iterator[tuple[str, bool]]:
    """The attributes that a method sets to True or False, each with that."""
    receiver = method.parameters[0].arg if method.parameters else ""
    for node in own_nodes(method.node):
        value = literal(node.value) if isinstance(node, ast.Assign) else None
        if isinstance(node, ast.Assign) and isinstance(value, bool):
            for target in targets(node):
                if isinstance(target, ast.Attribute) and ast.unparse(target.value) == receiver:
                    yield target.attr, value


def _used_inside(cls: ClassInfo) -> tuple[set[str], set[str]]:
    """The attributes that making, building or calling the layer reads and writes, directly or in its methods."""
    read: set[str] = set()
    written: set[str] = set()
    pending = ["__init__", "__call__", *_OF_KERAS]
    while pending:
        name = pending.pop()
        method = cls.method(name)
        if name not in read and method is not None:
            read.add(name)
            for node in walk(method.node):
                if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                    pending.append(node.attr)
                elif isinstance(node, ast.Attribute):
                    written.add(node.attr)
    return read, written


def _changed(method: FunctionInfo) -> Iterator[str]:
    """The attributes, and entries of such, that a method sets from its parameters or from what they were."""
    nodes = own_nodes(method.node)
    if not method.parameters or any(isinstance(n, ast.Attribute) and n.attr in _RETRACING for n in nodes):
        return
    receiver, *parameters = [parameter.arg for parameter in method.parameters]
    given = set(parameters)
    writes = [node for node in nodes if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign))]
    made = {ast.unparse(target) for node in writes if _makes_weight(node.value) for target in targets(node)}
    for node in writes:
        moves = isinstance(node, ast.AugAssign)
        for target in targets(node):
            owner, place = owner_and_place(target) or (None, "")
            # Where a weight is put in the place of a number, that is set up, and its value changes afterwards.
            if owner is None or ast.unparse(owner) != receiver or ast.unparse(target) in made:
                continue
            if moves or _depends(node.value, given, target):
                yield place


def owner_and_place(node: ast.expr) -> tuple[ast.expr, str] | None:
    """The object of which an expression is an attribute, or an entry of one under a fixed key, and where that stands.

    ``n`` for `self.n`, ``options['n']`` for `self.options["n"]`; None for any other expression.
    """
    if isinstance(node, ast.Attribute):
        return node.value, node.attr
    key = literal(node.slice) if isinstance(node, ast.Subscript) else None
    if not isinstance(node, ast.Subscript) or not isinstance(node.value, ast.Attribute) or not isinstance(key, str):
        return None
    return node.value.value, f"{node.value.attr}[{key!r}]"


def _makes_weight(value: ast.expr | None) -> bool:
    """Whether an expression calls what makes weights, by its name."""
    return isinstance(value, ast.Call) and last_name(value) in api.WEIGHT_MAKERS | {"Variable"}


def _depends(value: ast.expr | None, given: set[str], target: ast.expr) -> bool:
    """Whether the new value comes from a parameter or from the old value."""
    for node in walk(value) if value is not None else ():
        if isinstance(node, ast.Name) and node.id in given:
            return True
        if isinstance(node, type(target)) and ast.unparse(node) == ast.unparse(target):
            return True
    return False


@lru_cache(maxsize=256)
def changed_globals(module: ModuleInfo) -> dict[str, FunctionInfo]:
    """The module-level names that functions of the module rebind or change in place, each with that function."""
    found: dict[str, FunctionInfo] = {}
    for function in module.all_functions:
        for name in _globals_changed(function):
            if name in module.assigned:
                found.setdefault(name, function)
    return found


def _globals_changed(function: FunctionInfo) -> Iterator[str]:
    nodes = own_nodes(function.node)
    declared = {name for node in nodes if isinstance(node, ast.Global) for name in node.names}
    bound = bound_names(function) - declared
    for node in nodes:
        changed: ast.expr | None = None
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, (ast.Store, ast.Del)):
            changed = node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in api.MUTATORS:
            changed = node.func.value
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in declared:
            changed = node
        if isinstance(changed, ast.Name) and changed.id not in bound:
            yield changed.id


def bound_names(function: FunctionInfo) -> set[str]:
    """The names that a function binds itself: its parameters and what it assigns."""
    arguments = function.node.args
    rest = [parameter for parameter in (arguments.vararg, arguments.kwarg) if parameter is not None]
    names = {parameter.arg for parameter in [*function.parameters, *arguments.kwonlyargs, *rest]}
    for node in own_nodes(function.node):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.alias):
            names.add(bound_name(node))
    return names
