"""What the rules about retracing claim, asked of real TensorFlow: the loops of their fixtures are run and counted."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterator
from importlib import util
from pathlib import Path

import pytest
from conftest import FIXTURES, marked

pytestmark = pytest.mark.tensorflow

# From so many traces on TensorFlow itself warns.
MANY = 5


def loaded(path: Path) -> types.ModuleType:
    spec = util.spec_from_file_location(f"{path.parent.name[:6]}_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def functions(name: str, start: str) -> Iterator[Callable[[], object]]:
    """The functions of a fixture file whose names start so, of each rule about retracing.

    Each is one of a fresh module: what one has traced would be known to the next.
    """
    for folder in sorted(FIXTURES.glob("TFL50[124]-*")):
        names = [found for found in vars(loaded(folder / name)) if found.startswith(start)]
        yield from (getattr(loaded(folder / name), found) for found in names)


def name_of(function: Callable[[], object]) -> str:
    return f"{function.__module__}.{function.__name__}"


def traces_of(function: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> int:
    from tensorflow.python.framework import func_graph

    count = 0
    make = func_graph.func_graph_from_py_func

    def counting(name: str, function: object, *arguments: object, **options: object) -> object:
        nonlocal count
        # What a dataset makes of its own functions does not count.
        count += "Dataset" not in name and "dataset" not in name
        return make(name, function, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(func_graph, "func_graph_from_py_func", counting)
        function()
    return count


def test_flagged_loops_are_traced_at_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = {name_of(function): traces_of(function, monkeypatch) for function in functions("bad.py", "run_")}
    assert len(counted) == 13
    assert {name: count for name, count in counted.items() if count < MANY} == {}


def test_near_misses_are_traced_a_few_times(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = {name_of(function): traces_of(function, monkeypatch) for function in functions("good.py", "run_")}
    assert len(counted) >= 15
    assert {name: count for name, count in counted.items() if count >= MANY} == {}


def test_what_has_no_hash_is_refused() -> None:
    refused = list(functions("bad.py", "fail_"))
    assert len(refused) == 2
    for function in refused:
        with pytest.raises(TypeError, match="hashable"):
            function()


def test_each_of_these_functions_is_flagged() -> None:
    for start in ("run_", "fail_"):
        for function in functions("bad.py", start):
            path = Path(inspect.getfile(function))
            lines, first = inspect.getsourcelines(function)
            last = first + len(lines)
            # `run_method` runs a method of the file.
            assert any(first <= line < last for line, _ in marked(path, 3)) or "()" in lines[1]
