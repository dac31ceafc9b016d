"""Finds the codes in ``# noqa`` comments that hide nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set

from tflint_layers.finding import Finding, Fix, Proof, Safety
from tflint_layers.noqa_edits import without_codes
from tflint_layers.notices import UNUSED_SUPPRESSION
from tflint_layers.rules import all_rules
from tflint_layers.source import Source
from tflint_layers.suppressions import Noqa


def unused_noqas(
    source: Source, noqas: Iterable[Noqa], findings: Sequence[Finding], selected: Set[str], keras: int
) -> Iterator[Finding]:
    """A finding for each comment with codes that hide none of ``findings``.

    Suspects are to be among the findings, since a trace may report them. Rules that are not ``selected`` had no
    say, so that their codes are not judged.
    """
    on_line: dict[int, set[str]] = {}
    for finding in findings:
        on_line.setdefault(finding.line, set()).add(finding.code)
    for noqa in noqas:
        hidden = {code for line in range(noqa.first, noqa.last + 1) for code in on_line.get(line, ())}
        unused = [code for code in dict.fromkeys(noqa.codes) if _is_unused(code, hidden, selected)]
        if unused:
            yield _finding(source, noqa, unused, keras)


def _is_unused(code: str, hidden: Set[str], selected: Set[str]) -> bool:
    """Whether a code, or prefix, of ours hides nothing. Where a rule that it means is off, nobody can tell."""
    meant = {rule for rule in all_rules() if rule.startswith(code)}
    return bool(meant) and meant <= selected and not meant & hidden


def _finding(source: Source, noqa: Noqa, codes: list[str], keras: int) -> Finding:
    named = " and ".join(f"`{code}`" for code in codes)
    fix = Fix(f"remove {named} from the comment", Safety.SAFE, (without_codes(source, noqa, codes),))
    return Finding(
        path=source.path,
        cell=None,
        line=noqa.last,
        column=noqa.column + 1,
        code=UNUSED_SUPPRESSION.code,
        end_line=noqa.last,
        end_column=noqa.codes_column + len(noqa.written) + 1,
        name=UNUSED_SUPPRESSION.name,
        message=f"{named} {'hides' if len(codes) == 1 else 'hide'} nothing on this line",
        layer=None,
        function=None,
        route=(),
        keras=keras,
        proof=Proof.NONE,
        fix=fix,
    )
