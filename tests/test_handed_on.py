"""Keras and TensorFlow that a module of the project hands on: `from .compat import keras`, as many projects have it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tflint_layers import Settings, lint_source

LAYER = (
    "class Plain({base}):\n"
    "    def call(self, x):\n"
    "        print('called')\n"
    "        return {relu}(x)\n\n\n"
    "class Clean({base}):\n"
    "    def call(self, x):\n"
    "        return {relu}(x)\n"
)
WAYS = {
    "a name": ("import keras\n", "from .compat import keras\n", "keras.layers.Layer", "keras.ops.relu"),
    "another name": ("import keras\n", "from .compat import keras as k\n", "k.Layer", "k.ops.relu"),
    "through the module": ("import keras\n", "from . import compat\n", "compat.keras.Layer", "compat.keras.ops.relu"),
    "a part": ("from keras import layers, ops\n", "from .compat import layers, ops\n", "layers.Layer", "ops.relu"),
    "an alias": (
        "import tensorflow as tf\nlayers = tf.keras.layers  # the parts that we use\nops = tf.nn\n",
        "from .compat import layers, ops\n",
        "layers.Layer",
        "ops.relu",
    ),
    "one of two": (
        "try:\n    import keras\nexcept ImportError:\n    from tensorflow import keras\n",
        "from .compat import keras\n",
        "keras.layers.Layer",
        "keras.ops.relu",
    ),
    "a stub or the real one": (
        "import config\nif config.OLD:\n    from . import shim as keras\nelse:\n    import keras\n",
        "from .compat import keras\n",
        "keras.layers.Layer",
        "keras.ops.relu",
    ),
    "what a function picks": (
        "def _pick():\n    try:\n        import keras as found\n    except ImportError:\n        found = None\n"
        "    return found\n\n\nkeras = _pick()\n",
        "from .compat import keras\n",
        "keras.layers.Layer",
        "keras.ops.relu",
    ),
    "twice": ("from .inner import keras\n", "from .compat import keras\n", "keras.layers.Layer", "keras.ops.relu"),
    "in a function": (
        "import keras\n",
        "import keras\ndef made():\n    from .compat import keras as inner\n    return inner\n",
        "keras.layers.Layer",
        "keras.ops.relu",
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_layers_are_known_as_such(tmp_path: Path, way: str) -> None:
    compat, imports, base, relu = WAYS[way]
    layer = f"{imports}\n\n" + LAYER.format(base=base, relu=relu)
    found = linted(tmp_path, compat, layer)
    assert [(code, layer.splitlines()[line - 1].strip()) for code, line, _ in found] == [("TFL201", "print('called')")]


def linted(folder: Path, compat: str, layer: str, settings: Settings | None = None) -> list[tuple[str, int, int]]:
    package = folder / "pkg"
    package.mkdir()
    files = {"__init__.py": "", "inner.py": "import keras\n", "shim.py": "", "compat.py": compat, "layer.py": layer}
    for name, text in files.items():
        (package / name).write_text(text, encoding="utf-8")
    path = package / "layer.py"
    return [(f.code, f.line, f.keras) for f in lint_source(path.read_bytes(), str(path), settings or Settings())]


def test_a_module_that_hands_on_a_whole_library_and_an_old_version_of_it(tmp_path: Path) -> None:
    # As the module `tf_keras` of TensorFlow Probability.
    compat = "from tf_keras import *\nimport tf_keras.api._v1.keras as v1\n"
    layer = (
        "from . import compat\n\n\nclass Steps(compat.v1.layers.Layer):\n    def __init__(self):\n"
        "        super().__init__()\n        self.cell = compat.v1.layers.LSTMCell(3)\n\n"
        "    def call(self, x, state):\n        print('steps')\n        x, state = self.cell(x, state)\n"
        "        return x\n"
    )
    assert linted(tmp_path, compat, layer) == [("TFL201", 10, 2)]


def test_a_decorator_that_is_handed_on(tmp_path: Path) -> None:
    layer = "from .compat import tf\n\n\n@tf.function\ndef step(x):\n    print('step')\n    return x\n"
    assert [code for code, *_ in linted(tmp_path, "import tensorflow as tf\n", layer)] == ["TFL201"]


PICKED = (
    "import tensorflow as tf\n\n\ndef pick():\n    if tf.keras.version().startswith('3.'):\n"
    "        import tf_keras as inner\n    else:\n        inner = tf.keras\n    return inner\n\n\nkeras = pick()\n"
)


@pytest.mark.parametrize(
    ("compat", "keras"),
    [("import tf_keras as keras\n", 2), ("import keras\n", 3), (PICKED, 2)],
)
def test_which_keras_it_is(tmp_path: Path, compat: str, keras: int) -> None:
    # The name alone fits both; where the module took it from tells.
    layer = (
        "from .compat import keras\n\n\nclass Sums(keras.layers.Layer):\n    def call(self, x):\n"
        "        print('sums')\n        return x\n"
    )
    assert {version for *_, version in linted(tmp_path, compat, layer)} == {keras}


@pytest.mark.parametrize(
    "compat",
    [
        "class keras:\n    class layers:\n        Layer = object\n",
        "keras = object()\n",
        "import keras as library\n\n\ndef pick():\n    return library.Model\n\n\nkeras = pick()\n",
        "from .shim import keras\n",
        "",
    ],
)
def test_what_only_has_the_name_is_no_library(tmp_path: Path, compat: str) -> None:
    layer = "from .compat import keras\n\n\n" + LAYER.format(base="keras.layers.Layer", relu="abs")
    assert linted(tmp_path, compat, layer) == []
