"""Patch keys from small random ViTs in the true formats, against keys that are computed by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file
from tiny_models import dinov2_folder

from edit_metrics.backends.dino import DinoPatches
from edit_metrics.backends.factory import build_backend, weights_of
from edit_metrics.errors import ConfigError, WeightsError
from edit_metrics.features import subject
from edit_metrics.metrics.character import subject_similarity
from edit_metrics.types import RGB


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """DINOv2 with two layers, as the hub publishes it."""
    return dinov2_folder(tmp_path_factory.mktemp("dinov2"))


@pytest.fixture(scope="module")
def encoder(folder: Path) -> DinoPatches:
    return DinoPatches(weights=str(folder), size=56, batch_size=2, device="cpu")


def pictures(rng: np.random.Generator, count: int = 5) -> list[RGB]:
    sizes = rng.integers(30, 120, (count, 2))
    return [rng.integers(0, 256, (height, width, 3), dtype=np.uint8) for height, width in sizes]


def test_every_picture_has_one_key_a_patch_whatever_its_size(encoder: DinoPatches, rng: np.random.Generator) -> None:
    keys = encoder.encode_patches(pictures(rng))
    assert [key.shape for key in keys] == [(16, 16)] * 5
    assert all(key.dtype == np.float32 for key in keys)
    assert encoder.encode_patches([]) == []


def test_keys_are_the_last_layers_projection_of_its_normalised_input(
    encoder: DinoPatches, rng: np.random.Generator
) -> None:
    (image,) = pictures(rng, 1)
    last = encoder._network.encoder.layer[-1]
    with torch.no_grad():
        pixels = torch.from_numpy(encoder._preprocessed(image))[None]
        states = encoder._network(pixels, output_hidden_states=True).hidden_states[-2]
        expected = last.attention.k_proj(last.norm1(states))[0, 1:]
    (keys,) = encoder.encode_patches([image])
    np.testing.assert_allclose(keys, expected.numpy(), atol=1e-5)


def test_patches_are_in_row_major_order(encoder: DinoPatches) -> None:
    plain = np.full((56, 56, 3), 128, dtype=np.uint8)
    marked = plain.copy()
    marked[0:14, 28:42] = 255
    before, after = encoder.encode_patches([plain, marked])
    assert int(np.linalg.norm(after - before, axis=1).argmax()) == 2


def test_a_picture_alone_and_in_a_batch_is_the_same(encoder: DinoPatches, rng: np.random.Generator) -> None:
    images = pictures(rng)
    alone = [encoder.encode_patches([image])[0] for image in images]
    np.testing.assert_allclose(np.stack(encoder.encode_patches(images)), np.stack(alone), rtol=1e-5, atol=1e-5)


def test_a_timm_file_gives_the_key_third_of_its_fused_projection(tmp_path: Path, rng: np.random.Generator) -> None:
    torch.manual_seed(0)
    network = timm.create_model("vit_tiny_patch16_224", pretrained=False, num_classes=0, img_size=32).eval()
    save_file(network.state_dict(), tmp_path / "vit.safetensors")
    encoder = DinoPatches(
        weights=str(tmp_path / "vit.safetensors"), model="vit_tiny_patch16_224", size=32, device="cpu"
    )
    (image,) = pictures(rng, 1)
    with torch.no_grad():
        pixels = torch.from_numpy(encoder._preprocessed(image))[None]
        states = network.forward_intermediates(pixels, indices=[10], intermediates_only=True, output_fmt="NLC")[0]
        block = network.blocks[-1]
        tokens = torch.cat([network.forward_intermediates(
            pixels, indices=[10], intermediates_only=True, output_fmt="NLC", return_prefix_tokens=True
        )[0][1], states], dim=1)  # fmt: skip
        expected = block.attn.qkv(block.norm1(tokens))[0, 1:, 192:384]
    np.testing.assert_allclose(encoder.encode_patches([image])[0], expected.numpy(), atol=1e-5)


def test_a_file_needs_the_name_of_its_architecture_and_the_right_one(tmp_path: Path) -> None:
    path = tmp_path / "vit.safetensors"
    save_file({"x": torch.zeros(1)}, path)
    with pytest.raises(ConfigError, match="timm name"):
        DinoPatches(weights=str(path), device="cpu")
    with pytest.raises(WeightsError, match="vit_tiny_patch16_224"):
        DinoPatches(weights=str(path), model="vit_tiny_patch16_224", device="cpu")


def test_a_first_generation_dino_takes_another_size_than_it_was_trained_at(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    from transformers import ViTConfig, ViTModel

    config = ViTConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, image_size=32, patch_size=8
    )
    ViTModel(config, add_pooling_layer=False).save_pretrained(tmp_path)
    encoder = DinoPatches(weights=str(tmp_path), size=48, device="cpu")
    assert encoder.encode_patches(pictures(rng, 1))[0].shape == (36, 16)


def test_a_size_that_patches_do_not_fill_is_refused(folder: Path) -> None:
    with pytest.raises(ConfigError, match="14-px patches"):
        DinoPatches(weights=str(folder), size=50, device="cpu")


def test_a_folder_without_its_weights_is_refused(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "config.json").write_text((folder / "config.json").read_text())
    with pytest.raises(WeightsError, match=r"model\.safetensors"):
        DinoPatches(weights=str(tmp_path), device="cpu")
    save_file({"layernorm.weight": torch.zeros(16)}, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(WeightsError, match="no weights for"):
        DinoPatches(weights=str(tmp_path), device="cpu")


def test_the_same_subject_has_similarity_one_and_another_one_less(folder: Path, rng: np.random.Generator) -> None:
    encoder = build_backend("patches", {"use": "dino", "weights": str(folder), "size": 56}, device="cpu")
    assert isinstance(encoder, DinoPatches)
    first, second = pictures(rng, 2)
    one, again, other = subject.subject_source([first, first, second], encoder)
    assert subject_similarity(one, again) == pytest.approx(1.0, abs=1e-6)
    assert subject_similarity(one, other) < 1.0  # type: ignore[operator]
    assert weights_of("patches", {"use": "dino"}) == ("dinov2.small",)
