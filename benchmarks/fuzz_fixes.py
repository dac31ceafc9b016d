"""Whether fixed layers compute what they computed, over layers that a grammar makes up.

usage: python benchmarks/fuzz_fixes.py [--programs 2000] [--seed 1] [--keras 2|3] [--keep FOLDER]

Writes files of layers that compose what the rules find (fuzz_grammar.py), fixes them with `--fix --unsafe-fixes`, and
runs them in real TensorFlow. An original layer that runs in eager mode must be matched by the fixed one in eager mode:
same structure, shapes, dtypes and numbers (of layers that draw random numbers: shapes and dtypes). As a graph with an
unknown batch size the fixed layer must give that again; it may fail to trace, or differ, only where findings are left
in it, or fail at a line that no fix touched. Fixing must also leave files that parse, and be done after one run. Prints
each disagreement and exits 1 if there is any; the lines that no rule sees are counted, and shown with --gaps.
"""

from __future__ import annotations

import argparse
import ast
import collections
import importlib
import importlib.util
import json
import logging
import os
import pdb
import random
import re
import subprocess
import sys
import tempfile
import time
import types
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fuzz_grammar import Grammar, Module

from tflint_layers.confirm.observe import SourceMaps, Watch, describe
from tflint_layers.confirm.worker import import_tensorflow
from tflint_layers.fixer import FixResult, fix_source, lint_for_fixes
from tflint_layers.settings import Settings
from tflint_layers.source import Source

_LAYERS_PER_FILE = 20
_OTHER_DTYPE = ("that does not match type", "was expected to be a")
# What needs a number where a graph has none.
_STATIC_SHAPE = re.compile(r"\w+\.shape\b(?!\()(?:\[0\])?")
_EAGER_ONLY = re.compile(r"\b(?:float|int|len|max|min|sum)\([^()]*\)|\bnp\.\w+\(| if .+? else ")


@dataclass(frozen=True)
class Program:
    """One layer: its file, original and fixed, and the codes of the findings that are left in it."""

    original: str
    fixed: str
    layer: str
    random: bool
    changed: bool
    left: tuple[str, ...]


# --- making and fixing them


def modules(count: int, seed: int, keras: int) -> Iterator[Module]:
    """Files that hold ``count`` layers together."""
    for number in range(0, count, _LAYERS_PER_FILE):
        chance = random.Random(f"{seed} {keras} {number}")
        size = min(_LAYERS_PER_FILE, count - number)
        yield Grammar(chance, keras).module(f"made{number // _LAYERS_PER_FILE}", size)


def fixed(module: Module, folder: Path, keras: int) -> tuple[list[Program], list[str]]:
    """The layers of a file before and after, and what is wrong with how it was fixed."""
    settings = Settings(keras=keras)
    original = folder / f"{module.name}_original.py"
    original.write_bytes(module.data)
    before = [f for f in lint_for_fixes(module.data, str(original), settings) if not f.suspect]
    result = fix_source(module.data, str(original), settings, unsafe=True)
    after = folder / f"{module.name}_fixed.py"
    after.write_bytes(result.data)
    problems = [f"{original}: {result.problem}"] if result.problem else []
    again = fix_source(result.data, str(original), settings, unsafe=True)
    if again.data != result.data:
        problems.append(f"{original}: a second run changes it, by {[f.code for f in again.applied]}")
    flagged = {finding.layer for finding in before}
    programs = [
        Program(
            str(original),
            str(after),
            layer.name,
            layer.random,
            layer.name in flagged,
            _left(layer.name, result),
        )
        for layer in module.layers
    ]
    return programs, problems


def _left(layer: str, result: FixResult) -> tuple[str, ...]:
    return tuple(sorted({finding.code for finding in result.remaining if finding.layer == layer}))


# --- running them, in a process of their own


