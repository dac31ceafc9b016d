"""Declarations: what a module imports and defines, and which classes Keras traces."""

from __future__ import annotations

import ast
import os
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar, cast

from tflint_layers.legacy_keras import asks_for_legacy_keras
from tflint_layers.model import api
from tflint_layers.model.imports import bindings, canonical, keras_of_names, names_read
from tflint_layers.model.syntax import (
    OWN_SCOPE,
    FunctionNode,
    assigned_in,
    last_name,
    own_nodes,
    parents_below,
    statements,
    walk,
)
from tflint_layers.modules import member_name
from tflint_layers.source import Source

if TYPE_CHECKING:
    from tflint_layers.model.project import Project

_DECLARATIONS = frozenset({ast.Import, ast.ImportFrom, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef})
SETTING_UP = frozenset({"__init__", "build"})
# What `FunctionInfo.is_convertible` looks for, as texts: anywhere on a line, and at its start.
_STOPS = (":=", "yield")
_LEADING_STOPS = ("try", "match")
# Statements that run what is in them, or do not, without a test.
_UNTESTED = (ast.Try, getattr(ast, "TryStar", ast.Try), ast.For, ast.While, ast.Match)
# What stands behind the name of a container where something is put into it or taken out.
_MUTATORS = "|".join(sorted(api.MUTATORS))
_CHANGED = re.compile(rf"\[[^\n=]*\][ ]*(?:[-+*/|&]|//)?=(?!=)|\.(?:{_MUTATORS})\(")
_MUTATES = re.compile(rf"\.\s*(?:{_MUTATORS})\b")
_WRITERS = frozenset({"setter", "deleter"})

Node = TypeVar("Node", bound=ast.AST)


