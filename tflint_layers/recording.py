"""Notes how a test suite builds and calls the layers of a project: expressions, shapes and dtypes, never data.

Standard library only: it watches Keras being imported and imports nothing itself.
"""

from __future__ import annotations

import enum
import functools
import importlib.abc
import importlib.machinery
import inspect
import json
import os
import sys
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

HEADER = "tflint-layers record"

# The modules of Keras that define the class that all layers derive from.
_HOMES = ("keras.src.layers.layer", "tf_keras.src.engine.base_layer", "keras.src.engine.base_layer")
_MADE = "_tflint_layers_made"
_PLAIN = (bool, int, float, complex, str, bytes)
_MOST_USES, _DEEPEST, _BATCH, _UNKNOWN = 5, 4, 4, 6

Use = dict[str, Any]


class Unwritable(Exception):  # noqa: N818 - an answer, not an error
    """A value that no expression stands for."""


class Recorder:
    """Collects uses of layers whose classes are defined below a folder."""

    def __init__(self, root: Path) -> None:
        self._root = os.path.realpath(root)
        self._uses: dict[tuple[str, str], dict[str, Use]] = {}
        self._undo: list[Callable[[], None]] = []

    def start(self) -> None:
        """Watch every Keras that is or will be imported."""
        finder = _OnImport(self._watch)
        sys.meta_path.insert(0, finder)
        self._undo.append(lambda: sys.meta_path.remove(finder))
        for name in _HOMES:
            if name in sys.modules:
                self._watch(sys.modules[name])

    def stop(self) -> None:
        """Leave Keras as it was."""
        while self._undo:
            self._undo.pop()()

    def uses(self) -> list[Use]:
        """Everything that was noted, as JSON."""
        return [
            {"path": path, "class": name, "use": use}
            for (path, name), found in sorted(self._uses.items())
            for use in found.values()
        ]

    def _watch(self, module: types.ModuleType) -> None:
        if isinstance(getattr(module, "Layer", None), type):
            self._undo.append(_wrapped(vars(module)["Layer"], self._note))

    def _note(self, layer: Any, arguments: Sequence[Any], keywords: Mapping[str, Any]) -> None:
        """Note one call, if the layer is one of the project and everything can be written down."""
        kind, written = type(layer), getattr(layer, _MADE, None)
        path = self._home(kind)
        if path is None or written is None:
            return
        use: Use = {"layer": written.text, "imports": sorted(written.imports)}
        try:
            use["inputs"] = [_input(value) for value in arguments]
            use["keywords"] = [[name, _input(value)] for name, value in keywords.items()]
        except Unwritable:
            return
        found = self._uses.setdefault((path, kind.__qualname__), {})
        if len(found) < _MOST_USES:
            found.setdefault(json.dumps(use), use)

    def _home(self, kind: type) -> str | None:
        """The file of a class relative to the project; None where it is not one of the project's own."""
        file = getattr(sys.modules.get(kind.__module__), "__file__", None)
        if file is None or "<locals>" in kind.__qualname__:
            return None
        path = os.path.realpath(file)
        inside = path.startswith(self._root + os.sep) and "site-packages" not in path
        return os.path.relpath(path, self._root) if inside else None


def _wrapped(layer: Any, note: Callable[..., None]) -> Callable[[], None]:
    """Have the class from which all layers derive tell how they are made and called; the result undoes that."""
    call = layer.__call__
    make = layer.__new__ if layer.__new__ is not object.__new__ else _make

    @functools.wraps(make)
    def new(cls: type, *arguments: Any, **keywords: Any) -> Any:
        made = make(cls, *arguments, **keywords)
        # Written now: lists and dicts may be other ones later.
        object.__setattr__(made, _MADE, _Written.of(cls, arguments, keywords))
        return made

    @functools.wraps(call)
    def called(made: Any, *arguments: Any, **keywords: Any) -> Any:
        note(made, arguments, keywords)
        return call(made, *arguments, **keywords)

    def undo() -> None:
        layer.__new__, layer.__call__ = staticmethod(make), call

    # AutoGraph is to leave this alone, as it leaves the method of Keras alone.
    called.autograph_info__ = {}  # type: ignore[attr-defined]
    layer.__new__, layer.__call__ = staticmethod(new), called
    return undo


def _make(cls: type, *_: object, **__: object) -> Any:
    return object.__new__(cls)


