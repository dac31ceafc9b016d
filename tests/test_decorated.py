"""Decorators, context managers and names put together at run time: what runs behind them is looked at.

Every expectation was seen with TensorFlow 2.21 under Keras 3 and tf_keras.
"""

from __future__ import annotations

import importlib
import textwrap
from typing import Any

import pytest

from tflint_layers import Settings, lint_source

HEAD = (
    "import contextlib, functools, operator\n"
    "import numpy as np\nimport tensorflow as tf\nfrom tensorflow import keras\n"
    "from dataclasses import dataclass\n"
)


def found(code: str, keras: int) -> list[str]:
    """The codes of the findings, each with the text of its line."""
    text = HEAD + textwrap.dedent(code)
    lines = text.splitlines()
    findings = lint_source(text.encode(), "<string>", Settings(keras=keras))
    return [f"{finding.code} {lines[finding.line - 1].strip()}" for finding in findings]


SHOWN = {
    "a helper behind a decorator": (
        """
        def as_float(function):
            @functools.wraps(function)
            def wrapper(x, *rest):
                return function(tf.cast(x, tf.float32), *rest)
            return wrapper

        @as_float
        def centred(x):
            return x - np.mean(x)

        class Centre(keras.layers.Layer):
            def call(self, x):
                return centred(x)
        """,
        ["TFL103 return x - np.mean(x)"],
    ),
    "a decorator inside what is traced": (
        """
        def told(function):
            @functools.wraps(function)
            def wrapper(*arguments):
                print("called")
                return function(*arguments)
            return wrapper

        @tf.function
        @told
        def doubled(x):
            return x * 2.0
        """,
        ['TFL201 print("called")'],
    ),
    "decorators around a traced method of a layer, which Keras traces with it": (
        """
        def told(function):
            @functools.wraps(function)
            def wrapper(*arguments):
                print("called")
                return function(*arguments)
            return wrapper

        class Doubled(keras.layers.Layer):
            @told
            @tf.function
            def call(self, x):
                return x * 2.0
        """,
        ['TFL201 print("called")'],
    ),
    "the gradient of a function, which AutoGraph leaves alone": (
        """
        @tf.custom_gradient
        def clipped(x):
            def gradient(upstream):
                if tf.reduce_max(upstream) > 1.0:
                    upstream = upstream / 2.0
                return upstream
            return tf.identity(x), gradient

        class Clip(keras.layers.Layer):
            def call(self, x):
                return clipped(x).numpy()
        """,
        ["TFL104 if tf.reduce_max(upstream) > 1.0:", "TFL101 return clipped(x).numpy()"],
    ),
    "an object around a function": (
        """
        class Told:
            def __init__(self, function):
                functools.update_wrapper(self, function)
                self.function = function

            def __call__(self, *args, **kwargs):
                print("told")
                return self.function(*args, **kwargs)

        @Told
        def halved(x):
            return x / x.numpy()

        @Told
        def doubled(x):
            return halved(x) * 2.0

        class Halved(keras.layers.Layer):
            def call(self, x):
                return doubled(x)
        """,
        ['TFL201 print("told")', "TFL101 return x / x.numpy()"],
    ),
    "objects around methods": (
        """
        import types

        class Bound:
            def __init__(self, function):
                self.function = function

            def __get__(self, instance, owner=None):
                return functools.partial(self.__call__, instance)

            def __call__(self, instance, *args):
                return self.function(instance, *args)

        class Method(Bound):
            def __get__(self, instance, owner=None):
                return self if instance is None else types.MethodType(self, instance)

        class Lazy:
            def __init__(self, function):
                self.function = function

            def __get__(self, instance, owner=None):
                return self.function(instance)

        class Scaled(keras.layers.Layer):
            def build(self, shape):
                self.w = self.add_weight(shape=(), name="w")

            @Bound
            def _halved(self, x):
                return x / x.numpy()

            @Method
            def _shown(self, x):
                assert tf.reduce_sum(x) > 0
                return x

            @Lazy
            def scale(self):
                return np.exp(self.w)

            def call(self, x):
                return self._halved(x) * self._shown(x) * self.scale
        """,
        [
            "TFL101 return x / x.numpy()",
            "TFL106 assert tf.reduce_sum(x) > 0",
            "TFL103 return np.exp(self.w)",
        ],
    ),
    "a decorator with arguments around a method": (
        """
        def named(label):
            def decorate(function):
                @functools.wraps(function)
                def inner(self, *args, **kwargs):
                    with tf.name_scope(label):
                        return function(self, *args, **kwargs)
                return inner
            return decorate

        class Net(keras.layers.Layer):
            def call(self, x):
                return self._scale(x)

            @named("scale")
            def _scale(self, x):
                assert tf.reduce_sum(x) > 0
                return x
        """,
        ["TFL106 assert tf.reduce_sum(x) > 0"],
    ),
    "what the wrapper of an entry point does": (
        """
        def told(function):
            @functools.wraps(function)
            def wrapper(*args, **kwargs):
                out = function(*args, **kwargs)
                print(function.__name__)
                return out
            return wrapper

        class Slow(keras.layers.Layer):
            @told
            def call(self, x, training=None):
                return x / x.numpy()
        """,
        ["TFL201 print(function.__name__)", "TFL101 return x / x.numpy()"],
    ),
    "the body of a context manager": (
        """
        @contextlib.contextmanager
        def section(name):
            print("enter", name)
            with tf.name_scope(name):
                yield

        class Sectioned(keras.layers.Layer):
            def call(self, x):
                with section("body"):
                    return x * 2.0
        """,
        ['TFL201 print("enter", name)'],
    ),
    "a method whose name is put together": (
        """
        class Pool(keras.layers.Layer):
            def __init__(self, kind="max"):
                super().__init__()
                self.kind = kind

            def _pool_max(self, x):
                return x / x.numpy()

            def _pool_mean(self, x):
                return tf.reduce_mean(x)

            def call(self, x):
                return getattr(self, f"_pool_{self.kind}")(x)
        """,
        ["TFL101 return x / x.numpy()"],
    ),
    "an attribute whose name is put together": (
        """
        class Scales(keras.layers.Layer):
            def __init__(self, n=2):
                super().__init__()
                for i in range(n):
                    setattr(self, f"scale_{i}", self.add_weight(shape=(), name="s"))

            def call(self, x):
                for i in range(2):
                    x = x * np.exp(getattr(self, f"scale_{i}"))
                return x
        """,
        ['TFL103 x = x * np.exp(getattr(self, f"scale_{i}"))'],
    ),
    "the count of a closure made in __init__": (
        """
        def make_warmup(limit):
            seen = 0
            def warmup(x):
                nonlocal seen
                seen = seen + 1
                return x if seen > limit else x * 0.1
            return warmup

        class Warm(keras.layers.Layer):
            def __init__(self):
                super().__init__()
                self.warm = make_warmup(3)

            def call(self, x):
                return self.warm(x)
        """,
        ["TFL204 seen = seen + 1"],
    ),
    "the batch size before a star": (
        """
        class Tokens(keras.layers.Layer):
            def call(self, x):
                x = x * 1.0
                batch, *_ = x.shape
                return tf.zeros((batch, 3)) + x
        """,
        ["TFL108 return tf.zeros((batch, 3)) + x"],
    ),
    "the field of a data class": (
        """
        @dataclass
        class Result:
            logits: tf.Tensor
            name: str = "out"

        class Head(keras.layers.Layer):
            def call(self, x):
                result = Result(logits=x * 2.0)
                return np.argmax(result.logits)
        """,
        ["TFL103 return np.argmax(result.logits)"],
    ),
    "the field of a data class that is replaced": (
        """
        import dataclasses

        @dataclass
        class State:
            hidden: tf.Tensor
            step: int = 0

        class Step(keras.layers.Layer):
            def call(self, x):
                state = State(x * 2.0)
                state = dataclasses.replace(state, hidden=state.hidden * 2.0, step=state.step + 1)
                return x if state.step > 1 else state.hidden.numpy()
        """,
        ["TFL101 return x if state.step > 1 else state.hidden.numpy()"],
    ),
    "the elements of a tensor that was made eagerly": (
        """
        class Edges(keras.layers.Layer):
            def __init__(self, edges):
                super().__init__()
                self.edges = tf.constant(edges)

            def call(self, x):
                return tf.add_n([x * 2.0 for edge in self.edges])
        """,
        ["TFL105 return tf.add_n([x * 2.0 for edge in self.edges])"],
    ),
    # The module makes it before anything is traced, so it outlives each trace.
    "a counter in a function that the module makes": (
        """
        def make_counter():
            calls = 0

            def advance():
                nonlocal calls
                calls += 1
                return calls

            return advance

        ADVANCE = make_counter()

        class Counted(keras.layers.Layer):
            def call(self, x):
                ADVANCE()
                return x
        """,
        ["TFL204 calls += 1"],
    ),
    # It does what its default does, as with `or`.
    "an object in the place of None": (
        """
        class Pool:
            def largest(self, x):
                return np.max(x)

        class Pooled(keras.layers.Layer):
            def __init__(self, pool=None, other=None):
                super().__init__()
                self.pool = pool if pool is not None else Pool()
                self.other = Pool() if other is None else other

            def call(self, x):
                return self.pool.largest(x) + self.other.largest(x)
        """,
        ["TFL103 return np.max(x)"],
    ),
    "a layer and a model with a way of their own to be called": (
        """
        class Logged(keras.layers.Layer):
            def __call__(self, x, **options):
                return super().__call__(x, **options)

            def call(self, x):
                return np.square(x)

        class Direct(keras.Model):
            def __call__(self, x, training=False):
                return self.call(x)

            def call(self, x):
                return np.sqrt(x)
        """,
        ["TFL103 return np.square(x)", "TFL103 return np.sqrt(x)"],
    ),
}