@dataclass(frozen=True, eq=False)
class FunctionInfo:
    """A function, method or lambda as it is written; two are the same only if they stand at the same place."""

    name: str
    qualname: str
    node: FunctionNode
    module: ModuleInfo
    cls: ClassInfo | None = None

    @cached_property
    def parameters(self) -> list[ast.arg]:
        """The positional parameters in order."""
        arguments = self.node.args
        return [*arguments.posonlyargs, *arguments.args]

    @cached_property
    def defaults(self) -> dict[str, ast.expr]:
        """The defaults of the parameters that have one, by name."""
        arguments = self.node.args
        with_default = self.parameters[self.required :]
        found = {parameter.arg: value for parameter, value in zip(with_default, arguments.defaults, strict=True)}
        for parameter, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            if default is not None:
                found[parameter.arg] = default
        return found

    @property
    def required(self) -> int:
        """How many positional parameters have no default."""
        return len(self.parameters) - len(self.node.args.defaults)

    def accepts(self, keyword: str) -> bool:
        """Whether a parameter of its own has the name."""
        return keyword in {parameter.arg for parameter in [*self.parameters, *self.node.args.kwonlyargs]}

    @cached_property
    def decorators(self) -> list[ast.expr]:
        """The decorators, outermost first; a lambda has none."""
        return [] if isinstance(self.node, ast.Lambda) else self.node.decorator_list

    @cached_property
    def is_generator(self) -> bool:
        """Whether calling it only makes a generator."""
        return self.module.may_yield and bool(self.of_kind(ast.Yield) or self.of_kind(ast.YieldFrom))

    @cached_property
    def is_convertible(self) -> bool:
        """Whether AutoGraph knows every statement in it; otherwise it leaves the function, and what it calls, alone.

        Measured: it has no notion of `:=`, of `match`, of `else` behind `try`, nor of generators, in inner functions
        neither.
        """
        stops = self.module.autograph_stops
        if bisect_left(stops, self.node.lineno) == bisect_right(stops, self.node.end_lineno or self.node.lineno):
            return True
        return not any(
            isinstance(node, (ast.NamedExpr, ast.Match, ast.Yield, ast.YieldFrom))
            or (isinstance(node, ast.Try) and bool(node.orelse))
            for node in walk(self.node)
        )

    @cached_property
    def locals(self) -> dict[str, ast.expr | None]:
        """The names that the function binds, each with its expression if it is bound once, and plainly."""
        found: dict[str, ast.expr | None] = {parameter.arg: None for parameter in self.parameters}
        for name, value in _assigned(self.block):
            found[name] = None if name in found else value
        return {**dict.fromkeys(self.bound_first), **found}

    @cached_property
    def returned(self) -> FunctionInfo | None:
        """The function inside it that it makes and returns."""
        names = {node.value.id for node in self.of_kind(ast.Return) if isinstance(node.value, ast.Name)}
        made = (node for node in self.of_kind(ast.FunctionDef) if node.name in names)
        return next((self.module.functions_by_node[node] for node in made), None)

    @cached_property
    def hands_back(self) -> bool:
        """Whether it returns its first argument and nothing else, as decorators do that only change documentation."""
        first = self.parameters[0].arg if self.parameters else ""
        returned = {node.value.id if isinstance(node.value, ast.Name) else "" for node in self.of_kind(ast.Return)}
        return returned == {first} and bool(first) and first not in self.bound_first and not self.decorators

    @cached_property
    def attributes_read(self) -> frozenset[str]:
        """The names of the attributes that a method reads or writes of its object."""
        receiver = self.parameters[0].arg if self.parameters else ""
        inner = (part for kind in OWN_SCOPE for part in self._by_kind.get(kind, ()))
        inside = (node for part in inner for node in walk(part) if isinstance(node, ast.Attribute))
        found = (*self.of_kind(ast.Attribute), *inside)
        return frozenset(n.attr for n in found if type(n.value) is ast.Name and n.value.id == receiver)

    @cached_property
    def attributes_stored(self) -> frozenset[str]:
        """The names of the attributes that are assigned in it and the functions inside it, of whatever object."""
        # Asked of methods that nothing else looks into; all nodes would take more than twice the time (measured).
        parts = (part for target in assigned_in(self.block) for part in walk(target))
        return frozenset(part.attr for part in parts if isinstance(part, ast.Attribute) and type(part.ctx) is ast.Store)

    @cached_property
    def attributes_mutated(self) -> frozenset[str]:
        """The names of the attributes of which a method is read that changes containers in place."""
        lines = self.module.source.lines[self.node.lineno - 1 : self.node.end_lineno]
        if _MUTATES.search("".join(lines)) is None:
            return frozenset()
        read = (node for node in walk(self.node) if isinstance(node, ast.Attribute) and node.attr in api.MUTATORS)
        return frozenset(node.value.attr for node in read if isinstance(node.value, ast.Attribute))

    @property
    def block(self) -> list[ast.stmt]:
        """The statements of the body; a lambda has none."""
        return [] if isinstance(self.node, ast.Lambda) else self.node.body

    def of_kind(self, kind: type[Node]) -> list[Node]:
        """The nodes of the body that are of a kind, without those of functions and classes inside it."""
        return cast("list[Node]", self._by_kind.get(kind, []))

    @cached_property
    def _by_kind(self) -> dict[type[ast.AST], list[ast.AST]]:
        found: dict[type[ast.AST], list[ast.AST]] = {}
        for node in self.nodes:
            found.setdefault(type(node), []).append(node)
        return found

    @cached_property
    def bound_first(self) -> dict[str, int]:
        """The names that the body binds, each with the first line on which it does."""
        found: dict[str, int] = {}
        for node in self.of_kind(ast.Name):
            if type(node.ctx) is ast.Store:
                found[node.id] = min(node.lineno, found.get(node.id, node.lineno))
        return found

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """The nodes of the body without those of functions and classes inside it."""
        return own_nodes(self.node)

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """The node around each node of the function."""
        return parents_below(self.node)


