"""A confirmed finding as a small script that shows it with TensorFlow alone."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator

from tflint_layers.confirm.excerpt import Excerpt, excerpt_of
from tflint_layers.confirm.judge import AFTER_REPLACING
from tflint_layers.finding import Finding, Verdict

# The script is there to show the finding: linting the project again must not report it twice.
_HEADER = '''\
# tflint-layers: skip-file
"""{place}: {code} {message}

Under Keras {keras}: {because}.
Run it with an interpreter that has TensorFlow{more}; it says whether that still happens, and exits 0 if it does.
"""

{future}import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_USE_LEGACY_KERAS"] = "{legacy}"
{paths}import numpy as np
import tensorflow as tf
{keras_import}
tf.debugging.disable_traceback_filtering()
'''
_LEGACY = 'import tf_keras as keras\n\nsys.modules["keras"] = keras\n'
_COUNTING = '''\


class Watch:
    """Counts how often the flagged line runs, and the exceptions that pass through it."""

    def __enter__(self):
        self.ran, self.raised = 0, []
        sys.settrace(self.enter)
        return self

    def __exit__(self, *_):
        sys.settrace(None)

    def enter(self, frame, event, argument):
        return self.inside if frame.f_code.co_filename == __file__ else None

    def inside(self, frame, event, argument):
        if frame.f_lineno in FLAGGED:
            self.ran += event == "line"
            self.raised += [argument[0].__name__] if event == "exception" else []
        return self.inside
'''
_TRACED = '''\


def traced(call, inputs):
    """The call as a graph with an unknown batch size, and the tensors to run it with."""
    values = tf.nest.flatten(inputs)
    places = [n for n, value in enumerate(values) if hasattr(value, "shape") and not isinstance(value, tf.Variable)]
    batch = next((values[n].shape[0] for n in places if len(values[n].shape)), None)

    def spec(value):
        if isinstance(value, (tf.RaggedTensor, tf.SparseTensor)):
            return tf.type_spec_from_value(value)
        shape = list(value.shape)
        return tf.TensorSpec([None, *shape[1:]] if shape and shape[0] == batch else shape, value.dtype)

    def function(*tensors):
        filled = list(values)
        for place, tensor in zip(places, tensors):
            filled[place] = tensor
        return call(*tf.nest.pack_sequence_as(inputs, filled))

    function.autograph_info__ = {}  # AutoGraph is left to the code that is called
    return tf.function(function, input_signature=[spec(values[n]) for n in places]), [values[n] for n in places]
'''
_EAGERLY = '''\


def eagerly(call, inputs):
    """One call in eager mode, also of what is decorated with tf.function."""
    tf.config.run_functions_eagerly(True)
    try:
        return call(*inputs)
    finally:
        tf.config.run_functions_eagerly(False)
'''
_NUMBERS = """\


def numbers(output):
    return [np.asarray(value) for value in tf.nest.flatten(output)]


def same(left, right):
    return all(a.shape == b.shape and np.allclose(a, b, 1e-4, 1e-5, equal_nan=True) for a, b in zip(left, right))
"""
_RAISES = """\
    call, inputs = make()
    eagerly(call, inputs)
    function, tensors = traced(call, inputs)
    function.get_concrete_function()
    for _ in range(3):
        function(*tensors)
    traced(call, inputs)[0].get_concrete_function()
    return None
"""
_BUILD_RAISES = """\
    call, inputs = make()
    eagerly(call, inputs)
    return None
"""
_SWALLOWS = """\
    call, inputs = make()
    with Watch() as before:
        eagerly(call, inputs)
    with Watch() as while_tracing:
        traced(call, inputs)[0].get_concrete_function()
    new = [kind for kind in while_tracing.raised if kind not in before.raised]
    return f"only while tracing, {new[0]} passes through the flagged line, and is caught" if new else None