@pytest.mark.parametrize("name", SHOWN)
def test_what_runs_behind_it_is_looked_at(name: str, keras: int) -> None:
    code, expected = SHOWN[name]
    assert sorted(found(code, keras)) == sorted(expected)


SILENT = {
    # Nobody knows which of two things it is.
    "another object where a flag says so": """
        class Pool:
            def largest(self, x):
                return np.max(x)

        class Pooled(keras.layers.Layer):
            def __init__(self, pool=None, flag=None):
                super().__init__()
                self.pool = pool if flag is not None else Pool()

            def call(self, x):
                return self.pool.largest(x)
        """,
    # Nothing traces it: `test_a_model_keeps_no_layer_that_is_called_past_keras`.
    "a layer that is called past Keras": """
        class Preprocessor(keras.layers.Layer):
            def __call__(self, *args, **options):
                return self.call(*args, **options)

        class Images(Preprocessor):
            def call(self, image):
                if isinstance(image, str):
                    with open(image, "rb") as file:
                        image = np.frombuffer(file.read(), np.uint8)
                return np.asarray(image) / 255.0
        """,
    "an object that traces what it is given": """
        class InGraph:
            def __init__(self, function):
                self.function = tf.function(function)

            def __call__(self, *args):
                return self.function(*args)

        @InGraph
        def shrunk(x):
            if tf.reduce_max(x) > 1.0:
                x = x / 2.0
            return x

        class Shrunk(keras.layers.Layer):
            def call(self, x):
                return shrunk(x)
        """,
    "an object that leaves the graph": """
        class InPython:
            def __init__(self, function):
                self.function = function

            def __call__(self, x):
                return tf.ensure_shape(tf.py_function(self.function, [x], tf.float32), x.shape)

        @InPython
        def slow(x):
            print("sorting", x.numpy())
            return x

        class Sorter(keras.layers.Layer):
            def call(self, x):
                return slow(x)
        """,
    "an object that is asked by the class": """
        class Registered:
            known = {}

            def __init__(self, function):
                self.function = function
                self.known[function.__name__] = self

            def __get__(self, instance, owner):
                if instance is None:
                    return self
                return self.function.__get__(instance, owner)

        class Doubled(keras.layers.Layer):
            @Registered
            def double(self, x, steps=2):
                for _ in range(steps):
                    x = x * 2.0
                return x

            def call(self, x):
                return self.double(x)
        """,
    "a decorator that leaves the graph": """
        def in_python(function):
            @functools.wraps(function)
            def wrapper(x):
                out = tf.py_function(function, [x], tf.float32)
                out.set_shape(x.shape)
                return out
            return wrapper

        @in_python
        def slow(x):
            print("sorting", x.numpy())
            return x

        class Sorter(keras.layers.Layer):
            def call(self, x):
                return slow(x)
        """,
    "a decorator that registers": """
        KNOWN = {}

        def register(name):
            def decorate(function):
                KNOWN[name] = function
                return function
            return decorate

        @register("double")
        def double(x, steps=2):
            for _ in range(steps):
                x = x * 2.0
            return x

        class Doubling(keras.layers.Layer):
            def call(self, x):
                return double(x)
        """,
    "options that a decorator hands on": """
        def checked(function):
            @functools.wraps(function)
            def wrapper(self, x, **options):
                if len(x.shape) != 2:
                    raise ValueError(f"{function.__name__} got {x.shape}")
                return function(self, x, **options)
            return wrapper

        class Gelu(keras.layers.Layer):
            @checked
            def call(self, x, approximate=True):
                return tf.nn.gelu(x) if approximate else x
        """,
    "a decorator around what is traced, which runs eagerly itself": """
        def told(function):
            @functools.wraps(function)
            def wrapper(*arguments):
                print("called")
                tf.config.run_functions_eagerly(False)
                return function(*arguments).numpy()
            return wrapper

        @told
        @tf.function(autograph=False)
        def doubled(x):
            return x * 2.0
        """,
    "what functools.reduce starts with": """
        class Chain(keras.layers.Layer):
            def __init__(self):
                super().__init__()
                self.blocks = [keras.layers.Dense(3), keras.layers.Dense(3)]

            def call(self, x):
                x = x * 1.0
                return functools.reduce(lambda t, block: block(t), self.blocks, x)
        """,
    "tf.function under a name, as a decorator": """
        traced = tf.function(reduce_retracing=True)

        @traced
        def shrink(x):
            if tf.reduce_max(x) > 1.0:
                x = x / 2.0
            return x

        class Shrink(keras.layers.Layer):
            def call(self, x):
                return shrink(x)
        """,
    "a setting that a context manager puts back": """
        @contextlib.contextmanager
        def placed():
            before = tf.config.get_soft_device_placement()
            try:
                tf.config.set_soft_device_placement(True)
                yield
            finally:
                tf.config.set_soft_device_placement(before)

        class Placed(keras.layers.Layer):
            def call(self, x):
                with placed():
                    return x * 2.0
        """,
    "layers under names that are put together": """
        class Stack(keras.layers.Layer):
            def __init__(self, n=2):
                super().__init__()
                self.n = n
                for i in range(n):
                    setattr(self, f"dense_{i}", keras.layers.Dense(3))

            def call(self, x):
                for i in range(self.n):
                    x = getattr(self, f"dense_{i}")(x)
                return x
        """,
    "what runs only in a pipeline of Grain": """
        from keras.src.utils.backend_utils import in_grain_data_pipeline

        class Converter(keras.layers.Layer):
            def call(self, x):
                return x.numpy() if in_grain_data_pipeline() else x
        """,
    "a depth that a context manager counts": """
        class Nested(keras.layers.Layer):
            def __init__(self):
                super().__init__()
                self.depth = 0
                self.names = []

            @contextlib.contextmanager
            def inside(self, name):
                self.depth += 1
                self.names.append(name)
                try:
                    yield self.depth
                finally:
                    self.names.pop()
                    self.depth -= 1

            def call(self, x):
                with self.inside("a") as depth:
                    return x * float(depth)
        """,
    "the sizes behind a star": """
        class Flat(keras.layers.Layer):
            def call(self, x):
                x = x * 1.0
                _, *inner = x.shape
                return x * float(inner[0])
        """,
}