@dataclass(frozen=True, eq=False)
class ClassInfo:
    """A class as it is written."""

    name: str
    qualname: str
    node: ast.ClassDef
    module: ModuleInfo
    around: FunctionInfo | None = None

    @cached_property
    def methods(self) -> dict[str, FunctionInfo]:
        """The functions that the class body defines, by name; the last definition of a name counts.

        Of a property it is the getter, which reading the attribute calls.
        """
        found: dict[str, FunctionInfo] = {}
        for node in statements(self.node.body):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not (
                node.name in found and writes_property(node)
            ):
                found[node.name] = FunctionInfo(node.name, f"{self.qualname}.{node.name}", node, self.module, self)
        return found

    @cached_property
    def setters(self) -> dict[str, FunctionInfo]:
        """The functions of the class body that run where an attribute is written, by the attribute."""
        return {
            node.name: FunctionInfo(node.name, f"{self.qualname}.{node.name}", node, self.module, self)
            for node in statements(self.node.body)
            if isinstance(node, ast.FunctionDef) and _decorated_as(node, "setter")
        }

    @cached_property
    def attributes(self) -> dict[str, ast.expr]:
        """The values that the class body assigns, by name."""
        return {name: value for name, value in _assigned(self.node.body) if value is not None}

    @cached_property
    def defined(self) -> frozenset[str]:
        """The attributes that the class body or one of its methods gives an instance, methods among them."""
        written = (info.attributes_stored for info in self.module.all_functions if info.cls is self)
        return frozenset((*self.methods, *self.attributes)).union(*written)

    def reads(self, method: FunctionInfo) -> frozenset[str]:
        """The names of the attributes that a method reads, and the methods of the class that it may call."""
        known = self._reads.get(method)
        if known is None:
            known = self._reads[method] = frozenset(self._read_from(method))
        return known

    def inherits_unchanged(self, method: FunctionInfo, apart_from: Iterable[str] = ()) -> bool:
        """Whether a method comes from a base that is traced itself, and nothing that it reads differs in this class.

        ``apart_from``: what may differ all the same.
        """
        base = method.cls
        if base is None or base is self or base.role is None:
            return False
        inherited = base.ancestry
        between = (cls for cls in self.ancestry if isinstance(cls, ClassInfo) and cls not in inherited)
        read = base.reads(method).difference(apart_from)
        return all(read.isdisjoint(changed.defined) for changed in between)

    @cached_property
    def _reads(self) -> dict[FunctionInfo, frozenset[str]]:
        return {}

    def _read_from(self, method: FunctionInfo) -> set[str]:
        names, pending = set(method.attributes_read), list(method.attributes_read)
        while pending:
            called = self.method(pending.pop())
            if called is not None:
                pending.extend(called.attributes_read - names)
                names |= called.attributes_read
        return names

    @cached_property
    def rewritten(self) -> frozenset[str]:
        """The attributes that methods other than ``__init__`` and ``build`` assign or change in place."""
        changing = [method for name, method in self.methods.items() if name not in SETTING_UP]
        stored = (method.attributes_stored for method in changing)
        return frozenset().union(*stored, *(method.attributes_mutated for method in changing))

    def rewrites(self, name: str) -> bool:
        """Whether a method of the class or of its bases assigns an attribute after the layer is set up."""
        return name in self._rewritten_anywhere

    @cached_property
    def _rewritten_anywhere(self) -> frozenset[str]:
        bases = (base for base in self.ancestry if isinstance(base, ClassInfo))
        return frozenset().union(*(base.rewritten for base in bases))

    def may_set(self, name: str) -> bool:
        """As :meth:`rewrites`, or whether writing to a property assigns the attribute."""
        return name in self._settable

    @cached_property
    def _settable(self) -> frozenset[str]:
        bases = (base for base in self.ancestry if isinstance(base, ClassInfo))
        stored = (setter.attributes_stored for base in bases for setter in base.setters.values())
        return self._rewritten_anywhere.union(*stored)

    @cached_property
    def ancestry(self) -> tuple[ClassInfo | str, ...]:
        """The class and its bases in the order of method look-up; classes outside of the project by dotted name."""
        return tuple(_linearise(self, ()))

    @cached_property
    def role(self) -> str | None:
        """What Keras takes the class for (``"layer"``, ``"model"``, ``"loss"``, ...); None where it is neither."""
        # What a class that inherits from itself sees of itself, in the middle of this.
        vars(self)["role"] = None
        if not any(self._may_have_role(base) for base in self.node.bases):
            return None
        roles = (self.module.project.role(base) for base in self.ancestry if isinstance(base, str))
        return next((role for role in roles if role), None)

    def _may_have_role(self, base: ast.expr) -> bool:
        """Whether a base is something to Keras."""
        project, dotted = self.module.project, self.module.dotted(base)
        # Told without parsing the files of what is nothing to Keras.
        if dotted is not None and not project.possible_roles(dotted, self.module.path):
            return False
        found = resolve_class(base, self.module)
        role = found.role if isinstance(found, ClassInfo) else project.role(found or "")
        return role is not None

    @cached_property
    def fields(self) -> tuple[str, ...] | None:
        """What the constructor of a data class takes, in order; None for other classes."""
        if not any(last_name(decorator) in {"dataclass", "define", "frozen"} for decorator in self.node.decorator_list):
            return None
        annotated = (node.target for node in self.node.body if isinstance(node, ast.AnnAssign))
        return tuple(target.id for target in annotated if isinstance(target, ast.Name))

    @property
    def has_no_hash(self) -> bool:
        """Whether it is a data class whose objects can be compared and changed, and so have no hash."""
        decorators = [node for node in self.node.decorator_list if last_name(node) == "dataclass"]
        options = {word.arg: word.value for node in decorators if isinstance(node, ast.Call) for word in node.keywords}
        plain = all(isinstance(value, ast.Constant) for value in options.values())
        given = {name: value.value for name, value in options.items() if isinstance(value, ast.Constant)}
        hashed = given.get("frozen") or given.get("unsafe_hash") or given.get("eq") is False
        return bool(decorators) and plain and not hashed and self.method("__hash__") is None

    def method(self, name: str, after: ClassInfo | None = None) -> FunctionInfo | None:
        """The function that ``self.name`` finds in the project; ``after`` starts behind that class, as super does."""
        skipping = after is not None
        for ancestor in self.ancestry:
            if isinstance(ancestor, str):
                continue
            if not skipping and name in ancestor.methods:
                return ancestor.methods[name]
            skipping = skipping and ancestor is not after
        return None

    def setter(self, name: str) -> FunctionInfo | None:
        """The function of the project that runs where ``self.name`` is written, if it is a property."""
        owners = (base for base in self.ancestry if isinstance(base, ClassInfo))
        return next((base.setters[name] for base in owners if name in base.setters), None)


