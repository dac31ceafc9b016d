"""Finds a recipe that runs: builds the layer of a module slice and calls it, recipe after recipe.

TensorFlow and Keras are passed in by the worker.
"""

from __future__ import annotations

import inspect
import itertools
import linecache
import re
import sys
import traceback
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from tflint_layers.confirm import found, observe, recipe
from tflint_layers.confirm.draft import Draft
from tflint_layers.confirm.inputs import Call
from tflint_layers.confirm.lessons import Knowledge, Mishap
from tflint_layers.confirm.module_slice import Missing, ModuleSlice, optional_imports, remember_source
from tflint_layers.confirm.parameters import Signature
from tflint_layers.confirm.recipe import MADE_UP, Recipe
from tflint_layers.confirm.request import MISSING_MODULE, Failure, TraceRequest
from tflint_layers.confirm.search import Search, Source
from tflint_layers.confirm.values import BATCH, Tensor, tensor

STEPS = ("train_step", "test_step", "predict_step")

_SEED = 7
_ATTRIBUTE_OF_NONE = re.compile(r"'NoneType' object has no attribute '(\w+)'")
# Where code of others may call a layer with Python values, which is not how a model calls it.
_LOOSE = frozenset({"documentation", "project", "tests"})
# Failures that no other input would cure: what the code asks for is refused whatever it is given.
_HOPELESS = (
    "item assignment", "item deletion", "add_metric", "add_update", "new elements of state", "already built",
    "Unrecognized keyword argument", "unexpected keyword argument 'dynamic'", "valid root scope name",
    "Only input tensors may be passed as positional", "tried to create variables on non-first call",
    "cannot be used as input to a TensorFlow function", "out of scope and cannot be used here",
)  # fmt: skip


@dataclass(frozen=True)
class Subject:
    """A layer (or loss, metric, function ..) with the inputs that it runs on."""

    layer: Any
    inputs: tuple[Any, ...]
    keywords: Mapping[str, Any]
    recipe: Recipe


@dataclass(frozen=True)
class Attempt:
    """A recipe that did not run; ``mishap`` is what can be learned from it."""

    recipe: Recipe
    failure: Failure
    mishap: Mishap
    hopeless: bool


class Unrunnable(Exception):  # noqa: N818 - an answer, not an error
    """No recipe runs; ``event`` is what is to be told about it."""

    def __init__(self, because: str, event: dict[str, Any]) -> None:
        super().__init__(because)
        self.event = event


