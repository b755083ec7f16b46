"""Pictures for the benchmark, and random checkpoints in the true architectures of the `clip` profile."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from edit_metrics.types import RGB, Mask

NAMES = ("astronaut", "coffee", "chelsea", "rocket")
_ALSO_PLAIN = {"do_normalize": True, "do_rescale": True, "do_resize": True, "image_processor_type": "ViTImageProcessor"}


@dataclass(frozen=True, slots=True)
class BenchSet:
    """A manifest, and the rows it was written from."""

    manifest: Path
    rows: tuple[dict[str, str], ...]


def make_set(folder: Path, count: int, size: int = 512, checkpoints: int = 1) -> BenchSet:
    """Pairs of scikit-image's pictures: a recoloured ellipse, then JPEG again.

    Every second item has a mask with the ellipse; the others an empty one, so that the whole frame had to stay and
    masked metrics mean the same as the plain ones.

    Args:
        folder: written to; files that are there stay.
        count: items per checkpoint.
        size: side of the square pictures.
        checkpoints: edited pictures a source; each checkpoint's rows follow the last one's.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = [_row(folder, index, size, checkpoint) for checkpoint in range(checkpoints) for index in range(count)]
    manifest = folder / f"manifest-{count}x{checkpoints}.jsonl"
    manifest.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return BenchSet(manifest, tuple(rows))


def _row(folder: Path, index: int, size: int, checkpoint: int) -> dict[str, str]:
    name = NAMES[index % len(NAMES)]
    files = {kind: f"{kind}-{index}.{'png' if kind == 'mask' else 'jpg'}" for kind in ("source", "mask")}
    files["edited"] = f"edited-{checkpoint}-{index}.jpg"
    if not (folder / files["edited"]).exists():
        _draw(folder, files, index, size, checkpoint)
    return {
        "id": f"{checkpoint}-{index}",
        **files,
        "model": f"checkpoint-{checkpoint}",
        "instruction": f"Make the round thing number {index} blue",
        "source_caption": f"A photo of the {name}",
        "target_caption": f"A photo of the {name} with a blue round thing, number {index}",
    }


def _draw(folder: Path, files: dict[str, str], index: int, size: int, checkpoint: int) -> None:
    import skimage.data

    whole = getattr(skimage.data, NAMES[index % len(NAMES)])()
    source = np.roll(cv2.resize(whole, (size, size), interpolation=cv2.INTER_AREA), 13 * (index // 4), axis=1)
    region = np.zeros((size, size), np.uint8)
    centre = (size // 2 + 5 * (index % 16), size // 2)
    cv2.ellipse(region, centre, (size // 5, size // 6), 10 * checkpoint, 0, 360, 255, -1)
    edited = source.copy()
    edited[region > 0] = (edited[region > 0] * (0.4, 0.5, 0.6) + (0, 30, 100)).astype(np.uint8)
    Image.fromarray(source).save(folder / files["source"], quality=95)
    Image.fromarray(edited).save(folder / files["edited"], quality=92)
    Image.fromarray(region if index % 2 else np.zeros_like(region)).save(folder / files["mask"])


def read_rgb(path: Path) -> RGB:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def read_mask(path: Path) -> Mask:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("L")) >= 128


def default_checkpoints(folder: Path, detector: Path | None) -> list[str]:
    """Random weights for CLIP ViT-B/32, ViT-B/16 and DINOv2-small, as overrides of the `clip` profile.

    Args:
        folder: where they are kept; about 1 GB.
        detector: YuNet's ONNX file; without it faces are left out, in the plain combination too. SFace is left out in
            any case: no checkpoint of it can be drawn at random here.
    """
    folder.mkdir(parents=True, exist_ok=True)
    overrides = [
        f"backends.clip.weights={random_open_clip(folder, 'ViT-B-32')}",
        f"backends.safety.weights={_classifier(folder / 'vit-b-16')}",
        f"backends.patches.weights={_dinov2(folder / 'dinov2-small')}",
    ]
    if detector is None:
        return [*overrides, "backends.faces=null"]
    embedder = mean_colour_network(folder / "sface.onnx")
    return [*overrides, f"backends.faces.detector={detector.resolve()}", f"backends.faces.embedder={embedder}"]


def random_open_clip(folder: Path, model: str) -> Path:
    """Random weights of one of open_clip's architectures."""
    path = folder / f"{model}.safetensors"
    if not path.exists():
        import open_clip
        import torch
        from safetensors.torch import save_file

        torch.manual_seed(0)
        save_file(open_clip.create_model(model).state_dict(), path)
    return path


def random_lpips(folder: Path, net: str) -> Path:
    """Random convolutions for LPIPS, in the sizes of torchvision's network."""
    path = folder / f"lpips-{net}.safetensors"
    if not path.exists():
        import torch
        import torchvision
        from safetensors.torch import save_file

        torch.manual_seed(3)
        network = {"alex": torchvision.models.alexnet, "vgg": torchvision.models.vgg16}[net]()
        tensors = network.features.state_dict()
        save_file({f"features.{name}": tensor for name, tensor in tensors.items()}, path)
    return path


def _classifier(folder: Path) -> Path:
    if not (folder / "preprocessor_config.json").exists():
        import torch
        from transformers import ViTConfig, ViTForImageClassification

        torch.manual_seed(1)
        names = {0: "normal", 1: "nsfw"}
        config = ViTConfig(id2label=names, label2id={name: index for index, name in names.items()})
        ViTForImageClassification(config).save_pretrained(folder)
        squash = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "resample": 2, "size": {"height": 224, "width": 224}}
        (folder / "preprocessor_config.json").write_text(json.dumps(_ALSO_PLAIN | squash))
    return folder


def _dinov2(folder: Path) -> Path:
    if not (folder / "config.json").exists():
        import torch
        from transformers import Dinov2Config, Dinov2Model

        torch.manual_seed(2)
        config = Dinov2Config(hidden_size=384, num_attention_heads=6, image_size=518, patch_size=14)
        Dinov2Model(config).save_pretrained(folder)
    return folder


def mean_colour_network(path: Path) -> Path:
    """An ONNX file that stands where SFace's would: the mean colour of the chip."""
    pool = _message((1, "data"), (2, "pooled"), (3, "pool"), (4, "GlobalAveragePool"))
    flatten = _message((1, "pooled"), (2, "fc1"), (3, "flatten"), (4, "Flatten"))
    inputs, outputs = _tensor_info("data", 1, 3, 112, 112), _tensor_info("fc1", 1, 3)
    graph = _message((1, pool), (1, flatten), (2, "mean_colour"), (11, inputs), (12, outputs))
    path.write_bytes(_message((1, 8), (7, graph), (8, _message((2, 13)))))
    return path


def _message(*fields: tuple[int, int | str | bytes]) -> bytes:
    """A protocol buffer of varint and length-delimited fields."""

    def varint(number: int) -> bytes:
        rest, low = number >> 7, number & 127
        return bytes([low | 128]) + varint(rest) if rest else bytes([low])

    encoded = b""
    for number, value in fields:
        if isinstance(value, int):
            encoded += varint(number << 3) + varint(value)
        else:
            raw = value.encode() if isinstance(value, str) else value
            encoded += varint(number << 3 | 2) + varint(len(raw)) + raw
    return encoded


def _tensor_info(name: str, *shape: int) -> bytes:
    dimensions = _message(*((1, _message((1, side))) for side in shape))
    return _message((1, name), (2, _message((1, _message((1, 1), (2, dimensions))))))