"""
_RUNS_ONCE = """\
    call, inputs = make()
    with Watch() as eager:
        for _ in range(3):
            eagerly(call, inputs)
    call, inputs = make()
    function, tensors = traced(call, inputs)
    with Watch() as while_tracing:
        function.get_concrete_function()
    with Watch() as graph:
        for _ in range(3):
            function(*tensors)
    # Under Keras 2 what is traced is a copy of the line, made by AutoGraph.
    if eager.ran and (while_tracing.ran or LEGACY) and not graph.ran:
        return f"the flagged line ran {eager.ran} times in three eager calls, and not at all in three graph calls"
    return None
"""
_REPEATS = """\
    call, inputs = make()
    first, second = (numbers(eagerly(call, inputs)) for _ in range(2))
    call, inputs = make()
    function, tensors = traced(call, inputs)
    again, and_again = (numbers(function(*tensors)) for _ in range(2))
    if not same(first, second) and same(again, and_again):
        return "eager calls with the same inputs give new results, graph calls repeat one"
    return None
"""
_DIFFERS = """\
    call, inputs = make()
    eager = numbers(eagerly(call, inputs))
    function, tensors = traced(call, inputs)
    return None if same(eager, numbers(function(*tensors))) else "the graph computes other numbers than eager mode does"
"""
_LEAKS = '''\
    for called_before in (False, True):
        call, inputs = make()
        if called_before:
            eagerly(call, inputs)
        traced(call, inputs)[0].get_concrete_function()
        for name, value in reachable(call):
            if isinstance(value, tf.Tensor) and tf.is_symbolic_tensor(value):
                return f"after tracing, a symbolic tensor is left in {name}"
    return None


def reachable(call):
    """What can be reached from the layer that is called, and from the names of this file."""
    names = [(name, value) for name, value in globals().items() if not name.startswith("__")]
    todo, seen = [("call", call), *names], set()
    while todo and len(seen) < 100_000:
        name, value = todo.pop(0)
        yield name, value
        foreign = isinstance(value, type(sys)) or type(value).__module__.startswith(("tensorflow", "numpy"))
        if foreign or id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, dict):
            todo += [(f"{name}[{key!r}]", item) for key, item in value.items()]
        elif isinstance(value, (list, tuple, set)) or type(value).__name__ in ("deque", "ListWrapper"):
            todo += [(f"{name}[..]", item) for item in list(value)]
        elif type(value).__name__ == "_lru_cache_wrapper":
            import gc

            held = [item for found in gc.get_referents(value) for item in (found, *gc.get_referents(found))]
            todo += [(f"{name}(cache)", item) for item in held if isinstance(item, tf.Tensor)]
        elif hasattr(value, "__dict__"):
            todo += [(f"{name}.{key}", item) for key, item in list(vars(value).items())]
            todo += [(f"{name}(..)", cell.cell_contents) for cell in getattr(value, "__closure__", None) or ()]
            todo += [(f"{name}(..)", item) for item in getattr(value, "__defaults__", None) or ()]
'''
_CHANGES = """\
    call, inputs = make()
    # Switching eager mode off can be seen only where it is on.
    for switched in (False, True):
        function, _ = traced(call, inputs)
        tf.config.run_functions_eagerly(switched)
        before = settings()
        function.get_concrete_function()
        changed = [name for name, value in settings().items() if value != before[name]]
        if changed:
            return f"tracing changes, for the whole process, {changed[0]}"
    return None


def settings():
    import random

    import keras as used

    policy = getattr(used.mixed_precision, "global_policy", None)
    read = {
        "tf.config.functions_run_eagerly()": tf.config.functions_run_eagerly,
        "tf.config.get_soft_device_placement()": tf.config.get_soft_device_placement,
        "floatx": used.backend.floatx,
        "epsilon": used.backend.epsilon,
        "image_data_format": used.backend.image_data_format,
        "dtype policy": lambda: (used.config.dtype_policy() if hasattr(used, "config") else policy()).name,
        "np.geterr()": np.geterr,
        "np.get_printoptions()": np.get_printoptions,
        "the state of random": random.getstate,
        "the state of np.random": np.random.get_state,
        "the optimizer's options": tf.config.optimizer.get_experimental_options,
        "the seed of TensorFlow": lambda: sys.modules["tensorflow.python.eager.context"].global_seed(),
        "tf.data's debug mode": lambda: sys.modules["tensorflow.python.data.ops.debug_mode"].DEBUG_MODE,
        "the recursion limit": sys.getrecursionlimit,
        "os.environ": lambda: sorted(os.environ.items()),
    }
    return {name: repr(get()) for name, get in read.items()}
