"""What can be seen of running Python code: lines, state, leaked tensors, settings. Standard library only."""

from __future__ import annotations

import collections
import gc
import hashlib
import itertools
import os
import random
import re
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from tflint_layers.confirm.request import Failure, Lines

Place = tuple[str, int]
Span = tuple[int, int, int, int]
"""First line, last line, first column, last column; columns count bytes of UTF-8."""

_GENERATED = "__autograph_generated_file"
_MAX_DEPTH = 6
_MAX_ITEMS = 200
_NOISE = (StopIteration, StopAsyncIteration, GeneratorExit)


class SourceMaps:
    """Where lines of code that AutoGraph generated come from."""

    def __init__(self) -> None:
        self._maps: dict[str, dict[int, Place]] = {}

    def listen(self, loader: types.ModuleType) -> None:
        """Have AutoGraph's loader tell of every function it converts."""
        original = loader.load_ast

        def load_ast(*args: Any, **kwargs: Any) -> Any:
            module, source, source_map = original(*args, **kwargs)
            if source_map:
                self._maps[module.__file__] = {
                    key.lineno: (origin.loc.filename, origin.loc.lineno) for key, origin in source_map.items()
                }
            return module, source, source_map

        loader.load_ast = load_ast  # type: ignore[attr-defined]

    @staticmethod
    def work_unwatched(transpiler: types.ModuleType) -> None:
        """Do not trace the converting itself: it is most of the work where logging or NumPy is converted too."""
        original = transpiler.PyToPy.transform_function

        def transform_function(*args: Any, **kwargs: Any) -> Any:
            watching = sys.gettrace()
            sys.settrace(None)
            try:
                return original(*args, **kwargs)
            finally:
                sys.settrace(watching)

        transpiler.PyToPy.transform_function = transform_function

    def resolve(self, path: str, line: int) -> Place | None:
        """The user's line behind a line of generated code."""
        return self._maps.get(path, {}).get(line)


class Watch:
    """Counts the lines of watched files that run inside a ``with`` block, and the exceptions passing through them."""

    def __init__(self, files: Iterable[str], maps: SourceMaps) -> None:
        self._files, self._maps = frozenset(files), maps
        self._watched: dict[str, Callable[..., Any] | None] = dict.fromkeys(self._files, self._in_frame)
        self.lines: Lines = {}
        self.raised: dict[tuple[str, int, str], None] = {}

    def __enter__(self) -> Watch:
        sys.settrace(self._enter_frame)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    def _enter_frame(self, frame: types.FrameType, event: str, argument: Any) -> Callable[..., Any] | None:
        # Every call of TensorFlow's own functions comes by here: it must take next to no time.
        path = frame.f_code.co_filename
        try:
            return self._watched[path]
        except KeyError:
            self._watched[path] = self._in_frame if _GENERATED in path else None
            return self._watched[path]

    def _in_frame(self, frame: types.FrameType, event: str, argument: Any) -> Callable[..., Any]:
        if event in ("line", "exception") and (place := self.place(frame.f_code.co_filename, frame.f_lineno)):
            if event == "line":
                counts = self.lines.setdefault(place[0], {})
                counts[place[1]] = counts.get(place[1], 0) + 1
            elif not isinstance(argument[1], _NOISE) and argument[0] not in _NOISE and len(self.raised) < _MAX_ITEMS:
                self.raised[(*place, describe(argument[1], argument[0]))] = None
        return self._in_frame

    def place(self, path: str, line: int) -> Place | None:
        """The watched place that a frame is at."""
        if path in self._files:
            return path, line
        place = self._maps.resolve(path, line)
        return place if place and place[0] in self._files else None

    def failure(self, error: BaseException) -> Failure:
        """An exception with the watched lines that its traceback passes through.

        AutoGraph raises a new exception of the same type; the way through the user's code is in the context of it.
        """
        lines: list[Place] = []
        current: BaseException | None = error
        seen: set[int] = set()
        while current is not None and id(current) not in seen:
            seen.add(id(current))
            lines += [place for place in self._places(current) if place not in lines]
            if lines and not _is_retold(current, error):
                break
            current = current.__cause__ or current.__context__
        message = message_of(error)
        return Failure(type(error).__name__, message, tuple(lines))

    def spans(self, error: BaseException) -> list[tuple[Place, Span | None]]:
        """The watched places that the traceback passes through, innermost first, with what of the line fails."""
        found: list[tuple[Place, Span | None]] = []
        current: BaseException | None = error
        while current is not None and not found:
            traceback = current.__traceback__
            while traceback is not None:
                code = traceback.tb_frame.f_code
                if place := self.place(code.co_filename, traceback.tb_lineno):
                    found.insert(0, (place, _span(traceback) if code.co_filename == place[0] else None))
                traceback = traceback.tb_next
            current = current.__cause__ or current.__context__
        return found

    def _places(self, error: BaseException) -> Iterator[Place]:
        traceback = error.__traceback__
        while traceback is not None:
            if place := self.place(traceback.tb_frame.f_code.co_filename, traceback.tb_lineno):
                yield place
            traceback = traceback.tb_next


