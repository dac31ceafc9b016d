"""The definitions of a module, as a module; the top-level statements of scripts never run. Standard library only."""

from __future__ import annotations

import ast
import importlib.abc
import importlib.machinery
import importlib.util
import linecache
import sys
import types
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from tflint_layers.confirm.needs import bound_names
from tflint_layers.modules import bound_name, named_root, project_root

# Calls that compute a value and do nothing else, by the last one or two parts of their names.
_PURE_NAMES = """
getLogger TypeVar ParamSpec NewType namedtuple NamedTuple compile frozenset set dict list tuple range len int float str
bool bytes min max sum abs round sorted zip enumerate reversed complex slice object join dirname basename abspath
realpath expanduser gettempdir Path PurePath deque defaultdict OrderedDict Counter partial lru_cache cache count cycle
chain product Lock RLock local Random RandomState default_rng array asarray arange linspace zeros ones full eye sqrt log
log2 exp floor ceil constant Variable TensorSpec TensorShape convert_to_tensor cast as_dtype dtype SimpleNamespace Enum
Fraction Decimal ContextVar itemgetter attrgetter
"""
_PURE_CALLS = frozenset(_PURE_NAMES.split())
# What makes functions of functions, and runs none of them; by the whole names.
_WRAPPING = frozenset(
    f"{root}.{name}"
    for root in ("tf", "tensorflow")
    for name in ("function", "autograph.experimental.do_not_convert", "custom_gradient", "recompute_grad")
)
_PURE_OWNERS = frozenset({"initializers", "regularizers", "constraints", "math", "activations", "struct", "string"})
_IMPURE_ROOTS = frozenset({"subprocess", "requests", "socket", "shutil"})


def slice_module(tree: ast.Module) -> tuple[ast.Module, dict[str, int]]:
    """The definitions of a module, and the names that left out statements would have bound, with their lines."""
    kept = list(_filter(tree.body))
    bound = {name for statement in kept for name in bound_names(statement)}
    skipped = {
        name: statement.lineno
        for statement in tree.body
        if statement not in kept
        for name in bound_names(statement)
        if name not in bound
    }
    return ast.Module(kept, type_ignores=[]), skipped


def _filter(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in body:
        match statement:
            case ast.Import() | ast.ImportFrom() | ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield statement
            case ast.Assign(value=value) | ast.AnnAssign(value=value) | ast.AugAssign(value=value):
                targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
                if (value is None or _is_pure(value)) and all(map(_is_bound_here, targets)):
                    yield statement
            case ast.If(test=test):
                yield from _filter_branches(statement, test)
            case ast.Try(body=body, handlers=handlers):
                if any(isinstance(inner, ast.Import | ast.ImportFrom) for inner in body):
                    yield from _filter_try(statement, handlers)
            case _ if statement.__class__.__name__ == "TypeAlias":
                yield statement


def _is_bound_here(target: ast.expr) -> bool:
    """Whether a target is a name of the module, or an entry of a table that it has under a name."""
    is_entry = isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name)
    return isinstance(target, ast.Name | ast.Tuple) or is_entry


def _filter_branches(statement: ast.If, test: ast.expr) -> Iterator[ast.stmt]:
    if "__name__" in ast.unparse(test) or not (_is_pure(test) or _chooses_definitions(statement)):
        return
    body, orelse = list(_filter(statement.body)), list(_filter(statement.orelse))
    if body or orelse:
        yield ast.copy_location(ast.If(test, body or [ast.copy_location(ast.Pass(), statement)], orelse), statement)


def _chooses_definitions(statement: ast.If) -> bool:
    """Whether a comparison decides nothing but what is imported or defined: ``if backend() == "tensorflow": ..``."""
    calls = [node for node in ast.walk(statement.test) if isinstance(node, ast.Call)]
    inner = [node for node in (*statement.body, *statement.orelse) if not isinstance(node, ast.Raise | ast.Pass)]
    return (
        isinstance(statement.test, ast.Compare)
        and not any(call.args or call.keywords for call in calls)
        and len(list(_filter(inner))) == len(inner)
    )


