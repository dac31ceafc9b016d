"""Control flow that AutoGraph makes a part of the graph, and the names that go through it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice

from tflint_layers.model import demands
from tflint_layers.model.scopes import Scope
from tflint_layers.model.syntax import OWN_SCOPE, walk
from tflint_layers.model.values import is_symbolic

Staged = ast.If | ast.For | ast.While


def is_staged(scope: Scope, node: ast.AST) -> bool:
    """Whether a statement becomes a `tf.cond` or a `tf.while_loop`."""
    if isinstance(node, (ast.If, ast.While)):
        return demands.depends_on_tensor(scope, node.test)
    return isinstance(node, ast.For) and is_symbolic(scope.value(node.iter))


# A rule asks for each statement of a function in turn.
@lru_cache(maxsize=2)
def staged_in(scope: Scope) -> tuple[Staged, ...]:
    """The statements of the function that become a part of the graph, the last one first."""
    function = scope.function
    if function is None:
        return ()
    found: list[Staged] = [*function.of_kind(ast.If), *function.of_kind(ast.For), *function.of_kind(ast.While)]
    staged = (statement for statement in found if is_staged(scope, statement))
    return tuple(sorted(staged, key=lambda statement: -statement.lineno))


def staged_around(scope: Scope, node: ast.expr | ast.stmt) -> Staged | None:
    """The innermost statement around a node that becomes a part of the graph."""
    line = node.lineno
    around = (one for one in staged_in(scope) if one is not node and one.lineno <= line <= (one.end_lineno or line))
    return next(around, None)


def head(node: Staged) -> ast.expr:
    """What a statement steps through, or asks for."""
    return node.iter if isinstance(node, ast.For) else node.test


def staged_text(scope: Scope, node: Staged) -> str:
    """The first line of a statement, as messages quote it."""
    if isinstance(node, ast.For):
        return f"for {scope.text(node.target)} in {scope.text(node.iter)}"
    return f"{'if' if isinstance(node, ast.If) else 'while'} {scope.text(node.test)}"


def inside(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a statement, without those of functions and classes defined in it."""
    return islice(walk(node, OWN_SCOPE), 1, None)


def own_names(scope: Scope, name: str) -> list[ast.Name]:
    """The places of a name in the function under way, in order."""
    if scope.function is None:
        return []
    found = (node for node in scope.function.of_kind(ast.Name) if node.id == name)
    return sorted(found, key=lambda node: (node.lineno, node.col_offset))


def stores_before(scope: Scope, name: str, node: ast.expr | ast.stmt) -> list[ast.Name]:
    """The places further up at which a name is given a value."""
    return [n for n in own_names(scope, name) if isinstance(n.ctx, ast.Store) and n.lineno < node.lineno]


def is_read_next(scope: Scope, name: str, node: ast.stmt) -> bool:
    """Whether the first that the code behind a statement does with a name is to read it."""
    later = [n for n in own_names(scope, name) if n.lineno > (node.end_lineno or node.lineno)]
    return bool(later) and isinstance(later[0].ctx, ast.Load)