class Runner:
    """Runs layers, eagerly and as graphs."""

    def __init__(self, keras: int) -> None:
        self.tf, self.keras = import_tensorflow(keras)
        self._keras = keras
        logging.disable(logging.CRITICAL)
        self.tf.config.threading.set_intra_op_parallelism_threads(1)
        self.tf.config.threading.set_inter_op_parallelism_threads(1)
        sys.breakpointhook = lambda *_, **__: None
        pdb.set_trace = lambda *_, **__: None
        draw = self.tf.random.stateless_normal
        self.inputs = [draw([4, 8], [1, 2]), draw([3, 8], [3, 4]) * 3.0, self.tf.ones([1, 8])]
        self._modules: dict[str, Any] = {}
        self._maps = SourceMaps()
        self._maps.listen(importlib.import_module("tensorflow.python.autograph.pyct.loader"))

    def disagreement(self, program: Program) -> str:
        """What differs, "" for nothing.

        "-" begins why the original does not run, and "?" what no rule sees.
        """
        try:
            original = self._eager(program.original, program.layer)
        except Exception as error:
            return f"-{describe(error)}"
        try:
            after = self._eager(program.fixed, program.layer)
        except Exception as error:
            return f"fixed, eagerly: {describe(error)}"
        if because := self._difference(original, after, program.random):
            return f"fixed, eagerly: {because}"
        try:
            graph = self._graph(program.fixed, program.layer)
        except Exception as error:
            return "" if program.left else self._failure(program, error)
        because = self._difference(after, graph, program.random)
        return f"fixed, as a graph: {because}" if because and not program.left else ""

    def _failure(self, program: Program, error: Exception) -> str:
        """What is told of a fixed layer that cannot be traced, though it agrees in eager mode and has no findings."""
        # AutoGraph hands None on in calls that it makes of the code, and quotes those.
        said, code = describe(error).replace(", None, fscope", ""), self._failing(program.fixed, error)
        before, after = (_class_text(path, program.layer) for path in (program.original, program.fixed))
        if any(words in said for words in _OTHER_DTYPE):
            # AutoGraph makes tensors of these, which only Keras 2 does; else a fix put a tensor in a number's place.
            gap = self._keras == 2 and re.search(r"\b(int|len|round)\(", after) is not None
        elif "None" in said:
            # Nothing but the static shape has sizes that are None.
            gap = any(shape in before for shape in _STATIC_SHAPE.findall(after))
        else:
            gap = code in before or any(atom in before for atom in _EAGER_ONLY.findall(code))
        return f"?{said[:70]}: {code[:100]}" if gap else f"fixed, as a graph: {said}"

    def _failing(self, path: str, error: Exception) -> str:
        """The innermost code that an exception passed through: an expression, or a line where AutoGraph is."""
        frames = [trace for trace in _traceback(error) if trace.tb_frame.f_code.co_filename == path]
        lines = _text(path).splitlines()
        if frames and hasattr(frames[-1].tb_frame.f_code, "co_positions"):
            positions = list(frames[-1].tb_frame.f_code.co_positions())[frames[-1].tb_lasti // 2]
            first, last, start, end = (position or 0 for position in positions)
            return lines[first - 1][start:end] if first == last else " ".join(lines[first - 1 : last])
        places = Watch({path}, self._maps).failure(error).lines
        return lines[places[-1][1] - 1].strip() if places else ""

    def _layer(self, path: str, name: str) -> Any:
        if path not in self._modules:
            spec = importlib.util.spec_from_file_location(Path(path).stem, path)
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            self._modules[path] = module
        self.keras.utils.set_random_seed(3)
        return getattr(self._modules[path], name)()

    def _eager(self, path: str, name: str) -> list[Any]:
        self.tf.config.run_functions_eagerly(False)
        layer = self._layer(path, name)
        return [self._numbers(layer(value)) for value in self.inputs]

    def _graph(self, path: str, name: str) -> list[Any]:
        self.tf.config.run_functions_eagerly(False)
        layer = self._layer(path, name)
        layer(self.inputs[0])
        function = self.tf.function(lambda x: layer(x), input_signature=[self.tf.TensorSpec([None, 8])])
        return [self._numbers(function(value)) for value in self.inputs]

    def _numbers(self, result: Any) -> list[Any]:
        values = [result[name] for name in sorted(result)] if isinstance(result, dict) else self.tf.nest.flatten(result)
        kind = type(result).__name__ if isinstance(result, tuple | list | dict) else "one"
        return [kind, *(self.tf.convert_to_tensor(value).numpy() for value in values)]

    def _difference(self, left: list[Any], right: list[Any], is_random: bool) -> str:
        for a, b in zip(left, right, strict=True):
            if [_shape(v) for v in a] != [_shape(v) for v in b]:
                return f"{[_shape(v) for v in b]}, not {[_shape(v) for v in a]}"
            if not is_random and not all(_close(v, w) for v, w in zip(a[1:], b[1:], strict=True)):
                return f"other numbers: {b[1].ravel()[:3]}, not {a[1].ravel()[:3]}"
        return ""


def _text(path: str) -> str:
    return Source.from_bytes(Path(path).read_bytes()).text


def _class_text(path: str, name: str) -> str:
    text = _text(path)
    tree = ast.parse(text)
    found = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)
    return ast.get_source_segment(text, found) or ""


