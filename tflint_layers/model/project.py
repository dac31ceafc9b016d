"""The files that are linted together: which modules there are, what is known of them, and which are kept."""

from __future__ import annotations

import builtins
import gc
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tflint_layers.model import api
from tflint_layers.model.classes import ClassInfo, ModuleInfo, member_of, packages_around, split_name
from tflint_layers.model.importgraph import ImportGraph
from tflint_layers.model.imports import canonical
from tflint_layers.model.outline import Outline, may_have_bases
from tflint_layers.model.plaincode import has_traced_text
from tflint_layers.modules import file_of_import, module_name
from tflint_layers.source import Source, UnreadableSource

if TYPE_CHECKING:
    from tflint_layers.model.frame import Names
    from tflint_layers.model.interpreter import Results

# Trees take some 200 times the memory of their text (measured), so this keeps a run well below 400 MB.
_MOST_BYTES = 7_000_000
# Bytes of the text of modules given up, before cycles that they left are looked for.
_MOST_GARBAGE = 60_000_000
# Through how many modules a name of a library is followed.
_MOST_HANDED_ON = 6
# What Keras may take a class for, of which nothing is known.
_ANY_ROLE = frozenset({"any"})
_NO_ROLE: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Memory:
    """Conclusions that hold for whoever asks: what classes declare, and what calls of functions in them give.

    ``depending``: the attributes of ``declared`` that only some objects of the class have, as their options tell.
    """

    declared: dict[ClassInfo, Names] = field(default_factory=dict)
    results: Results = field(default_factory=dict)
    depending: set[tuple[object, str]] = field(default_factory=set)


