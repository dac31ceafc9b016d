"""What does in the graph what NumPy, arrays, `math` and Python's functions of numbers do with numbers."""

from __future__ import annotations

import ast

from tflint_layers.model import api_table
from tflint_layers.model.scopes import Scope
from tflint_layers.model.values import Container, Shape, constant_of, is_static, is_symbolic
from tflint_layers.rewrite.dtypes import Kind, joined, kind_of, kind_of_dtype
from tflint_layers.rewrite.library import Library
from tflint_layers.rewrite.meeting import FLOAT32, dtype_met, is_number_in_eager_mode
from tflint_layers.rewrite.plan import Plan

_REDUCTIONS = frozenset({"sum", "mean", "max", "min", "prod", "any", "all", "std", "var"})
_REDUCTION_KEYWORDS = frozenset({"axis", "keepdims"})
_ELEMENTWISE = {
    **dict.fromkeys(["sqrt", "exp", "log", "log1p", "expm1", "sin", "cos", "tan", "sinh", "cosh", "tanh", "erf"]),
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "fabs": "abs", "isnan": "isnan", "isinf": "isinf",
    "isfinite": "isfinite",
}  # fmt: skip
_TENSORFLOW_TRIGONOMETRY = {"arcsin": "asin", "arccos": "acos", "arctan": "atan"}
_ROUNDING = frozenset({"floor", "ceil"})
_COMMUTING = frozenset({"maximum", "minimum", "add", "multiply", "subtract"})
_SCALAR_TYPES = {
    f"numpy.{name}": name for name in ("float16", "float32", "float64", "int32", "int64", "int8", "uint8", "bool_")
}


def numpy_call(scope: Scope, plan: Plan, library: Library, node: ast.Call) -> Kind | None:
    """Plan the operation that gives the same numbers as a NumPy function; its kind of numbers, or None.

    Only what was measured to agree, called the way that it was, is replaced.
    """
    name = scope.api_name(node.func)
    if name in _SCALAR_TYPES and len(node.args) == 1 and not node.keywords:
        dtype = _SCALAR_TYPES[name].rstrip("_")
        cast, kind = library.name("cast"), kind_of_dtype(scope, ast.Constant(dtype))
        target = (dtype_met(scope, node) if kind is Kind.FLOAT else None) or f'"{dtype}"'
        plan.put(node, lambda: f"{cast}({plan.argument(node.args[0])}, {target})")
        return kind
    if name in {"numpy.sum", "numpy.mean"} and _reduces_truths(scope, node):
        return _counted(scope, plan, library, node, name.rpartition(".")[2])
    if name.removeprefix("numpy.") in _ELEMENTWISE and _is_whole(scope, node):
        return _of_whole(scope, plan, library, node, name.removeprefix("numpy."))
    found = _counterpart(scope, plan, node, name, keras=library.keras)
    if found is None:
        return None
    operation = library.dotted(found)
    plan.put(node.func, lambda: operation)
    return _kind_of_result(scope, node, name.rpartition(".")[2])


def _is_whole(scope: Scope, node: ast.Call) -> bool:
    return len(node.args) == 1 and not node.keywords and kind_of(scope, node.args[0]) is Kind.INT


def _of_whole(scope: Scope, plan: Plan, library: Library, node: ast.Call, name: str) -> Kind:
    """A function of whole numbers that gives floats, for which TensorFlow wants floats."""
    cast, function = library.name("cast"), library.name(_ELEMENTWISE[name] or name)
    dtype = dtype_met(scope, node) or FLOAT32
    plan.put(node, lambda: f"{function}({cast}({plan.argument(node.args[0])}, {dtype}))")
    return Kind.FLOAT


def _reduces_truths(scope: Scope, node: ast.Call) -> bool:
    return len(node.args) == 1 and not node.keywords and kind_of(scope, node.args[0]) is Kind.BOOL


def _counted(scope: Scope, plan: Plan, library: Library, node: ast.Call, name: str) -> Kind:
    """The sum of truth values is their number, the mean their share."""
    cast, function = library.name("cast"), library.name(name)
    dtype = '"int32"' if name == "sum" else dtype_met(scope, node) or FLOAT32
    plan.put(node, lambda: f"{function}({cast}({plan.argument(node.args[0])}, {dtype}))")
    return Kind.INT if name == "sum" else Kind.FLOAT


def _counterpart(scope: Scope, plan: Plan, node: ast.Call, name: str, *, keras: bool) -> str | None:
    names, forms, floats = (
        (api_table.NUMPY_TO_OPS, api_table.NUMPY_TO_OPS_FORMS, api_table.NUMPY_TO_OPS_FLOAT_ONLY)
        if keras
        else (api_table.NUMPY_TO_TF, api_table.NUMPY_TO_TF_FORMS, api_table.NUMPY_TO_TF_FLOAT_ONLY)
    )
    if name not in names:
        return None
    numbers = node.args[1:] if name == "numpy.where" else node.args
    kinds = {kind_of(scope, argument) for argument in numbers if _is_tensor(scope, plan, argument)}
    if name in floats and kinds & {Kind.INT, Kind.BOOL} and not _works_for_whole_numbers(name):
        return None
    form = _form(scope, plan, node)
    if form is None:
        return None
    accepted = forms.get(name, ())
    if form in accepted or _is_alike(node, name, form, accepted):
        return names[name]
    first = node.args[0] if node.args else None
    swapped = form == "1, x" and "x, 1" in accepted and name.rpartition(".")[2] in _COMMUTING
    return names[name] if swapped and isinstance(first, ast.Constant) and isinstance(first.value, float) else None


