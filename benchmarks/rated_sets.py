"""The rated edits that lie beside the project, and the plain metrics that scores are held against.

Three sets: ``rated_edits`` (rated by 3–5 people each), ``multi_method`` and ``triples`` (each looked at once, blind, by
a vision-language model: silver, not people).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from bench_plain import load_lpips
from PIL import Image
from skimage.metrics import structural_similarity

from edit_metrics.io.images import decode_image
from edit_metrics.types import RGB

ROOT: Final = Path(__file__).resolve().parent.parent
PLAIN: Final = {"LPIPS": -1, "SSIM": 1, "PSNR": 1}
"""Plain metric → sign that makes larger better."""


@dataclass(frozen=True, slots=True)
class RatedSet:
    """One set.

    Attributes:
        manifest: what is scored.
        rated_by: in words.
        items: indexed by id: ``source``, ``edited``, ``origin``, ``group``, ``model``, and one column a construct.
        constructs: column → the dimension it is about; ``overall`` for what a queue is to find.
        bad_below: a rating under which an edit is bad, on the set's own scale.
        rendered: ids of photographed and rendered pairs (no model made them).
    """

    name: str
    manifest: Path
    rated_by: str
    items: pd.DataFrame
    constructs: Mapping[str, str]
    bad_below: float
    rendered: frozenset[str] = frozenset()


def shared_folder() -> Path:
    """Where the data lies; exits with a sentence where it is absent."""
    folder = Path(os.environ.get("EDIT_METRICS_SHARED", ROOT.parent / "shared" / "data"))
    if not (folder / "triples.jsonl").is_file():
        raise SystemExit(f"expected the rated edits in {folder}; set EDIT_METRICS_SHARED to their folder")
    return folder


def read_sets(shared: Path) -> list[RatedSet]:
    """All three, people's ratings first."""
    return [_rated_edits(shared / "rated_edits"), _multi_method(shared / "multi_method"), _triples(shared)]


def _rated_edits(folder: Path) -> RatedSet:
    items = _manifest(folder / "manifest.jsonl").assign(origin="MagicBrush development set", model="DALL-E 2")
    ratings = pd.read_csv(folder / "ratings.csv", dtype={"id": str})
    means = ratings.pivot_table(index="id", columns="dimension", values="rating", aggfunc="mean")
    constructs = {
        "alignment": "adherence",
        "consistency": "preservation",
        "quality": "quality",
        "overall": "overall",
    }
    return RatedSet("rated_edits", folder / "manifest.jsonl", "3 to 5 people", items.join(means), constructs, 5.0)


def _multi_method(folder: Path) -> RatedSet:
    items = _manifest(folder / "manifest.jsonl")
    judged = pd.read_csv(folder / "judge.csv", dtype={"id": str}).set_index("id").drop(columns="why")
    judged["worst"] = judged[["success", "untouched", "natural", "clean"]].min(axis=1)
    constructs = {
        "success": "adherence",
        "untouched": "preservation",
        "natural": "quality",
        "clean": "quality",
        "same_individual": "character",
        "worst": "overall",
    }
    items["origin"] = items["origin"].str.split("@").str[0]
    return RatedSet("multi_method", folder / "manifest.jsonl", "a model, once", items.join(judged), constructs, 5.0)


def _triples(shared: Path) -> RatedSet:
    items = _manifest(shared / "triples.jsonl")
    items["model"] = items["edited_by"]
    family = items.index.str.split("_").str[0]
    items["origin"] = items["origin"].str.split(":").str[0] + "/" + family
    judged = pd.read_csv(shared / "triples_ratings.csv", dtype={"id": str}).set_index("id")
    constructs = {name: name for name in ("adherence", "preservation", "quality", "character")} | {"worst": "overall"}
    rendered = frozenset(items.index[family.isin(["kubric", "whatsup"])])
    return RatedSet("triples", shared / "triples.jsonl", "a model, once", items.join(judged), constructs, 2.5, rendered)


def _manifest(path: Path) -> pd.DataFrame:
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    frame = pd.DataFrame(lines).set_index("id")
    frame["folder"] = str(path.parent)
    if "group" not in frame:
        contents = [hashlib.sha256((path.parent / name).read_bytes()).hexdigest() for name in frame["source"]]
        frame["group"] = contents
    return frame


def rater_against_rest(folder: Path, construct: str) -> pd.DataFrame:
    """One row a rating: ``id``, ``one`` and the mean of the item's other raters, ``rest``."""
    ratings = pd.read_csv(folder / "ratings.csv", dtype={"id": str})
    own = ratings[ratings["dimension"] == construct]
    totals = own.groupby("id")["rating"].agg(["sum", "count"]).loc[own["id"]].to_numpy()
    rest = (totals[:, 0] - own["rating"].to_numpy()) / (totals[:, 1] - 1)
    return pd.DataFrame({"id": own["id"].to_numpy(), "one": own["rating"].to_numpy(), "rest": rest})


def recorded_judge(folder: Path) -> pd.DataFrame:
    """What a vision-language model answered on ``rated_edits``, indexed by id: one column a construct."""
    lines = (folder / "judge.jsonl").read_text(encoding="utf-8").splitlines()
    answers = pd.DataFrame([json.loads(line) for line in lines])
    parts = pd.DataFrame(
        {
            "id": answers["id"],
            "alignment": answers["sc"].str[0],
            "consistency": answers["sc"].str[1],
            "quality": answers["pq"].map(min),
            "overall": np.sqrt(answers["sc"].map(min) * answers["pq"].map(min)),
        }
    )
    return parts.groupby("id").mean()


def plain_metrics(rated: RatedSet, cache: Path) -> pd.DataFrame:
    """LPIPS (AlexNet, package ``lpips``), SSIM and PSNR (scikit-image's, Gaussian window) of whole pictures.

    E is resized to S's grid; no mask is used. Kept in ``cache`` by the pictures' contents.
    """
    file = cache / f"plain-{rated.name}.json"
    known: dict[str, list[float]] = json.loads(file.read_text()) if file.is_file() else {}
    lpips: Callable[[RGB, RGB], float] | None = None
    rows = []
    for item in rated.items.itertuples():
        paths = [Path(item.folder) / name for name in (item.source, item.edited)]
        key = hashlib.sha256(b"".join(hashlib.sha256(path.read_bytes()).digest() for path in paths)).hexdigest()
        if key not in known:
            lpips = lpips or load_lpips()
            known[key] = _plain(*(decode_image(str(path)).pixels for path in paths), lpips)
        rows.append(known[key])
    cache.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(known))
    return pd.DataFrame(rows, index=rated.items.index, columns=list(PLAIN))


def _plain(source: RGB, edited: RGB, lpips: Callable[[RGB, RGB], float]) -> list[float]:
    size = (source.shape[1], source.shape[0])
    if edited.shape != source.shape:
        edited = np.asarray(Image.fromarray(edited).resize(size, Image.Resampling.LANCZOS))
    ssim = structural_similarity(
        source, edited, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255
    )
    error = float(np.mean((source.astype(np.float64) - edited) ** 2)) / 255**2
    return [lpips(source, edited), float(ssim), 100.0 if error == 0 else -10 * float(np.log10(error))]
