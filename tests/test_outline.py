"""Which files need not be looked at closer, told by their text and by the classes that they inherit from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tflint_layers.linter import lint_source
from tflint_layers.model.project import Project
from tflint_layers.source import Source

FILES = {
    "pkg/__init__.py": "from .base import Base as Shared\n",
    "pkg/base.py": "import keras\nclass Base(keras.Layer): pass\nclass Plain: pass\nMade = type('M', (), {})\n",
    "pkg/backend.py": "try:\n    import tensorflow.keras as engine\nexcept ImportError:\n    engine = None\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "pkg"


def looked_at(folder: Path, text: str) -> bool:
    path = folder / "file.py"
    path.write_text(text, encoding="utf-8")
    return Project().may_be_traced(Source.from_bytes(path.read_bytes(), str(path)))


@pytest.mark.parametrize(
    "text",
    [
        "import keras\nclass A(keras.layers.Layer): pass\n",
        "from tensorflow.keras import layers as L\nclass A(L.Layer, object): pass\n",
        "from .base import Base\nclass A(Base): pass\n",
        "from pkg import Shared\nclass A[T](Shared): pass\n",
        "import pkg.base\nclass A(pkg.base.Base): pass\n",
        "from . import base as b\ndef make():\n    class A(\n        b.Base,\n    ): pass\n",
        "from .backend import engine\nclass A(engine.layers.Layer): pass\n",
        "from .base import Made\nclass A(Made): pass\n",  # what it is, its text does not tell
        "try:\n    from keras import Layer\nexcept ImportError:\n    from .stub import Layer\nclass A(Layer): pass\n",
        "from .base import *\nclass A(Base): pass\n",
        "class A(make_base()): pass\n",
        '"""class Base(object): the layer."""\nfrom .base import Base\nclass A(Base): pass\n',
        "import tensorflow as tf\n@tf.function\ndef f(x): pass\n",
        "from .compat import tf\nf = tf.function(g)\n",
        "import tensorflow as tf\ndata = tf.data.Dataset.range(3).map(f)\n",
        "import keras\nmodel = keras.layers.Lambda(f)\n",
        "from tensorflow import vectorized_map\nvectorized_map(f, x)\n",
        "import keras\nclass A(keras.callbacks.Callback): pass\nclass B(A, keras.Layer): pass\n",
    ],
)
def test_files_that_may_have_traced_code(folder: Path, text: str) -> None:
    assert looked_at(folder, text)


@pytest.mark.parametrize(
    "text",
    [
        "from torch import nn\nclass A(nn.Module): pass\nclass B(A): pass\n",
        "import torch.nn as nn\nclass A(nn.Module, metaclass=Meta): pass\n",
        "from .base import Plain\nclass A(Plain, Exception): pass\n",
        "from .absent import Missing as M\nimport tensorflow as tf\nassert tf\n",
        "import tensorflow as tf\ndef scale(x):\n    return list(map(tf.square, x))\n",
        "from tensorflow import while_loop\nwhile_loop(condition, body, [x])\n",  # runs step by step outside of graphs
        "import tensorflow as tf\nshown = my_vectorized_map(tf.square, x)\n",
        "import tensorflow as tf\ndef scale(pool, x):\n    return pool.map(tf.square, x)\n",  # no dataset to map
        "import keras\nclass _Seen(keras.callbacks.Callback): pass\n",  # a name that only TensorFlow would mind
        "def scale(x):\n    print(x)\n",
        "from torch.autograd.function import once_differentiable\n",  # of a library that is not TensorFlow
        "import tensorflow as tf\nclass _Plain(object): pass\nclass _Empty(): pass\n",
        'import tensorflow as tf\nnames = {"dynamic_modules": []}\n',
        # Nothing of these is traced.
        "import keras\nclass A(keras.callbacks.Callback): pass\nclass B(A): pass\n",
        "import tensorflow as tf\nclass A(tf.Module): pass\n",
        "import keras\nclass A(keras.optimizers.Adam): pass\nclass B(keras.initializers.Zeros): pass\n",
    ],
)
def test_files_that_have_none(folder: Path, text: str) -> None:
    assert not looked_at(folder, text)


def test_a_base_that_becomes_a_layer_is_seen_as_one(tmp_path: Path) -> None:
    # An editor lints texts that are not on disk yet; what was concluded from the old one is wrong then.
    base, child = tmp_path / "base.py", tmp_path / "child.py"
    base.write_bytes(b"class Base(object): pass\n")
    child.write_bytes(
        b"from base import Base\nclass A(Base):\n    def call(self, x):\n        print(x)\n        return x\n"
    )
    assert lint_source(child.read_bytes(), str(child)) == []
    base.write_bytes(b"import keras\nclass Base(keras.Layer): pass\n")
    lint_source(base.read_bytes(), str(base))
    assert [finding.code for finding in lint_source(child.read_bytes(), str(child))] == ["TFL201"]
