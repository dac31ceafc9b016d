"""The rules, found by walking this package: a rule is one module that ends in ``RULE = Rule(...)``."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from tflint_layers.rules.rule import Hit, Rule

__all__ = ["Hit", "Rule", "all_rules"]


@cache
def all_rules() -> dict[str, Rule]:
    """Every rule by its code, in the order of the codes."""
    modules = (
        importlib.import_module(f"{__name__}.{module.name}")
        for module in pkgutil.iter_modules(__path__)
        if module.name.startswith("tfl")
    )
    rules = {module.RULE.code: module.RULE for module in modules}
    return dict(sorted(rules.items()))
