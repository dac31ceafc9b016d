"""A grammar of layers that compose what the rules find and fix: nested, in odd layouts, with near misses."""

from __future__ import annotations

import random
import textwrap
from dataclasses import dataclass

_TENSORFLOW = {
    "max": "tf.reduce_max", "mean": "tf.reduce_mean", "sum": "tf.reduce_sum", "any": "tf.reduce_any", "tanh": "tf.tanh",
    "square": "tf.square", "where": "tf.where", "reshape": "tf.reshape", "concat": "tf.concat", "stack": "tf.stack",
    "abs": "tf.abs", "zeros": "tf.zeros", "shape": "tf.shape", "range": "tf.range", "cast": "tf.cast",
}  # fmt: skip
_KERAS = {
    "max": "ops.max", "mean": "ops.mean", "sum": "ops.sum", "any": "ops.any", "tanh": "ops.tanh",
    "square": "ops.square", "where": "ops.where", "reshape": "ops.reshape", "concat": "ops.concatenate",
    "stack": "ops.stack", "abs": "ops.abs", "zeros": "ops.zeros", "shape": "ops.shape", "range": "ops.arange",
    "cast": "ops.cast",
}  # fmt: skip

_HEADER = """\
import logging
import math
import sys
import time

import numpy as np
{imports}

logger = logging.getLogger(__name__)
"""

_CLASS = """

class {name}({base}):
    def __init__(self, scale=1.5):
        super().__init__()
        self.scale = scale
        self.flag = {flag}

    def build(self, input_shape):
        self.gain = self.add_weight(name="gain", shape=(), initializer="ones")
        self.count = self.add_weight(name="count", shape=(), initializer="zeros", trainable=False)
        super().build(input_shape)

    def _helper(self, v):
{helper}

    def call(self, x, training=False):
{body}
"""


@dataclass(frozen=True)
class Layer:
    """The name of a layer and whether it draws random numbers."""

    name: str
    random: bool


@dataclass(frozen=True)
class Module:
    """A file of layers."""

    name: str
    data: bytes
    layers: tuple[Layer, ...]


