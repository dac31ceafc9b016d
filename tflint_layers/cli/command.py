"""The options, and what each of them makes the command line do."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from tflint_layers import __version__
from tflint_layers.cli.adopting import Adopted, add_noqa, folder_of, leave_out, read_baseline, write_baseline
from tflint_layers.cli.delivering import deliver
from tflint_layers.cli.options import Options
from tflint_layers.cli.reporting import CLEAN, FAILED, report, status_of, tell
from tflint_layers.cli.running import KnownFindings, Run, run_of, visible
from tflint_layers.cli.terminal import leave, say, survive_any_character
from tflint_layers.finding import Finding
from tflint_layers.report import FORMATS, catalogue
from tflint_layers.settings import SettingsError, nearest
from tflint_layers.work import WorkerError


def _codes(context: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...] | None:
    """Selectors from options that may be repeated and hold several, separated by commas; None if there are none."""
    codes = tuple(code.strip() for value in given for code in value.split(",") if code.strip())
    if given and not codes and parameter.name == "select":
        raise click.BadParameter("it names no rule; ALL is every rule")
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
    type=click.Choice(["auto", "2", "3", "2,3"]),
    help="The Keras that the verdict is about, or both; auto asks the file's imports, then the project's requirements.",
)
@click.option("--confirm", is_flag=True, help="Run the flagged layers under real TensorFlow; hide what it refutes.")
@click.option("--only", type=click.Choice(["confirmed"]), help="With --confirm: exit 1 only for confirmed findings.")
@click.option("--show-refuted", is_flag=True, help="With --confirm: show refuted findings too.")
@click.option(
    "--trace-all", is_flag=True, help="Trace every layer and model, flagged or not, and print a line for each (TFL902)."
)
@click.option(
    "--benchmark",
    is_flag=True,
    help="With --trace-all, or with --confirm for the flagged layers: measure a call, eagerly and as a graph.",
)
@click.option(
    "--show-output", is_flag=True, help="With --confirm or --trace-all: show what the layers that ran printed."
)
@click.option("--python", metavar="PATH", help="The interpreter that has TensorFlow (default: this one).")
@click.option(
    "--recorded",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Build and call layers as the tests did: a file that `pytest --tflint-record` wrote.",
)
@click.option(
    "--emit-repro",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="With --confirm: write a script for each confirmed finding that shows it with TensorFlow alone.",
)
@click.option("--fix", is_flag=True, help="Apply the safe fixes; with --confirm those that a trace proves.")
@click.option(
    "--unsafe-fixes",
    is_flag=True,
    help="With --fix or --diff: apply the unsafe fixes too; with --confirm those that change only gradients.",
)
@click.option("--diff", is_flag=True, help="Show what --fix would change, as a patch, and change nothing.")
@click.option("--add-noqa", is_flag=True, help="Silence each finding with a comment on its line.")
@click.option(
    "--baseline",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Do not report the findings that this file lists, by the text of their lines.",
)
@click.option(
    "--write-baseline",
    type=click.Path(dir_okay=False, path_type=Path),
    help="List all findings in this file, for --baseline.",
)
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
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    help="Number of processes that lint, and of layers that run at a time (default: as many as pay off).",
)
@click.option("--no-cache", is_flag=True, help="Run every layer afresh, and keep nothing.")
@click.option(
    "--cache-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where to keep what running layers showed (default: .tflint_layers_cache next to the configuration).",
)
@click.option("--explain", metavar="CODE", help="Print the documentation of a rule and exit.")
@click.option("--list-rules", is_flag=True, help="Print all rules and exit.")
@click.version_option(__version__, prog_name="tflint-layers")
def main(**given: Any) -> None:
    """Find, confirm in real TensorFlow, and fix eager-only code in Keras layers.

    PATHS are files, folders, notebooks, or - for standard input (default: the current folder).

    Exit status: 0 nothing to report, 1 findings (or files that would change), 2 the job could not be done.
    """
    survive_any_character()
    options = Options(**given)
    try:
        if options.explain is not None:
            status = _explain(options.explain)
        elif options.list_rules:
            status = _list_rules()
        else:
            status = _lint(options)
        sys.stdout.flush()
    except BrokenPipeError:
        raise  # nobody reads on, which is no failure: click ends the run without a word
    except OSError as error:
        say(f"error: {error.filename or 'what was found could not be printed'}: {error.strerror}")
        leave(FAILED)
    except (SettingsError, WorkerError) as error:
        say(f"error: {error}")
        status = FAILED
    if options.runs_layers:
        sys.exit(status)
    leave(status)


def _lint(options: Options) -> int:
    _check(options)
    # Read first: nobody wants to wait for a run that ends in a message about a file.
    baseline = read_baseline(options.baseline) if options.baseline else None
    run = run_of(
        options, KnownFindings(baseline, folder_of(options.baseline)) if options.baseline and baseline else None
    )
    adopted = Adopted(visible(run.outcomes, options), run)
    if options.baseline and baseline:
        adopted = leave_out(baseline, options.baseline, adopted.shown, run)
    if options.write_baseline:
        adopted = write_baseline(options.write_baseline, adopted.shown, run)
    if options.add_noqa:
        adopted = add_noqa(adopted.shown, adopted.run)
    shown, run = adopted.shown, adopted.run
    if options.fix or options.diff or options.add_noqa:
        run = replace(run, problems=run.problems + tuple(deliver(run.outcomes, options)))
    if options.emit_repro:
        run = replace(run, notes=run.notes + tuple(_emit_repros(shown, run, options.emit_repro)))
    report(shown, run, options)
    tell(shown, run, options)
    return status_of(shown, run, options)


def _emit_repros(shown: list[Finding], run: Run, folder: Path) -> list[str]:
    from tflint_layers.cli.repros import write_repros

    return write_repros(shown, run.outcomes, folder)


def _check(options: Options) -> None:
    if options.only and not options.confirm:
        raise click.UsageError("--only confirmed needs --confirm")
    if options.emit_repro and not options.confirm:
        raise click.UsageError("--emit-repro needs --confirm")
    if options.benchmark and not (options.confirm or options.trace_all):
        raise click.UsageError("--benchmark needs --trace-all or --confirm")
    if options.show_output and not (options.confirm or options.trace_all):
        raise click.UsageError("--show-output needs --confirm or --trace-all")
    if options.baseline and options.write_baseline:
        raise click.UsageError("--baseline and --write-baseline cannot be used together")
    if (options.add_noqa or options.write_baseline) and (options.fix or options.diff):
        raise click.UsageError("findings are either fixed or accepted: first run with --fix, then without")
    if options.add_noqa and options.write_baseline:
        raise click.UsageError("--add-noqa leaves nothing for --write-baseline; use one of them")
    if options.keras == "2,3" and (options.fix or options.diff or options.add_noqa):
        raise click.UsageError("files are changed for one Keras: name it, not --keras 2,3")
    if options.isolated and options.config:
        raise click.UsageError("--isolated ignores configuration files, so it cannot be used with --config")
    if options.unsafe_fixes and not (options.fix or options.diff) and not options.quiet:
        say("note: --unsafe-fixes changes nothing without --fix or --diff")


def _explain(wanted: str) -> int:
    text = catalogue.explain(wanted)
    if text is None:
        entries = catalogue.entries()
        hint = nearest(wanted, [*entries, *(entry.name for entry in entries.values())])
        raise SettingsError(f"no rule is called `{wanted}`{hint}; --list-rules shows them all")
    click.echo(text)
    return CLEAN


def _list_rules() -> int:
    click.echo(catalogue.table(), nl=False)
    return CLEAN
