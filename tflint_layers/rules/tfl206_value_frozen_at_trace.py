"""A random number, a time or the next value of an iterator is taken while tracing and then used for ever.

## What it does
Finds `random.*`, `np.random.*`, draws from a NumPy or Python generator, `next(self.iterator)`, `time.time()`,
`datetime.now()`, `uuid4()`, `os.environ[...]` and `secrets` in code that Keras or `tf.function` traces. A generator
made from a seed in the same call is left alone, for it gives the same at every call, and so is an iterator made in the
same call.

## Why is this bad
Python computes the value while the graph is traced, and the graph holds it as a constant: noise that never changes,
a dropped layer that stays dropped, a clock that stands still.

## Keras 2 and Keras 3
The same in both, and below `tf.function`. No error is raised.

## Example
```python
class Noise(keras.layers.Layer):
    def call(self, inputs):
        return inputs + np.random.normal(size=(3,))
```
Draw in the graph:
```python
class Noise(keras.layers.Layer):
    def call(self, inputs):
        return inputs + tf.random.normal((3,))
```

## Fix safety
`np.random.normal(size=s)` and its kin become `tf.random.normal(s)`, or `keras.random.normal(s, seed=...)` where the
layer has a seed generator, if the result goes straight into arithmetic with a tensor. The fix is unsafe: the numbers
are others, and their type is float32. `time.time()` becomes `tf.timestamp()` inside `tf.cast`.

## How TensorFlow confirms it
Eager calls with the same inputs give new results, graph calls repeat one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Edit, Fix, Proof, Safety
from tflint_layers.model.effects import Effect, effect
from tflint_layers.model.scopes import Scope
from tflint_layers.model.syntax import walk
from tflint_layers.model.values import (
    UNKNOWN,
    Container,
    Instance,
    Method,
    Value,
    alternatives,
    is_tensor,
    may_be_symbolic,
)
from tflint_layers.rewrite import replace, tensorflow_name
from tflint_layers.rules.rule import Hit, Rule

_ENVIRON = "os.environ"
# Python's function -> the one in `tf.random` and `keras.random`, its parameters before `size`, and their names there.
_DRAWS = {
    "numpy.random.normal": ("normal", ("loc", "scale"), ("mean", "stddev")),
    "numpy.random.uniform": ("uniform", ("low", "high"), ("minval", "maxval")),
    "numpy.random.standard_normal": ("normal", (), ()),
    "numpy.random.random": ("uniform", (), ()),
    "numpy.random.random_sample": ("uniform", (), ()),
    "random.gauss": ("normal", ("mu", "sigma"), ("mean", "stddev")),
    "random.normalvariate": ("normal", ("mu", "sigma"), ("mean", "stddev")),
    "random.uniform": ("uniform", ("a", "b"), ("minval", "maxval")),
    "random.random": ("uniform", (), ()),
}


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to values that Python computes once for all steps."""
    if isinstance(node, ast.Call):
        if scope.api_name(node.func) == "builtins.next" and node.args:
            yield from _check_next(scope, node)
        elif _is_new_each_time(scope, node) and not _names_something(scope, node):
            yield Hit(node, _message(scope, node))
    elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and scope.api_name(node.value) == _ENVIRON:
        yield Hit(node, _message(scope, node))


def _check_next(scope: Scope, node: ast.Call) -> Iterator[Hit]:
    iterator = scope.value(node.args[0])
    if any(isinstance(v, Container) and v.origin for v in alternatives(iterator)):
        yield Hit(node, _message(scope, node))
    elif iterator == UNKNOWN:
        yield Hit(node, _message(scope, node), suspect=True)


def _is_new_each_time(scope: Scope, node: ast.Call) -> bool:
    if effect(scope.api_name(node.func)) is not Effect.NEW_VALUE:
        return False
    return not any(_is_seeded_here(value) for value in alternatives(scope.value(node.func)))


def _names_something(scope: Scope, node: ast.expr) -> bool:
    """Whether the value goes into a text beside other words: the name of something, not a number of the layer."""
    for parent in scope.parents(node):
        if isinstance(parent, (ast.JoinedStr, ast.BinOp)) and scope.formats_text(parent):
            return True
        if not isinstance(parent, (ast.Call, ast.FormattedValue, ast.Attribute, ast.BinOp, ast.Subscript)):
            return False
    return False


def _is_seeded_here(function: Value) -> bool:
    """Whether a method belongs to a generator that the same call makes from a seed."""
    receiver = function.receiver if isinstance(function, Method) else None
    return isinstance(receiver, Instance) and receiver.fresh and receiver.origin != "entropy"


