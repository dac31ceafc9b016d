"""One function evaluation under way, and what every part of the interpreter may ask of the others."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import cache

from tflint_layers.model.classes import ClassInfo, FunctionInfo, ModuleInfo
from tflint_layers.model.scopes import Scope
from tflint_layers.model.values import Environment, Function, Tensor, Value

Names = dict[str, Value]
Heap = dict[tuple[object, str], Value]


@dataclass(eq=False, slots=True)
class Frame:
    """One function evaluation under way.

    ``marks``: which sets of the scope the nodes belong to that are run just now: ``"caught"``, ``"optional"``,
    ``"guarded"``, ``"undone"``, ``"eager"``.
    """

    scope: Scope
    environment: Environment
    receiver: Value | None = None
    returns: list[Value] = field(default_factory=list)
    exits: list[Heap] = field(default_factory=list)
    yields: list[Value] = field(default_factory=list)
    jumps: list[list[tuple[Names, Heap]]] = field(default_factory=list)
    eager: bool = False
    marks: list[str] = field(default_factory=list)
    outer_names: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Mark what runs outside of the graph from the start."""
        if self.eager:
            self.lift()

    def lift(self) -> None:
        """Let the code from here on run outside of the graph."""
        self.eager = True
        if self.scope.is_traced:
            self.marks.append("eager")

    def record(self, node: ast.AST, value: Value | None) -> None:
        """Note that the function runs a node, and what it is."""
        scope = self.scope
        scope.values[node] = value
        for mark in self.marks:
            marked: set[ast.AST] = getattr(scope, mark)
            marked.add(node)


class Machine:
    """What the parts of the interpreter, which are stacked on each other, know and use of one another."""

    frame: Frame
    heap: Heap
    keras: int
    depending: set[tuple[object, str]]

    def evaluate(self, node: ast.expr) -> Value:
        """The value of an expression in the current frame; noted in its scope."""
        raise NotImplementedError

    def imported(self, dotted: str, module: ModuleInfo) -> Value:
        """What an imported dotted name means: a member of the project, or a name of a library."""
        raise NotImplementedError

    def function_value(
        self, info: FunctionInfo, environment: Environment | None = None, bound: Value | None = None
    ) -> Function:
        """A function with what its decorators say about AutoGraph."""
        raise NotImplementedError

    def call(self, node: ast.Call) -> Value:
        """The value of a call expression."""
        raise NotImplementedError

    def call_function(self, function: Function, arguments: tuple[Value, ...]) -> Value:
        """The value of calling a function of the project with positional arguments."""
        raise NotImplementedError

    def described(self, method: FunctionInfo, receiver: Value) -> Value | None:
        """What reading a method gives that became an object with a ``__get__``; None for all others."""
        raise NotImplementedError

    def declared(self, cls: ClassInfo) -> Names:
        """The attributes that ``__init__``, ``build`` and the class body give an instance."""
        raise NotImplementedError

    def class_value(self, cls: ClassInfo, name: str) -> Value:
        """The value that the body of a class gives an attribute."""
        raise NotImplementedError

    def module_value(self, module: ModuleInfo, node: ast.expr) -> Value:
        """The value of an expression at module level."""
        raise NotImplementedError

    def tensor(
        self, *, batch: bool = False, shapeless: bool = False, keras: bool = False, whole: bool = False
    ) -> Tensor:
        """A tensor made here: symbolic, or an eager one where the code runs outside of the graph."""
        return _tensor(batch, shapeless, self.frame.eager, keras and self.frame.eager, whole)


@cache
def _tensor(batch: bool, shapeless: bool, eager: bool, keras: bool, whole: bool) -> Tensor:
    return Tensor(batch=batch, shapeless=shapeless, eager=eager, keras=keras, whole=whole)
