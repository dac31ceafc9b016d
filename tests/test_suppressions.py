from __future__ import annotations

import pytest
from hosts import finding

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


@pytest.mark.parametrize("text", ['x = y.numpy(), """\n"""  # noqa\n', "x = y.numpy() + \\\n    1  # noqa\n"])
def test_a_continued_line_is_one_with_the_next(text: str) -> None:
    assert hides(text, line=1)
    assert hides(text.replace("\n", "\r\n"), line=1)


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


def test_nothing_is_tokenised_without_need(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tokenize.generate_tokens", None)
    assert not hides("x.numpy()  # no comment of ours\n")
    assert not suppressions("x = 1\n").skip_file