@dataclass(eq=False)
class ModuleInfo:
    """One file of the project, indexed."""

    source: Source
    project: Project
    path: str
    name: str = ""
    functions: dict[str, FunctionInfo] = field(init=False, default_factory=dict)
    classes: dict[str, ClassInfo] = field(init=False, default_factory=dict)
    names: dict[str, str] = field(init=False, default_factory=dict)
    all_functions: list[FunctionInfo] = field(init=False, default_factory=list)
    all_classes: list[ClassInfo] = field(init=False, default_factory=list)
    stars: list[str] = field(init=False, default_factory=list)
    imports: list[ast.Import | ast.ImportFrom] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        """Index the declarations of the module, nested ones too."""
        self._index(self.source.tree.body, "", None, None)

    def _index(
        self,
        body: list[ast.stmt],
        prefix: str,
        cls: ClassInfo | None,
        around: FunctionInfo | None,
    ) -> None:
        for node in statements(body):
            if type(node) not in _DECLARATIONS:
                continue
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                self.imports.append(node)
                if not prefix:
                    self._bind(node)
            elif isinstance(node, ast.ClassDef):
                info = ClassInfo(node.name, prefix + node.name, node, self, around)
                self.all_classes.append(info)
                if not prefix:
                    self.classes[node.name] = info
                self._index(node.body, f"{info.qualname}.", info, around)
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                function = (
                    cls.methods[node.name]
                    if cls and cls.methods[node.name].node is node
                    else FunctionInfo(node.name, prefix + node.name, node, self, cls)
                )
                self.all_functions.append(function)
                if not prefix:
                    self.functions[node.name] = function
                self._index(node.body, f"{function.qualname}.", None, function)

    def _bind(self, node: ast.Import | ast.ImportFrom) -> None:
        for name, dotted in bindings(node, self.package):
            if name == "*":
                self.stars.append(dotted)
            else:
                self.names.setdefault(name, dotted)

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """The node around each node of the module."""
        return parents_below(self.source.tree)

    @cached_property
    def functions_by_node(self) -> dict[ast.AST, FunctionInfo]:
        """Every function of the module by its definition."""
        return {info.node: info for info in self.all_functions}

    @cached_property
    def classes_by_node(self) -> dict[ast.AST, ClassInfo]:
        """Every class of the module by its definition."""
        return {info.node: info for info in self.all_classes}

    @cached_property
    def autograph_stops(self) -> list[int]:
        """The lines on which there may be something that AutoGraph has no notion of, in order."""
        places = [place for word in _STOPS for place in self.source.places_of(word)]
        leading = (place for word in _LEADING_STOPS for place in self.source.places_of(word))
        places += [place for place in leading if not self.source.before(place).strip()]
        return list(self.source.line_numbers(sorted(places)))

    @cached_property
    def may_yield(self) -> bool:
        """Whether the text has a generator."""
        return b"yield" in self.source.data

    @cached_property
    def keras(self) -> int | None:
        """The Keras version that the file sets, or its imports and modules that hand Keras on give away; else None."""
        read = [name for node in self.imports for name in names_read(node)]
        own = keras_of_names(read)
        if own is not None:
            return own
        if asks_for_legacy_keras(self.source.data) and not any(name.partition(".")[0] == "keras" for name in read):
            return 2
        taken = [name for name in self.names.values() if not api.is_library(name)]
        # A module may hand on a whole library.
        handed_on = (self.project.origins(one, self.path) for name in taken for one in (name, member_name(name, "*")))
        return keras_of_names(name for names in handed_on for name in names)

    def release(self) -> None:
        """Drop what the module consists of: its parts refer to each other, and would wait for the garbage collector."""
        for info in (*self.all_functions, *self.all_classes):
            vars(info).clear()
        vars(self.source).pop("tree", None)
        vars(self).clear()

    def known_ancestors(self) -> set[str]:
        """The files of the classes that those of this module are known to inherit from."""
        resolved = [vars(info).get("ancestry", ()) for info in self.all_classes]
        return {base.module.path for bases in resolved for base in bases if isinstance(base, ClassInfo)}

    @cached_property
    def package(self) -> str:
        """The dotted name of the package that the module belongs to."""
        is_package = os.path.basename(self.path) == "__init__.py"
        return self.name if is_package else self.name.rpartition(".")[0]

    @cached_property
    def assigned(self) -> dict[str, ast.expr | None]:
        """Module-level names and the one expression each is bound to; None for a name bound more than once."""
        return {name: values[0] if len(values) == 1 else None for name, values in self.bindings.items()}

    @cached_property
    def bindings(self) -> dict[str, list[ast.expr | None]]:
        """Module-level names and all that each is bound to; None for what no expression of its own tells."""
        found: dict[str, list[ast.expr | None]] = {}
        for name, value in _assigned(self.source.tree.body):
            found.setdefault(name, []).append(value)
        return found

    def changes(self, name: str) -> bool:
        """Whether the text may change what is in a container that a module-level name stands for."""
        ends = (place + len(name) for place in self.source.places_of_name(name))
        return any(_CHANGED.match(self.source.text, end) for end in ends)

    def conditions(self, node: ast.AST) -> Iterator[tuple[ast.expr | None, bool]]:
        """The tests of the branches in which a node of the module stands, each with the outcome that leads there.

        None for the test where it is no test that decides.
        """
        while (parent := self.parents.get(node)) is not None:
            if isinstance(parent, ast.If):
                yield parent.test, node in parent.body
            elif isinstance(parent, _UNTESTED):
                yield None, True
            node = parent

    def dotted(self, node: ast.expr) -> str | None:
        """The canonical dotted name of an expression made of names and attributes, as module-level code sees it."""
        if isinstance(node, ast.Attribute):
            base = self.dotted(node.value)
            return canonical(f"{base}.{node.attr}") if base else None
        if isinstance(node, ast.Name):
            bound = self.names.get(node.id)
            if bound is not None:
                return self.project.origin(bound, self.path)
            if isinstance(alias := self.assigned.get(node.id), (ast.Name, ast.Attribute)):
                return self._dotted_alias(node.id, alias)
        return None

    def _dotted_alias(self, name: str, alias: ast.expr) -> str | None:
        if name not in self._aliases:
            self._aliases[name] = None  # for names that stand for each other
            self._aliases[name] = self.dotted(alias)
        return self._aliases[name]

    @cached_property
    def _aliases(self) -> dict[str, str | None]:
        return {}


