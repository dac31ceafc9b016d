"""Layers that mean harm: each gets an answer within its limits, and the next one is none the worse."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import pytest

from tflint_layers.confirm import LayerQuestion, LayerResult, trace_layers

pytestmark = pytest.mark.tensorflow

HOSTILE = Path(__file__).parent / "hostile"
TIMEOUT = 5.0

# What the answer says; those that only misbehave beside their work trace.
EXPECTED = {
    "calls_the_network": "no input makes it run: OSError: [Errno 101] Network is unreachable|no network",
    "closes_everything": "closed the channel that its results go through|ended the process with exit status 70",
    "deadlock_at_import": "did not end within 5 s (loading the module, at line 9",
    "deep_recursion": "no input makes it run: RecursionError",
    "deletes_its_folder": "no input makes it run: FileNotFoundError",
    "endless_loop": "did not end within 5 s",
    "endless_loop_that_catches": "did not end within 5 s",
    "exit_handler_that_never_ends": "it runs eagerly and as a graph",
    "exits": "ended the process with exit status 0",
    "fills_the_disk": "no input makes it run: OSError: [Errno 27] File too large|did not end within 5 s",
    "fork_bomb": "started more than 24 processes",
    "ignores_signals": "did not end within 5 s",
    "kills_everything": "killed|as a graph|No such process",
    "kills_its_parent": "killed|as a graph",
    "leaves_a_daemon": "ended the process with exit status 3",
    "memory_bomb": "needed more than 1024 MB of memory|MemoryError",
    "never_stops_tracing": "did not end within 5 s (tracing (built), at line|needed more than 1024 MB",
    "prints_without_end": "did not end within 5 s",
    "reads_secrets": "no input makes it run: KeyError: TFLINT_TEST_API_KEY",
    "runs_at_import": "it runs eagerly and as a graph",
    "segfault": "crashed: killed by SIGSEGV",
    "spoofs_the_result": "ended the process with exit status 0",
    "system_exit": "SystemExit",
    "thread_that_never_ends": "it runs eagerly and as a graph",
    "unprintable_exception": "no input makes it run: UnprintableError: (its message cannot be printed)",
}


@pytest.fixture(scope="module")
def answers() -> dict[str, LayerResult]:
    os.environ["TFLINT_TEST_API_KEY"] = "secret"
    questions = [LayerQuestion(path.read_bytes(), str(path), "Layer", 3) for path in sorted(HOSTILE.glob("*.py"))]
    start = time.monotonic()
    results = trace_layers(questions, timeout=TIMEOUT, memory_mb=1024, jobs=2)
    del os.environ["TFLINT_TEST_API_KEY"]
    assert time.monotonic() - start < len(questions) * (TIMEOUT + 3)
    return {Path(result.path).stem: result for result in results}


def test_every_layer_has_an_answer(answers: dict[str, LayerResult]) -> None:
    assert set(answers) == set(EXPECTED)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_the_answer_says_what_happened(answers: dict[str, LayerResult], name: str) -> None:
    assert any(part in answers[name].because for part in EXPECTED[name].split("|")), answers[name].because
    assert answers[name].status == ("traces" if EXPECTED[name].startswith("it runs") else answers[name].status)


def test_nothing_is_left_behind(answers: dict[str, LayerResult]) -> None:
    assert answers
    deadline = time.monotonic() + 20.0
    while (left := _workers_of_this_test()) and time.monotonic() < deadline:
        # A killed process stays in /proc until it is waited for.
        time.sleep(0.5)
    assert left == []
    assert not list(Path(tempfile.gettempdir()).glob("tflint-layers-hostile-ran"))


def _workers_of_this_test() -> list[str]:
    return [pid for pid in os.listdir("/proc") if pid.isdigit() and _is_worker_of_this_test(pid)]


def _is_worker_of_this_test(pid: str) -> bool:
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        return (
            b"TFLINT_TEST_API_KEY=secret" in environment and b"worker.py" in Path(f"/proc/{pid}/cmdline").read_bytes()
        )
    except OSError:
        return False
