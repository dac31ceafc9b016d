"""Steps of a model that `fit` of its own runs in the place of Keras: what is traced of them, and how."""

from __future__ import annotations

import pytest

from tflint_layers import Settings, lint_source

MODEL = """\
import tensorflow as tf
from tensorflow import keras


class Trained(keras.Model):
    def __init__(self, net, strategy):
        super().__init__()
        self.net = net
        self.strategy = strategy

    def train_step(self, data):
        loss = tf.reduce_mean(self.net(data))
        print("train")
        return loss * 2.0 if loss > 0.0 else loss

    def test_step(self, data):
        print("test")
        return {{}}

    def predict_step(self, data):
        print("predict")
        return self.net(data)

{loops}
"""
ALL = {"train", "test", "predict"}
OWN_FIT = """\
    def fit(self, data, held_out):
        for batch in data:
            {run}
"""
CHECKING = "\n    def _check(self):\n        self.test_step([1])\n"


@pytest.mark.parametrize(
    ("loops", "traced"),
    [
        ("", ALL),
        ("    def fit(self, *args, **kwargs):\n        return super().fit(*args, **kwargs)\n", ALL),
        ("    def fit(self, *args, **kwargs):\n        return keras.Model.fit(self, *args, **kwargs)\n", ALL),
        ("    def fit(self, data):\n        step = self.make_train_function()\n        return step(iter(data))\n", ALL),
        ("    def fit(self, data):\n        raise NotImplementedError\n", {"test", "predict"}),
        (OWN_FIT.format(run="self.train_step(batch)"), {"test", "predict"}),
        # Its own loop runs this one as it is.
        (OWN_FIT.format(run="self.train_step(batch)\n        self.test_step(held_out)"), {"predict"}),
        (OWN_FIT.format(run="self.train_step(batch)\n        self._check()") + CHECKING, {"predict"}),
        ("    def evaluate(self, data):\n        return self.test_step(data)\n", {"train", "predict"}),
        ("    def predict(self, data):\n        return self.predict_step(data)\n", {"train", "test"}),
        ("    def predict(self, data):\n        return super().predict(data)[0]\n", ALL),
        # What Keras gives one thing, and what would need two, is called by the author.
        ("    def train_step(self, images, labels):\n        print('train')\n", {"test", "predict"}),
        ('    def train_step(self, images, *more):\n        print("train")\n', ALL),
        ("    def train_step(self):\n        print('train')\n", {"test", "predict"}),
    ],
)
def test_steps_that_keras_traces(loops: str, traced: set[str], keras: int) -> None:
    text = MODEL.format(loops=loops)
    findings = lint_source(text.encode(), "<string>", Settings(keras=keras, select=("TFL201",)))
    lines = text.splitlines()
    assert {name for finding in findings for name in ALL if f'"{name}"' in lines[finding.line - 1]} == traced


@pytest.mark.parametrize(
    "run",
    [
        "return self.train_step(batch)",
        "return self.strategy.run(self.train_step, args=(batch,))",
        "return self.strategy.run(self.train_step, (batch,))",
        "strategy = tf.distribute.get_strategy()\n        return strategy.run(self.train_step, args=(batch,))",
    ],
)
def test_steps_that_functions_of_the_graph_run(run: str, keras: int) -> None:
    """AutoGraph converts them there (measured), so that the condition is none that Python asks for."""
    step = f"    @tf.function\n    def step(self, batch):\n        {run}\n\n"
    text = MODEL.format(loops=step + OWN_FIT.format(run="self.step(batch)"))
    findings = lint_source(text.encode(), "<string>", Settings(keras=keras))
    lines = text.splitlines()
    found = [(finding.code, lines[finding.line - 1].strip()) for finding in findings]
    assert [one for one in found if '"t' not in one[1]] == [("TFL201", 'print("predict")')]
    assert ("TFL201", 'print("train")') in found


def test_without_strategies_functions_are_not_run(keras: int) -> None:
    """Outside of a graph, a strategy runs a function as it is."""
    text = MODEL.format(loops=OWN_FIT.format(run="self.strategy.run(self.train_step, args=(batch,))"))
    findings = lint_source(text.encode(), "<string>", Settings(keras=keras))
    assert not any('"train"' in text.splitlines()[finding.line - 1] for finding in findings)


@pytest.mark.parametrize(
    ("parameters", "is_traced"),
    [
        ("x, y=None, y_pred=None, sample_weight=None", True),
        ("*args, **kwargs", True),
        ("x, y, y_pred, sample_weight, training", True),
        # Keras gives `y` and `y_pred` by name: this one is for a loop of the author's own.
        ("x", False),
        ("images, labels", False),
    ],
)
def test_a_loss_that_keras_can_call_is_traced(parameters: str, is_traced: bool, keras: int) -> None:
    method = f"    def compute_loss(self, {parameters}):\n        print(1)\n"
    text = f"from tensorflow import keras\n\n\nclass Made(keras.Model):\n{method}"
    assert bool(lint_source(text.encode(), "<string>", Settings(keras=keras))) is is_traced
