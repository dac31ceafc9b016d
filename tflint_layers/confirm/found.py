"""Recipes that code shows: the file of a layer, its documentation, its project and its tests. Standard library only."""

from __future__ import annotations

import ast
import builtins
import doctest
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from tflint_layers.confirm.needs import bound_names
from tflint_layers.confirm.recipe import Recipe
from tflint_layers.confirm.statements import parsed
from tflint_layers.confirm.values import BATCH, tensor
from tflint_layers.modules import bound_name

_ALWAYS_THERE = frozenset({"tf", "keras", "np", *dir(builtins)})
_PYTHON_VALUES = frozenset({"__file__", "open", "input", "exec", "eval", "exit", "quit", "breakpoint"})
_BUILDS = ("init_kwargs", "init_args", "layer_kwargs", "kwargs")
_DATA = ("input_data", "inputs", "input", "x")
_SHAPES = ("input_shape", "input_shapes")


@dataclass(frozen=True)
class Code:
    """A piece of code that may show how to use a layer; ``names`` can be used as they are in a recipe."""

    tree: ast.Module
    names: frozenset[str]
    origin: str
    imports: Mapping[str, str] = field(default_factory=dict)


def code_of_file(tree: ast.Module) -> Code:
    """The file that defines the layer: what it binds at module level is there for its recipes."""
    return Code(tree, frozenset().union(*map(bound_names, tree.body)), "file")


def code_of_documentation(text: str | None, home: Code, package: str) -> Iterator[Code]:
    """The examples in a docstring; the package of the layer may be named in them."""
    if not text:
        return
    imports = {package: f"import {package}"} if package else {}
    for source in _examples(text):
        if (tree := parsed(source)) is not None:
            yield Code(tree, home.names, "documentation", {**imports, **_imports_of(tree)})


def code_of_other(path: Path, text: bytes) -> Code | None:
    """Another file of the project, or a test; None where it is no Python."""
    tree = parsed(text)
    if tree is None:
        return None
    return Code(tree, frozenset(), "tests" if is_test(path) else "project", _imports_of(tree))


def recipes_in(code: Code, layer: str) -> Iterator[Recipe]:
    """Calls of the class, with the inputs of the result where they are there."""
    seen = set()
    for scope in _scopes(code.tree):
        values = {**_assigned(code.tree.body), **_assigned(getattr(scope, "body", []))}
        for call in _calls(scope):
            for recipe in _recipes_of(call, scope, values, layer):
                if (known := _known(recipe, code)) is not None and str(known) not in seen:
                    seen.add(str(known))
                    yield known


def factories(tree: ast.Module, layer: str) -> list[str]:
    """The functions of the module whose body defines the class."""
    name = layer.rpartition(".")[2]
    return [
        function.name
        for function in tree.body
        if isinstance(function, ast.FunctionDef)
        and any(isinstance(node, ast.ClassDef) and node.name == name for node in ast.walk(function))
    ]


def shapes_in_file(tree: ast.Module) -> list[tuple[int, ...]]:
    """Input shapes that the file mentions, with a batch in front."""
    found: dict[tuple[int, ...], None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg in ("input_shape", "shape", "batch_shape", "batch_input_shape"):
            shape = _shape(node.value)
            found[shape[1:] if node.arg.startswith("batch") else shape] = None
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Input") and node.args:
            found[_shape(node.args[0])] = None
    return [(BATCH, *shape) for shape in found if shape][:4]


def _shape(node: ast.expr) -> tuple[int, ...]:
    if not isinstance(node, ast.Tuple | ast.List):
        return ()
    values = [item.value if isinstance(item, ast.Constant) else None for item in node.elts]
    sizes = [6 if value is None else value for value in values]
    return tuple(size for size in sizes if isinstance(size, int)) if all(isinstance(s, int) for s in sizes) else ()


# --- calls


def _scopes(tree: ast.Module) -> Iterator[ast.AST]:
    yield tree
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _calls(scope: ast.AST) -> list[ast.Call]:
    """The calls of a scope without those of the functions in it."""
    found, todo = [], list(ast.iter_child_nodes(scope))
    while todo:
        node = todo.pop(0)
        if isinstance(node, ast.Call):
            found.append(node)
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            todo += ast.iter_child_nodes(node)
    return sorted(found, key=lambda call: (call.lineno, call.col_offset))


def _recipes_of(call: ast.Call, scope: ast.AST, values: Mapping[str, ast.expr], layer: str) -> Iterator[Recipe]:
    if _names_class(call.func, layer):
        build = _build(layer, call, values)
        names = {name for name, value in values.items() if value is call}
        yield from _uses(call, names, build, scope, values)
        yield Recipe(build)
    elif any(_names_class(argument, layer) for argument in _arguments(call)):
        yield from _as_test_case(call, values, layer)


def _names_class(node: ast.expr, layer: str) -> bool:
    return isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node).rpartition(".")[2] == layer