def writes_property(node: FunctionNode) -> bool:
    """Whether a function is the setter or deleter of a property, and so runs where the attribute is written."""
    return any(_decorated_as(node, writer) for writer in _WRITERS)


def _decorated_as(node: FunctionNode, name: str) -> bool:
    decorators = [] if isinstance(node, ast.Lambda) else node.decorator_list
    return any(isinstance(decorator, ast.Attribute) and decorator.attr == name for decorator in decorators)


def _assigned(body: list[ast.stmt]) -> Iterator[tuple[str, ast.expr | None]]:
    for node in statements(body):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _bound_to(target, node.value)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            yield node.target.id, node.value


def _bound_to(target: ast.expr, value: ast.expr | None) -> Iterator[tuple[str, ast.expr | None]]:
    """The names of a target, each with its part of what is assigned, where that is written out."""
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, (ast.Tuple, ast.List)):
        parts = value.elts if isinstance(value, (ast.Tuple, ast.List)) else []
        is_plain = len(parts) == len(target.elts) and not any(
            isinstance(e, ast.Starred) for e in (*parts, *target.elts)
        )
        for index, element in enumerate(target.elts):
            yield from _bound_to(element, parts[index] if is_plain else None)
    elif isinstance(target, ast.Starred):
        yield from _bound_to(target.value, None)


