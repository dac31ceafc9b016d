"""How verdicts and proofs become what the command line reports and fixes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hosts import LAYER, places, tflint

from tflint_layers import confirming
from tflint_layers.confirm import FixProof, FixQuestion, Tracer
from tflint_layers.confirming import Fixes, confirm_outcomes
from tflint_layers.finding import Finding, Status, Verdict
from tflint_layers.settings import Settings
from tflint_layers.work import Outcome, Task, lint_file

PRINTS = LAYER.replace("        return inputs.numpy()\n", "        return inputs\n").encode()


def use_tensorflow(
    monkeypatch: pytest.MonkeyPatch, statuses: Mapping[str, Status], proofs: Sequence[str] = ()
) -> list[list[FixQuestion]]:
    """A TensorFlow that says this about each code, and accepts fixes whose result holds one of the ``proofs``."""
    asked: list[list[FixQuestion]] = []

    def confirm(findings: Sequence[Finding], sources: Mapping[str, bytes], **options: Any) -> list[Finding]:
        assert all(finding.path in sources for finding in findings)
        return [replace(f, verdict=Verdict(statuses[f.code], "because", None, 3)) for f in findings]

    def prove_fixes(questions: Sequence[FixQuestion], **options: Any) -> list[FixProof]:
        asked.append(list(questions))
        return [
            FixProof(any(proof.encode() in question.fixed for proof in proofs), "other numbers", None)
            for question in questions
        ]

    monkeypatch.setattr(confirming, "confirm", confirm)
    monkeypatch.setattr(confirming, "prove_fixes", prove_fixes)
    return asked


def judge(*sources: bytes, fix: bool | Fixes = False) -> list[Outcome]:
    tasks = [Task(f"{number}.py", Settings(), data=data) for number, data in enumerate(sources)]
    settings = {task.path: task.settings for task in tasks}
    fixes = fix if isinstance(fix, Fixes) else Fixes() if fix else None
    return confirm_outcomes([lint_file(task) for task in tasks], settings, fixes=fixes, tracer=Tracer())


def test_each_finding_has_its_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    use_tensorflow(monkeypatch, {"TFL301": Status.CONFIRMED, "TFL201": Status.UNPROVEN})
    (outcome, unreadable) = judge(PRINTS, b"x = (")
    assert [(f.code, f.verdict.status) for f in outcome.findings if f.verdict] == [
        ("TFL301", Status.CONFIRMED),
        ("TFL201", Status.UNPROVEN),
    ]
    assert [(f.code, f.verdict) for f in unreadable.findings] == [("TFL900", None)]


def test_proved_fixes_are_made_safe_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    use_tensorflow(monkeypatch, {"TFL301": Status.CONFIRMED, "TFL201": Status.CONFIRMED}, ["tf.print"])
    (outcome,) = judge(PRINTS, fix=True)
    assert outcome.fixed is not None
    assert b"eagerly" not in outcome.fixed.data
    assert b"tf.print(inputs)" in outcome.fixed.data
    assert outcome.findings == []


def test_refuted_findings_are_not_fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    use_tensorflow(monkeypatch, {"TFL301": Status.CONFIRMED, "TFL201": Status.REFUTED}, ["class"])
    (outcome,) = judge(PRINTS, fix=True)
    assert outcome.fixed is not None
    assert b"        print(inputs)" in outcome.fixed.data
    assert b"eagerly" not in outcome.fixed.data


def test_fixes_that_fail_are_not_made_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    use_tensorflow(monkeypatch, {"TFL301": Status.CONFIRMED, "TFL201": Status.CONFIRMED})
    (outcome,) = judge(PRINTS, fix=True)
    assert outcome.fixed is not None
    assert outcome.fixed.data == PRINTS
    assert outcome.notes == (
        "0.py:6: the fix of TFL301 was not made: other numbers",
        "0.py:7: the fix of TFL201 was not made: other numbers",
    )
    assert all(finding.verdict for finding in outcome.findings)


def test_what_is_accepted_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    use_tensorflow(monkeypatch, {"TFL301": Status.CONFIRMED, "TFL201": Status.CONFIRMED}, ["class"])
    (outcome,) = judge(PRINTS, fix=Fixes(lambda outcome: [f for f in outcome.findings if f.code == "TFL201"]))
    assert outcome.fixed is not None
    assert outcome.fixed.data == PRINTS.replace(b"        tf.config.run_functions_eagerly(True)\n", b"")
    assert outcome.notes == ("0.py: TFL301 fixed in Attention: other numbers",)


@pytest.mark.parametrize("unsafe", [False, True])
def test_other_gradients_are_for_the_user_to_decide(monkeypatch: pytest.MonkeyPatch, unsafe: bool) -> None:
    use_tensorflow(monkeypatch, {"TFL301": Status.CONFIRMED, "TFL201": Status.CONFIRMED})
    monkeypatch.setattr(
        confirming,
        "prove_fixes",
        lambda questions, **_: [FixProof(False, "other gradients", None, True) for _ in questions],
    )
    (outcome,) = judge(PRINTS, fix=Fixes(unsafe=unsafe))
    assert outcome.fixed is not None
    assert bool(outcome.fixed.applied) is unsafe
    if not unsafe:
        assert outcome.notes[0].endswith("other gradients; --unsafe-fixes makes it all the same")


def test_the_fixes_of_all_files_are_tried_in_one_go(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = use_tensorflow(monkeypatch, {"TFL301": Status.CONFIRMED, "TFL201": Status.CONFIRMED}, ["tf.print"])
    outcomes = judge(PRINTS, b"x = 1\n", PRINTS, fix=True)
    assert [bool(outcome.fixed) for outcome in outcomes] == [True, False, True]
    assert [{question.path for question in questions} for questions in asked] == [{"0.py", "2.py"}]


@pytest.mark.parametrize("python", ["./nowhere", "false"])
def test_without_tensorflow_the_job_cannot_be_done(tmp_path: Path, python: str) -> None:
    (tmp_path / "layers.py").write_text(LAYER)
    done = tflint("--confirm", "--python", python, folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(b"tflint-layers: error: ")
    assert b"Traceback" not in done.stderr


@pytest.mark.tensorflow
def test_real_verdicts_and_proofs(tmp_path: Path) -> None:
    path = tmp_path / "layers.py"
    path.write_bytes(PRINTS)
    confirmed = tflint("--confirm", "--only", "confirmed", "--output-format", "full", folder=tmp_path)
    assert confirmed.returncode == 1
    assert confirmed.stdout.count(b"= confirmed under Keras 3: ") == 2
    assert b"by running: Attention()(" in confirmed.stdout
    fixed = tflint("--confirm", "--fix", folder=tmp_path)
    assert (fixed.returncode, fixed.stdout) == (0, b"")
    assert places(tflint(folder=tmp_path).stdout) == []
    assert path.read_bytes() == PRINTS.replace(b"        tf.config.run_functions_eagerly(True)\n", b"").replace(
        b"print", b"tf.print"
    )
