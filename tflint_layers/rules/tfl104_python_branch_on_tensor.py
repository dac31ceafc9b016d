"""Python has to know whether a tensor is true, before there is anything to look at.

## What it does
Finds `if`, `while`, `a if x else b`, `and`, `or`, `not`, `in`, chained comparisons, `match`, `any` and `all` on
tensors in code that Keras or `tf.function` traces.

## Why is this bad
While `call` is traced a comparison of tensors is itself a tensor, neither true nor false. The layer works eagerly and
breaks at the first `fit` or `predict`.

## Keras 2 and Keras 3
Keras 3 does not convert `call` with AutoGraph: OperatorNotAllowedInGraphError. Keras 2, and `@tf.function` on `call`
or on the helper that holds the branch, convert `if`, `while`, the ternary, `and`, `or`, `not` and chained comparisons;
`in`, `match`, `any`, `all` and conditions of comprehensions fail there too.

## Example
```python
class Gate(keras.layers.Layer):
    def call(self, inputs):
        if tf.reduce_sum(inputs) > 0:
            inputs = inputs * 2.0
        return inputs
```
Choose inside the graph:
```python
class Gate(keras.layers.Layer):
    def call(self, inputs):
        return tf.where(tf.reduce_sum(inputs) > 0, inputs * 2.0, inputs)
```

## Fix safety
`tf.rank(x) == 2` becomes `len(x.shape) == 2`, which is safe. `a if x else b` becomes `tf.where(x, a, b)` or
`ops.where`, which is unsafe: both sides are computed, and they must be of one shape and dtype. The rest is the
author's choice.

## How TensorFlow confirms it
Tracing the layer raises, and the traceback passes through the line.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Fix, Proof, Safety
from tflint_layers.model import demands
from tflint_layers.model.scopes import Scope
from tflint_layers.model.values import Value, constant_of, is_static, is_tensor
from tflint_layers.rewrite import operations, replace
from tflint_layers.rules.rule import Hit, Rule


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to tensors where Python needs True or False."""
    for demand in demands.truths(scope, node):
        yield Hit(
            demand.node,
            f"`{_condition(scope, node, demand)}` must be true or false while `{scope.traced_name}` is traced, "
            f"but it depends on a tensor, which has no value there{_only_in_keras3(scope, node)}",
            demand.suspect,
        )


def _condition(scope: Scope, node: ast.AST, demand: demands.Demand) -> str:
    text = scope.text(demand.node)
    return f"{scope.text(demand.subject)} == {text}" if isinstance(node, ast.Match) else text


def _only_in_keras3(scope: Scope, node: ast.AST) -> str:
    converted = isinstance(node, (ast.If, ast.While, ast.IfExp, ast.BoolOp, ast.UnaryOp))
    return ": Keras 3 does not convert it with AutoGraph" if converted and scope.keras == 3 else ""


def fix(scope: Scope, hit: Hit) -> Fix | None:
    """A static rank for a dynamic one, `where` for a ternary."""
    if not isinstance(hit.node, ast.expr) or hit.suspect:
        return None
    return _fix_rank(scope, hit.node) or _fix_ternary(scope, hit.node)


def _fix_rank(scope: Scope, test: ast.expr) -> Fix | None:
    if not isinstance(test, ast.Compare) or not isinstance(test.left, ast.Call) or len(test.left.args) != 1:
        return None
    if scope.api_name(test.left.func) != "tensorflow.rank" or test.left.keywords:
        return None
    if not all(is_static(scope.value(comparator)) for comparator in test.comparators):
        return None
    source, subject = scope.module.source, test.left.args[0]
    if not isinstance(subject, (ast.Name, ast.Attribute)):
        return None
    edit = replace(source, test.left, f"len({source.segment(subject)}.shape)")
    return Fix("compare the static rank", Safety.SAFE, (edit,))


def _fix_ternary(scope: Scope, test: ast.expr) -> Fix | None:
    choice = scope.parent(test)
    if not isinstance(choice, ast.IfExp) or choice.test is not test or not is_tensor(scope.value(test)):
        return None
    if not all(_is_choosable(scope.value(side)) for side in (choice.body, choice.orelse)):
        return None
    source = scope.module.source
    library = operations(scope.module)
    name = library.name("where")
    parts = ", ".join(source.segment(part) for part in (test, choice.body, choice.orelse))
    edit = replace(source, choice, f"{name}({parts})")
    return Fix(f"choose with `{name}`; both sides are computed", Safety.UNSAFE, (*library.imports, edit))


def _is_choosable(value: Value) -> bool:
    return is_tensor(value) or isinstance(constant_of(value), (int, float))


RULE = Rule(
    code="TFL104",
    name="python-branch-on-tensor",
    documentation=__doc__,
    nodes=demands.NODES[demands.truths],
    check=check,
    proof=Proof.RAISES,
    fix=fix,
)
