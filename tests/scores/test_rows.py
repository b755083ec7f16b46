"""Items to rows and back."""

from __future__ import annotations

import pyarrow as pa
import pytest

from edit_metrics.config import Config, validate_config
from edit_metrics.dimensions.order import table_priorities, to_priorities
from edit_metrics.scores.priority import PRIORITY_FIELDS, PriorityRow, priority_rows
from edit_metrics.scores.rows import ScoredItem, TableLayout, read_measurements, read_prescores
from edit_metrics.types import DIMENSIONS, EditItem, ItemScores, Measurement, Overall, PreScore, Status, undefined

METRICS = ("preservation.lpips", "preservation.psnr", "quality.blur")
LINE = {"anchors": [[0, 1], [1, 0]]}


@pytest.fixture
def config() -> Config:
    return validate_config(
        {
            "profile": "rows",
            "dimensions": {
                "preservation": {"metrics": ["lpips", "psnr"], "curves": {"lpips": LINE, "psnr": LINE}},
                "quality": {"metrics": ["blur"], "curves": {"blur": LINE}},
            },
        },
        "tests",
    )


def scored(name: str, group: str = "g", **changed: object) -> ScoredItem:
    none = PreScore(None, None, Status.UNAVAILABLE, ("not_in_profile",))
    values: dict[str, object] = {
        "item": EditItem(name, f"/data/{name}.png", f"/data/out/{name}.png", "x", row=0, metadata={"flags": 3}),
        "group": group,
        "source_phash": "0" * 16,
        "edited_phash": None,
        "measurements": {
            "preservation.lpips": Measurement.of(0.25, ("resized", "feathered_mask")),
            "preservation.psnr": Measurement.of(undefined("nothing_kept")),
            "quality.blur": Measurement.of(0.5),
        },
        "labels": {"mask_source": None},
    }
    scores: dict[str, object] = {
        "prescores": dict.fromkeys(DIMENSIONS, none)
        | {
            "preservation": PreScore(0.75, 0.6, Status.OK, ("missing_psnr", "resized")),
            "quality": PreScore(0.5, 0.9, Status.OK),
        },
        "overall": Overall(0.5, 0.61),
        "flags": ("no_op", "unsafe"),
    }
    scores |= {key: value for key, value in changed.items() if key in scores}
    values |= {key: value for key, value in changed.items() if key not in scores}
    return ScoredItem(**values, scores=ItemScores(**scores))  # type: ignore[arg-type]


def layout(*items: ScoredItem) -> TableLayout:
    return TableLayout.of(METRICS, ("mask_source",), [one.item for one in items], "/data")


def test_the_group_is_the_one_that_was_found_and_paths_are_relative_to_the_root() -> None:
    one = scored("a")
    (row,) = layout(one).to_table([one]).to_pylist()
    assert (row["source"], row["edited"], row["mask"]) == ("a.png", "out/a.png", None)
    assert (row["group"], row["references"], row["meta.flags"]) == ("g", [], 3)
    assert row["flags"] == "no_op;unsafe"


def test_columns_stand_in_the_order_of_the_contract() -> None:
    names = layout(scored("a")).schema.names
    assert names[:11] == [
        "id", "source", "edited", "instruction", "mask", "mask_white_means", "source_caption", "target_caption",
        "edit_type", "model", "references",
    ]  # fmt: skip
    assert names[11] == "frame"
    assert names[12:17] == ["meta.flags", "group", "source_phash", "edited_phash", "mask_source"]
    start = names.index("preservation.score")
    assert names[start : start + 7] == [
        "preservation.score", "preservation.confidence", "preservation.status", "preservation.reasons",
        "preservation.lpips", "preservation.lpips.status", "preservation.lpips.reason",
    ]  # fmt: skip
    assert names[-3:] == ["overall.min", "overall.geomean", "flags"]


def test_a_shard_without_any_value_has_the_same_schema() -> None:
    one = scored("a")
    empty = scored("b", overall=Overall(None, None), measurements={}, source_phash=None)
    shape = layout(one, empty)
    assert shape.to_table([empty]).schema == shape.to_table([one]).schema == shape.schema
    assert shape.to_table([]).schema == shape.schema


def test_measurements_and_pre_scores_read_back_are_those_that_were_written() -> None:
    items = [scored("a"), scored("b", measurements={"quality.blur": Measurement.of(0.1)})]
    table = layout(*items).to_table(items)
    assert list(read_measurements(table, METRICS)) == [dict(one.measurements) for one in items]
    assert list(read_prescores(table)) == [dict(one.scores.prescores) for one in items]


def test_priorities_come_from_the_table_alone(config: Config) -> None:
    broken = Measurement(None, Status.FAILED, "ValueError: x")
    silent = PreScore(None, None, Status.UNDEFINED, ("nothing_kept",))
    items = [
        scored("a", flags=()),
        scored("b", flags=(), measurements={**scored("b").measurements, "quality.blur": broken}),
        scored("c", flags=(), prescores={**scored("c").scores.prescores, "preservation": silent}),
        scored("d", flags=("unsafe",)),
    ]
    table = layout(*items).to_table(items)
    rows = priority_rows(table, config)
    assert [row.broken for row in rows] == [(), ("failed:quality.blur",), ("missing:preservation",), ()]
    found = table_priorities(table, config)
    assert found.schema == pa.schema(PRIORITY_FIELDS)
    assert found.column("priority").to_pylist() == [p.rank for p in to_priorities(rows, config)] == [4, 2, 3, 1]
    assert found.column("priority.reasons")[3].as_py().startswith("unsafe;")


def test_reasons_play_no_part_in_the_order(config: Config) -> None:
    one = scored("a")
    (read,) = priority_rows(layout(one).to_table([one]), config)
    direct = PriorityRow(one.scores.flags, (), one.scores.prescores, one.group)
    assert to_priorities([read], config) == to_priorities([direct], config)
