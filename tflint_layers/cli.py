"""The command line."""

from __future__ import annotations

import functools
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from tflint_layers import __version__
from tflint_layers.discover import STDIN, discover
from tflint_layers.document import Document
from tflint_layers.finding import Finding, Safety, Status
from tflint_layers.fixer import FixResult
from tflint_layers.patch import unified
from tflint_layers.progress import Progress
from tflint_layers.report import FORMATS, catalogue, in_order, statistics
from tflint_layers.rules import all_rules
from tflint_layers.settings import UNREADABLE, Configuration, Settings, SettingsError, nearest
from tflint_layers.work import Outcome, Task, WorkerError, lint_files

_CLEAN, _FINDINGS, _FAILED = 0, 1, 2
_STDIN_NAME = "<stdin>"


@dataclass(frozen=True)
class Options:
    """The command line as given; None where an option was not."""

    paths: tuple[str, ...]
    select: tuple[str, ...] | None
    ignore: tuple[str, ...] | None
    extend_select: tuple[str, ...] | None
    preview: bool
    keras: str | None
    confirm: bool
    only: str | None
    show_refuted: bool
    python: str | None
    fix: bool
    unsafe_fixes: bool
    diff: bool
    output_format: str | None
    output_file: Path | None
    quiet: bool
    statistics: bool
    exit_zero: bool
    stdin_filename: str | None
    config: Path | None
    isolated: bool
    jobs: int | None
    no_cache: bool
    explain: str | None
    list_rules: bool


@dataclass(frozen=True)
class Run:
    """What a run found out, before anything is printed or written."""

    outcomes: list[Outcome]
    problems: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def documents(self) -> dict[str, Document]:
        """What stands behind the paths of the findings."""
        return {outcome.path: outcome.document for outcome in self.outcomes if outcome.document}


def _codes(context: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...] | None:
    """Selectors from options that may be repeated and hold several, separated by commas; None if there are none."""
    codes = tuple(code.strip() for value in given for code in value.split(",") if code.strip())
    return codes if given else None


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.argument("paths", nargs=-1, type=click.Path())
@click.option(
    "--select",
    metavar="CODES",
    multiple=True,
    callback=_codes,
    help="Rules to use instead of the configured ones: codes, prefixes, names, ALL.",
)
@click.option("--ignore", metavar="CODES", multiple=True, callback=_codes, help="Rules to leave out.")
@click.option("--extend-select", metavar="CODES", multiple=True, callback=_codes, help="Rules to use in addition.")
@click.option("--preview", is_flag=True, help="Use the preview rules too.")
@click.option(
    "--keras",
    type=click.Choice(["auto", "2", "3"]),
    help="The Keras that the verdict is about; auto asks the file's imports, then the project's requirements.",
)
@click.option("--confirm", is_flag=True, help="Run the flagged layers under real TensorFlow; hide what it refutes.")
@click.option("--only", type=click.Choice(["confirmed"]), help="With --confirm: exit 1 only for confirmed findings.")
@click.option("--show-refuted", is_flag=True, help="With --confirm: show refuted findings too.")
@click.option("--python", metavar="PATH", help="The interpreter that has TensorFlow (default: this one).")
@click.option("--fix", is_flag=True, help="Apply the safe fixes; with --confirm those that a trace proves.")
@click.option("--unsafe-fixes", is_flag=True, help="With --fix or --diff: apply the unsafe fixes too.")
@click.option("--diff", is_flag=True, help="Show what --fix would change, as a patch, and change nothing.")
@click.option(
    "--output-format",
    type=click.Choice(list(FORMATS)),
    help="How findings are printed (default: full on a terminal, else concise).",
)
@click.option("--output-file", type=click.Path(dir_okay=False, path_type=Path), help="Print findings into this file.")
@click.option("-q", "--quiet", is_flag=True, help="Print findings and errors only.")
@click.option("--statistics", is_flag=True, help="Print how often each rule was broken instead of the findings.")
@click.option("--exit-zero", is_flag=True, help="Exit 0 even if there are findings.")
@click.option("--stdin-filename", metavar="PATH", help="The name of what is read from standard input.")
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The pyproject.toml to use instead of the nearest one.",
)
@click.option("--isolated", is_flag=True, help="Ignore all configuration files.")
@click.option("--jobs", type=click.IntRange(min=1), help="Number of processes (default: as many as pay off).")
@click.option("--no-cache", is_flag=True, help="Lint every file afresh. Nothing is cached so far, with or without it.")
@click.option("--explain", metavar="CODE", help="Print the documentation of a rule and exit.")
@click.option("--list-rules", is_flag=True, help="Print all rules and exit.")
@click.version_option(__version__, prog_name="tflint-layers")
def main(**given: Any) -> None:
    """Find, confirm in real TensorFlow, and fix eager-only code in Keras layers.

    PATHS are files, folders, notebooks, or - for standard input (default: the current folder).

    Exit status: 0 nothing to report, 1 findings (or files that would change), 2 the job could not be done.
    """
    _survive_any_character()
    options = Options(**given)
    try:
        if options.explain is not None:
            status = _explain(options.explain)
        elif options.list_rules:
            status = _list_rules()
        else:
            status = _lint(options)
    except (SettingsError, WorkerError) as error:
        _say(f"error: {error}")
        status = _FAILED
    sys.exit(status)


