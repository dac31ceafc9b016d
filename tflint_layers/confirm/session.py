"""What happens to one layer inside the sandbox: built, called eagerly, traced, called as a graph, and looked at.

TensorFlow and Keras are passed in by the worker.
"""

from __future__ import annotations

import itertools
import pdb
import re
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tflint_layers.confirm import equivalence, observe, retraces
from tflint_layers.confirm.builder import Builder, Subject, Unrunnable, call_parameters
from tflint_layers.confirm.helper import HelperText
from tflint_layers.confirm.measure import measure, tensorflow_variables
from tflint_layers.confirm.neutralise import STAND_IN, StandIns
from tflint_layers.confirm.observe import Watch
from tflint_layers.confirm.onward import Onward
from tflint_layers.confirm.recipe import GUESSED, MADE_UP
from tflint_layers.confirm.request import ENDLESS, Failure, Lines, Run, TraceRequest
from tflint_layers.confirm.sandbox import Emit, TimeLimit

_CALLS, _OTHERS = 3, 2
_EAGER_FLAG = "tf.config.functions_run_eagerly()"


def run(request: TraceRequest, emit: Emit, tf: Any, keras: Any) -> None:
    """Observe the layer of a request; what is found is emitted as soon as it is found."""
    session = Session(request, emit, tf, keras)
    with _time_limit(request.timeout * 0.9, session):
        try:
            session.observe()
        except Unrunnable as answer:
            emit(answer.event)
        except TimeLimit as error:
            places = session.watch().failure(error).lines
            where = f", at line {places[-1][1]} of {Path(places[-1][0]).name}" if places else ""
            emit({"stopped": f"did not end within {request.timeout:g} s ({session.phase}{where})", "cut_short": True})
        except BaseException as error:
            cut_short = isinstance(error, MemoryError)
            emit({"stopped": f"{session.phase}: {observe.describe(error)}", "cut_short": cut_short})


@contextmanager
def _time_limit(seconds: float, session: Session) -> Iterator[None]:
    def stop(*_: object) -> None:
        session.is_over_time = True
        raise TimeLimit

    signal.signal(signal.SIGALRM, stop)
    # Again and again, for the layer's own `except:` may swallow one.
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.2)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _end_of_time(error: BaseException) -> BaseException:
    """The exception by which the time ended first; others may have been made of it, or have come while it went up."""
    first, current = error, error.__cause__ or error.__context__
    while current is not None:
        first = current if isinstance(current, TimeLimit) else first
        current = current.__cause__ or current.__context__
    return first


@dataclass(frozen=True)
class Eager:
    """Three eager calls of one layer, with its Python state before and after each."""

    subject: Subject
    lines: tuple[Lines, ...]
    raised: tuple[tuple[str, int, str], ...]
    outputs: list[list[Any]]
    states: list[dict[str, str]]
    seconds: float

    def varies(self) -> bool:
        """Whether calls with the same inputs gave different numbers."""
        return not all(observe.equal(self.outputs[0], other) for other in self.outputs[1:])

    def moved(self) -> tuple[str, ...]:
        """Python state that changed after it was first there."""
        pairs = list(zip(self.states, self.states[1:], strict=False))
        return tuple(
            name for name in self.states[-1] if any(name in old and old[name] != new.get(name) for old, new in pairs)
        )

    def stuck(self, graph: list[dict[str, str]]) -> tuple[str, ...]:
        """Python state that each eager call moved and no graph call did."""
        _, first, second, third = self.states
        moving = [name for name in third if first.get(name) != second.get(name) != third[name]]
        return tuple(
            f"{name}: {first.get(name)}, {second.get(name)}, {third[name]} after three eager calls;"
            f" {graph[-1].get(name)} after each of three graph calls"
            for name in moving
            if len({state.get(name) for state in graph}) == 1
        )


