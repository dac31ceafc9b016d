"""Library functions whose result depends on their arguments: what each gives while tracing."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from tflint_layers.model import api, callbacks
from tflint_layers.model.arguments import Arguments, leaves, unconverted
from tflint_layers.model.effects import effect
from tflint_layers.model.iteration import ITERATION
from tflint_layers.model.namepatterns import ANYTHING, pattern_of
from tflint_layers.model.scopes import Phase, api_name
from tflint_layers.model.values import (
    NONE,
    STATIC,
    UNKNOWN,
    Api,
    Array,
    Class,
    Constant,
    Container,
    Function,
    Instance,
    NamedTuple,
    Shape,
    Static,
    Tensor,
    Value,
    Variable,
    alternatives,
    is_single_tensor,
    is_static,
    is_tensor,
    join,
)

if TYPE_CHECKING:
    from tflint_layers.model.calls import Calls


def _named_tuple_class(machine: Calls, arguments: Arguments) -> Value:
    names = arguments.get(1, "field_names")
    if isinstance(names, Static) and isinstance(names.constant, str):
        return NamedTuple(tuple(names.constant.replace(",", " ").split()))
    if isinstance(names, Container) and names.items is not None:
        constants = [item.constant for item in names.items if isinstance(item, Static)]
        fields = tuple(constant for constant in constants if isinstance(constant, str))
        return NamedTuple(fields) if len(fields) == len(names.items) else UNKNOWN
    return UNKNOWN


def partial(machine: Calls, arguments: Arguments) -> Value:
    """A function some of whose arguments are given already; what those are does not change what a call prints."""
    function = machine.function_of(arguments.get(0, "func") or UNKNOWN)
    if isinstance(function, Function):
        return replace(function, partial=function.partial + arguments.positional[1:])
    if isinstance(function, Api) and (len(arguments.positional) == 1 or effect(function.name) is not None):
        return UNKNOWN if function.name in SPECIAL or callbacks.callback(function.name) else function
    return UNKNOWN


def _executing_eagerly(machine: Calls, arguments: Arguments) -> Value:
    return Static(machine.frame.eager)


def _same(machine: Calls, arguments: Arguments) -> Value:
    """What the function is given: an entry of a shape, which was an object of its own in TensorFlow 1."""
    return arguments.get(0, "dimension") or UNKNOWN


def _inside_function(machine: Calls, arguments: Arguments) -> Value:
    return Static(not machine.frame.eager)


def _in_grain_pipeline(machine: Calls, arguments: Arguments) -> Value:
    """Pipelines of Grain run Python on arrays; no graph is traced there."""
    return STATIC if machine.frame.eager else Static(False)


def _is_tensor(machine: Calls, arguments: Arguments) -> Value:
    subject = arguments.get(0, "x") or UNKNOWN
    if all(isinstance(v, (Tensor, Variable)) and not getattr(v, "nest", False) for v in alternatives(subject)):
        return Static(True)
    return Static(False) if is_static(subject) else STATIC


def _is_symbolic(machine: Calls, arguments: Arguments) -> Value:
    subject = arguments.get(0, "tensor") or UNKNOWN
    if all(isinstance(v, Tensor) and not v.eager for v in alternatives(subject)):
        return Static(True)
    return STATIC


def _hasattr(machine: Calls, arguments: Arguments) -> Value:
    subject, name = arguments.get(0, "obj") or UNKNOWN, arguments.get(1, "name")
    if subject == api.GRAPH:
        # Libraries that must not import TensorFlow ask so for a graph tensor.
        return Static(True)
    if isinstance(subject, Api) and isinstance(name, Static) and api.is_known(f"{subject.name}.{name.constant}"):
        return Static(True)
    if isinstance(name, Static) and name.constant in api.FOREIGN_METHODS and is_single_tensor(subject):
        return Static(False)
    symbolic = all(isinstance(v, Tensor) and not v.eager and not v.nest for v in alternatives(subject))
    if symbolic and isinstance(name, Static) and name.constant in {"numpy", "graph"}:
        return Static(name.constant == "graph")
    if symbolic and name in (Static("shape"), Static("dtype")):
        return Static(True)
    return Static(False) if is_tensor(subject) and name == Static("numpy") else STATIC


def _getattr(machine: Calls, arguments: Arguments) -> Value:
    subject, name = arguments.get(0, "obj") or UNKNOWN, arguments.get(1, "name")
    constant: Constant = name.constant if isinstance(name, Static) else None
    if not isinstance(constant, str):
        return UNKNOWN
    if ANYTHING in constant:
        return machine.matching_attribute(subject, constant)
    default = arguments.positional[2] if len(arguments.positional) > 2 else None
    if default is not None and _hasattr(machine, arguments) == Static(False):
        return default
    found = join(machine.attribute(alternative, constant) for alternative in alternatives(subject))
    return found if default is None else join([found, default])


def _callable(machine: Calls, arguments: Arguments) -> Value:
    return Static(False) if arguments.get(0, "obj") == NONE else STATIC


def _isinstance(machine: Calls, arguments: Arguments) -> Value:
    subject, classes = arguments.get(0, "obj") or UNKNOWN, arguments.get(1, "cls") or UNKNOWN
    wanted = (
        {api_name(item) for item in (classes.items or ()) if classes.items}
        if isinstance(classes, Container)
        else {api_name(classes)}
    )
    tensors = [v for v in alternatives(subject) if isinstance(v, Tensor)]
    if wanted and wanted <= _PLAIN_TYPES and len(tensors) == len(alternatives(subject)):
        return STATIC if any(tensor.nest for tensor in tensors) and wanted & _NESTS else Static(False)
    if isinstance(subject, Container) and (own := f"builtins.{subject.type}") in _NESTS and wanted <= _PLAIN_TYPES:
        if wanted == {own} or wanted >= _SEQUENCES:
            return Static(own != "builtins.dict" or wanted >= {own})
        return Static(own in wanted) if own == "builtins.dict" else STATIC
    traced = machine.frame.scope.phase is Phase.CALL and not machine.frame.eager
    if subject is UNKNOWN and wanted and wanted <= _ARRAY_CLASSES and traced:
        # Where it is an array, the code runs on arrays, and outside of a graph.
        return Static(False)
    if "tensorflow.Tensor" in wanted and is_tensor(subject) and not any(tensor.nest for tensor in tensors):
        return Static(True)
    return STATIC


_ARRAY_CLASSES = frozenset({"numpy.ndarray", "numpy.generic"})
_SEQUENCES = frozenset({"builtins.list", "builtins.tuple"})
_NESTS = frozenset({"builtins.list", "builtins.tuple", "builtins.dict"})
_PLAIN_TYPES = _NESTS | {"builtins.int", "builtins.float", "builtins.str", "builtins.bool", "numpy.ndarray"}


def _type(machine: Calls, arguments: Arguments) -> Value:
    subject = arguments.get(0, "object")
    return Class(subject.cls) if isinstance(subject, Instance) and subject.cls is not None else STATIC


def _length(machine: Calls, arguments: Arguments) -> Value:
    subject = arguments.get(0, "obj") or UNKNOWN
    if not machine.frame.scope.autograph or not is_single_tensor(subject):
        return STATIC
    # Where AutoGraph finds that the size of the first axis is known, it gives a number of Python (measured).
    is_batch = all(isinstance(v, Tensor) and v.batch for v in alternatives(subject))
    return machine.tensor(whole=True) if is_batch else UNKNOWN


def _flattened(machine: Calls, arguments: Arguments) -> Value:
    return Container(join(leaves(arguments.get(0, "structure") or UNKNOWN)))


def _mapped(machine: Calls, arguments: Arguments) -> Value:
    """A nest of what a function makes of the leaves of others; AutoGraph does not reach the function."""
    if not arguments.positional or not arguments.positional[1:]:
        return UNKNOWN
    elements = tuple(join(leaves(structure)) for structure in arguments.positional[1:])
    result = machine.call_value(unconverted(arguments.positional[0]), Arguments(elements))
    structure = arguments.positional[1]
    if is_single_tensor(structure):
        return result
    if isinstance(structure, Container):
        return Container(result, None if structure.items != () else (), structure.type)
    return replace(result, nest=True) if isinstance(result, Tensor) else UNKNOWN


def _lambda_layer(machine: Calls, arguments: Arguments) -> Value:
    _trace_later(machine, arguments.get(0, "function"), Tensor(batch=True, nest=True))
    return Instance("keras.layers.Lambda", fresh=True)


def _activation_layer(machine: Calls, arguments: Arguments) -> Value:
    _trace_later(machine, arguments.get(0, "activation"), Tensor(batch=True))
    return Instance("keras.layers.Activation", fresh=True)


_ACTIVATIONS = frozenset({"activation", "recurrent_activation"})


def note_activations(machine: Calls, layer: str, arguments: Arguments) -> None:
    """Note the functions that a layer of Keras is given to apply to what it computes."""
    for keyword, value in arguments.keywords:
        if keyword in _ACTIVATIONS:
            _trace_later(machine, value, Tensor(batch=True))
    if layer == "keras.layers.Dense":
        _trace_later(machine, arguments.get(1, ""), Tensor(batch=True))


def _activation(machine: Calls, arguments: Arguments) -> Value:
    """A function that takes and gives a tensor: the project's own, or one of Keras."""
    given = arguments.get(0, "identifier")
    return given if isinstance(given, Function) else Api(api.ANY_ACTIVATION)


