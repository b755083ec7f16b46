"""MUSIQ (Ke 2021) and TOPIQ (Chen 2024), learned no-reference quality, on pyiqa's networks (extra ``iqa``).

The networks are built without any download; the weights are files of the user's own, read without executing anything.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from edit_metrics.backends.base import Backend, Fingerprint, require_package
from edit_metrics.backends.registry import backend
from edit_metrics.backends.torch_runtime import choose_device, set_threads
from edit_metrics.errors import ConfigError, WeightsError
from edit_metrics.types import RGB
from edit_metrics.weights import store

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class LearnedQuality:
    """What the networks say of one picture; None for a network without weights.

    Attributes:
        musiq: about 0..100, high = good.
        topiq: about 0..1, high = good.
    """

    musiq: float | None
    topiq: float | None


class QualityAssessor(Backend, Protocol):
    """Role ``iqa``."""

    def assess(self, images: Sequence[RGB]) -> list[LearnedQuality]:
        """N pictures of any size, each at its own."""
        ...


@backend("pyiqa", "iqa", packages=("pyiqa",), extra="iqa")
class PyiqaQuality:
    """Role ``iqa``: MUSIQ and TOPIQ of pyiqa, both as trained on KonIQ-10k.

    Args:
        musiq: path of MUSIQ's state dict (safetensors, or a ``.pth`` without code in it); empty = not computed.
        topiq: path of TOPIQ-NR's (ResNet-50), likewise.
        device: see :func:`~edit_metrics.backends.factory.build_backend`.
        threads: of one torch operation on the CPU.
    """

    def __init__(self, *, musiq: str = "", topiq: str = "", device: str = "auto", threads: int | None = None) -> None:
        references = {"musiq": musiq, "topiq": topiq}
        self._fingerprint = self.describe(references)
        self._device = choose_device(device)
        set_threads(threads)
        builders = {"musiq": _build_musiq, "topiq": _build_topiq}
        self._networks = {
            name: _with_weights(builders[name](), store.locate(reference)).to(self._device)
            for name, reference in references.items()
            if reference
        }

    @classmethod
    def weights(cls, options: Mapping[str, Any]) -> tuple[str, ...]:
        """See :class:`~edit_metrics.backends.base.Describable`."""
        return tuple(options[name] for name in ("musiq", "topiq") if options[name])

    @classmethod
    def describe(cls, options: Mapping[str, Any]) -> Fingerprint:
        """See :class:`~edit_metrics.backends.base.Describable`."""
        given = {name: str(options[name]) for name in ("musiq", "topiq") if options[name]}
        if not given:
            raise ConfigError("a path under 'musiq' or 'topiq'", "neither", "backends.iqa")
        return Fingerprint(
            name=f"pyiqa/{'+'.join(given)}",
            weights={name: store.digest(reference) for name, reference in given.items()},
            preprocessing="native size, [0, 1]; each network normalises by itself",
        )

    @property
    def fingerprint(self) -> Fingerprint:
        """See :class:`~edit_metrics.backends.base.Fingerprint`."""
        return self._fingerprint

    def assess(self, images: Sequence[RGB]) -> list[LearnedQuality]:
        """See :class:`QualityAssessor`."""
        return [LearnedQuality(self._score("musiq", image), self._score("topiq", image)) for image in images]

    def _score(self, name: str, image: RGB) -> float | None:
        import torch

        if name not in self._networks:
            return None
        pixels = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))).to(self._device)
        with torch.inference_mode():
            return float(self._networks[name](pixels[None].float() / 255).item())


def _build_musiq() -> torch.nn.Module:
    require_package("pyiqa", "iqa", "MUSIQ")
    network: torch.nn.Module = importlib.import_module("pyiqa.archs.musiq_arch").MUSIQ(pretrained=False)
    return network


def _build_topiq() -> torch.nn.Module:
    require_package("pyiqa", "iqa", "TOPIQ")
    network: torch.nn.Module = importlib.import_module("pyiqa.archs.topiq_arch").CFANet(
        model_name="cfanet_nr_koniq_res50", use_ref=False, backbone_pretrain=False, pretrained=False
    )
    return network


def _with_weights(network: torch.nn.Module, path: Path) -> torch.nn.Module:
    import torch
    from safetensors.torch import load_file

    state: Any
    try:
        if path.suffix == ".safetensors":
            state = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
        network.load_state_dict(state.get("params", state))
    except Exception as error:
        raise WeightsError("the state dict of this network", " ".join(str(error).split())[:300], str(path)) from error
    return network.eval()
