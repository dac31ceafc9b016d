"""Whether TensorFlow's verdicts agree with what is recorded about known layers.

usage: python benchmarks/confirmed_cases.py FOLDER [--keras 2|3]... [--verbose]

Each file below FOLDER starts with comments: `# verdict: bad | fine`, `# lines: 12,14` (what is wrong under Keras 3) and
`# keras2: same | fine | skip`. Runs `tflint-layers --confirm` and counts the recorded lines by the best verdict that a
finding on them got, and the findings on other lines by theirs. They agree if every recorded line is confirmed and no
other line is.
"""

from __future__ import annotations

import argparse
import collections
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

_RANK = {"confirmed": 3, "unproven": 2, "refuted": 1, "not found": 0}


def expected_lines(path: Path, keras: str) -> set[int] | None:
    """The lines at which something is wrong under a Keras; None if the file is not for it."""
    fields = dict(re.findall(r"^# (\w+): *(.*)$", path.read_text(encoding="utf-8"), re.MULTILINE))
    lines = {int(number) for number in re.findall(r"\d+", fields["lines"])}
    if keras == "3" or fields["keras2"] == "same":
        return lines
    return None if fields["keras2"] == "skip" else set()


def verdicts(folder: Path, keras: str) -> tuple[dict[tuple[str, int], str], dict[tuple[str, int], str]]:
    """The best verdict on each line of each file, and why."""
    with tempfile.TemporaryDirectory() as cache:
        command = [sys.executable, "-m", "tflint_layers", "--isolated", "--keras", keras, "--confirm", "--preview"]
        command += ["--show-refuted", "--output-format", "json", "--cache-dir", cache, str(folder)]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode not in (0, 1):
        sys.exit(done.stderr)
    best: dict[tuple[str, int], str] = {}
    why: dict[tuple[str, int], str] = {}
    for finding in json.loads(done.stdout):
        place = finding["path"], finding["line"]
        verdict = finding["verdict"] or {"status": "unproven", "because": ""}
        if _RANK[verdict["status"]] > _RANK[best.get(place, "not found")]:
            best[place], why[place] = verdict["status"], f"{finding['code']}: {verdict['because']}"
    return best, why


def compare(folder: Path, keras: str, verbose: bool) -> bool:
    """Print what agrees and what does not; whether all does."""
    best, why = verdicts(folder, keras)
    recorded: collections.Counter[str] = collections.Counter()
    others: collections.Counter[str] = collections.Counter()
    agreeing = files = 0
    for path in sorted(folder.rglob("*.py")):
        lines = expected_lines(path, keras)
        if lines is None:
            continue
        files += 1
        found = {line: status for (name, line), status in best.items() if name == str(path)}
        wrong = [line for line in lines if found.get(line) != "confirmed"]
        wrong += [line for line, status in found.items() if line not in lines and status == "confirmed"]
        recorded.update(found.get(line, "not found") for line in lines)
        others.update(status for line, status in found.items() if line not in lines)
        agreeing += not wrong
        for line in wrong if verbose else ():
            status = found.get(line, "not found")
            print(f"{path}:{line}: {status} ({'wrong' if line in lines else 'fine'}) {why.get((str(path), line), '')}")
    print(f"keras {keras}: {agreeing} of {files} files agree; recorded lines {dict(recorded)}; others {dict(others)}")
    return agreeing == files


def main() -> None:
    """Compare for each Keras; exit 1 if something disagrees."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--keras", choices=["2", "3"], action="append")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    agree = [compare(options.folder, keras, options.verbose) for keras in options.keras or ["3", "2"]]
    sys.exit(0 if all(agree) else 1)


if __name__ == "__main__":
    main()
