"""Changes of the code that change nothing of what it does change none of the findings but their places."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tflint_layers import Settings, lint_source


def found(tree: ast.Module, keras: int) -> Counter[tuple[str, str]]:
    """How often each rule objects to each line of the code, by the text of the line without the endings given below."""
    text = ast.unparse(ast.fix_missing_locations(tree))
    lines = text.splitlines()
    findings = lint_source(text.encode(), "layers.py", Settings(keras=keras, preview=True))
    return Counter((finding.code, lines[finding.line - 1].strip().replace("_lib", "")) for finding in findings)


class Renamer(ast.NodeTransformer):
    """Gives names another ending, wherever they stand."""

    def __init__(self, names: set[str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(node.id + "_lib" if node.id in self.names else node.id, node.ctx)


def imported(tree: ast.Module) -> set[str]:
    """The names that module-level imports bind, but for those that a function also uses as a name of its own."""
    imports = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    names = {(alias.asname or alias.name).partition(".")[0] for node in imports for alias in node.names}
    own = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    own |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return names - own - {"annotations"}


def rename_imports(tree: ast.Module) -> None:
    names = imported(tree)
    for node in tree.body:
        for alias in node.names if isinstance(node, (ast.Import, ast.ImportFrom)) else ():
            # `import a.b` binds `a`, which no other name can stand for.
            if "." in alias.name and not alias.asname:
                names.discard(alias.name.partition(".")[0])
    for node in tree.body:
        for alias in node.names if isinstance(node, (ast.Import, ast.ImportFrom)) else ():
            if (alias.asname or alias.name) in names:
                alias.asname = f"{alias.asname or alias.name}_lib"
    Renamer(names).visit(tree)


def add_aliases(tree: ast.Module) -> None:
    names = imported(tree)
    last = max(i for i, node in enumerate(tree.body) if isinstance(node, (ast.Import, ast.ImportFrom)))
    rest = [Renamer(names).visit(node) for node in tree.body[last + 1 :]]
    tree.body[last + 1 :] = [*ast.parse("\n".join(f"{name}_lib = {name}" for name in sorted(names))).body, *rest]


def wrap_call(tree: ast.Module) -> None:
    """`call` hands everything to another method."""
    for cls in ast.walk(tree):
        for node in list(cls.body) if isinstance(cls, ast.ClassDef) else ():
            if isinstance(node, ast.FunctionDef) and node.name == "call" and is_plain(node):
                node.name = "_call"
                given = ", ".join(argument.arg for argument in node.args.args[1:])
                wrapper = ast.parse(f"def call(self, x):\n    return self._call({given})").body[0]
                assert isinstance(wrapper, ast.FunctionDef)
                wrapper.args = node.args
                cls.body.append(wrapper)


def is_plain(function: ast.FunctionDef) -> bool:
    """Whether a function has nothing but positional parameters, no decorator, and does not speak of itself."""
    arguments = function.args
    names = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
    attributes = {node.attr for node in ast.walk(function) if isinstance(node, ast.Attribute)}
    simple = not (arguments.kwonlyargs or arguments.vararg or arguments.kwarg or function.decorator_list)
    return simple and "super" not in names and "call" not in attributes


@pytest.mark.parametrize("change", [rename_imports, add_aliases, wrap_call])
def test_findings_stay(rule_folder: Path, keras: int, change: Callable[[ast.Module], None]) -> None:
    if change is wrap_call and rule_folder.name.startswith("TFL304"):
        pytest.skip("it speaks of what `call` itself returns, which moves with the `return`")
    text = (rule_folder / "bad.py").read_text(encoding="utf-8")
    tree = ast.parse(text)
    change(tree)
    assert found(tree, keras) == found(ast.parse(text), keras)
