"""The measures that torchmetrics and pyiqa have too: values side by side, and time per pair.

    python benchmarks/bench_peers.py [--side 1024] [--items 4] [--repetitions 3] [--results FOLDER]
    python benchmarks/bench_peers.py --manifest PAIRS.jsonl      pairs of one size each, instead of the benchmark's

Each library is asked as its documentation shows, and, where its usual definition is another one, once more as ours is
defined. Times are medians over repetitions that alternate, pictures given as uint8 arrays, conversion and all. LPIPS
runs on one AlexNet everywhere. Exit 1 where the values of one definition differ by more than the tolerance beside them.
Needs torchmetrics, and pyiqa beside the environment, since what it asks for would replace OpenCV's files:

    pip install --no-deps --target PEERS pyiqa && PYTHONPATH=PEERS python benchmarks/bench_peers.py
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from bench import OtherProcesses, keep, machine, summary
from bench_ours import forget
from bench_set import make_set, read_rgb

from edit_metrics.types import RGB

Call = Callable[[RGB, RGB], float]


@dataclass(frozen=True, slots=True)
class Peer:
    """One measure of one library.

    Attributes:
        how: what is asked of the library.
        tolerance: largest difference for the same definition; None where it is another one.
        reason: what the two do differently.
    """

    measure: str
    library: str
    how: str
    call: Call
    tolerance: float | None
    reason: str = ""


def main() -> None:
    arguments = parse()
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        pairs = read_pairs(arguments, arguments.folder or Path(temporary))
        record = compare(pairs, arguments)
    keep(arguments.results, f"peers-{arguments.side}", record)
    print("\n".join(table(record)))
    worse = [row for row in record["rows"] if row["tolerance"] is not None and row["largest"] > row["tolerance"]]
    sys.exit(f"beyond the tolerance: {[(row['measure'], row['library']) for row in worse]}" if worse else 0)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--items", type=int, default=4)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--manifest", type=Path, help="real pairs instead; each of one size")
    parser.add_argument("--folder", type=Path, help="keeps pictures between calls")
    parser.add_argument("--results", type=Path, help="folder that the figures are left in, as JSON")
    return parser.parse_args()


def read_pairs(arguments: argparse.Namespace, folder: Path) -> list[tuple[RGB, RGB]]:
    from edit_metrics.io.manifest import read_manifest

    manifest = (
        arguments.manifest or make_set(folder / f"set-{arguments.side}", arguments.items, arguments.side).manifest
    )
    pairs = []
    for item in read_manifest(manifest).items:
        source, edited = read_rgb(Path(item.source)), read_rgb(Path(item.edited))
        if source.shape == edited.shape and len(pairs) < arguments.items:
            pairs.append((source, edited))
    return pairs


def compare(pairs: Sequence[tuple[RGB, RGB]], arguments: argparse.Namespace) -> dict[str, Any]:
    ours = our_measures()
    try:
        found = peers()
    except ModuleNotFoundError as error:
        sys.exit(f"Expected torchmetrics and pyiqa, but there is no {error.name}. Needs{__doc__.partition('Needs')[2]}")
    others = OtherProcesses()
    values: dict[str, list[float]] = defaultdict(list)
    seconds: dict[str, list[float]] = defaultdict(list)
    calls = {**ours, **{f"{one.measure} {one.library} {one.how}": one.call for one in found}}
    for repetition in range(arguments.repetitions + 1):
        for name, call in calls.items():
            forget()
            started = time.perf_counter()
            one_pass = [call(*pair) for pair in pairs]
            if repetition:  # the first pass loads and warms
                seconds[name].append((time.perf_counter() - started) / len(pairs))
            values[name] = one_pass
    rows = []
    for one in found:
        name = f"{one.measure} {one.library} {one.how}"
        differences = np.abs(np.array(values[name]) - values[one.measure])
        rows.append(
            {
                "measure": one.measure, "library": one.library, "how": one.how, "tolerance": one.tolerance,
                "reason": one.reason, "largest": float(differences.max()), "seconds": summary(seconds[name]),
                "ours": summary(seconds[one.measure]),
            }
        )  # fmt: skip
    return {
        "rows": rows, "items": len(pairs), "repetitions": arguments.repetitions, "side": arguments.side,
        "machine": machine() | {"busy_with_others": others.cores()}, "versions": versions(),
    }  # fmt: skip


def our_measures() -> dict[str, Call]:
    import edit_metrics

    names = {"PSNR": "psnr", "SSIM": "ssim", "MS-SSIM": "ms_ssim", "GMSD": "gmsd", "LPIPS": "lpips"}
    return {measure: getattr(edit_metrics, name) for measure, name in names.items()}


def peers() -> list[Peer]:
    return [*torchmetrics_peers(), *pyiqa_peers()]


def torchmetrics_peers() -> list[Peer]:
    from torchmetrics.functional import image as measures

    lib, border = "torchmetrics", "counts windows over a mirrored border at the coarsest scale"
    ssim = measures.structural_similarity_index_measure
    ms_ssim = measures.multiscale_structural_similarity_index_measure
    lpips = torchmetrics_lpips()

    def inner_ssim(edited: Any, source: Any) -> Any:
        _, whole = ssim(edited, source, data_range=255.0, return_full_image=True)
        return whole[..., 5:-5, 5:-5].mean()

    return [
        Peer("PSNR", lib, "as it is", on(measures.peak_signal_noise_ratio, 255, data_range=255.0), 1e-3),
        Peer("SSIM", lib, "as it is", on(ssim, 255, data_range=255.0), None, "counts windows over a mirrored border"),
        Peer("SSIM", lib, "the map, its border of 5 px cut off", on(inner_ssim, 255), 1e-4),
        Peer("MS-SSIM", lib, "as it is", on(ms_ssim, 255, data_range=255.0), None, f"of RGB, ours of luma; {border}"),
        Peer("MS-SSIM", lib, "of luma", on(ms_ssim, 255, luma=True, data_range=255.0), None, border),
        Peer("LPIPS", lib, "alex, our AlexNet", on(lpips, 1, normalize=True), 5e-3, "ours in bfloat16 where native"),
    ]


def pyiqa_peers() -> list[Peer]:
    from pyiqa.archs.gmsd_arch import GMSD
    from pyiqa.archs.psnr_arch import PSNR
    from pyiqa.archs.ssim_arch import MS_SSIM, SSIM

    lib = "pyiqa"
    return [
        Peer("PSNR", lib, "as it is", on(PSNR(), 1), 0.05, "adds 1e-8 to the error: no more than 80 dB"),
        Peer("SSIM", lib, "as it is", on(SSIM(), 1), None, "of luma; ours of each channel"),
        Peer("SSIM", lib, "test_y_channel=False", on(SSIM(test_y_channel=False), 1), 1e-3,
             "negative contrast terms are 0 a pixel"),
        Peer("MS-SSIM", lib, "as it is", on(MS_SSIM(), 1), 2e-3,
             "luma in whole levels; negative contrast terms are 0 a pixel"),
        Peer("GMSD", lib, "as it is", on(GMSD(), 1), 1e-3, "luma in whole levels; deviation over n − 1"),
        Peer("LPIPS", lib, "alex, our AlexNet", on(pyiqa_lpips(), 1), 5e-3, "ours in bfloat16 where native"),
    ]  # fmt: skip


def on(measure: Callable[..., Any], top: int, *, luma: bool = False, **options: Any) -> Call:
    """The measure on uint8 pictures: N×3×H×W float32 of 0..top (N×1×H×W for luma, BT.601), E first."""
    import torch

    from edit_metrics.pixels.luma import bt601

    def tensor(image: RGB) -> Any:
        if luma:
            return torch.from_numpy(np.asarray(bt601(image), np.float32))[None, None] * (top / 255)
        return torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float() * (top / 255)

    def call(source: RGB, edited: RGB) -> float:
        with torch.no_grad():
            return float(measure(tensor(edited), tensor(source), **options))

    return call


def torchmetrics_lpips() -> Callable[..., Any]:
    from torchmetrics.functional.image import lpips

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = lpips._LPIPS(pretrained=True, net="alex", pnet_rand=True).eval()
    load_alexnet(network.net)
    return network


def pyiqa_lpips() -> Callable[..., Any]:
    import lpips
    import torch
    import torchvision
    from pyiqa.archs.lpips_arch import LPIPS

    # pyiqa asks torchvision for its AlexNet whatever it is told: no download for what is replaced at once.
    with mock.patch("pyiqa.archs.lpips_arch.models.alexnet", return_value=torchvision.models.alexnet()):
        network = LPIPS(pretrained=False, net="alex", pnet_rand=True).eval()
    heads = torch.load(Path(lpips.__file__).parent / "weights/v0.1/alex.pth", map_location="cpu", weights_only=True)
    missing = set(heads) - set(network.load_state_dict(heads, strict=False).unexpected_keys)
    if len(missing) != len(heads):
        raise RuntimeError(f"LPIPS heads that pyiqa does not know: {sorted(set(heads) - missing)}")
    load_alexnet(network.net)
    return network


def load_alexnet(net: Any) -> None:
    """The profile's AlexNet into the five slices that both libraries have from the authors' code."""
    from edit_metrics.backends.lpips_nets import read_tensors
    from edit_metrics.weights import store

    tensors = read_tensors("alex", store.locate("lpips.alex"))
    for part in (getattr(net, f"slice{number}") for number in range(1, 6)):
        part.load_state_dict({name: tensors[f"features.{name}"].contiguous() for name in part.state_dict()})


def versions() -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name) for name in ("torchmetrics", "pyiqa", "torch", "opencv-python")}


def table(record: Mapping[str, Any]) -> list[str]:
    """Markdown: what is compared, by how much the values differ, and what a pair takes."""
    lines = [
        "| measure | library | asked | largest difference | tolerance | ms a pair (range) | ours (range) | ÷ ours |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in record["rows"]:
        within = "another definition" if row["tolerance"] is None else f"{row['tolerance']:.0e}"
        within += f": {row['reason']}" if row["reason"] else ""
        ratio = row["seconds"]["median"] / row["ours"]["median"]
        cells = (row["measure"], row["library"], row["how"], f"{row['largest']:.1e}", within)
        lines.append(f"| {' | '.join(cells)} | {ranged(row['seconds'])} | {ranged(row['ours'])} | {ratio:.1f} |")
    return lines


def ranged(seconds: Mapping[str, float]) -> str:
    return f"{1e3 * seconds['median']:.1f} ({1e3 * seconds['lowest']:.1f}–{1e3 * seconds['highest']:.1f})"


if __name__ == "__main__":
    main()
