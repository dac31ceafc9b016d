"""What the fixes make of layers whose behaviour is known: how many lines they reach, and whether the layers survive.

Each case is a module with a function ``example()`` that returns a layer and its inputs. A copy of it is fixed as
``--fix --unsafe-fixes`` does; if that changes it, the fixed layer must compute, eagerly and as a graph for batches of
any size, what the original computes in eager mode.

usage: python benchmarks/fixed_cases.py CASES [--keras 3] [--verbose]
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import io
import itertools
import pdb
import re
import sys
import tempfile
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tflint_layers import Settings, lint_source
from tflint_layers.confirm.worker import import_tensorflow
from tflint_layers.finding import Safety
from tflint_layers.fixer import fix_source
from tflint_layers.rules import all_rules

CALLS = 3


def cases(folder: Path, keras: int) -> Iterator[Path]:
    """The bad cases that are wrong under this Keras."""
    for path in sorted(folder.glob("*/*.py")):
        header = dict(re.findall(r"^# (\w+): (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE))
        if header.get("verdict") == "bad" and (keras == 3 or header["keras2"] == "same"):
            yield path


class Runner:
    """Runs ``example()`` of a module's text."""

    def __init__(self, keras: int) -> None:
        self.tf, self.keras = import_tensorflow(keras)
        self._folder = Path(tempfile.mkdtemp())
        self._count = itertools.count()
        # A debugger has nobody to talk to.
        sys.breakpointhook = lambda *_, **__: None
        pdb.set_trace = lambda *_, **__: None

    def outputs(self, text: str, path: Path, *, graph: bool) -> list[list[Any]]:
        """The numbers of a few calls with the same inputs, and what a training step gives."""
        module = types.ModuleType(path.stem)
        # AutoGraph reads what it converts from the file, which has to hold the same text.
        file = self._folder / f"case{next(self._count)}.py"
        file.write_text(text, encoding="utf-8")
        self.keras.utils.set_random_seed(1)
        exec(compile(text, str(file), "exec"), vars(module))
        layer, inputs = module.example()
        if "train_step" in text:
            return self._training(layer, inputs, graph)
        call: Callable[..., Any] = layer
        if graph:
            signature = [self.tf.TensorSpec([None, *value.shape[1:]], value.dtype) for value in inputs]
            call = self.tf.function(lambda *a: layer(*a), input_signature=signature)
        return [self._numbers(call(*inputs)) for _ in range(CALLS)]

    def _training(self, model: Any, inputs: tuple[Any, ...], graph: bool) -> list[list[Any]]:
        model.compile(optimizer="sgd", loss="mse", run_eagerly=not graph)
        history = model.fit(inputs[0], self.tf.zeros([inputs[0].shape[0], 1]), epochs=CALLS, verbose=0)
        return [[self.tf.constant(value).numpy() for value in history.history.get("loss", [])]]

    def _numbers(self, output: Any) -> list[Any]:
        return [self.tf.convert_to_tensor(value).numpy() for value in self.tf.nest.flatten(output)]


def disagreement(runner: Runner, path: Path, original: str, fixed: str) -> str:
    """Why the fixed layer is not the original one; empty where it is."""
    try:
        before = runner.outputs(original, path, graph=False)
    except Exception:
        # What fails in eager mode too has no numbers to keep: then the fixed layer must agree with its own graph.
        before = runner.outputs(fixed, path, graph=False)
    random = not alike(before, before[:1] * CALLS, exact=True) and ("random" in original or "rng" in original)
    for graph in (False, True):
        mode = "as a graph" if graph else "in eager mode"
        try:
            after = runner.outputs(fixed, path, graph=graph)
        except Exception as error:
            return f"{mode} it raises {type(error).__name__}: {str(error)[:300]}"
        if not alike(before, after, exact=not random):
            return f"{mode} it gives {after[0]} instead of {before[0]}"
    return ""


def alike(left: list[list[Any]], right: list[list[Any]], *, exact: bool) -> bool:
    """Whether shapes, dtypes and, with ``exact``, numbers up to rounding are the same."""
    import numpy as np

    pairs = [(a, b) for one, two in zip(left, right, strict=False) for a, b in zip(one, two, strict=True)]
    return all(
        a.shape == b.shape
        and a.dtype == b.dtype
        and (not exact or np.allclose(a, b, rtol=1e-5, atol=1e-6, equal_nan=True))
        for a, b in pairs
    )


def main() -> None:
    """Print a table by rule, and what is wrong."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--keras", type=int, default=3, choices=[2, 3])
    parser.add_argument("cases", type=Path)
    parser.add_argument("--verbose", action="store_true", help="name the lines that are not fixed")
    options = parser.parse_args()
    settings = Settings(keras=options.keras)
    fixing = {code for code, rule in all_rules().items() if rule.fix is not None and not rule.only_suggests}
    counts: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    runner = Runner(options.keras)
    wrong = []
    for path in cases(options.cases, options.keras):
        data = path.read_bytes()
        found = lint_source(data, str(path), settings)
        result = fix_source(data, str(path), settings, unsafe=True)
        left = collections.Counter(f.code for f in result.remaining if not f.suspect)
        changed = result.data != data
        with contextlib.redirect_stdout(io.StringIO()):
            problem = disagreement(runner, path, data.decode(), result.data.decode()) if changed else ""
        if problem:
            wrong.append(f"{path.parent.name}/{path.name}: {problem}")
        for code in {f.code for f in found}:
            flagged = sum(f.code == code for f in found)
            fixed = max(flagged - left[code], 0)
            suggested = sum(f.fix is not None and f.fix.safety is Safety.SUGGESTION for f in found if f.code == code)
            counts[code].update(
                flagged=flagged, fixed=fixed, suggested=suggested, cases=changed, right=changed and not problem
            )
            if options.verbose and fixed < flagged:
                print(f"  not fixed: {path.parent.name}/{path.name} {code}")
    print(f"{'rule':8}{'flagged':>9}{'fixed':>7}{'suggested':>11}{'fixed cases':>13}{'trace and agree':>17}")
    for code, count in sorted(counts.items()):
        numbers = f"{count['flagged']:9}{count['fixed']:7}{count['suggested']:11}{count['cases']:13}{count['right']:17}"
        print(f"{code:8}{numbers}")
    flagged, fixed = (sum(counts[code][what] for code in counts if code in fixing) for what in ("flagged", "fixed"))
    print(f"keras {options.keras}: {fixed} of {flagged} lines of rules with fixes are fixed")
    print("\n".join(wrong) or "every fixed case traces and agrees")


if __name__ == "__main__":
    main()