def _lint(options: Options) -> int:
    _check(options)
    run = _run(options)
    shown = _visible(run, options)
    if options.fix or options.diff:
        run = replace(run, problems=run.problems + tuple(_deliver(run.outcomes, options)))
    _report(shown, run, options)
    _tell(shown, run, options)
    return _status(shown, run, options)


def _check(options: Options) -> None:
    if options.only and not options.confirm:
        raise click.UsageError("--only confirmed needs --confirm")
    if options.isolated and options.config:
        raise click.UsageError("--isolated ignores configuration files, so it cannot be used with --config")
    if options.unsafe_fixes and not (options.fix or options.diff) and not options.quiet:
        _say("note: --unsafe-fixes changes nothing without --fix or --diff")


def _run(options: Options) -> Run:
    configuration = Configuration(options.config, isolated=options.isolated)
    found = discover(options.paths or (".",), configuration)
    fixing = (options.fix or options.diff) and not options.confirm
    tasks = [
        replace(_task(path, options, configuration), fix=fixing, unsafe=options.unsafe_fixes) for path in found.files
    ]
    progress = Progress("linting", options.quiet)
    outcomes = lint_files(tasks, options.jobs, progress)
    progress.close()
    if options.confirm:
        outcomes = _confirmed(tasks, outcomes, options)
    broken = tuple(outcome.problem for outcome in outcomes if outcome.problem)
    unfixed = tuple(
        f"{outcome.path}: {outcome.fixed.problem}" for outcome in outcomes if outcome.fixed and outcome.fixed.problem
    )
    notes = tuple(note for outcome in outcomes for note in outcome.notes)
    return Run(outcomes, found.problems + broken + unfixed, found.notes + notes)


def _task(path: str, options: Options, configuration: Configuration) -> Task:
    data = None
    if path == STDIN:
        path = options.stdin_filename or _STDIN_NAME
        data = sys.stdin.buffer.read()
    return Task(path, _settings(path, options, configuration), data=data)


def _settings(path: str, options: Options, configuration: Configuration) -> Settings:
    """The settings of a file, with the command line's on top."""
    settings = _checked(configuration.settings_for(path)).with_selection(
        options.select, options.extend_select or (), options.ignore or ()
    )
    settings = replace(
        _checked(settings),
        preview=settings.preview or options.preview,
        python=options.python or settings.python,
    )
    if options.keras is not None:
        settings = replace(settings, keras=None if options.keras == "auto" else int(options.keras))
    return settings.for_file(path)


