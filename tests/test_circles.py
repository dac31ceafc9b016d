"""Code that comes back to itself ends for the linter, and what stands beside it is linted all the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from hosts import places, tflint

from tflint_layers import Settings, lint_source

LAYER = """\


class Printing(tf.keras.layers.Layer):
    def call(self, inputs):
        print("found")
        return {used}
"""

GRADIENTS = {
    "two gradients inside": (
        """\
def twice(x):
    @tf.custom_gradient
    def forward(x):
        @tf.custom_gradient
        def backward(dy):
            return dy * 2.0, forward

        return x * 2.0, backward

    return forward(x)
""",
        "twice(inputs)",
    ),
    "two gradients": (
        """\
@tf.custom_gradient
def forward(x):
    return x * 2.0, backward


@tf.custom_gradient
def backward(dy):
    return dy * 2.0, forward
""",
        "forward(inputs)",
    ),
    "its own gradient": ("@tf.custom_gradient\ndef twice(x):\n    return x * 2.0, twice\n", "twice(inputs)"),
    "a gradient made anew": (
        """\
def times(factor):
    @tf.custom_gradient
    def multiply(x):
        return x * factor, times(factor)

    return multiply
""",
        "times(2.0)(inputs)",
    ),
}

CALLS = {
    "functions": (
        "def first(x):\n    return second(x)\n\n\ndef second(x):\n    return first(x)\n",
        "first(inputs)",
    ),
    "lambdas": ("first = lambda x: second(x)\nsecond = lambda x: first(x)\n", "first(inputs)"),
    "lambdas inside": (
        "def both(x):\n    first = lambda x: second(x)\n    second = lambda x: first(x)\n    return first(x)\n",
        "both(inputs)",
    ),
    "a fixed point": (
        "fix = lambda f: (lambda x: x(x))(lambda y: f(lambda *a: y(y)(*a)))\n",
        "fix(lambda g: lambda x: g(x))(inputs)",
    ),
    "generators": (
        "def first(x):\n    yield from second(x)\n\n\ndef second(x):\n    yield from first(x)\n",
        "[row for row in first(inputs)]",
    ),
    "functions of the graph": (
        "@tf.function\ndef first(x):\n    return second(x)\n\n\n@tf.function\ndef second(x):\n    return first(x)\n",
        "first(inputs)",
    ),
    "branches of the graph": (
        "def first(x):\n    return tf.cond(x > 0, lambda: first(x), lambda: first(x))\n",
        "first(inputs)",
    ),
    "longer partial functions": (
        "import functools\n\n\ndef again(f, x):\n    return again(functools.partial(f, x), x)\n",
        "again(lambda *a: a, inputs)",
    ),
    "deeper lists": ("def again(rows, x):\n    return again([rows, x], x)\n", "again([], inputs)"),
}

DECORATORS = {
    "wrappers": (
        """\
def logged(function):
    def wrapper(*arguments):
        return function(*arguments)

    return wrapper


@logged
def first(x):
    return second(x)


@logged
def second(x):
    return first(x)
""",
        "first(inputs)",
    ),
    "a wrapper that wraps itself": (
        """\
def retried(function):
    def wrapper(x):
        return retried(wrapper)(x)

    return wrapper


@retried
def first(x):
    return x
""",
        "first(inputs)",
    ),
    "decorators that decorate each other": (
        """\
@second
def first(function):
    def wrapper(*arguments):
        return function(*arguments)

    return wrapper


@first
def second(function):
    def wrapper(*arguments):
        return function(*arguments)

    return wrapper


@first
@second
def scale(x):
    return scale(x)
""",
        "scale(inputs)",
    ),
    "decorators that call each other": (
        """\
def first(function):
    return second(function)


def second(function):
    return first(function)


@first
def scale(x):
    return x
""",
        "scale(inputs)",
    ),
    "objects in the place of functions": (
        """\
import functools


class Logged:
    def __init__(self, function):
        self.function = function

    def __get__(self, instance, owner):
        return functools.partial(self, instance)

    def __call__(self, *arguments):
        return self.function(*arguments)


@Logged
def first(x):
    return second(x)


@Logged
def second(x):
    return first(x)


class Holder:
    @Logged
    def one(self, x):
        return self.other(x)

    @Logged
    def other(self, x):
        return self.one(x)
""",
        "first(inputs) + Holder().one(inputs)",
    ),
    "methods that read each other when they are read": (
        """\
class Reading:
    def __init__(self, function):
        self.function = function

    def __get__(self, instance, owner):
        return instance.other


class Holder:
    @Reading
    def one(self, x):
        return x

    @Reading
    def other(self, x):
        return self.one(x)
""",
        "Holder().one(inputs)",
    ),
}

CLASSES = {
    "properties": (
        """\
class Sizes:
    @property
    def one(self):
        return self.other

    @property
    def other(self):
        return self.one
""",
        "inputs * Sizes().one",
    ),
    "setters": (
        """\
class Sizes:
    @property
    def one(self):
        return self.other

    @one.setter
    def one(self, value):
        self.other = value

    @property
    def other(self):
        return self.one

    @other.setter
    def other(self, value):
        self.one = value


def kept(x):
    sizes = Sizes()
    sizes.one = x
    return sizes.one
