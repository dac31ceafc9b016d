"""How long linting takes against only parsing the same files: CPU seconds, one process, nothing cached.

usage: python benchmarks/speed.py FOLDER [--keras 2|3] [--rounds N]

Parses every Python file below FOLDER with ast.parse, then lints all of them with every rule, each in a process of its
own, and prints the CPU time of both, their ratio, the peak memory of the linter and the number of findings. With more
than one round the two take turns, and the last line has the ratio of the least time of each.
"""

from __future__ import annotations

import argparse
import ast
import multiprocessing
import resource
import time
import traceback
import warnings
from pathlib import Path

from tflint_layers.linter import lint
from tflint_layers.settings import Settings
from tflint_layers.source import Source, UnreadableSource
from tflint_layers.work import collect_garbage_rarely


def parse(paths: list[Path]) -> str:
    """What a linter cannot avoid: reading and parsing."""
    warnings.simplefilter("ignore")
    for path in paths:
        try:
            ast.parse(path.read_bytes())
        except (SyntaxError, ValueError):
            continue
    return ""


def lint_all(paths: list[Path], keras: int | None) -> str:
    """Lint the files; tells how many findings and crashes there were."""
    collect_garbage_rarely()
    found = crashes = 0
    settings = Settings(keras=keras)
    for path in paths:
        try:
            found += sum(not f.suspect for f in lint(Source.from_bytes(path.read_bytes(), str(path)), settings))
        except UnreadableSource:
            continue
        except Exception:
            crashes += 1
            print(path, traceback.format_exc(limit=-3))
    return f"{found} findings, {crashes} crashes"


def measured(job: tuple[str, list[Path], int | None]) -> tuple[float, float, str]:
    """CPU seconds and peak memory in MiB of one of the two jobs in this process."""
    name, paths, keras = job
    start = time.process_time()
    said = parse(paths) if name == "ast.parse" else lint_all(paths, keras)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return time.process_time() - start, usage.ru_maxrss / 1024, said


def main() -> None:
    """Run both and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--keras", type=int, choices=[2, 3])
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    paths = sorted(options.folder.rglob("*.py"))
    seconds: dict[str, list[float]] = {"ast.parse": [], "tflint-layers": []}
    for _ in range(options.rounds):
        for name, times in seconds.items():
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                taken, memory, said = pool.map(measured, [(name, paths, options.keras)])[0]
            times.append(taken)
            print(f"{name:14} {taken:7.1f} s CPU  {memory:6.0f} MiB  {said}", flush=True)
        print(f"{len(paths)} files, ratio {seconds['tflint-layers'][-1] / seconds['ast.parse'][-1]:.2f}", flush=True)
    if options.rounds > 1:
        print(f"least of {options.rounds}: ratio {min(seconds['tflint-layers']) / min(seconds['ast.parse']):.2f}")


if __name__ == "__main__":
    main()
