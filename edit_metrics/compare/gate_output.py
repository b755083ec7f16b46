"""The gate's result as JSON, as rows and words, and as Markdown for a job summary. (JUnit: :mod:`.gate_junit`.)"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from edit_metrics.compare.conditions import ConditionVerdict
from edit_metrics.compare.gate import GateResult
from edit_metrics.compare.markdown import markdown_cell, markdown_table, p_value_text
from edit_metrics.compare.verdict import EXIT_CODES, DimensionVerdict, FlagVerdict, Outcome
from edit_metrics.scores.words import flag_in_words

FORMAT: Final = "edit-metrics/gate"
VERSION: Final = 1
COLUMNS: Final = ("dimension", "verdict", "baseline", "candidate", "difference", "bound", "p (Holm)", "groups", "why")
FLAG_COLUMNS: Final = ("flag", "verdict", "newly", "no longer", "allowed", "p (Holm)", "why")
CONDITION_COLUMNS: Final = (
    "condition",
    "verdict",
    "items",
    "groups",
    "failing",
    "missing",
    "holds in",
    "bounds",
    "why",
)
SLICE_COLUMNS: Final = ("dimension", "slice", "difference", "p (Holm)", "groups")
_SHOWN: Final = 10

_REASONS: Final[Mapping[str, str]] = {
    "score_dropped": "the score dropped",
    "newly_missing": "more values are newly missing than chance explains",
    "more_newly_missing_than_allowed": "more values are newly missing than allowed",
    "more_newly_failing_than_allowed": "more items newly fail than allowed",
    "newly_flagged": "more items are newly flagged than chance explains",
    "more_newly_flagged_than_allowed": "more items are newly flagged than allowed",
    "no_flags_in_candidate": "the candidate has no column of flags",
    "no_flags_in_baseline": "the baseline has no column of flags",
    "absent_from_candidate": "the candidate has no value at all",
    "measurement_failed": "most newly missing values are measurements that raised an error",
    "margin_not_excluded": "a drop of the margin is not excluded",
    "newly_missing_above_margin": "too large a share of values is newly missing",
    "fewer_than_two_groups": "fewer than two groups are scored on both sides",
    "no_baseline_values": "required, and the baseline has no value",
    "condition_failed": "does not hold",
    "values_missing": "every value that is there holds, and some are missing",
    "share_not_shown": "neither the share nor less is shown",
    "new_in_candidate": "the baseline has no value",
    "no_values": "neither side has a value",
}


def gate_to_dict(result: GateResult) -> dict[str, Any]:
    """The content of ``--json``: the dataclasses' fields under their names, and the exit code."""
    body = asdict(result) | {"config": result.config.model_dump(mode="json")}
    return {"format": FORMAT, "version": VERSION, "exit_code": EXIT_CODES[result.outcome], **body}


def gate_rows(result: GateResult) -> list[list[object]]:
    """A row for each dimension under :data:`COLUMNS`."""
    return [dimension_row(found) for found in result.dimensions]


def why(found: DimensionVerdict) -> str:
    """The reasons in words, with what would decide."""
    words = [_REASONS[code] for code in found.reasons]
    if found.missingness and (found.missingness.newly_missing or found.missingness.newly_present):
        lost, gained = found.missingness.newly_missing, found.missingness.newly_present
        words.append(f"{lost:g} newly missing, {gained:g} newly present")
    if found.more_data:
        more = found.more_data
        words.append(f"an unchanged candidate needs about {more.items} more items in {more.groups} more groups to pass")
        if more.regression_groups:
            words.append(f"a drop of the margin needs {more.regression_groups} more groups to be found")
    return "; ".join(words)


def flag_rows(result: GateResult) -> list[list[object]]:
    """A row under :data:`FLAG_COLUMNS` for each flag that changed anywhere or could not be judged."""
    return [
        [flag_in_words(one.name), _say(one.outcome), one.newly, one.no_longer, one.allowed, _p(one), flag_why(one)]
        for one in result.flags
        if one.newly or one.no_longer or one.outcome is not Outcome.PASS
    ]


def flag_why(found: FlagVerdict) -> str:
    """The reasons in words."""
    return "; ".join(_REASONS[code] for code in found.reasons)


