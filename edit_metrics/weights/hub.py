"""Catalogue entries whose files come from the model hub or from torchvision, pinned by revision and hash.

The hashes are the published ones of these revisions. This project's own tests run without a hub and have not
downloaded them: a wrong pin shows as a refused download, never as a wrong score.
"""

from __future__ import annotations

from typing import Final

from edit_metrics.weights.entries import HubRepository, TorchvisionWeights, Weight, WeightFile


def _as_published(name: str, size: int | None = None, sha256: str | None = None) -> WeightFile:
    return WeightFile(name=name, size=size, sha256=sha256, member=name)


HUB_WEIGHTS: Final = (
    Weight(
        name="open_clip.vit_b_32",
        role="text-image encoder (CLIP ViT-B/32, LAION-2B)",
        licence="MIT",
        profiles=("clip",),
        source=HubRepository("laion/CLIP-ViT-B-32-laion2B-s34B-b79K", "1a25a446712ba5ee05982a381eed697ef9b435cf"),
        files=(
            _as_published(
                "open_clip_model.safetensors",
                605_143_316,
                "ac4f8c4b88af6d963118cbf40ad93176d092abbedfcb752601ae1866352656e6",
            ),
        ),
    ),
    Weight(
        name="open_clip.vit_l_14_openai",
        role="text-image encoder (CLIP ViT-L/14, OpenAI)",
        licence="MIT",
        profiles=("large", "pie_compat"),
        source=HubRepository("timm/vit_large_patch14_clip_224.openai", "18d0535469bb561bf468d76c1d73aa35156c922b"),
        files=(
            _as_published(
                "open_clip_model.safetensors",
                1_710_517_724,
                "9ce2e8a8ebfff3793d7d375ad6d3c35cb9aebf3de7ace0fc7308accab7cd207e",
            ),
        ),
    ),
    Weight(
        name="open_clip.siglip2_b_16",
        role="text-image encoder (SigLIP 2 ViT-B/16)",
        licence="Apache-2.0",
        profiles=(),
        source=HubRepository("timm/ViT-B-16-SigLIP2", "eee10eff6dd8cabae2d7f379d4e8cfcd352030aa"),
        files=(
            _as_published(
                "open_clip_model.safetensors",
                1_500_786_832,
                "d0a51069d2fa6c95b371b3bffd2a2c765c1815004798ee99f075290dbca73041",
            ),
            _as_published(
                "open_clip_config.json", 944, "d0b2ac6d4524cb95287138b9e5fa345211be7242e5da7eb55be894614be33987"
            ),
            _as_published(
                "tokenizer.json", 34_362_885, "220c63d496e0c14e63eb656c91e0215e926202e4c74b1f089e09f1920d779b04"
            ),
            _as_published(
                "tokenizer_config.json", 46_382, "513e778583a9ac0b74ae47784216f9d654d5132eee62d777597f5e842701323c"
            ),
            _as_published(
                "special_tokens_map.json", 327, "d4671afd8f9b1ccd170443bd5478c0cc40fdbddc9343034caf6984ffd388b2c4"
            ),
        ),
    ),
    Weight(
        name="yunet",
        role="face detector (YuNet)",
        licence="MIT",
        profiles=("clip", "large"),
        source=HubRepository("opencv/face_detection_yunet", "3cc26e7f1014a5ee5d74a42acee58bafc9d0a310"),
        files=(
            _as_published(
                "face_detection_yunet_2023mar.onnx",
                232_589,
                "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
            ),
        ),
    ),
    Weight(
        name="sface",
        role="face embedding (SFace)",
        licence="Apache-2.0",
        profiles=("clip", "large"),
        source=HubRepository("opencv/face_recognition_sface", "c140188d35b7d0050f2dcfdfb8fe3e98d516744f"),
        files=(
            _as_published(
                "face_recognition_sface_2021dec.onnx",
                38_696_353,
                "0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79",
            ),
        ),
    ),
    Weight(
        name="falconsai.nsfw",
        role="nudity classifier (ViT-B/16, Falconsai)",
        licence="Apache-2.0",
        profiles=("clip", "large"),
        source=HubRepository("Falconsai/nsfw_image_detection", "96cb0d0342c7afb80cab76ecc58b265fa44da256"),
        files=(
            _as_published(
                "model.safetensors",
                343_223_968,
                "97b2ce64ec146884b37f98ee7944ca4891aa72f6827dc0cb10684a1cbecd5830",
            ),
            _as_published("config.json", 724, "cd8c0a19566f199b5c64da402f1d6a9daf80d094fe6536befb060a2cc59449c2"),
            _as_published(
                "preprocessor_config.json", 325, "a34861a24e781942424ad790b82bc99348404a2e64ea882de88c40905851698d"
            ),
        ),
    ),
    Weight(
        name="dinov2.small",
        role="patch encoder (DINOv2-small)",
        licence="Apache-2.0",
        profiles=("clip", "large"),
        source=HubRepository("facebook/dinov2-small", "ed25f3a31f01632728cabb09d1542f84ab7b0056"),
        files=(
            _as_published(
                "model.safetensors",
                88_249_960,
                "ae1e99fcefd534ed978cdeb8326f08030c96e28b7a81ffcbc98a857c84d14be1",
            ),
            _as_published("config.json"),
            _as_published("preprocessor_config.json"),
        ),
    ),
    Weight(
        name="lpips.squeeze",
        role="SqueezeNet 1.1 convolutions of LPIPS",
        licence="BSD-3-Clause",
        profiles=("pie_compat",),
        source=TorchvisionWeights("SqueezeNet1_1_Weights.IMAGENET1K_V1", "b8a52dc0"),
        files=(
            WeightFile(
                name="squeezenet1_1.safetensors",
                size=None,
                sha256=None,
                member="squeezenet1_1-b8a52dc0.pth",
                member_sha256="b8a52dc049b60e4b6ab68ad0df457362afab8b6304b2febdc1650a5dab4d7e7b",
                conversion="torch_pickle_to_safetensors",
            ),
        ),
    ),
)
