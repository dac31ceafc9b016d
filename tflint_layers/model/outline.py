"""Whether anything in a file may be traced, by its text alone: most files of a project need not be looked at closer."""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterator

from tflint_layers.model.classes import Project
from tflint_layers.model.plaincode import plain_lines
from tflint_layers.modules import imports, member_name
from tflint_layers.source import Source

_LIBRARIES = (b"keras", b"tensorflow")
_CLASS_WITH_BASE = re.compile(rb"class[ \t]+\w+[ \t]*[(\[]")
_CLASS = re.compile(
    r"^[ \t]*class[ \t]+(?P<name>\w+)[ \t]*(?:\[[^\]\n]*\])?(?:\((?P<bases>[^()]*)(?P<end>[()]))?", re.MULTILINE
)
_FUNCTION = re.compile(rb"[@.]function\b")
_DOTTED = re.compile(r"[\w.]+")


def names_library(source: Source) -> bool:
    """Whether a file speaks of Keras or TensorFlow at all."""
    lowered = source.data.lower()
    return any(library in lowered for library in _LIBRARIES)


def may_be_traced(source: Source, project: Project) -> bool:
    """Whether a file has a class that may be a layer, a `tf.function`, or what rules say about other code."""
    return (
        _FUNCTION.search(source.data) is not None
        or (_CLASS_WITH_BASE.search(source.data) is not None and _may_define_layer(source, project))
        or (names_library(source) and bool(plain_lines(source.text)))
    )


def _may_define_layer(source: Source, project: Project) -> bool:
    """Whether a class may inherit from one that Keras traces, of a library or of another file of the project."""
    own = {match["name"] for match in _CLASS.finditer(source.text)}
    imported: dict[str, list[str]] = {}
    for module, name, local in imports(source.data, lambda _: False):
        imported.setdefault(local, []).append(_bound(module, name, local))
    for base in set(_bases(source.text)):
        root, _, rest = base.partition(".")
        if root not in imported:
            if root in own or hasattr(builtins, root):
                continue
            return True
        # `try` and `except` may import a name from two places.
        if any(project.may_be_traced(f"{whole}.{rest}" if rest else whole, source.path) for whole in imported[root]):
            return True
    return False


def _bound(module: str, name: str, local: str) -> str:
    """What an import binds: of ``import a.b`` it is ``a``, of ``import a.b as c`` what stands at the end."""
    if name:
        return member_name(module, name)
    return local if local == module.partition(".")[0] else module


def _bases(text: str) -> Iterator[str]:
    """The names of the base classes in a file; ``?`` for a base that is more than a name."""
    for match in _CLASS.finditer(text):
        if match["end"] == "(":
            yield "?"
        for base in filter(None, (part.split("#")[0].strip() for part in (match["bases"] or "").split(","))):
            if "=" not in base:
                name = _DOTTED.match(base)
                yield name[0] if name else "?"