def _message(scope: Scope, node: ast.expr) -> str:
    return (
        f"`{scope.text(node)}` is computed only while `{scope.traced_name}` is traced: "
        "the graph uses that one value at every step"
    )


def fix(scope: Scope, hit: Hit) -> Fix | None:
    """Draw in the graph, where the result goes straight into arithmetic with a tensor."""
    call = hit.node
    if not isinstance(call, ast.Call):
        return None
    if scope.api_name(call.func) == "time.time":
        return _fix_clock(scope, call)
    drawn = _DRAWS.get(scope.api_name(call.func))
    used = _without_cast(scope, call)
    if drawn is None or not _meets_tensor(scope, used):
        return None
    arguments = _arguments(scope, call, *drawn[1:])
    if arguments is None:
        return None
    library, seed, imports = _library(scope)
    text = f"{library}.random.{drawn[0]}({arguments}{seed})"
    return Fix(f"draw in the graph with `{text}`", Safety.UNSAFE, (*imports, replace(scope.module.source, used, text)))


def _fix_clock(scope: Scope, call: ast.Call) -> Fix | None:
    parent = scope.parent(call)
    while isinstance(parent, ast.BinOp) and not may_be_symbolic(scope.value(parent)):
        # Arithmetic with Python numbers goes on in the clock's own type.
        parent = scope.parent(parent)
    if not isinstance(parent, ast.Call) or scope.api_name(parent.func) not in {"tensorflow.cast", "keras.ops.cast"}:
        return None
    name, imports = tensorflow_name(scope.module)
    edit = replace(scope.module.source, call, f"{name}.timestamp()")
    return Fix(f"read the clock in the graph with `{name}.timestamp()`", Safety.UNSAFE, (*imports, edit))


def _without_cast(scope: Scope, call: ast.Call) -> ast.Call:
    """The call together with an ``.astype("float32")`` behind it, which is the type that TensorFlow draws anyway."""
    method = scope.parent(call)
    cast = scope.parent(method) if isinstance(method, ast.Attribute) and method.attr == "astype" else None
    if not isinstance(cast, ast.Call) or len(cast.args) != 1 or cast.keywords:
        return call
    dtype = cast.args[0]
    is_float32 = (isinstance(dtype, ast.Constant) and dtype.value == "float32") or scope.api_name(dtype) in {
        "numpy.float32",
        "tensorflow.float32",
    }
    return cast if is_float32 else call


def _meets_tensor(scope: Scope, node: ast.expr) -> bool:
    parent = scope.parent(node)
    if not isinstance(parent, ast.BinOp):
        return False
    return is_tensor(scope.value(parent.right if parent.left is node else parent.left))


def _arguments(scope: Scope, call: ast.Call, names: tuple[str, ...], renamed: tuple[str, ...]) -> str | None:
    """The arguments of TensorFlow's function in its own words; None where they cannot be told."""
    order = (*names, "size")
    if len(call.args) > len(order) or any(isinstance(argument, ast.Starred) for argument in call.args):
        return None
    given = dict(zip(order, call.args, strict=False)) | {k.arg or "": k.value for k in call.keywords}
    if not set(given) <= set(order):
        return None
    text = scope.module.source.segment
    size = given.get("size")
    if isinstance(size, ast.Constant) and isinstance(size.value, int):
        shape = f"({size.value},)"
    elif size is None or isinstance(size, (ast.Tuple, ast.List)):
        shape = "()" if size is None else text(size)
    else:
        return None
    parameters = (f", {new}={text(given[old])}" for old, new in zip(names, renamed, strict=True) if old in given)
    return shape + "".join(parameters)


def _library(scope: Scope) -> tuple[str, str, tuple[Edit, ...]]:
    """What the file calls Keras, with the layer's seed generator as an argument; TensorFlow where it has none."""
    module = scope.module
    keras = next((name for name, dotted in module.names.items() if dotted == "keras"), "")
    for node in walk(scope.layer.node) if scope.layer is not None and keras else ():
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            target = node.targets[0]
            if module.dotted(node.value.func) == "keras.random.SeedGenerator" and isinstance(target, ast.Attribute):
                return keras, f", seed={module.source.segment(target)}", ()
    name, imports = tensorflow_name(module)
    return name, "", imports


RULE = Rule(
    code="TFL206",
    name="value-frozen-at-trace",
    documentation=__doc__,
    nodes=(ast.Call, ast.Subscript),
    check=check,
    proof=Proof.FROZEN,
    fix=fix,
)
