"""open_clip on small random checkpoints in the true formats: a folder with its config, and a plain state dict."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_models import OPEN_CLIP, open_clip_folder

from edit_metrics.backends.factory import build_backend, describe_backend, weights_of
from edit_metrics.backends.open_clip import OpenClipEncoder
from edit_metrics.errors import ConfigError, WeightsError
from edit_metrics.features import embeddings
from edit_metrics.metrics import adherence
from edit_metrics.types import RGB


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a hub repository of open_clip holds."""
    return open_clip_folder(tmp_path_factory.mktemp("open_clip"))


@pytest.fixture(scope="module")
def encoder(folder: Path) -> OpenClipEncoder:
    return OpenClipEncoder(model="tiny", pretrained="", weights=str(folder), device="cpu", batch_size=4)


def pictures(rng: np.random.Generator, count: int = 7) -> list[RGB]:
    sizes = rng.integers(20, 90, (count, 2))
    return [rng.integers(0, 256, (height, width, 3), dtype=np.uint8) for height, width in sizes]


def test_embeddings_have_unit_norm_and_any_size_of_picture_goes(
    encoder: OpenClipEncoder, rng: np.random.Generator
) -> None:
    images, texts = encoder.encode_images(pictures(rng)), encoder.encode_texts(["a red car", "", "ein Haus"])
    assert (images.shape, texts.shape) == ((7, 16), (3, 16))
    np.testing.assert_allclose(np.linalg.norm(images, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(texts, axis=1), 1, atol=1e-6)


def test_embeddings_equal_those_of_open_clip_itself(
    encoder: OpenClipEncoder, folder: Path, rng: np.random.Generator
) -> None:
    from PIL import Image

    network, transform = open_clip.create_model_from_pretrained(f"local-dir:{folder}")
    network.eval()
    (picture,) = pictures(rng, 1)
    with torch.no_grad():
        image = network.encode_image(transform(Image.fromarray(picture))[None], normalize=True)
        text = network.encode_text(open_clip.get_tokenizer(f"local-dir:{folder}")(["a red car"]), normalize=True)
    np.testing.assert_allclose(encoder.encode_images([picture]), image.numpy(), atol=1e-6)
    np.testing.assert_allclose(encoder.encode_texts(["a red car"]), text.numpy(), atol=1e-6)


@pytest.mark.parametrize("words", [0, 1, 4, 9, 10, 11, 40])
def test_texts_without_their_padding_equal_open_clip_s_own_with_it(
    encoder: OpenClipEncoder, folder: Path, words: int
) -> None:
    network, _ = open_clip.create_model_from_pretrained(f"local-dir:{folder}")
    text = " ".join(["car", "red", "house"][i % 3] for i in range(words))
    with torch.no_grad():
        tokens = open_clip.get_tokenizer(f"local-dir:{folder}")([text, "a red car on a hill"])
        expected = network.eval().encode_text(tokens, normalize=True)
    np.testing.assert_allclose(encoder.encode_texts([text, "a red car on a hill"]), expected.numpy(), atol=1e-6)


def test_a_tower_whose_tokens_see_later_ones_keeps_its_padding(tmp_path: Path) -> None:
    config = {**OPEN_CLIP, "text_cfg": {**OPEN_CLIP["text_cfg"], "no_causal_mask": True}}
    torch.manual_seed(0)
    folder = open_clip_folder(tmp_path / "seeing")
    settings = json.loads((folder / "open_clip_config.json").read_text())
    (folder / "open_clip_config.json").write_text(json.dumps({**settings, "model_cfg": config}))
    save_file(open_clip.CLIP(**config).state_dict(), folder / "open_clip_model.safetensors")
    network, _ = open_clip.create_model_from_pretrained(f"local-dir:{folder}")
    with torch.no_grad():
        tokens = open_clip.get_tokenizer(f"local-dir:{folder}")(["a red car"])
        expected = network.eval().encode_text(tokens, normalize=True)
    encoder = OpenClipEncoder(model="tiny", pretrained="", weights=str(folder), device="cpu")
    np.testing.assert_allclose(encoder.encode_texts(["a red car"]), expected.numpy(), atol=1e-6)


def test_a_text_is_computed_once_a_process(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = OpenClipEncoder(model="tiny", pretrained="", weights=str(folder), device="cpu")
    first = encoder.encode_texts(["a red car", "a blue car", "a red car"])
    monkeypatch.setattr(encoder, "_tokenizer", None)
    np.testing.assert_array_equal(encoder.encode_texts(["a blue car", "a red car"]), first[[1, 2]])


def test_a_picture_alone_and_in_a_batch_is_the_same_to_a_part_in_a_hundred_thousand(
    encoder: OpenClipEncoder, rng: np.random.Generator
) -> None:
    images = pictures(rng)
    alone = np.concatenate([encoder.encode_images([image]) for image in images])
    np.testing.assert_allclose(encoder.encode_images(images), alone, rtol=1e-5, atol=1e-6)


def test_the_config_of_the_folder_settles_crop_and_context(encoder: OpenClipEncoder) -> None:
    assert (encoder.traits.crop, encoder.traits.context_length) == ("squash", 12)
    assert encoder.traits.name.startswith("tiny (")


def test_tokens_are_counted_before_truncation_and_with_their_start_and_end(encoder: OpenClipEncoder) -> None:
    assert encoder.count_tokens(["a red car", "car " * 30]) == [5, 32]
    long, cut = encoder.encode_texts(["car " * 30, "car " * 40])
    np.testing.assert_allclose(long, cut, atol=1e-6)
    assert embeddings.truncated_texts(encoder, instruction=["car " * 30, "a car"]) == [{"instruction"}, frozenset()]


def test_no_pictures_and_no_texts_are_no_error(encoder: OpenClipEncoder) -> None:
    assert len(encoder.encode_images([])) == 0
    assert len(encoder.encode_texts([])) == 0


def test_bfloat16_stays_near_and_is_named_in_the_fingerprint(folder: Path, rng: np.random.Generator) -> None:
    images = pictures(rng, 3)
    full = OpenClipEncoder(model="tiny", pretrained="", weights=str(folder), device="cpu")
    half = OpenClipEncoder(model="tiny", pretrained="", weights=str(folder), device="cpu", dtype="bfloat16")
    np.testing.assert_allclose(half.encode_images(images), full.encode_images(images), atol=0.03)
    assert half.fingerprint.dtype == "bfloat16"
    assert half.fingerprint != full.fingerprint


def test_a_random_vit_b_32_saved_as_a_state_dict_loads_and_every_metric_has_its_status(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    torch.manual_seed(0)
    path = tmp_path / "random.safetensors"
    save_file(open_clip.create_model("ViT-B-32", pretrained_text=False).state_dict(), path)
    encoder = build_backend("clip", {"use": "open_clip", "weights": str(path)}, device="cpu")
    assert isinstance(encoder, OpenClipEncoder)
    source, edited = encoder.encode_images(pictures(rng, 2))
    before, after = encoder.encode_texts(["a red car", "a blue car"])
    assert isinstance(adherence.clip_t(edited, after), float)
    assert isinstance(adherence.clip_t_gain(source, edited, after, 0.0), float)
    assert isinstance(adherence.clip_directional(source, edited, before, after, 0.0), float)
    assert adherence.clip_directional(source, source, before, after, 0.15).reason == "encoder_blind"
    assert encoder.traits.crop == "center"
    assert encoder.traits.context_length == 77
    assert encoder.traits.name == "ViT-B-32 (random.safetensors)"


@pytest.fixture
def registered(tmp_path: Path) -> str:
    """An architecture that open_clip knows by name."""
    config = tmp_path / "edit-metrics-tiny.json"
    config.write_text(json.dumps(OPEN_CLIP))
    open_clip.add_model_config(config)
    return "edit-metrics-tiny"


def test_a_state_dict_of_a_named_architecture_equals_the_folder_but_for_its_preprocessing(
    folder: Path, encoder: OpenClipEncoder, registered: str
) -> None:
    weights = str(folder / "open_clip_model.safetensors")
    plain = OpenClipEncoder(model=registered, pretrained="", weights=weights, device="cpu")
    np.testing.assert_allclose(plain.encode_texts(["a car"]), encoder.encode_texts(["a car"]), atol=1e-6)
    assert plain.traits.crop == "center"


def test_a_torch_checkpoint_is_read_and_one_that_holds_objects_is_refused(
    tmp_path: Path, folder: Path, encoder: OpenClipEncoder, registered: str
) -> None:
    good, bad = tmp_path / "good.pt", tmp_path / "bad.pt"
    torch.save({"state_dict": load_file(folder / "open_clip_model.safetensors")}, good)
    torch.save({"state_dict": Path("/")}, bad)
    loaded = OpenClipEncoder(model=registered, pretrained="", weights=str(good), device="cpu")
    np.testing.assert_allclose(loaded.encode_texts(["a car"]), encoder.encode_texts(["a car"]), atol=1e-6)
    with pytest.raises(WeightsError, match="Weights only load failed"):
        OpenClipEncoder(model=registered, pretrained="", weights=str(bad), device="cpu")


def test_weights_of_another_architecture_are_refused(tmp_path: Path, registered: str) -> None:
    path = tmp_path / "other.safetensors"
    save_file({"positional_embedding": torch.zeros(12, 8)}, path)
    with pytest.raises(WeightsError, match="weights of the open_clip model edit-metrics-tiny"):
        OpenClipEncoder(model=registered, pretrained="", weights=str(path), device="cpu")


def test_a_model_with_a_tokenizer_of_its_own_needs_a_folder(tmp_path: Path) -> None:
    path = tmp_path / "siglip.safetensors"
    save_file({"x": torch.zeros(1)}, path)
    with pytest.raises(WeightsError, match=r"open_clip_config\.json"):
        OpenClipEncoder(model="ViT-B-16-SigLIP2", pretrained="webli", weights=str(path), device="cpu")


def test_a_tag_without_a_catalogued_weight_needs_a_file_and_is_never_fetched() -> None:
    with pytest.raises(ConfigError, match="path of its state dict"):
        weights_of("clip", {"use": "open_clip", "model": "ViT-H-14"})


def test_a_wrong_tag_or_model_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_file({"x": torch.zeros(1)}, path)
    with pytest.raises(ConfigError, match="a tag of ViT-B-32"):
        OpenClipEncoder(pretrained="laion2b", weights=str(path), device="cpu")
    with pytest.raises(ConfigError, match="ViT-B-99"):
        OpenClipEncoder(model="ViT-B-99", weights=str(path), device="cpu")


def test_the_catalogued_models_are_described_without_their_files() -> None:
    known = [("ViT-B-32", "laion2b_s34b_b79k"), ("ViT-L-14", "openai"), ("ViT-B-16-SigLIP2", "webli")]
    described = [describe_backend("clip", {"use": "open_clip", "model": m, "pretrained": p}) for m, p in known]
    assert len({fingerprint.weights["encoder"] for fingerprint in described}) == 3


def test_a_missing_catalogued_weight_names_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EDIT_METRICS_MODELS", str(tmp_path))
    with pytest.raises(WeightsError, match=r"605\.1 MB.*models pull open_clip\.vit_b_32.*--profile embedded"):
        OpenClipEncoder(device="cpu")
