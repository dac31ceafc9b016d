"""Write what is generated from the rules: ``bad.fixed.py``, the page of each rule, and the table in README.md.

Run it after a change to a rule and judge the result with ``git diff``; the markers in ``bad.py`` are written by hand.
"""

from __future__ import annotations

import difflib
from pathlib import Path

from tflint_layers import Settings, lint_source
from tflint_layers.fixer import fix_source
from tflint_layers.rules import Rule, all_rules

ROOT = Path(__file__).parent.parent
FIXTURES = ROOT / "fixtures"
README = ROOT / "README.md"
BEGIN, END = "<!-- rules -->", "<!-- /rules -->"


def fixed(folder: Path) -> bytes | None:
    """The bytes of ``bad.py`` after all fixes, unsafe ones too; None where there are none."""
    path = folder / "bad.py"
    result = fix_source(path.read_bytes(), str(path), Settings(keras=3, preview=True), unsafe=True)
    return result.data if result.applied else None


def page(rule: Rule, folder: Path) -> str:
    """The rule's documentation, what the command line says of the fixture, and what the fixes change."""
    path = folder / "bad.py"
    parts = [f"# {rule.code} {rule.name}{' (preview)' if rule.preview else ''}", rule.documentation.strip()]
    for keras in (3, 2):
        findings = lint_source(path.read_bytes(), str(path), Settings(keras=keras, preview=True))
        lines = [f"bad.py:{f.line}:{f.column}: {f.code} {f.message}" for f in findings]
        command = f"tflint-layers --preview --keras {keras} bad.py"
        parts += [f"## `{command}`", "```text\n" + ("\n".join(lines) or "nothing to report") + "\n```"]
    new = fixed(folder)
    if new is not None:
        old_lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        diff = difflib.unified_diff(old_lines, new.decode().splitlines(keepends=True), "bad.py", "bad.fixed.py")
        command = "tflint-layers --preview --fix --unsafe-fixes --diff bad.py"
        parts += [f"## `{command}`", "```diff\n" + "".join(diff) + "```"]
    return "\n\n".join(parts) + "\n"


def table() -> str:
    """The rules as the README lists them."""
    rows = ["| code | name | what it finds | fix |", "|---|---|---|---|"]
    for rule in all_rules().values():
        name = f"[{rule.name}](fixtures/{rule.code}-{rule.name}/README.md)" + (" (preview)" if rule.preview else "")
        rows.append(f"| {rule.code} | {name} | {rule.summary} | {_fix(rule)} |")
    return "\n".join(rows)


def _fix(rule: Rule) -> str:
    if rule.fix is None:
        return ""
    return "suggestion" if rule.only_suggests else "yes"


def with_table(readme: str) -> str:
    """The README with its table of rules made anew."""
    before, _, rest = readme.partition(BEGIN)
    return f"{before}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}"


def main() -> None:
    """Write the files."""
    README.write_text(with_table(README.read_text(encoding="utf-8")), encoding="utf-8")
    for rule in all_rules().values():
        folder = FIXTURES / f"{rule.code}-{rule.name}"
        (folder / "README.md").write_text(page(rule, folder), encoding="utf-8")
        new = fixed(folder)
        if new is not None:
            (folder / "bad.fixed.py").write_bytes(new)
        else:
            (folder / "bad.fixed.py").unlink(missing_ok=True)


if __name__ == "__main__":
    main()