def _traceback(error: Exception) -> Iterator[types.TracebackType]:
    trace = error.__traceback__
    while trace is not None:
        yield trace
        trace = trace.tb_next


def _shape(value: Any) -> str:
    return value if isinstance(value, str) else f"{value.dtype}{value.shape}"


def _close(left: Any, right: Any) -> bool:
    numpy = sys.modules["numpy"]
    return bool(numpy.allclose(left, right, rtol=1e-3, atol=1e-4, equal_nan=True))


def serve(keras: int) -> None:
    """Answer programs, one a line of JSON, with what disagrees; what layers print goes nowhere."""
    answers = os.fdopen(os.dup(1), "w")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    runner = Runner(keras)
    for line in sys.stdin:
        print(json.dumps(runner.disagreement(Program(**json.loads(line)))), file=answers, flush=True)


def answers(programs: list[Program], keras: int) -> list[str]:
    """What disagrees about each program."""
    command = [sys.executable, __file__, "--serve", "--keras", str(keras)]
    lines = "".join(json.dumps(asdict(program)) + "\n" for program in programs)
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=False, env=environment)
    said = [json.loads(line) for line in done.stdout.splitlines()]
    return said + ["the process died"] * (len(programs) - len(said))


def fuzz(count: int, seed: int, keras: int, folder: Path, *, gaps: bool = False) -> list[str]:
    """Make, fix and run the layers; prints a summary and gives what disagrees."""
    start, programs, problems = time.monotonic(), [], []
    for module in modules(count, seed, keras):
        own, wrong = fixed(module, folder, keras)
        programs += own
        problems += wrong
    said = list(zip(programs, answers(programs, keras), strict=True))
    kinds = collections.Counter(because[:1] if because[:1] in "-?" else "!" for _, because in said)
    problems += [f"{p.fixed}: {p.layer}: {because}" for p, because in said if because and because[0] not in "-?"]
    print(
        f"Keras {keras}: {count} programs, {sum(p.changed for p in programs)} with findings;"
        f" {kinds['-']} do not run in eager mode; {sum(not p.left and not because for p, because in said)} agree as a"
        f" graph, {sum(bool(p.left) and not because for p, because in said)} agree in eager mode and keep findings,"
        f" {kinds['?']} fail at a line that no rule sees; {len(problems)} disagree ({time.monotonic() - start:.0f} s)"
    )
    for p, because in said if gaps else ():
        if because[:1] in ("-", "?"):
            print(f"  {p.fixed}: {p.layer}: {because}")
    print(*problems, sep="\n", end="\n" if problems else "", flush=True)
    return problems


def main() -> None:
    """Fuzz under one Keras or both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keras", type=int, choices=[2, 3])
    parser.add_argument("--keep", type=Path, help="write the files here and leave them")
    parser.add_argument("--gaps", action="store_true", help="also print what no rule sees, and what does not run")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.keras)
        return
    versions = [options.keras] if options.keras else [3, 2]
    problems = []
    for keras in versions:
        with tempfile.TemporaryDirectory(prefix="fuzz-") as temporary:
            folder = (options.keep or Path(temporary)) / f"keras{keras}"
            folder.mkdir(parents=True, exist_ok=True)
            problems += fuzz(options.programs // len(versions), options.seed, keras, folder, gaps=options.gaps)
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
