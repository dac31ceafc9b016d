"""The rules, and what is reported without one, for people who ask about them."""

from __future__ import annotations

from tflint_layers.notices import NOTICES, Notice
from tflint_layers.rules import Rule, all_rules


def entries() -> dict[str, Rule | Notice]:
    """All that can be selected and reported, by code, in the order of the codes."""
    return {**all_rules(), **NOTICES}


def explain(wanted: str) -> str | None:
    """The documentation of the rule with this code or name, if there is one."""
    for entry in entries().values():
        if wanted.upper() == entry.code or wanted.lower() == entry.name:
            return entry.documentation.strip()
    return None


def table() -> str:
    """A line for each rule: code, name, what it is about, whether it has a fix."""
    width = max(len(entry.name) for entry in entries().values())
    return "".join(f"{entry.code}  {entry.name:<{width}}  {_about(entry)}\n" for entry in entries().values())


def _about(entry: Rule | Notice) -> str:
    if isinstance(entry, Notice):
        marks = ["fixable"] if entry.fixable else []
    else:
        marks = [mark for mark, holds in (("fixable", entry.fix is not None), ("preview", entry.preview)) if holds]
    return f"{entry.summary} ({', '.join(marks)})" if marks else entry.summary
