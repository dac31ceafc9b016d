"""Local names to dotted names: what an import statement binds, in one canonical spelling."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cache

from tflint_layers.modules import absolute_name

# Keras has had many homes; the first matching prefix is replaced, until none matches.
# What TensorFlow 1 has as well: the same objects, or functions that run what they are given just so (measured).
_AS_IN_VERSION_1 = (
    *("autograph", "cond", "config", "custom_gradient", "foldl", "foldr", "init_scope", "io.gfile", "map_fn", "nest"),
    *("numpy_function", "print", "py_function", "recompute_grad", "scan", "vectorized_map", "while_loop"),
)
_HOMES = (
    ("tensorflow.keras", "keras"),
    ("tensorflow.python.keras", "keras"),
    ("tensorflow.compat.v1.keras", "keras"),
    *((f"tensorflow.compat.v1.{name}", f"tensorflow.{name}") for name in _AS_IN_VERSION_1),
    ("tensorflow.compat.v1.compat", "tensorflow.compat"),
    ("tensorflow.compat.v1.dimension_value", "tensorflow.compat.dimension_value"),
    ("tensorflow.compat.v2", "tensorflow"),
    ("tensorflow.contrib.keras", "keras"),
    ("tensorflow._api.v2", "tensorflow"),
    ("tf_keras", "keras"),
    ("keras.api", "keras"),
    ("keras.src", "keras"),
    ("keras._v1.keras", "keras"),
    ("keras._v2.keras", "keras"),
    ("keras.legacy.backend", "keras.backend"),
)
_KERAS2_HOMES = ("tf_keras.", "tensorflow.python.keras.", "tensorflow.contrib.keras.")
_KERAS3_HOMES = ("keras.ops.", "keras.random.", "keras.saving.")


_LIBRARIES = tuple(sorted({home.partition(".")[0] for home, _ in _HOMES}))


@cache
def canonical(dotted: str) -> str:
    """One spelling for a dotted name: ``tensorflow.keras.layers.Layer`` is ``keras.layers.Layer``."""
    # Most names are none of a library's, and looking through all homes takes long.
    for home, root in _HOMES if dotted.startswith(_LIBRARIES) else ():
        if dotted == home or dotted.startswith(home + "."):
            return canonical(root + dotted[len(home) :])
    return dotted


def bindings(node: ast.Import | ast.ImportFrom, package: str) -> Iterator[tuple[str, str]]:
    """The local names that an import statement binds, each with its canonical dotted name.

    ``package`` is the dotted name of the package that holds the module, for relative imports; relative names
    keep the leading dots where the package is not known. A star import yields ``("*", module)``.
    """
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.asname:
                yield alias.asname, canonical(alias.name)
            else:
                root = alias.name.partition(".")[0]
                yield root, canonical(root)
        return
    module = absolute_name(node, package)
    for alias in node.names:
        if alias.name == "*":
            yield "*", canonical(module)
        else:
            joined = module + alias.name if module.endswith(".") else f"{module}.{alias.name}"
            yield alias.asname or alias.name, canonical(joined)


def keras_of_names(names: Iterable[str]) -> int | None:
    """The Keras version that names of a library, as they are imported, give away: 2, 3, or None where they fit both."""
    whole = [f"{name}." for name in names]
    if any(name.startswith(_KERAS2_HOMES) for name in whole):
        return 2
    if any(name.startswith(_KERAS3_HOMES) for name in whole):
        return 3
    return None


def names_read(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    """The dotted names that an import statement reads; none of a relative import."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif not node.level:
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
