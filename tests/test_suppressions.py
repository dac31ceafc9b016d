from __future__ import annotations

from pathlib import Path

import pytest
from hosts import finding, run, tflint

from tflint_layers import Settings, lint_source
from tflint_layers.fixer import fix_source
from tflint_layers.source import Source
from tflint_layers.suppressions import Suppressions


def suppressions(text: str) -> Suppressions:
    return Suppressions.of(Source.from_bytes(text.encode()))


def hides(text: str, line: int = 1, code: str = "TFL101") -> bool:
    return suppressions(text).hides(finding("a.py", line, code=code))


@pytest.mark.parametrize(
    "line",
    [
        "x.numpy()  # noqa",
        "x.numpy()  # NOQA",
        "x.numpy()  # NoQA: TFL101",
        "x.numpy()  # noqa:TFL101",
        "x.numpy()  # noqa: TFL101 we need it here",
        "x.numpy()  # noqa: E501, TFL101",
        "x.numpy()  # noqa: E501 TFL101",
        "x.numpy()  # noqa: TFL",
        "x.numpy()  # noqa: TFL1",
        "x.numpy()  # type: ignore # noqa: TFL101",
        "x.numpy()  # noqa: because",  # flake8 takes what is no code for a reason: everything is hidden
        "x.numpy()  # noqa : TFL201",
        "x.numpy('# noqa')",  # flake8 searches the text of the line, not its comments
    ],
)
def test_hidden(line: str) -> None:
    assert hides(line)


@pytest.mark.parametrize(
    "line",
    [
        "x.numpy()",
        "x.numpy()  # noqa: TFL201",
        "x.numpy()  # noqa: tfl101",
        "x.numpy()  # noqa: TFL201 # noqa: TFL101",  # flake8 reads the first one only
        "x.numpy()  #noqa",
        "x.numpy()  # tflint-layers: skip-file",
    ],
)
def test_not_hidden(line: str) -> None:
    assert not hides(line)


def test_only_the_line_itself_counts_within_brackets() -> None:
    text = "f(\n    x.numpy(),\n    y)  # noqa\n"
    assert not hides(text, line=2)
    assert hides(text, line=3)


@pytest.mark.parametrize(
    "text",
    [
        'x = y.numpy(), """\n"""  # noqa\n',
        'x = y.numpy(), """\n\n\n"""  # noqa\n',
        "x = y.numpy(), '''\n'''  # noqa\n",
        "x = y.numpy(), 'a\\\nb'  # noqa\n",
        "x = y.numpy() + \\\n    1  # noqa\n",
        "x = y.numpy() \\\n  # noqa\n",
        'x = y.numpy(); z = """\n"""; z = """\n"""  # noqa\n',
        "@first('''\n''')  # noqa\ndef f(): ...\n",
    ],
)
def test_a_continued_line_is_one_with_the_next(text: str) -> None:
    assert hides(text, line=1)
    assert hides(text.replace("\n", "\r\n"), line=1)


def test_a_line_that_a_string_or_a_backslash_leads_to_is_one_with_those_before() -> None:
    assert hides('z = """\n# noqa\n""", y.numpy()\n', line=3)
    assert hides("z = 'a\\\n# noqa\\\nb', y.numpy()\n", line=3)


def test_a_line_inside_of_a_string_is_one_with_all_of_it() -> None:
    assert hides('y = f"""\n{x.numpy()}\n# noqa\n"""\n', line=2)


def test_the_whole_file_as_flake8_has_it() -> None:
    assert hides("# flake8: noqa\nx.numpy()\n", line=2)
    assert not hides("x = 1  # flake8: noqa\nx.numpy()\n", line=2)


def test_a_file_that_cannot_be_tokenised_still_has_its_lines() -> None:
    assert hides("x = (  # noqa\n")
    assert not hides("x = (\n")


@pytest.mark.parametrize("text", ["# tflint-layers: skip-file\nx = 1\n", "x = 1\n    # tflint-layers:skip-file\n"])
def test_skip_file(text: str) -> None:
    assert suppressions(text).skip_file


