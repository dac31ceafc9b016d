"""The page, read back with a parser of HTML, from the real command line."""

from __future__ import annotations

import os
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hosts import EXPECTED, LAYER, finding, run, tflint

from tflint_layers.document import Document
from tflint_layers.finding import Edit, Fix, Safety, Status, Verdict
from tflint_layers.report import FORMATS

LAYERS = LAYER.replace("class Attention", "# before <b>&amp;</b>\nclass Attention")


class Page(HTMLParser):
    """The tags, the attributes and the text of a page, and whether all tags are closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.text = ""
        self.by_tag: dict[str, list[str]] = {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag != "meta":
            self.open.append(tag)
            self.by_tag.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        for tag in dict.fromkeys(self.open):
            self.by_tag[tag][-1] += data
        self.text += data


TAGS = {
    *("html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "p", "table", "tr", "th", "td"),
    *("section", "article", "a", "code", "pre", "span", "mark", "details", "summary"),
}


def page(folder: Path, *arguments: str, status: int = 1) -> Page:
    done = tflint("--keras", "3", "--output-format", "html", *arguments, folder=folder)
    assert done.returncode == status, done.stderr
    text = done.stdout.decode()
    assert text.startswith("<!DOCTYPE html>\n")
    read = Page(text)
    assert read.open == []
    assert set(read.tags) <= TAGS
    assert all(value.startswith("#") for name, value in read.attributes if name in {"href", "src"} and value)
    assert not any(name.startswith("on") for name, _ in read.attributes)
    assert not re.search(r"url\(|@import|https?:", read.by_tag["style"][0])
    return read


def test_the_page_tells_what_the_other_formats_tell(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(LAYERS)
    (tmp_path / "b.py").write_text(LAYER)
    read = page(tmp_path)
    assert "6 findings in 2 files." in read.by_tag["p"]
    assert [row for row in read.by_tag["td"] if row == "2"] == ["2", "2", "2"]
    assert read.by_tag["h2"] == ["a.py", "b.py", "Rules"]
    assert [title.split()[0] for title in read.by_tag["h3"]] == [code for _, _, code in EXPECTED] * 2
    assert [place for place in read.by_tag["code"] if place.startswith("b.py")] == ["b.py:6:9", "b.py:7:9", "b.py:8:16"]
    assert read.by_tag["mark"][3:] == ["tf.config.run_functions_eagerly(True)", "print(inputs)", "inputs.numpy()"]
    assert {summary.split()[0] for summary in read.by_tag["summary"]} == {code for _, _, code in EXPECTED}
    assert {value for name, value in read.attributes if name == "id"} == {code for _, _, code in EXPECTED}


def test_the_code_is_shown_with_its_neighbours_and_the_fix_as_a_difference(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(LAYER)
    read = page(tmp_path, "--select", "TFL101")
    frame, change, _ = read.by_tag["pre"]
    assert frame.splitlines() == [
        "6 |         tf.config.run_functions_eagerly(True)",
        "7 |         print(inputs)",
        "8 |         return inputs.numpy()",
    ]
    assert change.splitlines() == [
        "@@ line 6 @@",
        "          tf.config.run_functions_eagerly(True)",
        "          print(inputs)",
        "-         return inputs.numpy()",
        "+         return inputs",
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="such names are not allowed there")
def test_nothing_hostile_gets_through(tmp_path: Path) -> None:
    name = "<img src=x onerror=alert(1)>&\"'\u202e.py"
    code = LAYER.replace("print(inputs)", 'print(inputs, "</pre><script>alert(1)</script>&amp;\u202e\x1b[31m")')
    (tmp_path / name).write_text(code, encoding="utf-8")
    read = page(tmp_path)
    assert "<img src=x onerror=alert(1)>&\"'\\u202e.py" in read.by_tag["h2"]
    assert "</pre><script>alert(1)</script>&amp;\\u202e\\x1b[31m" in read.text
    assert "\u202e" not in read.text


@pytest.mark.skipif(sys.platform != "linux", reason="such names are not allowed there")
@pytest.mark.parametrize("format_name", sorted(FORMATS))
def test_a_file_name_that_is_no_text_is_written_to_any_report(tmp_path: Path, format_name: str) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.py")).write_text(LAYER)
    done = tflint("--output-format", format_name, "--output-file", "report", folder=tmp_path)
    assert done.returncode == 1, done.stderr
    assert (tmp_path / "report").read_bytes()


def test_messages_and_verdicts_are_escaped() -> None:
    hostile = "</style><script>alert(1)</script>\udcff\x00"
    told = finding(
        "a.py",
        1,
        message=hostile,
        route=("L.call", hostile),
        verdict=Verdict(Status.CONFIRMED, hostile, hostile, 3),
        fix=Fix(hostile, Safety.UNSAFE, (Edit(0, 1, hostile),)),
    )
    read = Page(FORMATS["html"]([told], {"a.py": Document.of(b"x = 1\n", "a.py")}, lambda text, _: text))
    assert set(read.tags) <= TAGS
    assert read.text.count("</style><script>alert(1)</script>\\udcff\\x00") == 5
    assert "confirmed: 1" in read.by_tag["p"]


def test_no_findings_and_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    assert "No findings." in page(tmp_path, status=0).by_tag["p"]
    (tmp_path / "a.py").write_bytes(b"x = '\xff'\n")
    assert page(tmp_path).by_tag["summary"][0].startswith("TFL900")


def test_cells_of_notebooks_are_told_apart(tmp_path: Path) -> None:
    cells = ",".join(
        f'{{"cell_type": "code", "metadata": {{}}, "outputs": [], "source": {source}}}'
        for source in (
            '["import tensorflow as tf\\n", "a = 1"]',
            '["class L(tf.keras.layers.Layer):\\n", "    def call(self, x):\\n", "        return x.numpy()"]',
        )
    )
    (tmp_path / "a.ipynb").write_text(f'{{"cells": [{cells}], "metadata": {{}}, "nbformat": 4, "nbformat_minor": 5}}')
    read = page(tmp_path, "a.ipynb")
    assert "a.ipynb:cell 2:3:16" in read.by_tag["code"]
    assert read.by_tag["pre"][0].startswith("1 | class L")
    assert "@@ cell 2, line" in read.by_tag["pre"][1]


@pytest.mark.tensorflow
def test_the_page_shows_the_evidence(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(LAYER)
    done = run(["tflint_layers", "--keras", "3", "--confirm", "--output-format", "html"], tmp_path)
    read = Page(done.stdout.decode())
    assert "confirmed: 3" in read.by_tag["p"]
    assert any("Attention()(" in text for text in read.by_tag["pre"])