def _trace_later(machine: Calls, function: Value | None, argument: Tensor) -> None:
    """Note a function that a layer of Keras is given, and calls on its input; AutoGraph converts it nowhere."""
    for alternative in alternatives(function) if function is not None else ():
        if isinstance(alternative, Function) and machine.frame.scope.phase is not Phase.CALL:
            machine.trace_callback(alternative, Arguments((*alternative.partial, argument)), False)


def _dictionary(machine: Calls, arguments: Arguments) -> Value:
    if arguments.partial or arguments.positional:
        return Container(UNKNOWN, type="dict")
    values = [value for _, value in arguments.keywords]
    of = join(values) if values else UNKNOWN
    return Container(of, None if values else (), "dict", entries=arguments.keywords)


def _dictionary_with_default(machine: Calls, arguments: Arguments) -> Value:
    """A dict whose entries are made where they are asked for, mostly containers themselves."""
    made = machine.call_value(arguments.get(0, "default_factory") or UNKNOWN, Arguments(()))
    return Container(replace(made, items=None) if isinstance(made, Container) else made, type="dict")


def _counter(machine: Calls, arguments: Arguments) -> Value:
    return Container(STATIC, type="counter")


def _number(machine: Calls, arguments: Arguments) -> Value:
    subject = arguments.get(0, "x") or STATIC
    converts = machine.frame.scope.autograph and all(isinstance(v, (Tensor, Variable)) for v in alternatives(subject))
    return machine.tensor() if converts else STATIC


