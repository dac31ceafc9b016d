"""What a rule looks at: one function as TensorFlow runs it while tracing, with the value of every expression."""

from __future__ import annotations

import ast
import enum
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from tflint_layers.model.syntax import walk
from tflint_layers.model.values import (
    NONE,
    UNKNOWN,
    Api,
    Class,
    Container,
    Instance,
    Method,
    OneOf,
    Value,
    alternatives,
)

if TYPE_CHECKING:
    from tflint_layers.model.classes import ClassInfo, FunctionInfo, ModuleInfo


class Phase(enum.Enum):
    """When Python runs the code of a scope."""

    CALL = "call"  # while a graph is traced: `call`, `train_step`, a tf.function and what they reach
    BUILD = "build"  # `build`: inside the first trace under Keras 3, outside of the graph under Keras 2
    INIT = "init"  # `__init__`
    PLAIN = "plain"  # module level and functions that nothing traces


_TRACED = frozenset({Phase.CALL, Phase.BUILD})


class Evaluations(Protocol):
    """What a rule may ask about code outside of the function that it looks at."""

    scopes: list[Scope]

    def declared(self, cls: ClassInfo) -> dict[str, Value]:
        """The attributes that ``__init__``, ``build`` and the class body give an instance."""

    def always_declared(self, cls: ClassInfo) -> dict[str, Value]:
        """Those of the declared attributes that every object of the class has, whatever its options."""


