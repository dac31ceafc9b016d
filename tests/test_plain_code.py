"""What is said about code that nothing traces, whose text tells where to look for it.

Fixtures do not show this: they are linted with the preview rules, some of which look at every line. Each layer and
function that the code hands over was seen to fail, or not to, with TensorFlow in the fixtures of the rule.
"""

from __future__ import annotations

import pytest

from tflint_layers import Settings, lint_source

HEAD = "import tensorflow as tf\nfrom tensorflow import keras\n\n\n"
EAGER = "def eager(x, *others):\n    return x.numpy()\n\n\n"
LAYER = "class Plain(keras.layers.Layer):\n    def call(self, x):\n        return x\n\n\n"
MODEL = "model = keras.Sequential([keras.layers.Dense(1)])\n"


@pytest.mark.parametrize(
    ("code", "place", "expected"),
    [
        ("tf.config.run_functions_eagerly(True)\n", "True", {2: "TFL302", 3: "TFL302"}),
        ("tf.data.experimental.enable_debug_mode()\n", "debug", {2: "TFL302", 3: "TFL302"}),
        (MODEL + "model.run_eagerly = True\n", "True", {2: "TFL302", 3: "TFL302"}),
        ("def fitted(model):\n    model.compile(run_eagerly=True)\n", "True", {2: "TFL302", 3: "TFL302"}),
        (MODEL + "model.add_metric(1.0, name='one')\n", "add_metric", {3: "TFL110"}),
        (MODEL + "model.add_update(1.0)\n", "add_update", {3: "TFL110"}),
        (LAYER.replace("Plain(keras.layers.Layer)", "_Net(keras.Model)"), "_Net", {3: "TFL110"}),
        ("x = keras.Input((3,))\ny = tf.nn.relu(x)\n", "relu", {3: "TFL113"}),
        ("from tensorflow import *\n\nx = keras.Input((3,))\ny = reduce_sum(x)\n", "reduce_sum", {3: "TFL113"}),
        ("@tf.function\n" + EAGER, "numpy", {2: "TFL101", 3: "TFL101"}),
        ("from tensorflow import function\n\n\n@function\n" + EAGER, "numpy", {2: "TFL101", 3: "TFL101"}),
        ("keras.layers.Lambda(lambda x: x.numpy())\n", "numpy", {2: "TFL101", 3: "TFL101"}),
        ("keras.layers.Activation(lambda x: x.numpy())\n", "numpy", {2: "TFL101", 3: "TFL101"}),
        (EAGER + "keras.layers.Lambda(eager)\n", "numpy", {2: "TFL101", 3: "TFL101"}),
        (EAGER + "tf.data.Dataset.range(3).map(eager)\n", "numpy", {2: "TFL101", 3: "TFL101"}),
        (EAGER + "tf.vectorized_map(eager, tf.ones([3]))\n", "numpy", {2: "TFL101", 3: "TFL101"}),
        (EAGER + MODEL + "model.compile('adam', loss=eager)\n", "numpy", {2: "TFL101", 3: "TFL101"}),
        (EAGER + MODEL + "model.compile('adam', eager)\n", "numpy", {2: "TFL101", 3: "TFL101"}),
        (EAGER + MODEL + "model.compile('adam', 'mse', metrics=[eager])\n", "numpy", {2: "TFL101", 3: "TFL101"}),
        (LAYER + "Plain(dynamic=True)\n", "dynamic", {2: "TFL402", 3: "TFL401"}),
        (LAYER + "Plain(dynamic = True)\n", "dynamic", {2: "TFL402", 3: "TFL401"}),
        (
            LAYER + "def made(**options):\n    options['dynamic'] = True\n    return Plain(**options)\n",
            "dynamic",
            {3: "TFL401"},
        ),
        (
            LAYER + 'def made(**options):\n    options.setdefault("dynamic", True)\n    return Plain(**options)\n',
            "dynamic",
            {3: "TFL401"},
        ),
    ],
)
def test_code_is_looked_at_where_its_text_says_so(code: str, place: str, expected: dict[int, str], keras: int) -> None:
    text = HEAD + code
    findings = lint_source(text.encode(), "<string>", Settings(keras=keras))
    found = [(finding.code, text.splitlines()[finding.line - 1]) for finding in findings]
    line = next(line for line in text.splitlines() if place in line)
    assert found == ([(expected[keras], line)] if keras in expected else [])


def test_a_layer_with_nothing_but_a_constructor_is_set_up_where_that_may_be_wrong() -> None:
    constructor = "    def __init__(self):\n        super().__init__()\n        self.w = tf.Variable(1.0)\n"
    code = f"{HEAD}{LAYER}class Made(Plain):\n{constructor}"
    assert [finding.code for finding in lint_source(code.encode(), "<string>", Settings(keras=3))] == ["TFL211"]
