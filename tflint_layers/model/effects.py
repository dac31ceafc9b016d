"""What calling a library function does to the process besides returning a value, as data."""

from __future__ import annotations

import enum


class Effect(enum.Enum):
    """What calling a function does besides returning a value."""

    PRINT = "print"
    WARN = "warn"
    RUN_EAGERLY = "run-eagerly"


_LOG_METHODS = ("debug", "info", "warning", "warn", "error", "critical", "exception", "log", "fatal")
_LOGGERS = (
    "logging",
    "logging.Logger",
    "logging.LoggerAdapter",
    "absl.logging",
    "loguru.logger",
    "tensorflow.compat.v1.logging",
    "tensorflow.logging",
)
_EFFECTS: dict[str, Effect] = {
    **{f"{logger}.{method}": Effect.PRINT for logger in _LOGGERS for method in _LOG_METHODS},
    **dict.fromkeys(
        (
            "builtins.print",
            "pprint.pprint",
            "pprint.pp",
            "rich.print",
            "sys.stdout.write",
            "sys.stderr.write",
            "sys.stdout.writelines",
            "tqdm.tqdm.write",
            "absl.logging.vlog",
            "builtins.input",
        ),
        Effect.PRINT,
    ),
    "warnings.warn": Effect.WARN,
    **dict.fromkeys(
        (
            "tensorflow.config.run_functions_eagerly",
            "tensorflow.config.experimental_run_functions_eagerly",
            "tensorflow.compat.v1.enable_eager_execution",
            "tensorflow.compat.v1.disable_eager_execution",
            "tensorflow.enable_eager_execution",
            "tensorflow.data.experimental.enable_debug_mode",
        ),
        Effect.RUN_EAGERLY,
    ),
}


def effect(dotted: str) -> Effect | None:
    """What a call of the library function does besides returning a value."""
    return _EFFECTS.get(dotted)