""",
        "kept(inputs)",
    ),
    "special methods": (
        """\
class Rows:
    def __call__(self, x):
        return self(x)

    def __iter__(self):
        return iter(self)

    def __len__(self):
        return len(self)

    def __getitem__(self, index):
        return self[index]

    def __getattr__(self, name):
        return getattr(self, name)
""",
        "[Rows()(inputs), len(Rows()), Rows()[0], Rows().shape, *Rows()]",
    ),
    "constructors": (
        """\
class First:
    def __init__(self):
        self.other = Second()
        self.size = self.other.size


class Second:
    def __init__(self):
        self.other = First()
        self.size = self.other.size
""",
        "inputs * First().size",
    ),
    "layers": (
        """\
class First(tf.keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.other = Second()
        self.size = self.other.size

    def build(self, shape):
        self.other.build(shape)

    def call(self, x):
        return self.other(x)


class Second(tf.keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.other = First()
        self.size = self.other.size

    def build(self, shape):
        self.other.build(shape)

    def call(self, x):
        return self.other(x)
""",
        "First()(inputs)",
    ),
}

NAMES = {
    "names for each other": ("first = second\nsecond = first\n", "first(inputs)"),
    "parts of each other": (
        """\
from elsewhere import *

first = second.inner
second = first.inner


class Sub(first.Layer):
    def call(self, x):
        return x


@second.decorated
def scale(x):
    return x
""",
        "scale(first.scale(inputs))",
    ),
    "a part of itself": ("from elsewhere import *\n\ntools = tools.inner\n", "tools.scale(inputs)"),
    "class bodies": (
        "class First:\n    size = Second.size\n\n\nclass Second:\n    size = First.size\n",
        "inputs * First.size",
    ),
    "a class named as its base": (
        "from elsewhere import *\n\n\nclass Scale(Scale):\n    size = Scale.size\n",
        "inputs * Scale.size * Scale().size",
    ),
}

LONG = {
    "names": ("x0 = 1\n" + "".join(f"x{i + 1} = x{i} + 1\n" for i in range(300)), "inputs * x300"),
    "constructors": (
        "".join(f"class C{i}:\n    def __init__(self):\n        self.size = C{i + 1}().size\n\n\n" for i in range(200))
        + "class C200:\n    size = 3\n",
        "inputs * C0().size",
    ),
    "calls": (
        "".join(f"def f{i}(x):\n    return f{i + 1}(x)\n\n\n" for i in range(300)) + "def f300(x):\n    return x\n",
        "f0(inputs)",
    ),
}

# One of two files; the other one reads the same with the names exchanged.
FILE = """\
import tensorflow as tf

from .{other} import *
from .{other} import Base as Given
from .{other} import library, size
from . import {other}

again = {other}.again
tools = {other}.tools.inner
wide = {other}.size + 1


@tf.custom_gradient
def forward(x):
    return x, {other}.forward


class Sizes:
    size = {other}.Sizes.size

    def __init__(self):
        self.kept = {other}.Sizes().kept


class Base(Given):
    def call(self, x):
        return x


class Sub(library.Layer):
    def call(self, x):
        return x


class Printing(tf.keras.layers.Layer):
    def call(self, inputs):
        print("found")
        return again(forward(inputs)) * size * wide * Sizes.size * Sizes().kept * tools.scale(inputs)
"""


def found(code: str, used: str, keras: int) -> list[tuple[str, str]]:
    """The codes of the findings in some code and a layer that uses it, each with its line."""
    text = f"import tensorflow as tf\n\n\n{code}{LAYER.format(used=used)}"
    findings = lint_source(text.encode(), "<string>", Settings(keras=keras))
    return [(finding.code, text.splitlines()[finding.line - 1].strip()) for finding in findings]


@pytest.mark.parametrize(("code", "used"), GRADIENTS.values(), ids=GRADIENTS)
def test_gradients_that_lead_to_each_other(code: str, used: str, keras: int) -> None:
    assert found(code, used, keras) == [("TFL201", 'print("found")')]


@pytest.mark.parametrize("circles", [CALLS, DECORATORS, CLASSES], ids=["calls", "decorators", "classes"])
def test_what_calls_or_makes_or_reads_each_other(circles: dict[str, tuple[str, str]], keras: int) -> None:
    for name, (code, used) in circles.items():
        assert found(code, used, keras) == [("TFL201", 'print("found")')], name


@pytest.mark.parametrize(("code", "used"), NAMES.values(), ids=NAMES)
def test_names_that_stand_for_each_other(code: str, used: str, keras: int) -> None:
    assert found(code, used, keras) == [("TFL201", 'print("found")')]


@pytest.mark.parametrize(("code", "used"), LONG.values(), ids=LONG)
def test_long_chains(code: str, used: str, keras: int) -> None:
    assert found(code, used, keras) == [("TFL201", 'print("found")')]


def test_files_that_import_each_other(tmp_path: Path) -> None:
    for name, other in (("first", "second"), ("second", "first")):
        (tmp_path / f"{name}.py").write_text(FILE.format(other=other))
    lines = FILE.splitlines()
    found_at = (lines.index('        print("found")') + 1, 9, "TFL201")
    assert places(tflint(folder=tmp_path).stdout) == [found_at, found_at]
