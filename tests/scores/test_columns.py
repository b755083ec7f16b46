"""Names of columns: built, taken apart, and kept from the manifest's own."""

from __future__ import annotations

import pytest

from edit_metrics.scores.columns import (
    DimensionColumns,
    MetricColumns,
    dimension_of,
    dimensions_in,
    is_measured,
    is_reserved,
    metric_name,
    metrics_in,
    short_name,
)
from edit_metrics.types import MANIFEST_COLUMNS

COLUMNS = ["id", "quality.score", "quality.status", "safety.score", "safety.nudity", "safety.nudity.status", "mine.x"]


def test_a_dimension_has_four_columns_and_a_metric_three() -> None:
    assert DimensionColumns("quality").all == (
        "quality.score",
        "quality.confidence",
        "quality.status",
        "quality.reasons",
    )
    assert MetricColumns("quality.blur").all == ("quality.blur", "quality.blur.status", "quality.blur.reason")


def test_a_metrics_name_is_its_dimension_and_its_short_name() -> None:
    name = metric_name("preservation", "lpips")
    assert (name, dimension_of(name), short_name(name)) == ("preservation.lpips", "preservation", "lpips")
    assert (dimension_of("clip"), short_name("clip")) == ("clip", "clip")


def test_a_table_says_which_dimensions_and_metrics_it_has() -> None:
    assert dimensions_in(COLUMNS) == ("safety", "quality")
    assert metrics_in(COLUMNS) == ("safety.nudity",)
    assert metrics_in(["style.status", "style", "x.status"]) == ()


@pytest.mark.parametrize("name", [*MANIFEST_COLUMNS, "flags", "priority", "overall.min", "style.gram", "edited_phash"])
def test_names_of_the_contract_are_reserved(name: str) -> None:
    assert is_reserved(name)


@pytest.mark.parametrize("name", ["seed", "row", "line", "metadata", "safety", "styles.x", "meta.flags"])
def test_other_names_are_free(name: str) -> None:
    assert not is_reserved(name)
    assert not is_measured(name)
