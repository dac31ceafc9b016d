"""Starts the worker processes, feeds them and ends them."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, NamedTuple

from tflint_layers.confirm.request import Trace, TraceRequest

_WORKER = Path(__file__).with_name("worker.py")
_START_TIMEOUT = 180.0
_GRACE = 15.0

Progress = Callable[[int, int], None]


class NoTensorFlow(Exception):  # noqa: N818 - says what is missing
    """There is no TensorFlow (or not the Keras asked for) to confirm anything with; the message says what to do."""


class Kind(NamedTuple):
    """What a worker process is started for."""

    keras: int
    benchmark: bool


def _kind(request: TraceRequest) -> Kind:
    return Kind(request.keras, request.benchmark)


@dataclass
class _Server:
    """One worker process: TensorFlow with one Keras."""

    process: subprocess.Popen[bytes]
    errors: IO[bytes]
    pending: dict[int, float] = field(default_factory=dict)
    buffer: bytes = b""


class Pool:
    """Runs requests on workers, ``jobs`` layers at a time; a worker lives until the pool is closed."""

    def __init__(self, python: str | None, jobs: int) -> None:
        if not hasattr(os, "fork"):
            raise NoTensorFlow("running layers needs os.fork, which this platform lacks; use WSL, Linux or macOS")
        self._python = python or sys.executable
        self._jobs = max(1, jobs)
        self._servers: dict[Kind, _Server] = {}

    def close(self) -> None:
        """End all workers."""
        for kind in list(self._servers):
            self._end(kind)

    def run(self, requests: Sequence[TraceRequest], progress: Progress | None = None) -> list[Trace]:
        """The traces of the requests, in their order.

        Raises:
            NoTensorFlow: the interpreter has no TensorFlow, or not the Keras asked for.
        """
        traces: list[Trace | None] = [None] * len(requests)
        done = 0
        for kind in sorted({_kind(request) for request in requests}):
            waiting = [number for number, request in enumerate(requests) if _kind(request) == kind]
            while waiting:
                for number, trace in self._feed(kind, waiting, requests):
                    traces[number] = trace
                    done += 1
                    if progress is not None:
                        progress(done, len(requests))
                waiting = [number for number in waiting if traces[number] is None]
        return [trace for trace in traces if trace is not None]

    def _feed(
        self, kind: Kind, waiting: Sequence[int], requests: Sequence[TraceRequest]
    ) -> Iterable[tuple[int, Trace]]:
        """Answers as they come; ends early when the server died, having given up on what it was working on."""
        server = self._server(kind)
        todo = list(waiting)
        while todo or server.pending:
            while todo and len(server.pending) < self._jobs:
                number = todo.pop(0)
                server.pending[number] = time.monotonic() + requests[number].timeout + _GRACE
                if not _send(server, number, requests[number]):
                    break
            answers = _receive(server, min(server.pending.values()))
            if answers is None:
                lost = list(server.pending)
                self._end(kind)
                yield from (
                    (number, Trace(kind.keras, stopped="its worker died or hung", cut_short=True)) for number in lost
                )
                return
            for answer in answers:
                number = answer["id"]
                if server.pending.pop(number, None) is not None:
                    yield number, Trace.from_data({"keras": kind.keras, **answer["trace"]})

    def _server(self, kind: Kind) -> _Server:
        if kind not in self._servers:
            self._servers[kind] = self._start(kind)
        return self._servers[kind]

    def _start(self, kind: Kind) -> _Server:
        errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the server
        environment = {
            **os.environ,
            "CUDA_VISIBLE_DEVICES": "-1",
            "OMP_NUM_THREADS": "1",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "TF_NUM_INTEROP_THREADS": "1",
            "TF_NUM_INTRAOP_THREADS": "1",
        }
        if not kind.benchmark:
            # It compiles code for each shape, which takes longer than running a small layer without it.
            environment["TF_ENABLE_ONEDNN_OPTS"] = "0"
        command = [self._python, str(_WORKER), str(kind.keras), str(self._jobs)]
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            raise NoTensorFlow(f"cannot start {self._python}: {error.strerror}") from error
        server = _Server(process, errors)
        self._servers[kind] = server
        hello = _receive(server, time.monotonic() + _START_TIMEOUT)
        if not hello or "ready" not in hello[0]:
            why = hello[0]["unusable"] if hello else _last_line(errors)
            self._end(kind)
            raise NoTensorFlow(_advice(kind.keras, self._python, why))
        return server

    def _end(self, kind: Kind) -> None:
        server = self._servers.pop(kind, None)
        if server is None:
            return
        process = server.process
        assert process.stdin is not None
        assert process.stdout is not None
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()
        # Guards die with their server and take their layers with them.
        for stream in (process.stdout, server.errors):
            stream.close()
        try:
            process.stdin.close()
        except BrokenPipeError:
            return


def _send(server: _Server, number: int, request: TraceRequest) -> bool:
    assert server.process.stdin is not None
    try:
        server.process.stdin.write(json.dumps({"id": number, "request": asdict(request)}).encode() + b"\n")
        server.process.stdin.flush()
    except BrokenPipeError:
        return False
    return True


def _receive(server: _Server, deadline: float) -> list[dict[str, Any]] | None:
    """At least one message; None when the server is dead or the deadline passed."""
    assert server.process.stdout is not None
    messages: list[dict[str, Any]] = []
    with selectors.DefaultSelector() as selector:
        selector.register(server.process.stdout, selectors.EVENT_READ)
        while not messages:
            if not selector.select(max(deadline - time.monotonic(), 0)):
                return None
            data = os.read(server.process.stdout.fileno(), 1 << 20)
            if not data:
                return None
            *lines, server.buffer = (server.buffer + data).split(b"\n")
            messages = [message for line in lines if (message := _message(line)) is not None]
    return messages


def _message(line: bytes) -> dict[str, Any] | None:
    """What a worker says; None for what else its interpreter, or a script around that, prints."""
    try:
        message = json.loads(line)
    except ValueError:
        return None
    return message if isinstance(message, dict) else None


def _last_line(errors: IO[bytes]) -> str:
    errors.seek(0)
    lines = errors.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it ended without a word"


def _advice(keras: int, python: str, why: str) -> str:
    extra = " and tf-keras (`pip install tf-keras`)" if keras == 2 else ""
    return (
        f"running layers needs TensorFlow{extra}, which {python} cannot use: {why}."
        " `pip install tflint-layers[confirm]`, or name the interpreter that has it with --python"
    )
