"""The page of a comparison: which run is better, on what, how sure that is, and the items that changed sides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from markupsafe import Markup

from edit_metrics.errors import TableError
from edit_metrics.report.charts import interval
from edit_metrics.report.html import render
from edit_metrics.report.inputs import ComparisonInput, picture_store
from edit_metrics.report.links import Links
from edit_metrics.report.pictures import Figure, PictureStore
from edit_metrics.scores.items import reachable_confidence, read_items
from edit_metrics.scores.table import TABLE_NAME, read_scores

FORMAT: Final = "edit-metrics/comparison"
MOST_LISTED: Final = 200
_CHANGED: Final = ("better", "worse", "changed")

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """One run of the comparison, as far as it is still there.

    Attributes:
        store: where its pictures are; None when the run is gone.
        sensitive: ids whose pictures are blurred; None when nobody knows, and then all are.
    """

    store: PictureStore | None
    sensitive: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class FlipCard:
    """An item that changed sides on some measures.

    Attributes:
        changes: a row a measure.
    """

    number: int
    id: str
    run: str
    instruction: str
    changes: tuple[Row, ...]
    figures: tuple[Figure, ...]
    sensitive: bool


def comparison_page(
    folder: ComparisonInput, thumbnails: int, root: str | None, allow_outside_root: bool, links: Links | None = None
) -> str:
    """The HTML of a comparison.

    Args:
        folder: what was read.
        thumbnails: most flipped items with pictures.
        root: of the pictures; None: each run's own record.
        allow_outside_root: show pictures that lie elsewhere.
        links: from files to addresses of full pictures.

    Raises:
        TableError: ``comparison.json`` is something else.
    """
    found = folder.found
    if found.get("format") != FORMAT or found.get("version") != 1:
        got = f"{found.get('format')!r}, version {found.get('version')!r}"
        raise TableError(f"the format {FORMAT!r}, version 1", got, str(folder.path / "comparison.json"))
    sides = {run["name"]: _side(run, folder.path, root, allow_outside_root, links) for run in found["runs"]}
    reference: str = found["runs"][0]["name"]
    # With several baselines a run stands in several rows.
    several = found["options"].get("baselines", 1) > 1
    differences, slices = ([_against(row, several) for row in found[name]] for name in ("differences", "slices"))
    scores = [row for row in differences if row["kind"] != "metric"]
    metrics = [row for row in differences if row["kind"] == "metric"]
    changed = [row for row in metrics if row["verdict"] in _CHANGED]
    failing, passing = (_flips(found["flips"], change) for change in ("now_fails", "now_passes"))
    shown_failing = failing[: max(1, thumbnails * 2 // 3)]
    cards = [
        ("failing", f"Passed in {reference}, fail now", len(failing), _cards(shown_failing, reference, sides, 0)),
        ("passing", f"Failed in {reference}, pass now", len(passing),
         _cards(passing[: max(0, thumbnails - len(shown_failing))], reference, sides, len(shown_failing))),
    ]  # fmt: skip
    return render(
        "comparison.html",
        title=f"Compared with {reference}",
        found=found,
        reference=reference,
        scores=_with_charts(scores),
        changed=_with_charts(changed),
        n_metrics=len(metrics),
        slices=_with_charts(slices),
        telling=sum(row["verdict"] in _CHANGED for row in slices),
        several=len(found["runs"]) > 2,
        cards=cards,
        lost=found["newly_missing"][:MOST_LISTED],
        n_lost=len(found["newly_missing"]),
    )


def _against(row: Row, several: bool) -> Row:
    return {**row, "run": f"{row['run']} against {row['reference']}"} if several else row


def _with_charts(rows: Sequence[Row]) -> list[tuple[Row, Markup]]:
    """Each row with its interval; rows of one kind of measure share an axis, metrics have each their own."""
    ends = [abs(row[end]) for row in rows if row["kind"] != "metric" for end in ("low", "high") if row[end] is not None]
    shared = max([*ends, 0.05])
    return [(row, _chart(row, shared)) for row in rows]


def _chart(row: Row, shared: float) -> Markup:
    reach = shared
    if row["kind"] == "metric" and row["low"] is not None:
        reach = max(abs(row["low"]), abs(row["high"])) or 1.0
    return interval(row["low"], row["high"], row["difference"], reach, row["margin"])


def _flips(rows: Sequence[Row], change: str) -> list[tuple[tuple[str, str], list[Row]]]:
    """Flips of one direction, an entry per run and item, the largest change first."""
    grouped: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row["change"] == change:
            grouped.setdefault((row["run"], row["id"]), []).append(row)
    return sorted(grouped.items(), key=lambda entry: -max(abs(r["score"] - r["reference_score"]) for r in entry[1]))


def _cards(
    flips: Sequence[tuple[tuple[str, str], list[Row]]], reference: str, sides: Mapping[str, ComparedRun], first: int
) -> list[FlipCard]:
    with ThreadPoolExecutor(4) as pool:
        figures = list(pool.map(lambda entry: _figures(entry[1][0], reference, sides), flips))
    return [
        FlipCard(
            first + n,
            name,
            run,
            rows[0]["instruction"],
            tuple(rows),
            figure,
            _is_sensitive(name, sides, reference, run),
        )
        for n, (((run, name), rows), figure) in enumerate(zip(flips, figures, strict=True))
    ]


def _figures(row: Row, reference: str, sides: Mapping[str, ComparedRun]) -> tuple[Figure, ...]:
    wanted = [
        (sides[reference], row["source"], "source", "source"),
        (sides[reference], row["reference_edited"], reference, "edited"),
        (sides[row["run"]], row["edited"], row["run"], "edited"),
    ]
    return tuple(
        side.store.thumbnail(path, caption, name)
        if side.store is not None
        else Figure(caption, "", note="The run is not there any more.")
        for side, path, caption, name in wanted
    )


def _is_sensitive(item_id: str, sides: Mapping[str, ComparedRun], *names: str) -> bool:
    known = [sides[name].sensitive for name in names]
    return any(ids is None or item_id in ids for ids in known)


def _side(run: Row, folder: Path, root: str | None, allow_outside_root: bool, links: Links | None) -> ComparedRun:
    """The run of a comparison again: for its pictures, and for which of them to blur."""
    path = Path(run["path"])
    candidates = (path, folder / path)
    there = next((one for one in candidates if one.is_file() or (one / TABLE_NAME).is_file()), None)
    if there is None:
        return ComparedRun(None, None)
    loaded = read_scores(there)
    items = read_items(loaded.frame, reachable_confidence(None, loaded.frame))
    return ComparedRun(
        picture_store(loaded, root, allow_outside_root, links), frozenset(item.id for item in items if item.sensitive)
    )
