"""The gate's result as JUnit XML, which every CI service shows."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import Final

from edit_metrics.compare.conditions import ConditionVerdict
from edit_metrics.compare.gate import GateResult
from edit_metrics.compare.gate_output import COLUMNS, condition_why, dimension_row, flag_why, why
from edit_metrics.compare.markdown import p_value_text
from edit_metrics.compare.verdict import DimensionVerdict, FlagVerdict, Outcome, SliceVerdict

_SHOWN: Final = 10
# What XML 1.0 cannot hold at all, escaped or not.
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TAGS: Final = {
    Outcome.REGRESSION: "failure",
    Outcome.BROKEN: "error",
    Outcome.INCONCLUSIVE: "skipped",
    Outcome.NOT_JUDGED: "skipped",
    Outcome.IGNORED: "skipped",
}


def gate_to_junit(result: GateResult) -> str:
    """A test case for each dimension, flag and condition, and each slice that decides against the candidate.

    ``<failure>`` is a regression, ``<error>`` a broken measurement. Inconclusive, unjudged and ignored dimensions are
    ``<skipped>``: they are no evidence against the candidate; that the job stops there is the exit code's business.
    """
    suite = _suite()
    for found in result.dimensions:
        _case(suite, found.name, found.outcome, found.reasons, why(found), _details(result, found))
    for flag in result.flags:
        _case(suite, f"flag {flag.name}", flag.outcome, flag.reasons, flag_why(flag), _flag_details(result, flag))
    for one in result.worse_slices if result.config.by else ():
        name = f"{one.dimension} [{one.column}={one.value}]"
        _case(
            suite, name, Outcome.REGRESSION, ("slice_dropped",), "the score dropped in this slice", _slice_details(one)
        )
    for condition in result.conditions:
        words, details = condition_why(condition), _condition_details(condition)
        _case(suite, condition.text, condition.outcome, condition.reasons, words, details)
    return _finish(suite)


def error_to_junit(error: Exception) -> str:
    """A file with one ``<error>``, for a gate that could not be run."""
    suite = _suite()
    case = ET.SubElement(suite, "testcase", classname="edit-metrics.gate", name="gate")
    ET.SubElement(case, "error", type=type(error).__name__, message=_xml(str(error)))
    return _finish(suite)


def _case(suite: ET.Element, name: str, outcome: Outcome, reasons: tuple[str, ...], words: str, details: str) -> None:
    case = ET.SubElement(suite, "testcase", classname="edit-metrics.gate", name=_xml(name))
    tag = _TAGS.get(outcome)
    if tag is not None:
        element = ET.SubElement(case, tag, message=_xml(f"{outcome.value.replace('_', ' ')}: {words}"))
        element.text = _xml(details)
        if tag != "skipped":
            element.set("type", reasons[0])


def _details(result: GateResult, found: DimensionVerdict) -> str:
    values = [
        f"{name}: {value}" for name, value in zip(COLUMNS, dimension_row(found), strict=True) if value is not None
    ]
    failing = [f for f in result.flips if f.measure == found.name and f.change == "now_fails"]
    lost = [row for row in result.newly_missing if row.measure == found.name]
    flips = [f"now fails: {row.id} ({row.reference_score:.3f} to {row.score:.3f})" for row in failing[:_SHOWN]]
    gone = [f"newly missing: {row.id} ({row.status}: {row.reason})" for row in lost[:_SHOWN]]
    return "\n".join([*values, *flips, *gone])


def _flag_details(result: GateResult, found: FlagVerdict) -> str:
    named = [f"newly flagged: {row.id}" for row in result.newly_flagged if row.flag == found.name][:_SHOWN]
    return "\n".join([f"newly: {found.newly}", f"no longer: {found.no_longer}", *named])


def _condition_details(found: ConditionVerdict) -> str:
    lines = [f"holding: {found.holding}", f"failing: {found.failing}", f"missing: {found.missing}"]
    return "\n".join([*lines, *(f"failing: {name}" for name in found.failing_ids)])


def _slice_details(found: SliceVerdict) -> str:
    return f"difference: {found.difference:+.3f}\np (Holm): {p_value_text(found.p_adjusted)}\ngroups: {found.n_groups}"


def _suite() -> ET.Element:
    return ET.Element("testsuite", name="edit-metrics gate")


def _finish(suite: ET.Element) -> str:
    suite.set("tests", str(len(suite.findall("testcase"))))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(attribute, str(len(suite.findall(f"testcase/{tag}"))))
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
