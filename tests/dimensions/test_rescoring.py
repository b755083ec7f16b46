"""Scores from a table alone."""

from __future__ import annotations

import pyarrow as pa
import pytest

from edit_metrics.config import Config, validate_config
from edit_metrics.dimensions.order import table_priorities
from edit_metrics.dimensions.prescores import score_item
from edit_metrics.dimensions.rescoring import rescore
from edit_metrics.errors import TableError
from edit_metrics.scores.priority import PRIORITY_FIELDS
from edit_metrics.scores.rows import ScoredItem, TableLayout, dimension_fields, metric_fields, summary_fields
from edit_metrics.types import DIMENSIONS, EditItem, Measurement, failed, not_applicable, unavailable, undefined

RISING = {"anchors": [[0, 0], [1, 1]]}
METRICS = ("feasibility.readable", "safety.worst", "adherence.clip", "quality.blur")


def config(**adherence: object) -> Config:
    return validate_config(
        {
            "profile": "rescoring",
            "dimensions": {
                "feasibility": {"metrics": ["readable"], "curves": {"readable": RISING}},
                "safety": {"metrics": ["worst"], "curves": {"worst": RISING}, "required": ["worst"]},
                "adherence": {"metrics": ["clip"], "curves": {"clip": RISING}} | adherence,
                "quality": {
                    "metrics": ["blur"],
                    "gates": {"blur": {"above": 8, "score": 0}},
                    "curves": {"blur": RISING},
                },
            },
            "flags": {
                "unsafe": {"metric": "safety.worst", "below": 0.3},
                "lost": {"metric": "character.faces_lost", "above": 0.5},
            },
        },
        "test",
    )


ITEMS = {
    "fine": (1.0, 1.0, 0.8, 0.9),
    "weak": (1.0, 1.0, 0.15, 0.9),
    "unsafe": (1.0, 0.1, 0.8, 0.9),
    "blurred": (1.0, 1.0, 0.8, 9.0),
    "infeasible": (0.0, 1.0, not_applicable("infeasible"), not_applicable("infeasible")),
    "broken": (1.0, 1.0, failed(ValueError("a; b")), 0.9),
    "unseen": (1.0, unavailable("no_weights"), undefined("flat"), 0.9),
}


def run(rules: Config, items: dict[str, tuple[object, ...]] = ITEMS) -> pa.Table:
    """The table that an engine writes of those measurements."""
    scored = []
    for row, (name, values) in enumerate(items.items()):
        found = {m: Measurement.of(v, ("resized",)) for m, v in zip(METRICS, values, strict=True)}  # type: ignore[arg-type]
        item = EditItem(name, f"/d/{name}.png", "/d/e.png", "x", row=row, metadata={"note": row})
        scored.append(ScoredItem(item, f"g{row % 2}", None, None, found, {}, score_item(rules, found)))
    table = TableLayout.of(METRICS, (), [one.item for one in scored], "/d").to_table(scored)
    order = table_priorities(table, rules)
    for field, column in zip(order.schema, order.columns, strict=True):
        table = table.append_column(field, column)
    return table


def without_cells(table: pa.Table, *names: str) -> pa.Table:
    for name in names:
        position = table.schema.get_field_index(name)
        table = table.set_column(position, name, pa.nulls(len(table), table.schema.field(name).type))
    return table


def test_a_table_under_its_own_config_comes_out_as_it_went_in() -> None:
    table = run(config())
    assert rescore(table, config()).equals(table)
    # and not because anything was taken over from it
    derived = [c.name for name in DIMENSIONS for c in dimension_fields(name)]
    derived += [c.name for c in (*summary_fields(), *PRIORITY_FIELDS)]
    wiped = without_cells(table, *derived)
    assert not wiped.equals(table)
    assert rescore(wiped, config()).equals(table)
    assert rescore(table.drop_columns(derived), config()).select(table.column_names).equals(table)


def test_a_changed_curve_moves_its_dimension_and_the_order_and_nothing_else() -> None:
    table, falling = run(config()), {"clip": {"anchors": [[0, 1], [1, 0]]}}
    found = rescore(table, config(curves=falling))
    moved = {name for name in table.column_names if not found.column(name).equals(table.column(name))}
    assert {"adherence.score", "adherence.reasons", "overall.min", "overall.geomean", "priority"} <= moved
    assert all(name.startswith(("adherence.", "overall.", "priority")) for name in moved)
    assert not {"adherence.clip", "adherence.clip.status", "adherence.clip.reason"} & moved


def test_what_a_judge_adds_counts_from_then_on() -> None:
    table = run(config())
    answers = [0.1, 0.9, 0.9, 0.9, None, 0.7, None]
    statuses = ["ok" if a is not None else "unavailable" for a in answers]
    reasons = ["" if a is not None else "judge_not_asked" for a in answers]
    for field, cells in zip(metric_fields("adherence.judge"), (answers, statuses, reasons), strict=True):
        table = table.append_column(field, pa.array(cells, field.type))
    judged = config(metrics=["clip", "judge"], curves={"judge": RISING})
    found = {row["id"]: row for row in rescore(table, judged).to_pylist()}
    assert found["fine"]["adherence.score"] == found["fine"]["overall.min"] == pytest.approx(0.1)
    assert found["broken"]["adherence.score"] == pytest.approx(0.7)
    assert found["broken"]["priority.reasons"].startswith("weakest:")
    assert (found["unseen"]["adherence.status"], found["unseen"]["adherence.reasons"]) == (
        "unavailable",
        "judge_not_asked",
    )
    assert found["infeasible"]["adherence.reasons"] == "infeasible"
    assert sorted(row["priority"] for row in found.values()) == list(range(1, 8))


def test_a_row_without_a_status_was_not_measured() -> None:
    table = without_cells(run(config()), "adherence.clip", "adherence.clip.status", "adherence.clip.reason")
    found = rescore(table, config()).to_pylist()[0]
    assert (found["adherence.status"], found["adherence.reasons"]) == ("unavailable", "not_in_profile")


def test_a_table_without_a_metric_that_the_config_needs_is_refused() -> None:
    table, rules = run(config()), config()
    safety = rules.dimension("safety").model_copy(update={"curves": {}})
    only_required = rules.model_copy(update={"dimensions": {**rules.dimensions, "safety": safety}})
    with pytest.raises(TableError, match=r"adherence\.clip"):
        rescore(table.drop_columns(["adherence.clip.reason"]), rules)
    with pytest.raises(TableError, match=r"safety\.worst"):
        rescore(table.drop_columns(["safety.worst"]), only_required)


def test_many_rows_are_read_a_part_at_a_time() -> None:
    many = {f"{name}{n}": values for n in range(400) for name, values in ITEMS.items()}
    table = run(config(), many)
    assert rescore(table, config()).equals(table)