class Builder:
    """Layers of one source text."""

    def __init__(self, request: TraceRequest, source: str, maps: observe.SourceMaps, tf: Any, keras: Any) -> None:
        self._request, self._tf, self._keras, self._maps = request, tf, keras, maps
        self._slice = ModuleSlice(request.path, source)
        self._files = frozenset({request.path, *request.watch})
        self.settings: dict[str, str] = {}
        self.module = self._slice.load()
        private = frozenset(vars(keras.layers.Layer())) | frozenset(vars(keras.Model()))
        self.anatomy = observe.Anatomy(self.module, self._files, private)

    def use_text(self) -> None:
        """Let AutoGraph find the text of these layers, where those of another text were loaded since."""
        remember_source(self._slice.path, self._slice.source)

    def watch(self) -> observe.Watch:
        """A fresh count of lines."""
        return observe.Watch(self._files, self._maps)

    def first_that_runs(self, known: Recipe | None = None) -> Subject:
        """The subject of the first recipe that runs eagerly; ``known`` is tried before all others.

        Raises:
            Unrunnable: there is none.
        """
        return next(self.that_run(known))

    def that_run(self, known: Recipe | None = None) -> Iterator[Subject]:
        """The subjects of the recipes that run eagerly, likeliest first; ``known`` is tried before all others.

        Raises:
            Unrunnable: there is none at all.
        """
        target = self._target()
        search = self._search(target, known)
        attempts: list[Attempt] = []
        some = False
        for draft in search:
            outcome = self._attempt(replace(draft.recipe(), method=self._method(target)), target)
            if isinstance(outcome, Subject):
                some = True
                yield outcome
            elif outcome is not None:
                attempts.append(outcome)
                if outcome.hopeless:
                    break
                search.failed(draft, outcome.mishap)
        if not some:
            raise _unrunnable(attempts, search.out_of_time)

    def _target(self) -> Any:
        name = self._request.layer or self._request.function
        if name is None:
            return None
        target: Any = self.module
        try:
            for part in name.split("."):
                target = getattr(target, part)
        except AttributeError as error:
            # What is made by a function is known when that has run.
            if found.factories(self._slice.tree, name):
                return None
            raise _unknown(f"`{name}` is not in the module: {self._explain(error)}") from error
        if isinstance(target, Missing):
            raise _unknown(self._explain(self._slice.failed[name.partition(".")[0]]))
        return target

    def _method(self, target: Any) -> str:
        """What is to be called of the objects of a class that cannot be called themselves; empty for all others."""
        entry = self._request.entry
        return entry if isinstance(target, type) and "__call__" not in dir(target) and hasattr(target, entry) else ""

    def _entry_point(self, target: type) -> str:
        """The method that runs when an object of a class is called, or is called in its place."""
        if issubclass(target, self._keras.metrics.Metric):
            return "update_state"
        return self._method(target) or ("call" if hasattr(target, "call") else "__call__")

    def _explain(self, error: BaseException) -> str:
        text = observe.describe(error)
        name = getattr(error, "name", None)
        if isinstance(error, NameError) and name in self._slice.skipped:
            text += f" (line {self._slice.skipped[name]} sets it, but module-level statements do not run)"
        return text

    def explained(self, failure: Failure) -> Failure:
        """The failure, or that a module is missing, where it comes from the None that has its name then."""
        missed = _ATTRIBUTE_OF_NONE.search(failure.message)
        if missed is None or failure.type != "AttributeError" or not failure.lines:
            return failure
        path, line = failure.lines[-1]
        text = linecache.getline(path, line) if path == self._request.path else ""
        for name, module in optional_imports(self._slice.tree):
            is_used = re.search(rf"\b{name}\.{missed[1]}\b", text)
            if is_used and vars(self.module).get(name, self) is None:
                message = f"it needs {module}, without which `{name}` is None"
                return replace(failure, type=MISSING_MODULE, message=message)
        return failure

    # --- recipes

    def _search(self, target: Any, known: Recipe | None) -> Search:
        name = self._request.layer or self._request.function or ""
        if self._request.call is not None:
            return Search(
                [(0.0, _complete([Recipe(self._request.call, (tensor((BATCH, 8)),))]))], _nothing_known(), self._seconds
            )
        ready = ([known] if known else [], self._given(name, target))
        function = getattr(target, self._entry_point(target), None) if isinstance(target, type) else target
        knowledge = Knowledge(
            Signature.of(target, vars(self.module)) if isinstance(target, type) else Signature({}),
            Call.of(function, _source(target), inspect.getdoc(target) or ""),
        )
        sources: list[Source] = [(-1000.0, _complete(itertools.chain(*ready)))]
        if isinstance(target, type):
            sources += self._of_class(name, target, knowledge)
        elif target is not None:
            sources.append((0.0, self._with_inputs(Draft(name), knowledge.call)))
        for factory in found.factories(self._slice.tree, name):
            function = vars(self.module).get(factory)
            if isinstance(function, types.FunctionType):
                knowledge = replace(knowledge, signature=Signature.of(function, vars(self.module)))
                draft = Draft(factory, tuple(knowledge.signature.required()))
                sources.append((0.0, self._with_inputs(draft, Call.of(lambda inputs: inputs))))
        return Search(sources, knowledge, self._seconds)

    @property
    def _seconds(self) -> float:
        """Half of the time is for finding a recipe, half for what is to be seen with it."""
        return self._request.timeout * 0.45

    def _given(self, name: str, target: Any) -> Iterator[Recipe]:
        """What the user wrote down as the way to run the layer."""
        if self._request.example is not None:
            yield recipe.from_settings(name, self._request.example)
        if callable(vars(self.module).get("example")):
            yield Recipe("example()", pair=True, origin="example")
        if isinstance(target, type) and callable(getattr(target, "example", None)):
            yield Recipe(f"{name}.example()", pair=True, origin="example")

    def _of_class(self, name: str, target: type, knowledge: Knowledge) -> list[Source]:
        home = found.code_of_file(self._slice.tree)
        plain = name.rpartition(".")[2]
        package = target.__module__.partition(".")[0] if "." in target.__module__ else ""
        here = list(found.recipes_in(home, plain))
        documented = list(itertools.islice(_documented(target, home, package), 20))
        there = [Draft.shown(data) for data in self._request.shown]
        method = getattr(target, self._entry_point(target), None)
        cell = hasattr(target, "state_size") or (callable(method) and "states" in _parameters(method))
        signed = Draft(name, tuple(knowledge.signature.required()))
        sources: list[Source] = [
            (-400.0, _complete(shown for shown in here if shown.inputs or shown.keywords)),
            (-300.0, (draft for draft in there if draft.inputs or draft.keywords)),
            (-100.0, _complete(shown for shown in documented if shown.inputs or shown.keywords)),
            (0.0, self._with_inputs(signed, knowledge.call)),
            (0.5, self._with_known_builds([*_complete(here), *there, *_complete(documented)], knowledge.call)),
        ]
        if cell:
            recurrent = replace(signed, around="tf.keras.layers.RNN({})")
            sources.append((-1.0, iter([replace(recurrent, inputs=(("inputs", Tensor((BATCH, 6, 8))),))])))
        return sources

    def _with_known_builds(self, shown: list[Draft], call: Call) -> Iterator[Draft]:
        """What other code builds, called with made up inputs; in turns, for not every piece of code is a good one."""
        builds = list({draft.layer: draft for draft in shown}.values())[:6]
        drafts = [self._with_inputs(replace(draft, keywords=()), call) for draft in builds]
        return (draft for group in itertools.zip_longest(*drafts) for draft in group if draft is not None)

    def _with_inputs(self, draft: Draft, call: Call) -> Iterator[Draft]:
        if self._request.entry == "__call__" and "shape" in call.names:
            yield replace(draft, inputs=(("shape", "[4, 8]"),))
            return
        if not call.names:
            yield draft
        for inputs in call.drafts(found.shapes_in_file(self._slice.tree)):
            # Keras 3 takes nothing but tensors by position.
            plain = tuple(pair for pair in inputs[1:] if isinstance(pair[1], str) or pair[0] in call.by_keyword)
            yield replace(draft, inputs=tuple(pair for pair in inputs if pair not in plain), keywords=plain)

    # --- building

    def _attempt(self, candidate: Recipe, target: Any) -> Subject | Attempt | None:
        """Build and call once. None: this recipe is for something else."""
        built = False
        try:
            subject = self._make(candidate)
            if not self._is_wanted(subject.layer, target):
                return None
            built = True
            self.settings = self.settings or observe.settings(self._tf, self._keras)
            if candidate.origin in _LOOSE and not self._has_tensors(subject):
                return None
            with self.eagerly():
                self.call(self.with_data(subject))
        except Exception as error:
            failure = replace(self.watch().failure(error), message=self._explain(error).partition(": ")[2])
            own = f"'{getattr(target, '__name__', '')}' object has no attribute"
            hopeless = built and bool(failure.lines) and any(text in failure.message for text in (*_HOPELESS, own))
            mishap = Mishap(failure.type, failure.message, _code_of(error), built)
            return Attempt(candidate, failure, mishap, hopeless)
        return subject

    def _has_tensors(self, subject: Subject) -> bool:
        """Whether there is anything that a graph could be given anew."""
        values = self._tf.nest.flatten((subject.inputs, dict(subject.keywords)))
        return not values or any(hasattr(value, "shape") for value in values)

    def _is_wanted(self, layer: Any, target: Any) -> bool:
        """Whether the layer is what the request is about, or holds it."""
        if isinstance(target, type):
            return isinstance(layer, target) or any(isinstance(v, target) for _, v in self.anatomy.walk(layer))
        if target is None and self._request.layer is not None:
            name = self._request.layer.rpartition(".")[2]
            return any(type(value).__name__ == name for _, value in self.anatomy.walk(layer))
        return True

    def _make(self, candidate: Recipe) -> Subject:
        self._keras.utils.set_random_seed(_SEED)
        if candidate.pair:
            layer, inputs, *rest = self._evaluate(candidate.layer, {})
            return Subject(layer, inputs if isinstance(inputs, tuple) else (inputs,), dict(*rest), candidate)
        names: dict[str, Any] = {}
        for statement in candidate.imports:
            exec(compile(statement, "<recipe>", "exec"), names)
        layer = self._evaluate(candidate.layer, names)
        values = tuple(self._evaluate(text, names) for text in candidate.inputs)
        return Subject(layer, values, {key: self._evaluate(text, names) for key, text in candidate.keywords}, candidate)

    def _evaluate(self, text: str, more: Mapping[str, Any]) -> Any:
        names = {"tf": self._tf, "keras": self._keras, "np": sys.modules["numpy"]}
        return eval(compile(text, "<recipe>", "eval"), {**names, **more, **vars(self.module)})

    def fresh(self, subject: Subject) -> Subject:
        """A new layer, made the same way, for the same inputs."""
        return replace(self._make(subject.recipe), inputs=subject.inputs, keywords=subject.keywords)

    def with_data(self, subject: Subject) -> Subject:
        """For a training step: the model compiled and called once, and targets that fit its outputs."""
        if not self.is_step(subject):
            return subject
        model = subject.layer
        with self.eagerly():
            targets = self._tf.nest.map_structure(self._tf.zeros_like, model(*subject.inputs))
        if getattr(model, "optimizer", None) is None:
            model.compile(optimizer="sgd", loss="mse")
        if hasattr(model.optimizer, "build"):
            model.optimizer.build(model.trainable_variables)
        inputs = subject.inputs[0] if len(subject.inputs) == 1 else subject.inputs
        return replace(subject, inputs=(inputs,) if self._request.entry == "predict_step" else (inputs, targets))

    def is_step(self, subject: Subject) -> bool:
        """Whether what is called is a training, test or prediction step of a model."""
        return self._request.entry in STEPS and isinstance(subject.layer, self._keras.Model)

    def in_training(self, subject: Subject) -> Subject | None:
        """The subject called with ``training=True``, if it takes that and is not called so already."""
        call = getattr(subject.layer, "call", None)
        if call is None or "training" not in _parameters(call) or "training" in subject.keywords:
            return None
        changed = replace(subject.recipe, keywords=(*subject.recipe.keywords, ("training", "True")))
        return replace(subject, keywords={**subject.keywords, "training": True}, recipe=changed)

    # --- calling

    def callable_of(self, subject: Subject, eager: bool = False) -> Callable[..., Any]:
        """What is to be called or traced, with the inputs and keywords of the subject or with others like them."""
        layer = subject.layer
        if self.is_step(subject):
            step = getattr(layer, self._request.entry)
            return lambda *data, **_: step(data if len(data) > 1 else data[0])
        if isinstance(layer, self._keras.metrics.Metric):
            return lambda *a, **k: (layer.update_state(*a, **k), layer.result())[1]
        if isinstance(layer, types.FunctionType) or hasattr(layer, "python_function"):
            layer = getattr(layer, "python_function", layer) if eager else self._tf.function(layer)
        if method := subject.recipe.method:
            return lambda *a, **k: getattr(layer, method)(*a, **k)
        return lambda *a, **k: layer(*a, **k)

    def call(self, subject: Subject) -> Any:
        """One eager call."""
        return self.callable_of(subject, eager=True)(*subject.inputs, **subject.keywords)

    @contextmanager
    def eagerly(self) -> Iterator[None]:
        """Also functions that the layer decorates with ``tf.function`` run as Python."""
        self._tf.config.run_functions_eagerly(True)
        try:
            yield
        finally:
            self._tf.config.run_functions_eagerly(False)


