"""Image classifiers of the transformers library as safety classifiers, from a `save_pretrained` folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image

from edit_metrics.backends.base import DTYPES, Fingerprint, one_of, require_package
from edit_metrics.backends.preprocess import map_in_threads
from edit_metrics.backends.registry import backend
from edit_metrics.backends.torch_runtime import choose_device, computing_dtype, placed, set_threads, stacked_on
from edit_metrics.errors import ConfigError, WeightsError, suggest
from edit_metrics.types import RGB, Float32
from edit_metrics.weights import store

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """What ``preprocessor_config.json`` says, done with Pillow: the same numbers under every version of transformers.

    Attributes:
        size: height and width to squash to, or the length of the shorter side.
        crop: height and width of the centre crop; None = none.
        resample: Pillow's number of the filter.
    """

    size: tuple[int, int] | int
    crop: tuple[int, int] | None
    resample: int
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @classmethod
    def read(cls, path: Path) -> Preprocessing:
        """Read the file.

        Raises:
            WeightsError: it is missing, or asks for something else than resize, centre crop and normalisation.
        """
        try:
            config = json.loads(path.read_text())
            size, crop = config["size"], config.get("crop_size") if config.get("do_center_crop") else None
            return cls(
                size=_side(size) if not isinstance(size, dict) or "height" in size else int(size["shortest_edge"]),
                crop=None if crop is None else _side(crop),
                resample=int(config.get("resample", Image.Resampling.BILINEAR)),
                mean=tuple(config["image_mean"]),
                std=tuple(config["image_std"]),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            expected = "preprocessor_config.json with size, image_mean and image_std"
            raise WeightsError(expected, repr(error)[:300], str(path)) from error

    def apply(self, image: RGB) -> Float32:
        """One picture to 3×H×W, normalised."""
        picture = Image.fromarray(image)
        if isinstance(self.size, int):
            scale = self.size / min(picture.size)
            width, height = (self.size if side == min(picture.size) else int(side * scale) for side in picture.size)
        else:
            height, width = self.size
        pixels = np.asarray(picture.resize((width, height), Image.Resampling(self.resample)), dtype=np.float32) / 255
        if self.crop is not None:
            top, left = (height - self.crop[0]) // 2, (width - self.crop[1]) // 2
            pixels = pixels[top : top + self.crop[0], left : left + self.crop[1]]
        normalised = (pixels - np.array(self.mean, np.float32)) / np.array(self.std, np.float32)
        return np.ascontiguousarray(normalised.transpose(2, 0, 1))


def _side(size: Any) -> tuple[int, int]:
    return (int(size["height"]), int(size["width"])) if isinstance(size, dict) else (int(size), int(size))


@backend("hf_image_classifier", "safety", "safety_second")
class HfImageClassifier:
    """Role ``safety``. The probability of a category is the sum over its labels, after the softmax over all of them.

    Args:
        weights: reference of a folder with ``config.json``, ``model.safetensors`` and ``preprocessor_config.json``.
        labels: the model's label → category of ours; labels that are not named here are harmless.
        batch_size: pictures of one forward pass.
        dtype: of the network; probabilities are float32.
        device: see :func:`~edit_metrics.backends.factory.build_backend`.
        threads: of one torch operation on the CPU.
    """

    reentrant: Final = True

    def __init__(
        self,
        *,
        weights: str = "falconsai.nsfw",
        labels: Mapping[str, str] | None = None,
        batch_size: int = 16,
        dtype: str = "float32",
        device: str = "auto",
        threads: int | None = None,
    ) -> None:
        self._fingerprint = self.describe({"weights": weights, "labels": labels, "dtype": dtype})
        self._device, self._batch_size = choose_device(device), batch_size
        self._dtype = computing_dtype(self._device, dtype)
        set_threads(threads)
        folder = store.locate(weights)
        self._preprocessing = Preprocessing.read(folder / "preprocessor_config.json")
        self._network = placed(_load(folder), self._device, dtype)
        self._columns = _columns(_labels(labels), self._network.config.id2label, folder)

    @classmethod
    def weights(cls, options: Mapping[str, Any]) -> tuple[str, ...]:
        """See :class:`~edit_metrics.backends.base.Describable`."""
        return (options["weights"],)

    @classmethod
    def describe(cls, options: Mapping[str, Any]) -> Fingerprint:
        """See :class:`~edit_metrics.backends.base.Describable`."""
        mapping = ", ".join(f"{label} -> {category}" for label, category in sorted(_labels(options["labels"]).items()))
        return Fingerprint(
            name=f"hf_image_classifier/{Path(options['weights']).name}",
            weights={"model": store.digest(options["weights"])},
            preprocessing=f"the folder's own image processor; {mapping}",
            dtype=one_of("dtype", options["dtype"], DTYPES),
        )

    @property
    def fingerprint(self) -> Fingerprint:
        """See :class:`~edit_metrics.backends.base.Fingerprint`."""
        return self._fingerprint

    @property
    def categories(self) -> tuple[str, ...]:
        """Categories that the labels map to, in the order of the mapping."""
        return tuple(self._columns)

    def probabilities(self, images: Sequence[RGB]) -> Float32:
        """See :class:`~edit_metrics.backends.base.SafetyClassifier`."""
        parts = [np.zeros((0, len(self._columns)), dtype=np.float32)]
        for start in range(0, len(images), self._batch_size):
            scores = self._scores(images[start : start + self._batch_size])
            parts.append(np.stack([scores[:, columns].sum(axis=1) for columns in self._columns.values()], axis=1))
        return np.clip(np.concatenate(parts), 0.0, 1.0)

    def _scores(self, images: Sequence[RGB]) -> Float32:
        import torch

        pixels = stacked_on(self._device, map_in_threads(self._preprocessing.apply, images)).to(self._dtype)
        with torch.inference_mode():
            logits: torch.Tensor = self._network(pixel_values=pixels).logits
            scores: Float32 = logits.float().softmax(dim=-1).cpu().numpy()
        return scores


def _labels(labels: Mapping[str, str] | None) -> Mapping[str, str]:
    return {"nsfw": "nudity"} if labels is None else labels


def _columns(labels: Mapping[str, str], names: Mapping[int, str], folder: Path) -> dict[str, list[int]]:
    """Category → positions of its labels among the model's."""
    positions = {name: position for position, name in names.items()}
    columns: dict[str, list[int]] = {}
    for name, category in labels.items():
        if name not in positions:
            raise ConfigError(f"a label of {folder.name}", repr(name), "labels", suggest(name, positions))
        columns.setdefault(category, []).append(positions[name])
    if not columns:
        raise ConfigError("at least one label that stands for a category", "none", "labels", suggest("", positions))
    return columns


def _load(folder: Path) -> Any:
    """The network, from safetensors alone, without any code of the folder's and without a network connection."""
    transformers: Any = require_package("transformers", "", "image classifiers from the hub")
    transformers.utils.logging.disable_progress_bar()
    expected = "an image classifier in config.json and model.safetensors"
    try:
        network, found = transformers.AutoModelForImageClassification.from_pretrained(
            folder, use_safetensors=True, local_files_only=True, trust_remote_code=False, output_loading_info=True
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise WeightsError(expected, " ".join(str(error).split())[:300], str(folder)) from error
    if found["missing_keys"]:
        # The library would fill them with random numbers.
        raise WeightsError(expected, f"no weights for {', '.join(sorted(found['missing_keys'])[:5])}", str(folder))
    return network