"""
_MAIN = """\


def observe():
{observe}

if __name__ == "__main__":
    expected, seen = {expected!r}, None
    for training in ({trainings}):
        try:
            seen = seen or observe()
        except Exception as error:
            if type(error).__name__ != expected:
                raise
            text = " ".join(str(error).split())
            seen = f"raises {{type(error).__name__}}: {{text[:300]}}"
    print(f"reproduced: {{seen}}" if seen else "not reproduced")
    sys.exit(0 if seen else 1)
"""
# What the verdict says, and the code that sees it; the first that matches.
_OBSERVERS = (
    (r"which is caught$", _SWALLOWS),
    (r"^(?!tracing|after|a later).*\braises \w+", _BUILD_RAISES),
    (r"\braises \w+|^after tracing once", _RAISES),
    (r"^the graph computes other numbers", _DIFFERS),
    (r"graph calls repeat one", _REPEATS),
    (r"^a symbolic tensor is left", _LEAKS),
    (r"^after tracing, for the whole process|the state of", _CHANGES),
    (r"", _RUNS_ONCE),
)


class NoScript(Exception):  # noqa: N818 - says why there is none
    """A script could not show the finding; the message says why."""


def script_of(finding: Finding, source: str) -> str:
    """The script for a confirmed finding; ``source`` is the text of the file that defines its layer.

    Raises:
        NoScript: a script alone could not show it.
    """
    verdict = finding.verdict
    if verdict is None or verdict.recipe is None:
        raise NoScript("no call of a layer confirmed it")
    entry = (finding.route[0] if finding.route else "").rpartition(".")[2]
    if entry in ("train_step", "test_step", "predict_step"):
        raise NoScript(f"`{entry}` needs a model around it")
    if AFTER_REPLACING in verdict.because:
        raise NoScript("tracing stops at another line first; mend that, and confirm again")
    path = os.path.abspath(finding.layer_path or finding.path)
    call = ast.parse(verdict.recipe, mode="eval").body
    roots = {node.id for node in ast.walk(call) if isinstance(node, ast.Name)}
    roots |= {(finding.layer or "").partition(".")[0]}
    excerpt = excerpt_of(path, source, roots)
    observe = next(code for pattern, code in _OBSERVERS if re.search(pattern, verdict.because))
    if observe is _SWALLOWS and verdict.keras == 2:
        raise NoScript("what raises there is a copy of the line, made by AutoGraph")
    helpers = [
        _make(call, finding),
        *([_TRACED.rstrip(), _EAGERLY.rstrip()] if observe is not _BUILD_RAISES else [_EAGERLY.rstrip()]),
        *([_NUMBERS.rstrip()] if "same(" in observe else []),
        *([_COUNTING.rstrip()] if "Watch" in observe else []),
        _main(observe, finding, source),
    ]
    own = _renamed("\n".join(helpers), excerpt)
    parts = ["\n".join(_imports(excerpt, verdict)), excerpt.text().rstrip(), own]
    text = _header(finding, verdict, excerpt) + "\n" + "\n".join(part for part in parts if part) + "\n"
    if "Watch" not in observe:
        return text
    return text.replace("FLAGGED", repr(_flagged(text, excerpt, finding))).replace("LEGACY", repr(verdict.keras == 2))


def _renamed(text: str, excerpt: Excerpt) -> str:
    """The code of the script with other names where the user's code has the same ones."""
    taken = {node.id for node in ast.walk(ast.parse(excerpt.text())) if isinstance(node, ast.Name)}
    taken |= {node.name for node in ast.parse(excerpt.text()).body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    for name in re.findall(r"^(?:def|class) (\w+)", text, re.MULTILINE):
        if name in taken:
            text = re.sub(rf"(?<![.\w]){name}\b(?!\s*=)", f"_{name}", text)
    return text


def _header(finding: Finding, verdict: Verdict, excerpt: Excerpt) -> str:
    paths = "".join(f"sys.path.insert(0, {folder!r})\n" for folder in excerpt.outside)
    legacy = verdict.keras == 2
    future = [name for name in excerpt.imports if name.startswith("from __future__")]
    return _HEADER.format(
        place=f"{finding.path}:{finding.line}",
        code=finding.code,
        message=_plain(finding.message),
        because=_plain(verdict.because),
        keras=verdict.keras,
        more=" and tf_keras" if legacy else "",
        future="".join(f"{name}\n" for name in future),
        legacy="1" if legacy else "0",
        paths=paths,
        keras_import=_LEGACY if legacy else "import keras\n",
    )


def _plain(text: str) -> str:
    return " ".join(text.replace("\\", "/").replace('"', "'").split())


def _imports(excerpt: Excerpt, verdict: Verdict) -> Iterator[str]:
    yield from (name for name in excerpt.imports if not name.startswith("from __future__"))
    yield from (name for name in verdict.setup if name not in excerpt.imports)


def _make(call: ast.expr, finding: Finding) -> str:
    """The function that builds the layer and its inputs."""
    lines = ["", "", "def make():"]
    if not isinstance(call, ast.Call):
        raise ValueError(f"{ast.unparse(call)} is no recipe")
    layer, method = call.func, ""
    match layer:
        case ast.Attribute(value=ast.Call() as layer, attr=name):
            method = f".{name}"
    if not isinstance(layer, ast.Call) and not _is_function(call, finding):
        # `example()` gives both.
        lines.append(f"    layer, inputs, *more = {ast.unparse(call)}")
        lines.append("    inputs = inputs if isinstance(inputs, tuple) else (inputs,)")
        lines.append("    keywords = dict(*more)")
    else:
        inputs = "".join(f"{ast.unparse(argument)}, " for argument in call.args)
        keywords = ", ".join(f"{word.arg!r}: {ast.unparse(word.value)}" for word in call.keywords)
        lines.append(f"    layer = {ast.unparse(layer)}")
        lines.append(f"    inputs = ({inputs.rstrip() if len(call.args) == 1 else inputs.rstrip(', ')})")
        lines.append(f"    keywords = {{{keywords}}}")
    lines += ["    if training:", '        keywords["training"] = True']
    lines.append("    if isinstance(layer, keras.metrics.Metric):")
    lines.append("        return lambda *data: (layer.update_state(*data, **keywords), layer.result())[1], inputs")
    if _is_function(call, finding):
        lines.append("    layer = tf.function(getattr(layer, 'python_function', layer))")
    lines.append(f"    return lambda *data: layer{method}(*data, **keywords), inputs")
    return "\n".join(lines)


def _is_function(call: ast.Call, finding: Finding) -> bool:
    """Whether what is called is a function that the finding is in, not an expression that makes a layer."""
    return finding.layer is None and finding.function is not None and not isinstance(call.func, ast.Call)


def _main(observe: str, finding: Finding, source: str) -> str:
    assert finding.verdict is not None
    raised = re.search(r"\braises (\w+)|^after tracing once: (\w+)", finding.verdict.because)
    expected = (raised[1] or raised[2]) if raised and observe is not _SWALLOWS else None
    trainings = "False, True" if "training" in source else "False,"
    return _MAIN.format(observe=observe.rstrip() + "\n", expected=expected, trainings=trainings)


def _flagged(text: str, excerpt: Excerpt, finding: Finding) -> tuple[int, ...]:
    """The numbers that the lines of the finding have in the script."""
    body = excerpt.text().rstrip()
    start = text[: text.index(body)].count("\n") + 1 if body else 0
    wanted = {(os.path.abspath(finding.path), number) for number in range(finding.line, finding.end_line + 1)}
    return tuple(start + number for number, (_, origin) in enumerate(excerpt.lines) if origin in wanted)
