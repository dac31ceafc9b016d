"""Runs layers for tflint-layers. The only file that imports TensorFlow.

Started as a script, by any interpreter that has TensorFlow; tflint-layers need not be installed there. Reads
requests (``{"id": .., "request": {..}}``, one a line) and answers ``{"id": .., "trace": {..}}``. TensorFlow is imported
once and no operation runs before each request forks.
"""

from __future__ import annotations

import gc
import importlib.abc
import importlib.util
import json
import os
import select
import shutil
import sys
import tempfile
import types
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

if not __package__:
    # The packages' own __init__ files import what this interpreter may not have: stand-ins that only know the folders.
    _HERE = Path(__file__).resolve().parent
    for _name, _folder in (("tflint_layers", _HERE.parent), ("tflint_layers.confirm", _HERE)):
        _package = types.ModuleType(_name)
        _package.__path__ = [str(_folder)]
        sys.modules[_name] = _package
    # Python put the script's folder here, where `request` or `worker` would hide modules of the user.
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != _HERE]

from tflint_layers.confirm import sandbox
from tflint_layers.confirm.request import TraceRequest


class _LegacyKeras(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Answers ``import keras.x`` with ``tf_keras.x``."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: types.ModuleType | None = None) -> Any:
        if name.partition(".")[0] != "keras":
            return None
        return importlib.util.spec_from_loader(name, self) if importlib.util.find_spec(f"tf_{name}") else None

    def create_module(self, spec: Any) -> types.ModuleType:
        return importlib.import_module(f"tf_{spec.name}")

    def exec_module(self, module: types.ModuleType) -> None:
        sys.modules[module.__name__.removeprefix("tf_")] = module


def import_tensorflow(keras: int) -> tuple[Any, Any]:
    """TensorFlow and the Keras asked for; afterwards ``import keras`` and ``tf.keras`` mean that Keras too."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ["TF_USE_LEGACY_KERAS"] = "1" if keras == 2 else "0"
    import tensorflow as tf  # type: ignore[import-untyped]

    if keras == 2:
        import tf_keras as keras_module  # type: ignore[import-untyped]

        for name in [name for name in sys.modules if name == "keras" or name.startswith("keras.")]:
            del sys.modules[name]
        sys.modules["keras"] = keras_module
        sys.meta_path.insert(0, _LegacyKeras())
    else:
        import keras as keras_module  # type: ignore[import-untyped]
    return tf, keras_module


def serve(keras: int, jobs: int) -> None:
    """Answer requests until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # Whatever TensorFlow prints while it is imported is no answer.
    os.dup2(2, 1)
    try:
        tf, keras_module = import_tensorflow(keras)
    except Exception as error:
        print(json.dumps({"unusable": f"{type(error).__name__}: {error}"}), file=answers, flush=True)
        return
    import numpy.random  # noqa: F401 - every layer needs it, and this process is the one that all layers start from

    from tflint_layers.confirm import session

    # No child looks through TensorFlow's own objects for garbage, which would also copy their memory, nor often.
    gc.set_threshold(20_000, 20, 50)
    gc.collect()
    gc.freeze()
    print(json.dumps({"ready": True}), file=answers, flush=True)
    sandbox.adopt_orphans()
    running: dict[int, _Job] = {}
    waiting: list[dict[str, Any]] = []
    pending, ended = b"", False
    while not ended or waiting or running:
        while waiting and len(running) < jobs:
            job = _start(waiting.pop(0), session, tf, keras_module)
            running[job.pipe] = job
        ready = select.select([*running, *([] if ended else [0])], [], [])[0]
        for pipe in ready:
            data = os.read(pipe, 1 << 20)
            if pipe == 0:
                *lines, pending = (pending + data).split(b"\n")
                waiting += [json.loads(line) for line in lines]
                ended = not data
            elif data:
                running[pipe].heard.extend(data)
            else:
                _answer(running.pop(pipe), answers)
                sandbox.kill_strays({job.guard for job in running.values()})


@dataclass(frozen=True)
class _Job:
    """A request that a guard works on."""

    number: int
    guard: int
    pipe: int
    folder: str
    heard: bytearray = field(default_factory=bytearray)


def _start(message: dict[str, Any], session: Any, tf: Any, keras: Any) -> _Job:
    request = TraceRequest.from_json(json.dumps(message["request"]))
    folder = tempfile.mkdtemp(prefix="tflint-layers-")
    pipe, end = os.pipe()
    pid = os.fork()
    if pid:
        os.close(end)
        return _Job(message["id"], pid, pipe, folder)
    code = 1
    try:
        os.close(0)
        os.setsid()
        trace = sandbox.guard(
            lambda emit: session.run(request, emit, tf, keras), folder, request.timeout, request.memory_mb
        )
        with os.fdopen(end, "w", encoding="utf-8") as file:
            json.dump(trace, file)
        code = 0
    finally:
        os._exit(code)


def _answer(job: _Job, answers: Any) -> None:
    os.close(job.pipe)
    os.waitpid(job.guard, 0)
    shutil.rmtree(job.folder, ignore_errors=True)
    try:
        trace = json.loads(job.heard)
    except ValueError:
        trace = {"stopped": "the process that watched it was killed", "cut_short": True}
    print(json.dumps({"id": job.number, "trace": trace}), file=answers, flush=True)


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]))