def _is_alike(node: ast.Call, name: str, form: str, accepted: tuple[str, ...]) -> bool:
    """Whether a way to call that the tables do not have does not differ from one that they have."""
    if name in {"numpy.any", "numpy.all"} and form.startswith("c"):
        return set(form[1:].replace(" ", "").split(",")) <= {"", "1", "axis=", "keepdims="}
    numbers = [argument for argument in node.args[1:] if isinstance(argument, ast.Constant)]
    floats = all(isinstance(number.value, float) for number in numbers)
    return name == "numpy.where" and floats and form in {"c, 1, 1", "c, x, 1", "c, 1, x"} and "c, x, y" in accepted


def _works_for_whole_numbers(name: str) -> bool:
    """Truth values and whole numbers differ for some ways to call, but not for the plain ones."""
    return name.rpartition(".")[2] in {
        "prod",
        "sum",
        "max",
        "min",
        "amax",
        "amin",
        "maximum",
        "minimum",
        "abs",
        "square",
    }


def _is_tensor(scope: Scope, plan: Plan, node: ast.expr) -> bool:
    return plan.is_tensor(node) or is_symbolic(scope.value(node))


def _form(scope: Scope, plan: Plan, node: ast.Call) -> str | None:
    """How a function is called, in the words of the tables; None where they have no word for it."""
    words: list[str] = []
    for argument in node.args:
        word = _word(scope, plan, argument)
        if word is None:
            return None
        words.append("y" if word == "x" and "x" in words else word)
    for keyword in sorted(node.keywords, key=lambda keyword: keyword.arg or ""):
        word = _word(scope, plan, keyword.value)
        if keyword.arg is None or word not in {"1", "()", "''", "none"}:
            return None
        if word != "none":
            words.append(f"{keyword.arg}={'()' if word == '()' else ''}")
    return ", ".join(words)


def _word(scope: Scope, plan: Plan, node: ast.expr) -> str | None:
    value = scope.value(node)
    if _is_tensor(scope, plan, node):
        return "c" if kind_of(scope, node) is Kind.BOOL else "x"
    if isinstance(node, (ast.List, ast.Tuple)) and any(_is_tensor(scope, plan, item) for item in node.elts):
        return "[x]"
    if isinstance(value, Container):
        if is_symbolic(value.of):
            return "[x]"
        nested = isinstance(node, (ast.List, ast.Tuple)) and any(
            isinstance(i, (ast.List, ast.Tuple)) for i in node.elts
        )
        return "[[]]" if nested else "()"
    constant = constant_of(value)
    if constant is None:
        return "none"
    if isinstance(constant, str) or scope.api_name(node).startswith(("numpy.", "tensorflow.")):
        return "''"
    if isinstance(value, Shape):
        return None
    return "1" if is_static(value) else None


def _kind_of_result(scope: Scope, node: ast.Call, name: str) -> Kind:
    dtypes = [keyword.value for keyword in node.keywords if keyword.arg == "dtype"]
    if dtypes:
        return kind_of_dtype(scope, dtypes[0])
    if name in {"any", "all", "isnan", "isinf", "isfinite", "isclose", "allclose"} or name.startswith(
        ("logical_", "equal", "not_equal", "less", "greater")
    ):
        return Kind.BOOL
    if name in {"argmax", "argmin", "argsort", "size", "count_nonzero", "searchsorted", "bincount"}:
        return Kind.INT
    numbers = node.args[1:] if name == "where" and len(node.args) == 3 else node.args[:1]
    kinds = [kind_of(scope, argument) for argument in numbers]
    return joined(*kinds) if len(kinds) == 2 else kinds[0] if kinds else Kind.UNKNOWN