@functools.cache
def _known_rules() -> dict[str, str]:
    return {code: rule.name for code, rule in all_rules().items()} | {UNREADABLE: "file-not-readable"}


def _checked(settings: Settings) -> Settings:
    settings.check_selectors(_known_rules())
    return settings


def _confirmed(tasks: list[Task], outcomes: list[Outcome], options: Options) -> list[Outcome]:
    """The outcomes with the verdicts of real TensorFlow and, if asked for, with the fixes that it proves."""
    from tflint_layers.confirm import NoTensorFlow
    from tflint_layers.confirming import confirm_outcomes

    progress = Progress("tracing", options.quiet)
    try:
        return confirm_outcomes(tasks, outcomes, fix=options.fix or options.diff, progress=progress)
    except NoTensorFlow as error:
        raise SettingsError(str(error)) from error
    finally:
        progress.close()


def _visible(run: Run, options: Options) -> list[Finding]:
    """The findings that the user is told about: no suspects but confirmed ones, nothing refuted unless asked for."""

    def is_visible(finding: Finding) -> bool:
        status = finding.verdict.status if finding.verdict else None
        if status is Status.REFUTED:
            return options.show_refuted
        return not finding.suspect or status is Status.CONFIRMED

    return in_order(finding for outcome in run.outcomes for finding in outcome.findings if is_visible(finding))


def _deliver(outcomes: Iterable[Outcome], options: Options) -> Iterable[str]:
    """Write, or print, what the fixes made of the files; gives what went wrong."""
    for outcome in outcomes:
        document, fixed = outcome.document, outcome.fixed
        if document is None or fixed is None:
            continue
        data = document.data if fixed.data == document.code else document.with_code(fixed.data)
        is_stdin = STDIN in options.paths and outcome.path == (options.stdin_filename or _STDIN_NAME)
        if data is None:
            yield f"{outcome.path}: not fixed: its layout would not survive being written again"
        elif options.diff:
            _print_bytes(unified(document.data, data, outcome.path) if data != document.data else b"")
        elif is_stdin:
            _print_bytes(data)
        elif data != document.data:
            try:
                _write(Path(outcome.path), document.data, data)
            except OSError as error:
                yield f"{outcome.path}: not fixed: {error.strerror or error}"


def _write(path: Path, before: bytes, after: bytes) -> None:
    """Replace a file in one step, so that it is never seen half written; mode, owner and links stay."""
    target = path.resolve()
    if target.read_bytes() != before:
        raise OSError("it was changed by someone else meanwhile")
    status = target.stat()
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(after)
        shutil.copymode(target, name)
        if hasattr(os, "chown"):
            _keep_owner(name, status)
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise


def _keep_owner(name: str, status: os.stat_result) -> None:
    try:
        os.chown(name, status.st_uid, status.st_gid)
    except PermissionError:
        # Only root may give files away; for anyone else a file of another owner becomes theirs.
        return


def _report(shown: list[Finding], run: Run, options: Options) -> None:
    """Print the findings. A patch or fixed code on standard output is for a program, and is all that it gets."""
    taken = options.diff or (options.fix and STDIN in options.paths)
    terminal = sys.stdout.isatty() and options.output_file is None and not taken
    format_name = options.output_format or ("full" if terminal else "concise")
    if taken:
        kept = [f for f in shown if f.code == UNREADABLE] if options.diff else shown
        click.echo(FORMATS["concise"](kept, _now(run), _plain), nl=False, err=True)
        return
    paint = _colored if terminal and "NO_COLOR" not in os.environ else _plain
    text = (
        statistics.render(shown, format_name) if options.statistics else FORMATS[format_name](shown, _now(run), paint)
    )
    if options.output_file is None:
        click.echo(text, nl=False)
    else:
        try:
            options.output_file.write_text(text, encoding="utf-8")
        except OSError as error:
            raise SettingsError(f"{options.output_file}: cannot be written: {error.strerror or error}") from error


