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
`tf.rank(x) == 2` becomes `len(x.shape) == 2`, which is safe. The others are unsafe. `a if x else b` becomes
`tf.where(x, a, b)`: both sides are computed. An `if` whose branches only return, or only bind names, becomes `tf.cond`:
both sides must give tensors of one dtype. `if x: raise` becomes `tf.debugging.Assert`, which raises another error, and
which XLA drops. `and`, `or`, `not`, `in`, chained comparisons, `any` and `all` of truth values become logical
operations, and a `while` that only updates names becomes `tf.while_loop`. Code with `keras.ops` gets the same of
`keras.ops`. Branches that do more are left to their author.

## How TensorFlow confirms it
Tracing the layer raises, and the traceback passes through the line.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Fix, Proof, Safety
from tflint_layers.model import demands
from tflint_layers.model.scopes import Scope
from tflint_layers.model.values import is_static
from tflint_layers.rewrite import Kind, Retyping, branches, condition, kind_of, loops, replace
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
    """A static rank for a dynamic one, else a branch or a logical operation of the graph."""
    if not isinstance(hit.node, ast.expr) or hit.suspect:
        return None
    return _fix_rank(scope, hit.node) or _fix_branch(scope, hit.node)


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


def _fix_branch(scope: Scope, node: ast.expr) -> Fix | None:
    whole, parent = node, scope.parent(node)
    while isinstance(parent, ast.BoolOp) or (isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not)):
        whole, parent = parent, scope.parent(parent)
    retyping = Retyping(scope)
    plan, library = retyping.plan, retyping.library
    if isinstance(parent, ast.If) and parent.test is whole:
        planned = branches.plan_if(scope, plan, library, parent)
        return retyping.fix(node, _BRANCH.format(library.name("cond"))) if planned else None
    if isinstance(parent, ast.While) and parent.test is whole:
        planned = loops.plan_while(scope, plan, library, parent)
        return retyping.fix(node, _LOOP.format(library.name("while_loop"))) if planned else None
    if isinstance(parent, ast.IfExp) and parent.test is whole:
        planned = branches.plan_choice(scope, plan, library, parent) and retyping.consume(scope, parent, Kind.UNKNOWN)
        return (
            retyping.fix(node, f"choose with `{library.name('where')}`; both sides are computed") if planned else None
        )
    return _fix_operator(scope, retyping, whole)


def _fix_operator(scope: Scope, retyping: Retyping, node: ast.expr) -> Fix | None:
    """`and`, `or`, `not`, `in`, a chained comparison, `any` and `all` of truth values."""
    operands = node.values if isinstance(node, ast.BoolOp) else []
    if any(kind_of(scope, operand) is not Kind.BOOL for operand in operands):
        return None  # Python hands on one of the operands as it is
    if not isinstance(node, (ast.BoolOp, ast.UnaryOp, ast.Compare, ast.Call)):
        return None
    text = condition(scope, retyping.plan, retyping.library, node)
    if text is None:
        return None
    retyping.plan.put(node, text)
    if not retyping.consume(scope, node, Kind.BOOL):
        return None
    return retyping.fix(node, "decide in the graph; all operands are computed, where Python stops at the first")


_BRANCH = "branch with `{}`; both sides must give tensors of one dtype, and an error is raised by the graph"
_LOOP = "loop with `{}`; what it updates must keep its shape and dtype"


RULE = Rule(
    code="TFL104",
    name="python-branch-on-tensor",
    documentation=__doc__,
    nodes=demands.NODES[demands.truths],
    check=check,
    calls=demands.CALLS[demands.truths],
    proof=Proof.RAISES,
    fix=fix,
)
