"""Image classifiers from `save_pretrained` folders that the tests make, against the transformers library itself."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from tiny_models import SQUASH, classifier_folder

from edit_metrics.backends.factory import build_backend, describe_backend, weights_of
from edit_metrics.backends.hf_image_classifier import HfImageClassifier, Preprocessing
from edit_metrics.errors import ConfigError, WeightsError
from edit_metrics.types import RGB

CENTRE = {
    "do_normalize": True, "do_rescale": True, "do_resize": True, "do_center_crop": True, "do_convert_rgb": True,
    "image_mean": [0.48, 0.45, 0.40], "image_std": [0.26, 0.26, 0.27], "image_processor_type": "CLIPImageProcessor",
    "resample": 3, "size": {"shortest_edge": 40}, "crop_size": {"height": 32, "width": 32},
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a hub repository of a classifier with three labels holds."""
    return classifier_folder(tmp_path_factory.mktemp("classifier"), "normal", "nsfw", "gore")


def pictures(rng: np.random.Generator, count: int = 5) -> list[RGB]:
    sizes = rng.integers(30, 120, (count, 2))
    return [rng.integers(0, 256, (height, width, 3), dtype=np.uint8) for height, width in sizes]


def test_probabilities_equal_those_of_transformers(folder: Path, rng: np.random.Generator) -> None:
    from transformers import AutoModelForImageClassification, ViTImageProcessorPil

    images = pictures(rng)
    network = AutoModelForImageClassification.from_pretrained(folder).eval()
    processor = ViTImageProcessorPil.from_pretrained(folder)
    with torch.no_grad():
        inputs = processor([Image.fromarray(image) for image in images], return_tensors="pt")
        expected = network(**inputs).logits.softmax(-1).numpy()
    labels = {"gore": "violence", "nsfw": "nudity"}
    classifier = HfImageClassifier(weights=str(folder), labels=labels, batch_size=2, device="cpu")
    assert classifier.categories == ("violence", "nudity")
    np.testing.assert_allclose(classifier.probabilities(images), expected[:, [2, 1]], atol=1e-6)


def test_labels_of_one_category_add_up_and_no_picture_is_no_error(folder: Path, rng: np.random.Generator) -> None:
    both = HfImageClassifier(weights=str(folder), labels={"gore": "unsafe", "nsfw": "unsafe"}, device="cpu")
    each = HfImageClassifier(weights=str(folder), labels={"gore": "a", "nsfw": "b"}, device="cpu")
    images = pictures(rng)
    np.testing.assert_allclose(both.probabilities(images)[:, 0], each.probabilities(images).sum(axis=1), atol=1e-6)
    assert both.probabilities([]).shape == (0, 1)


def test_nsfw_is_nudity_unless_the_config_says_otherwise(folder: Path) -> None:
    classifier = build_backend("safety", {"use": "hf_image_classifier", "weights": str(folder)}, device="cpu")
    assert isinstance(classifier, HfImageClassifier)
    assert classifier.categories == ("nudity",)


def test_a_label_that_the_model_does_not_have_is_refused_with_the_nearest(folder: Path) -> None:
    with pytest.raises(ConfigError, match="Did you mean 'nsfw'"):
        HfImageClassifier(weights=str(folder), labels={"nsfv": "nudity"}, device="cpu")


@pytest.mark.parametrize("config", [SQUASH, CENTRE], ids=["squash", "shorter side and centre crop"])
def test_preprocessing_equals_the_processor_of_transformers(
    config: dict[str, object], tmp_path: Path, rng: np.random.Generator
) -> None:
    import transformers

    (tmp_path / "preprocessor_config.json").write_text(json.dumps(config))
    processor = getattr(transformers, f"{config['image_processor_type']}Pil").from_pretrained(tmp_path)
    ours = Preprocessing.read(tmp_path / "preprocessor_config.json")
    for image in pictures(rng):
        expected = processor(Image.fromarray(image), return_tensors="np")["pixel_values"][0]
        np.testing.assert_allclose(ours.apply(image), expected, atol=1e-5)


def test_a_folder_without_safetensors_or_preprocessing_is_refused(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "config.json").write_text((folder / "config.json").read_text())
    with pytest.raises(WeightsError, match="preprocessor_config"):
        HfImageClassifier(weights=str(tmp_path), device="cpu")
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(SQUASH))
    (tmp_path / "pytorch_model.bin").write_bytes(b"a pickle")
    with pytest.raises(WeightsError, match=r"model\.safetensors"):
        HfImageClassifier(weights=str(tmp_path), device="cpu")


def test_a_checkpoint_without_its_head_is_refused_and_never_filled_with_random_numbers(
    tmp_path: Path, folder: Path
) -> None:
    for name in ("config.json", "preprocessor_config.json"):
        (tmp_path / name).write_text((folder / name).read_text())
    headless = {k: v for k, v in load_file(folder / "model.safetensors").items() if not k.startswith("classifier")}
    save_file(headless, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(WeightsError, match=r"classifier\.weight"):
        HfImageClassifier(weights=str(tmp_path), device="cpu")


def test_labels_are_part_of_the_fingerprint(folder: Path) -> None:
    section = {"use": "hf_image_classifier", "weights": str(folder)}
    assert describe_backend("safety", section) != describe_backend(
        "safety", {**section, "labels": {"gore": "violence"}}
    )
    assert weights_of("safety", {"use": "hf_image_classifier"}) == ("falconsai.nsfw",)