class Grammar:
    """Draws expressions and statements; ``x`` is a batch of eight floats each, ``t`` the names of operations."""

    def __init__(self, chance: random.Random, keras: int) -> None:
        self._chance, self._keras = chance, keras
        self._uses_ops = keras == 3 and chance.random() < 0.3
        self._t = _KERAS if self._uses_ops else _TENSORFLOW
        self._random = False
        self._depth = 0

    def module(self, name: str, count: int) -> Module:
        """A file with this many layers, in some encoding and with some line endings."""
        layers, pieces = [], [_HEADER.format(imports=self._imports())]
        for number in range(count):
            self._random = False
            pieces.append(self._class(f"Layer{number}"))
            layers.append(Layer(f"Layer{number}", self._random))
        return Module(name, self._encoded("".join(pieces)), tuple(layers))

    def _imports(self) -> str:
        if self._uses_ops:
            return self._pick(
                "import keras\nfrom keras import ops", "import keras\nimport tensorflow as tf\nfrom keras import ops"
            )
        return self._pick(
            "import tensorflow as tf\nfrom tensorflow import keras", "import keras\nimport tensorflow as tf"
        )

    def _encoded(self, text: str) -> bytes:
        kind = self._pick("plain", "plain", "plain", "docstring", "bom", "latin-1", "crlf", "bare end")
        if kind == "docstring":
            return f'"""Layers.\n\nOf all kinds.\n"""\n\nfrom __future__ import annotations\n\n{text}'.encode()
        if kind == "latin-1":
            return f"# -*- coding: latin-1 -*-\n# ein Stück Text\n{text}".encode("latin-1")
        data = text.replace("\n", "\r\n").encode() if kind == "crlf" else text.encode()
        return b"\xef\xbb\xbf" + data if kind == "bom" else data.rstrip() if kind == "bare end" else data

    def _class(self, name: str) -> str:
        body = [self._statement() for _ in range(self._chance.randint(1, 4))]
        body.append(
            self._pick(
                "return x", "return x", f"return x, {self._scalar('x')}", f'return {{"out": {self._tensor("x")}}}'
            )
        )
        return _CLASS.format(
            name=name,
            base=self._pick("keras.layers.Layer", "keras.Model" if self._keras == 3 else "tf.keras.layers.Layer"),
            flag=self._pick("True", "False"),
            helper=textwrap.indent(self._helper(), " " * 8),
            body=textwrap.indent("\n".join(body), " " * 8),
        )

    def _helper(self) -> str:
        return self._pick(
            "return v",
            f"return {self._tensor('v')}",
            f"size = {self._number('v')}  # of v\nreturn v * size",
            f"{self._printing('v')}\nreturn {self._tensor('v')}",
            f"if {self._condition('v')}:\n    return v * 2.0\nreturn v",
        )

    def _pick(self, *choices: str) -> str:
        return self._chance.choice(choices)

    # --- statements

    def _statement(self) -> str:
        kinds = [
            self._assign,
            self._assign,
            self._through_name,
            self._side_effect,
            self._branch,
            self._odd,
            self._nested,
        ]
        text = self._chance.choice(kinds)()
        layout = self._chance.random()
        if layout < 0.1:
            return f"with tf.name_scope('inner'):\n{textwrap.indent(text, '    ')}" if not self._uses_ops else text
        if layout < 0.2:
            return f"if self.flag:\n{textwrap.indent(text, '    ')}"
        if layout < 0.25 and "\n" not in text and not text.startswith(("if", "for", "def", "return")):
            return f"{self._printing('x')}; {text}"
        return text

    def _assign(self) -> str:
        value = self._tensor("x")
        return self._pick(f"x = {value}", f"x = {value}  # again", f"x = (\n    {value}\n)", f"x = \\\n    {value}")

    def _through_name(self) -> str:
        name = self._pick("level", "size", "y")
        value = self._number("x")
        use = self._pick(f"x = x * {name}", f"x = x + {name} * 0.5", f"x = x / (abs({name}) + 1.0)")
        return f"{name} = {value}\n{use}"

    def _side_effect(self) -> str:
        return self._pick(
            self._printing("x"),
            self._printing("x"),
            self._printing("x"),
            f'assert {self._condition("x")} or True, "never"',
            f'assert {self._t["any"]}({self._t["abs"]}(x) >= 0.0), "never"',
            f"assert {self._t['sum']}({self._t['abs']}(x)) >= 0.0",
            "self.count.assign_add(1.0)",
            "started = time.time()",
            "breakpoint()",
            "import pdb; pdb.set_trace()",
            *(() if self._uses_ops else ("tf.config.run_functions_eagerly(False)",)),
        )

    def _branch(self) -> str:
        return self._pick(
            f"if {self._condition('x')}:\n    x = {self._tensor('x')}\nelse:\n    x = {self._tensor('x')}",
            f"if {self._condition('x')}:\n    {self._printing('x')}",
            f"for _ in {self._t['range']}(3):\n    x = x * {self._number('x')}",
            f"for _ in range(2):\n    x = {self._tensor('x')}",
            f"for i in range(x.shape[-1]):\n    x = x + 0.01 * i * {self._scalar('x')}",
        )

    def _odd(self) -> str:
        shape, reshape = self._t["shape"], self._t["reshape"]
        return self._pick(
            f"batch, width = {shape}(x)\nx = {reshape}(x, (batch, width))",
            "batch = x.shape[0]\nx = x * 1.0",
            f"batch = x.shape[0]\nx = {reshape}(x, [batch, -1])",
            f"batch, width = x.shape\nx = {reshape}(x, (batch, width)) * 2.0",
            f"x = {reshape}(\n    x,\n    [x.shape[0], -1],  # the batch stays\n)",
            f"parts = [{self._tensor('x')}, {self._tensor('x')}]\nx = sum(parts)",
            f"parts = [row * 0.5 for row in {self._tensor('x')}]\nx = {self._t['stack']}(parts)",
            f"low, high = {self._number('x')}, {self._number('x')}\nx = x * low + high",
            f"x *= {self._number('x')}",
            f"x, y = x * 2.0, {self._number('x')}\nx = x + y",
        )

    def _nested(self) -> str:
        return self._pick(
            f"def inner(v):\n    return {self._tensor('v')}\n\nx = inner(x)",
            f"def level(v):\n    return {self._number('v')}\n\nx = x * level(x)",
            f"cut = lambda v: v * {self._number('v')}\nx = cut(x)",
            f"x = x + {self._t['cast']}({self._number('x')}, 'float32')",
        )

    def _printing(self, x: str) -> str:
        scalar = self._scalar(x)
        return self._pick(
            f'print("level", {scalar})',
            f"print({x})",
            'print("called")',
            f'print(f"level {{{scalar}}}")',
            "print()",
            f'print({x}, {scalar}, sep=", ")',
            'print("a", end=" ")',
            f'print("level", {scalar}, file=sys.stderr)',
            f'print("level %s" % {scalar})',
            'logger.info("called")',
            f'logger.debug("level %s", {scalar})',
            f'print(\n    "level",\n    {scalar},  # why\n)',
            f'print("{{}}".format({scalar}))',
            f"print(*[1, 2], {scalar})",
            f'print("shape", {x}.shape, {x}.dtype)',
            f'print("batch", {x}.shape[0])',
            "print('it\\'s', 'here')",
            'print(f"{self.scale:.2f} of {self.name!r}")',
            "print(None, True, 1.5, [1, 2])",
        )

    # --- expressions

    def _scalar(self, x: str) -> str:
        """A tensor without dimensions."""
        names = ("max", "mean", "sum")
        return self._pick(
            *(f"{self._t[name]}({self._smaller(x)})" for name in names), "self.gain", f"{self._t['mean']}({x})"
        )

    def _smaller(self, x: str) -> str:
        return self._tensor(x) if self._chance.random() < 0.3 else x

    def _positive(self, x: str) -> str:
        return f"{self._t['mean']}({self._t['square']}({self._smaller(x)}))"

    def _number(self, x: str) -> str:
        """What `x` can be multiplied by: a Python number, a NumPy one or a scalar tensor."""
        self._depth += 1
        try:
            return self._pick(*self._plain_numbers(x)) if self._depth > 3 else self._any_number(x)
        finally:
            self._depth -= 1

    def _plain_numbers(self, x: str) -> tuple[str, ...]:
        return "2.0", "0.5", "self.scale", f"float({x}.shape[-1])", "self.gain", f"{self._t['mean']}({x})", "math.pi"

    def _any_number(self, x: str) -> str:
        scalar, shape = self._scalar(x), self._t["shape"]
        kind = self._chance.randrange(20)
        if kind == 0:
            return f"({self._number(x)} if {self._condition(x)} else {self._number(x)})"
        if kind == 1:
            return f"({self._number(x)} * {self._number(x)})"
        if kind == 2:
            return f"({self._number(x)} - {self._number(x)})"
        return self._pick(
            *self._plain_numbers(x),
            scalar,
            f"{scalar}.numpy()",
            f"{scalar}.numpy()",
            "self.gain.numpy()",
            f"float({scalar})",
            f"float({scalar}.numpy())",
            f"math.sqrt({self._positive(x)} + 1.0)",
            f"math.exp(-{self._positive(x)})",
            f"np.exp(-{self._positive(x)})",
            f"np.sqrt({self._positive(x)})",
            f"np.mean({self._smaller(x)})",
            f"np.max({x})",
            f"max({scalar}, 0.5)",
            f"min({scalar}, 1.5)",
            f"max(0.0, {scalar})",
            f"abs({scalar})",
            f"int({shape}({x})[1])",
            f"float({shape}({x})[0])",
            f"len({x})",
            f"{x}.shape[0]",
            f"float({x}.shape[0])",
            f"math.log({x}.shape[-1])",
            f"round({scalar}.numpy(), 2)",
            f"{scalar}.numpy().item()",
            f"sum({x}[0])",
        )

    def _condition(self, x: str) -> str:
        self._depth += 1
        try:
            if self._depth < 3 and self._chance.random() < 0.2:
                operator = self._pick("and", "or")
                return f"({self._condition(x)} {operator} {self._condition(x)})"
            scalar = self._scalar(x)
            return self._pick(
                *(("training",) if x == "x" else ()),
                "self.flag",
                f"{scalar} > 0.5",
                f"{scalar}.numpy() > 0.5",
                f"{self._t['sum']}({x}) > 0.0",
                f"{self._t['any']}({x} > 0.0)",
                f"not {self._t['any']}({x} > 3.0)",
                f"{x}.shape[0] > 2",
                f"{x}.shape[-1] == 8",
                f"float({scalar}) < 2.0",
                f"len({x}.shape) == 2",
                *(() if self._uses_ops else (f"tf.rank({x}) == 2",)),
            )
        finally:
            self._depth -= 1

    def _tensor(self, x: str) -> str:
        """A tensor of the shape of `x`."""
        self._depth += 1
        try:
            return self._pick(x, f"{x} * 2.0", f"{self._t['tanh']}({x})") if self._depth > 3 else self._any_tensor(x)
        finally:
            self._depth -= 1

    def _any_tensor(self, x: str) -> str:
        t = self._t
        kind = self._chance.randrange(12)
        if kind == 0:
            return f"({self._tensor(x)} if {self._condition(x)} else {self._tensor(x)})"
        if kind == 1:
            return f"({self._tensor(x)} * {self._number(x)})"
        if kind == 2:
            return f"({self._tensor(x)} + {self._number(x)})"
        if kind == 3:
            return f"{x} / (1.0 + {self._positive(x)})"
        if kind == 4 and not self._uses_ops and self._chance.random() < 0.5:
            self._random = True
            noise = (
                "np.random.normal(size=(1, 8))",
                "np.random.normal(0.0, 2.0, (1, 8))",
                "np.random.uniform(-1.0, 1.0, 8)",
                "np.random.rand(8)",
                "np.random.randn(1, 8)",
                f"tf.random.normal({x}.shape)",
                "np.random.random()",
            )
            return f"({x} + {self._pick(*noise)})"
        return self._pick(
            x,
            f"{t['tanh']}({self._tensor(x)})",
            f"np.tanh({self._tensor(x)})",
            f"np.square({x})",
            f"np.maximum({x}, 0.0)",
            f"np.clip({x}, -1.0, 1.0)",
            f"{t['reshape']}({self._tensor(x)}, [{x}.shape[0], -1])",
            f"{t['reshape']}({x}, ({t['shape']}({x})[0], 8))",
            f"{t['where']}({x} > 0.0, {self._tensor(x)}, {x})",
            f"{t['concat']}([{x}[:, :4], {x}[:, 4:]], axis=-1)",
            f"({x} - sum({x}))",
            f"({t['zeros']}({x}.shape) + {x})",
            f"({t['zeros']}(({x}.shape[0], 8)) + {x})",
            f"({x} * {self._scalar(x)}.numpy())",
            f"({x} + np.array({x}))",
            f"({x} - {x}.numpy())",
            f"({x} - {x}.numpy().mean())",
            f"-({x})",
            *(("self._helper(x)",) if x == "x" else ()),
        )
