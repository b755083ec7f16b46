"""A calibration as a value: predictor, held-out predictions, what it was fitted on. Versioned JSON, never a pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from edit_metrics._version import __version__
from edit_metrics.calibration.curves import MonotoneCurve
from edit_metrics.calibration.features import ScoreColumn, feature_matrix
from edit_metrics.calibration.judge_tier import JudgeScores, JudgeTier
from edit_metrics.calibration.origin import RatingOrigin
from edit_metrics.calibration.predictor import Prediction, Recipe, RoutedPredictor
from edit_metrics.calibration.report import QualityReport
from edit_metrics.errors import SignatureError, TableError
from edit_metrics.io.tables import write_json
from edit_metrics.ratings.scale import Scale
from edit_metrics.scores.columns import DimensionColumns, dimension_of
from edit_metrics.scores.judging import MEASURED
from edit_metrics.scores.run_info import RunInfo
from edit_metrics.scores.signatures import Signature
from edit_metrics.types import Float64

FORMAT: Final = "edit-metrics calibration"
VERSION: Final = 3
_HELD_OUT: Final = ("id", "group", "model", "rating", "passed", "inclusion_prob", "rank", "p_pass", "expected_rating")
_OF_PRESCORES: Final = ("section", "confidence", "judge")
"""Parts of a dimension's signature that no metric's value depends on."""
_OF_JUDGE: Final = ("judge_rank", "judge_p_pass")


@dataclass(frozen=True, slots=True)
class Scores:
    """What a calibration says of N items.

    Attributes:
        rank: by which decisions are made; NaN where a feature is missing.
        judge: what the judge says; None where the calibration knows none.
    """

    prediction: Prediction
    rank: Float64
    judge: JudgeScores | None = None

    @property
    def judge_rank(self) -> Float64:
        """NaN where the judge gave no number."""
        return np.full(len(self.rank), np.nan) if self.judge is None else self.judge.rank

    @property
    def p_pass(self) -> Float64:
        """The judge's where he gave one, else the metrics'."""
        if self.judge is None:
            return self.prediction.p_pass
        return np.where(np.isfinite(self.judge.rank), self.judge.p_pass, self.prediction.p_pass)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Fitted once, applied to any table that was made with the same definitions.

    Attributes:
        target: the rated dimension.
        scale: of the ratings.
        pass_at: mean rating from which an item passes.
        features: the columns that the predictor reads, in order.
        recipes: how the two heads are fitted (P(pass), mean rating).
        predictor: fitted on all rated items.
        rank: P(pass) → its rank among the rated items, in [0, 1]; decisions are thresholds on it, because ranks of
            different folds are comparable where probabilities are not.
        held_out: one row a rated item, predicted by a fold that has not seen its group; ``inclusion_prob`` is NaN for
            items that were not drawn at random. Columns: see ``_HELD_OUT``, and ``_OF_JUDGE`` with a judge.
        signatures: see :func:`feature_signatures`; empty when the table was unsigned.
        report: held-out quality.
        origin: the table and the draws that it is bound to.
        seed: of the folds, and of the split in which policies are chosen and tested.
        judge: None where no judge answered about the rated items.
    """

    target: str
    scale: Scale
    pass_at: float
    features: tuple[ScoreColumn, ...]
    recipes: tuple[Recipe, Recipe]
    predictor: RoutedPredictor
    rank: MonotoneCurve
    held_out: pd.DataFrame
    signatures: Mapping[str, str]
    report: QualityReport
    origin: RatingOrigin
    seed: int
    judge: JudgeTier | None = None

    def score(self, frame: pd.DataFrame) -> Scores:
        """Apply to a score table.

        Raises:
            TableError: a feature column is absent.
        """
        features = feature_matrix(frame, [spec.name for spec in self.features])
        prediction = self.predictor.predict(features, text_column(frame, "edit_type"))
        rank = np.where(prediction.complete, self.rank(prediction.p_pass), np.nan)
        return Scores(prediction, rank, None if self.judge is None else self.judge.score(frame))


def text_column(frame: pd.DataFrame, name: str) -> Any:
    """A column as an object array of texts; empty strings where it is missing or absent."""
    if name not in frame:
        return np.full(len(frame), "", dtype=object)
    return frame[name].astype("str").fillna("").to_numpy(dtype=object)


def feature_signatures(features: Sequence[str], info: RunInfo | None) -> dict[str, str]:
    """What → hash of the definitions behind the features; empty for an unsigned table.

    A metric's value does not depend on the curves that score it, nor on a judge who was asked later: ``adherence`` is
    the metrics' part, ``adherence.judge`` the judge's, ``adherence.score`` all that a pre-score depends on.
    """
    held = {} if info is None else info.score_signature
    found: dict[str, str] = {}
    for feature in features:
        dimension = dimension_of(feature)
        if dimension not in held:
            continue
        what, parts = _definitions(feature, held[dimension])
        if parts is not None:
            found[what] = parts.sha256
    return dict(sorted(found.items()))


