from __future__ import annotations

import json
from collections.abc import Sequence
from xml.etree import ElementTree

import pytest
from hosts import PROJECT, finding

from tflint_layers.document import Document
from tflint_layers.finding import Edit, Finding, Fix, Safety, Status, Verdict
from tflint_layers.report import FORMATS, in_order, layers, statistics

CODE = "class L(Layer):\n    def call(self, x):\n\ty = '日本', x.numpy()\n\treturn y\n"


def render(name: str, *findings: Finding, code: bytes = CODE.encode()) -> str:
    return FORMATS[name](findings, {"a.py": Document.of(code, "a.py")}, lambda text, color: text)


NUMPY = finding("a.py", 3, 12, width=9)
START = CODE.encode().index(b".numpy")
JUDGED = finding(
    "a.py",
    3,
    12,
    width=9,
    route=("L.call", "helper"),
    fix=Fix("drop `.numpy()`", Safety.UNSAFE, (Edit(START, START + 8, ""),)),
    verdict=Verdict(Status.CONFIRMED, "NotImplementedError: numpy() is only available\nin eager mode", "L()(1)", 3),
)


def test_concise() -> None:
    assert render("concise", NUMPY) == "a.py:3:12: TFL101 `x.numpy()` fails\n"


def test_full_underlines_what_is_meant() -> None:
    assert render("full", NUMPY) == (
        "a.py:3:12: TFL101 `x.numpy()` fails\n  |\n3 | \ty = '日本', x.numpy()\n  | \t            ^^^^^^^^^\n\n"
    )


def test_full_tells_the_whole_story() -> None:
    assert render("full", JUDGED).splitlines()[4:] == [
        "  = traced through: L.call -> helper",
        "  = confirmed under Keras 3: NotImplementedError: numpy() is only available",
        "    in eager mode",
        "    by running: L()(1)",
        "  = unsafe fix: drop `.numpy()`",
        "",
    ]


def test_full_underlines_several_lines() -> None:
    several = finding("a.py", 2, 5, end_line=4, end_column=10)
    assert render("full", several).count("^\n") == 3


def test_full_shows_part_of_an_endless_line() -> None:
    code = "x = [" + "1, " * 100_000 + "x.numpy()]"
    lines = render("full", finding("a.py", 1, code.index("x.n") + 1, width=9), code=code.encode()).splitlines()
    assert max(map(len, lines)) < 200
    assert lines[2][lines[3].index("^") : lines[3].rindex("^") + 1] == "x.numpy()"


def test_full_without_code() -> None:
    unreadable = finding("a.py", 7, code="TFL900")
    assert render("full", unreadable, code=b"\xff") == "a.py:7:1: TFL900 `x.numpy()` fails\n\n"


def test_json_is_the_contract() -> None:
    assert json.loads(render("json", JUDGED)) == [
        {
            "path": "a.py",
            "line": 3,
            "column": 12,
            "end_line": 3,
            "end_column": 21,
            "cell": None,
            "code": "TFL101",
            "name": "numpy-method-on-tensor",
            "message": "`x.numpy()` fails",
            "layer": "L",
            "function": "L.call",
            "route": ["L.call", "helper"],
            "keras": 3,
            "verdict": {
                "status": "confirmed",
                "because": "NotImplementedError: numpy() is only available\nin eager mode",
                "recipe": "L()(1)",
                "keras": 3,
            },
            "fix": {
                "safety": "unsafe",
                "message": "drop `.numpy()`",
                "edits": [{"start_line": 3, "start_column": 13, "end_line": 3, "end_column": 21, "text": ""}],
            },
        }
    ]


def test_every_field_of_json_is_documented() -> None:
    layer = layers.TracedLayer("a.py", 1, "L", "traces", "it runs", None, 3)
    content = json.loads(
        layers.as_json([JUDGED], [layer], {"a.py": Document.of(CODE.encode(), "a.py")}, ["no network"])
    )
    text = (PROJECT / "docs" / "json.md").read_text(encoding="utf-8")
    (found,), (traced,) = content["findings"], content["layers"]
    parts = (content, found, found["verdict"], found["fix"], found["fix"]["edits"][0], traced)
    assert [name for part in parts for name in part if f"`{name}`" not in text] == []


def test_json_of_nothing_is_a_list() -> None:
    assert json.loads(render("json")) == []
    assert render("json-lines") == ""


