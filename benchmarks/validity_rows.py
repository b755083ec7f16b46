"""What `validity.py` computes: every score against every rating it claims something about, as plain rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from ordering import (
    Estimate,
    auroc,
    concordance,
    estimate,
    found_in_queue,
    found_more,
    right_of_pairs,
    spearman,
    spearman_within,
)
from rated_sets import PLAIN, RatedSet, rater_against_rest, recorded_judge
from validity_table import Row

from edit_metrics.config import DimensionConfig, load_config
from edit_metrics.dimensions.prescores import kind_of_score
from edit_metrics.scores.columns import metric_name, short_name
from edit_metrics.scores.rows import read_measurements
from edit_metrics.scores.run_info import read_run_info
from edit_metrics.types import DIMENSIONS

APART: Final = 2.0
"""Points between two models' edits of one source from which a pair counts."""
ALARM: Final = 0.7
MASK_SLICES: Final = ("masked", "unmasked")
"""A given mask changes what preservation measures, and nothing else."""
SHARES: Final = (0.2, 0.4)
CLAIMS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "adherence": {"rated_edits": ("alignment",), "multi_method": ("success",)},
    "preservation": {"multi_method": ("untouched",), "triples": ("preservation",)},
    "quality": {"rated_edits": ("quality",), "multi_method": ("natural", "clean"), "triples": ("quality",)},
    "character": {"multi_method": ("same_individual",)},
    "structure": {"rated_edits": ("overall",), "multi_method": ("worst",), "triples": ("worst",)},
    "style": {"rated_edits": ("overall",), "multi_method": ("worst",), "triples": ("worst",)},
}
"""Dimension → set → the constructs that its confidence is checked against.

Raters' consistency on ``rated_edits`` is another construct than preservation: that set's unedited areas are intact.
Nobody rated structure or style alone: they are held against the edit as a whole.
"""


@dataclass(frozen=True, slots=True)
class Scored:
    """A set with its scores.

    Attributes:
        frame: the set's items with every column that is used; index = id.
        scores: name in the table → values, larger = better, NaN where missing.
        kinds: dimension → what each score rests on.
    """

    rated: RatedSet
    frame: pd.DataFrame
    scores: Mapping[str, pd.Series[float]]
    kinds: Mapping[str, pd.Series[str]]


def join(rated: RatedSet, run: Path, plain: pd.DataFrame, profile: str = "embedded") -> Scored:
    """Scores of a run folder beside ratings; an item that the run lacks keeps its place with missing scores."""
    stored = pq.read_table(run / "scores.parquet")
    table = stored.to_pandas().set_index("id")
    info = read_run_info(run)
    config = load_config(profile) if info is None else info.resolved_config(str(run))
    frame = rated.items.join(table.drop(columns=[c for c in table.columns if c in rated.items.columns]))
    names = {f"{d}.score": d for d in DIMENSIONS} | {c: c for c in ("overall.min", "overall.geomean", "priority")}
    scores = {shown: pd.to_numeric(frame[column]) for column, shown in names.items() if column in frame}
    scores |= {name: sign * plain[name] for name, sign in PLAIN.items()}
    kinds = {
        name: pd.Series(kinds_of(stored, config.dimension(name), name), table.index, dtype=object).reindex(frame.index)
        for name in CLAIMS
    }
    return Scored(rated, frame, scores, kinds)


def order_rows(scored: Scored) -> Iterator[Row]:
    """Spearman and AUROC of each score with each construct, on each slice."""
    for name, chosen in _slices(scored):
        within = name == "within origin"
        for construct, dimension in scored.rated.constructs.items():
            if name in MASK_SLICES and dimension != "preservation":
                continue
            rated = chosen & scored.frame[construct].notna()
            shown = _scores_for(dimension)
            for score in shown:
                values = scored.scores[score]
                yield _order_row(scored, name, construct, score, rated & values.notna(), within, int(rated.sum()))
            own = scored.scores.get(dimension)
            if own is not None and (missing := rated & own.isna()).any() and (rated & own.notna()).any():
                there = rated & ~missing
                row = _order_row(scored, name, construct, "LPIPS", there, within, int(rated.sum()))
                label = f"LPIPS on the items that {dimension} scores"
                yield Row(row.table, row.set, row.slice, row.against, label, row.values, row.note)
        if name == "all" and scored.rated.name == "rated_edits":
            yield from _ceilings(scored)


def _scores_for(dimension: str) -> tuple[str, ...]:
    if dimension == "overall":
        return ("priority", "overall.min", "overall.geomean", *DIMENSIONS, *PLAIN)
    return (dimension, *PLAIN)


