"""What happens to one layer inside the sandbox: built, called eagerly, traced, called as a graph, and looked at.

TensorFlow and Keras are passed in by the worker.
"""

from __future__ import annotations

import inspect
import pdb
import signal
import statistics
import sys
import time
import types
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tflint_layers.confirm import observe, recipe
from tflint_layers.confirm.module_slice import Missing, ModuleSlice
from tflint_layers.confirm.recipe import Recipe
from tflint_layers.confirm.request import Failure, Lines, Run, TraceRequest
from tflint_layers.confirm.sandbox import Emit, TimeLimit

_CALLS = 3
_MAX_RECIPES = 60
_SEED = 7
# Eager failures that no other input would cure: what the code asks for is refused whatever it is given.
_HOPELESS = (
    "item assignment", "item deletion", "add_metric", "add_update", "new elements of state",
    "Unrecognized keyword argument", "unexpected keyword argument 'dynamic'", "valid root scope name",
    "Only input tensors may be passed as positional", "tried to create variables on non-first call",
    "cannot be used as input to a TensorFlow function", "already built", "out of scope and cannot be used here",
)  # fmt: skip


@dataclass(frozen=True)
class Subject:
    """A layer (or loss, metric, function ..) with the inputs that it runs on."""

    layer: Any
    inputs: tuple[Any, ...]
    keywords: Mapping[str, Any]
    recipe: Recipe


def run(request: TraceRequest, emit: Emit, tf: Any, keras: Any) -> None:
    """Observe the layer of a request; every finding is emitted as soon as it is made."""
    session = Session(request, emit, tf, keras)
    with _time_limit(request.timeout * 0.9):
        try:
            session.observe()
        except TimeLimit as error:
            place = session.watch().failure(error).lines[-1:]
            where = f", at line {place[0][1]} of {Path(place[0][0]).name}" if place else ""
            emit({"stopped": f"did not end within {request.timeout:g} s ({session.phase}{where})"})
        except BaseException as error:
            emit({"stopped": f"{session.phase}: {observe.describe(error)}"})


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TimeLimit

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


class Unbuildable(Exception):
    """No recipe ran; the message says why."""


