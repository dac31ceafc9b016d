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
        return inputs + tf.random.normal((3,), dtype=inputs.dtype)
```

## Fix safety
`np.random.normal(size=s)` and its kin, of `random` and of generators too, become `tf.random.normal(s)`, or
`keras.random.normal(s, seed=...)` where the layer has a seed generator, and what the code does with the number becomes
operations. The fix is unsafe: the numbers are others, and their type is that of the tensor that they meet, else
float32, or int32. `random.shuffle(items)`
becomes `items = tf.random.shuffle(items)`, `time.time()` becomes `tf.timestamp()` inside `tf.cast`. Choices between
Python objects, iterators and the environment are left alone.

## How TensorFlow confirms it
Eager calls with the same inputs give new results, graph calls repeat one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Fix, Proof
from tflint_layers.model.effects import Effect, effect
from tflint_layers.model.scopes import Scope
from tflint_layers.model.values import (
    NONE,
    UNKNOWN,
    Array,
    Container,
    Instance,
    Method,
    Static,
    Tensor,
    Value,
    alternatives,
    constant_of,
    may_be_symbolic,
)
from tflint_layers.rewrite import (
    Kind,
    Retyping,
    draws,
    dtype_met,
    kind_of,
    kind_of_number,
    only_value,
)
from tflint_layers.rules.rule import Hit, Rule

_ENVIRON = "os.environ"
_SHUFFLES = frozenset({"random.shuffle", "numpy.random.shuffle", "numpy.random.Generator.shuffle"})


_CHOICES = {
    "random.choice": "choice",
    "numpy.random.choice": "choice",
    "numpy.random.permutation": "permutation",
    "numpy.random.Generator.permutation": "permutation",
}


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to values that Python computes once for all steps."""
    if isinstance(node, ast.Call):
        if scope.api_name(node.func) == "builtins.next":
            yield from _check_next(scope, node)
        elif _is_new_each_time(scope, node) and not _names_something(scope, node):
            yield Hit(node, _message(scope, node))
    elif isinstance(node, (ast.Subscript, ast.Compare)) and _reads_environment(scope, node):
        yield Hit(node, _message(scope, node))


def _reads_environment(scope: Scope, node: ast.Subscript | ast.Compare) -> bool:
    """Whether an expression is `os.environ[name]` or `name in os.environ`."""
    if isinstance(node, ast.Subscript):
        return isinstance(node.ctx, ast.Load) and scope.api_name(node.value) == _ENVIRON
    return isinstance(node.ops[0], (ast.In, ast.NotIn)) and scope.api_name(node.comparators[0]) == _ENVIRON


def _check_next(scope: Scope, node: ast.Call) -> Iterator[Hit]:
    iterator = scope.value(node.args[0]) if node.args else NONE
    if any(isinstance(v, Container) and v.origin for v in alternatives(iterator)):
        yield Hit(node, _message(scope, node))
    elif iterator is UNKNOWN:
        yield Hit(node, _message(scope, node), suspect=True)


def _is_new_each_time(scope: Scope, node: ast.Call) -> bool:
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
    """Draw, shuffle or read the clock in the graph, and let the code go on with the tensor."""
    call = hit.node
    if not isinstance(call, ast.Call) or hit.suspect or any(isinstance(a, ast.Starred) for a in call.args):
        return None
    name = scope.api_name(call.func)
    if name == "time.time":
        return _fix_clock(scope, call)
    if name in _SHUFFLES:
        return _fix_shuffle(scope, call)
    if name in _CHOICES:
        return _fix_choice(scope, call)
    draw = draws.draw(scope, call, name)
    if draw is None:
        return None
    retyping, used = Retyping(scope), _without_cast(scope, call)
    text = draws.text(scope, retyping.library, draw, dtype_met(scope, used))
    retyping.plan.put(used, lambda: text)
    if not retyping.consume(scope, used, draw.kind):
        return None
    return retyping.fix(call, f"draw in the graph with `{text}`; the numbers are others, and have a dtype of their own")


def _fix_choice(scope: Scope, call: ast.Call) -> Fix | None:
    """One of several numbers that are written out, or whole numbers in another order."""
    items = call.args[0] if len(call.args) == 1 and not call.keywords else None
    if items is None:
        return None
    retyping = Retyping(scope)
    plan, name = retyping.plan, retyping.library.tensorflow
    if _CHOICES[scope.api_name(call.func)] == "permutation":
        if not isinstance(constant_of(scope.value(items)), int):
            return None
        plan.put(call, lambda: f"{name}.random.shuffle({name}.range({plan.argument(items)}))")
        kind = Kind.INT
    elif len(kinds := _kinds_of_items(scope, items)) == 1:
        count = len(items.elts) if isinstance(items, (ast.List, ast.Tuple)) else f"len({plan.text(items)})"
        index = f'{name}.random.uniform((), maxval={count}, dtype="int32")'
        plan.put(call, lambda: f"{name}.gather({plan.argument(items)}, {index})")
        kind = kinds.pop()
        if kind is Kind.FLOAT and (dtype := dtype_met(scope, call)) is not None:
            retyping.wrap_cast(call, dtype)
    else:
        return None
    if not retyping.consume(scope, call, kind):
        return None
    return retyping.fix(call, "choose in the graph; the numbers are others, and 32 bits wide")


def _kinds_of_items(scope: Scope, items: ast.expr) -> set[Kind]:
    """The kinds of the numbers in a list that is written out, here or where an attribute is set; empty for others."""
    value = scope.value(items)
    if isinstance(items, (ast.List, ast.Tuple)):
        kinds = {kind_of(scope, item) for item in items.elts}
    elif isinstance(value, Container) and value.type in {"list", "tuple"} and value.items:
        kinds = {kind_of_number(constant_of(item)) for item in value.items}
    else:
        kinds = set()
    return kinds if kinds <= {Kind.INT, Kind.FLOAT} else set()


def _fix_shuffle(scope: Scope, call: ast.Call) -> Fix | None:
    """`random.shuffle(items)` to a name for a tensor of them; `permutation` to the same."""
    items = call.args[0] if len(call.args) == 1 and not call.keywords else None
    statement = scope.parent(call)
    retyping = Retyping(scope)
    shuffle = f"{retyping.library.tensorflow}.random.shuffle"
    if not isinstance(items, ast.Name) or not isinstance(statement, ast.Expr) or scope.outlives(items):
        return None
    if not _are_numbers(scope.value(items)):
        return None
    if any(isinstance(parent, (ast.For, ast.While)) for parent in scope.parents(call)):
        return None
    retyping.plan.put(statement, lambda: f"{items.id} = {shuffle}({items.id})")
    uses = [use for use in scope.uses(items.id) if use.lineno > call.lineno]
    if not all(retyping.consume(scope, use, kind_of(scope, use)) for use in uses):
        return None
    return retyping.fix(call, "shuffle in the graph; the order is another one, and a tensor")


def _are_numbers(items: Value) -> bool:
    """Whether the items of a list are such as a tensor can hold."""
    of = items.of if isinstance(items, Container) else items
    return all(isinstance(one, (Static, Tensor, Array)) for one in alternatives(of))


def _fix_clock(scope: Scope, call: ast.Call) -> Fix | None:
    """What is computed from the time is cast where it meets a tensor, since the clock has 64 bits."""
    parent = scope.parent(call)
    target = parent.targets[0] if isinstance(parent, ast.Assign) and len(parent.targets) == 1 else None
    uses = _only_uses(scope, target) if isinstance(target, ast.Name) else [call]
    retyping = Retyping(scope)
    name = retyping.library.tensorflow
    retyping.plan.put(call, lambda: f"{name}.timestamp()")
    if not uses or not all(_goes_on(scope, retyping, use) for use in uses):
        return None
    return retyping.fix(
        call,
        f"read the clock in the graph with `{name}.timestamp()`; each step then gets a time of its own, as a tensor",
    )


def _only_uses(scope: Scope, name: ast.Name) -> list[ast.expr]:
    """Where a name that is bound once is read."""
    return [*scope.uses(name.id)] if only_value(scope, name.id) is not None else []


def _goes_on(scope: Scope, retyping: Retyping, node: ast.expr) -> bool:
    """Plan for a time: arithmetic with numbers of Python goes on in the clock's own type, until that is cast."""
    number, parent = node, scope.parent(node)
    while isinstance(parent, ast.BinOp) and not may_be_symbolic(scope.value(parent)):
        number, parent = parent, scope.parent(parent)
    if isinstance(parent, ast.BinOp):
        retyping.cast_like(scope, number)
        return True
    return isinstance(parent, ast.Call) and scope.api_name(parent.func) in {"tensorflow.cast", "keras.ops.cast"}


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


RULE = Rule(
    code="TFL206",
    name="value-frozen-at-trace",
    documentation=__doc__,
    nodes=(ast.Call, ast.Subscript, ast.Compare),
    check=check,
    calls=lambda name: effect(name) is Effect.NEW_VALUE or name == "builtins.next",
    proof=Proof.FROZEN,
    fix=fix,
)