def array_method(
    scope: Scope, plan: Plan, library: Library, call: ast.Call, subject: ast.expr, kind: Kind
) -> Kind | None:
    """Plan what does the same as a method of an array that becomes a tensor; the kind of its result, or None."""
    assert isinstance(call.func, ast.Attribute)
    method = call.func.attr
    keywords = {keyword.arg for keyword in call.keywords}
    count = len(call.args)
    if any(isinstance(argument, ast.Starred) for argument in call.args):
        return None
    if method in _REDUCTIONS and keywords <= _REDUCTION_KEYWORDS and count <= 1:
        return _reduction(plan, library, call, subject, kind)
    if method in {"item", "copy"} and not count and not keywords:
        plan.put(call, lambda: plan.text(subject))
        return kind
    if method in {"flatten", "ravel"} and not count and not keywords:
        reshape = library.name("reshape")
        plan.put(call, lambda: f"{reshape}({plan.argument(subject)}, [-1])")
        return kind
    if method == "tolist" and not count and _is_counted(scope, call):
        plan.put(call, lambda: plan.text(subject))
        return kind
    if method == "reshape" and count and not keywords:
        reshape = library.name("reshape")
        shape = "{}" if count == 1 and not _is_number(scope, call.args[0]) else "[{}]"
        plan.put(call, lambda: f"{reshape}({plan.argument(subject)}, {shape.format(plan.arguments(call).strip())})")
        return kind
    if method == "astype" and count == 1 and not keywords:
        return _cast(scope, plan, library, call, subject)
    if method == "squeeze" or (method == "transpose" and count <= 1):
        return _same(plan, library, call, subject, method) and kind
    if method == "clip" and count == 2 and not keywords:
        return _same(plan, library, call, subject, method) and kind
    if method in {"argmax", "argmin"} and count + len(keywords) == 1 and keywords <= {"axis"}:
        return _same(plan, library, call, subject, method) and Kind.INT
    if method == "cumsum" and count + len(keywords) == 1 and keywords <= {"axis"}:
        return _same(plan, library, call, subject, method) and kind
    return None


def _is_counted(scope: Scope, node: ast.expr) -> bool:
    """Whether a list goes straight into a function that does the same with a tensor."""
    call = scope.parent(node)
    return isinstance(call, ast.Call) and scope.api_name(call.func) in {f"builtins.{n}" for n in ("len", "max", "min")}


def _reduction(plan: Plan, library: Library, call: ast.Call, subject: ast.expr, kind: Kind) -> Kind | None:
    assert isinstance(call.func, ast.Attribute)
    method = call.func.attr
    if kind in {Kind.INT, Kind.BOOL} and method in {"mean", "std", "var"}:
        return None  # NumPy goes on in float64
    if kind is Kind.BOOL and method not in {"any", "all"}:
        return None
    _same(plan, library, call, subject, method)
    return Kind.BOOL if method in {"any", "all"} else kind


def _same(plan: Plan, library: Library, call: ast.Call, subject: ast.expr, operation: str) -> Kind:
    name = library.name(operation)
    plan.put(call, lambda: plan.call_on(name, plan.argument(subject), call))
    return Kind.UNKNOWN


def _cast(scope: Scope, plan: Plan, library: Library, call: ast.Call, subject: ast.expr) -> Kind | None:
    dtype = call.args[0]
    name = dtype.value if isinstance(dtype, ast.Constant) else scope.api_name(dtype)
    short = str(name).rpartition(".")[2]
    kind = kind_of_dtype(scope, ast.Constant(short))
    if kind is Kind.UNKNOWN or str(name).startswith("builtins."):
        return None  # Python's `float` is float64 to NumPy, which no tensor beside it would be
    cast = library.name("cast")
    plan.put(call, lambda: f'{cast}({plan.argument(subject)}, "{short.rstrip("_")}")')
    return kind


def _is_number(scope: Scope, node: ast.expr) -> bool:
    return kind_of(scope, node) is Kind.INT and not isinstance(node, (ast.List, ast.Tuple))


def math_call(scope: Scope, plan: Plan, library: Library, node: ast.Call, kind: Kind) -> Kind | None:
    """Plan what does the same as a function of `math` on a tensor of a ``kind``; that of its result, or None."""
    name = scope.api_name(node.func).removeprefix("math.")
    argument = node.args[0]
    if node.keywords or any(isinstance(item, ast.Starred) for item in node.args):
        return None
    whole = kind in {Kind.INT, Kind.BOOL}
    cast, met = library.name("cast"), dtype_met(scope, node)
    # A number of Python becomes float32 where an operation takes it.
    is_other = met not in (None, FLOAT32) and not plan.is_tensor(argument)
    converted = whole or (is_other and is_number_in_eager_mode(scope, argument))

    def value() -> str:
        text = plan.argument(argument)
        return f"{cast}({text}, {met or FLOAT32})" if converted else text

    if len(node.args) == 1 and name in _ELEMENTWISE:
        operation = _ELEMENTWISE[name] or name
        operation = operation if library.keras else _TENSORFLOW_TRIGONOMETRY.get(operation, operation)
        function = library.name(operation)
        plan.put(node, lambda: f"{function}({value()})")
        return Kind.BOOL if name.startswith("is") else Kind.FLOAT
    if len(node.args) == 1 and name in _ROUNDING:
        function = library.name(name)
        plan.put(node, lambda: f'{cast}({function}({value()}), "int32")')
        return Kind.INT
    if len(node.args) == 2 and name in {"pow", "atan2"}:
        function = library.name({"pow": "power", "atan2": "arctan2"}[name])
        plan.put(node, lambda: f"{function}({value()}, {plan.argument(node.args[1])})")
        return Kind.FLOAT
    return None