def _unknown(because: str) -> Unrunnable:
    return Unrunnable(because, {"stopped": because})


def _unrunnable(attempts: list[Attempt], out_of_time: bool) -> Unrunnable:
    """No recipe runs; ``out_of_time``: on a faster machine one might have been found."""
    built = [attempt for attempt in attempts if attempt.mishap.built]
    if built:
        best = next((a for a in built if a.hopeless), None) or max(built, key=_telling)
        event = {
            "recipe": str(best.recipe),
            "setup": best.recipe.imports,
            "eager_error": best.failure.to_data(),
            "cut_short": out_of_time,
        }
        return Unrunnable(f"no input makes it run: {best.failure}", event)
    if attempts:
        first = attempts[0]
        event = {
            "recipe": first.recipe.layer,
            "setup": first.recipe.imports,
            "construction": first.failure.to_data(),
            "cut_short": out_of_time,
        }
        return Unrunnable(f"it could not be built: {first.failure}", event)
    return _unknown("no way to build and call it was found")


def _telling(attempt: Attempt) -> tuple[int, bool]:
    """How much a failure says: one far into the user's code most, and of those one of a layer built as code shows."""
    return len(attempt.failure.lines), attempt.recipe.origin not in MADE_UP


def call_parameters(layer: Any) -> Mapping[str, inspect.Parameter]:
    """The parameters of the function that calling a layer runs; none where there is no such function."""
    return _parameters(getattr(layer, "call", None))