class Session:
    """One layer in one process."""

    def __init__(self, request: TraceRequest, emit: Emit, tf: Any, keras: Any) -> None:
        self.request, self.emit, self.tf, self.keras = request, emit, tf, keras
        self.phase = "loading the module"
        self.files = frozenset({request.path, *request.watch})
        self.maps = observe.SourceMaps()
        self._slice = ModuleSlice(request.path, request.source)
        self._prepare()
        self.module = types.ModuleType("empty")
        self._private = frozenset(vars(keras.layers.Layer())) | frozenset(vars(keras.Model()))
        self.anatomy = observe.Anatomy(self.module, self.files, self._private)

    def _prepare(self) -> None:
        warnings.simplefilter("ignore")
        self.tf.config.threading.set_intra_op_parallelism_threads(1)
        self.tf.config.threading.set_inter_op_parallelism_threads(1)
        self.tf.debugging.disable_traceback_filtering()
        if hasattr(self.keras, "config"):
            self.keras.config.disable_traceback_filtering()
        self.tf.get_logger().setLevel("ERROR")
        # A debugger has nobody to talk to here; that its line runs is what counts.
        sys.breakpointhook = lambda *_, **__: None
        pdb.set_trace = lambda *_, **__: None
        pdb.Pdb.set_trace = lambda *_, **__: None  # type: ignore[method-assign]
        loader = sys.modules.get("tensorflow.python.autograph.pyct.loader")
        if loader is not None:
            self.maps.listen(loader)

    def watch(self) -> observe.Watch:
        """A fresh count of lines."""
        return observe.Watch(self.files, self.maps)

    def observe(self) -> None:
        """Everything there is to see, in the order in which it may go wrong."""
        keras = self.request.keras
        self.emit({"keras": keras, "versions": {"tensorflow": self.tf.__version__, "keras": self.keras.__version__}})
        self.module = self._slice.load()
        self.anatomy = observe.Anatomy(self.module, self.files, self._private)
        subject = self._first_that_runs()
        if subject is None:
            return
        if self.request.fixed is not None:
            from tflint_layers.confirm.equivalence import compare

            compare(self, subject)
            return
        self._observe_runs(subject)
        if self.request.benchmark:
            self._benchmark(subject)

    def _observe_runs(self, subject: Subject) -> None:
        eager = self._eager_calls(self.fresh(subject))
        self.emit(eager.event())
        reached = {(path, line) for lines in eager.lines for path, counts in lines.items() for line in counts}
        for kind, instance in (("built", eager.subject), ("fresh", None)):
            current = instance or self.fresh(subject)
            run = self._trace(kind, current, eager)
            reached |= {(path, line) for path, counts in run.traced.items() for line in counts}
            self.emit({"runs": [asdict(run)]})
        if set(self.request.flagged) - reached and (training := self._in_training(subject)):
            eager = self._eager_calls(self.fresh(training))
            self.emit({"training": str(training.recipe)})
            self.emit({"runs": [asdict(self._trace("training=True", eager.subject, eager))]})

    def _in_training(self, subject: Subject) -> Subject | None:
        call = getattr(subject.layer, "call", None)
        if call is None or "training" not in inspect.signature(call).parameters or "training" in subject.keywords:
            return None
        keywords = {**subject.recipe.keywords, "training": "True"}
        changed = replace(subject.recipe, keywords=keywords, pair=False) if not subject.recipe.pair else subject.recipe
        return replace(subject, keywords={**subject.keywords, "training": True}, recipe=changed)

    # --- recipes

    def _target(self) -> Any:
        value: Any = self.module
        for name in (self.request.layer or self.request.function or "").split("."):
            value = (
                vars(value)[name]
                if isinstance(value, types.ModuleType) and name in vars(value)
                else getattr(value, name)
            )
        return value

    def _recipes(self, target: Any) -> Iterator[Recipe]:
        name = self.request.layer or self.request.function or ""
        if self.request.example is not None:
            yield recipe.from_settings(name, self.request.example)
        if callable(vars(self.module).get("example")):
            yield Recipe("example()", pair=True)
        if not isinstance(target, type):
            yield from self._with_inputs(name, target)
            return
        if callable(getattr(target, "example", None)):
            yield Recipe(f"{name}.example()", pair=True)
        found = list(recipe.found_in_file(self._slice.tree, name.rpartition(".")[2]))
        yield from (known for known in found if known.inputs)
        cell = (
            hasattr(target, "state_size") or "states" in inspect.signature(getattr(target, "call", target)).parameters
        )
        builds = [known.layer for known in found if not known.inputs]
        builds += recipe.constructions(name, inspect.signature(target.__init__))
        for build in dict.fromkeys(builds):
            if cell:
                yield Recipe(f"tf.keras.layers.RNN({build})", (recipe.tensor((4, 6, 8)),))
            yield from self._with_inputs(build, getattr(target, _method_of(self.keras, target), target))

    def _with_inputs(self, build: str, function: Any) -> Iterator[Recipe]:
        if isinstance(function, type) or not callable(function):
            return
        signature = inspect.signature(getattr(function, "python_function", function))
        target = self.request.entry
        if target == "__call__" and next(iter(list(signature.parameters)[1:]), "") == "shape":
            yield Recipe(build, ("[4, 8]",))
            return
        shapes = recipe.shapes_in_file(self._slice.tree)
        for inputs in recipe.inputs_for(signature, shapes):
            yield Recipe(build, inputs)

    def _first_that_runs(self) -> Subject | None:
        """The first recipe that runs eagerly, or, when code is refused whatever its input is, the first that shows it."""
        self.phase = "building the layer"
        target = self._resolve_target()
        if target is None:
            return None
        failures: list[tuple[Recipe, Failure, bool]] = []
        unbuildable: set[str] = set()
        todo = self._recipes(target)
        queue: list[Recipe] = []
        for _ in range(_MAX_RECIPES):
            candidate = queue.pop() if queue else next(todo, None)
            if candidate is None:
                break
            if candidate.layer in unbuildable:
                continue
            outcome = self._attempt(candidate, target)
            if isinstance(outcome, Subject):
                self.emit({"recipe": str(outcome.recipe)})
                return outcome
            if outcome is None:
                continue
            failure, built = outcome
            failures.append((candidate, failure, built))
            if not built:
                unbuildable.add(candidate.layer)
            if built and _is_hopeless(failure, target):
                break
            if built and not queue and (better := recipe.learn(candidate, failure.message)):
                queue.append(better)
        self._give_up(failures, target)
        return None

    def _resolve_target(self) -> Any:
        name = self.request.layer or self.request.function
        if name is None:
            self.emit({"stopped": "it belongs to no layer or function that can be run by itself"})
            return None
        try:
            target = self._target()
        except (AttributeError, KeyError, ImportError) as error:
            self.emit({"stopped": f"`{name}` is not in the module: {self._explain(error)}"})
            return None
        if isinstance(target, Missing):
            failed = self._slice.failed[name.partition(".")[0]]
            self.emit({"stopped": f"`{name}` could not be defined: {self._explain(failed)}"})
            return None
        return target

    def _explain(self, error: BaseException) -> str:
        text = observe.describe(error)
        name = getattr(error, "name", None)
        if isinstance(error, NameError) and name in self._slice.skipped:
            text += f" (line {self._slice.skipped[name]} sets it; module-level statements do not run)"
        return text

    def _attempt(self, candidate: Recipe, target: Any) -> Subject | tuple[Failure, bool] | None:
        """Build and call once. None: this recipe is for something else."""
        watch = self.watch()
        built = False
        try:
            subject = self._make(candidate)
            if isinstance(target, type) and not self._holds(subject.layer, target):
                return None
            built = True
            with watch, self._eagerly():
                self.call(subject)
        except Exception as error:
            failure = watch.failure(error)
            return replace(failure, message=self._explain(error).partition(": ")[2] or failure.message), built
        return subject

    def _holds(self, layer: Any, target: type) -> bool:
        if isinstance(layer, target):
            return True
        return any(isinstance(value, target) for _, value in self.anatomy.walk(layer))

    def _give_up(self, failures: list[tuple[Recipe, Failure, bool]], target: Any) -> None:
        built = [(candidate, failure) for candidate, failure, done in failures if done]
        if built:
            # The failure that came furthest into the user's code says most.
            hopeless = [pair for pair in built if _is_hopeless(pair[1], target)]
            candidate, failure = hopeless[0] if hopeless else max(built, key=lambda pair: len(pair[1].lines))
            self.emit({"recipe": str(candidate), "eager_error": asdict(failure)})
        elif failures:
            candidate, failure, _ = failures[0]
            self.emit({"recipe": candidate.layer, "construction": asdict(failure)})
        else:
            self.emit({"stopped": "no way to build it was found"})

    def _make(self, candidate: Recipe) -> Subject:
        self.keras.utils.set_random_seed(_SEED)
        if candidate.pair:
            layer, inputs, *rest = self._evaluate(candidate.layer)
            inputs = tuple(inputs) if isinstance(inputs, tuple) else (inputs,)
            return Subject(layer, inputs, rest[0] if rest else {}, candidate)
        layer = self._evaluate(candidate.layer)
        inputs = tuple(self._evaluate(text) for text in candidate.inputs or (recipe.tensor((4, 8)),))
        keywords = {name: self._evaluate(text) for name, text in candidate.keywords.items()}
        return Subject(layer, inputs, keywords, candidate)

    def _evaluate(self, text: str) -> Any:
        names = {"tf": self.tf, "keras": self.keras, "np": sys.modules["numpy"]}
        return eval(compile(text, "<recipe>", "eval"), {**names, **vars(self.module)})

    def fresh(self, subject: Subject) -> Subject:
        """A new layer, made the same way, with the same inputs."""
        made = self._make(subject.recipe)
        return replace(made, inputs=subject.inputs, keywords=subject.keywords)

    # --- calls

    def callable_of(self, subject: Subject, eager: bool = False) -> Callable[..., Any]:
        """What is to be traced."""
        layer, keywords, entry = subject.layer, subject.keywords, self.request.entry
        if isinstance(layer, self.keras.Model) and entry in ("train_step", "test_step", "predict_step"):
            return _step(layer, entry)
        if isinstance(layer, self.keras.metrics.Metric):
            return lambda *a: (layer.update_state(*a, **keywords), layer.result())[1]
        if inspect.isfunction(layer) or hasattr(layer, "python_function"):
            layer = getattr(layer, "python_function", layer) if eager else self.tf.function(layer)
        return lambda *a: layer(*a, **keywords)

    def call(self, subject: Subject) -> Any:
        """One eager call."""
        return self.callable_of(subject, eager=True)(*subject.inputs)

    @contextmanager
    def _eagerly(self) -> Iterator[None]:
        """Also functions that the layer decorates with ``tf.function`` run as Python."""
        self.tf.config.run_functions_eagerly(True)
        try:
            yield
        finally:
            self.tf.config.run_functions_eagerly(False)

    def _eager_calls(self, subject: Subject) -> Eager:
        self.phase = "running it eagerly"
        subject = self._with_data(subject)
        lines: list[Lines] = []
        raised: dict[tuple[str, int, str], None] = {}
        outputs = []
        states = [self._state(subject.layer)]
        for _ in range(_CALLS):
            watch = self.watch()
            with self._eagerly(), watch:
                outputs.append(self.numbers(self.call(subject)))
            states.append(self._state(subject.layer))
            lines.append(watch.lines)
            raised.update(watch.raised)
        return Eager(subject, tuple(lines), tuple(raised), outputs, states)

    def _with_data(self, subject: Subject) -> Subject:
        """For a training step: the model compiled, and targets that fit its outputs."""
        entry = self.request.entry
        if not isinstance(subject.layer, self.keras.Model) or entry not in ("train_step", "test_step", "predict_step"):
            return subject
        model = subject.layer
        with self._eagerly():
            targets = self.tf.nest.map_structure(self.tf.zeros_like, model(*subject.inputs))
        if getattr(model, "optimizer", None) is None:
            model.compile(optimizer="sgd", loss="mse")
        if hasattr(model.optimizer, "build") and model.trainable_variables:
            model.optimizer.build(model.trainable_variables)
        inputs = subject.inputs[0] if len(subject.inputs) == 1 else subject.inputs
        return replace(subject, inputs=(inputs, targets) if entry != "predict_step" else (inputs,))

    def _state(self, layer: Any) -> dict[str, str]:
        return {**observe.python_state(self.anatomy, layer), **observe.random_state()}

    def numbers(self, output: Any) -> list[Any]:
        """The flat numbers of a result."""
        flat = self.tf.nest.flatten(output)
        return [value.numpy() if hasattr(value, "numpy") else value for value in flat]

    def specs(self, subject: Subject) -> tuple[Any, ...]:
        """Input signatures with an unknown batch size."""
        return tuple(self.tf.nest.map_structure(self._spec, value) for value in subject.inputs)

    def _spec(self, value: Any) -> Any:
        if isinstance(value, self.tf.RaggedTensor | self.tf.SparseTensor):
            return self.tf.type_spec_from_value(value)
        if isinstance(value, self.tf.Tensor) or type(value).__module__ == "numpy":
            shape = list(value.shape)
            return self.tf.TensorSpec([None, *shape[1:]] if shape else [], value.dtype)
        return value

    def traced(self, subject: Subject) -> tuple[Any, list[Any], Any]:
        """The layer as a function that is traced with an unknown batch size; Python inputs stay what they are."""
        call = self.callable_of(subject)
        specs = self.specs(subject)
        flat = self.tf.nest.flatten(specs)
        positions = [i for i, spec in enumerate(flat) if isinstance(spec, self.tf.TypeSpec)]
        values = self.tf.nest.flatten(subject.inputs)

        def traced(*arguments: Any) -> Any:
            filled = list(values)
            for position, argument in zip(positions, arguments, strict=True):
                filled[position] = argument
            return call(*self.tf.nest.pack_sequence_as(subject.inputs, filled))

        tensors = [self.tf.convert_to_tensor(values[i]) if not _composite(values[i]) else values[i] for i in positions]
        # Marks it as converted: AutoGraph is on, as in the user's own tf.function, but leaves this function alone.
        traced.autograph_info__ = {}  # type: ignore[attr-defined]
        function = self.tf.function(traced, input_signature=[flat[i] for i in positions])
        return function, tensors, traced

    def _trace(self, kind: str, subject: Subject, eager: Eager) -> Run:
        self.phase = f"tracing ({kind})"
        subject = self._with_data(subject) if kind == "fresh" else subject
        known = {id(value): value for _, value in self.anatomy.walk(subject.layer) if self._is_symbolic(value)}
        # Switching eager mode off can be seen only where it is on: the second run starts so.
        self.tf.config.run_functions_eagerly(kind == "fresh" and "run_functions_eagerly" in self.request.source)
        before = observe.settings(self.tf, self.keras)
        function, tensors, plain = self.traced(subject)
        watch = self.watch()
        error = None
        try:
            with watch:
                function.get_concrete_function()
        except TimeLimit:
            raise
        except Exception as caught:
            error = watch.failure(caught)
        flags = observe.changed(before, observe.settings(self.tf, self.keras))
        leaks = self._leaks(subject.layer, known)
        swallowed = tuple(place for place in watch.raised if place not in eager.raised)
        run = Run(kind, watch.lines, error=error, swallowed=swallowed, leaks=leaks, flags=flags)
        self._reset_flags(before)
        return run if error else self._graph_calls(run, subject, eager, function, tensors, plain)

    def _reset_flags(self, before: Mapping[str, str]) -> None:
        self.tf.config.run_functions_eagerly(False)
        if before.get("keras floatx"):
            self.keras.backend.set_floatx(before["keras floatx"])

    def _graph_calls(
        self, run: Run, subject: Subject, eager: Eager, function: Any, tensors: list[Any], plain: Any
    ) -> Run:
        self.phase = f"running the graph ({run.kind})"
        lines, outputs = [], []
        states = [self._state(subject.layer)]
        watch = self.watch()
        try:
            for _ in range(_CALLS):
                watch = self.watch()
                with watch:
                    outputs.append(self.numbers(function(*tensors)))
                states.append(self._state(subject.layer))
                lines.append(watch.lines)
        except Exception as error:
            return replace(run, graph=tuple(lines), second_error=watch.failure(error))
        repeats = all(_equal(outputs[0], other) for other in outputs[1:])
        differs = repeats and not eager.varies() and not _equal(eager.outputs[-1], outputs[0], close=True)
        run = replace(run, graph=tuple(lines), repeats=repeats, stuck=eager.stuck(states))
        run = replace(run, differs=differs and run.kind != "fresh")
        return replace(run, second_error=self._second_trace(plain, tensors))

    def _second_trace(self, plain: Any, tensors: list[Any]) -> Failure | None:
        """Tensors that the first trace left behind are met by the next one."""
        self.phase = "tracing a second time"
        watch = self.watch()
        try:
            with watch:
                self.tf.function(plain).get_concrete_function(*tensors)
        except Exception as error:
            return watch.failure(error)
        return None

    def _leaks(self, layer: Any, known: Mapping[int, Any]) -> tuple[str, ...]:
        return tuple(
            f"{path} ({observe.short(value)})"
            for path, value in self.anatomy.walk(layer)
            if id(value) not in known and self._is_symbolic(value)
        )[:20]

    def _is_symbolic(self, value: Any) -> bool:
        return isinstance(value, self.tf.Tensor) and self.tf.is_symbolic_tensor(value)

    def _benchmark(self, subject: Subject) -> None:
        self.phase = "measuring"
        instance = self._with_data(self.fresh(subject))
        eager = _median_ms(lambda: self.call(instance))
        function, tensors, _ = self.traced(instance)
        self.emit({"eager_ms": eager, "graph_ms": _median_ms(lambda: function(*tensors))})


