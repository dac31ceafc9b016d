"""Something is printed or logged by Python in code that runs only while it is traced.

## What it does
Finds `print`, `pprint`, `logging` and loggers, `sys.stdout.write` and `warnings.warn` in code that Keras or
`tf.function` traces. Printing under an option of the layer that is off by default (`if self.debug:`) is left alone,
and so is a warning under a condition, which is meant to be seen once, what is said right before an error is raised,
and what is said of tracing itself, under `if not tf.executing_eagerly():`.

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
`print(...)` becomes `tf.print(...)`, with `sep`, `end` and `file=sys.stderr` carried over; a text that is put together
from tensors with an f-string, `%` or `str.format` is taken apart, and number formats are lost. `sys.stdout.write` and
loggers become `tf.print` to the same stream, or to TensorFlow's log with the same level. Messages for debugging, which
nobody sees by default, and warnings are left alone. Under Keras 2 the fix is safe. Under Keras 3 it is unsafe: with a
GPU, Keras 3 compiles with XLA by default, and there `tf.print` raises InvalidArgumentError unless the layer sets
`self.supports_jit = False`.

## How TensorFlow confirms it
The line runs at each eager call, but in graph mode only while the layer is traced.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from tflint_layers.finding import Edit, Fix, Proof, Safety
from tflint_layers.model import api
from tflint_layers.model.effects import Effect, effect
from tflint_layers.model.scopes import Scope
from tflint_layers.model.syntax import walk
from tflint_layers.model.values import Instance, may_be_symbolic, truth_by_default
from tflint_layers.rewrite import Plan, replace, rewrite_call, tensorflow_name, texts
from tflint_layers.rules.rule import Hit, Rule

_KEYWORDS = {"file": "output_stream"}
_STREAMS = frozenset({"sys.stderr", "sys.stdout"})
_WRITES = {"sys.stdout.write": "stdout", "sys.stderr.write": "stderr"}
_PRINTS = frozenset({"pprint.pprint", "pprint.pp", "rich.print", "tqdm.tqdm.write"})
_LOGGERS = frozenset({"logging", "logging.Logger", "logging.LoggerAdapter", "absl.logging"})
# Python's level -> TensorFlow's; messages for debugging are not shown by default, and would be.
_LEVELS = {
    **dict.fromkeys(("info",), "info"),
    **dict.fromkeys(("warning", "warn"), "warning"),
    **dict.fromkeys(("error", "critical", "fatal"), "error"),
}


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to calls that print or log from Python."""
    if not isinstance(node, ast.Call) or node in scope.optional:
        return
    if _is_of_trace(scope, node) or _is_switched_off(scope, node) or _precedes_error(scope, node):
        return
    if _prints(scope, node):
        yield Hit(
            node,
            f"`{scope.text(node.func)}` runs only while `{scope.traced_name}` is traced: "
            "the graph that runs afterwards prints nothing",
        )


def _prints(scope: Scope, node: ast.Call) -> bool:
    if effect(scope.api_name(node.func)) is Effect.WARN:
        # A warning about how the layer was set up is meant to be seen once, and that is what happens.
        return not any(isinstance(parent, (ast.If, ast.ExceptHandler)) for parent in scope.parents(node))
    files = (scope.value(keyword.value) for keyword in node.keywords if keyword.arg == "file")
    return not any(isinstance(file, Instance) and file.fresh and file.name in api.FILES_IN_MEMORY for file in files)


def _is_of_trace(scope: Scope, node: ast.Call) -> bool:
    """Whether the message is about being traced, as under `if not tf.executing_eagerly():`."""
    tests = (parent.test for parent in scope.parents(node) if isinstance(parent, ast.If))
    asked = (inner.func for test in tests for inner in walk(test) if isinstance(inner, ast.Call))
    return any(scope.api_name(function) in api.MODE_QUESTIONS for function in asked)


def _is_switched_off(scope: Scope, node: ast.Call) -> bool:
    """Whether an option that is off by default shows the progress: `tqdm(steps, disable=not verbose)`."""
    options = (scope.value(keyword.value) for keyword in node.keywords if keyword.arg == "disable")
    return any(truth_by_default(option) for option in options)


def _precedes_error(scope: Scope, node: ast.Call) -> bool:
    """Whether the message is said because an error follows, which stops the trace."""
    statement = scope.statement(node)
    return statement is not None and isinstance(scope.block(statement)[-1], ast.Raise)