def _now(run: Run) -> dict[str, Document]:
    """The documents as the fixes left them, which is what the findings that remain are about."""
    documents = run.documents
    for outcome in run.outcomes:
        document, fixed = outcome.document, outcome.fixed
        if document and fixed and fixed.data != document.code:
            data = document.with_code(fixed.data)
            documents[outcome.path] = Document.of(data, outcome.path) if data is not None else document
    elsewhere = {finding.path for outcome in run.outcomes for finding in outcome.findings} - documents.keys()
    return documents | {path: _read_document(path) for path in elsewhere}


def _read_document(path: str) -> Document:
    """What stands behind a path that was not linted itself: a helper in another file."""
    try:
        return Document.of(Path(path).read_bytes(), path)
    except OSError:
        return Document(path, b"", b"")


def _tell(shown: list[Finding], run: Run, options: Options) -> None:
    for problem in run.problems:
        _say(f"error: {problem}")
    if options.quiet:
        return
    for note in run.notes:
        _say(f"note: {note}")
    if run.outcomes:
        _say(_summary(shown, run, options))


def _summary(shown: list[Finding], run: Run, options: Options) -> str:
    applied = _count(sum(len(fixed.applied) for fixed in _fixes(run)), "finding")
    files = _count(len(run.outcomes), "file")
    if options.diff:
        return f"Would fix {applied} in {files}."
    if options.fix:
        return f"Fixed {applied}, {len(shown)} left in {files}."
    safe = sum(1 for f in shown if f.fix and f.fix.safety is Safety.SAFE)
    unsafe = sum(1 for f in shown if f.fix and f.fix.safety is Safety.UNSAFE)
    hints = [f"{safe} fixable with --fix"] if safe else []
    hints += [f"{unsafe} with --fix --unsafe-fixes"] if unsafe else []
    hint = f" ({', '.join(hints)})" if hints else ""
    return f"Found {_count(len(shown), 'finding')} in {files}{hint}."


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" + ("" if number == 1 else "s")


def _fixes(run: Run) -> list[FixResult]:
    return [outcome.fixed for outcome in run.outcomes if outcome.fixed]


def _status(shown: list[Finding], run: Run, options: Options) -> int:
    if run.problems:
        return _FAILED
    if options.exit_zero:
        return _CLEAN
    if options.diff:
        changed = any(outcome.fixed and outcome.fixed.applied for outcome in run.outcomes)
        return _FINDINGS if changed or any(f.code == UNREADABLE for f in shown) else _CLEAN
    counted = (f for f in shown if not f.verdict or f.verdict.status is not Status.REFUTED)
    if options.only:
        counted = (f for f in shown if f.verdict and f.verdict.status is Status.CONFIRMED)
    return _FINDINGS if any(True for _ in counted) else _CLEAN


def _explain(wanted: str) -> int:
    text = catalogue.explain(wanted)
    if text is None:
        rules = all_rules()
        hint = nearest(wanted, [*rules, *(rule.name for rule in rules.values())])
        raise SettingsError(f"no rule is called `{wanted}`{hint}; --list-rules shows them all")
    click.echo(text)
    return _CLEAN


def _list_rules() -> int:
    click.echo(catalogue.table(), nl=False)
    return _CLEAN


def _survive_any_character() -> None:
    """Print what the terminal's encoding lacks as an escape instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure: Callable[..., None] | None = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _print_bytes(data: bytes) -> None:
    """Print bytes as they are: a patch keeps the encoding and line endings of the file."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _say(message: str) -> None:
    click.echo(f"tflint-layers: {message}", err=True)


def _plain(text: str, color: str) -> str:
    return text


def _colored(text: str, color: str) -> str:
    return click.style(text, fg=color)