def _filter_try(statement: ast.Try, handlers: list[ast.ExceptHandler]) -> Iterator[ast.stmt]:
    nothing = ast.copy_location(ast.Pass(), statement)
    kept = [
        ast.copy_location(ast.ExceptHandler(h.type, h.name, list(_filter(h.body)) or [nothing]), h) for h in handlers
    ]
    body = list(_filter(statement.body)) or [nothing]
    yield ast.copy_location(ast.Try(body, kept, list(_filter(statement.orelse)), []), statement)


def _is_pure(node: ast.expr) -> bool:
    return all(_is_pure_call(inner) for inner in ast.walk(node) if isinstance(inner, ast.Call)) and not any(
        isinstance(inner, ast.Await | ast.Yield | ast.YieldFrom) for inner in ast.walk(node)
    )


def _is_pure_call(call: ast.Call) -> bool:
    match call.func:
        case ast.Name(id=name):
            return name in _PURE_CALLS
        case ast.Attribute(value=owner, attr=name):
            parts = ast.unparse(owner).split(".")
            if ".".join((*parts, name)) in _WRAPPING:
                return True
            return (name in _PURE_CALLS or parts[-1] in _PURE_OWNERS) and parts[0] not in _IMPURE_ROOTS
    return False


def optional_imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The names that a module imports in a ``try``, with what they stand for."""
    for statement in tree.body:
        if isinstance(statement, ast.Try):
            for inner in statement.body:
                if isinstance(inner, ast.Import):
                    yield from ((bound_name(a), a.name) for a in inner.names)
                elif isinstance(inner, ast.ImportFrom):
                    yield from ((bound_name(a), f"{inner.module or '.'}.{a.name}") for a in inner.names)


class Missing:
    """Stands for a module or a name that could not be imported; raises as soon as somebody uses it."""

    def __init__(self, reason: str) -> None:
        object.__setattr__(self, "_reason", reason)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__call__":
            raise AttributeError(name)
        self._refuse()

    def __call__(self, *_: object, **__: object) -> NoReturn:
        """Raise."""
        self._refuse()

    def __mro_entries__(self, _: object) -> tuple[type, ...]:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise ImportError(object.__getattribute__(self, "_reason"))


class ModuleSlice:
    """A module made of the definitions in a source text, under the name that its neighbours import it by."""

    def __init__(self, path: str, source: str) -> None:
        self.path, self.source = path, source
        tree = ast.parse(source, path)
        self.tree = tree
        self._kept, self.skipped = slice_module(tree)
        self.failed: dict[str, BaseException] = {}
        self.name, self.roots = _module_name(Path(path), tree)

    def load(self) -> types.ModuleType:
        """Import the module; parent packages are imported the ordinary way."""
        remember_source(self.path, self.source)
        sys.path[:0] = [root for root in self.roots if root not in sys.path]
        sys.meta_path.insert(0, _Finder(self))
        sys.modules.pop(self.name, None)
        try:
            return importlib.import_module(self.name)
        except ImportError:
            if "." not in self.name:
                raise
            # A parent package that cannot be imported: relative imports will not work, the rest may.
            self.name = f"_slice_{Path(self.path).stem}"
            return importlib.import_module(self.name)

    def run(self, module: types.ModuleType) -> None:
        """Run the definitions one by one, so that one that fails costs its own names only."""
        for statement in self._kept.body:
            try:
                self._run_statement(statement, module)
            except Exception as error:
                for name in bound_names(statement):
                    self.failed[name] = error
                    module.__dict__.setdefault(name, Missing(_reason(name, statement.lineno, error)))

    def _run_statement(self, statement: ast.stmt, module: types.ModuleType) -> None:
        if isinstance(statement, ast.ImportFrom) and len(statement.names) > 1 and statement.module != "__future__":
            for alias in statement.names:
                single = ast.ImportFrom(statement.module, [alias], statement.level)
                try:
                    self._execute(ast.copy_location(single, statement), module)
                except ImportError as error:
                    name = bound_name(alias)
                    self.failed[name] = error
                    module.__dict__.setdefault(name, Missing(_reason(name, statement.lineno, error)))
            return
        self._execute(statement, module)

    def _execute(self, statement: ast.stmt, module: types.ModuleType) -> None:
        code = compile(ast.Module([statement], type_ignores=[]), self.path, "exec", self._flags(), dont_inherit=True)
        exec(code, module.__dict__)

    def _flags(self) -> int:
        import __future__

        names = [
            alias.name
            for node in self.tree.body
            if isinstance(node, ast.ImportFrom) and node.module == "__future__"
            for alias in node.names
        ]
        return sum(getattr(__future__, name).compiler_flag for name in names)


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def __init__(self, wanted: ModuleSlice) -> None:
        self._wanted = wanted

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != self._wanted.name:
            return None
        package = Path(self._wanted.path).name == "__init__.py"
        spec = importlib.machinery.ModuleSpec(name, self, origin=self._wanted.path, is_package=package)
        spec.has_location = True
        if package:
            spec.submodule_search_locations = [str(Path(self._wanted.path).parent)]
        return spec

    def exec_module(self, module: types.ModuleType) -> None:
        self._wanted.run(module)


_SOURCES: dict[str, list[str]] = {}
_read_again = linecache.updatecache


def remember_source(path: str, source: str) -> None:
    """AutoGraph asks ``inspect`` for the source, which asks ``linecache``.

    AutoGraph also makes ``linecache`` read files again, but what is on disk is not the fixed code that is to be proved.
    """
    _SOURCES[path] = source.splitlines(keepends=True)
    linecache.cache[path] = (len(source), None, _SOURCES[path], path)
    linecache.updatecache = _remembered


def _remembered(filename: str, module_globals: dict[str, Any] | None = None) -> list[str]:
    return _SOURCES[filename] if filename in _SOURCES else _read_again(filename, module_globals)


def _module_name(path: Path, tree: ast.Module) -> tuple[str, list[str]]:
    """The dotted name of a file in the outermost package that holds it, and what must be on ``sys.path`` for it.

    Relative imports show that folders without an ``__init__.py`` are packages, from the root of the project on. Where
    nothing marks that, the imports tell where it is.
    """
    name, roots = _name_in_package(path)
    project = project_root(str(path.parent)) or _root_by_imports(path, tree)
    if project is None or project in roots:
        return name, roots
    if len(roots) == 2 and roots[0] == roots[1] and any(map(_is_relative, tree.body)):
        name = ".".join(path.relative_to(project).with_suffix("").parts)
    return name, [*roots, project]


def _root_by_imports(path: Path, tree: ast.Module) -> str | None:
    absolute, level = [], 0
    for node in tree.body:
        if isinstance(node, ast.Import):
            absolute += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            level = max(level, node.level)
            absolute += [node.module] if node.module and not node.level else []
    if level and level < len(path.parents) and path.parents[level - 1].name.isidentifier():
        return str(path.parents[level])
    return named_root(str(path), absolute)


def _is_relative(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and bool(node.level)


def _name_in_package(path: Path) -> tuple[str, list[str]]:
    if path.suffix != ".py" or not path.stem.isidentifier():
        return "_slice_of_a_file", [str(path.parent)]
    top = path.parent
    while (top / "__init__.py").is_file() and top.name.isidentifier():
        top = top.parent
    parts = list(path.relative_to(top).with_suffix("").parts)
    if parts[-1] == "__init__" and len(parts) > 1:
        parts.pop()
    if len(parts) == 1 and _is_taken(parts[0]):
        parts = [f"_slice_{parts[0]}"]
    return ".".join(parts), [str(path.parent), str(top)] if len(parts) == 1 else [str(top), str(path.parent)]


def _is_taken(name: str) -> bool:
    try:
        return name in sys.modules or importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return True


def _reason(name: str, line: int, error: BaseException) -> str:
    return f"`{name}` (line {line}) could not be defined: {type(error).__name__}: {error}"