def _linearise(cls: ClassInfo, seen: tuple[ClassInfo, ...]) -> list[ClassInfo | str]:
    """Method look-up order: depth first, each ancestor at its last place, as Python's C3 gives for usual trees."""
    order: list[ClassInfo | str] = [cls]
    for base in cls.node.bases:
        resolved = resolve_class(base, cls.module)
        if resolved is None or resolved in seen or resolved is cls:
            continue
        inherited: list[ClassInfo | str] = [resolved]
        if isinstance(resolved, ClassInfo):
            inherited = _linearise(resolved, (*seen, cls))
        order = [ancestor for ancestor in order if ancestor not in inherited] + inherited
    return order


def resolve_class(node: ast.expr, module: ModuleInfo) -> ClassInfo | str | None:
    """The class that a base expression names: of the project, or the dotted name of a library's."""
    if isinstance(node, ast.Name):
        local = [info for info in module.all_classes if info.name == node.id]
        if local:
            return local[-1]
    if isinstance(node, ast.Subscript):
        return resolve_class(node.value, module)
    dotted = module.dotted(node)
    if dotted is None and isinstance(node, ast.Name):
        return _from_stars(node.id, module)
    return None if dotted is None else find_class(dotted, module)


def _from_stars(name: str, module: ModuleInfo) -> ClassInfo | str | None:
    for star in module.stars:
        found = find_class(f"{star}.{name}", module)
        if isinstance(found, ClassInfo) or (found and module.project.role(found)):
            return found
    return None


def find_class(dotted: str, importer: ModuleInfo) -> ClassInfo | str:
    """The project's class of a dotted name, through re-exports; the name itself for a library's."""
    found = find_member(dotted, importer)
    return found if isinstance(found, ClassInfo) else importer.project.origin(dotted, importer.path)


def split_name(dotted: str) -> tuple[str, str]:
    """The module and the name in it; the module may be nothing but dots."""
    module_name, _, name = dotted.rpartition(".")
    if dotted.startswith(".") and not module_name.strip("."):
        module_name = dotted[: len(dotted) - len(name)]
    return module_name, name


def packages_around(module_name: str) -> Iterator[str]:
    """The packages around a module, innermost first."""
    while module_name.strip("."):
        module_name = split_name(module_name)[0]
        yield module_name


# What a module has under a name: a class, a function, or something else that is bound to the name.
Member = ClassInfo | FunctionInfo | tuple[ModuleInfo, str]


def find_member(dotted: str, importer: ModuleInfo, depth: int = 0) -> Member | None:
    """What a dotted name of the project stands for: a class, a function, or a name bound in a module."""
    if api.is_library(dotted) or depth > 5:
        return None
    module_name, name = split_name(dotted)
    module = importer.project.module(module_name, importer) if module_name else None
    return member_of(module, name, depth) if module is not None else None


def member_of(module: ModuleInfo, name: str, depth: int = 0) -> Member | None:
    """What a module has under a name, through what it imports; None where that is not of the project."""
    if name in module.classes:
        return module.classes[name]
    if name in module.functions:
        return module.functions[name]
    if name in module.names:
        return find_member(module.names[name], module, depth + 1)
    for star in module.stars:
        if (found := find_member(f"{star}.{name}", module, depth + 1)) is not None:
            return found
    return (module, name) if name in module.assigned else None
