"""What one layer needs of its project, as one text that runs by itself. Nothing is imported."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from tflint_layers.confirm.asking import read_source
from tflint_layers.confirm.module_slice import slice_module
from tflint_layers.confirm.needs import bound_names, needed
from tflint_layers.confirm.statements import parsed
from tflint_layers.modules import absolute_name, bound_name, file_of_import, file_of_module, module_name

_TENSORFLOW = frozenset({"tensorflow", "keras", "tf_keras", "numpy"})

Line = tuple[str, tuple[str, int] | None]
"""A line of the excerpt, and the place that it was copied from."""


@dataclass
class Excerpt:
    """Definitions of one or more files in an order in which they can run; ``outside`` are folders to import from."""

    lines: list[Line] = field(default_factory=list)
    imports: dict[str, None] = field(default_factory=dict)
    outside: dict[str, None] = field(default_factory=dict)
    bound: dict[str, str] = field(default_factory=dict)

    def text(self) -> str:
        """The excerpt without its imports."""
        return "\n".join(line for line, _ in self.lines)


def excerpt_of(path: str, source: str, roots: Iterable[str]) -> Excerpt:
    """The definitions that the names ``roots`` need, those from other files of the project too."""
    excerpt = Excerpt()
    if (tree := parsed(source)) is not None:
        _add(excerpt, path, source, tree, set(roots))
    return excerpt


def _add(excerpt: Excerpt, path: str, source: str, tree: ast.Module, roots: set[str]) -> None:
    statements = _needed(slice_module(tree)[0].body, roots)
    used = _words(statements) | roots
    for statement in statements:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            _add_import(excerpt, path, statement, used)
    for statement in statements:
        if not isinstance(statement, ast.Import | ast.ImportFrom):
            _add_definition(excerpt, path, source, statement)


def _needed(body: list[ast.stmt], roots: set[str]) -> list[ast.stmt]:
    numbers = needed([bound_names(node) for node in body], [_words([node]) for node in body], roots | {"*"})
    return [body[number] for number in numbers]


def _words(nodes: Iterable[ast.AST]) -> set[str]:
    return {inner.id for node in nodes for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def _add_definition(excerpt: Excerpt, path: str, source: str, statement: ast.stmt) -> None:
    if isinstance(statement, ast.If | ast.Try):
        # Its branches may have lost statements.
        excerpt.lines += [(line, None) for line in ast.unparse(statement).splitlines()]
        return
    first = min([statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", ()))])
    last = statement.end_lineno or statement.lineno
    gap: list[Line] = [("", None), ("", None)] if isinstance(statement, ast.ClassDef | ast.FunctionDef) else []
    text = source.splitlines()
    excerpt.lines += [*gap, *((text[number - 1], (path, number)) for number in range(first, last + 1))]


def _add_import(excerpt: Excerpt, path: str, statement: ast.Import | ast.ImportFrom, used: set[str]) -> None:
    for alias in statement.names:
        if bound_name(alias) not in used and alias.name != "*":
            continue
        if isinstance(statement, ast.Import):
            excerpt.imports[ast.unparse(ast.Import([alias]))] = None
            if alias.name.partition(".")[0] not in _TENSORFLOW and (folder := _folder_of(path, alias.name)):
                excerpt.outside[folder] = None
        else:
            _add_import_from(excerpt, path, statement, alias)


def _add_import_from(excerpt: Excerpt, path: str, statement: ast.ImportFrom, alias: ast.alias) -> None:
    """A name of another file of the project is copied from there; everything else is imported."""
    name = module_name(path)[1]
    module = absolute_name(statement, name if os.path.basename(path) == "__init__.py" else name.rpartition(".")[0])
    if module == "__future__":
        excerpt.imports[f"from __future__ import {alias.name}"] = None
        return
    file = _file_of(path, module)
    source = read_source(file) if file is not None else None
    tree = parsed(source.text) if source is not None else None
    if file and source and tree and _can_be_copied(excerpt, file, tree, alias.name):
        if alias.name not in excerpt.bound:
            excerpt.bound[alias.name] = file
            _add(excerpt, file, source.text, tree, {alias.name})
        if alias.asname:
            excerpt.lines.append((f"{alias.asname} = {alias.name}", None))
        return
    if folder := _folder_of(path, module):
        excerpt.outside[folder] = None
    excerpt.imports[ast.unparse(ast.ImportFrom(module, [alias], 0))] = None


def _can_be_copied(excerpt: Excerpt, file: str, tree: ast.Module, name: str) -> bool:
    """Whether a file defines a name that does not stand for something of another file already."""
    return excerpt.bound.get(name, file) == file and any(
        name in bound_names(node) for node in slice_module(tree)[0].body
    )


def _file_of(path: str, module: str) -> str | None:
    """The file of a module of the same project; a package hands names on, and is imported instead."""
    file = None if module.partition(".")[0] in _TENSORFLOW else file_of_import(module, path)
    return None if file is None or os.path.basename(file) == "__init__.py" else file


def _folder_of(path: str, module: str) -> str | None:
    """The folder that a module of the same project is imported from."""
    top, _ = module_name(path)
    first = os.path.join(top or os.path.dirname(path), module.partition(".")[0])
    return os.path.dirname(first) if os.path.isdir(first) or file_of_module(first) else None