class Session:
    """One layer in one process."""

    def __init__(self, request: TraceRequest, emit: Emit, tf: Any, keras: Any) -> None:
        self.request, self.emit, self.tf, self.keras = request, emit, tf, keras
        self.phase = "loading the module"
        self.is_over_time = False
        self.maps = observe.SourceMaps()
        self.stand_ins: StandIns | None = None
        self.replaced: tuple[observe.Place, ...] = ()
        self.spans: list[tuple[observe.Place, observe.Span | None]] = []
        known = frozenset(sys.modules)
        self._helpers = [
            HelperText(request.helper, text, known) for text in request.helper_texts or () if request.helper
        ]
        self._prepare()

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
        if loader := sys.modules.get("tensorflow.python.autograph.pyct.loader"):
            self.maps.listen(loader)
        if transpiler := sys.modules.get("tensorflow.python.autograph.pyct.transpiler"):
            self.maps.work_unwatched(transpiler)
        if inspection := sys.modules.get("tensorflow.python.autograph.pyct.inspect_utils"):
            # It would read the file anew, which holds neither a fix that is tried nor what an editor has not saved.
            inspection._fix_linecache_record = lambda _: None  # type: ignore[attr-defined]

    def watch(self) -> observe.Watch:
        """A fresh count of lines."""
        return observe.Watch({self.request.path, *self.request.watch}, self.maps)

    def builder(self, source: str, *, fixed: bool = False) -> Builder:
        """What builds layers of a text of this session's file, with its helper as it was, or ``fixed``."""
        self.use_helper(fixed=fixed)
        build = Builder(self.request, source, self.maps, self.tf, self.keras)
        vars(build.module)[STAND_IN] = self.stand_ins
        return build

    def use_helper(self, *, fixed: bool) -> None:
        """Let what is imported from now on be what it was before the fix, or after it."""
        if self._helpers:
            self._helpers[fixed].use()

    def observe(self) -> None:
        """Everything there is to see, in the order in which it may go wrong."""
        self.emit({"versions": {"tensorflow": self.tf.__version__, "keras": self.keras.__version__}})
        self.build = self.builder(self.request.source)
        self.phase = "building the layer"
        if self.request.fixed is not None:
            equivalence.compare(self, self.request.fixed)
            return
        onward = Onward(self)
        running = self.build.that_run()
        try:
            subject = next(running)
        except Unrunnable as answer:
            self.emit(answer.event)
            found = onward.after_refusal(answer)
            if found is None:
                return
            subject = found
        subject = self._observe_runs(subject, running, onward)
        if self.request.benchmark:
            self.phase = "measuring"
            try:
                measure(self, subject)
            except (Exception, TimeLimit):
                # That there was no time for it says nothing about the layer.
                signal.setitimer(signal.ITIMER_REAL, 0)

    def _first_run(self, subject: Subject) -> tuple[Eager, Run]:
        """Three eager calls, and the trace of the layer that made them."""
        self.emit({"recipe": str(subject.recipe), "setup": subject.recipe.imports})
        eager = self.eager_calls(self.build, subject)
        self.emit(
            {"eager": eager.lines, "eager_raised": eager.raised, "varies": eager.varies(), "moved": eager.moved()}
        )
        self.emit({"untracked": self._untracked(eager.subject.layer)})
        return eager, self.trace("built", self.build, eager.subject, eager)

    def _contradicting(self, subject: Subject, error: Failure, others: Iterator[Subject]) -> Subject | None:
        """Where made up inputs run but do not trace: others that do both, for the first may be the wrong ones then.

        Where a line fails of which it is known that it cannot be traced, the inputs are not to blame.
        """
        if subject.recipe.origin not in MADE_UP or set(error.lines) & set(self.request.sure):
            return None
        self.phase = "looking for other inputs"
        for other in itertools.islice((o for o in others if _outline(o) != _outline(subject)), _OTHERS):
            if self._error_of_tracing(other) is None:
                self.emit({"stopped": f"{subject.recipe} fails to trace ({error}), but other inputs do not"})
                return other
        return None

    def _error_of_tracing(self, subject: Subject) -> Failure | None:
        self._restore_settings()
        build = self.builder(self.request.source)
        function, _, _ = self.traced(build, build.with_data(build.fresh(subject)))
        try:
            function.get_concrete_function()
        except Exception as error:
            return self.watch().failure(error)
        finally:
            self._restore_settings()
        return None

    def _observe_runs(self, subject: Subject, others: Iterator[Subject], onward: Onward) -> Subject:
        """Everything that tracing shows; the subject that showed it."""
        eager, run = self._first_run(subject)
        if run.error and (better := self._contradicting(subject, run.error, others)):
            subject = better
            eager, run = self._first_run(subject)
        self.tell(run)
        failed = (subject, run, self.spans)
        # Eager calls filled the caches and globals of the module as well.
        again = self.builder(onward.text)
        fresh = self.trace("fresh", again, again.with_data(again.fresh(subject)), eager)
        self.tell(fresh)
        failed = failed if run.error else (subject, fresh, self.spans)
        if any(name in self.request.source for name in ("py_function", "numpy_function")):
            self.tell(self._functional(subject, eager))
        seen = (*eager.lines, run.traced, fresh.traced)
        reached = {(path, line) for lines in seen for path, counts in lines.items() for line in counts}
        training = self.build.in_training(subject)
        if training is not None and not set(self.request.flagged) <= reached:
            eager = self.eager_calls(self.build, training)
            run = replace(self.trace("training=True", self.build, eager.subject, eager), eager=eager.lines)
            self.tell(run)
            failed = (training, run, self.spans) if run.error else failed
        if failed[1].error:
            onward.after_failures(*failed)
        else:
            self.emit({"retraces": self._retraces(subject)})
        return subject

    def _retraces(self, subject: Subject) -> list[str]:
        """What is traced anew in each call; that it cannot be counted says nothing about the layer."""
        self.phase = "counting traces"
        anew = self.build.with_data(self.build.fresh(subject))
        names = [name for name in call_parameters(anew.layer) if name != "self"]
        plain = not self.build.is_step(subject) and len(names) >= len(anew.inputs) > 0
        try:
            counted = list(
                retraces.of_functions(self.build.anatomy, anew.layer, lambda: anew.layer(*anew.inputs, **anew.keywords))
            )
            if plain and subject.recipe.origin != GUESSED:
                words = {**dict(zip(names[1:], anew.inputs[1:], strict=False)), **anew.keywords}
                first = anew.inputs[0]
                counted += retraces.of_arguments(self.tf, lambda **given: anew.layer(first, **given), words)
        except Exception:
            return []
        return counted

    def tell(self, run: Run) -> None:
        """Emit what a trace showed."""
        self.emit({"runs": [asdict(run)]})

    # --- eager mode

    def eager_calls(self, build: Builder, subject: Subject) -> Eager:
        """Three calls of a new layer."""
        self.phase = "running it eagerly"
        subject = build.with_data(build.fresh(subject))
        lines: list[Lines] = []
        raised: dict[tuple[str, int, str], None] = {}
        outputs = []
        states = [_state(build, subject.layer)]
        start = time.monotonic()
        for _ in range(_CALLS):
            with self._kept_values(), build.eagerly(), self.watch() as watch:
                outputs.append(self.numbers(build.call(subject)))
            states.append(_state(build, subject.layer))
            lines.append(watch.lines)
            raised.update(watch.raised)
        return Eager(subject, tuple(lines), tuple(raised), outputs, states, time.monotonic() - start)

    @contextmanager
    def _kept_values(self) -> Iterator[None]:
        """For an eager call, whose values stand in for what cannot be traced."""
        if self.stand_ins is not None:
            self.stand_ins.begin_eager_call()
        yield
        if self.stand_ins is not None:
            self.stand_ins.end_eager_call()

    def numbers(self, output: Any) -> list[Any]:
        """The flat numbers of a result."""
        return [value.numpy() if hasattr(value, "numpy") else value for value in self.tf.nest.flatten(output)]

    # --- graph mode

    def traced(self, build: Builder, subject: Subject) -> tuple[Any, list[Any], Callable[..., Any]]:
        """The layer as a function to be traced with an unknown batch size, the tensors it takes, and what it wraps.

        Inputs that are no tensors stay what they are.
        """
        call = build.callable_of(subject)
        given = (subject.inputs, dict(subject.keywords))
        values = self.tf.nest.flatten(given)
        batch = next((value.shape[0] for value in values if len(getattr(value, "shape", ()))), None)
        specs = {number: spec for number, value in enumerate(values) if (spec := self._spec(value, batch)) is not None}

        def traced(*arguments: Any) -> Any:
            filled = list(values)
            for number, argument in zip(specs, arguments, strict=True):
                filled[number] = argument
            inputs, keywords = self.tf.nest.pack_sequence_as(given, filled)
            return call(*inputs, **keywords)

        # Marks it as converted: AutoGraph is on, as in the user's own tf.function, but leaves this function alone.
        traced.autograph_info__ = {}  # type: ignore[attr-defined]
        return self.tf.function(traced, input_signature=list(specs.values())), [values[n] for n in specs], traced

    def _spec(self, value: Any, batch: int | None) -> Any:
        """What is known of an input while tracing: all but the batch size, which is that of the first one."""
        if isinstance(value, self.tf.RaggedTensor | self.tf.SparseTensor):
            return self.tf.type_spec_from_value(value)
        if isinstance(value, self.tf.Tensor) or type(value).__name__ == "ndarray":
            shape = list(value.shape)
            return self.tf.TensorSpec([None, *shape[1:]] if shape and shape[0] == batch else shape, value.dtype)
        return None

    def trace(self, kind: str, build: Builder, subject: Subject, eager: Eager) -> Run:
        """Trace a layer, and call the graph three times if there is one."""
        self.phase = f"tracing ({kind})"
        known = {id(value): value for _, value in build.anatomy.walk(subject.layer) if self._is_symbolic(value)}
        self._restore_settings()
        # Switching eager mode off can be seen only where it is on.
        switched = kind == "fresh" and "run_functions_eagerly" in self.request.source
        function, tensors, plain = self.traced(build, subject)
        self.tf.config.run_functions_eagerly(switched)
        before = {**self.build.settings, _EAGER_FLAG: str(switched)}
        watch, error = self.watch(), None
        self._begin_trace()
        start = time.monotonic()
        try:
            with watch:
                function.get_concrete_function()
        except (Exception, TimeLimit) as caught:
            if self.is_over_time:
                signal.setitimer(signal.ITIMER_REAL, 0)
                # The layer, or Python itself, may have made another exception of the one that ends it.
                self._tell_endless(kind, watch, _end_of_time(caught), time.monotonic() - start, eager)
                raise TimeLimit from caught
            error, self.spans = build.explained(watch.failure(caught)), watch.spans(caught)
        run = Run(
            kind,
            watch.lines,
            error=error,
            swallowed=tuple(place for place in watch.raised if place not in eager.raised),
            leaks=self._leaks(build, subject.layer, known),
            flags=observe.changed(before, observe.settings(self.tf, self.keras)),
            replaced=self.replaced,
        )
        self._restore_settings()
        return run if error else self._graph_calls(run, build, subject, eager, function, tensors, plain)

    def _tell_endless(self, kind: str, watch: Watch, error: BaseException, seconds: float, eager: Eager) -> None:
        """Where eager mode was soon done, it is tracing that does not end."""
        if seconds > 10 * eager.seconds:
            told = f"it was not done after {seconds:.0f} s, eager mode after {eager.seconds:.1g} s"
            self.tell(Run(kind, watch.lines, error=replace(watch.failure(error), type=ENDLESS, message=told)))

    def _begin_trace(self) -> None:
        if self.stand_ins is not None:
            self.stand_ins.begin_trace()

    def _restore_settings(self) -> None:
        before = self.build.settings
        self.tf.config.run_functions_eagerly(False)
        if "keras floatx" in before:
            self.keras.backend.set_floatx(before["keras floatx"])
        self.tf.config.set_soft_device_placement(before.get("tf.config.get_soft_device_placement()") != "False")

    def _graph_calls(
        self,
        run: Run,
        build: Builder,
        subject: Subject,
        eager: Eager,
        function: Any,
        tensors: list[Any],
        plain: Callable[..., Any],
    ) -> Run:
        self.phase = f"running the graph ({run.kind})"
        lines: list[Lines] = []
        outputs = []
        states = [_state(build, subject.layer)]
        watch = self.watch()
        try:
            for _ in range(_CALLS):
                watch = self.watch()
                with watch:
                    outputs.append(self.numbers(function(*tensors)))
                states.append(_state(build, subject.layer))
                lines.append(watch.lines)
        except Exception as error:
            return replace(run, graph=tuple(lines), later_error=watch.failure(error))
        repeats = all(observe.equal(outputs[0], other) for other in outputs[1:])
        # Another instance has other weights: only the one that ran eagerly can be compared.
        alike = observe.equal(eager.outputs[-1], outputs[0], close=True)
        return replace(
            run,
            graph=tuple(lines),
            repeats=repeats,
            stuck=eager.stuck(states),
            differs=repeats and not eager.varies() and not alike and run.kind != "fresh",
            later_error=self._second_trace(plain, tensors),
        )

    def _second_trace(self, plain: Callable[..., Any], tensors: list[Any]) -> Failure | None:
        """Tensors that the first trace left behind are met by the next one."""
        self.phase = "tracing a second time"
        self._begin_trace()
        watch = self.watch()
        try:
            with watch:
                self.tf.function(plain).get_concrete_function(*tensors)
        except Exception as error:
            return watch.failure(error)
        return None

    def _functional(self, subject: Subject, eager: Eager) -> Run:
        """A functional model of the layer: Keras must know the shapes of what it returns."""
        self.phase = "building a functional model"
        layer, inputs = self.build.fresh(subject).layer, subject.inputs
        watch, error = self.watch(), None
        try:
            symbolic = self.tf.nest.map_structure(
                lambda value: self.keras.Input(batch_shape=[None, *value.shape[1:]], dtype=value.dtype.name), inputs
            )
            with watch:
                self.keras.Model(symbolic, layer(*symbolic, **subject.keywords))
        except Exception as caught:
            error = watch.failure(caught)
        return Run("functional", watch.lines, error=error)

    def _untracked(self, layer: Any) -> tuple[str, ...]:
        """The attributes that hold variables which are no weights of the layer."""
        known = {id(variable) for variable in tensorflow_variables(self.tf, getattr(layer, "variables", ()))}
        return tuple(
            path
            for path, value in self.build.anatomy.walk(layer)
            if path.startswith("self.") and isinstance(value, self.tf.Variable) and id(value) not in known
        )[:20]

    def _leaks(self, build: Builder, layer: Any, known: Mapping[int, Any]) -> tuple[str, ...]:
        return tuple(
            f"{path} ({observe.short(value)})"
            for path, value in build.anatomy.walk(layer)
            if id(value) not in known and self._is_symbolic(value)
        )[:20]

    def _is_symbolic(self, value: Any) -> bool:
        return isinstance(value, self.tf.Tensor) and bool(self.tf.is_symbolic_tensor(value))


def _outline(subject: Subject) -> str:
    """A recipe without its sizes: with one size for another, a layer does the same."""
    return re.sub(r"\d+", "", str(subject.recipe))


def _state(build: Builder, layer: Any) -> dict[str, str]:
    return {**observe.python_state(build.anatomy, layer), **observe.random_state()}
