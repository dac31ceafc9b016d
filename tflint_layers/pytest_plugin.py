"""``pytest --tflint-record FILE``: notes how the tests build and call the project's layers, for ``--confirm``.

Nothing is imported and nothing is watched without the option.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tflint_layers.recording import Recorder

_KEY = "tflint_layers_record"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.getgroup("tflint-layers").addoption(
        "--tflint-record",
        metavar="FILE",
        help="note how the tests build and call the layers of this project (shapes and dtypes, no data) in FILE,"
        " for tflint-layers --confirm --recorded FILE",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Start to watch, if asked for."""
    if config.getoption("--tflint-record"):
        from tflint_layers.recording import Recorder

        recorder = Recorder(Path(config.rootpath))
        recorder.start()
        config.pluginmanager.register(_Recording(recorder), "tflint-layers-recording")


class _Recording:
    """Writes the record when the tests are over; processes of pytest-xdist hand theirs to the one that started them."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._others: list[dict[str, Any]] = []

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Take what a process of pytest-xdist noted."""
        self._others += getattr(node, "workeroutput", {}).get(_KEY, [])

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the file, or hand the notes over."""
        from tflint_layers.recording import record_text

        self._recorder.stop()
        uses = self._recorder.uses()
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput[_KEY] = uses
            return
        path = Path(session.config.invocation_params.dir, session.config.getoption("--tflint-record"))
        root = Path(session.config.rootpath)
        path.write_text(record_text(_relative(use, root, path) for use in [*uses, *self._others]), encoding="utf-8")


def _relative(use: dict[str, Any], root: Path, record: Path) -> dict[str, Any]:
    """A use with the path of its layer as seen from where the record stands."""
    return {**use, "path": os.path.relpath(root / use["path"], record.resolve().parent)}