def _arguments(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def _build(layer: str, call: ast.Call, values: Mapping[str, ast.expr]) -> str:
    arguments = ast.Call(ast.Name(layer), call.args, call.keywords)
    return ast.unparse(_inline(arguments, values))


def _uses(
    build_call: ast.Call, names: set[str], build: str, scope: ast.AST, values: Mapping[str, ast.expr]
) -> Iterator[Recipe]:
    for call in _calls(scope):
        if call.func is build_call or (isinstance(call.func, ast.Name) and call.func.id in names):
            inputs = tuple(ast.unparse(_inline(argument, values)) for argument in call.args)
            keywords = tuple((k.arg, ast.unparse(_inline(k.value, values))) for k in call.keywords if k.arg)
            if (inputs or keywords) and not any("Input(" in text for text in inputs):
                yield Recipe(build, inputs, keywords)


def _as_test_case(call: ast.Call, values: Mapping[str, ast.expr], layer: str) -> Iterator[Recipe]:
    """Helpers of test suites take the class, a dict for ``__init__``, and the inputs or their shape."""
    given = {keyword.arg: _inline(keyword.value, values) for keyword in call.keywords if keyword.arg}
    settings = next((given[name] for name in _BUILDS if name in given), None)
    if settings is None or not isinstance(settings, ast.Dict):
        return
    words = [ast.keyword(str(key.value), value) for key, value in zip(settings.keys, settings.values, strict=True)
             if isinstance(key, ast.Constant)]  # fmt: skip
    build = ast.unparse(ast.Call(ast.Name(layer), [], words))
    dtype = given.get("input_dtype")
    kind = str(dtype.value) if isinstance(dtype, ast.Constant) else "float32"
    for name, value in given.items():
        shape = _shape(value) if name in _SHAPES else ()
        if shape:
            yield Recipe(build, (tensor(shape, kind),))
        elif name in _DATA:
            yield Recipe(build, (ast.unparse(value),))
    yield Recipe(build)


# --- names


def _known(recipe: Recipe, code: Code) -> Recipe | None:
    """The recipe with the imports that it needs; None where it names what only that code has."""
    needed: dict[str, None] = {}
    for text in (recipe.layer, *recipe.inputs, *(value for _, value in recipe.keywords)):
        for name in _free_names(text):
            if name in _PYTHON_VALUES:
                return None
            if name in code.names or name in _ALWAYS_THERE or name == recipe.layer.partition("(")[0]:
                continue
            if name not in code.imports:
                return None
            needed[code.imports[name]] = None
    return replace(recipe, imports=tuple(needed), origin=code.origin)


def _free_names(text: str) -> set[str]:
    tree = ast.parse(text, mode="eval")
    bound = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    bound |= {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} - bound


def _imports_of(tree: ast.Module) -> dict[str, str]:
    """The absolute import that binds each name."""
    found = {}
    for node in tree.body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                found[bound_name(alias)] = ast.unparse(ast.Import([alias]))
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level and node.module != "__future__":
            for alias in node.names:
                found[bound_name(alias)] = ast.unparse(ast.ImportFrom(node.module, [alias], 0))
    return found


def _assigned(body: list[ast.stmt]) -> dict[str, ast.expr]:
    """The names that statements assign, with their values; what functions assign is their own."""
    found, todo = {}, list(body)
    while todo:
        node = todo.pop(0)
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = node.value
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            todo += [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]
    return found


def _inline(node: ast.expr, values: Mapping[str, ast.expr], depth: int = 3) -> ast.expr:
    """Names of values replaced by what they stand for, for the statements that set them do not run."""

    class Inline(ast.NodeTransformer):
        def visit_Name(self, name: ast.Name) -> ast.expr:
            value = values.get(name.id)
            return _inline(value, values, depth - 1) if value is not None and depth else name

    copy = ast.parse(ast.unparse(node), mode="eval").body
    result = Inline().visit(copy)
    assert isinstance(result, ast.expr)
    return result


# --- documentation


def _examples(text: str) -> Iterator[str]:
    """The pieces of code in a docstring: sessions with ``>>>``, fenced blocks, and both as one where they are short."""
    try:
        session = "".join(example.source for example in doctest.DocTestParser().get_examples(text))
    except ValueError:
        session = ""
    if session:
        yield session
    for block in re.findall(r"^[ \t]*```(?:python|py)?[ \t]*\n(.*?)^[ \t]*```", text, re.DOTALL | re.MULTILINE):
        yield textwrap.dedent(re.sub(r"^(\s*)(?:>>>|\.\.\.) ?", r"\1", block, flags=re.MULTILINE))


def is_test(path: Path) -> bool:
    """Whether a file holds tests, going by its name."""
    return path.name.startswith("test_") or path.stem.endswith("_test") or path.parent.name in ("tests", "test")
