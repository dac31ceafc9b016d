"""What prints or logs in traced code, by whatever library; the libraries themselves are not needed to lint it."""

from __future__ import annotations

import pytest

from tflint_layers import Settings, lint_source

LAYER = """\
import tensorflow as tf
{imports}


class Noisy(tf.keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.tool = {made}

    def call(self, inputs):
        {statement}
        return inputs
"""


@pytest.mark.parametrize(
    ("imports", "made", "statement"),
    [
        ("import logging", "logging.getLogger('a').getChild('b')", "self.tool.info('called')"),
        ("import logging", "logging.LoggerAdapter(logging.getLogger('a'), {})", "self.tool.error('called')"),
        ("import structlog", "structlog.get_logger().bind(layer=1)", "self.tool.info('called')"),
        ("from loguru import logger", "None", "logger.bind(layer=1).info('called')"),
        ("from absl import logging", "None", "logging.log_every_n(logging.INFO, 'called', 10)"),
        ("from rich.console import Console", "Console()", "self.tool.print(inputs)"),
        ("from pprint import PrettyPrinter", "PrettyPrinter(indent=2)", "self.tool.pprint(inputs)"),
        ("from icecream import ic", "None", "ic(inputs)"),
        ("from IPython.display import display", "None", "display(inputs)"),
        ("import click", "None", "click.echo('called')"),
        ("import traceback", "None", "traceback.print_stack()"),
        ("from tqdm.auto import tqdm", "None", "inputs = sum(inputs * i for i in tqdm(range(3)))"),
    ],
)
def test_prints(imports: str, made: str, statement: str) -> None:
    code = LAYER.format(imports=imports, made=made, statement=statement)
    assert [finding.code for finding in lint_source(code.encode(), "layer.py", Settings(keras=3))] == ["TFL201"]


@pytest.mark.parametrize(
    ("imports", "statement"),
    [
        # Said once is what it asks for.
        ("from absl import logging", "logging.log_first_n(logging.INFO, 'called', 1)"),
        # Switched off unless the caller asks for it.
        (
            "from tqdm import tqdm",
            "inputs = self.roll(inputs)\n\n    def roll(self, inputs, show=False):\n"
            "        return sum(inputs * i for i in tqdm(range(3), disable=not show))",
        ),
        # Making an object prints nothing.
        ("from rich.console import Console", "Console()"),
        ("import logging", "logging.getLogger('a').getChild('b')"),
    ],
)
def test_prints_not(imports: str, statement: str) -> None:
    code = LAYER.format(imports=imports, made="None", statement=statement)
    assert lint_source(code.encode(), "layer.py", Settings(keras=3)) == []


@pytest.mark.parametrize(
    ("imports", "made", "statement"),
    [
        ("import csv, io", "csv.writer(io.StringIO())", "self.tool.writerow([1])"),
        ("import queue", "queue.Queue()", "self.tool.put(1)"),
        ("import threading", "threading.Thread()", "self.tool.start()"),
    ],
)
def test_hands_something_to_the_host(imports: str, made: str, statement: str) -> None:
    code = LAYER.format(imports=imports, made=made, statement=statement)
    assert [finding.code for finding in lint_source(code.encode(), "layer.py", Settings(keras=3))] == ["TFL205"]
