"""Which statements of a module something in it needs. Standard library only."""

from __future__ import annotations

import ast
from collections.abc import Collection, Sequence

from tflint_layers.modules import bound_name


def bound_names(statement: ast.stmt) -> set[str]:
    """The names of its module that a statement sets, or of which it sets an entry, in its branches too.

    ``*`` stands for an import of everything.
    """
    names: set[str] = set()
    pending: list[ast.AST] = [statement]
    while pending:
        node = pending.pop()
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                names.add(node.name)
            case ast.comprehension():
                pending += [node.iter, *node.ifs]
            case ast.alias():
                names.add(bound_name(node))
            case ast.Name(ctx=ast.Store()):
                names.add(node.id)
            case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store()):
                names.add(name)
            case ast.Lambda():
                pass
            case _:
                pending += ast.iter_child_nodes(node)
    return names


def needed(
    binds: Sequence[Collection[str]],
    words: Sequence[Collection[str]],
    wanted: Collection[str],
    given: Collection[int] = (),
) -> list[int]:
    """The numbers of the statements that set a wanted name, or a word of another needed one, in order.

    ``binds`` and ``words`` are what each statement of a module sets and mentions; those of ``given`` are needed anyway.
    """
    chosen = set(given)
    names = set(wanted).union(*(words[number] for number in chosen))
    while more := {n for n, bound in enumerate(binds) if n not in chosen and not names.isdisjoint(bound)}:
        chosen |= more
        names.update(*(words[number] for number in more))
    return sorted(chosen)