def test_json_lines() -> None:
    first, second = render("json-lines", NUMPY, JUDGED).splitlines()
    assert [json.loads(first), json.loads(second)] == json.loads(render("json", NUMPY, JUDGED))
    assert json.loads(first)["verdict"] is None
    assert json.loads(first)["fix"] is None


def test_github_escapes() -> None:
    text = render("github", finding("a.py", 3, 12, width=9, message="100%\nof: it"))
    assert text == (
        "::error title=tflint-layers TFL101 numpy-method-on-tensor,file=a.py,line=3,endLine=3,col=12,endColumn=21"
        "::TFL101 100%25%0Aof: it\n"
    )


def test_order_is_by_place_and_code_and_each_is_told_once() -> None:
    findings = [
        finding("b.py", 1),
        finding("a.py", 2),
        finding("a.py", 1, 9),
        finding("a.py", 1, 2, code="TFL201"),
        finding("a.py", 1, 2),
        finding("a.py", 1, 2),
    ]

    def places(found: Sequence[Finding]) -> list[tuple[str, int, int, str]]:
        return [(f.path, f.line, f.column, f.code) for f in found]

    expected = [
        ("a.py", 1, 2, "TFL101"),
        ("a.py", 1, 2, "TFL201"),
        ("a.py", 1, 9, "TFL101"),
        ("a.py", 2, 1, "TFL101"),
        ("b.py", 1, 1, "TFL101"),
    ]
    assert places(in_order(findings)) == expected
    assert places(in_order(reversed(findings))) == expected


def test_statistics() -> None:
    findings = [NUMPY, finding("a.py", 1, code="TFL201", name="print-in-traced-code"), JUDGED]
    assert statistics.render(findings, "concise") == (
        "2  TFL101  numpy-method-on-tensor\n1  TFL201  print-in-traced-code\n"
    )
    assert json.loads(statistics.render(findings, "json"))[0] == {
        "code": "TFL101",
        "name": "numpy-method-on-tensor",
        "count": 2,
    }


def test_gitlab_fingerprints_stay_and_differ() -> None:
    first, second, third = json.loads(render("gitlab", NUMPY, finding("a.py", 4), JUDGED))
    assert len({issue["fingerprint"] for issue in (first, second, third)}) == 3
    assert json.loads(render("gitlab", finding("a.py", 2)))[0]["fingerprint"] == first["fingerprint"]
    assert first["location"]["positions"] == {"begin": {"line": 3, "column": 12}, "end": {"line": 3, "column": 21}}


def test_junit() -> None:
    root = ElementTree.fromstring(render("junit", NUMPY, finding("a.py", 4, message="<a> & \x00")))
    (suite,) = root
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == ("a.py", "2", "2")
    assert [case.get("name") for case in suite] == ["TFL101 numpy-method-on-tensor"] * 2
    assert suite[0][0].text == "a.py:3:12: TFL101 `x.numpy()` fails"
    assert suite[1][0].get("message") == "<a> & \ufffd"


def test_junit_of_nothing_is_a_test_that_passes() -> None:
    (suite,) = ElementTree.fromstring(render("junit"))
    assert (suite.get("tests"), suite.get("failures")) == ("1", "0")


def test_sarif() -> None:
    (run,) = json.loads(render("sarif", JUDGED, finding("a.py", 1, code="TFL900", name="file-not-readable")))["runs"]
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    assert "Why is this bad" in rules["TFL101"]["help"]["text"]
    assert rules["TFL900"]["name"] == "file-not-readable"
    first, second = run["results"]
    region = {"startLine": 3, "startColumn": 12, "endLine": 3, "endColumn": 21}
    assert first["locations"] == [{"physicalLocation": {"artifactLocation": {"uri": "a.py"}, "region": region}}]
    assert first["properties"]["verdict"] == "confirmed"
    (change,) = first["fixes"][0]["artifactChanges"]
    assert change["replacements"] == [
        {"deletedRegion": {**region, "startColumn": 13}, "insertedContent": {"text": ""}},
    ]
    assert "fixes" not in second


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_format_tells_the_verdict_and_the_recipe(name: str) -> None:
    text = render(name, JUDGED)
    assert "confirmed" in text
    assert "NotImplementedError: numpy() is only available" in text
    assert "L()(1)" in text
