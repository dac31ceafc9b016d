"""The rules, for people who ask about them."""

from __future__ import annotations

from tflint_layers.rules import Rule, all_rules


def explain(wanted: str) -> str | None:
    """The documentation of the rule with this code or name, if there is one."""
    for rule in all_rules().values():
        if wanted.upper() == rule.code or wanted.lower() == rule.name:
            return rule.documentation.strip()
    return None


def table() -> str:
    """A line for each rule: code, name, what it is about, whether it has a fix."""
    rules = all_rules().values()
    width = max((len(rule.name) for rule in rules), default=0)
    return "".join(f"{rule.code}  {rule.name:<{width}}  {_about(rule)}\n" for rule in rules)


def _about(rule: Rule) -> str:
    marks = [mark for mark, holds in (("fixable", rule.fix is not None), ("preview", rule.preview)) if holds]
    return f"{rule.summary} ({', '.join(marks)})" if marks else rule.summary