@dataclass(frozen=True)
class Eager:
    """Three eager calls of one layer."""

    subject: Subject
    lines: tuple[Any, ...]
    raised: tuple[Any, ...]
    outputs: list[list[Any]]
    states: list[dict[str, str]]

    def varies(self) -> bool:
        """Whether calls with the same inputs gave different numbers."""
        return not all(_equal(self.outputs[0], other) for other in self.outputs[1:])

    def stuck(self, graph: list[dict[str, str]]) -> tuple[str, ...]:
        """Python state that each eager call moved and no graph call did."""
        names = [
            name
            for name, value in self.states[-1].items()
            if any(name in state for state in self.states[1:-1])
            and self.states[1].get(name) != self.states[2].get(name) != value
        ]
        return tuple(
            f"{name}: {self.states[1].get(name)}, {self.states[2].get(name)}, {self.states[3].get(name)} after three"
            f" eager calls; {graph[-1].get(name)} after three graph calls, as it was before them"
            for name in names
            if len({state.get(name) for state in graph}) == 1
        )

    def event(self) -> dict[str, Any]:
        """What is told about it."""
        return {"eager": self.lines, "eager_raised": self.raised, "varies": self.varies()}


def _method_of(keras: Any, target: type) -> str:
    if issubclass(target, keras.metrics.Metric):
        return "update_state"
    return "call" if hasattr(target, "call") else "__call__"