def slice_rows(result: GateResult) -> list[list[object]]:
    """A row under :data:`SLICE_COLUMNS` for each slice that dropped."""
    return [
        [
            one.dimension,
            f"{one.column}={one.value or '(none)'}",
            f"{one.difference:+.3f}",
            p_value_text(one.p_adjusted),
            one.n_groups,
        ]
        for one in result.worse_slices
    ]


def condition_rows(result: GateResult) -> list[list[object]]:
    """A row under :data:`CONDITION_COLUMNS` for each condition."""
    return [
        [
            one.text,
            _say(one.outcome),
            one.n_items,
            one.n_groups,
            one.failing,
            one.missing,
            _percent(one.share),
            f"{_percent(one.low) or '–'} … {_percent(one.high) or '–'}" if one.low is not None else None,
            condition_why(one),
        ]
        for one in result.conditions
    ]


def condition_why(found: ConditionVerdict) -> str:
    """The reasons in words, with what would decide."""
    words = [_REASONS[code] for code in found.reasons]
    if found.groups_needed:
        words.append(f"{found.groups_needed} groups are needed even if every item holds")
    return "; ".join(words)


def _percent(share: float | None) -> str | None:
    return None if share is None else f"{share:.1%}"


def headline(result: GateResult) -> str:
    """One sentence: the verdict, what made it, and what was not judged."""
    names = [found.name for found in result.dimensions if found.outcome is result.outcome]
    names += [flag_in_words(one.name) for one in result.flags if one.outcome is result.outcome]
    if result.config.by and result.outcome is Outcome.REGRESSION:
        names += [f"{one.dimension} ({one.column}={one.value})" for one in result.worse_slices]
    names += [one.text for one in result.conditions if one.outcome is result.outcome]
    decisive = "" if result.outcome is Outcome.PASS or not names else f" in {', '.join(names)}"
    unjudged = [found.name for found in result.dimensions if found.outcome is Outcome.NOT_JUDGED]
    rest = f" (not judged: {', '.join(unjudged)})" if unjudged else ""
    against = "its conditions" if result.baseline is None else result.baseline
    return f"{result.outcome}{decisive}: {result.candidate} against {against}{rest}"


def gate_to_markdown(result: GateResult) -> str:
    """Fits a CI job summary."""
    config = result.config
    terms = f"Margin {config.margin:g}, minimum effect {config.minimum_effect:g}, α {config.alpha:g}; "
    terms += "difference = candidate − baseline over groups, positive is better; bound = its lower one-sided bound."
    parts = [
        f"## Gate: {markdown_cell(headline(result))}",
        *(f"> {markdown_cell(warning)}" for warning in result.warnings),
        markdown_table(COLUMNS, gate_rows(result)) if result.dimensions else "",
        terms if result.dimensions else "",
        _table("Conditions", CONDITION_COLUMNS, condition_rows(result)),
        _table("Flags", FLAG_COLUMNS, flag_rows(result)),
        _table(f"Slices that dropped, of {len(result.slices)}", SLICE_COLUMNS, slice_rows(result)),
        _listed(
            "Newly flagged",
            ("flag", "id", "group"),
            [[flag_in_words(row.flag), row.id, row.group] for row in result.newly_flagged],
        ),
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


def dimension_row(found: DimensionVerdict) -> list[object]:
    """Cells under :data:`COLUMNS`."""
    signed = [None if value is None else f"{value:+.3f}" for value in (found.difference, found.lower_bound)]
    means = [found.baseline_mean, found.candidate_mean]
    return [
        found.name,
        _say(found.outcome),
        *means,
        *signed,
        p_value_text(found.p_adjusted),
        found.n_groups,
        why(found),
    ]


def _say(outcome: Outcome) -> str:
    return outcome.value.replace("_", " ")


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    return f"### {title}\n\n{markdown_table(columns, rows)}" if rows else ""


def _p(found: FlagVerdict) -> str | None:
    return None if found.allowed is not None or found.unit is None else p_value_text(found.p_adjusted)


def _listed(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    if not rows:
        return ""
    more = f"\n\nand {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    table = markdown_table(columns, rows[:_SHOWN])
    return f"<details><summary>{title} ({len(rows)})</summary>\n\n{table}{more}\n\n</details>"
