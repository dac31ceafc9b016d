"""What a rule is."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from tflint_layers.finding import Fix, Proof
from tflint_layers.model.scopes import Phase, Scope
from tflint_layers.model.values import Value


@dataclass(frozen=True)
class Hit:
    """A place that a rule objects to.

    ``suspect``: only a trace can tell whether it is right. ``proof``: what would show it, where that is not what shows
    the other hits of the rule. ``lifted``: it is as wrong where the code runs outside of the graph.
    """

    node: ast.expr | ast.stmt
    message: str
    suspect: bool = False
    proof: Proof | None = None
    lifted: bool = False


# Several rules look for the same words in a file.
@lru_cache(maxsize=8)
def _has_any(words: tuple[bytes, ...], source: bytes) -> bool:
    return any(word in source for word in words)


Check = Callable[[Scope, ast.AST], Iterator[Hit]]
MakeFix = Callable[[Scope, Hit], Fix | None]


@dataclass(frozen=True)
class Rule:
    """One rule of the catalogue.

    ``check`` is called for each node of the types in ``nodes`` that a scope of one of the ``phases`` runs, and
    asks the scope questions; ``fix`` is called with the scope and a hit of this rule. ``only_suggests`` tells that
    what ``fix`` returns is for the author to judge: it is shown and exported, and never applied.
    ``words``: it objects to nothing in a file without any of these, so that no other file is looked at.
    ``calls``: of the calls, it is shown only those for which this is true of what `Scope.called` says.
    ``attributes``: of the attributes, it is shown only those for whose name this is true.
    ``kinds``: of the attributes, it is shown only those of whose value the kind is one of these, if any are named.
    ``converted``: nodes of these types it is shown only in functions that AutoGraph converts.
    ``lasting``: of the assignments, it is not shown those to one name that goes when the function returns.
    ``keras``: the versions of Keras for which there is something to say.
    ``everywhere``: it speaks of code that nothing traces, wherever that stands in a file that it fits.
    """

    code: str
    name: str
    documentation: str
    nodes: tuple[type[ast.AST], ...]
    check: Check
    proof: Proof
    phases: frozenset[Phase] = frozenset({Phase.CALL})
    fix: MakeFix | None = None
    preview: bool = False
    only_suggests: bool = False
    words: tuple[bytes, ...] = ()
    calls: Callable[[str], bool] | None = None
    attributes: Callable[[str], bool] | None = None
    kinds: tuple[type[Value], ...] = ()
    converted: tuple[type[ast.AST], ...] = ()
    lasting: bool = False
    keras: tuple[int, ...] = (2, 3)
    everywhere: bool = False

    def fits(self, source: bytes) -> bool:
        """Whether the rule may object to something in a file, as far as its words tell."""
        return not self.words or _has_any(self.words, source)

    def looks_at_call(self, name: str) -> bool:
        """Whether the rule is shown the calls of a name."""
        return self.calls is None or self.calls(name)

    def looks_at_attribute(self, name: str, kind: type) -> bool:
        """Whether the rule is shown the attributes of a name whose value is of a kind."""
        return (not self.kinds or kind in self.kinds) and (self.attributes is None or self.attributes(name))

    @property
    def summary(self) -> str:
        """The first line of the documentation."""
        return self.documentation.strip().partition("\n")[0]