def _step(model: Any, entry: str) -> Callable[..., Any]:
    step = getattr(model, entry)
    return lambda *data: step(data if len(data) > 1 else data[0])


def _is_hopeless(failure: Failure, target: Any) -> bool:
    own = f"'{getattr(target, '__name__', '')}' object has no attribute"
    return bool(failure.lines) and any(text in failure.message for text in (*_HOPELESS, own))


def _composite(value: Any) -> bool:
    return type(value).__name__ in ("RaggedTensor", "SparseTensor")


def _equal(left: list[Any], right: list[Any], close: bool = False) -> bool:
    np = sys.modules["numpy"]

    if len(left) != len(right):
        return False
    for a, b in zip(left, right, strict=True):
        try:
            same = (
                np.allclose(a, b, rtol=1e-4, atol=1e-5, equal_nan=True)
                if close
                else np.array_equal(a, b, equal_nan=True)
            )
        except TypeError:
            same = bool(np.all(np.asarray(a) == np.asarray(b)))
        except ValueError:
            same = False
        if not same:
            return False
    return True


def _median_ms(call: Callable[[], object], budget: float = 1.0) -> float:
    for _ in range(3):
        call()
    times = []
    end = time.perf_counter() + budget
    while time.perf_counter() < end and len(times) < 200:
        start = time.perf_counter()
        call()
        times.append((time.perf_counter() - start) * 1000)
    return round(statistics.median(times), 4)
