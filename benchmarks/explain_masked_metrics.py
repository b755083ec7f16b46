"""One pair, one mask, three PSNRs: the honest value, PIE-Bench's, BrushNet's, and the arithmetic that links them.

    python benchmarks/explain_masked_metrics.py [--shared DIR]

Prints the blocks of docs/why-masked-metrics-differ.md: two from the fixtures, one from the real data where that folder
is there. Deterministic; no weights.
"""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edit_metrics.io.images import decode_image
from edit_metrics.io.masks import decode_mask
from edit_metrics.metrics.pie import brushnet_psnr, pie_kept, pie_psnr, pie_ssim
from edit_metrics.metrics.preservation import masked_psnr, masked_ssim
from edit_metrics.types import RGB, Mask, Measurement, Result

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("EDIT_METRICS_SHARED", ROOT.parent / "shared" / "data"))


@dataclass(frozen=True, slots=True)
class Pair:
    """An edit on its source's grid, and what it might change.

    Attributes:
        title: says where it comes from.
        mask: M, True = may change.
    """

    title: str
    source: RGB
    edited: RGB
    mask: Mask


def fixture_pairs() -> Iterator[Pair]:
    """The blurred recolouring of the fixtures, with its own mask, and with one of half the frame."""
    images = ROOT / "data" / "fixtures" / "images"
    source = decode_image(str(images / "coffee.png")).pixels
    edited = decode_image(str(images / "coffee_recolour_blurred.png")).pixels
    mask = decode_mask(str(images / "mask_coffee_saucer.png")).mask
    half = np.zeros_like(mask)
    half[:, : half.shape[1] // 2] = True
    yield Pair("fixture coffee_recolour_blurred, its own mask", source, edited, mask)
    yield Pair("the same pair, the left half of the frame as mask", source, edited, half)


def real_pair(shared: Path) -> Pair:
    """An example of BrushNet's authors, inpainted by BrushNet, with their mask (white = preserved)."""
    folder = shared / "triples" / "brushnet"
    return Pair(
        "real edit brushnet_3, its authors' mask",
        decode_image(str(folder / "example_3.jpg")).pixels,
        decode_image(str(folder / "example_3_result.png")).pixels,
        decode_mask(str(folder / "example_3_mask.jpg"), white_means="preserved").mask,
    )


def explain(pair: Pair) -> str:
    """The block of one pair: what each convention computes, and how one follows from another."""
    return "\n".join([pair.title, *_psnr_lines(pair), "", *_ssim_lines(pair)])


def _psnr_lines(pair: Pair) -> list[str]:
    S, E, M = pair.source, pair.edited, pair.mask
    inner = pie_kept(M)
    share = float(inner.mean())
    honest, framed = _number(masked_psnr(S, E, ~M)), _number(masked_psnr(S, E, inner))
    pie, brushnet = _number(pie_psnr(S, E, M)), _number(brushnet_psnr(S, E, ~M))
    lifted = 10 * math.log10(1 / share)
    return [
        f"  {S.shape[1]}x{S.shape[0]} px, share of the frame that had to stay  u = {float((~M).mean()):.4f}",
        _line("PSNR  (a) honest: the kept pixels alone", honest),
        _line("      (b) honest, outermost pixels counted as edited, as PIE-Bench does", framed),
        _line(f"      (c) 10*log10(1/u'), u' = {share:.4f} without those pixels", lifted),
        _line("      (d) PIE-Bench: blackened, averaged over all pixels", pie),
        _line("          (b) + (c)", framed + lifted),
        _line("      (e) BrushNet: three channels over a mask of one", brushnet),
        _line("          (a) - 10*log10(3)", honest - 10 * math.log10(3)),
        _line("      (d) - (e): two published numbers of this one pair", pie - brushnet),
    ]


def _ssim_lines(pair: Pair) -> list[str]:
    S, E, M = pair.source, pair.edited, pair.mask
    honest, pie = _number(masked_ssim(S, E, ~M)), pie_ssim(S, E, M)
    # Over the pixels that PIE-Bench's SSIM averages: 5 px along the frame are left out.
    share = float(pie_kept(M)[5:-5, 5:-5].mean())
    predicted = share * honest + (1 - share)
    return [
        _line("SSIM  (f) honest: windows over kept pixels", honest, ""),
        _line(f"      (g) u''*(f) + (1 - u''), u'' = {share:.4f}: the inside counts as 1", predicted, ""),
        _line("      (h) PIE-Bench: blackened, averaged over all pixels", pie, ""),
        _line("      (h) - (g): windows that see both sides of the mask's edge", pie - predicted, ""),
    ]


def _line(words: str, value: float, unit: str = " dB") -> str:
    return f"  {words:<74}{value:9.4f}{unit}"


def _number(result: Result) -> float:
    measurement = Measurement.of(result)
    if measurement.value is None:
        raise ValueError(f"no value: {measurement.reason}")
    return measurement.value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder of the real edits")
    shared: Path = parser.parse_args().shared
    pairs = [*fixture_pairs(), *([real_pair(shared)] if (shared / "triples.jsonl").is_file() else [])]
    print("\n\n".join(explain(pair) for pair in pairs))


if __name__ == "__main__":
    main()
