"""How long linting takes against only parsing the same files: CPU seconds, one process, nothing cached.

usage: python benchmarks/speed.py FOLDER [--keras 2|3] [--rounds N]

Parses every Python file below FOLDER with ast.parse, and lints all of them with every rule, each in a process of its
own, and prints the CPU time of both, their ratio, the peak memory of the linter and the number of findings. The two
take turns every few files: the speed of a shared machine may change by a third within a minute (measured), and then
two whole runs, one after the other, say little about each other.
"""

from __future__ import annotations

import argparse
import ast
import multiprocessing
import resource
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tflint_layers.linter import lint
from tflint_layers.settings import Settings
from tflint_layers.source import Source, UnreadableSource
from tflint_layers.work import collect_garbage_rarely

_FILES_IN_TURN = 100


def parse(paths: list[Path]) -> Counter[str]:
    """What a linter cannot avoid: reading and parsing."""
    warnings.simplefilter("ignore")
    for path in paths:
        try:
            ast.parse(path.read_bytes())
        except (SyntaxError, ValueError):
            continue
    return Counter()


def lint_all(paths: list[Path], keras: int | None) -> Counter[str]:
    """Lint the files; tells how many findings and crashes there were."""
    collect_garbage_rarely()
    counts = Counter(findings=0, crashes=0)
    settings = Settings(keras=keras)
    for path in paths:
        try:
            found = lint(Source.from_bytes(path.read_bytes(), str(path)), settings)
            counts["findings"] += sum(not finding.suspect for finding in found)
        except UnreadableSource:
            continue
        except Exception:
            counts["crashes"] += 1
            print(path, traceback.format_exc(limit=-3))
    return counts


def timed(job: Callable[[list[Path]], Counter[str]], paths: list[Path]) -> tuple[float, float, Counter[str]]:
    """CPU seconds that a job takes, the peak memory of this process in MiB, and what the job counted."""
    start = time.process_time()
    counts = job(paths)
    return time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, counts


def run(paths: list[Path], keras: int | None) -> None:
    """Parse and lint the files in turn, and print what both took."""
    jobs = {"ast.parse": parse, "tflint-layers": partial(lint_all, keras=keras)}
    seconds, memory = dict.fromkeys(jobs, 0.0), dict.fromkeys(jobs, 0.0)
    counted: Counter[str] = Counter()
    processes = multiprocessing.get_context("spawn")
    with processes.Pool(1) as parsing, processes.Pool(1) as linting:
        for first in range(0, len(paths), _FILES_IN_TURN):
            some = paths[first : first + _FILES_IN_TURN]
            for (name, job), pool in zip(jobs.items(), (parsing, linting), strict=True):
                taken, memory[name], counts = pool.apply(timed, (job, some))
                seconds[name] += taken
                counted.update(counts)
    for name in jobs:
        print(f"{name:14} {seconds[name]:7.1f} s CPU  {memory[name]:6.0f} MiB")
    print(f"{counted['findings']} findings, {counted['crashes']} crashes")
    print(f"{len(paths)} files, ratio {seconds['tflint-layers'] / seconds['ast.parse']:.2f}", flush=True)


def main() -> None:
    """Measure as often as is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--keras", type=int, choices=[2, 3])
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    paths = sorted(options.folder.rglob("*.py"))
    for _ in range(options.rounds):
        run(paths, options.keras)


if __name__ == "__main__":
    main()