def _span(traceback: types.TracebackType) -> Span | None:
    """The place in the text of the instruction that a traceback is at; Python tells since 3.11."""
    positions = getattr(traceback.tb_frame.f_code, "co_positions", None)
    if positions is None:
        return None
    line, last, column, end = next(itertools.islice(positions(), traceback.tb_lasti // 2, None))
    return None if None in (line, last, column, end) else (line, last, column, end)


def _is_retold(current: BaseException, error: BaseException) -> bool:
    context = current.__cause__ or current.__context__
    return context is not None and (hasattr(context, "ag_error_metadata") or "in user code:" in _text(current))


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "(its message cannot be printed)"


def message_of(error: BaseException) -> str:
    """The message in one paragraph, without the traceback that AutoGraph and Keras write into it."""
    text = (
        error.args[0] if isinstance(error, KeyError) and error.args and isinstance(error.args[0], str) else _text(error)
    )
    if "in user code:" in text:
        # After the last frame, which is a line 'File ..' and a line of code, comes "Type: message".
        frames = text.rpartition('File "')[2].splitlines()
        text = "\n".join(line.strip() for line in frames[2:]).strip() or text
        text = text.removeprefix(f"{type(error).__name__}: ")
    text = re.split(r"\n\n(?:Arguments|Call arguments) received by", text)[0]
    if text.startswith("Exception encountered when calling"):
        text = text.partition("\n\n")[2] or text
    text = re.sub(r"\{\{function_node \S+\}\} ?| \[Op:\w+\]( name: ?)?", "", text)
    text = re.split(r"[^.\n]* was defined here:", text)[0]
    return " ".join(text.split())[:2000]


def describe(error: Any, kind: type | None = None) -> str:
    """``Type: message``, shortened; never raises."""
    if not isinstance(error, BaseException):
        return f"{kind.__name__ if kind else 'Exception'}: {str(error)[:200]}"
    return f"{type(error).__name__}: {message_of(error)[:300]}"


class Anatomy:
    """Walks what a layer keeps: its attributes, sublayers, classes, closures, and the globals of its module."""

    def __init__(self, module: types.ModuleType, files: frozenset[str], private: frozenset[str]) -> None:
        self._module, self._files, self._private = module, files, private

    def roots(self, subject: object) -> Iterator[tuple[str, object]]:
        """Where to start, with the names that the user would use."""
        yield "self", subject
        for name, value in list(vars(self._module).items()):
            if not name.startswith("__") and not isinstance(value, types.ModuleType):
                yield f"global {name}", value

    def attributes(self, value: object) -> Iterator[tuple[str, object]]:
        """The children of a value with what is to be appended to its path."""
        if isinstance(value, Mapping):
            yield from ((f"[{_key(key)}]", item) for key, item in list(value.items())[:_MAX_ITEMS])
        elif isinstance(value, list | tuple | collections.deque):
            yield from ((f"[{index}]", item) for index, item in enumerate(list(value)[:_MAX_ITEMS]))
        elif isinstance(value, set | frozenset):
            yield from (("{..}", item) for item in list(value)[:_MAX_ITEMS])
        elif isinstance(value, types.FunctionType) and value.__code__.co_filename in self._files:
            yield from self._function(value)
        elif isinstance(value, types.MethodType):
            yield "", value.__func__
        elif isinstance(value, type):
            if self._is_users(value):
                yield from ((f".{name}", item) for name, item in vars(value).items() if not name.startswith("__"))
        elif type(value).__name__ == "_lru_cache_wrapper":
            yield from (("(cache)", item) for item in _cached(value))
        elif hasattr(value, "__dict__") and not isinstance(value, types.ModuleType):
            yield from self._object(value)

    def _function(self, function: types.FunctionType) -> Iterator[tuple[str, object]]:
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
            try:
                yield f" closure {name}", cell.cell_contents
            except ValueError:
                continue
        for index, default in enumerate(function.__defaults__ or ()):
            yield f"(default {index})", default
        yield from ((f"(default {name})", item) for name, item in (function.__kwdefaults__ or {}).items())
        yield from ((f".{name}", item) for name, item in vars(function).items() if not name.startswith("_"))

    def _object(self, value: object) -> Iterator[tuple[str, object]]:
        kind = type(value)
        if kind.__module__.partition(".")[0] in ("tensorflow", "numpy", "jax", "torch", "builtins"):
            return
        private = self._private if is_keras(kind) else frozenset()
        for name, item in list(vars(value).items()):
            if name not in private:
                yield f".{name}", item
        for base in kind.__mro__:
            if self._is_users(base):
                yield ".__class__", base

    def _is_users(self, kind: type) -> bool:
        module = sys.modules.get(kind.__module__)
        return getattr(module, "__file__", None) in self._files

    def walk(self, subject: object) -> Iterator[tuple[str, object]]:
        """Every value that is reachable, breadth first, with its path; each object once."""
        seen: set[int] = set()
        todo = collections.deque((path, value, 0) for path, value in self.roots(subject))
        while todo and len(seen) < 20_000:
            path, value, depth = todo.popleft()
            yield path, value
            if id(value) in seen or depth > _MAX_DEPTH:
                continue
            seen.add(id(value))
            todo.extend((path + step, item, depth + 1) for step, item in self.attributes(value))


def is_keras(kind: type) -> bool:
    """Whether a class is one of Keras or derived from one."""
    return any(base.__module__.partition(".")[0] in ("keras", "tf_keras") for base in kind.__mro__)


def _key(key: object) -> str:
    return repr(key) if isinstance(key, str | int | bool | tuple | type(None)) else type(key).__name__


def _cached(wrapper: object) -> Iterator[object]:
    for held in gc.get_referents(wrapper):
        if isinstance(held, dict):
            yield from held.values()
        elif type(held).__name__ == "_lru_list_elem":
            yield from gc.get_referents(held)


def python_state(anatomy: Anatomy, subject: object) -> dict[str, str]:
    """The Python values that a layer keeps, by path, as comparable text; tensors and weights count as constants."""
    return {path: text for path, value in anatomy.walk(subject) if (text := _state_of(value)) is not None}


def _state_of(value: object) -> str | None:
    if isinstance(value, bool | int | float | complex | str | bytes | None):
        return repr(value)[:200]
    if isinstance(value, list | tuple | set | frozenset | collections.deque | dict):
        return f"{type(value).__name__} of {len(value)}"
    if isinstance(value, types.GeneratorType):
        frame = value.gi_frame
        return "ended" if frame is None else f"at {frame.f_lasti} with {_locals(frame)}"
    if isinstance(value, random.Random):
        return _digest(repr(value.getstate()))
    module = type(value).__module__
    if module == "itertools" or type(value).__name__.endswith("_iterator"):
        return _iterator_state(value)
    if module.startswith("numpy") and hasattr(value, "bit_generator"):
        return _digest(repr(value.bit_generator.state))
    if module.startswith("numpy") and hasattr(value, "get_state"):
        return _digest(_state_text(value.get_state()))
    if module == "numpy" and hasattr(value, "tobytes"):
        return _digest(value.tobytes().hex())
    return None


def _state_text(state: Any) -> str:
    """The state of a generator of NumPy; its array is not printed, which would take longer than tracing a layer."""
    parts = state if isinstance(state, tuple) else (state,)
    return " ".join(part.tobytes().hex() if hasattr(part, "tobytes") else repr(part) for part in parts)


def _locals(frame: types.FrameType) -> str:
    plain = {k: v for k, v in frame.f_locals.items() if isinstance(v, bool | int | float | str)}
    return repr(plain)[:200]


def _iterator_state(value: Any) -> str | None:
    if type(value).__name__ == "count":
        return repr(value)
    try:
        return repr(value.__length_hint__()) if hasattr(value, "__length_hint__") else repr(value.__reduce__())[:500]
    except Exception:
        return None


def _digest(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()[:12]


def random_state() -> dict[str, str]:
    """The state of the global generators of Python and NumPy."""
    state = {"the state of `random`": _digest(repr(random.getstate()))}
    if numpy := sys.modules.get("numpy"):
        state["the state of `np.random`"] = _digest(_state_text(numpy.random.get_state()))
    return state


def generators(anatomy: Anatomy, subject: object) -> dict[str, str]:
    """The state of the random number generators that a layer keeps, and of the global ones."""
    own = {
        path: state
        for path, value in anatomy.walk(subject)
        if isinstance(value, random.Random) or hasattr(value, "bit_generator") or hasattr(value, "get_state")
        if (state := _state_of(value)) is not None
    }
    return own | random_state()


def settings(tf: Any, keras: Any) -> dict[str, str]:
    """Process-wide settings that traced code has no business to change."""
    read: dict[str, Callable[[], object]] = {
        "tf.config.functions_run_eagerly()": tf.config.functions_run_eagerly,
        "tf.config.get_soft_device_placement()": tf.config.get_soft_device_placement,
        "keras floatx": keras.backend.floatx,
        "keras epsilon": keras.backend.epsilon,
        "keras image_data_format": keras.backend.image_data_format,
        "keras dtype policy": lambda: keras.mixed_precision.dtype_policy().name,
        "np.geterr()": lambda: sys.modules["numpy"].geterr(),
        "np.get_printoptions()": lambda: sys.modules["numpy"].get_printoptions(),
        "tf global seed": lambda: sys.modules["tensorflow.python.eager.context"].global_seed(),
        "tf.data debug mode": lambda: sys.modules["tensorflow.python.data.ops.debug_mode"].DEBUG_MODE,
        "jit": tf.config.optimizer.get_jit,
        "tf optimizer options": tf.config.optimizer.get_experimental_options,
        "tensor_float_32_execution_enabled()": tf.config.experimental.tensor_float_32_execution_enabled,
        "recursion limit": sys.getrecursionlimit,
        "os.environ": lambda: _digest(repr(sorted(os.environ.items()))),
    }
    found = {}
    for name, get in read.items():
        try:
            found[name] = str(get())
        except Exception:
            continue
    return found


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    """What differs, readable."""
    return tuple(f"{name}: {before[name]} -> {after[name]}" for name in before if after.get(name) != before[name])


def short(value: object) -> str:
    """A value in a few words."""
    return " ".join(repr(value).split())[:120]


def equal(left: list[Any], right: list[Any], close: bool = False) -> bool:
    """Whether two lists of numbers are the same, or close to it."""
    if len(left) != len(right):
        return False
    return all(_equal_arrays(a, b, close) for a, b in zip(left, right, strict=True))


def _equal_arrays(left: Any, right: Any, close: bool) -> bool:
    numpy = sys.modules["numpy"]
    try:
        if close:
            return bool(numpy.allclose(left, right, rtol=1e-4, atol=1e-5, equal_nan=True))
        return bool(numpy.array_equal(left, right, equal_nan=True))
    except TypeError:
        return bool(numpy.all(numpy.asarray(left) == numpy.asarray(right)))
    except ValueError:
        return False
