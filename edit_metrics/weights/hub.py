"""Catalogue entries whose files come from the model hub or from torchvision, pinned by revision and hash."""

from __future__ import annotations

from typing import Final

from edit_metrics.weights.entries import HubRepository, TorchvisionWeights, Weight, WeightFile

HUB_WEIGHTS: Final = (
    Weight(
        name="open_clip.vit_b_32",
        role="text-image encoder (CLIP ViT-B/32, LAION-2B)",
        licence="MIT",
        profiles=("default",),
        source=HubRepository("laion/CLIP-ViT-B-32-laion2B-s34B-b79K", "1a25a446712ba5ee05982a381eed697ef9b435cf"),
        files=(
            WeightFile(
                name="open_clip_model.safetensors",
                size=605_143_316,
                sha256="ac4f8c4b88af6d963118cbf40ad93176d092abbedfcb752601ae1866352656e6",
                member="open_clip_model.safetensors",
            ),
        ),
    ),
    Weight(
        name="lpips.squeeze",
        role="SqueezeNet 1.1 convolutions of LPIPS",
        licence="BSD-3-Clause",
        profiles=("pie_compat",),
        source=TorchvisionWeights("SqueezeNet1_1_Weights.IMAGENET1K_V1", "b8a52dc0"),
        files=(WeightFile(name="squeezenet1_1.pth", size=None, sha256=None, member="squeezenet1_1-b8a52dc0.pth"),),
    ),
)
