"""The one path from a file to findings, called by every shell."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache, cached_property

from tflint_layers.cells import unreadable_cells
from tflint_layers.finding import Entry, Finding, Proof
from tflint_layers.model import api
from tflint_layers.model.classes import ClassInfo, ModuleInfo
from tflint_layers.model.entries import reach_of, traced_scopes
from tflint_layers.model.plaincode import plain_lines
from tflint_layers.model.project import Project
from tflint_layers.model.reach import Reach
from tflint_layers.model.scopes import Phase, Scope
from tflint_layers.model.values import Value
from tflint_layers.notices import FILE_NOT_READABLE, UNUSED_SUPPRESSION
from tflint_layers.rules import Hit, Rule, all_rules
from tflint_layers.settings import Settings
from tflint_layers.source import Source, UnreadableSource
from tflint_layers.suppressions import Suppressions
from tflint_layers.unused_noqa import unused_noqas


def lint_source(source: bytes, path: str = "<string>", settings: Settings | None = None) -> list[Finding]:
    """The findings of one file, in the order of the file.

    Args:
        source: the bytes of the file as they are on disk.
        path: where the file is; sibling modules are looked up from there.
        settings: which rules to apply and which Keras to assume; the defaults where it is None.

    Returns:
        Sorted findings without verdicts. A file that is no readable Python gives one TFL900 finding.
    """
    return [finding for finding in lint_with_suspects(source, path, settings or Settings()) if not finding.suspect]


def lint_with_suspects(source: bytes, path: str, settings: Settings) -> list[Finding]:
    """As :func:`lint_source`, with the suspects among the findings that only a trace may report."""
    try:
        return lint(Source.from_bytes(source, path), settings, fixes=True)
    except UnreadableSource as error:
        return [unreadable(path, error, settings)]


def lint(source: Source, settings: Settings, *, noqa: bool = True, fixes: bool = False) -> list[Finding]:
    """The findings of a decoded file, suspects among them.

    Args:
        source: the file.
        settings: which rules to apply and which Keras to assume.
        noqa: leave out what a ``# noqa`` comment hides.
        fixes: also build the fixes, for which libcst is imported.

    Raises:
        UnreadableSource: the text is no valid Python, or nested too deeply.
    """
    suppressions = Suppressions.of(source)
    if suppressions.skip_file:
        return []
    linter = _linter(settings, settings.keras, fixes)
    selected = _selected(settings)
    found = [finding for finding in linter.findings(source) if finding.code in selected]
    if settings.selects(FILE_NOT_READABLE.code, FILE_NOT_READABLE.name):
        cells = [unreadable(source.path, error, settings, "cell") for error in unreadable_cells(source.text)]
        found = _in_order([*found, *cells]) if cells else found
    if settings.selects(UNUSED_SUPPRESSION.code, UNUSED_SUPPRESSION.name):
        found = _in_order([*found, *_unused(source, suppressions, found, selected, settings)])
    return [finding for finding in found if not (noqa and suppressions.hides(finding))]


@cache
def _selected(settings: Settings) -> frozenset[str]:
    """The codes of the rules that are on."""
    return frozenset(c for c, rule in all_rules().items() if settings.selects(c, rule.name, rule.preview))


def _unused(
    source: Source, suppressions: Suppressions, findings: list[Finding], selected: frozenset[str], settings: Settings
) -> list[Finding]:
    """The comments that hide nothing. One that another Keras needs is not unused: a project may be linted for both."""
    noqas, keras = suppressions.noqas(), settings.keras or settings.project_keras
    if not any(unused_noqas(source, noqas, findings, selected, keras)):
        return []
    linters = (_linter(settings, version, fixes=False) for version in (2, 3))
    found = [finding for linter in linters for finding in linter.findings(source)]
    return list(unused_noqas(source, noqas, [*findings, *found], selected, keras))


@dataclass(frozen=True, order=True)
class LayerPlace:
    """A layer or model that a file defines, the line of its class, and the Keras that it is for."""

    line: int
    name: str
    keras: int


def layers_of(source: bytes, path: str, settings: Settings) -> list[LayerPlace]:
    """The layers, cells and models that a file defines, in its order; none where it cannot be read or is skipped."""
    try:
        decoded = Source.from_bytes(source, path)
        decoded.check()
    except UnreadableSource:
        return []
    if Suppressions.of(decoded).skip_file:
        return []
    return _linter(settings, settings.keras, fixes=True).layers(decoded)


def entries_reaching(source: bytes, path: str, settings: Settings) -> dict[str, tuple[Entry, ...]]:
    """For the functions of a file, by qualified name, what tracing reaches them from, in whatever file that is."""
    try:
        decoded = Source.from_bytes(source, path)
        decoded.check()
    except UnreadableSource:
        return {}
    return _linter(settings, settings.keras, fixes=True).entries_reaching(decoded)


def _linter(settings: Settings, keras: int | None, fixes: bool) -> Linter:
    """The linter that is kept for some settings. It runs stable rules even where they are off, and preview rules not:
    so settings that differ between files share what was evaluated.
    """
    return _kept_linter(settings.layer_bases, keras, settings.project_keras, fixes, _previews(settings))


@cache
def _kept_linter(
    layer_bases: tuple[str, ...], keras: int | None, project_keras: int, fixes: bool, previews: frozenset[str]
) -> Linter:
    rules = (code for code, rule in all_rules().items() if not rule.preview or code in previews)
    return Linter(Project(layer_bases), keras, project_keras, fixes, tuple(rules))


@cache
def _previews(settings: Settings) -> frozenset[str]:
    """The codes of the preview rules that are on in some file."""
    anywhere = replace(settings, file_ignore=())
    return frozenset(c for c, r in all_rules().items() if r.preview and anywhere.selects(c, r.name, r.preview))


class Linter:
    """Applies all rules to the files of a project, and keeps their findings for the files that they import.

    What tracing reaches in a helper is found where the helper is called, in another file perhaps; it is reported
    where the helper stands. So the findings of a file are its own and those of the files that import it.
    """

    def __init__(
        self, project: Project, keras: int | None, project_keras: int, fixes: bool, rules: tuple[str, ...]
    ) -> None:
        self._project = project
        self._keras = keras
        self._project_keras = project_keras
        self._fixes = fixes
        self._rules = rules
        self._evaluated: dict[str, int] = {}
        self._located: dict[tuple[str, str], list[Finding]] = {}
        self._fitting: dict[str, tuple[str, ...]] = {}
        self._too_deep: set[str] = set()

    def findings(self, source: Source) -> list[Finding]:
        """The findings of a file, by every rule, in the order of the file.

        Raises:
            UnreadableSource: the text is no valid Python, or nested too deeply.
        """
        path = source.absolute_path
        if self._evaluated.get(path, hash(source.data)) != hash(source.data) or self._project.has_changed(source):
            self._forget()
        self._project.give(source)
        if path not in self._evaluated:
            self._evaluate(path, source)
        self._project.check(source)
        reaching = sorted({path, *self._project.importers(path)})
        for entry in reaching:
            if entry not in self._evaluated:
                self._evaluate_file(entry)
        if path in self._too_deep:
            raise UnreadableSource("its code is nested too deeply")
        located = (self._located.get((entry, path), ()) for entry in reaching)
        return _distinct(replace(finding, path=source.path) for found in located for finding in found)

    def layers(self, source: Source) -> list[LayerPlace]:
        """What Keras would trace of a file as a layer or model, in the order of the file."""
        if self._project.has_changed(source):
            self._forget()
        module = self._project.add(source)
        keras = self._keras_of(module)
        found = [cls for cls in module.all_classes if api.is_traced_role(cls.role)]
        return sorted(LayerPlace(cls.node.lineno, cls.qualname, keras) for cls in found)

    def entries_reaching(self, source: Source) -> dict[str, tuple[Entry, ...]]:
        """For the functions of a file, by qualified name, what tracing reaches them from."""
        path = source.absolute_path
        if self._project.has_changed(source):
            self._forget()
        own = self._project.add(source)
        modules = [own, *filter(None, map(self._project.read, self._project.importers(path)))]
        reach = Reach()
        for module in modules:
            reach.include(reach_of(module, self._keras_of(module)))
        found: dict[str, dict[Entry, None]] = {}
        for layer, root in reach.entries:
            module = layer.module if layer is not None else root.module
            home = None if module is own else module.path
            entry = Entry(home, _layer_name(layer), root.qualname, self._keras_of(module))
            for function in reach.functions(layer, root):
                if function.module is own:
                    found.setdefault(function.qualname, {})[entry] = None
        return {name: tuple(entries) for name, entries in found.items()}

    def _forget(self) -> None:
        self._project.forget()
        self._evaluated.clear()
        self._located.clear()
        self._fitting.clear()
        self._too_deep.clear()

    def _evaluate_file(self, path: str) -> None:
        """As :meth:`_evaluate`, of a file that another one is linted for: what is wrong with it is told in its turn."""
        self._evaluated[path] = 0
        with suppress(OSError, UnreadableSource):
            self._evaluate(path, self._project.source(path))

    def _evaluate(self, path: str, source: Source) -> None:
        """Find what the entry points of a module reach, in whatever file.

        Raises:
            UnreadableSource: the text is no valid Python; a file that has no entry points is not parsed.
        """
        self._evaluated[path] = hash(source.data)
        if not self._project.may_be_traced(source):
            return
        module = self._project.add(source)
        try:
            findings = self._lint(module)
        except RecursionError:
            self._too_deep.add(path)
            return
        for finding in findings:
            self._located.setdefault((path, finding.path), []).append(finding)
        self._project.leave(module)

    def _lint(self, module: ModuleInfo) -> list[Finding]:
        scopes = traced_scopes(module, self._keras_of(module), self._plain_lines(module.source))
        found = _distinct(self._found_in(scopes))
        for scope in scopes:
            scope.evaluations = None
        return found

    def _plain_lines(self, source: Source) -> Sequence[int]:
        """The lines at which there is something to say about code that nothing traces."""
        rules = (all_rules()[code] for code in self._rules)
        if any(rule.everywhere and rule.fits(source.data) for rule in rules):
            return range(1, source.data.count(b"\n") + 2)
        return plain_lines(source)

    def _found_in(self, scopes: list[Scope]) -> Iterator[Finding]:
        for scope in scopes:
            dispatch = _dispatch(self._fitting_rules(scope.module), scope.phase, scope.keras, scope.autograph)
            by_node = dispatch.by_node
            for node, value in scope.values.items():
                rules = by_node.get(type(node))
                if rules is None:
                    continue
                for rule in dispatch.narrowed(scope, node, value) if type(node) in _NARROWED else rules:
                    for hit in rule.check(scope, node):
                        if not _is_harmless(scope, rule, node, hit):
                            yield _finding(scope, rule, hit, self._fixes)

    def _fitting_rules(self, module: ModuleInfo) -> tuple[str, ...]:
        """The codes of the rules that may object to something in a file."""
        if module.path not in self._fitting:
            data = module.source.data
            self._fitting[module.path] = tuple(code for code in self._rules if all_rules()[code].fits(data))
        return self._fitting[module.path]

    def _keras_of(self, module: ModuleInfo) -> int:
        return self._keras or module.keras or self._project_keras


def unreadable(path: str, error: UnreadableSource, settings: Settings, what: str = "file") -> Finding:
    """The finding that stands for a file, or a cell of a notebook, that cannot be read."""
    return Finding(
        path=path,
        cell=None,
        line=error.line,
        column=error.column,
        code=FILE_NOT_READABLE.code,
        end_line=error.line,
        end_column=error.column,
        name=FILE_NOT_READABLE.name,
        message=f"the {what} was not linted: {error}",
        layer=None,
        function=None,
        route=(),
        keras=settings.keras or settings.project_keras,
        proof=Proof.NONE,
    )


# Of nodes of these types, a rule may be shown only some.
_NARROWED = frozenset({ast.Call, ast.Attribute, ast.Assign})


@dataclass(frozen=True)
class _Dispatch:
    """The rules that may object to what scopes of a kind run, by the type of the node and what it calls or reads."""

    by_node: dict[type[ast.AST], tuple[Rule, ...]]
    by_call: dict[str, tuple[Rule, ...]] = field(default_factory=dict)
    by_attribute: dict[tuple[str, type], tuple[Rule, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, rules: Iterable[Rule], converted: bool) -> _Dispatch:
        """The dispatch for some rules; ``converted`` tells whether AutoGraph converts the functions."""
        by_node: dict[type[ast.AST], tuple[Rule, ...]] = {}
        for rule in rules:
            for node_type in rule.nodes:
                if converted or node_type not in rule.converted:
                    by_node[node_type] = (*by_node.get(node_type, ()), rule)
        return cls(by_node)

    def narrowed(self, scope: Scope, node: ast.AST, value: Value | None) -> tuple[Rule, ...]:
        """Those of the rules for nodes of its type that a node is shown to."""
        if type(node) is ast.Call:
            name = scope.called(node)
            rules = self.by_call.get(name)
            return self._for_call(name) if rules is None else rules
        if type(node) is ast.Attribute:
            rules = self.by_attribute.get((node.attr, type(value)))
            return self._for_attribute(node.attr, type(value)) if rules is None else rules
        if type(node) is ast.Assign and _binds_local_name(scope, node):
            return self._for_local_name
        return self.by_node[type(node)]

    def _for_call(self, name: str) -> tuple[Rule, ...]:
        rules = self.by_call[name] = tuple(rule for rule in self.by_node[ast.Call] if rule.looks_at_call(name))
        return rules

    def _for_attribute(self, name: str, kind: type) -> tuple[Rule, ...]:
        rules = tuple(rule for rule in self.by_node[ast.Attribute] if rule.looks_at_attribute(name, kind))
        self.by_attribute[name, kind] = rules
        return rules

    @cached_property
    def _for_local_name(self) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.by_node.get(ast.Assign, ()) if not rule.lasting)


def _binds_local_name(scope: Scope, node: ast.Assign) -> bool:
    return len(node.targets) == 1 and type(node.targets[0]) is ast.Name and node.targets[0] not in scope.outliving


@cache
def _dispatch(codes: tuple[str, ...], phase: Phase, keras: int, converted: bool) -> _Dispatch:
    rules = (all_rules()[code] for code in codes)
    return _Dispatch.of((rule for rule in rules if phase in rule.phases and keras in rule.keras), converted)


def _is_harmless(scope: Scope, rule: Rule, node: ast.AST, hit: Hit) -> bool:
    """Whether the code that a hit is about runs outside of the graph, or its failure is caught."""
    if node in scope.eager and not hit.lifted:
        return True
    return rule.proof is Proof.RAISES and node in scope.caught


def _finding(scope: Scope, rule: Rule, hit: Hit, fixes: bool) -> Finding:
    source, node = scope.module.source, hit.node
    start = source.position(node.lineno, node.col_offset)
    end = source.position(node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)
    return Finding(
        path=scope.module.path,
        cell=None,
        line=start.line,
        column=start.column,
        code=rule.code,
        end_line=end.line,
        end_column=end.column,
        name=rule.name,
        message=hit.message,
        layer=_layer_name(scope.layer or scope.module.classes_by_node.get(node)),
        function=scope.function.qualname if scope.function else None,
        route=scope.route,
        keras=scope.keras,
        proof=hit.proof or rule.proof,
        suspect=hit.suspect,
        fix=rule.fix(scope, hit) if fixes and rule.fix is not None else None,
        layer_path=_layer_path(scope.layer, scope.module),
    )


def _layer_name(layer: ClassInfo | None) -> str | None:
    return layer.qualname if layer is not None else None


def _layer_path(layer: ClassInfo | None, module: ModuleInfo) -> str | None:
    return layer.module.path if layer is not None and layer.module is not module else None


def _distinct(findings: Iterable[Finding]) -> list[Finding]:
    """One finding for each place and rule: a sure one before a suspect, then the shortest route."""
    best: dict[tuple[str, int, int, str], Finding] = {}
    for finding in findings:
        key = (finding.path, finding.line, finding.column, finding.code)
        known = best.get(key)
        if known is None or (finding.suspect, len(finding.route)) < (known.suspect, len(known.route)):
            best[key] = finding
    return _in_order(best.values())


def _in_order(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: (finding.path, finding.line, finding.column, finding.code))