def _slices(scored: Scored) -> Iterator[tuple[str, pd.Series[bool]]]:
    everything = pd.Series(True, scored.frame.index)
    yield "all", everything
    if scored.frame["origin"].nunique() > 1:
        yield "within origin", everything
    if scored.rated.rendered:
        yield "without kubric and whatsup", ~scored.frame.index.isin(list(scored.rated.rendered)) & everything
        masked = scored.frame["mask_source"] == "given"
        yield "unmasked", ~masked
        yield "masked", masked


def _order_row(
    scored: Scored, name: str, construct: str, score: str, chosen: pd.Series[bool], within: bool, of: int
) -> Row:
    frame = scored.frame[chosen]
    values, ratings = scored.scores[score][chosen].to_numpy(float), frame[construct].to_numpy(float)
    groups = frame["group"].to_numpy(object)
    origin = pd.factorize(frame["origin"])[0]
    bad = ratings < scored.rated.bad_below
    same = origin[:, None] == origin[None]
    found: dict[str, Estimate] = {}
    if len(frame):
        correlation = spearman_within(values, ratings, origin) if within else spearman(values, ratings)
        classes = concordance(values, (~bad).astype(float), same) if within else auroc(values, bad)
        found["rho"] = estimate(correlation, groups)
        if bad.sum() >= 3:
            found["auroc"] = estimate(classes, groups)
        found["concordance"] = estimate(concordance(values, ratings, same if within else None), groups)
    note = f"{len(frame)} of {of}; {int(bad.sum())} bad"
    return Row("order", scored.rated.name, name, construct, score, found, note)


def _ceilings(scored: Scored) -> Iterator[Row]:
    """One rater against the mean of the others, and the recorded judge, on the people's ratings."""
    folder = scored.rated.manifest.parent
    judge = recorded_judge(folder).reindex(scored.frame.index)
    for construct in scored.rated.constructs:
        pairs = rater_against_rest(folder, construct)
        pairs = pairs[pairs["id"].isin(scored.frame.index)]
        groups = scored.frame.loc[pairs["id"], "group"].to_numpy(object)
        one, rest = pairs["one"].to_numpy(float), pairs["rest"].to_numpy(float)
        found = {
            "rho": estimate(spearman(one, rest), groups),
            "auroc": estimate(auroc(one, rest < scored.rated.bad_below), groups),
            "concordance": estimate(concordance(one, rest), groups),
        }
        yield Row("order", scored.rated.name, "all", construct, "one rater against the rest", found)
        chosen = judge[construct].notna()
        answers, ratings = judge.loc[chosen, construct].to_numpy(float), scored.frame.loc[chosen, construct].to_numpy()
        groups = scored.frame.loc[chosen, "group"].to_numpy(object)
        found = {
            "rho": estimate(spearman(answers, ratings), groups),
            "auroc": estimate(auroc(answers, ratings < scored.rated.bad_below), groups),
            "concordance": estimate(concordance(answers, ratings), groups),
        }
        yield Row("order", scored.rated.name, "all", construct, "recorded vision-language judge", found)


def queue_rows(scored: Scored) -> Iterator[Row]:
    """Share of the bad edits in the first 20 % and 40 % of each order, and how many more than LPIPS finds."""
    construct = next(name for name, about in scored.rated.constructs.items() if about == "overall")
    for name, chosen in _slices(scored):
        if name in {"within origin", *MASK_SLICES}:
            continue
        frame = scored.frame[chosen]
        bad = (frame[construct] < scored.rated.bad_below).to_numpy()
        groups = frame["group"].to_numpy(object)
        for score in ("priority", "overall.min", "overall.geomean", "LPIPS"):
            values = scored.scores[score][chosen].fillna(np.inf).to_numpy(float)
            found = {f"{s:.0%}": estimate(found_in_queue(values, bad, s), groups) for s in SHARES}
            if score != "LPIPS":
                plain = scored.scores["LPIPS"][chosen].to_numpy(float)
                found["more"] = estimate(found_more(values, plain, bad, SHARES[-1]), groups)
            yield Row("queue", scored.rated.name, name, construct, score, found, f"{bad.sum()} bad of {len(frame)}")
        n = len(frame)
        best = {f"{s:.0%}": Estimate(min(1.0, s * n / max(int(bad.sum()), 1)), None, None, None, n, 0) for s in SHARES}
        random = {f"{s:.0%}": Estimate(s, None, None, None, n, 0) for s in SHARES}
        yield Row("queue", scored.rated.name, name, construct, "random", random)
        yield Row("queue", scored.rated.name, name, construct, "best possible", best)