def _parameters(function: Any) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(getattr(function, "python_function", function)).parameters
    except (TypeError, ValueError):
        return {}


def _documented(target: type, home: found.Code, package: str) -> Iterator[Recipe]:
    for code in found.code_of_documentation(target.__doc__, home, package):
        yield from found.recipes_in(code, target.__name__)


def _complete(recipes: Iterable[Recipe]) -> Iterator[Draft]:
    """Recipes that are to be tried as they are."""
    return (
        Draft(
            known.layer,
            inputs=tuple(("", text) for text in known.inputs),
            keywords=tuple(known.keywords),
            base=known,
        )
        for known in recipes
    )


def _nothing_known() -> Knowledge:
    return Knowledge(Signature({}), Call(()))


def _code_of(error: BaseException) -> tuple[str, ...]:
    """The lines that a traceback passes through outside of TensorFlow, innermost first."""
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if "/tensorflow/python/" not in frame.filename
    ]
    return tuple(reversed([_whole_line(frame) for frame in frames[-8:]]))


def _whole_line(frame: traceback.FrameSummary) -> str:
    """The expression that a frame is at, which may go over several lines; Python 3.10 tells the first one only."""
    first = frame.lineno or 0
    last = getattr(frame, "end_lineno", None) or first
    return " ".join(linecache.getline(frame.filename, number).strip() for number in range(first, last + 1))


def _source(target: Any) -> str:
    try:
        return inspect.getsource(target)
    except (OSError, TypeError):
        return ""
