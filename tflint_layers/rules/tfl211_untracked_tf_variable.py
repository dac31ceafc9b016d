"""A `tf.Variable` that should be trained is kept on a layer, which Keras 3 does not notice.

## What it does
Finds `self.w = tf.Variable(...)` in `__init__` and `build` of layers and models, where the variable is trainable by
default and holds numbers that a gradient can change, and the same of lists, tuples and dicts of such variables and of
what a function of the project returns. Variables that the class assigns to itself are state, and left alone.

## Why is this bad
Keras 3 tracks its own variables only. The `tf.Variable` takes part in the computation, but is missing in
`trainable_weights`: it stays as it was made, and is neither saved nor loaded. No error says so.

## Keras 2 and Keras 3
Keras 2 tracks and trains it.

## Example
```python
class Linear(keras.layers.Layer):
    def build(self, input_shape):
        self.w = tf.Variable(tf.ones([input_shape[-1], 2]))

    def call(self, inputs):
        return tf.matmul(inputs, self.w)
```
Let Keras make it:
```python
class Linear(keras.layers.Layer):
    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1], 2), initializer="ones", name="w")

    def call(self, inputs):
        return tf.matmul(inputs, self.w)
```

## Fix safety
There is no fix: the shape and the initializer of the weight are for the author to say.

## How TensorFlow confirms it
The layer is made and called; then the attribute holds a variable that is not among the layer's variables.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tflint_layers.finding import Proof
from tflint_layers.model import api
from tflint_layers.model.classes import ClassInfo
from tflint_layers.model.scopes import Phase, Scope
from tflint_layers.model.syntax import walk
from tflint_layers.model.values import Function, Instance, Value, literal
from tflint_layers.rules.rule import Hit, Rule


def check(scope: Scope, node: ast.AST) -> Iterator[Hit]:
    """Objects to trainable variables that Keras 3 does not track."""
    if scope.keras == 2 or not isinstance(node, (ast.Assign, ast.AnnAssign, ast.Call)):
        return
    for place, made, is_part in _kept(node):
        owner = _layer(scope.value(place.value))
        if owner is None or not _makes_trainable(scope, made):
            continue
        if not _uses(owner, place.attr, made, is_part or not isinstance(made, ast.Call)).intersection(_STATE):
            yield Hit(
                node,
                f"`{scope.text(place)}` is never trained or saved: Keras 3 tracks no `tf.Variable`, "
                "use `self.add_weight`",
            )


def _kept(node: ast.Assign | ast.AnnAssign | ast.Call) -> Iterator[tuple[ast.Attribute, ast.expr, bool]]:
    """The attributes in which something is kept, with that, and whether it is put in a list or dict there."""
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Attribute) and node.args:
            yield node.func.value, node.args[-1], True
        return
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        place = target.value if isinstance(target, ast.Subscript) else target
        if isinstance(place, ast.Attribute) and node.value is not None:
            yield place, node.value, place is not target


# Through how many functions a variable is followed that each return what the next one does.
_MOST_HELPERS = 3
_STATE = api.VARIABLE_UPDATES | {"", "numpy"}


def _layer(value: Value) -> ClassInfo | None:
    if isinstance(value, Instance) and value.cls is not None and api.is_traced_role(value.cls.role):
        return value.cls
    return None


def _makes_trainable(scope: Scope, value: ast.expr, depth: int = 0) -> bool:
    """Whether an expression gives a variable to be trained, or a list, tuple or dict of some."""
    if isinstance(value, ast.Call):
        returned = _returned(scope, value) if depth < _MOST_HELPERS else ()
        return _is_trainable(scope, value) or any(_makes_trainable(*one, depth + 1) for one in returned)
    if isinstance(value, (ast.List, ast.Tuple)):
        parts = value.elts
    elif isinstance(value, ast.Dict):
        parts = value.values
    elif isinstance(value, (ast.ListComp, ast.DictComp)):
        parts = [value.elt if isinstance(value, ast.ListComp) else value.value]
    else:
        parts = []
    return any(_makes_trainable(scope, part, depth) for part in parts)


def _returned(scope: Scope, call: ast.Call) -> Iterator[tuple[Scope, ast.expr]]:
    """What a function of the project returns, each with the evaluation in which it does."""
    function = scope.value(call.func)
    if isinstance(function, Function):
        for inner in scope.everything(scope.phase):
            if inner.function is function.info:
                nodes = function.info.of_kind(ast.Return)
                yield from ((inner, node.value) for node in nodes if node.value is not None)


def _is_trainable(scope: Scope, call: ast.Call) -> bool:
    """Whether it is a `tf.Variable` of floating-point numbers that nothing declares not to be trained."""
    if scope.api_name(call.func) not in api.TF_VARIABLES or len(call.args) > 1:
        return False
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    initial = call.args[0] if call.args else given.get("initial_value")
    if None in given or initial is None or literal(given.get("trainable", ast.Constant(True))) is not True:
        return False
    texts = [scope.text(given["dtype"])] if "dtype" in given else []
    texts += [scope.text(keyword.value) for node in walk(initial) for keyword in _dtypes(node)]
    whole = isinstance(literal(initial), (int, str)) and not texts
    return not whole and not any(word in text for text in texts for word in ("int", "bool", "string"))


def _dtypes(node: ast.AST) -> list[ast.keyword]:
    return [keyword for keyword in node.keywords if keyword.arg == "dtype"] if isinstance(node, ast.Call) else []


def _uses(owner: ClassInfo, attribute: str, made: ast.expr, are_several: bool) -> set[str]:
    """The methods of the attribute that the class calls, and an empty name where it is handed out in a list.

    What makes the variable reads what the attribute held before. Of several variables, any may be updated.
    """
    found = set()
    before = set(walk(made))
    methods = [
        method for ancestor in owner.ancestry if isinstance(ancestor, ClassInfo) for method in ancestor.methods.values()
    ]
    for method in methods:
        for node in walk(method.node):
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Attribute)
                and node.value.attr == attribute
            ) or (are_several and isinstance(node, ast.Attribute) and node.attr in api.VARIABLE_UPDATES):
                found.add(node.attr)
            elif (
                isinstance(node, ast.List)
                and node not in before
                and any(isinstance(e, ast.Attribute) and e.attr == attribute for e in node.elts)
            ):
                found.add("")
    return found


RULE = Rule(
    code="TFL211",
    name="untracked-tf-variable",
    documentation=__doc__,
    nodes=(ast.Assign, ast.AnnAssign, ast.Call),
    check=check,
    calls=frozenset({".append", ".insert"}).__contains__,
    lasting=True,
    words=(b"Variable",),
    proof=Proof.UNTRACKED,
    phases=frozenset({Phase.INIT, Phase.BUILD}),
)