def fix(scope: Scope, hit: Hit) -> Fix | None:
    """`print`, loggers and writes to `sys.stdout` to `tf.print`."""
    call = hit.node
    if not isinstance(call, ast.Call) or any(isinstance(argument, ast.Starred) for argument in call.args):
        return None
    name = scope.api_name(call.func)
    if name == "builtins.print":
        return _fix_print(scope, call)
    if name in _WRITES:
        return _fix_write(scope, call, _WRITES[name])
    if name in _PRINTS and len(call.args) == 1 and not call.keywords:
        return _print(scope, call, texts.pieces(scope, Plan(scope.module.source), call.args[0]), ())
    module, _, level = name.rpartition(".")
    return _fix_log(scope, call, level) if module in _LOGGERS and level in _LEVELS else None


def _fix_print(scope: Scope, call: ast.Call) -> Fix | None:
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    if not set(keywords) <= {"sep", "end", "file", "flush"}:
        return None
    if "file" in keywords and scope.api_name(keywords["file"]) not in _STREAMS:
        return None
    if any(_formats_tensor(scope, argument) for argument in call.args):
        return _fix_formatted(scope, call, keywords)
    name, imports = tensorflow_name(scope)
    edit = rewrite_call(scope.module.source, call, function=f"{name}.print", renamed=_KEYWORDS, without=("flush",))
    return _fix(scope, name, (*imports, edit)) if edit is not None else None


def _fix_formatted(scope: Scope, call: ast.Call, keywords: dict[str | None, ast.expr]) -> Fix | None:
    """One text that is put together from tensors: its parts, since `tf.print` knows their numbers."""
    if len(call.args) != 1 or "sep" in keywords:
        return None
    plan = Plan(scope.module.source)
    rest = [f"{_KEYWORDS.get(key or '', key)}={plan.text(value)}" for key, value in keywords.items() if key != "flush"]
    return _print(scope, call, texts.pieces(scope, plan, call.args[0]), rest)


def _fix_write(scope: Scope, call: ast.Call, stream: str) -> Fix | None:
    plan = Plan(scope.module.source)
    found = texts.pieces(scope, plan, call.args[0]) if len(call.args) == 1 and not call.keywords else None
    if not found or not isinstance(call.func, ast.Attribute):
        return None
    ends = not found[-1].value and found[-1].words.endswith("\n")
    if ends:
        found = [*found[:-1], texts.Piece(found[-1].words[:-1])]
        found = [piece for piece in found if piece.value or piece.words] or [texts.Piece()]
    rest = [] if ends else ['end=""']
    if stream != "stderr":  # where `tf.print` writes anyway
        rest.append(f"output_stream={plan.text(call.func.value)}")
    return _print(scope, call, found, rest)


def _fix_log(scope: Scope, call: ast.Call, level: str) -> Fix | None:
    plan = Plan(scope.module.source)
    template = call.args[0] if call.args and not call.keywords else None
    if template is None:
        return None
    if isinstance(template, ast.Constant) and len(call.args) > 1:
        found = texts.of_percent(plan, str(template.value), call.args[1:])
    else:
        found = texts.pieces(scope, plan, template) if len(call.args) == 1 else None
    name, _ = tensorflow_name(scope)
    return _print(scope, call, found, [f"output_stream={name}.compat.v1.logging.{_LEVELS[level]}"])


def _print(scope: Scope, call: ast.Call, found: list[texts.Piece] | None, rest: Sequence[str]) -> Fix | None:
    if not found:
        return None
    name, imports = tensorflow_name(scope)
    text = f"{name}.print({', '.join([texts.arguments(found), *rest])})"
    return _fix(scope, name, (*imports, replace(scope.module.source, call, text)))


def _fix(scope: Scope, name: str, edits: tuple[Edit, ...]) -> Fix:
    if scope.keras == 2:
        return Fix(f"print from the graph with `{name}.print`", Safety.SAFE, edits)
    message = (
        f"print from the graph with `{name}.print`; with a GPU, Keras 3 compiles with XLA, "
        "where it raises unless the layer sets `self.supports_jit = False`"
    )
    return Fix(message, Safety.UNSAFE, edits)


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
    calls=lambda name: effect(name) in (Effect.PRINT, Effect.WARN),
    proof=Proof.RUNS_ONCE,
    fix=fix,
)
