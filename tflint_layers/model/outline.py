"""What a file declares, by its text alone: most files need not be parsed to know that nothing in them is traced."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tflint_layers.modules import imports, member_name
from tflint_layers.source import Source

# A base whose text is more than a name.
_UNREADABLE_BASE = "?"
_CLASS_WITH_BASE = re.compile(rb"class[ \t]+\w+[ \t]*[(\[]")
_CLASS = re.compile(r"class[ \t]+(?P<name>\w+)[ \t]*(?:\[[^\]\n]*\])?(?:\((?P<bases>[^()]*)(?P<end>[()]))?")
_DOTTED = re.compile(r"[\w.]+")
# `keras = tf.keras`: what a module hands on under a name of its own.
_ALIAS = re.compile(r"= ((?:tf|tensorflow|keras)[\w.]*)[ \t]*(?:#.*)?$", re.MULTILINE)

# `keras = pick()`: what a function of the file imports and gives back.
_PICKED = re.compile(r"keras = (?P<function>\w+)\(\)")
_RETURNED = re.compile(r"return (?P<name>\w+)[ \t]*(?:#.*)?$", re.MULTILINE)
_NEXT_BLOCK = re.compile(r"[\r\n](?=[^\s#])")


def may_have_bases(source: Source) -> bool:
    """Whether a class of a file inherits from another."""
    return _CLASS_WITH_BASE.search(source.data) is not None


@dataclass(frozen=True)
class Outline:
    """The classes of a file and what it imports; names in comments and texts are taken for code, too.

    ``bases``: of each class as they are written; of classes with the same name together. ``imported``: the dotted
    names that each imported name may stand for, as ``try`` and ``except`` may import it from two places, and those that
    names for parts of TensorFlow and Keras stand for.
    """

    digest: int
    bases: dict[str, tuple[str, ...]]
    imported: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, source: Source) -> Outline:
        """The outline of a file."""
        imported = _imported(source.data)
        for name, dotted in _aliases(source):
            root, dot, rest = dotted.partition(".")
            imported[name] = (*imported.get(name, ()), *(whole + dot + rest for whole in imported.get(root, ())))
        for name, returned in _picked(source):
            imported[name] = (*imported.get(name, ()), *imported.get(returned, ()))
        return cls(hash(source.data), _bases(source), imported)


def _bases(source: Source) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for match in _CLASS.finditer(source.text):
        if not source.before(match.start()).strip(" \t"):
            found[match["name"]] = (*found.get(match["name"], ()), *_written_bases(match))
    return found


def _imported(text: bytes) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for module, name, local in imports(text, lambda _: False):
        found[local] = (*found.get(local, ()), _bound(module, name, local))
    return found


def _aliases(source: Source) -> Iterator[tuple[str, str]]:
    """The names that stand for a part of a library, each with the part."""
    for match in _ALIAS.finditer(source.text):
        before = source.before(match.start()).strip(" \t")
        if before.isidentifier():
            yield before, match[1]


def _picked(source: Source) -> Iterator[tuple[str, str]]:
    """The names that stand for the library that a function of the file picks, each with a name that it returns."""
    for match in _PICKED.finditer(source.text):
        name = source.before(match.start()).strip(" \t") + "keras"
        start = source.text.find(f"def {match['function']}(")
        if name.isidentifier() and start >= 0:
            end = _NEXT_BLOCK.search(source.text, start)
            for found in _RETURNED.finditer(source.text, start, end.start() if end is not None else len(source.text)):
                yield name, found["name"]


def _written_bases(match: re.Match[str]) -> Iterator[str]:
    if match["end"] == "(":
        yield _UNREADABLE_BASE
    for base in filter(None, (part.split("#")[0].strip() for part in (match["bases"] or "").split(","))):
        if "=" not in base:
            name = _DOTTED.match(base)
            yield name[0] if name else _UNREADABLE_BASE


def _bound(module: str, name: str, local: str) -> str:
    """What an import binds: of ``import a.b`` it is ``a``, of ``import a.b as c`` what stands at the end."""
    if name:
        return member_name(module, name)
    return local if local == module.partition(".")[0] else module
