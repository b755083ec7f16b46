"""Small random checkpoints in the formats that the model hub has them in; their values mean nothing."""

from __future__ import annotations

import json
from pathlib import Path

import open_clip
import torch
from safetensors.torch import save_file

SQUASH = {
    "do_normalize": True, "do_rescale": True, "do_resize": True, "image_mean": [0.5] * 3, "image_std": [0.5] * 3,
    "image_processor_type": "ViTImageProcessor", "resample": 2, "size": {"height": 32, "width": 32},
}  # fmt: skip
OPEN_CLIP = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16},
    "text_cfg": {"context_length": 12, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}


def open_clip_folder(path: Path) -> Path:
    """``open_clip_config.json`` and its state dict."""
    torch.manual_seed(0)
    path.mkdir(exist_ok=True)
    save_file(open_clip.CLIP(**OPEN_CLIP).state_dict(), path / "open_clip_model.safetensors")
    squash = {"mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bicubic", "resize_mode": "squash"}
    (path / "open_clip_config.json").write_text(json.dumps({"model_cfg": OPEN_CLIP, "preprocess_cfg": squash}))
    return path


def classifier_folder(path: Path, *labels: str) -> Path:
    """A ``save_pretrained`` folder of an image classifier."""
    from transformers import ViTConfig, ViTForImageClassification

    torch.manual_seed(3)
    names = dict(enumerate(labels))
    config = ViTConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, image_size=32, patch_size=16,
        id2label=names, label2id={name: i for i, name in names.items()}, initializer_range=1.0,
    )  # fmt: skip
    ViTForImageClassification(config).save_pretrained(path)
    (path / "preprocessor_config.json").write_text(json.dumps(SQUASH))
    return path


def dinov2_folder(path: Path) -> Path:
    """A ``save_pretrained`` folder of DINOv2 with two layers."""
    from transformers import Dinov2Config, Dinov2Model

    torch.manual_seed(0)
    config = Dinov2Config(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, image_size=28, patch_size=14, initializer_range=0.5
    )
    Dinov2Model(config).save_pretrained(path)
    return path


def message(*fields: tuple[int, int | str | bytes]) -> bytes:
    """A protocol buffer of varint and length-delimited fields: all that an ONNX file of one layer needs."""

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


def tensor_info(name: str, *shape: int) -> bytes:
    dimensions = message(*((1, message((1, side))) for side in shape))
    return message((1, name), (2, message((1, message((1, 1), (2, dimensions))))))


def mean_colour_network(path: Path) -> Path:
    pool = message((1, "data"), (2, "pooled"), (3, "pool"), (4, "GlobalAveragePool"))
    flatten = message((1, "pooled"), (2, "fc1"), (3, "flatten"), (4, "Flatten"))
    inputs, outputs = tensor_info("data", 1, 3, 112, 112), tensor_info("fc1", 1, 3)
    graph = message((1, pool), (1, flatten), (2, "mean_colour"), (11, inputs), (12, outputs))
    path.write_bytes(message((1, 8), (7, graph), (8, message((2, 13)))))
    return path
