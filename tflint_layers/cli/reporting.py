"""Says what a run found, and with which exit status it ends."""

from __future__ import annotations

import os
import sys
import textwrap

import click

from tflint_layers.cli.delivering import write_text
from tflint_layers.cli.options import Options
from tflint_layers.cli.running import Run
from tflint_layers.cli.terminal import colored, plain, say
from tflint_layers.discover import STDIN
from tflint_layers.finding import Finding, Safety, Status
from tflint_layers.fixer import FixResult
from tflint_layers.report import FORMATS, Documents, Paint, layers, statistics
from tflint_layers.report.text import counted
from tflint_layers.settings import UNREADABLE

CLEAN, FINDINGS, FAILED = 0, 1, 2

_FOR_PEOPLE = frozenset({"concise", "full"})
_HOLDING_LAYERS = _FOR_PEOPLE | {"json"}


def report(shown: list[Finding], run: Run, options: Options) -> None:
    """Print the findings. A patch or fixed code on standard output is for a program, and is all that it gets."""
    documents = run.current
    if _is_stdout_taken(options):
        kept = [f for f in shown if f.code == UNREADABLE] if options.diff else shown
        click.echo(FORMATS["concise"](kept, documents, plain), nl=False, err=True)
        _print_layers_aside(run, documents)
        return
    terminal = sys.stdout.isatty() and options.output_file is None
    format_name = options.output_format or ("full" if terminal else "concise")
    paint = colored if terminal and "NO_COLOR" not in os.environ else plain
    text = _text(shown, run, documents, options, format_name, paint)
    if options.output_file is None:
        click.echo(text, nl=False)
    else:
        write_text(options.output_file, text)
    if format_name not in _HOLDING_LAYERS and not options.quiet:
        _print_layers_aside(run, documents)


def _is_stdout_taken(options: Options) -> bool:
    return options.diff or ((options.fix or options.add_noqa) and STDIN in options.paths)


def _text(
    shown: list[Finding], run: Run, documents: Documents, options: Options, format_name: str, paint: Paint
) -> str:
    if options.statistics:
        findings = statistics.render(shown, format_name)
    elif run.layers is not None and format_name == "json":
        return layers.as_json(shown, run.layers, documents, run.isolation)
    else:
        findings = FORMATS[format_name](shown, documents, paint)
    if run.layers is not None and format_name in _FOR_PEOPLE:
        return findings + layers.as_text(run.layers, documents, paint)
    return findings


def _print_layers_aside(run: Run, documents: Documents) -> None:
    """Print the layers for people where standard output is in a format that has no place for them."""
    if run.layers is not None:
        click.echo(layers.as_text(run.layers, documents, plain), nl=False, err=True)


def tell(shown: list[Finding], run: Run, options: Options) -> None:
    """Say on standard error what went wrong, what there is to know, and how many findings there are."""
    if options.show_output:
        _print_outputs(run)
    for problem in run.problems:
        say(f"error: {problem}")
    if options.quiet:
        return
    for note in run.notes:
        say(f"note: {note}")
    if run.layers is not None:
        say(layers.summary(run.layers))
    for how in run.isolation:
        say(f"Ran layers in child processes: {how}.")
    if run.outcomes:
        say(_summary(shown, run, options))


def _print_outputs(run: Run) -> None:
    for output in run.outputs:
        say(f"what `{output.name}` of {os.path.relpath(output.path)} printed under Keras {output.keras}:")
        click.echo(textwrap.indent(output.text.rstrip(), "    "), err=True)


def _summary(shown: list[Finding], run: Run, options: Options) -> str:
    applied = counted(sum(len(fixed.applied) for fixed in _fixes(run)), "finding")
    files = counted(len(run.outcomes), "file")
    if options.diff:
        return f"Would fix {applied} in {files}."
    if options.fix:
        return f"Fixed {applied}, {len(shown)} left in {files}."
    safe = sum(1 for f in shown if f.fix and f.fix.safety is Safety.SAFE)
    unsafe = sum(1 for f in shown if f.fix and f.fix.safety is Safety.UNSAFE)
    if options.confirm:
        # What a trace proves is made with --fix alone, however safe it is without one.
        hints = [f"{safe + unsafe} fixable with --fix --confirm, if proved"] if safe or unsafe else []
    else:
        hints = [f"{safe} fixable with --fix"] if safe else []
        hints += [f"{unsafe} with --fix --unsafe-fixes"] if unsafe else []
    hint = f" ({', '.join(hints)})" if hints else ""
    return f"Found {counted(len(shown), 'finding')} in {files}{hint}."


def _fixes(run: Run) -> list[FixResult]:
    return [outcome.fixed for outcome in run.outcomes if outcome.fixed]


def status_of(shown: list[Finding], run: Run, options: Options) -> int:
    """The exit status."""
    if run.problems:
        return FAILED
    if options.exit_zero:
        return CLEAN
    if options.diff:
        changed = any(outcome.fixed and outcome.fixed.applied for outcome in run.outcomes)
        return FINDINGS if changed or any(f.code == UNREADABLE for f in shown) else CLEAN
    failing = (f for f in shown if not f.verdict or f.verdict.status is not Status.REFUTED)
    if options.only:
        failing = (f for f in shown if f.verdict and f.verdict.status is Status.CONFIRMED)
    return FINDINGS if any(True for _ in failing) else CLEAN