@dataclass(eq=False)
class Scope:
    """One evaluation of one function, for one way of reaching it.

    ``values`` holds every node that the function runs with its value; statements have the value None.
    ``route`` names the functions from the entry point to this one. ``caught`` are the nodes whose failure an
    ``except`` clause of the function swallows, ``optional`` those under an option that is off by default, ``eager``
    those of traced code that run outside of the graph all the same.
    ``outliving`` are the assigned names that belong to the module or to a function that is not being traced.
    ``left`` is what the attributes hold when the entry point of the route returns. ``guarded`` are the nodes under
    a condition on state that such code changes (``if self.w is None:``), so that they run once, if ever. ``undone``
    are those of a context manager whose ``__exit__`` takes back what its ``__enter__`` does.
    """

    module: ModuleInfo
    function: FunctionInfo | None
    phase: Phase
    keras: int
    autograph: bool
    layer: ClassInfo | None
    route: tuple[str, ...]
    values: dict[ast.AST, Value | None] = field(default_factory=dict)
    caught: set[ast.AST] = field(default_factory=set)
    optional: set[ast.AST] = field(default_factory=set)
    eager: set[ast.AST] = field(default_factory=set)
    outliving: set[ast.AST] = field(default_factory=set)
    left: dict[tuple[object, str], Value] = field(default_factory=dict)
    guarded: set[ast.AST] = field(default_factory=set)
    undone: set[ast.AST] = field(default_factory=set)
    evaluations: Evaluations | None = field(default=None, repr=False)
    _api_names: dict[ast.AST, str] = field(init=False, default_factory=dict, repr=False)

    @property
    def is_traced(self) -> bool:
        """Whether the code runs while something is traced, or sets up what is."""
        return self.phase in _TRACED

    def value(self, node: ast.AST) -> Value:
        """What the expression is; Unknown where the function never evaluates it."""
        return self.values.get(node) or UNKNOWN

    def api_name(self, node: ast.expr) -> str:
        """The dotted name of the library function or class that an expression stands for, else an empty string.

        For code that has been evaluated: what the name is does not change any more.
        Methods of library objects read ``logging.Logger.info``.
        """
        name = self._api_names.get(node)
        if name is None:
            name = self._api_names[node] = api_name(self.value(node))
        return name

    def called(self, node: ast.Call) -> str:
        """The dotted name of the library function that is called, of other methods ``.append``, else nothing."""
        name = self.api_name(node.func)
        return name or (f".{node.func.attr}" if type(node.func) is ast.Attribute else "")

    def left_in(self, node: ast.expr) -> Value:
        """What an attribute holds when the entry point returns; Unknown for anything else."""
        receiver = self.value(node.value) if isinstance(node, ast.Attribute) else UNKNOWN
        if isinstance(node, ast.Attribute) and isinstance(receiver, (Instance, Class)):
            return self.left.get((receiver.cls, node.attr), UNKNOWN)
        return UNKNOWN

    def outlives(self, target: ast.expr) -> bool:
        """Whether the name, attribute or item that is written stays when the call is over."""
        if target in self.undone:
            return False
        if isinstance(target, ast.Attribute):
            return all(_is_lasting(value, target.attr) for value in alternatives(self.value(target.value)))
        return target in self.outliving or (isinstance(target, ast.Subscript) and self.keeps(target.value))

    def keeps(self, node: ast.expr) -> bool:
        """Whether an expression is a container that stays when the call is over."""
        value = self.value(node)
        # An attribute that is deleted again, or set to None, keeps nothing.
        if not isinstance(value, Container) or self.left_in(node) == NONE:
            return False
        return bool(value.origin) or (isinstance(node, ast.Attribute) and self.outlives(node))

    def parent(self, node: ast.AST) -> ast.AST | None:
        """The node that holds ``node``."""
        return self._parents.get(node)

    def parents(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes around ``node``, innermost first."""
        while (parent := self._parents.get(node)) is not None:
            yield parent
            node = parent

    def statement(self, node: ast.AST) -> ast.stmt | None:
        """The statement that holds ``node``."""
        if isinstance(node, ast.stmt):
            return node
        return next((parent for parent in self.parents(node) if isinstance(parent, ast.stmt)), None)

    def declared(self, cls: ClassInfo) -> dict[str, Value]:
        """The attributes that ``__init__``, ``build`` and the class body give an instance."""
        return self.evaluations.declared(cls) if self.evaluations is not None else {}

    def always_declared(self, cls: ClassInfo) -> dict[str, Value]:
        """Those of the declared attributes that every object of the class has, whatever its options."""
        return self.evaluations.always_declared(cls) if self.evaluations is not None else {}

    def everything(self, phase: Phase) -> list[Scope]:
        """All evaluations in a phase, of every function of the module and what they reach."""
        scopes = self.evaluations.scopes if self.evaluations is not None else []
        return [scope for scope in scopes if scope.phase is phase]

    def block(self, node: ast.stmt) -> list[ast.stmt]:
        """The statements that stand beside a statement, itself among them."""
        parent = self.parent(node)
        blocks = (getattr(parent, name, None) for name in ("body", "orelse", "finalbody"))
        return next((block for block in blocks if isinstance(block, list) and node in block), [node])

    def final_statements(self) -> list[ast.stmt]:
        """The statements of the function's ``finally`` blocks."""
        blocks = self.function.of_kind(ast.Try) if self.function is not None else []
        return [statement for block in blocks for statement in block.finalbody]

    @property
    def traced_name(self) -> str:
        """The function that Keras or TensorFlow traces and that leads here, as messages name it."""
        return self.route[0] if self.route else "<module>"

    def uses(self, name: str) -> list[ast.Name]:
        """The places at which the function reads a local name."""
        root = self.function.node if self.function else self.module.source.tree
        return [
            node
            for node in walk(root)
            if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
        ]

    def conditions(self) -> Iterator[ast.expr]:
        """The tests of the branches and loops that the function runs."""
        for node in self.values:
            if isinstance(node, (ast.If, ast.IfExp, ast.While)):
                yield node.test

    def formats_text(self, node: ast.expr) -> bool:
        """Whether an expression puts a text together: an f-string, `%` on a text, `str.format`, `str`."""
        if isinstance(node, ast.JoinedStr):
            return True
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mod, ast.Add)):
            return _is_text(node.left) or _is_text(node.right) or self.formats_text(node.left)
        if isinstance(node, ast.Call):
            is_format = (
                isinstance(node.func, ast.Attribute) and node.func.attr == "format" and _is_text(node.func.value)
            )
            return is_format or self.api_name(node.func) in {"builtins.str", "builtins.repr", "builtins.format"}
        return False

    @cached_property
    def _parents(self) -> dict[ast.AST, ast.AST]:
        return self.function.parents if self.function else self.module.parents

    def text(self, node: ast.expr | ast.stmt) -> str:
        """The user's own text for a node, on one line and not too long for a message."""
        words = " ".join(self.module.source.segment(node).split())
        return words if len(words) <= 60 else words[:57] + "..."


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _is_lasting(value: Value, name: str) -> bool:
    """Whether an attribute that is written stays; what becomes of that of a property, its setter tells."""
    if not isinstance(value, Instance):
        return isinstance(value, (Class, Api))
    return not value.fresh and (value.cls is None or value.cls.setter(name) is None)


def api_name(value: Value) -> str:
    """The dotted name of the library function, class or method that a value is, else an empty string."""
    if not isinstance(value, OneOf):
        return _name(value)
    names = {_name(alternative) for alternative in value.values}
    return names.pop() if len(names) == 1 else ""


def _name(value: Value) -> str:
    if isinstance(value, Api):
        return value.name
    if isinstance(value, Method) and isinstance(value.receiver, Instance) and value.receiver.name:
        return f"{value.receiver.name}.{value.name}"
    return ""
