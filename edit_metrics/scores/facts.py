"""What a reader of a table must know of each metric: which way is better, its unit, and on which pixels it was taken.

The registry knows it too, and is what ``metric_facts.json`` is written from (``scripts/make_metric_docs.py``; a test
holds them equal). But filling the registry imports every metric, and with them OpenCV: comparing two tables, on a
machine that only gates, needs neither.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from edit_metrics import plugins
from edit_metrics.errors import MissingExtraError
from edit_metrics.registry import all_metrics, registered_metrics
from edit_metrics.types import Direction, Grid

FILE = "metric_facts.json"


@dataclass(frozen=True, slots=True)
class MetricFacts:
    """Of one metric.

    Attributes:
        direction: which values are better.
        unit: ``dB``, ``px`` …; empty where it has none.
        grid: the pixels that it was taken on.
    """

    direction: Direction
    unit: str
    grid: Grid = Grid.NATIVE


def metric_facts() -> Mapping[str, MetricFacts]:
    """Column → facts: of this package's metrics, of plug-ins', and of what this process has registered.

    Raises:
        ConfigError: a plug-in cannot be imported.
    """
    if plugins.installed():
        try:
            all_metrics()
        except MissingExtraError:
            # A plug-in's metrics cannot be asked here; their columns are then read like another program's.
            return _own()
    return {**_own(), **{spec.name: MetricFacts(spec.direction, spec.unit, spec.grid) for spec in registered_metrics()}}


@cache
def _own() -> Mapping[str, MetricFacts]:
    text = resources.files("edit_metrics.scores").joinpath(FILE).read_text(encoding="utf-8")
    rows: dict[str, tuple[str, str, str]] = json.loads(text)
    return {name: MetricFacts(Direction(better), unit, Grid(grid)) for name, (better, unit, grid) in rows.items()}