def _whole_number(machine: Calls, arguments: Arguments) -> Value:
    number = _number(machine, arguments)
    return replace(number, whole=True) if isinstance(number, Tensor) else number


def _random_state(name: str) -> Callable[[Calls, Arguments], Value]:
    def make(machine: Calls, arguments: Arguments) -> Value:
        seeded = any(value != NONE for value in arguments.values)
        return Instance(name, fresh=True, origin="" if seeded else "entropy")

    return make


def with_pattern(name: ast.expr, arguments: Arguments) -> Arguments:
    """The arguments of `getattr` or `setattr`, with the pattern of a name that is put together."""
    known, pattern = arguments.positional[1], pattern_of(name)
    if pattern is None or (isinstance(known, Static) and isinstance(known.constant, str)):
        return arguments
    first, _, *rest = arguments.positional
    return arguments._replace(positional=(first, Static(pattern), *rest))


BY_NAME = frozenset({"builtins.getattr", "builtins.setattr"})


def _with_fields(machine: Calls, arguments: Arguments) -> Value:
    """`dataclasses.replace`: an object of the same class, some of whose fields are given."""
    subject = arguments.get(0, "obj") or UNKNOWN
    if not isinstance(subject, Instance) or subject.cls is None:
        return UNKNOWN
    machine.keep_fields(subject.cls, (), Arguments((), arguments.keywords))
    return replace(subject, fresh=True, origin="")


def _setattr(machine: Calls, arguments: Arguments) -> Value:
    subject, name, value = (arguments.get(i, "") for i in range(3))
    attribute = name.constant if isinstance(name, Static) else None
    if isinstance(subject, Instance) and subject.cls is not None and isinstance(attribute, str) and value is not None:
        machine.heap[subject.cls, attribute] = value
    return NONE


def _attributes(machine: Calls, arguments: Arguments) -> Value:
    """The attributes of an object, as a dict that changes them."""
    return machine.attribute(arguments.get(0, "object") or UNKNOWN, "__dict__")


def _delattr(machine: Calls, arguments: Arguments) -> Value:
    return _setattr(machine, Arguments((*arguments.positional, NONE)))


def _field(machine: Calls, arguments: Arguments) -> Value:
    """`dataclasses.field`: what an object has in the field that its constructor is not given."""
    given = dict(arguments.keywords)
    if (factory := given.get("default_factory")) is not None:
        return machine.call_value(factory, Arguments(()))
    return given.get("default", UNKNOWN)


def _backend(machine: Calls, arguments: Arguments) -> Value:
    return Static("tensorflow")


def _static(machine: Calls, arguments: Arguments) -> Value:
    return STATIC


