"""How many layers a recipe is found for: all of keras.layers, or those of packages and folders, with the reasons.

usage: recipes.py [--keras 2|3] [--python PATH] [--json FILE] [--path FOLDER] (keras.layers | FOLDER | FILE)...
"""

from __future__ import annotations

import argparse
import collections
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from tflint_layers.confirm import LayerQuestion, LayerResult, trace_layers
from tflint_layers.linter import layers_of
from tflint_layers.settings import Settings

LIST_KERAS = """
import inspect, json, os
os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3")
import {keras} as keras
classes = {{value for value in vars(keras.layers).values() if inspect.isclass(value)}}
layers = [value for value in classes if issubclass(value, keras.layers.Layer)]
print(json.dumps(sorted((inspect.getsourcefile(layer), layer.__qualname__) for layer in layers)))
"""


def keras_layers(python: str, keras: int) -> list[tuple[str, str]]:
    """The file and name of each layer class in keras.layers."""
    program = LIST_KERAS.format(keras="keras" if keras == 3 else "tf_keras")
    done = subprocess.run([python, "-c", program], capture_output=True, text=True, check=True)
    return [(path, name) for path, name in json.loads(done.stdout.splitlines()[-1])]


def own_layers(place: Path) -> Iterator[tuple[str, str]]:
    """The layers that the files of a folder define, without tests."""
    for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
        if not path.stem.endswith("_test") and not path.stem.startswith("test_"):
            settings = Settings(preview=False)
            yield from ((str(path), layer.name) for layer in layers_of(path.read_bytes(), str(path), settings))


def questions(places: Sequence[str], python: str, keras: int) -> list[LayerQuestion]:
    found: list[tuple[str, str]] = []
    for place in places:
        found += keras_layers(python, keras) if place == "keras.layers" else own_layers(Path(place))
    return [LayerQuestion(Path(path).read_bytes(), path, name, keras) for path, name in found]


def reason(result: LayerResult) -> str:
    """Why a layer does not trace, without what is particular to it."""
    text = re.sub(r"['\"`][^'\"`]*['\"`]", "'..'", result.because)
    return re.sub(r"\d+", "N", text)[:110]


def report(results: Iterable[LayerResult]) -> None:
    results = list(results)
    counts = collections.Counter(result.status for result in results)
    share = counts["traces"] / max(len(results), 1)
    print(f"{len(results)} layers: {dict(counts)}, {share:.1%} traced")
    reasons = collections.Counter((result.status, reason(result)) for result in results if result.status != "traces")
    print("| layers | status | reason |\n|---|---|---|")
    for (status, text), count in reasons.most_common():
        print(f"| {count} | {status} | {text} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("places", nargs="+")
    parser.add_argument("--keras", type=int, choices=(2, 3), default=3)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--timeout", type=float, default=20.0)
    parser.add_argument("--json", type=Path, help="write every result here")
    arguments = parser.parse_args()
    asked = questions(arguments.places, arguments.python, arguments.keras)
    results = trace_layers(asked, python=arguments.python, timeout=arguments.timeout)
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(result) for result in results], indent=1))
    report(results)


if __name__ == "__main__":
    main()
