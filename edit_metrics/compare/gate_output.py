"""The gate's result as JSON, Markdown for a job summary, and JUnit XML."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from edit_metrics.compare.gate import GateResult
from edit_metrics.compare.markdown import markdown_cell, markdown_table, p_value_text
from edit_metrics.compare.verdict import EXIT_CODES, DimensionVerdict, Outcome

FORMAT: Final = "edit-metrics/gate"
VERSION: Final = 1
COLUMNS: Final = ("dimension", "verdict", "baseline", "candidate", "difference", "bound", "p (Holm)", "groups", "why")
_SHOWN: Final = 10

_REASONS: Final[Mapping[str, str]] = {
    "score_dropped": "the score dropped",
    "newly_missing": "values are newly missing in more groups than chance explains",
    "more_newly_missing_than_allowed": "more values are newly missing than allowed",
    "more_newly_failing_than_allowed": "more items newly fail than allowed",
    "absent_from_candidate": "the candidate has no value at all",
    "measurement_failed": "most newly missing values are measurements that raised an error",
    "margin_not_excluded": "a drop of the margin is not excluded",
    "newly_missing_above_margin": "too large a share of values is newly missing",
    "fewer_than_two_groups": "fewer than two groups were scored on both sides",
    "no_baseline_values": "required, and the baseline has no value",
    "new_in_candidate": "the baseline has no value",
    "no_values": "neither side has a value",
}
# What XML 1.0 cannot hold at all, escaped or not.
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def gate_to_dict(result: GateResult) -> dict[str, Any]:
    """The content of ``--json``: the dataclasses' fields under their names, and the exit code."""
    body = asdict(result) | {"config": result.config.model_dump(mode="json")}
    return {"format": FORMAT, "version": VERSION, "exit_code": EXIT_CODES[result.outcome], **body}


def gate_rows(result: GateResult) -> list[list[object]]:
    """A row for each dimension under :data:`COLUMNS`."""
    return [_row(found) for found in result.dimensions]


def why(found: DimensionVerdict) -> str:
    """The reasons in words, with what would decide."""
    words = [_REASONS[code] for code in found.reasons]
    if found.missingness and (found.missingness.newly_missing or found.missingness.newly_present):
        lost, gained = found.missingness.newly_missing, found.missingness.newly_present
        words.append(f"{lost:g} newly missing, {gained:g} newly present")
    if found.more_data:
        more = found.more_data
        words.append(f"about {more.items} more items in {more.groups} more groups would decide, towards {more.towards}")
    return "; ".join(words)


def headline(result: GateResult) -> str:
    """One sentence: the verdict and the dimensions that made it."""
    names = [found.name for found in result.dimensions if found.outcome is result.outcome]
    decisive = "" if result.outcome is Outcome.PASS or not names else f" in {', '.join(names)}"
    return f"{result.outcome}{decisive}: {result.candidate} against {result.baseline}"


def gate_to_markdown(result: GateResult) -> str:
    """Fits a CI job summary."""
    config = result.config
    terms = f"Margin {config.margin:g}, minimum effect {config.minimum_effect:g}, α {config.alpha:g}; "
    terms += "difference = candidate − baseline over groups, positive is better; bound = its lower one-sided bound."
    parts = [
        f"## Gate: {markdown_cell(headline(result))}",
        *(f"> {markdown_cell(warning)}" for warning in result.warnings),
        markdown_table(COLUMNS, gate_rows(result)),
        terms,
        _listed(
            f"Now failing at {config.pass_at:g}",
            ("dimension", "id", "was", "is"),
            [[f.measure, f.id, f.reference_score, f.score] for f in result.flips if f.change == "now_fails"],
        ),
        _listed(
            "Newly missing",
            ("dimension", "id", "status", "reason"),
            [[row.measure, row.id, row.status, row.reason] for row in result.newly_missing],
        ),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def gate_to_junit(result: GateResult) -> str:
    """A test case for each dimension.

    ``<failure>`` is a regression, ``<error>`` a broken measurement. Inconclusive and ignored dimensions are
    ``<skipped>``: they are no evidence against the candidate; that the job stops there is the exit code's business.
    """
    suite = _suite(len(result.dimensions))
    for found in result.dimensions:
        case = ET.SubElement(suite, "testcase", classname="edit-metrics.gate", name=_xml(found.name))
        tag = _TAGS.get(found.outcome)
        if tag is not None:
            element = ET.SubElement(case, tag, message=_xml(f"{found.outcome}: {why(found)}"))
            element.text = _xml(_details(result, found))
            if tag != "skipped":
                element.set("type", found.reasons[0])
    return _finish(suite)


def error_to_junit(error: Exception) -> str:
    """A file with one ``<error>``, for a gate that could not be run."""
    suite = _suite(1)
    case = ET.SubElement(suite, "testcase", classname="edit-metrics.gate", name="gate")
    ET.SubElement(case, "error", type=type(error).__name__, message=_xml(str(error)))
    return _finish(suite)


_TAGS: Final = {
    Outcome.REGRESSION: "failure",
    Outcome.BROKEN: "error",
    Outcome.INCONCLUSIVE: "skipped",
    Outcome.IGNORED: "skipped",
}


def _row(found: DimensionVerdict) -> list[object]:
    signed = [None if value is None else f"{value:+.3f}" for value in (found.difference, found.lower_bound)]
    means = [found.baseline_mean, found.candidate_mean]
    return [
        found.name,
        found.outcome.value,
        *means,
        *signed,
        p_value_text(found.p_adjusted),
        found.n_groups,
        why(found),
    ]


def _listed(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    if not rows:
        return ""
    more = f"\n\nand {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    table = markdown_table(columns, rows[:_SHOWN])
    return f"<details><summary>{title} ({len(rows)})</summary>\n\n{table}{more}\n\n</details>"


def _details(result: GateResult, found: DimensionVerdict) -> str:
    values = [f"{name}: {value}" for name, value in zip(COLUMNS, _row(found), strict=True) if value is not None]
    failing = [f for f in result.flips if f.measure == found.name and f.change == "now_fails"]
    lost = [row for row in result.newly_missing if row.measure == found.name]
    flips = [f"now fails: {row.id} ({row.reference_score:.3f} to {row.score:.3f})" for row in failing[:_SHOWN]]
    gone = [f"newly missing: {row.id} ({row.status}: {row.reason})" for row in lost[:_SHOWN]]
    return "\n".join([*values, *flips, *gone])


def _suite(tests: int) -> ET.Element:
    return ET.Element("testsuite", name="edit-metrics gate", tests=str(tests))


def _finish(suite: ET.Element) -> str:
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(attribute, str(len(suite.findall(f"testcase/{tag}"))))
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
