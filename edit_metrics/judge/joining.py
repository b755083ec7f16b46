"""Answers into a run's table: measurements, the columns ``judge.*``, and everything that follows from them, anew."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import pyarrow as pa

from edit_metrics.config import Config, configs_folder, merge, validate_config
from edit_metrics.dimensions.rescoring import rescore
from edit_metrics.judge.answers import JudgeAnswer
from edit_metrics.judge.selection import Selection
from edit_metrics.plain_yaml import read_yaml
from edit_metrics.registry import get_metric
from edit_metrics.scores import judging
from edit_metrics.scores.columns import OVERALL_MINIMUM, MetricColumns, dimension_of
from edit_metrics.scores.judging import CLEAN, MEASURED, NATURAL, SUCCESS, UNTOUCHED, SelectedBy
from edit_metrics.scores.rows import measurement_cells, metric_fields
from edit_metrics.types import Measurement, Missing, unavailable

_ROWS_AT_A_TIME: Final = 1024
_FIELDS: Final = (
    pa.field(judging.WHY, pa.string()),
    pa.field(judging.MODEL, pa.string()),
    pa.field(judging.REPETITIONS, pa.int64()),
    pa.field(judging.SPREAD, pa.float64()),
    pa.field(judging.VIESCORE_SC, pa.float64()),
    pa.field(judging.VIESCORE_PQ, pa.float64()),
    pa.field(judging.VIESCORE, pa.float64()),
    pa.field(judging.SELECTED_BY, pa.string()),
    pa.field(judging.INCLUSION_PROB, pa.float64()),
)


@dataclass(frozen=True, slots=True)
class ItemAnswers:
    """The answers to one item, averaged.

    Attributes:
        numbers: column → mean, [0, 1].
        categories: column → names seen in any of the answers.
        why: the first answer's reason.
        model: that gave them.
        repetitions: answers that could be read.
        spread: the largest difference between two answers to one question, [0, 1]; None for a single answer.
    """

    numbers: Mapping[str, float]
    categories: Mapping[str, Collection[str]]
    why: str
    model: str
    repetitions: int
    spread: float | None


def average(answers: Sequence[JudgeAnswer], model: str) -> ItemAnswers:
    """Bring the repetitions of one item together.

    Args:
        answers: at least one.
        model: that gave them.
    """
    values: dict[str, list[float]] = {}
    seen: dict[str, dict[str, None]] = {}
    for answer in answers:
        for column, value in answer.numbers.items():
            values.setdefault(column, []).append(value)
        for column, names in answer.categories.items():
            seen.setdefault(column, {}).update(dict.fromkeys(names))
    spread = max((max(given) - min(given) for given in values.values()), default=0.0)
    return ItemAnswers(
        numbers={column: sum(given) / len(given) for column, given in values.items()},
        categories={column: tuple(names) for column, names in seen.items()},
        why=answers[0].why,
        model=model,
        repetitions=len(answers),
        spread=spread if len(answers) > 1 else None,
    )


def with_judge(config: Config) -> Config:
    """The profile with what a judge adds to it (``configs/judged.yaml``); twice is as good as once.

    Metrics that the profile does not measure can neither decide nor limit there.
    """
    over = read_yaml(configs_folder() / "judged.yaml")
    data = merge(config.model_dump(mode="json"), over)
    for section in data["dimensions"].values():
        there = section.get("curves", {})
        groups = [[name for name in group if name in there] for group in section.get("decides", ())]
        section["decides"] = [group for group in groups if group]
        section["limits"] = [name for name in section.get("limits", ()) if name in there]
    return validate_config(data, "configs/judged.yaml")


def without_answers(table: pa.Table, config: Config) -> pa.Table:
    """The table as metrics alone score it, with the judge's columns empty.

    Args:
        table: a run's, judged or not.
        config: see :func:`with_judge`.
    """
    nobody = {name: Measurement.of(unavailable("judge_not_asked")) for name in MEASURED}
    return rescore(_replaced(table, [{}] * len(table), [nobody] * len(table)), config)


def join_answers(
    table: pa.Table, config: Config, selection: Selection, answers: Mapping[int, ItemAnswers | Missing]
) -> pa.Table:
    """The table with these answers.

    Args:
        table: see :func:`without_answers`.
        config: see :func:`with_judge`.
        selection: who was asked, by row.
        answers: row → answers, or why there are none; rows that were not asked are left out.
    """
    nobody = unavailable("judge_not_asked")
    found = [answers.get(row, nobody) for row in range(len(table))]
    cells = [_cells(one) | _selection_cells(selection, row) for row, one in enumerate(found)]
    return rescore(_replaced(table, cells, [_measurements(one) for one in found]), config)


def _measurements(answers: ItemAnswers | Missing) -> Mapping[str, Measurement]:
    return _measured_missing(answers) if isinstance(answers, Missing) else _measured(answers)


@lru_cache(maxsize=256)
def _measured_missing(why: Missing) -> Mapping[str, Measurement]:
    """Shared by the rows that lack an answer for the same reason: in a long table those are most."""
    return _measured(why)


def _measured(answers: ItemAnswers | Missing) -> Mapping[str, Measurement]:
    """By the registered metrics, as the engine does it."""
    measured = {}
    for name in MEASURED:
        metric = get_metric(name)
        values = {"judge_answers": answers}
        bound = metric.bind(values)
        measured[name] = metric.measurement(bound if isinstance(bound, Missing) else metric.function(**bound), values)
    return measured


def _cells(answers: ItemAnswers | Missing) -> dict[str, Any]:
    if isinstance(answers, Missing):
        return {}
    cells: dict[str, Any] = {
        judging.WHY: answers.why,
        judging.MODEL: answers.model,
        judging.REPETITIONS: answers.repetitions,
        judging.SPREAD: answers.spread,
    }
    numbers = answers.numbers
    if {SUCCESS, UNTOUCHED, NATURAL, CLEAN} <= numbers.keys():
        # VIEScore (Ku et al., 2024): the weaker of each pair, and the square root of their product.
        semantic, perceptual = min(numbers[SUCCESS], numbers[UNTOUCHED]), min(numbers[NATURAL], numbers[CLEAN])
        cells[judging.VIESCORE_SC], cells[judging.VIESCORE_PQ] = semantic, perceptual
        cells[judging.VIESCORE] = math.sqrt(semantic * perceptual)
    return cells


def _selection_cells(selection: Selection, row: int) -> dict[str, Any]:
    by = selection.by.get(row)
    probability = {SelectedBy.ALL: 1.0, SelectedBy.RANDOM: selection.inclusion_prob}
    return {judging.SELECTED_BY: by and by.value, judging.INCLUSION_PROB: by and probability.get(by)}


def _replaced(
    table: pa.Table, cells: Sequence[Mapping[str, Any]], measured: Sequence[Mapping[str, Measurement]]
) -> pa.Table:
    """The judge's columns in their places: measurements end their dimension, the others go before the summary."""
    fields = {name: metric_fields(name) for name in MEASURED}
    own = [field for part in fields.values() for field in part] + list(_FIELDS)
    schema = pa.schema(own)
    parts = [schema.empty_table()]
    for start in range(0, len(table), _ROWS_AT_A_TIME):
        part = slice(start, start + _ROWS_AT_A_TIME)
        rows = [dict(row) | measurement_cells(values) for row, values in zip(cells[part], measured[part], strict=True)]
        parts.append(pa.Table.from_pylist(rows, schema=schema))
    columns = pa.concat_tables(parts)
    kept = [name for name in table.column_names if name not in columns.column_names]
    last = {dimension_of(name): name for name in kept}  # labels of a dimension may stand further up
    order: list[str] = []
    for name in kept:
        if name == OVERALL_MINIMUM:
            order += [field.name for field in _FIELDS]
        order.append(name)
        if last[dimension_of(name)] == name:
            mine = [metric for metric in MEASURED if dimension_of(metric) == dimension_of(name)]
            order += [column for metric in mine for column in MetricColumns(metric).all]
    source = {name: columns if name in columns.column_names else table for name in (*order, *columns.column_names)}
    return pa.Table.from_arrays(
        [source[name].column(name) for name in order], schema=pa.schema([source[name].field(name) for name in order])
    )
