"""Whether fixing public code leaves it as whole as it was.

usage: python benchmarks/fix_corpus.py FOLDER... [--keras 2|3]

Copies each folder to a temporary place, runs the command line on the copy as a user would, and checks what holds for
every file: fixing with `--fix --unsafe-fixes` leaves what was Python Python, changes only files that have findings with
a fix, is what `git apply` makes of the patch that `--diff` prints, does as many fixes as `--diff` announces, and is
done after one run: a second one changes nothing. Prints a line for each folder and one for each check that fails; exits
1 if any does.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

_FIXES = "--unsafe-fixes"
_SUMMARY = re.compile(r"(?:Would fix|Fixed) (\d+) finding")
_AT_MOST = 4000


@dataclass(frozen=True)
class Package:
    """A folder of public code, and where its copies are."""

    name: str
    fixed: Path
    patched: Path
    options: tuple[str, ...]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """The command line on the copy that is fixed."""
        command = [sys.executable, "-m", "tflint_layers", "--isolated", *self.options, *arguments]
        return subprocess.run(command, cwd=self.fixed, capture_output=True, check=False)


def contents(folder: Path) -> dict[str, bytes]:
    """The files of a folder by relative path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def parses(path: str, data: bytes) -> bool:
    """Whether a file is Python (or, for a notebook, JSON)."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            json.loads(data) if path.endswith(".ipynb") else ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def announced(done: subprocess.CompletedProcess[bytes]) -> int | None:
    """How many findings a run says that it fixes."""
    found = _SUMMARY.search(done.stderr.decode(errors="replace"))
    return int(found[1]) if found else None


def fixable(package: Package, paths: list[str]) -> set[str]:
    """Those of the files that have a finding with a fix."""
    found: set[str] = set()
    for first in range(0, len(paths), _AT_MOST):
        done = package.run("--output-format", "json", "--quiet", *paths[first : first + _AT_MOST])
        found |= {finding["path"] for finding in json.loads(done.stdout) if finding["fix"]}
    return found


def check(package: Package) -> tuple[str, list[str]]:
    """What was done to a package, and what is wrong about it."""
    before = contents(package.fixed)
    patch = package.run("--diff", _FIXES)
    if contents(package.fixed) != before:
        return "", ["--diff changed files"]
    fixed = package.run("--fix", _FIXES, "--output-format", "json")
    after = contents(package.fixed)
    changed = sorted(path for path in before if after.get(path) != before[path])
    again = package.run("--fix", _FIXES, "--output-format", "json")
    problems = [f"{path} no longer parses" for path in changed if not parses(path, after[path])]
    problems += [f"{path} is new" for path in sorted(after.keys() - before.keys())]
    refixed = contents(package.fixed)
    problems += [f"{path}: changed by a second run" for path in after if after[path] != refixed[path]]
    problems += [
        f"{words}: {line}"
        for words, done in (("diff", patch), ("fix", fixed), ("second run", again))
        for line in done.stderr.decode(errors="replace").splitlines()
        if "error:" in line
    ]
    if announced(patch) != announced(fixed):
        problems.append(f"--diff announces {announced(patch)} fixes, --fix makes {announced(fixed)}")
    if announced(again) != 0:
        problems.append(f"a second run makes {announced(again)} fixes")
    problems += git_apply(package, patch.stdout, after)
    restore(package, {path: before[path] for path in changed})
    problems += [f"{path} has no finding with a fix" for path in sorted(set(changed) - fixable(package, changed))]
    restore(package, {path: after[path] for path in changed})
    left = len(json.loads(fixed.stdout)) if fixed.stdout else 0
    return f"{announced(fixed)} fixes in {len(changed)} of {len(before)} files, {left} findings left", problems


def git_apply(package: Package, patch: bytes, wanted: dict[str, bytes]) -> list[str]:
    """What differs between a copy to which the patch is applied and what the fixes made."""
    if patch:
        command = ["git", "apply", "--whitespace=nowarn"]
        done = subprocess.run(command, cwd=package.patched, input=patch, capture_output=True, check=False)
        if done.returncode:
            return [f"git apply: {done.stderr.decode(errors='replace').strip()}"]
    patched = contents(package.patched)
    return [f"{path}: the patch gives other bytes" for path in wanted if patched.get(path) != wanted[path]]


def restore(package: Package, files: dict[str, bytes]) -> None:
    """Write these bytes."""
    for path, data in files.items():
        (package.fixed / path).write_bytes(data)


def copied(source: Path, below: Path, options: tuple[str, ...]) -> Package:
    """Two copies of the Python files and notebooks of a folder."""
    package = Package(source.name, below / "fixed" / source.name, below / "patched" / source.name, options)
    for target in (package.fixed, package.patched):
        shutil.copytree(source, target, ignore=_ignored)
        # Without a repository of its own, the patch would be applied to the one around it.
        subprocess.run(["git", "init", "-q", target.parent], check=True)
    return package


def _ignored(folder: str, names: list[str]) -> set[str]:
    paths = ((name, Path(folder, name)) for name in names)
    return {name for name, path in paths if not path.is_dir() and path.suffix not in (".py", ".pyi", ".ipynb")}


def main() -> None:
    """Check each folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--keras", choices=["2", "3"])
    options = parser.parse_args()
    extra = ("--keras", options.keras) if options.keras else ()
    failed = 0
    for folder in options.folders:
        start = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="fix-corpus-") as below:
            said, problems = check(copied(folder.resolve(), Path(below), extra))
        print(f"{folder.name}: {said} ({time.monotonic() - start:.0f} s)", *problems, sep="\n  ", flush=True)
        failed += len(problems)
    print(f"{failed} checks failed")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