class _OnImport(importlib.abc.MetaPathFinder):
    """Calls back when a module that defines layers has been imported."""

    def __init__(self, imported: Callable[[types.ModuleType], None]) -> None:
        self._imported = imported

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name not in _HOMES:
            return None
        others = (finder for finder in sys.meta_path if finder is not self and hasattr(finder, "find_spec"))
        spec = next((spec for finder in others if (spec := finder.find_spec(name, path, target))), None)
        if spec is None or spec.loader is None:
            return spec
        run = spec.loader.exec_module

        def exec_module(module: types.ModuleType) -> None:
            run(module)
            self._imported(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


class _Written:
    """The expression that builds a layer, with the imports that it needs."""

    def __init__(self, text: str, imports: frozenset[str]) -> None:
        self.text, self.imports = text, imports

    @classmethod
    def of(cls, kind: type, arguments: Sequence[Any], keywords: Mapping[str, Any]) -> _Written | None:
        """The construction of a layer of the project; its own name is there where the layer is."""
        imports: set[str] = set()
        try:
            return cls(f"{kind.__qualname__}({_arguments(arguments, keywords, imports)})", frozenset(imports))
        except Unwritable:
            return None


def _arguments(arguments: Iterable[Any], keywords: Mapping[str, Any], imports: set[str], depth: int = 0) -> str:
    texts = [_expression(value, imports, depth) for value in arguments]
    texts += [f"{name}={_expression(value, imports, depth)}" for name, value in keywords.items()]
    return ", ".join(texts)


def _expression(value: Any, imports: set[str], depth: int) -> str:
    """A Python expression for an argument of a constructor."""
    if value is None or type(value) in _PLAIN:
        return repr(value)
    if depth > _DEEPEST:
        raise Unwritable
    inner = functools.partial(_expression, imports=imports, depth=depth + 1)
    if type(value) in (list, tuple):
        items = ", ".join(map(inner, value))
        return f"[{items}]" if isinstance(value, list) else f"({items},)" if len(value) == 1 else f"({items})"
    if type(value) is dict:
        return f"{{{', '.join(f'{inner(key)}: {inner(item)}' for key, item in value.items())}}}"
    if isinstance(value, enum.Enum):
        return f"{_name(type(value), imports)}.{value.name}"
    if isinstance(value, type | types.FunctionType | types.BuiltinFunctionType):
        return _name(value, imports)
    if isinstance(made := getattr(value, _MADE, None), _Written):
        imports |= made.imports
        return f"{_name(type(value), imports)}{made.text[len(type(value).__qualname__) :]}"
    return _object(value, imports, depth)


def _object(value: Any, imports: set[str], depth: int) -> str:
    """An array by its shape, an object of Keras by its configuration."""
    if _is_array(value):
        described = _input(value)
        return f"tf.ones({described['shape']}, dtype={described['dtype']!r})"
    configuration = getattr(value, "get_config", None)
    if not callable(configuration) or type(value).__module__.partition(".")[0] not in ("keras", "tf_keras"):
        raise Unwritable
    return f"{_name(type(value), imports)}({_arguments((), configuration(), imports, depth + 1)})"


def _name(value: Any, imports: set[str]) -> str:
    """The name of something that can be imported."""
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", "")
    if not module or not name or "<" in name:
        raise Unwritable
    if module == "builtins":
        return str(name)
    first = name.partition(".")[0]
    if not hasattr(sys.modules.get(module), first):
        raise Unwritable
    imports.add(f"from {module} import {first}")
    return str(name)


def _input(value: Any) -> Any:
    """What a layer is called with: shapes and dtypes of tensors; flags and numbers as they are."""
    if value is None or type(value) in (bool, int, float):
        return repr(value)
    # A short name is a mode, anything else may be somebody's data.
    if type(value) is str and value.isidentifier() and len(value) < 20:
        return repr(value)
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {"dict": {key: _input(item) for key, item in value.items()}}
    if isinstance(value, list | tuple):
        return {"tuple" if isinstance(value, tuple) else "list": [_input(item) for item in value]}
    if _is_array(value):
        return _described(value)
    raise Unwritable


def _is_array(value: Any) -> bool:
    return hasattr(value, "shape") and hasattr(value, "dtype") and not inspect.isclass(value)


def _described(value: Any) -> dict[str, Any]:
    try:
        sizes = [None if size is None else int(size) for size in value.shape]
    except (TypeError, ValueError) as error:
        raise Unwritable from error
    shape = [(_UNKNOWN if place else _BATCH) if size is None else size for place, size in enumerate(sizes)]
    kind = getattr(value.dtype, "name", None) or str(value.dtype)
    sparse = {"sparse": True} if "Sparse" in type(value).__name__ else {}
    return {"shape": shape, "dtype": kind.removesuffix("_ref"), **sparse}


def record_text(uses: Iterable[Use]) -> str:
    """The file that holds a record; equal runs give equal files."""
    distinct = {json.dumps(use, sort_keys=True): use for use in uses}
    return json.dumps({HEADER: [distinct[key] for key in sorted(distinct)]}, indent=1) + "\n"
