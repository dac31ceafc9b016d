"""What one layer needs of its project, as one text that runs by itself. Standard library only; nothing is imported."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tflint_layers.confirm.module_slice import slice_module

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
    _add(excerpt, path, source, set(roots))
    return excerpt


def _add(excerpt: Excerpt, path: str, source: str, roots: set[str]) -> None:
    kept = slice_module(ast.parse(source))[0].body
    needed = _closure(kept, roots)
    for statement in needed:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            _add_import(excerpt, path, statement, _words(node for node in needed if node is not statement) | roots)
    for statement in needed:
        if not isinstance(statement, ast.Import | ast.ImportFrom):
            _add_definition(excerpt, path, source, statement)


def _closure(body: list[ast.stmt], roots: set[str]) -> list[ast.stmt]:
    wanted, chosen = set(roots), set[int]()
    while more := {n for n, node in enumerate(body) if n not in chosen and set(_binds(node)) & wanted}:
        chosen |= more
        wanted |= _words(body[n] for n in more)
    return [body[n] for n in sorted(chosen)]


def _words(nodes: Iterable[ast.AST]) -> set[str]:
    return {inner.id for node in nodes for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def _binds(statement: ast.stmt) -> Iterator[str]:
    for node in ast.walk(statement) if isinstance(statement, ast.If | ast.Try) else [statement]:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name))


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
        name = alias.asname or alias.name.partition(".")[0]
        if name not in used and alias.name != "*":
            continue
        if isinstance(statement, ast.Import):
            excerpt.imports[ast.unparse(ast.Import([alias]))] = None
            if alias.name.partition(".")[0] not in _TENSORFLOW and (folder := _folder_of(path, alias.name)):
                excerpt.outside[folder] = None
        else:
            _add_import_from(excerpt, path, statement, alias)


def _add_import_from(excerpt: Excerpt, path: str, statement: ast.ImportFrom, alias: ast.alias) -> None:
    """A name of another file of the project is copied from there; everything else is imported."""
    module = _absolute(path, statement)
    if module == "__future__":
        excerpt.imports[f"from __future__ import {alias.name}"] = None
        return
    file = _file_of(path, module)
    source = file.read_text(encoding="utf-8", errors="replace") if file else ""
    known = excerpt.bound.get(alias.name)
    if file and known in (None, str(file)) and re.search(rf"^(class|def|{alias.name}\b)", source, re.MULTILINE):
        if known is None:
            excerpt.bound[alias.name] = str(file)
            _add(excerpt, str(file), source, {alias.name})
        if alias.asname:
            excerpt.lines.append((f"{alias.asname} = {alias.name}", None))
        return
    if folder := _folder_of(path, module):
        excerpt.outside[folder] = None
    excerpt.imports[ast.unparse(ast.ImportFrom(module, [alias], 0))] = None


def _absolute(path: str, statement: ast.ImportFrom) -> str:
    if not statement.level:
        return statement.module or ""
    package = list(Path(path).parent.relative_to(_top(Path(path))).parts)
    package = package[: len(package) - statement.level + 1]
    return ".".join([*package, *([statement.module] if statement.module else [])])


def _top(path: Path) -> Path:
    top = path.parent
    while (top / "__init__.py").is_file():
        top = top.parent
    return top


def _file_of(path: str, module: str) -> Path | None:
    """The file of a module of the same project; a package hands names on, and is imported instead."""
    file = _top(Path(path)).joinpath(*module.split(".")).with_suffix(".py")
    return file if module.partition(".")[0] not in _TENSORFLOW and file.is_file() else None


def _folder_of(path: str, module: str) -> str | None:
    """The folder that a module of the same project is imported from."""
    top = _top(Path(path))
    first = top / module.partition(".")[0]
    return str(top) if first.is_dir() or first.with_suffix(".py").is_file() else None
