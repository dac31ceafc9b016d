"""Import statements: where a new one belongs, and which ones a change has left without a use."""

from __future__ import annotations

import ast
import os
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from tflint_layers.finding import Edit
from tflint_layers.model.syntax import parents_below, walk
from tflint_layers.modules import bound_name
from tflint_layers.source import Source, UnreadableSource

_Import = ast.Import | ast.ImportFrom
_FUTURE, _STANDARD, _THIRD_PARTY, _OWN = range(4)


def insert_import(source: Source, statement: str) -> Edit:
    """Add an import where isort would put it: in its section, plain imports before `from` imports, by name.

    Without imports it stands behind the docstring. Sections that are there decide, not what they should be.
    """
    new = ast.parse(statement).body[0]
    assert isinstance(new, (ast.Import, ast.ImportFrom))
    block = _import_block(source)
    if not block:
        return _behind_docstring(source, statement)
    section = _section(new)
    alike = [node for node in block if _section(node) == section]
    mixed = _is_mixed(block)
    if alike:
        follower = next((node for node in alike if _order(node, mixed) > _order(new, mixed)), None)
        if follower is not None:
            return _before(source, follower, statement)
        return _behind(source, alike[-1], statement, blank=False)
    earlier = [node for node in block if _section(node) < section]
    if earlier:
        return _behind(source, earlier[-1], statement, blank=True)
    return _before(source, block[0], statement, blank=True)


def _import_block(source: Source) -> list[_Import]:
    """The imports at the top of the file, up to the first other statement."""
    block: list[_Import] = []
    for index, node in enumerate(source.tree.body):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            block.append(node)
        elif not (index == 0 and _is_docstring(node)):
            break
    return block


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _module_name(node: _Import) -> str:
    return node.names[0].name if isinstance(node, ast.Import) else "." * node.level + (node.module or "")


def _section(node: _Import) -> int:
    name = _module_name(node)
    root = name.partition(".")[0]
    if root == "__future__":
        return _FUTURE
    if root in sys.stdlib_module_names:
        return _STANDARD
    return _OWN if name.startswith(".") else _THIRD_PARTY


def _is_mixed(block: list[_Import]) -> bool:
    """Whether the file sorts by module name alone, `from` imports among the others."""
    return any(
        isinstance(one, ast.ImportFrom) and isinstance(two, ast.Import) and _section(one) == _section(two)
        for one, two in pairwise(block)
    )


def _order(node: _Import, mixed: bool) -> tuple[bool, str]:
    return (not mixed and isinstance(node, ast.ImportFrom), _module_name(node).lower())


def _ending(source: Source) -> str:
    return "\r\n" if source.lines[0].endswith("\r\n") else "\n"


def _before(source: Source, node: _Import, statement: str, *, blank: bool = False) -> Edit:
    ending = _ending(source)
    at = source.offset(node.lineno, 0)
    return Edit(at, at, statement + ending + (ending if blank else ""))


def _behind(source: Source, node: ast.stmt, statement: str, *, blank: bool) -> Edit:
    ending = _ending(source)
    line = node.end_lineno or node.lineno
    at = source.offset(line, 0) + len(source.lines[line - 1].encode(source.encoding))
    separator = "" if source.lines[line - 1].endswith(("\n", "\r")) else ending
    return Edit(at, at, separator + (ending if blank else "") + statement + ending)


def _behind_docstring(source: Source, statement: str) -> Edit:
    first = source.tree.body[0]
    if _is_docstring(first):
        return _behind(source, first, statement, blank=True)
    at = source.offset(min([first.lineno, *(d.lineno for d in getattr(first, "decorator_list", []))]), 0)
    return Edit(at, at, statement + _ending(source))


# --- imports without a use -------------------------------------------------------------------------------------------


def unused_imports(before: bytes, after: bytes, path: str) -> list[Edit]:
    """The edits that take the imports of names out of ``after`` that ``before`` used and ``after`` does not.

    What was unused before is none of our business, and neither are packages' ``__init__`` files, which re-export.
    """
    if before == after or os.path.basename(path) == "__init__.py":
        return []
    try:
        old, new = Source.from_bytes(before, path), Source.from_bytes(after, path)
        used, unused = _uses(old.tree), _uses(new.tree)
    except UnreadableSource:
        return []
    given_up = {name for name in used if name not in unused}
    return sorted(_removals(new, given_up)) if given_up else []


def _uses(tree: ast.AST) -> Counter[str]:
    """How often each name is used; words of texts count, since `__all__` and quoted annotations hold names."""
    found: Counter[str] = Counter()
    for node in walk(tree):
        if isinstance(node, ast.Name):
            found[node.id] += 1
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found[node.value] += 1
            found[node.value.partition(".")[0]] += 1
    return found


def _removals(source: Source, names: set[str]) -> Iterator[Edit]:
    parents = parents_below(source.tree)
    for node in walk(source.tree):
        if not isinstance(node, (ast.Import, ast.ImportFrom)) or "noqa" in source.lines[node.lineno - 1]:
            continue
        gone = [alias for alias in node.names if bound_name(alias) in names]
        if gone and len(gone) < len(node.names):
            yield from _without_aliases(source, node, gone)
        elif gone:
            yield _without_statement(source, node, parents[node])


def _without_aliases(source: Source, node: _Import, gone: list[ast.alias]) -> Iterator[Edit]:
    spans = [
        (source.offset(a.lineno, a.col_offset), source.offset(a.end_lineno or 0, a.end_col_offset or 0))
        for a in node.names
    ]
    kept = [index for index, alias in enumerate(node.names) if alias not in gone]
    for index, alias in enumerate(node.names):
        if alias not in gone:
            continue
        if index < kept[-1]:
            yield Edit(spans[index][0], spans[index + 1][0], "")
        else:  # behind the last one that is kept
            yield Edit(spans[index - 1][1], spans[index][1], "")


def _without_statement(source: Source, node: _Import, parent: ast.AST) -> Edit:
    start, end = source.span(node)
    body = next(
        block for name in ("body", "orelse", "finalbody") if node in (block := getattr(parent, name, None) or [])
    )
    if len(body) == 1 and not isinstance(parent, ast.Module):
        return Edit(start, end, "pass")
    index = body.index(node)
    if index + 1 < len(body) and body[index + 1].lineno == (node.end_lineno or node.lineno):
        return Edit(start, source.span(body[index + 1])[0], "")
    if index and (body[index - 1].end_lineno or 0) == node.lineno:
        return Edit(source.span(body[index - 1])[1], end, "")
    first, last = node.lineno, node.end_lineno or node.lineno
    alone_above = first == 1 or not source.lines[first - 2].strip()
    if alone_above and last < len(source.lines) and not source.lines[last].strip() and index + 1 < len(body):
        last += 1
    return Edit(
        source.offset(first, 0), source.offset(last, 0) + len(source.lines[last - 1].encode(source.encoding)), ""
    )
