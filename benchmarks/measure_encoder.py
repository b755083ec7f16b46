"""How much a text-image encoder knows of real edits; prints a table per encoder.

    python benchmarks/measure_encoder.py [--encoder conse|CATALOGUE-NAME|PATH] ... [--data MANIFEST]

Without ``--encoder``: ConSE, and every catalogued open_clip weight that is in the model cache. A PATH is a state dict
of ``--model`` (with the preprocessing of ``--pretrained``), or a folder in open_clip's layout.

*Matched against shuffled*: each edit's score with its own instruction against its scores with the other items'
instructions (other text, other source). AUROC = how often the own one is the larger; .5 is chance. What the source
alone reaches is no merit of the edit. The interval is a bootstrap over groups of items that share a source or an
instruction. *Blind below*: ‖ΔI‖ that a re-encode causes. *Unrelated*: cos(f(S), f(E)) of real edits, and of pictures
that have nothing to do with each other. Deterministic.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from edit_metrics.backends.base import ImageTextEncoder
from edit_metrics.backends.factory import build_backend
from edit_metrics.io.images import decode_image
from edit_metrics.io.manifest import read_manifest
from edit_metrics.types import RGB, EditItem, Float64
from edit_metrics.weights import catalogue, store

SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "triples.jsonl"
DRAWS = 2000


def auroc(positive: Float64, negative: Float64) -> float:
    """Share of pairs in which the positive is larger, ties counted half."""
    order = np.sort(negative)
    below = np.searchsorted(order, positive, "left")
    ties = np.searchsorted(order, positive, "right") - below
    return float((below + ties / 2).sum() / (len(positive) * len(negative)))


def matched_against_shuffled(scores: Float64, foreign: np.ndarray, groups: np.ndarray) -> tuple[float, float, float]:
    """AUROC of the diagonal against the foreign cells, with a 95 % interval over resampled groups."""

    def of(rows: np.ndarray) -> float:
        cells = foreign[np.ix_(rows, rows)]
        return auroc(scores[rows, rows], scores[np.ix_(rows, rows)][cells])

    rng = np.random.default_rng(0)
    names = np.unique(groups)
    members = {name: np.flatnonzero(groups == name) for name in names}
    draws = [of(np.concatenate([members[name] for name in rng.choice(names, len(names))])) for _ in range(DRAWS)]
    low, high = np.quantile(draws, [0.025, 0.975])
    return of(np.arange(len(scores))), float(low), float(high)


def groups_of(items: Sequence[EditItem]) -> np.ndarray:
    """Items that share a source or an instruction, directly or through others, are one group."""
    group = np.arange(len(items))
    for i, first in enumerate(items):
        for j in range(i):
            if first.source == items[j].source or first.instruction == items[j].instruction:
                group[group == group[i]] = group[j]
    return group


def reencoded(image: RGB, quality: int) -> RGB:
    """A JPEG round trip."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    with Image.open(buffer) as reread:
        return np.array(reread.convert("RGB"))


def measure(encoder: ImageTextEncoder, items: Sequence[EditItem]) -> None:
    """Print everything of one encoder."""
    sources = [decode_image(item.source).pixels for item in items]
    S = encoder.encode_images(sources).astype(np.float64)
    E = encoder.encode_images([decode_image(item.edited).pixels for item in items]).astype(np.float64)
    T = encoder.encode_texts([item.instruction or "" for item in items]).astype(np.float64)
    step = E - S
    unit_step = np.divide(
        step, np.linalg.norm(step, axis=1, keepdims=True), where=step.any(1, keepdims=True), out=step * 0
    )
    groups = groups_of(items)
    foreign = groups[:, None] != groups[None]
    print(f"\n## {encoder.traits.name}: {len(items)} real edits, {len(np.unique(groups))} groups\n")
    print("| instruction matched against shuffled | AUROC | 95 % interval |\n|---|---|---|")
    rows = {
        "cos(f(E), t(I))": E @ T.T,
        "cos(f(S), t(I)): the source alone": S @ T.T,
        "gain cos(f(E), t(I)) - cos(f(S), t(I))": step @ T.T,
        "direction cos(f(E) - f(S), t(I))": unit_step @ T.T,
    }
    for name, scores in rows.items():
        value, low, high = matched_against_shuffled(scores, foreign, groups)
        print(f"| {name} | {value:.2f} | {low:.2f} to {high:.2f} |")
    print_geometry(encoder, sources, S, E, foreign)


def print_geometry(
    encoder: ImageTextEncoder, sources: Sequence[RGB], S: Float64, E: Float64, foreign: np.ndarray
) -> None:
    """What moves the picture's embedding: a re-encode, a real edit, another picture."""
    print("\n| change of the picture | p10 | p50 | p90 |\n|---|---|---|---|")
    for quality in (95, 75, 50):
        again = encoder.encode_images([reencoded(image, quality) for image in sources])
        print_quantiles(f"norm of f change, JPEG {quality}", np.linalg.norm(again - S, axis=1))
    print_quantiles("norm of f change, real edit", np.linalg.norm(E - S, axis=1))
    related, unrelated = (S * E).sum(axis=1), (S @ E.T)[foreign]
    print_quantiles("cos(f(S), f(E)), real edit", related)
    print_quantiles("cos(f(S), f(E)), unrelated pictures", unrelated)
    print("\n| floor of 'unrelated' | real edits flagged | unrelated pictures flagged |\n|---|---|---|")
    for floor in (0.2, 0.3, 0.4, 0.5, 0.6):
        print(f"| {floor} | {(related < floor).sum()} of {len(related)} | {(unrelated < floor).mean():.0%} |")
    print(f"\nblind_below in use: {encoder.traits.blind_below}")


def print_quantiles(name: str, values: np.ndarray) -> None:
    print(f"| {name} | " + " | ".join(f"{value:.3f}" for value in np.quantile(values, [0.1, 0.5, 0.9])) + " |")


def section(name: str, options: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    """Role and config section that an argument of ``--encoder`` stands for."""
    if name == "conse":
        return "conse", {"use": "conse"}
    known = {
        "open_clip.vit_l_14_openai": ("ViT-L-14", "openai"),
        "open_clip.siglip2_b_16": ("ViT-B-16-SigLIP2", "webli"),
    }
    model, tag = known.get(name, (options.model, options.pretrained))
    return "clip", {"use": "open_clip", "model": model, "pretrained": tag, "weights": name}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", action="append")
    parser.add_argument("--model", default="ViT-B-32")
    parser.add_argument("--pretrained", default="laion2b_s34b_b79k")
    parser.add_argument("--data", default=str(SHARED))
    options = parser.parse_args()
    present = [name for name, weight in catalogue.CATALOGUE.items() if store.is_present(weight)]
    names = options.encoder or ["conse", *(name for name in present if name.startswith("open_clip."))]
    items = [item for item in read_manifest(options.data).items if item.instruction]
    for name in names:
        role, chosen = section(name, options)
        measure(build_backend(role, chosen), items)  # type: ignore[arg-type] - both roles hold text-image encoders


if __name__ == "__main__":
    main()
