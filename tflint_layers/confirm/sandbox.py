"""Runs a function in a child process that can do no harm, and hears what it has to say. Standard library only.

Between the server and the child stands a guard: it collects every descendant of the child (it is their subreaper),
watches their time, memory and number, and kills them all before it answers.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import resource
import secrets
import select
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Container
from typing import Any, NoReturn

Emit = Callable[[dict[str, Any]], None]
Work = Callable[[Emit], None]

_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL|AUTH", re.IGNORECASE)
_MAX_PROCESSES = 24
_MAX_FILE = 64 << 20
_MAX_RESULT = 32 << 20
_MAX_OUTPUT = 1 << 14
_NEW_NETWORK, _NEW_PROCESSES, _NEW_USER = 0x40000000, 0x20000000, 0x10000000
_SUBREAPER, _DEATH_SIGNAL = 36, 1


class TimeLimit(BaseException):
    """Raised in the layer's own code shortly before its time is over, so that its traceback tells where it was."""


def guard(work: Work, folder: str, timeout: float, memory_mb: int) -> dict[str, Any]:
    """Run ``work`` in a child within limits; the events it emitted, merged, and ``stopped`` if it did not finish.

    ``output`` is the beginning of what the child printed.

    The child inherits no descriptor but its own, and works in ``folder``.
    """
    adopt_orphans()
    _prctl(_DEATH_SIGNAL, signal.SIGTERM)
    # The server is gone: leave in the ordinary way, so that nothing of this request stays behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    note = _isolate()
    results, result_end = os.pipe()
    noise, noise_end = os.pipe()
    token = secrets.token_hex(16)
    child = os.fork()
    if child == 0:
        _be_child(work, folder, note, (result_end, noise_end), token, (timeout, memory_mb))
    os.close(result_end)
    os.close(noise_end)
    printed = bytearray()
    try:
        heard, stopped = _listen(child, (results, noise), f"{token} END\n".encode(), timeout, memory_mb, printed)
    finally:
        status = _kill_descendants(child)
    _drain(noise, printed)
    return {**_merge(heard, token, stopped or _how_it_ended(status)), "output": _text(printed)}


def _drain(noise: int, printed: bytearray) -> None:
    """Read what is left in the pipe of what the child printed; it is dead, so that this ends."""
    while len(printed) <= _MAX_OUTPUT and select.select([noise], [], [], 0)[0] and (data := os.read(noise, 1 << 16)):
        printed += data


def _text(printed: bytearray) -> str:
    cut = "\n..." if len(printed) > _MAX_OUTPUT else ""
    return printed[:_MAX_OUTPUT].decode(errors="replace") + cut


def _listen(
    child: int, pipes: tuple[int, int], end: bytes, timeout: float, memory_mb: int, printed: bytearray
) -> tuple[bytes, str | None]:
    """Read until the child says that it is done or is gone; why it must be stopped, if it must.

    What it prints is added to ``printed``, until that is enough.
    """
    results, noise = pipes
    heard = bytearray()
    deadline = time.monotonic() + timeout
    baseline = _resident_mb(child)
    while True:
        ready = select.select([results, noise], [], [], 0.05)[0]
        if results in ready:
            data = os.read(results, 1 << 16)
            heard += data
            if heard.endswith(end):
                return bytes(heard), None
            if not data:
                return bytes(heard), None if _ends_soon(child) else "closed the channel that its results go through"
        if noise in ready:
            data = os.read(noise, 1 << 20)
            printed += data if len(printed) <= _MAX_OUTPUT else b""
            noise = noise if data else results
        if len(heard) > _MAX_RESULT:
            return b"", "said more than can be read"
        if time.monotonic() > deadline:
            return bytes(heard), f"did not end within {timeout:g} s"
        family = _living(os.getpid())
        if len(family) > _MAX_PROCESSES:
            return bytes(heard), f"started more than {_MAX_PROCESSES} processes"
        if sum(max(_resident_mb(pid) - baseline, 0) for pid in family) > memory_mb:
            return bytes(heard), f"needed more than {memory_mb} MB of memory"
        if not _alive(child):
            # What it wrote last is still in the pipe; strangers may hold the other end open.
            while select.select([results], [], [], 0)[0] and (data := os.read(results, 1 << 16)):
                heard += data
            return bytes(heard), None


def _ends_soon(child: int) -> bool:
    for _ in range(50):
        if not _alive(child):
            return True
        time.sleep(0.02)
    return False


def _merge(heard: bytes, token: str, ending: str) -> dict[str, Any]:
    merged: dict[str, Any] = {"runs": []}
    done = False
    for line in heard.decode(errors="replace").splitlines():
        mark, _, text = line.partition(" ")
        if mark != token or done:
            continue
        event = json.loads(text) if text != "END" else {}
        done = text == "END"
        merged["runs"] += event.pop("runs", [])
        merged.update(event)
    if not done:
        merged.update(stopped=ending, cut_short=True)
    return merged


def _how_it_ended(status: int | None) -> str:
    if status is None:
        return "ended without a result"
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        name = signal.Signals(number).name if number in set(signal.Signals) else str(number)
        return "used up its processor time" if name == "SIGXCPU" else f"crashed: killed by {name}"
    return f"ended the process with exit status {os.WEXITSTATUS(status)}"


