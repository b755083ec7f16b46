"""Print what docs/triage.md states, measured on the real ratings; skips where they are absent.

    python benchmarks/triage_evidence.py [--part agreement|risk|new-model|cost|estimate] [--quick]
        [--features judge|lpips|both|chosen] [--rated 200]

``--features`` and ``--rated`` (repeatable) print those rows of risk and estimate alone; every row draws by itself.

The ratings lie in ../shared/data/human_ratings, or under the folder that EDIT_METRICS_SHARED names. Seeds are fixed.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import krippendorff
import numpy as np
import pandas as pd

from edit_metrics.calibration.calibrate import CalibrateOptions, calibrate, choose_features, rated_items
from edit_metrics.calibration.estimate import Method, estimate_means
from edit_metrics.calibration.features import ScoreColumn
from edit_metrics.calibration.fitting import Fitter, RatedItems, choose_recipe, try_candidates
from edit_metrics.calibration.folds import group_folds
from edit_metrics.calibration.predictor import Recipe
from edit_metrics.calibration.rated_table import RatedTable
from edit_metrics.cli.console import say, table
from edit_metrics.ratings.agreement import measure_agreement
from edit_metrics.ratings.design import sampling_design
from edit_metrics.ratings.files import read_ratings
from edit_metrics.ratings.scale import Scale
from edit_metrics.ratings.table import Ratings
from edit_metrics.scores.table import read_scores
from edit_metrics.triage.automatic import Promise
from edit_metrics.triage.calibrated import DecisionOptions, triage_by_calibration
from edit_metrics.triage.costs import DecisionCosts, order_by_saving, order_by_uncertainty, residual_costs
from edit_metrics.triage.lanes import Lane
from edit_metrics.triage.risk import RiskSample, Side, control_risk
from edit_metrics.triage.uncalibrated import QueueOptions

TARGET = "semantic_consistency"
ALPHA = DELTA = 0.05
COLUMNS = {"judge": ("gpt4o_sc",), "lpips": ("lpips",), "both": ("gpt4o_sc", "lpips")}


@dataclass(slots=True)
class Only:
    """Which rows are printed; nothing named: all."""

    features: tuple[str, ...] = ()
    rated: tuple[int, ...] = ()

    def has(self, row: str | int) -> bool:
        """Whether rows of those features, or of that many rated items, are asked for."""
        wanted: tuple[str | int, ...] = self.rated if isinstance(row, int) else self.features
        return not wanted or row in wanted


ONLY = Only()


@dataclass(frozen=True, slots=True)
class Evidence:
    """The real ratings: all 1,611 edits, and the 1,432 of the eight models that have both scores."""

    scores: pd.DataFrame
    ratings: Ratings
    specs: tuple[ScoreColumn, ...]
    rated: RatedItems

    def fitter(self, name: str) -> tuple[Fitter, RatedItems]:
        """``judge``, ``lpips`` or ``both``: the fit, and the items with the columns that it reads."""
        names = [spec.name for spec in self.specs]
        places = [names.index(column) for column in COLUMNS[name]]
        sample = replace(self.rated.sample, features=self.rated.sample.features[:, places])
        # The mean rating is not used where this fitter is; one isotonic curve keeps a thousand draws short.
        isotonic = Recipe("isotonic", COLUMNS[name][:1])
        recipe = Recipe("ordinal") if len(places) > 1 else isotonic
        specs = tuple(self.specs[place] for place in places)
        return Fitter(specs, recipe, isotonic, (0.0, 1.0)), replace(self.rated, sample=sample)


def load() -> Evidence | None:
    root = Path(__file__).resolve().parent.parent
    folder = Path(os.environ.get("EDIT_METRICS_SHARED", root.parent / "shared" / "data")) / "human_ratings"
    if not (folder / "ratings.csv").is_file():
        return None
    scores = read_scores(folder / "scores.csv").frame
    ratings = read_ratings(folder / "ratings.csv", Scale.parse("0,0.5,1"))
    options = CalibrateOptions(TARGET)
    specs = choose_features(scores, ratings, options)
    design = sampling_design(scores["id"].tolist(), ratings, TARGET, declared=True, whole_table=False)
    rated = rated_items(scores, ratings, specs, options, 0.5, design)
    return Evidence(scores, ratings, tuple(specs), rated)


def agreement(evidence: Evidence, quick: bool) -> None:
    groups = dict(zip(evidence.scores["id"], evidence.scores["group"], strict=True))
    found = measure_agreement(evidence.ratings, groups=groups, n_resamples=200 if quick else 1000)
    rows: list[list[Any]] = []
    for one in found:
        wide = evidence.ratings.of(one.dimension).pivot_table(index="rater", columns="id", values="rating")
        by_hand = krippendorff.alpha(reliability_data=wide.to_numpy(), level_of_measurement="ordinal")
        if one.alpha is None or abs(one.alpha.estimate - by_hand) > 1e-12:
            sys.exit(f"alpha of {one.dimension} differs from the package's {by_hand}")
        pairs = ", ".join(f"{pair.spearman:.3f}" for pair in one.pairs if pair.spearman is not None)
        interval = f"{one.alpha.interval.low:.3f} to {one.alpha.interval.high:.3f}"
        rows.append([one.dimension, one.alpha.estimate, by_hand, interval, pairs])
    columns = ["dimension", "alpha", "by hand", "95 % over groups", "rater-to-rater Spearman"]
    table("Agreement (ordinal Krippendorff's alpha)", columns, rows)


def risk(evidence: Evidence, quick: bool) -> None:
    n_draws = 5 if quick else 1000
    rows = [draw_risk(evidence, name, n_draws, (Side.FAIL,)) for name in ("judge", "lpips", "both") if ONLY.has(name)]
    if ONLY.has("both"):
        rows.append(draw_risk(evidence, "both", n_draws, (Side.FAIL, Side.PASS)))
    if ONLY.has("chosen"):  # choosing among all candidates takes a second a draw
        rows.append(draw_risk(evidence, "chosen", n_draws // 5, (Side.FAIL,)))
    title = (
        f"Calibrated on 90 groups drawn with replacement, measured on all {len(evidence.rated.ids)} edits; promise "
        f"{ALPHA:.0%} at {1 - DELTA:.0%}; kept when no more draws break it than δ + 2 standard errors"
    )
    columns = ["features", "sides", "draws", "break it", "δ + 2 SE", "mean error", "failed", "median", "passed"]
    table(title, columns, rows)


def draw_risk(evidence: Evidence, name: str, n_draws: int, sides: tuple[Side, ...]) -> list[Any]:
    fitter, rated = evidence.fitter("both" if name == "chosen" else name)
    rated = evidence.rated if name == "chosen" else rated
    codes = pd.factorize(rated.groups)[0]
    members = [np.flatnonzero(codes == code) for code in range(codes.max() + 1)]
    rng = np.random.default_rng(2024)
    passed = rated.sample.passed
    broken, errors, failed_share, passed_share = [], [], [], []
    for _ in range(n_draws):
        chosen = rng.integers(len(members), size=90)
        rows = np.concatenate([members[code] for code in chosen])
        draw = np.repeat(np.arange(90), [len(members[code]) for code in chosen]).astype(str).astype(object)
        drawn = rated.take(rows)
        folds = group_folds(drawn.groups.tolist(), int(rng.integers(2**31)))
        if name == "chosen":
            fitter = chosen_fitter(evidence, drawn, folds)
        held_out = fitter.held_out(drawn, folds)
        predictor, rank = fitter.fit_ranked(drawn.sample)
        everywhere = rank(predictor.predict(rated.sample.features, rated.sample.edit_type).p_pass)
        own = held_out["rank"].to_numpy(np.float64)
        sample = RiskSample(own, drawn.sample.passed, draw)
        shares = []
        for side in sides:
            control = control_risk(sample, side, ALPHA, DELTA / len(sides))
            decided = control.decides(everywhere)
            wrong = passed[decided] if side is Side.FAIL else 1 - passed[decided]
            shares.append(float(wrong.mean()) if decided.any() else 0.0)
            (failed_share if side is Side.FAIL else passed_share).append(decided.mean())
        broken.append(max(shares) > ALPHA)
        errors.append(shares[0])
    said = " and ".join(sides)
    mean_passed = float(np.mean(passed_share)) if passed_share else None
    low, middle = float(np.mean(failed_share)), float(np.median(failed_share))
    limit = DELTA + 2 * np.sqrt(DELTA * (1 - DELTA) / n_draws)
    shown = [f"{value:.4f}" for value in (np.mean(broken), limit, np.mean(errors))]
    return [name, said, n_draws, *shown, low, middle, mean_passed]


def chosen_fitter(evidence: Evidence, drawn: RatedItems, folds: Any) -> Fitter:
    """What `calibrate` would choose for P(pass) on that draw."""
    tried = try_candidates(drawn.sample, evidence.specs, folds, (0.0, 1.0))
    recipe = choose_recipe(tried.passing, drawn.sample.passed, drawn.groups.tolist())
    return Fitter(evidence.specs, recipe, Recipe("isotonic", ("gpt4o_sc",)), (0.0, 1.0))


def new_model(evidence: Evidence, quick: bool) -> None:
    names = sorted(set(evidence.rated.models.tolist()))[: 2 if quick else None]
    rows = []
    for name in names:
        row: list[Any] = [name]
        for features in ("judge", "both"):
            row += unruled(evidence, features, name)
        others = set(evidence.scores["id"][evidence.scores["model"] != name])
        frame = evidence.ratings.frame
        ratings = Ratings(frame[frame["id"].isin(others)].assign(inclusion_prob=1.0), evidence.ratings.scale)
        found = calibrate(evidence.scores, ratings, CalibrateOptions(TARGET, n_resamples=20))
        options, decisions = QueueOptions(audit=0), DecisionOptions(Promise(ALPHA, 1 - DELTA, (Side.FAIL,)))
        outcome = triage_by_calibration(evidence.scores, found, options, decisions)
        automatic = {item.id for item in outcome.placements if item.lane in (Lane.AUTO_FAIL, Lane.AUTO_PASS)}
        own = set(evidence.scores["id"]) - others
        rows.append([*row, len(automatic & own), len(automatic - own)])
    columns = [
        "left out",
        "judge: failed",
        "of them pass",
        "both: failed",
        "of them pass ",
        "ours: own",
        "ours: others",
    ]
    title = (
        "Leave one model out, promise 5 % at 95 %: what the threshold of the other models would fail of the new one, "
        "and what triage does fail ('ours: own' is 0: for a model without random ratings the promise is not made)"
    )
    table(title, columns, rows)


def unruled(evidence: Evidence, features: str, name: str) -> list[Any]:
    fitter, rated = evidence.fitter(features)
    new = rated.models == name
    others, own = rated.take(np.flatnonzero(~new)), rated.take(np.flatnonzero(new))
    held_out = fitter.held_out(others, group_folds(others.groups.tolist(), 0))
    predictor, rank = fitter.fit_ranked(others.sample)
    own_rank = held_out["rank"].to_numpy(np.float64)
    sample = RiskSample(own_rank, others.sample.passed, others.groups)
    control = control_risk(sample, Side.FAIL, ALPHA, DELTA)
    decided = control.decides(rank(predictor.predict(own.sample.features, own.sample.edit_type).p_pass))
    share = own.sample.passed[decided].mean() if decided.any() else 0.0
    return [int(decided.sum()), f"{share:.0%}"]


def cost(evidence: Evidence, quick: bool) -> None:
    n_splits = 10 if quick else 200
    places = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0)
    settings = (DecisionCosts(), DecisionCosts(wrong_fail=5.0), DecisionCosts(wrong_pass=5.0))
    curves = [split_costs(evidence, seed, settings, places) for seed in range(n_splits)]
    for index, costs in enumerate(settings):
        at = np.array([one[index] for one in curves])
        labels = ("ours", "random", "worst first by the judge", "uncertainty only")
        rows: list[list[Any]] = [[label, *(_spread(at[:, row, k]) for k in range(len(places)))] for row, label in
                                 enumerate(labels)]  # fmt: skip
        rows += [[f"ours − {label}", *(_spread(at[:, 0, k] - at[:, row, k]) for k in range(len(places)))] for row, label
                 in enumerate(labels) if row]  # fmt: skip
        title = (
            f"Decision cost an item after a share k was asked, wrong fail : wrong pass = {costs.wrong_fail:g} : "
            f"{costs.wrong_pass:g}; mean [95 % of {n_splits} splits by group]"
        )
        table(title, ["order", *(f"k = {place:.0%}" for place in places)], rows)


def split_costs(
    evidence: Evidence, seed: int, settings: tuple[DecisionCosts, ...], places: tuple[float, ...]
) -> list[np.ndarray[Any, Any]]:
    """Calibrated on half of the groups, measured on the other half: per costs, orders × places."""
    fitter, rated = evidence.fitter("both")
    half = group_folds(rated.groups.tolist(), seed, 2)
    test = rated.take(np.flatnonzero(half == 1))
    predictor = fitter.fit(rated.sample.take(np.flatnonzero(half == 0)))
    p_pass = predictor.predict(test.sample.features, test.sample.edit_type).p_pass
    judge = test.sample.features[:, 0]
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(len(judge))
    worst = shuffled[np.argsort(judge[shuffled], kind="stable")]
    at = np.round(np.array(places) * len(judge)).astype(int)
    found = []
    for costs in settings:
        each = costs.of_deciding(p_pass, test.sample.passed)
        random = each.mean() * (1 - at / len(judge))
        orders = [order_by_saving(p_pass, costs), worst, order_by_uncertainty(p_pass)]
        ours, by_judge, uncertain = (residual_costs(order, each)[at] for order in orders)
        found.append(np.array([ours, random, by_judge, uncertain]))
    return found


def _spread(values: np.ndarray[Any, Any]) -> str:
    low, high = np.quantile(values, [0.025, 0.975])
    return f"{values.mean():.3f} [{low:.3f}, {high:.3f}]"


def estimate(evidence: Evidence, quick: bool) -> None:
    n_draws = 10 if quick else 500
    overall, by_model = [], []
    for name in filter(ONLY.has, ("judge", "both")):
        for n in filter(ONLY.has, (100, 200, 400, 800)):
            row, models = draw_estimates(evidence, name, n, n_draws)
            overall += [row] if n < 800 else []
            by_model += [[name, n, *one] for one in models if one[1] or one[3]]
    columns = ["features", "rated", "covers", "width", "ratings only covers", "width ", "width ratio", "effective gain"]
    if overall:
        table(f"Overall mean of {len(evidence.rated.ids)} edits, nominal 95 %, {n_draws} draws", columns, overall)
    table(
        "By model, over the draws in which an interval was given (models that were always refused are left out)",
        ["features", "rated", "model", "powered, draws", "covers", "ratings only, draws", "covers ", "refused, draws"],
        by_model,
    )


def draw_estimates(evidence: Evidence, name: str, n: int, n_draws: int) -> tuple[list[Any], list[list[Any]]]:
    fitter, rated = evidence.fitter(name)
    recipe = Recipe("ordinal") if name == "both" else fitter.rating_recipe
    truth = {"all": rated.sample.rating.mean()}
    truth |= {model: rated.sample.rating[rated.models == model].mean() for model in sorted(set(rated.models))}
    rng = np.random.default_rng(n)
    hits: dict[tuple[str, Method], list[bool]] = {}
    plain, widths = [], []
    for _ in range(n_draws):
        drawn = rng.choice(len(rated.ids), n, replace=False)
        rating = np.full(len(rated.ids), np.nan)
        rating[drawn] = rated.sample.rating[drawn]
        probability = np.full(len(rated.ids), n / len(rated.ids))
        prepared = RatedTable(
            rating,
            np.isfinite(rating),
            probability,
            np.zeros(len(rating), dtype=np.intp),
            rated.groups,
            rated.sample.features,
            rated.models,
            0.0,
            1.0,
        )
        seed = int(rng.integers(2**31))
        for one in estimate_means(prepared, fitter.specs, recipe, by_model=True, seed=seed):
            if one.estimate is None or one.ratings_only is None:
                hits.setdefault((one.name, Method.REFUSED), []).append(True)
                continue
            hits.setdefault((one.name, one.method), []).append(_covers(one.estimate.interval, truth[one.name]))
            if one.name == "all":
                plain.append(_covers(one.ratings_only.interval, truth["all"]))
                widths.append([_width(one.estimate.interval), _width(one.ratings_only.interval)])
    powered, alone = np.mean(widths, axis=0)
    covered = float(np.mean(hits["all", Method.PREDICTION_POWERED]))
    row = [name, n, f"{covered:.1%}", powered, f"{np.mean(plain):.1%}", alone, powered / alone, (alone / powered) ** 2]
    models = []
    for model in list(truth)[1:]:
        cells: list[Any] = [model]
        for method in (Method.PREDICTION_POWERED, Method.RATINGS_ONLY):
            one_model = hits.get((model, method), [])
            cells += [len(one_model), f"{np.mean(one_model):.1%}" if one_model else None]
        models.append([*cells, len(hits.get((model, Method.REFUSED), []))])
    return row, models


def _covers(interval: Any, value: float) -> bool:
    return bool(interval.low <= value <= interval.high)


def _width(interval: Any) -> float:
    return float(interval.high - interval.low)


PARTS: dict[str, Callable[[Evidence, bool], None]] = {
    "agreement": agreement,
    "risk": risk,
    "new-model": new_model,
    "cost": cost,
    "estimate": estimate,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=[*PARTS], action="append", help="default: all")
    parser.add_argument("--quick", action="store_true", help="a few draws: does it run?")
    parser.add_argument("--features", choices=["judge", "lpips", "both", "chosen"], action="append")
    parser.add_argument("--rated", type=int, choices=[100, 200, 400, 800], action="append")
    arguments = parser.parse_args()
    ONLY.features, ONLY.rated = tuple(arguments.features or ()), tuple(arguments.rated or ())
    evidence = load()
    if evidence is None:
        say("skipped: the real ratings were not found; set EDIT_METRICS_SHARED to their folder")
        return
    for name in arguments.part or PARTS:
        started = time.perf_counter()
        PARTS[name](evidence, arguments.quick)
        say(f"{name}: {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
