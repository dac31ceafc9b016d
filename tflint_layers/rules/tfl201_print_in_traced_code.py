"""Something is printed or logged by Python in code that runs only while it is traced.

## What it does
Finds `print`, `pprint`, `logging` and loggers, `sys.stdout.write` and `warnings.warn` in code that Keras or
`tf.function` traces. Printing under an option of the layer that is off by default (`if self.debug:`) is left alone,
and so is a warning under a condition: it is meant to be seen once.

## Why is this bad
It prints while the graph is traced, once or twice, and never again: `fit` over a thousand steps prints no more
than over one. What it prints of a tensor is its symbolic name, not its numbers.

## Keras 2 and Keras 3
The same in both, and below `tf.function`. No error is raised.

## Example
```python
class Loud(keras.layers.Layer):
    def call(self, inputs):
        print("mean", tf.reduce_mean(inputs))
        return inputs
```
Print from inside the graph:
```python
class Loud(keras.layers.Layer):
    def call(self, inputs):
        tf.print("mean", tf.reduce_mean(inputs))
        return inputs
```

## Fix safety
`print(...)` becomes `tf.print(...)`, with `sep`, `end` and `file=sys.stderr` carried over. Under Keras 2 the fix is
safe. Under Keras 3 it is unsafe: with a GPU, Keras 3 compiles with XLA by default, and there `tf.print` raises
InvalidArgumentError unless the layer sets `self.supports_jit = False`.

## How TensorFlow confirms it
The line runs at each eager call, but in graph mode only while the layer is traced.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Fix, Proof, Safety
from tflint_layers.model.effects import Effect, effect
from tflint_layers.model.scopes import Scope
from tflint_layers.model.syntax import walk
from tflint_layers.model.values import may_be_symbolic
from tflint_layers.rewrite import rewrite_call, tensorflow_name
from tflint_layers.rules.rule import Hit, Rule

_KEYWORDS = {"file": "output_stream"}
_STREAMS = frozenset({"sys.stderr", "sys.stdout"})


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to calls that print or log from Python."""
    if isinstance(node, ast.Call) and node not in scope.optional and _prints(scope, node):
        yield Hit(
            node,
            f"`{scope.text(node.func)}` runs only while `{scope.traced_name}` is traced: "
            "the graph that runs afterwards prints nothing",
        )


def _prints(scope: Scope, node: ast.Call) -> bool:
    done = effect(scope.api_name(node.func))
    if done is Effect.WARN:
        # A warning about how the layer was set up is meant to be seen once, and that is what happens.
        return not any(isinstance(parent, (ast.If, ast.ExceptHandler)) for parent in scope.parents(node))
    return done is Effect.PRINT


def fix(scope: Scope, hit: Hit) -> Fix | None:
    """`print` to `tf.print`."""
    call = hit.node
    if (
        not isinstance(call, ast.Call)
        or scope.api_name(call.func) != "builtins.print"
        or not _has_equivalent(scope, call)
    ):
        return None
    name, imports = tensorflow_name(scope.module)
    edit = rewrite_call(scope.module.source, call, function=f"{name}.print", renamed=_KEYWORDS, without=("flush",))
    if edit is None:
        return None
    if scope.keras == 2:
        return Fix(f"print from the graph with `{name}.print`", Safety.SAFE, (*imports, edit))
    message = (
        f"print from the graph with `{name}.print`; with a GPU, Keras 3 compiles with XLA, "
        "where it raises unless the layer sets `self.supports_jit = False`"
    )
    return Fix(message, Safety.UNSAFE, (*imports, edit))


def _has_equivalent(scope: Scope, call: ast.Call) -> bool:
    keywords = {keyword.arg for keyword in call.keywords}
    if not keywords <= {"sep", "end", "file", "flush"}:
        return False
    streams = [keyword.value for keyword in call.keywords if keyword.arg == "file"]
    if any(scope.api_name(stream) not in _STREAMS for stream in streams):
        return False
    return not any(_formats_tensor(scope, argument) for argument in call.args)


def _formats_tensor(scope: Scope, argument: ast.expr) -> bool:
    """Whether the text is put together from a tensor before `tf.print` could print its numbers."""
    if not scope.formats_text(argument):
        return False
    return any(may_be_symbolic(scope.value(node)) for node in walk(argument) if isinstance(node, ast.expr))


RULE = Rule(
    code="TFL201",
    name="print-in-traced-code",
    documentation=__doc__,
    nodes=(ast.Call,),
    check=check,
    proof=Proof.RUNS_ONCE,
    fix=fix,
)
