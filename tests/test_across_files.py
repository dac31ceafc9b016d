"""Base classes and helpers in other files: found through every kind of import, reported where they stand, once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tflint_layers import Settings, lint_source
from tflint_layers.fixer import fix_source

FILES = {
    "pkg/__init__.py": "from .helpers import scale\n",
    "pkg/helpers.py": "def scale(values):\n    print('scaled')\n    return values / values.numpy()\n",
    "pkg/base.py": (
        "import keras\n\n\nclass Base(keras.layers.Layer):\n    def call(self, x):\n        return self._go(x)\n"
    ),
    "pkg/sub/__init__.py": "",
    "pkg/sub/layer.py": (
        "from pkg import scale\nfrom ..base import Base\n\n\n"
        "class Counting(Base):\n    def _go(self, x):\n        self.n += 1\n        return scale(x)\n"
    ),
}
EXPECTED = [("pkg/helpers.py", 2, "TFL201"), ("pkg/helpers.py", 3, "TFL101"), ("pkg/sub/layer.py", 7, "TFL202")]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def run(project: Path, *command: str) -> list[tuple[str, int, str]]:
    done = subprocess.run([sys.executable, "-m", *command], cwd=project, capture_output=True, text=True, check=False)
    rows = [line.split(":", 3) for line in done.stdout.splitlines()]
    return sorted((path.removeprefix("./"), int(line), message.split()[0]) for path, line, _, message in rows)


def test_command_line(project: Path) -> None:
    assert run(project, "tflint_layers", "--isolated", "--keras", "3", "--output-format", "concise", ".") == EXPECTED


def test_one_file_alone_gives_the_same(project: Path) -> None:
    """flake8 and pre-commit see one file at a time; who calls its helpers stands in others."""
    assert run(project, "flake8", "--isolated", "--select=TFL", "--tfl-keras=3", "pkg/helpers.py") == EXPECTED[:2]


def test_route_names_the_way_through_the_files(project: Path) -> None:
    path = project / "pkg/helpers.py"
    first, _ = lint_source(path.read_bytes(), str(path), Settings(keras=3))
    assert first.route == ("Base.call", "Counting._go", "scale")
    assert first.layer == "Counting"
    assert first.layer_path == str(project / "pkg/sub/layer.py")


def test_changed_bytes_are_seen(project: Path) -> None:
    path = project / "pkg/helpers.py"
    settings = Settings(keras=3)
    assert len(lint_source(path.read_bytes(), str(path), settings)) == 2
    assert len(lint_source(path.read_bytes().replace(b"print('scaled')", b"pass"), str(path), settings)) == 1


@pytest.mark.parametrize(
    "statement",
    ["from helpers import scale", "import helpers", "from helpers import *", "from helpers import scale as f"],
)
def test_moving_a_helper_to_another_file_changes_positions_only(tmp_path: Path, statement: str) -> None:
    (tmp_path / "helpers.py").write_text(FILES["pkg/helpers.py"], encoding="utf-8")
    name = {"import helpers": "helpers.scale", "from helpers import scale as f": "f"}.get(statement, "scale")
    (tmp_path / "layer.py").write_text(
        f"import keras\n{statement}\n\n\nclass L(keras.Layer):\n    def call(self, x):\n        return {name}(x)\n",
        encoding="utf-8",
    )
    helpers = tmp_path / "helpers.py"
    found = lint_source(helpers.read_bytes(), str(helpers), Settings(keras=3))
    assert [(finding.line, finding.code) for finding in found] == [(2, "TFL201"), (3, "TFL101")]


GUARDED = {
    "pkg/__init__.py": "",
    "pkg/compat.py": (
        "def import_tensorflow():\n    try:\n        import tensorflow as found\n"
        "    except ImportError:\n        return None\n"
        "    return found if hasattr(found, 'executing_eagerly') else None\n\n\n"
        "tf = import_tensorflow()\n\n\n"
        "def is_traced():\n    return tf is not None and not tf.executing_eagerly()\n"
    ),
    "pkg/layer.py": (
        "import keras\nimport numpy as np\n\nfrom .compat import is_traced\n\n\n"
        "class Works(keras.layers.Layer):\n    def call(self, x):\n"
        "        return x * 2.0 if is_traced() else np.asarray(x) * 2.0\n"
    ),
}


def test_where_something_is_traced_tensorflow_is_there(tmp_path: Path) -> None:
    """Only eager code takes the other way, although the helper may find no TensorFlow."""
    for name, text in GUARDED.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert lint_source(GUARDED["pkg/layer.py"].encode(), str(tmp_path / "pkg/layer.py"), Settings(keras=3)) == []
    unguarded = GUARDED["pkg/layer.py"].replace("if is_traced() else", "if self.built else")
    assert lint_source(unguarded.encode(), str(tmp_path / "pkg/other.py"), Settings(keras=3)) != []


def test_a_helper_that_is_fixed_is_linted_as_it_is_then(tmp_path: Path) -> None:
    """Not as it is on disk, where the fixes come only at the end."""
    helpers = tmp_path / "helpers.py"
    helpers.write_text('import tensorflow as tf\n\n\ndef shown(x):\n    print("shown")\n    return x\n')
    (tmp_path / "layers.py").write_text(
        "import keras\nfrom helpers import shown\n\n\n"
        "class L(keras.layers.Layer):\n    def call(self, x):\n        return shown(x)\n"
    )
    result = fix_source(helpers.read_bytes(), str(helpers), Settings(keras=3), unsafe=True)
    assert result.data == helpers.read_bytes().replace(b"print", b"tf.print")
    assert (len(result.applied), result.remaining) == (1, [])


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """A project whose folders are packages without an `__init__.py`."""
    files = {
        "pyproject.toml": "",
        "lib/tools/checks.py": "def positive(x):\n    return bool(x > 0)\n",
        "lib/tools/host.py": "def peak(x):\n    return x.numpy().max()\n",
        "lib/layers/base.py": (
            "import keras\n\n\nclass Base(keras.layers.Layer):\n    def call(self, x):\n        return self._go(x)\n"
        ),
        "lib/layers/gate.py": (
            "from lib.layers.base import Base\nfrom lib.tools import host\nfrom ..tools.checks import positive\n\n\n"
            "class Gate(Base):\n    def _go(self, x):\n        print(x)\n"
            "        return x / host.peak(x) if positive(x) else x\n"
        ),
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def test_packages_without_an_init_file(folders: Path) -> None:
    assert run(folders, "tflint_layers", "--isolated", "--keras", "3", "--output-format", "concise", ".") == [
        ("lib/layers/gate.py", 8, "TFL201"),
        ("lib/tools/checks.py", 2, "TFL102"),
        ("lib/tools/host.py", 2, "TFL101"),
    ]


def test_a_helper_of_a_package_without_an_init_file_alone(folders: Path) -> None:
    path = folders / "lib/tools/host.py"
    assert [finding.code for finding in lint_source(path.read_bytes(), str(path), Settings(keras=3))] == ["TFL101"]


@pytest.mark.tensorflow
def test_layers_of_packages_without_an_init_file_run(folders: Path) -> None:
    command = ["tflint_layers", "--isolated", "--no-cache", "--keras", "3", "--confirm", "--only", "confirmed"]
    found = run(folders, *command, "--output-format", "concise", "lib")
    assert ("lib/tools/host.py", 2, "TFL101") in found