@pytest.mark.parametrize("name", SILENT)
def test_what_is_fine_stays_silent(name: str, keras: int) -> None:
    assert found(SILENT[name], keras) == []


def test_numpy_cannot_multiply_a_weight_of_keras_3(keras: int) -> None:
    code = """
        class Gain(keras.layers.Layer):
            def build(self, shape):
                self.w = self.add_weight(shape=(3,), name="w")

            def call(self, x):
                return x * (np.sqrt(2.0) * self.w) + np.float32(2.0) * x + 2.0 * self.w
        """
    expected = ["TFL103 return x * (np.sqrt(2.0) * self.w) + np.float32(2.0) * x + 2.0 * self.w"]
    assert found(code, keras) == (expected if keras == 3 else [])


@pytest.mark.parametrize(
    "statement",
    [
        "if (size := len(x.shape)) > 3:\n            raise ValueError(size)",
        "match self.name:\n            case 'a':\n                raise ValueError()",
        "match[len(x.shape), 1]:\n            case [4, 1]:\n                raise ValueError()",
        "try:\n            size = 1\n        except KeyError:\n            raise\n        else:\n            size = 3",
        "try  :\n            size = 1\n        except KeyError:\n            raise\n        else:\n            pass",
    ],
)
def test_autograph_gives_up_functions_with_statements_that_it_does_not_know(statement: str, keras: int) -> None:
    code = f"""
class Branch(keras.layers.Layer):
    def call(self, x):
        {statement}
        if tf.reduce_sum(x) > 1.0:
            x = x * 2.0
        return x
"""
    assert found(code, keras) == ["TFL104 if tf.reduce_sum(x) > 1.0:"]


def test_what_autograph_makes_a_tensor_of_is_told_once(keras: int) -> None:
    code = """
        class Rows(keras.layers.Layer):
            @tf.function
            def call(self, x):
                x = x * 1.0
                rows = list(range(len(x)))
                return tf.gather(x, np.array(rows))
        """
    assert found(code, keras) == ["TFL105 rows = list(range(len(x)))"]


@pytest.mark.tensorflow
def test_a_model_keeps_no_layer_that_is_called_past_keras(keras: int) -> None:
    np = pytest.importorskip("numpy")
    library = importlib.import_module({2: "tf_keras", 3: "keras"}[keras])

    class Direct(library.layers.Layer):  # type: ignore[misc, name-defined]
        def __call__(self, x: Any) -> Any:
            return self.call(x)

        def call(self, x: Any) -> Any:
            seen.append(type(x).__name__)
            return x * 2.0

    seen: list[str] = []
    inputs = library.Input((3,))
    model = library.Model(inputs, Direct()(inputs))
    model.compile(loss="mse")
    ones = np.ones((4, 3), dtype="float32")
    model.fit(ones, ones, verbose=0)
    assert seen == ["KerasTensor"]
    assert not any(isinstance(layer, Direct) for layer in model.layers)