@pytest.mark.parametrize(
    "text",
    ["x = 1  # tflint-layers: skip-file\n", '"""\n# tflint-layers: skip-file\n"""\n', "# tflint-layers: skip\n", ""],
)
def test_no_skip_file(text: str) -> None:
    assert not suppressions(text).skip_file


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("x.numpy()  # no comment of ours\n", 1),
        ("x.numpy()\ny = 1  # noqa\n", 1),
        ("y = 1  # noqa\nx.numpy()\n", 2),
        ("# noqa\n\n@first\ndef f():\n    x.numpy()\n# noqa\n", 5),
    ],
)
def test_nothing_is_tokenised_without_need(text: str, line: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tokenize.generate_tokens", None)
    assert not hides(text, line=line)
    assert not suppressions("x = 1\n").skip_file


LAYER = """\
import keras


class Scale(keras.layers.Layer):
    def call(self, inputs):
        print(inputs)  # noqa: TFL201
        {line}
        return inputs
"""

# A line of a layer, and what is left of it without its unused codes.
UNUSED = {
    "y = 1  # noqa: TFL101": "y = 1",
    "y = 1  # noqa:TFL101": "y = 1",
    "y = 1  # noqa: TFL101 since it is needed": "y = 1",
    "y = 1  # noqa: TFL101, TFL201": "y = 1",
    "y = 1  # noqa: E501, TFL101": "y = 1  # noqa: E501",
    "y = 1  # noqa: TFL101,E501 too long": "y = 1  # noqa: E501 too long",
    "print(inputs)  # noqa: TFL101 TFL201 E501": "print(inputs)  # noqa: TFL201 E501",
    "y = 1  # why # noqa: TFL101 # type: ignore": "y = 1  # why # type: ignore",
    "y = 'é日'  # é日  # noqa: TFL101": "y = 'é日'  # é日",
    'y = 1, """\n"""  # noqa: TFL101': 'y = 1, """\n"""',
    "y = 1  # noqa: TFL4": "y = 1",
}

USED = [
    "y = 1",
    "y = 1  # noqa",
    "y = 1  # noqa: E501",
    "y = 1  # noqa: TFL",  # hides this report, too
    "y = 1  # noqa: TFL101, TFL901",
    "y = 1  # noqa: TFL900, TFL902",
    "y = 1  # noqa: TFL999",  # no rule of ours
    "y = '# noqa: TFL101'",
    "print(inputs)  # noqa: TFL201",
    "print(inputs)  # noqa: TFL2",
    'print(inputs, """\n""")  # noqa: TFL201',
]


def unused(text: str, settings: Settings | None = None) -> list[str]:
    found = lint_source(text.encode(), "layers.py", settings)
    return [finding.message for finding in found if finding.code == "TFL901"]


@pytest.mark.parametrize(("line", "left"), UNUSED.items())
def test_unused_codes_are_found_and_removed(line: str, left: str) -> None:
    before, after = LAYER.format(line=line), LAYER.format(line=left)
    (message,) = unused(before)
    assert "nothing on this line" in message
    for ending in ("\n", "\r\n"):
        fixed = fix_source(before.replace("\n", ending).encode(), "layers.py", Settings(select=("TFL",)))
        assert fixed.data.decode() == after.replace("\n", ending)
        assert [finding.code for finding in fixed.applied] == ["TFL901"]


@pytest.mark.parametrize("line", USED)
def test_codes_that_hide_something_or_are_not_ours_stay(line: str) -> None:
    assert unused(LAYER.format(line=line)) == []


def test_a_comment_on_a_line_of_its_own_goes_with_the_line() -> None:
    text = "x = 1\n    # noqa: TFL101\ny = 2\n"
    assert fix_source(text.encode(), "layers.py", Settings()).data == b"x = 1\ny = 2\n"


def test_rules_that_are_off_are_not_judged() -> None:
    text = LAYER.format(line="y = 1  # noqa: TFL101")
    assert unused(text, Settings(select=("TFL101", "TFL901"))) == ["`TFL101` hides nothing on this line"]
    assert unused(text, Settings(ignore=("TFL101",))) == []
    assert unused(text, Settings(ignore=("TFL901",))) == []
    assert unused(f"# flake8: noqa\n{text}") == []


def test_a_comment_that_another_keras_needs_is_used() -> None:
    text = LAYER.format(line="y = float(inputs[0]) if inputs[0] > 0 else 0  # noqa: TFL102, TFL104")
    assert unused(text, Settings(keras=2)) == unused(text, Settings(keras=3)) == []


def test_flake8_and_the_command_line_agree_on_unused_codes(tmp_path: Path) -> None:
    text = "".join(LAYER.format(line=line) for line in (*UNUSED, *USED))
    (tmp_path / "layers.py").write_text(text, encoding="utf-8")
    ours, theirs = tflint("layers.py", folder=tmp_path), run(["flake8", "--select", "TFL", "layers.py"], tmp_path)
    assert theirs.stdout == ours.stdout
    assert theirs.stdout.count(b"TFL901") == len(UNUSED)


def test_what_no_rule_reports_is_explained_listed_and_selected(tmp_path: Path) -> None:
    assert tflint("--explain", "unused-suppression", folder=tmp_path).stdout.startswith(b"A `# noqa` comment")
    listed = tflint("--list-rules", folder=tmp_path).stdout
    assert all(code in listed for code in (b"TFL900", b"TFL901", b"TFL902"))
    (tmp_path / "layers.py").write_text(LAYER.format(line="y = 1  # noqa: TFL101"))
    assert tflint("--ignore", "unused-suppression", folder=tmp_path).returncode == 0
