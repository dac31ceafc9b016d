"""Python has to take a tensor apart element by element, before anybody knows how many there are.

## What it does
Finds `for row in x`, comprehensions, unpacking (`a, b = x`, `b, d = tf.shape(x)`, `f(*x)`), `zip`, `enumerate`, `map`,
`list`, `sum`, `max`, `min` and `sorted` over tensors in code that Keras or `tf.function` traces, and loops over a
`tf.data.Dataset`.

## Why is this bad
While `call` is traced a tensor has no elements to hand out. The layer works eagerly and breaks at the first `fit` or
`predict`; a loop over a dataset never ends.

## Keras 2 and Keras 3
Keras 3 does not convert `call` with AutoGraph: OperatorNotAllowedInGraphError. Keras 2, and `@tf.function` on `call`
or on the helper that holds the loop, convert `for row in x` and `for i in tf.range(n)`; comprehensions, unpacking and
Python's functions fail there too.

## Example
```python
class Normalize(keras.layers.Layer):
    def call(self, inputs):
        batch, width = tf.shape(inputs)
        return inputs / tf.cast(width, inputs.dtype)
```
Take it apart with an operation:
```python
class Normalize(keras.layers.Layer):
    def call(self, inputs):
        batch, width = tf.unstack(tf.shape(inputs))
        return inputs / tf.cast(width, inputs.dtype)
```

## Fix safety
Unpacking `tf.shape(x)` goes through `tf.unstack`, and `for i in tf.range(4)` becomes `range(4)`: both are safe.
`sum(x)` becomes `tf.reduce_sum(x, axis=0)` and `max(x, c)` becomes `tf.maximum(x, c)`, or the same of `keras.ops`:
unsafe, because an operation wants operands of one dtype.

## How TensorFlow confirms it
Tracing the layer raises, and the traceback passes through the line.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Fix, Proof, Safety
from tflint_layers.model import demands
from tflint_layers.model.scopes import Scope
from tflint_layers.model.values import Instance, is_symbolic, literal
from tflint_layers.rewrite import operations, replace
from tflint_layers.rules.rule import Hit, Rule

_PAIRS = {"builtins.max": "maximum", "builtins.min": "minimum"}


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to taking tensors apart with Python."""
    for demand in demands.loops(scope, node):
        yield Hit(demand.node, _message(scope, node, demand), demand.suspect)


def _message(scope: Scope, node: ast.AST, demand: demands.Demand) -> str:
    subject = scope.text(demand.subject)
    if isinstance(scope.value(demand.subject), Instance):
        return f"the loop over `{subject}` never ends while `{scope.traced_name}` is traced by Keras 3"
    only = ": Keras 3 does not convert it with AutoGraph" if isinstance(node, ast.For) and scope.keras == 3 else ""
    if isinstance(demand.subject, (ast.Tuple, ast.List)):
        subject = f"what `({subject})` is assigned" if not subject.startswith("(") else f"what `{subject}` is assigned"
        return f"{subject} is a tensor, which Python cannot unpack while `{scope.traced_name}` is traced"
    return f"Python cannot step through the tensor `{subject}` while `{scope.traced_name}` is traced{only}"


def fix(scope: Scope, hit: Hit) -> Fix | None:
    """An operation instead of a Python function."""
    if hit.suspect or not isinstance(hit.node, ast.expr):
        return None
    if isinstance(hit.node, ast.Call):
        return _fix_range(scope, hit.node) or _fix_call(scope, hit.node)
    return _fix_unpacking(scope, hit.node)


def _fix_range(scope: Scope, node: ast.Call) -> Fix | None:
    if scope.api_name(node.func) != "tensorflow.range" or node.keywords:
        return None
    if not all(isinstance(literal(argument), int) for argument in node.args):
        return None
    edit = replace(scope.module.source, node.func, "range")
    return Fix("step through Python's own numbers", Safety.SAFE, (edit,))


def _fix_call(scope: Scope, node: ast.Call) -> Fix | None:
    name = scope.api_name(node.func)
    if node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
        return None
    library = operations(scope.module)
    arguments = ", ".join(scope.module.source.segment(argument) for argument in node.args)
    if name in _PAIRS and len(node.args) == 2:
        new = f"{library.name(_PAIRS[name])}({arguments})"
    elif name == "builtins.sum" and len(node.args) == 1 and is_symbolic(scope.value(node.args[0])):
        new = f"{library.name('sum')}({arguments}, axis=0)"
    else:
        return None
    edit = replace(scope.module.source, node, new)
    return Fix(f"compute it in the graph: `{new}`", Safety.UNSAFE, (*library.imports, edit))


def _fix_unpacking(scope: Scope, node: ast.expr) -> Fix | None:
    statement = scope.parent(node)
    if not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.Call):
        return None
    if scope.api_name(statement.value.func) != "tensorflow.shape":
        return None
    source = scope.module.source
    prefix = source.segment(statement.value.func).rpartition(".")[0]
    if not prefix:
        return None
    edit = replace(source, statement.value, f"{prefix}.unstack({source.segment(statement.value)})")
    return Fix("take the shape apart with an operation", Safety.SAFE, (edit,))


RULE = Rule(
    code="TFL105",
    name="python-loop-over-tensor",
    documentation=__doc__,
    nodes=demands.NODES[demands.loops],
    check=check,
    proof=Proof.RAISES,
    fix=fix,
)
