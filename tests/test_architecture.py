"""The dependency rules of the design."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import tflint_layers

PACKAGE = Path(tflint_layers.__file__).parent
MODULES = {path.relative_to(PACKAGE).as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}

# What each part may import of the others; a part may always import itself.
LAYERS = {
    "finding.py": set(),
    "source.py": set(),
    "modules.py": set(),
    "legacy_keras.py": set(),
    "project.py": {"legacy_keras"},
    "notices.py": set(),
    "settings.py": {"notices", "project"},
    "suppressions.py": {"finding", "source"},
    "noqa_edits.py": {"finding", "source", "suppressions"},
    "cells.py": {"source"},
    "notebook.py": {"cells", "source"},
    "document.py": {"finding", "notebook", "source"},
    "baseline.py": {"document", "finding", "notices"},
    "accepted.py": {"finding", "source"},
    "patch.py": set(),
    "progress.py": set(),
    "processors.py": set(),
    "model": {"finding", "legacy_keras", "modules", "source", "settings"},
    "rewrite": {"finding", "model", "modules", "source"},
    "rules": {"finding", "model", "rewrite", "source"},
    "unused_noqa.py": {"finding", "noqa_edits", "notices", "rules", "source", "suppressions"},
    "linter.py": {
        *(
            "cells",
            "finding",
            "source",
            "model",
            "modules",
            "notices",
            "rules",
            "settings",
            "suppressions",
            "unused_noqa",
        ),
    },
    "report": {"document", "finding", "notices", "rules"},
    "confirm": {"finding", "modules", "processors", "source"},
    "recording.py": set(),
    "pytest_plugin.py": {"recording"},
    "fixer.py": {"accepted", "finding", "linter", "rewrite", "settings", "source"},
    "discover.py": {"settings"},
    "work.py": {"baseline", "document", "finding", "fixer", "linter", "processors", "settings", "source"},
    "confirming.py": {"confirm", "finding", "fixer", "linter", "notices", "settings", "work"},
    "tracing.py": {
        *("confirm", "confirming", "finding", "linter", "notices", "report", "settings", "source", "suppressions"),
        "work",
    },
}


def imports(path: Path, *, top_level: bool = False) -> Iterator[str]:
    """Dotted names that a module imports; with ``top_level`` only what importing the module imports."""
    tree = ast.parse(path.read_bytes())
    inside = {
        node for function in ast.walk(tree) if isinstance(function, ast.FunctionDef) for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        if top_level and node in inside:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def part(module: str) -> str:
    return module.partition("/")[0]


def own_parts(path: Path) -> set[str]:
    """The parts of this package that a module imports."""
    names = (name.split(".") for name in imports(path))
    return {name[1] for name in names if name[0] == "tflint_layers" and len(name) > 1 and _is_part(name[1])}


def _is_part(name: str) -> bool:
    return (PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").exists()


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_down(module: str) -> None:
    allowed = LAYERS.get(part(module))
    if allowed is not None:
        assert own_parts(MODULES[module]) - {part(module).removesuffix(".py")} <= allowed


@pytest.mark.parametrize("module", MODULES)
def test_only_the_worker_imports_tensorflow(module: str) -> None:
    imported = {name.partition(".")[0] for name in imports(MODULES[module])}
    if not module.startswith("confirm/"):
        assert not imported & {"tensorflow", "keras", "tf_keras", "numpy"}


def test_the_worker_runs_under_any_interpreter_that_has_tensorflow() -> None:
    todo, seen = ["confirm/worker.py"], set[str]()
    while todo:
        module = todo.pop()
        seen.add(module)
        names = set(imports(MODULES[module]))
        roots = {name.partition(".")[0] for name in names} - {
            "tflint_layers",
            "tensorflow",
            "keras",
            "tf_keras",
            "numpy",
        }
        assert roots <= sys.stdlib_module_names, module
        own = {name.removeprefix("tflint_layers.").replace(".", "/") for name in names if name.startswith("tflint_")}
        files = {f"{path}.py" for name in own for path in (name, name.rpartition("/")[0])}
        todo += sorted(files & set(MODULES) - seen)
    # The packages' own files are not run there.
    assert {module for module in seen if not module.startswith("confirm/")} == {"modules.py"}
    assert "confirm/__init__.py" not in seen


@pytest.mark.parametrize("module", MODULES)
def test_only_the_command_line_knows_the_terminal(module: str) -> None:
    imported = {name.partition(".")[0] for name in imports(MODULES[module])}
    assert "click" not in imported or module.startswith("cli/")


def test_rules_do_not_import_each_other() -> None:
    for module, path in MODULES.items():
        if module.startswith("rules/tfl"):
            assert not any(name.startswith("tflint_layers.rules.tfl") for name in imports(path)), module


def test_what_pytest_loads_is_next_to_nothing() -> None:
    program = (
        "import sys, tflint_layers.pytest_plugin\n"
        "print(sorted(name for name in sys.modules if name.startswith('tflint_layers')))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['tflint_layers', 'tflint_layers.pytest_plugin']"


@pytest.mark.parametrize("module", ["tflint_layers.flake8_plugin", "tflint_layers"])
def test_what_flake8_loads_is_light(module: str) -> None:
    program = (
        f"import sys, {module}; print(sorted({{'libcst', 'click', 'rich', 'tensorflow', 'numpy'}} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_file_without_traced_code_costs_no_libcst() -> None:
    program = "import sys, tflint_layers; tflint_layers.lint_source(b'x = 1'); print('libcst' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_linting_never_imports_tensorflow() -> None:
    program = (
        "import sys, tflint_layers\n"
        "source = b'import tensorflow as tf\\nclass L(tf.keras.layers.Layer):\\n    def call(self, x): print(x)\\n'\n"
        "assert tflint_layers.lint_source(source)\n"
        "print(sorted({'click', 'tensorflow', 'keras'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("module", [module for module in MODULES if not module.startswith("confirm/")])
def test_only_shells_write_files(module: str) -> None:
    writers = {"write_text", "write_bytes", "replace", "rename", "unlink", "mkstemp", "copymode"}
    called = {
        node.func.attr
        for node in ast.walk(ast.parse(MODULES[module].read_bytes()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in writers
        # `replace` is also a method of every text.
        and (node.func.attr != "replace" or (isinstance(node.func.value, ast.Name) and node.func.value.id == "os"))
    }
    assert not called or module.startswith("cli/") or module == "pytest_plugin.py"


@pytest.mark.parametrize(
    "first", ["", "import tflint_layers.confirming", "from tflint_layers.confirm import NoTensorFlow"]
)
def test_the_python_api_is_there_and_light(first: str) -> None:
    program = (
        f"{first}\nimport sys, tflint_layers\n"
        "assert all(hasattr(tflint_layers, name) for name in tflint_layers.__all__)\n"
        "assert tflint_layers.confirm([], {}) == []\n"
        "fixed = tflint_layers.fix_source(b'x = 1  # noqa: TFL101\\n')\n"
        "assert isinstance(fixed, tflint_layers.FixResult) and fixed.data == b'x = 1\\n', fixed\n"
        "print(sorted({'click', 'tensorflow', 'keras'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_type_checker_takes_values_for_frozen() -> None:
    code = "from tflint_layers.model.values import Static\nStatic(1).constant = 2\n"
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file=", "-c", code], capture_output=True, text=True, check=False
    )
    assert 'Property "constant" defined in "Static" is read-only' in checked.stdout