class Project:
    """The files that are linted together: finds the module behind a dotted name on disk, and reads it once.

    Only so many modules are kept at a time.
    """

    def __init__(self, layer_bases: tuple[str, ...] = ()) -> None:
        self._layer_bases = frozenset(canonical(name) for name in layer_bases)
        self._modules: dict[str, ModuleInfo | None] = {}
        self._given: tuple[str, Source] | None = None
        self._size = 0
        self._given_up = 0
        self._imports = ImportGraph()
        self._roles: dict[tuple[str, str], frozenset[str]] = {}
        self._outlines: dict[str, Outline | None] = {}
        self._origins: dict[tuple[str, str], tuple[str, ...]] = {}
        self._readable: set[str] = set()
        self._asked: Counter[str] = Counter()
        # The modules to which others that are kept may refer.
        self._used: set[str] = set()
        self._memory: defaultdict[int, Memory] = defaultdict(Memory)

    def role(self, dotted: str) -> str | None:
        """What Keras takes a library class for."""
        if dotted in self._layer_bases:
            return "layer"
        return api.class_role(dotted)

    def may_be_traced(self, source: Source) -> bool:
        """Whether anything in a file may be traced, or is what rules say about other code; told without parsing it."""
        if has_traced_text(source):
            return True
        if not may_have_bases(source):
            return False
        path = source.absolute_path
        outline = self._outlines.get(path)
        if outline is None or outline.digest != hash(source.data):
            outline = self._outlines[path] = Outline.of(source)
        return any(not self._roles_there(path, name) <= api.UNTRACED_ROLES for name in outline.bases)

    def _roles_there(self, path: str, name: str) -> frozenset[str]:
        """As :meth:`possible_roles`, of what a file has under a name."""
        if (path, name) not in self._roles:
            # What a class that inherits from itself sees of itself, in the middle of this.
            self._roles[path, name] = _NO_ROLE
            self._roles[path, name] = self._find_roles(path, name)
        return self._roles[path, name]

    def _find_roles(self, path: str, name: str) -> frozenset[str]:
        outline = self._outline(path)
        if outline is None:
            return _NO_ROLE
        if name in outline.bases or name in outline.imported:
            inherited = (self._roles_of_base(base, path, outline) for base in outline.bases.get(name, ()))
            imported = (self.possible_roles(dotted, path) for dotted in outline.imported.get(name, ()))
            return _NO_ROLE.union(*inherited, *imported)
        module = self.read(path)
        if module is None:
            return _NO_ROLE
        self._ask_for(path)
        found = member_of(module, name)
        if isinstance(found, ClassInfo):
            return _roles(found.role)
        return _ANY_ROLE if found is not None or name not in module.names else _NO_ROLE

    def _roles_of_base(self, written: str, path: str, outline: Outline) -> frozenset[str]:
        """As :meth:`possible_roles`, of the base of a class as it is written."""
        root, _, rest = written.partition(".")
        wholes = outline.imported.get(root, ())
        roles = _NO_ROLE.union(*(self.possible_roles(f"{whole}.{rest}" if rest else whole, path) for whole in wholes))
        if root in outline.bases:
            return roles | self._roles_there(path, root)
        return roles if wholes or hasattr(builtins, root) else _ANY_ROLE

    def possible_roles(self, dotted: str, importer: str) -> frozenset[str]:
        """What Keras may take a class for, as the text of the files of it and its bases tells; none: for nothing.

        ``importer`` is the path of the file that names it.
        """
        role = self.role(canonical(dotted))
        if role is not None or api.is_library(dotted):
            return _roles(role)
        module_name, name = split_name(dotted)
        path = file_of_import(module_name, importer)
        if path is None:
            if names := self.origins(dotted, importer):
                return _NO_ROLE.union(*(_roles(self.role(canonical(name))) for name in names))
            # A member of a member, unless no part of it is of the project.
            around = (file_of_import(module_name, importer) for module_name in packages_around(module_name))
            return _ANY_ROLE if any(path is not None for path in around) else _NO_ROLE
        return self._roles_there(path, name)

    def origin(self, dotted: str, importer: str) -> str:
        """The library's name for what modules of the project hand on, such as ``tf`` of ``from .compat import tf``.

        Any other name is returned as it is. ``importer`` is the path of the file that imports it.
        """
        if api.is_library(dotted):
            return dotted
        names = self.origins(dotted, importer)
        return canonical(names[0]) if names else dotted

    def origins(self, dotted: str, importer: str, depth: int = 0) -> tuple[str, ...]:
        """The names of a library that a name may stand for, as they are imported; none for a name of the project."""
        if api.is_library(canonical(dotted)):
            return (dotted,)
        # All files of a folder import the same by a name.
        key = dotted, os.path.dirname(importer)
        found = self._origins.get(key)
        if found is None:
            found = tuple(self._find_origins(dotted, importer, depth)) if depth < _MOST_HANDED_ON else ()
            self._origins[key] = found
        return found

    def _find_origins(self, dotted: str, importer: str, depth: int) -> Iterator[str]:
        module_name, name = split_name(dotted)
        path = file_of_import(module_name, importer)
        if path is not None:
            outline = self._outline(path)
            for whole in outline.imported.get(name, ()) if outline is not None else ():
                yield from self.origins(whole, path, depth + 1)
        elif module_name.strip("."):
            for origin in self.origins(module_name, importer, depth + 1):
                yield f"{origin}.{name}"

    def _outline(self, path: str) -> Outline | None:
        if path not in self._outlines:
            try:
                self._outlines[path] = Outline.of(self.source(path))
            except (OSError, UnreadableSource):
                self._outlines[path] = None
        return self._outlines[path]

    def add(self, source: Source) -> ModuleInfo:
        """The module of a file, indexed.

        Raises:
            UnreadableSource: the file is no Python.
        """
        path = source.absolute_path
        module = self._modules.get(path)
        if module is None or module.source.data != source.data:
            module = self._parsed(source, path)
        self._modules[path] = module
        return module

    def check(self, source: Source) -> None:
        """Raise UnreadableSource where a file is no valid Python; a file that was parsed is not looked at again."""
        path = source.absolute_path
        if path not in self._readable:
            source.check()
            self._readable.add(path)

    def _parsed(self, source: Source, path: str) -> ModuleInfo:
        module = ModuleInfo(source, self, path, module_name(path)[1])
        self._size += len(source.data)
        self._readable.add(path)
        return module

    def memory(self, keras: int) -> Memory:
        """What was concluded for one Keras from the modules that are kept; emptied when some are given up."""
        return self._memory[keras]

    def give(self, source: Source) -> None:
        """Let a file have this text, whatever is on disk, until another file is given."""
        self._given = (source.absolute_path, source)
        self._imports.take_text(source.absolute_path)

    def has_changed(self, source: Source) -> bool:
        """Whether the file is known with other bytes, so that what was concluded from it may be wrong."""
        path = source.absolute_path
        known, outline = self._modules.get(path), self._outlines.get(path)
        return (known is not None and known.source.data != source.data) or (
            outline is not None and outline.digest != hash(source.data)
        )

    def forget(self) -> None:
        """Give up everything that was read."""
        self._modules.clear()
        self._used.clear()
        self._size = 0
        self._memory.clear()
        self._roles.clear()
        self._outlines.clear()
        self._origins.clear()
        self._readable.clear()
        self._imports = ImportGraph()

    def module(self, dotted: str, importer: ModuleInfo) -> ModuleInfo | None:
        """The module of the project that ``dotted`` names when ``importer`` imports it; None for libraries."""
        path = file_of_import(dotted, importer.path)
        found = self.read(path) if path is not None else None
        if path is not None and found is not None:
            self._ask_for(path)
        return found

    def _ask_for(self, path: str) -> None:
        self._asked[path] += 1
        self._used.add(path)

    def importers(self, path: str) -> list[str]:
        """Files of the same package, or folder, whose entry points may reach what a file defines, sorted."""
        return self._imports.importers(path)

    def read(self, path: str) -> ModuleInfo | None:
        """The module of a file; None where there is none, or it is no Python."""
        if path not in self._modules:
            module = None
            try:
                module = self._parsed(self.source(path), path)
            except (OSError, UnreadableSource):
                module = None
            self._modules[path] = module
        return self._modules[path]

    def source(self, path: str) -> Source:
        """A file as it was given, else as it is on disk.

        Raises:
            OSError: there is no such file, or it cannot be read.
            UnreadableSource: its bytes are no text.
        """
        if self._given is not None and self._given[0] == path:
            return self._given[1]
        text = self._imports.take_text(path)
        if text is None:
            with open(path, "rb") as file:
                text = file.read()
        return Source.from_bytes(text, path)

    def leave(self, module: ModuleInfo) -> None:
        """Give up a module that was evaluated where no other imports it, and more of them once they are many."""
        if module.path not in self._used and not self._imports.is_imported(module.path):
            # Memory that was used a moment ago is freed in less than half the time (measured).
            for memory in self._memory.values():
                for cls in module.all_classes:
                    memory.declared.pop(cls, None)
            self._release(module.path)
        self.tidy()

    def _release(self, path: str) -> None:
        module = self._modules.pop(path)
        self._used.discard(path)
        if module is not None:
            self._size -= len(module.source.data)
            self._given_up += len(module.source.data)
            module.release()

    def tidy(self) -> None:
        """Give up modules once they are many, while nothing is being evaluated, but those lately asked for most."""
        if self._size <= _MOST_BYTES:
            return
        kept = self._most_asked()
        # Packages that were linted long ago would crowd out the one that is being linted.
        self._asked.clear()
        self._memory.clear()
        for path in self._modules.keys() - kept:
            self._release(path)
        if self._given_up > _MOST_GARBAGE:
            self._given_up = 0
            _collect_garbage()

    def _most_asked(self) -> set[str]:
        """The modules worth keeping, each with those that it refers to."""
        kept: set[str] = set()
        size = 0
        for path, _ in self._asked.most_common():
            if path in self._modules and path not in kept:
                together = self._reached(path) - kept
                grown = size + self._bytes(together)
                if grown <= _MOST_BYTES // 2:
                    kept, size = kept | together, grown
        return kept

    def _reached(self, path: str) -> set[str]:
        reached: set[str] = set()
        pending = [path]
        while pending:
            if (path := pending.pop()) not in reached:
                reached.add(path)
                module = self._modules.get(path)
                pending.extend(module.known_ancestors() if module is not None else ())
        return reached

    def _bytes(self, paths: Iterable[str]) -> int:
        """Bytes of source text."""
        modules = (self._modules.get(path) for path in paths)
        return sum(len(module.source.data) for module in modules if module is not None)


def _roles(role: str | None) -> frozenset[str]:
    return _NO_ROLE if role is None else frozenset({role})


def _collect_garbage() -> None:
    """Look for cycles, where nothing else does, in what is new; what is left is never looked at again."""
    if not gc.isenabled():
        gc.collect()
        gc.freeze()