def _rearranged(machine: Calls, arguments: Arguments) -> Value:
    """What ``einops`` makes of a tensor or a list of them, by a pattern such as ``"b h w c -> b (h w) c"``."""
    subject, pattern = arguments.get(0, "tensor") or UNKNOWN, arguments.get(1, "pattern")
    if isinstance(subject, (Array, Tensor, Variable)) and not getattr(subject, "eager", False):
        before, _, after = str(pattern.constant if isinstance(pattern, Static) else "").partition("->")
        keeps = bool(before.split()) and before.split()[:1] == after.split()[:1]
        is_batch = isinstance(subject, Tensor) and subject.batch and not subject.nest and keeps
        return Array() if isinstance(subject, Array) else machine.tensor(batch=is_batch)
    return machine.tensor() if isinstance(subject, Container) and is_tensor(subject.of) else UNKNOWN


def _variable(machine: Calls, arguments: Arguments) -> Value:
    return Variable(fresh=True)


def _keras_variable(machine: Calls, arguments: Arguments) -> Value:
    return Variable(fresh=True, keras=True)


def _clustered_shape(machine: Calls, arguments: Arguments) -> Value:
    subject = arguments.get(0, "x") or UNKNOWN
    batch = all(isinstance(v, Tensor) and v.batch and not v.eager for v in alternatives(subject))
    return Shape(batch)


def _unpacked_data(machine: Calls, arguments: Arguments) -> Value:
    """``x``, ``y`` and ``sample_weight`` of what a step function is given: nests, and None for what is left out."""
    part = replace(machine.tensor(batch=True), nest=True)
    items = (part, join([NONE, part]), join([NONE, part]))
    return Container(join(items), items, "tuple")


SPECIAL: dict[str, Callable[[Calls, Arguments], Value]] = {
    **ITERATION,
    "keras.utils.unpack_x_y_sample_weight": _unpacked_data,
    "tensorflow.executing_eagerly": _executing_eagerly,
    "tensorflow.compat.v1.executing_eagerly": _executing_eagerly,
    "tensorflow.compat.dimension_value": _same,
    "tensorflow.inside_function": _inside_function,
    "keras.utils.backend_utils.in_tf_graph": _inside_function,
    "keras.utils.backend_utils.in_grain_data_pipeline": _in_grain_pipeline,
    "tensorflow.is_tensor": _is_tensor,
    "keras.ops.is_tensor": _is_tensor,
    "tensorflow.is_symbolic_tensor": _is_symbolic,
    "keras.backend.backend": _backend,
    "keras.config.backend": _backend,
    "builtins.hasattr": _hasattr,
    "builtins.getattr": _getattr,
    "builtins.isinstance": _isinstance,
    "builtins.len": _length,
    "builtins.int": _whole_number,
    "builtins.float": _number,
    "builtins.bool": _static,
    "builtins.str": _static,
    "builtins.repr": _static,
    "builtins.type": _type,
    "builtins.any": _static,
    "builtins.all": _static,
    "builtins.callable": _callable,
    "keras.tree.flatten": _flattened,
    "tensorflow.nest.flatten": _flattened,
    "keras.tree.map_structure": _mapped,
    "tensorflow.nest.map_structure": _mapped,
    "keras.layers.Lambda": _lambda_layer,
    "keras.layers.Activation": _activation_layer,
    "builtins.dict": _dictionary,
    "collections.OrderedDict": _dictionary,
    "collections.defaultdict": _dictionary_with_default,
    "collections.Counter": _counter,
    "types.MethodType": partial,
    "functools.partial": partial,
    "collections.namedtuple": _named_tuple_class,
    "builtins.setattr": _setattr,
    "dataclasses.replace": _with_fields,
    "dataclasses.field": _field,
    "keras.activations.get": _activation,
    "builtins.delattr": _delattr,
    "builtins.vars": _attributes,
    **dict.fromkeys(("einops.rearrange", "einops.reduce", "einops.repeat"), _rearranged),
    "numpy.random.default_rng": _random_state("numpy.random.Generator"),
    "numpy.random.RandomState": _random_state("numpy.random.RandomState"),
    "random.Random": _random_state("random.Random"),
    "tensorflow.Variable": _variable,
    "keras.Variable": _keras_variable,
    "keras.backend.variable": _variable,
    "keras.backend.Variable": _variable,
    "keras.backend.int_shape": _clustered_shape,
}
SPECIAL.update(
    {f"math.{name}": _static for name in ("sqrt", "log", "ceil", "floor", "exp", "pow", "log2", "cos", "sin")}
)