def _be_child(
    work: Work, folder: str, note: str, pipes: tuple[int, int], token: str, limits: tuple[float, int]
) -> NoReturn:
    results, noise = pipes
    code = 70
    with contextlib.suppress(BaseException):
        _prctl(_DEATH_SIGNAL, signal.SIGKILL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.setsid()
        _redirect(noise)
        _close_all_but(results)
        _enter(folder)
        if "namespace" not in note:
            _refuse_connections()
        _limit(*limits)
        for name in [name for name in os.environ if _SECRET.search(name)]:
            del os.environ[name]

        def emit(event: dict[str, Any]) -> None:
            _write_all(results, f"{token} {json.dumps(event, default=str)}\n".encode())

        emit({"notes": [note]})
        work(emit)
        _write_all(results, f"{token} END\n".encode())
        code = 0
    # Exit handlers and threads of the layer's module do not get another say.
    os._exit(code)


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _redirect(noise: int) -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(noise, 1)
    os.dup2(noise, 2)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - lives as long as the process
    # A line at a time: nothing is flushed when the process is killed.
    sys.stdout = open(1, "w", 1, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115


def _close_all_but(kept: int) -> None:
    os.closerange(3, kept)
    os.closerange(kept + 1, 4096)


def _enter(folder: str) -> None:
    os.chdir(folder)
    os.environ.update(TMPDIR=folder, TEMP=folder, TMP=folder)
    tempfile.tempdir = folder


def _limit(timeout: float, memory_mb: int) -> None:
    seconds = int(timeout * 2) + 1
    limits = [
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, _MAX_FILE),
        (resource.RLIMIT_NOFILE, 256),
        (resource.RLIMIT_CORE, 0),
    ]
    if sys.platform == "linux":
        # TensorFlow maps address space that it never touches: what counts is private data, beyond what is there now.
        limits.append((resource.RLIMIT_DATA, (_status_mb("self", "VmData") + 2 * memory_mb) << 20))
    for what, value in limits:
        hard = resource.getrlimit(what)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(what, (value, value))


def _isolate() -> str:
    """Give the children of this process a network and process numbers of their own; the note says what was possible."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        user, group = os.getuid(), os.getgid()
        if libc.unshare(_NEW_NETWORK | _NEW_PROCESSES) == 0:
            return "own network and process namespaces"
        if libc.unshare(_NEW_NETWORK | _NEW_PROCESSES | _NEW_USER) == 0:
            for name, text in (
                ("setgroups", "deny"),
                ("uid_map", f"{user} {user} 1"),
                ("gid_map", f"{group} {group} 1"),
            ):
                with contextlib.suppress(OSError), open(f"/proc/self/{name}", "w") as file:
                    file.write(text)
            return "own network, process and user namespaces"
    return "Python's sockets refuse to connect, more is not possible here"


def _refuse_connections() -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise OSError("no network while tflint-layers confirms")

    socket.socket.connect = refuse  # type: ignore[method-assign]
    socket.getaddrinfo = refuse


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _kill_descendants(child: int) -> int | None:
    """Kill until nothing is left, for a fork bomb has children while it is being killed; the child's wait status."""
    status = None
    give_up = time.monotonic() + 5
    while time.monotonic() < give_up:
        for pid in {child, *_descendants(os.getpid())} if status is None else _descendants(os.getpid()):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        try:
            while True:
                pid, how = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    break
                status = how if pid == child else status
        except ChildProcessError:
            break
        time.sleep(0.005)
    return status


def kill_strays(guards: Container[int]) -> None:
    """Kill what was left to this process by guards that died: children of it that are no guards, and theirs."""
    for stray in [pid for pid in _children().get(os.getpid(), []) if pid not in guards]:
        for pid in (stray, *_descendants(stray)):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(OSError):
            os.waitpid(stray, 0)


def adopt_orphans() -> None:
    """Have descendants whose parents died become children of this process."""
    _prctl(_SUBREAPER, 1)


def _alive(pid: int) -> bool:
    """Whether the child still runs; a zombie does not, and is left for the caller to collect."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None


def _living(root: int) -> list[int]:
    """Every process below ``root``, asked of each process itself: one that is just starting may be missed once."""
    found, todo = [], [root]
    while todo:
        pid = todo.pop()
        try:
            tasks = [f"/proc/{pid}/task/{task}/children" for task in os.listdir(f"/proc/{pid}/task")]
            below = [int(child) for path in tasks for child in _read(path).split()]
        except OSError:
            if pid == root:
                # This kernel does not tell.
                return _descendants(root)
            continue
        todo += below
        found += [child for child in below if not _is_zombie(child)]
    return found


def _is_zombie(pid: int) -> bool:
    try:
        return _read(f"/proc/{pid}/stat").rpartition(")")[2].split()[0] == "Z"
    except (OSError, IndexError):
        return True


def _read(path: str) -> str:
    with open(path) as file:
        return file.read()


def _descendants(root: int) -> list[int]:
    """Every process below ``root``; without /proc none is known."""
    children = _children()
    found, todo = [], [root]
    while todo:
        todo += (below := children.get(todo.pop(), []))
        found += below
    return found


def _children() -> dict[int, list[int]]:
    """The living children of every process."""
    children: dict[int, list[int]] = {}
    with contextlib.suppress(OSError):
        for name in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError, IndexError, ValueError), open(f"/proc/{name}/stat") as file:
                fields = file.read().rpartition(")")[2].split()
                if fields[0] != "Z":
                    children.setdefault(int(fields[1]), []).append(int(name))
    return children


def _resident_mb(pid: int) -> int:
    return _status_mb(str(pid), "VmRSS")


def _status_mb(pid: str, what: str) -> int:
    with contextlib.suppress(OSError, ValueError), open(f"/proc/{pid}/status") as file:
        for line in file:
            if line.startswith(what):
                return int(line.split()[1]) >> 10
    return 0
