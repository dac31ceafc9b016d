"""The whole contract of a rule, for every fixture folder: markers, silence, fixes, shells, documentation."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import generate_fixtures
import pytest
from conftest import FIXTURES, marked, rule_folders

from tflint_layers import Finding, Safety, Settings, lint_source
from tflint_layers.fixer import fix_source
from tflint_layers.rules import all_rules

HEADINGS = [
    "What it does",
    "Why is this bad",
    "Keras 2 and Keras 3",
    "Example",
    "Fix safety",
    "How TensorFlow confirms it",
]


def settings(keras: int) -> Settings:
    return Settings(keras=keras, preview=True)


def found(path: Path, keras: int) -> list[Finding]:
    return lint_source(path.read_bytes(), str(path), settings(keras))


def test_every_rule_has_a_folder_and_every_folder_a_rule() -> None:
    assert [folder.name for folder in rule_folders()] == [f"{r.code}-{r.name}" for r in all_rules().values()]


def test_markers_are_the_findings(rule_folder: Path, keras: int) -> None:
    path = rule_folder / "bad.py"
    assert {(finding.line, finding.code) for finding in found(path, keras)} == marked(path, keras)


def test_unsafe_fixes_say_how_the_meaning_may_change(rule_folder: Path, keras: int) -> None:
    fixes = [finding.fix for finding in found(rule_folder / "bad.py", keras) if finding.fix]
    unsafe = [fix.message for fix in fixes if fix.safety is Safety.UNSAFE]
    assert [message for message in unsafe if not re.search("; |, whose", message)] == []


def test_bad_shows_its_own_rule(rule_folder: Path) -> None:
    code = rule_folder.name[:6]
    assert any(code == marker for keras in (2, 3) for _, marker in marked(rule_folder / "bad.py", keras))


def test_good_is_silent(rule_folder: Path, keras: int) -> None:
    assert found(rule_folder / "good.py", keras) == []


def test_another_base_class_silences_everything(rule_folder: Path, keras: int) -> None:
    text = (rule_folder / "bad.py").read_text(encoding="utf-8")
    if "tf.function" in text or rule_folder.name[:6] in {"TFL301", "TFL302", "TFL113"}:
        pytest.skip("traced, or wrong, without any class")
    tree = ast.parse(text)
    local = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            node.bases = [b for b in node.bases if isinstance(b, ast.Name) and b.id in local] or [ast.Name("object")]
    assert lint_source(ast.unparse(tree).encode(), "renamed.py", settings(keras)) == []


def test_fixed_code_is_the_generated_file(rule_folder: Path) -> None:
    fixed = rule_folder / "bad.fixed.py"
    result = fix_source((rule_folder / "bad.py").read_bytes(), str(rule_folder / "bad.py"), settings(3), unsafe=True)
    if not fixed.exists():
        assert not result.applied
        return
    assert result.data.decode() == fixed.read_text(encoding="utf-8")


def test_generated_page_is_current(rule_folder: Path) -> None:
    rule = all_rules()[rule_folder.name[:6]]
    assert (rule_folder / "README.md").read_text(encoding="utf-8") == generate_fixtures.page(rule, rule_folder)


def test_readme_lists_the_rules() -> None:
    text = generate_fixtures.README.read_text(encoding="utf-8")
    assert generate_fixtures.with_table(text) == text


def test_fixed_code_compiles_and_is_stable(rule_folder: Path, keras: int) -> None:
    path = rule_folder / "bad.py"
    result = fix_source(path.read_bytes(), str(path), settings(keras), unsafe=True)
    compile(result.data, str(path), "exec")
    assert result.converged
    again = fix_source(result.data, str(path), settings(keras), unsafe=True)
    assert (again.data, again.applied) == (result.data, [])
    applicable = [f for f in result.remaining if f.fix is not None and f.fix.safety is not Safety.SUGGESTION]
    assert applicable == []


def test_documentation_has_the_headings_and_runs() -> None:
    for rule in all_rules().values():
        assert re.findall(r"^## (.+)$", rule.documentation, re.MULTILINE) == HEADINGS, rule.code
        for example in re.findall(r"```python\n(.*?)```", rule.documentation, re.DOTALL):
            ast.parse(example)


@pytest.mark.parametrize("version", ["2", "3"])
def test_flake8_and_the_command_line_agree(version: str) -> None:
    files = [str(path) for path in sorted(FIXTURES.glob("*/*.py"))]
    flake8 = subprocess.run(
        [
            sys.executable,
            "-m",
            "flake8",
            "--isolated",
            "--select=TFL",
            "--tfl-preview",
            f"--tfl-keras={version}",
            *files,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    command = [sys.executable, "-m", "tflint_layers", "--isolated", "--no-cache", "--preview", "--keras", version]
    own = subprocess.run([*command, "--output-format", "json", *files], capture_output=True, text=True, check=False)
    lines = [f"{f['path']}:{f['line']}:{f['column']}: {f['code']} {f['message']}" for f in json.loads(own.stdout)]
    assert sorted(flake8.stdout.splitlines()) == sorted(lines)
    assert lines
