"""How long it takes to confirm the findings of 100 small layers, against tracing them in one plain script.

usage: python benchmarks/confirm_speed.py [--keras 2|3] [--jobs N]

Writes the layers into a temporary folder, one a file, each with something to find. "plain script" imports TensorFlow,
builds each layer, calls it three times, traces it and calls the graph three times: what anybody would write, without
a process for each layer, without limits and without looking for anything. "cold" and "warm" are
`tflint-layers --confirm`, first with an empty cache and then once more. All are wall-clock seconds.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_BODIES = (
    "print('scale {n}')\n        return tf.nn.relu(self.dense(inputs)) * {n}.5",
    "self.calls += 1\n        return self.dense(inputs) + {n}.0",
    "noise = random.random()\n        return self.dense(inputs) * noise + {n}.0",
    "mean = tf.reduce_mean(inputs).numpy()\n        return self.dense(inputs) - mean - {n}.0",
    "self.last = self.dense(inputs)\n        return self.last * {n}.0",
)
_LAYER = """\
import random

import {keras} as keras
import tensorflow as tf


class Layer{n}(keras.layers.Layer):
    def __init__(self, units={units}):
        super().__init__()
        self.dense = keras.layers.Dense(units)
        self.calls = 0

    def call(self, inputs):
        {body}
"""
_PLAIN = """\
import importlib.util
import sys

import {keras} as keras
import tensorflow as tf

for number, path in enumerate(sys.argv[1:]):
    spec = importlib.util.spec_from_file_location(f"layer_{{number}}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    layer = getattr(module, f"Layer{{number}}")()
    inputs = tf.random.uniform([4, 8])
    for _ in range(3):
        layer(inputs)
    graph = tf.function(lambda x: layer(x), input_signature=[tf.TensorSpec([None, 8])], autograph=False)
    try:
        for _ in range(3):
            graph(inputs)
    except AttributeError:
        pass
"""


def write_layers(folder: Path, keras: str, count: int = 100) -> list[str]:
    """Files with a layer each."""
    paths = []
    for n in range(count):
        path = folder / f"layer_{n:03}.py"
        body = _BODIES[n % len(_BODIES)].format(n=n)
        path.write_text(_LAYER.format(keras=keras, n=n, units=n % 7 + 2, body=body))
        paths.append(str(path))
    return paths


def timed(name: str, command: list[str]) -> float:
    """Run a command and print how long it took."""
    quiet = {**os.environ, "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    start = time.perf_counter()
    done = subprocess.run(command, env=quiet, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if done.returncode not in (0, 1) or "Traceback" in done.stderr:
        sys.exit(f"{name} failed:\n{done.stderr}")
    confirmed = done.stdout.count("[confirmed")
    print(f"{name:14}{seconds:7.1f} s{f'  {confirmed} confirmed' if confirmed else ''}", flush=True)
    return seconds


def main() -> None:
    """Run all three and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keras", choices=["2", "3"], default="3")
    parser.add_argument("--jobs")
    options = parser.parse_args()
    keras = "keras" if options.keras == "3" else "tf_keras"
    with tempfile.TemporaryDirectory() as folder:
        layers = Path(folder) / "layers"
        layers.mkdir()
        paths = write_layers(layers, keras)
        plain = timed("plain script", [sys.executable, "-c", _PLAIN.format(keras=keras), *paths])
        command = [sys.executable, "-m", "tflint_layers", "--isolated", "--keras", options.keras, "--confirm"]
        command += ["--cache-dir", f"{folder}/cache", *(["--jobs", options.jobs] if options.jobs else []), str(layers)]
        cold = timed("cold", command)
        timed("warm", command)
    print(f"{len(paths)} layers, cold / plain script {cold / plain:.2f}")


if __name__ == "__main__":
    main()