def pair_rows(scored: Scored) -> Iterator[Row]:
    """Of two models' edits of one source, at least two points apart: how often the better has the better score."""
    frame = scored.frame
    group, model = (pd.factorize(frame[name])[0] for name in ("group", "model"))
    allowed = (group[:, None] == group[None]) & (model[:, None] != model[None])
    if not allowed.any():
        return
    for construct, dimension in scored.rated.constructs.items():
        ratings = frame[construct].to_numpy(float)
        far = allowed & (np.abs(ratings[:, None] - ratings[None]) >= APART)
        for score in _scores_for(dimension):
            values = scored.scores[score].to_numpy(float)
            there = ~np.isnan(values) & ~np.isnan(ratings)
            pairs = far[np.ix_(there, there)]
            if not pairs.any():
                continue
            statistic = right_of_pairs(values[there], ratings[there], pairs)
            found = {"right": estimate(statistic, frame["group"].to_numpy(object)[there])}
            note = f"{int(pairs.sum()) // 2} of {int(np.nansum(far)) // 2} pairs"
            yield Row("pairs", scored.rated.name, "all", construct, score, found, note)


def alarm_rows(scored: Scored) -> Iterator[Row]:
    """Preservation below .7: false alarms among good edits, and bad ones found, masked and unmasked apart."""
    bad_at, good_at = {"triples": (2, 4), "multi_method": (4, 7)}.get(scored.rated.name, (None, None))
    if bad_at is None or good_at is None:
        return
    construct = next(name for name, about in scored.rated.constructs.items() if about == "preservation")
    masked = scored.frame["mask_source"] == "given"
    low = scored.scores["preservation"] < ALARM
    for name, chosen in (("masked", masked), ("unmasked", ~masked)):
        rating = scored.frame[construct][chosen]
        good, bad = rating >= good_at, rating <= bad_at
        if not len(rating):
            continue
        note = (
            f"{int((good & low[chosen]).sum())} of {int(good.sum())} rated ≥ {good_at}; "
            f"{int((bad & low[chosen]).sum())} of {int(bad.sum())} rated ≤ {bad_at}"
        )
        yield Row("alarms", scored.rated.name, name, construct, "preservation", {}, note)


def fact_row(scored: Scored) -> Row:
    """How many edits are called no edit at all; each of these sets holds none."""
    called = pd.to_numeric(scored.frame["adherence.no_op"])
    note = (
        f"{int((called == 1).sum())} of {int(called.notna().sum())}; {int(called.isna().sum())} could not be compared"
    )
    return Row("facts", scored.rated.name, "all", "", "no_op", {}, note)


def kinds_of(table: pa.Table, section: DimensionConfig, dimension: str) -> list[str | None]:
    """Which evidence carried each score: kinds are checked apart, since they claim different things."""
    needed = dict.fromkeys([*section.gates, *section.curves, *section.required])
    rows = read_measurements(table, [metric_name(dimension, short) for short in needed])
    return [kind_of_score(section, {short_name(name): one for name, one in row.items()}) for row in rows]


def claim_rows(sets: list[Scored]) -> Iterator[Row]:
    """Concordance of each kind of score with each construct that it is checked against, beside the shipped claim."""
    for dimension, checks in CLAIMS.items():
        for scored in sets:
            kinds = scored.kinds[dimension]
            for construct in checks.get(scored.rated.name, ()):
                values, ratings = scored.scores[dimension], scored.frame[construct]
                for kind in sorted(set(kinds[values.notna()].dropna())):
                    there = values.notna() & ratings.notna() & (kinds == kind)
                    if not there.any():
                        continue
                    statistic = concordance(values[there].to_numpy(float), ratings[there].to_numpy(float))
                    found = {"concordance": estimate(statistic, scored.frame["group"][there].to_numpy(object))}
                    claimed = pd.to_numeric(scored.frame[f"{dimension}.confidence"])[there]
                    note = f"{claimed.mean():.2f} ({claimed.max():.2f})"
                    yield Row("claims", scored.rated.name, kind, construct, dimension, found, note)


def all_rows(sets: list[Scored]) -> list[Row]:
    """Every table."""
    rows: list[Row] = []
    for scored in sets:
        rows += [*order_rows(scored), *queue_rows(scored), *pair_rows(scored), *alarm_rows(scored), fact_row(scored)]
    return rows + list(claim_rows(sets))
