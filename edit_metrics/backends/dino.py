"""Last-layer keys of a self-supervised ViT (DINO, Caron 2021; DINOv2, Oquab 2023), as Splice (Tumanyan 2022) uses."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image

from edit_metrics.backends.base import DTYPES, Fingerprint, one_of, require_package
from edit_metrics.backends.preprocess import map_in_threads
from edit_metrics.backends.registry import backend
from edit_metrics.backends.torch_runtime import choose_device, computing_dtype, placed, set_threads, stacked_on
from edit_metrics.errors import ConfigError, WeightsError
from edit_metrics.types import RGB, Float32
from edit_metrics.weights import store

if TYPE_CHECKING:
    import torch

_MEAN: Final = np.array([0.485, 0.456, 0.406], dtype=np.float32)
_STD: Final = np.array([0.229, 0.224, 0.225], dtype=np.float32)
"""ImageNet's, which DINO and DINOv2 were trained with."""
_KEY_LAYERS: Final = (".k_proj", ".key")
_FUSED_LAYER: Final = ".qkv"


@backend("dino", "patches")
class DinoPatches:
    """Role ``patches``.

    Args:
        weights: reference of a ``save_pretrained`` folder, or of a safetensors file of the timm model ``model``.
        model: timm's name of the architecture; empty for a folder, which says itself what it is.
        size: pictures are squashed to this square, so that S and E of any geometry have the same patches.
        batch_size: pictures of one forward pass.
        dtype: of the network; keys are float32.
        device: see :func:`~edit_metrics.backends.factory.build_backend`.
        threads: of one torch operation on the CPU.
    """

    reentrant: Final = True

    def __init__(
        self,
        *,
        weights: str = "dinov2.small",
        model: str = "",
        size: int = 224,
        batch_size: int = 16,
        dtype: str = "float32",
        device: str = "auto",
        threads: int | None = None,
    ) -> None:
        options = {"weights": weights, "model": model, "size": size, "dtype": dtype}
        self._fingerprint = self.describe(options)
        self._device = choose_device(device)
        self._dtype = computing_dtype(self._device, dtype)
        self._size, self._batch_size = size, batch_size
        set_threads(threads)
        path = store.locate(weights)
        network, patch = _load_folder(path) if path.is_dir() else _load_timm(path, model, size)
        if size % patch:
            raise ConfigError(f"a size that {patch}-px patches fill", str(size), "backends.patches.size")
        self._network, self._patches = placed(network, self._device, dtype), (size // patch) ** 2
        # Some classes refuse a size that they were not trained at unless they are told to interpolate.
        can_interpolate = "interpolate_pos_encoding" in inspect.signature(self._network.forward).parameters
        self._arguments = {"interpolate_pos_encoding": True} if can_interpolate else {}
        self._keys = _Keys()
        _hook_keys(self._network, self._keys)

    @classmethod
    def weights(cls, options: Mapping[str, Any]) -> tuple[str, ...]:
        """See :class:`~edit_metrics.backends.base.Describable`."""
        return (options["weights"],)

    @classmethod
    def describe(cls, options: Mapping[str, Any]) -> Fingerprint:
        """See :class:`~edit_metrics.backends.base.Describable`."""
        return Fingerprint(
            name=f"dino/{options['model'] or Path(options['weights']).name}",
            weights={"encoder": store.digest(options["weights"])},
            preprocessing=f"bicubic antialiased squash to {options['size']}, ImageNet mean and std; last-layer keys",
            dtype=one_of("dtype", options["dtype"], DTYPES),
        )

    @property
    def fingerprint(self) -> Fingerprint:
        """See :class:`~edit_metrics.backends.base.Fingerprint`."""
        return self._fingerprint

    def encode_patches(self, images: Sequence[RGB]) -> list[Float32]:
        """See :class:`~edit_metrics.backends.base.PatchEncoder`."""
        encoded: list[Float32] = []
        for start in range(0, len(images), self._batch_size):
            encoded.extend(self._encode(images[start : start + self._batch_size]))
        return encoded

    def _encode(self, images: Sequence[RGB]) -> list[Float32]:
        import torch

        pixels = stacked_on(self._device, map_in_threads(self._preprocessed, images)).to(self._dtype)
        with torch.inference_mode():
            self._network(pixels, **self._arguments)
            # Class and register tokens stand in front of the patches.
            keys = self._keys.last[:, -self._patches :].float().cpu().numpy()
        return list(keys)

    def _preprocessed(self, image: RGB) -> Float32:
        squashed = Image.fromarray(image).resize((self._size, self._size), Image.Resampling.BICUBIC)
        normalised = (np.asarray(squashed, dtype=np.float32) / 255 - _MEAN) / _STD
        return np.ascontiguousarray(normalised.transpose(2, 0, 1), dtype=np.float32)


class _Keys(threading.local):
    """What the last forward pass of this thread left."""

    last: torch.Tensor


def _hook_keys(network: Any, kept: _Keys) -> None:
    """Have every forward pass leave the last layer's keys, N×T×D, in ``kept``."""
    layers = [(name, layer) for name, layer in network.named_modules() if name.endswith((*_KEY_LAYERS, _FUSED_LAYER))]
    if not layers:
        raise ConfigError("a ViT with attention layers", type(network).__name__, "backends.patches")
    name, layer = layers[-1]

    def keep(module: Any, inputs: Any, output: torch.Tensor) -> None:
        del module, inputs
        kept.last = output.chunk(3, dim=-1)[1] if name.endswith(_FUSED_LAYER) else output

    layer.register_forward_hook(keep)


def _load_folder(folder: Path) -> tuple[Any, int]:
    """Network and patch size, from safetensors alone, without any code of the folder's and without a connection."""
    transformers: Any = require_package("transformers", "", "patch encoders from the hub")
    transformers.utils.logging.disable_progress_bar()
    expected = "a ViT in config.json and model.safetensors"
    try:
        network, found = transformers.AutoModel.from_pretrained(
            folder, use_safetensors=True, local_files_only=True, trust_remote_code=False, output_loading_info=True
        )
        patch = int(network.config.patch_size)
    except (AttributeError, OSError, ValueError, KeyError, RuntimeError) as error:
        raise WeightsError(expected, " ".join(str(error).split())[:300], str(folder)) from error
    # A pooling head comes after the keys; anything else that is missing would be random numbers.
    missing = [key for key in found["missing_keys"] if not key.startswith("pooler.")]
    if missing:
        raise WeightsError(expected, f"no weights for {', '.join(sorted(missing)[:5])}", str(folder))
    return network, patch


def _load_timm(path: Path, model: str, size: int) -> tuple[Any, int]:
    """Network and patch size from a safetensors file."""
    timm: Any = require_package("timm", "embedded", "patch encoders of timm")
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if not model:
        raise ConfigError("the timm name of the architecture", "an empty option", "backends.patches.model")
    try:
        network = timm.create_model(model, pretrained=False, num_classes=0, img_size=size)
        network.load_state_dict(load_file(path))
    except (RuntimeError, TypeError, SafetensorError) as error:
        what = " ".join(str(error).split())[:300]
        raise WeightsError(f"a safetensors file of timm's {model} for {size}-px pictures", what, str(path)) from error
    return network, int(network.patch_embed.patch_size[0])
