"""The outcome as JUnit XML, which every CI shows: a test case for each metric and figure. Knows results."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from tttbench.gate.formats.words import difference_line, difference_text, heading, outcome, sentence, where
from tttbench.gate.verdict import GateResult, QualityVerdict

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 can't hold."""


def junit(result: GateResult) -> str:
    """Return the document: failures are regressions, errors what kept the gate from judging, skipped is undecided."""
    suites = ET.Element("testsuites", name="tttbench gate")
    suite = ET.SubElement(suites, "testsuite", name=_text(f"{result.baseline} → {result.run}"))
    properties = ET.SubElement(suite, "properties")
    ET.SubElement(properties, "property", name="outcome", value=_text(outcome(result)))
    counts = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}

    def case(classname: str, name: str, kind: str = "", message: str = "", text: str = "") -> None:
        counts["tests"] += 1
        element = ET.SubElement(suite, "testcase", classname=_text(classname), name=_text(name))
        if kind == "system-out":
            ET.SubElement(element, kind).text = _text(text)
        elif kind:
            counts[{"failure": "failures", "error": "errors", "skipped": "skipped"}[kind]] += 1
            ET.SubElement(element, kind, message=_text(message)).text = _text(text)

    for problem in result.problems:
        case("gate.valid", problem.split(":", 1)[0], "error", problem)
    for difference in result.differences:
        line = difference_line(difference)
        case("gate.comparable", difference.field, "skipped" if difference.allowed else "error", line)
    for one in result.verdicts:
        group = "gate.quality" if isinstance(one, QualityVerdict) else "gate.speed"
        text = f"{where(one)}: {difference_text(one)}"
        if one.verdict == "worse" and one.gates:
            case(group, where(one), "failure", sentence(one), text)
        elif one.verdict == "cannot tell":
            case(group, where(one), "skipped", sentence(one), text)
        else:
            case(group, where(one), "system-out", text=f"{text}; {sentence(one)}")
    if not counts["tests"]:
        case("gate", heading(result))
    for element in (suites, suite):
        for name, count in counts.items():
            element.set(name, str(count))
    ET.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suites, encoding="unicode") + "\n"


def _text(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