def _definitions(feature: str, whole: Signature) -> tuple[str, Signature | None]:
    """What a feature's definitions are called, and they; None where no judge was asked."""
    dimension = dimension_of(feature)
    if feature in MEASURED:
        asked = whole.parts.get("judge")
        return f"{dimension}.judge", None if asked is None else Signature.of({"judge": asked})
    columns = DimensionColumns(dimension)
    if feature in (columns.score, columns.confidence) or not whole.parts:
        return dimension if not whole.parts else columns.score, whole
    return dimension, Signature.of({name: part for name, part in whole.parts.items() if name not in _OF_PRESCORES})


def check_signatures(calibration: Calibration, info: RunInfo | None) -> list[str]:
    """Refuse a table that was made with other definitions; return warnings where a side is unsigned.

    Raises:
        SignatureError: a dimension's definitions differ.
    """
    judged = () if calibration.judge is None else calibration.judge.features
    here = feature_signatures([spec.name for spec in (*calibration.features, *judged)], info)
    for name, hash_ in calibration.signatures.items():
        if name in here and here[name] != hash_:
            raise SignatureError(
                f"{name} scores made with the definitions that the calibration was fitted on ({hash_[:12]})",
                f"other definitions ({here[name][:12]})",
                "--calibration",
                "Calibrate on a run of the same profile and version, or score again.",
            )
    if not here:
        return ["the score table is unsigned: that its columns mean what they meant in the calibration is not checked"]
    unsigned = [name for name in here if name not in calibration.signatures]
    return [f"the calibration was fitted on an unsigned table: {', '.join(unsigned)} not checked"] if unsigned else []


def held_out_columns(calibration: Calibration) -> tuple[str, ...]:
    """Names of the columns of ``held_out``."""
    return _HELD_OUT if calibration.judge is None else (*_HELD_OUT, *_OF_JUDGE)


def write_calibration(calibration: Calibration, path: str | Path) -> None:
    """Write the versioned JSON file."""
    held_out = calibration.held_out
    names = held_out_columns(calibration)
    columns = {name: [None if pd.isna(v) else v for v in held_out[name].tolist()] for name in names}
    record = {
        "format": FORMAT,
        "version": VERSION,
        "edit_metrics": __version__,
        "target": calibration.target,
        "scale": calibration.scale.to_json(),
        "pass_at": calibration.pass_at,
        "features": [{"name": spec.name, "sign": spec.sign} for spec in calibration.features],
        "recipes": [{"kind": one.kind, "features": list(one.features)} for one in calibration.recipes],
        "signatures": dict(calibration.signatures),
        "seed": calibration.seed,
        "report": calibration.report.to_json(),
        "origin": calibration.origin.to_json(),
        "rank": calibration.rank.to_json(),
        "predictor": calibration.predictor.to_json(),
        "judge": None if calibration.judge is None else calibration.judge.to_json(),
        "held_out": columns,
    }
    write_json(record, path)


def read_calibration(path: str | Path) -> Calibration:
    """Read what :func:`write_calibration` wrote.

    Raises:
        TableError: no such file, not a calibration, or of another version.
    """
    record = _read_json(Path(path))
    if record.get("format") != FORMAT or record.get("version") != VERSION:
        found = f"{record.get('format')!r}, version {record.get('version')!r}"
        raise TableError(f"{FORMAT!r}, version {VERSION}", found, str(path), "Run `edit-metrics calibrate` again.")
    try:
        return _from_json(record)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise TableError("a complete calibration", f"{type(error).__name__}: {error}", str(path)) from error


def _read_json(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TableError("a calibration file", "no such file", str(path)) from None
    except (OSError, ValueError) as error:
        raise TableError("a JSON file", str(error), str(path)) from error
    return record if isinstance(record, dict) else {}


def _from_json(record: dict[str, Any]) -> Calibration:
    held_out = pd.DataFrame(record["held_out"])
    numbers = [name for name in held_out if name not in ("id", "group", "model")]
    held_out = held_out.astype(dict.fromkeys(numbers, "float64"))
    pass_recipe, rating_recipe = (Recipe(str(one["kind"]), tuple(one["features"])) for one in record["recipes"])
    return Calibration(
        str(record["target"]),
        Scale.from_json(record["scale"]),
        float(record["pass_at"]),
        tuple(ScoreColumn(str(one["name"]), int(one["sign"])) for one in record["features"]),
        (pass_recipe, rating_recipe),
        RoutedPredictor.from_json(record["predictor"]),
        MonotoneCurve.from_json(record["rank"]),
        held_out,
        {str(name): str(hash_) for name, hash_ in record["signatures"].items()},
        QualityReport.from_json(record["report"]),
        RatingOrigin.from_json(record["origin"]),
        int(record["seed"]),
        None if record["judge"] is None else JudgeTier.from_json(record["judge"]),
    )
