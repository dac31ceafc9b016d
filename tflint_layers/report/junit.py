"""Findings as JUnit XML: a test suite for each file, a failed test case for each finding."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from itertools import groupby

from tflint_layers.finding import Finding
from tflint_layers.report.render import Documents, Paint, with_verdict
from tflint_layers.report.text import location

_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def suites(findings: Sequence[Finding], documents: Documents, paint: Paint) -> str:
    """One XML document; a run without findings has one test, which passes."""
    root = ET.Element("testsuites", name="tflint-layers")
    for suite in _suites(findings, documents) if findings else (_passed(),):
        root.append(suite)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _suites(findings: Sequence[Finding], documents: Documents) -> Iterator[ET.Element]:
    for path, group in groupby(findings, key=lambda finding: finding.path):
        suite = ET.Element("testsuite", name=_clean(path), package="tflint-layers", errors="0")
        for finding in group:
            case = ET.SubElement(suite, "testcase", name=f"{finding.code} {finding.name}", classname=_clean(path))
            failure = ET.SubElement(case, "failure", message=_clean(finding.message))
            failure.text = _clean(f"{location(finding, documents[path])}: {finding.code} {with_verdict(finding)}")
        suite.set("tests", str(len(suite)))
        suite.set("failures", str(len(suite)))
        yield suite


def _passed() -> ET.Element:
    suite = ET.Element("testsuite", name="tflint-layers", tests="1", failures="0", errors="0")
    ET.SubElement(suite, "testcase", name="no findings", classname="tflint-layers")
    return suite


def _clean(text: str) -> str:
    """The text without the characters that XML has no way to write."""
    return _NOT_XML.sub("\ufffd", text)
