"""The plain combination: what a user would put together from the usual libraries, one item at a time, in float32.

The weights are those that ours runs on; preprocessing is each model's own.
"""

from __future__ import annotations

import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from bench_set import read_mask, read_rgb
from PIL import Image
from skimage.metrics import structural_similarity

from edit_metrics.types import RGB, Float32
from edit_metrics.weights import store

Row = dict[str, str]
Values = dict[str, float]


class Encoder(Protocol):
    """Pictures and texts in one space, one at a time."""

    def picture(self, image: RGB) -> Float32:
        """Unit norm."""
        ...

    def text(self, text: str) -> Float32:
        """Unit norm."""
        ...


class Plain:
    """The whole combination.

    Args:
        encoder: its name (``clip`` or ``conse``) and the encoder.
        nudity: probability that a picture is not safe.
        faces: embeddings of a picture's faces; None = left out.
    """

    def __init__(
        self,
        encoder: tuple[str, Encoder],
        nudity: Callable[[RGB], float],
        faces: Callable[[RGB], list[Float32]] | None,
    ) -> None:
        self._name, self._encoder = encoder
        self._nudity, self._faces = nudity, faces
        self._lpips = load_lpips()
        self.seconds: dict[str, float] = defaultdict(float)

    def score(self, folder: Path, rows: Sequence[Row]) -> dict[str, Values]:
        """Item → our column name → value; seconds a stage add up in ``seconds``."""
        return {row["id"]: self._item(folder, row) for row in rows}

    def _item(self, folder: Path, row: Row) -> Values:
        with self._timed("decode"):
            source, edited = read_rgb(folder / row["source"]), read_rgb(folder / row["edited"])
            mask = read_mask(folder / row["mask"])
            edited_size = (source.shape[1], source.shape[0])
            edited = np.asarray(Image.fromarray(edited).resize(edited_size, Image.Resampling.LANCZOS))
            filled = np.where(mask[..., None], source, edited)
        values: Values = {}
        with self._timed("ssim and psnr"):
            ssim = structural_similarity(
                source, filled, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
                data_range=255,
            )  # fmt: skip
            error = np.mean((source.astype(np.float64) - filled) ** 2) / 255**2
        with self._timed("lpips"):
            lpips = self._lpips(source, filled)
        if not mask.any():  # elsewhere ours looks at the kept pixels alone, and the two mean different things
            values |= {"preservation.ssim": ssim, "preservation.lpips": lpips}
            values["preservation.psnr"] = 100.0 if error == 0 else -10 * float(np.log10(error))
        with self._timed(self._name):
            values |= self._adherence(source, edited, row)
        with self._timed("safety"):
            values |= {"safety.nudity_source": self._nudity(source), "safety.nudity_edited": self._nudity(edited)}
        if self._faces is not None:
            with self._timed("faces"):
                before, after = self._faces(source), self._faces(edited)
            values |= {"character.faces_source": float(len(before)), "character.faces_edited": float(len(after))}
        return values

    def _adherence(self, source: RGB, edited: RGB, row: Row) -> Values:
        before, after = self._encoder.picture(source), self._encoder.picture(edited)
        texts = [self._encoder.text(row[name]) for name in ("source_caption", "target_caption", "instruction")]
        moved, meant = after - before, texts[1] - texts[0]
        prefix = f"adherence.{self._name}"
        return {
            f"{prefix}_i": float(before @ after),
            f"{prefix}_t": float(after @ texts[1]),
            f"{prefix}_t_gain": float(after @ texts[1] - before @ texts[1]),
            f"{prefix}_directional": float(moved @ meant / np.linalg.norm(moved) / np.linalg.norm(meant)),
            f"{prefix}_instruction_gain": float(after @ texts[2] - before @ texts[2]),
        }

    def _timed(self, stage: str) -> _Timer:
        return _Timer(self.seconds, stage)


class _Timer:
    def __init__(self, seconds: dict[str, float], stage: str) -> None:
        self._seconds, self._stage = seconds, stage

    def __enter__(self) -> None:
        self._started = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self._seconds[self._stage] += time.perf_counter() - self._started


def load_lpips() -> Callable[[RGB, RGB], float]:
    """``lpips.LPIPS`` on our AlexNet."""
    import lpips
    import torch

    from edit_metrics.backends.lpips_nets import read_tensors

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False).eval()
    tensors = read_tensors("alex", store.locate("lpips.alex"))
    for stage in (getattr(model.net, f"slice{number}") for number in range(1, 6)):
        stage.load_state_dict({name: tensors[f"features.{name}"].contiguous() for name in stage.state_dict()})

    def compare(first: RGB, second: RGB) -> float:
        tensors = [
            torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1 for image in (first, second)
        ]
        with torch.no_grad():
            return float(model(*tensors))

    return compare
