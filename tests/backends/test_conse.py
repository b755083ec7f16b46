"""ConSE: the classifier and the sentence encoder against independent references, and the space that they make."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import timm
import timm.data
import torch
import transformers
from PIL import Image
from safetensors.torch import load_file, save_file

from edit_metrics.backends.conse import ConseEncoder, _crop, class_names
from edit_metrics.backends.efficientnet_lite import efficientnet_lite0
from edit_metrics.backends.factory import describe_backend
from edit_metrics.backends.minilm import MiniLm
from edit_metrics.errors import WeightsError
from edit_metrics.types import RGB
from edit_metrics.weights import store


def pictures() -> dict[str, RGB]:
    astronaut = np.ascontiguousarray(skimage.data.astronaut())
    return {
        "coffee": np.ascontiguousarray(skimage.data.coffee()),
        "cat": np.ascontiguousarray(skimage.data.chelsea()),
        "rocket": np.ascontiguousarray(skimage.data.rocket()),
        "astronaut": astronaut,
        "small": np.ascontiguousarray(astronaut[::5, ::7]),
        "wide": np.ascontiguousarray(astronaut[200:300]),
        "upside down": np.ascontiguousarray(astronaut[::-1]),
    }


@pytest.mark.parametrize("name", ["coffee", "cat", "small", "wide"])
def test_preprocessing_is_that_of_the_classifiers_own_library(name: str) -> None:
    image = pictures()[name]
    transform = timm.data.create_transform((3, 224, 224), interpolation="bicubic", crop_pct=0.875, mean=0.5, std=0.5)
    expected = transform(Image.fromarray(image)).numpy().transpose(1, 2, 0)
    np.testing.assert_allclose(_crop(image) / 127.5 - 1, expected, atol=1e-6)


def test_class_names_are_those_of_imagenet() -> None:
    names = class_names()
    assert len(names) == 1000
    assert names[0] == "tench, Tinca tinca"
    assert names[967] == "espresso"


@pytest.fixture(scope="module")
def backend() -> ConseEncoder:
    return ConseEncoder(device="cpu")


@pytest.mark.weights
def test_the_classifier_names_what_is_in_the_picture(backend: ConseEncoder) -> None:
    images = pictures()
    likeliest = backend.class_probabilities(list(images.values())).argmax(axis=1)
    found = dict(zip(images, (class_names()[index] for index in likeliest), strict=True))
    assert found["coffee"] == "espresso"
    assert found["cat"] in ("tiger cat", "tabby, tabby cat", "Egyptian cat")
    assert found["rocket"] == "missile"


@pytest.mark.weights
def test_probabilities_are_those_of_the_classifier_as_its_library_runs_it(backend: ConseEncoder) -> None:
    model = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
    found = load_file(store.locate("conse.image"))
    model.load_state_dict(dict(zip(model.state_dict(), (found[name] for name in sorted(found)), strict=True)))
    images = list(pictures().values())
    crops = torch.from_numpy(np.stack([_crop(image) for image in images])).permute(0, 3, 1, 2)
    with torch.inference_mode():
        expected = model(crops.float() / 127.5 - 1).softmax(dim=1).numpy()
    np.testing.assert_allclose(backend.class_probabilities(images), expected, atol=1e-5)


@pytest.mark.weights
def test_similarities_of_sentences_are_the_published_ones(backend: ConseEncoder) -> None:
    # The sentences of the model's card; values as its users printed them with the original library.
    sentences = ["That is a happy person", "That is a very happy person", "That is a happy dog", "Today is a sunny day"]
    vectors = backend.encode_texts(sentences)
    np.testing.assert_allclose(vectors[1:] @ vectors[0], [0.94291496, 0.69457746, 0.25687605], atol=1e-5)


@pytest.mark.weights
def test_a_picture_is_the_weighted_mean_of_its_ten_likeliest_names(backend: ConseEncoder) -> None:
    image = pictures()["cat"]
    probabilities = backend.class_probabilities([image])[0].astype(np.float64)
    names = class_names()
    total = np.zeros(384)
    for index in sorted(range(1000), key=lambda i: -probabilities[i])[:10]:
        total += probabilities[index] * backend.encode_texts([names[index]])[0]
    np.testing.assert_allclose(backend.encode_images([image])[0], total / np.linalg.norm(total), atol=1e-5)


@pytest.mark.weights
def test_pictures_lie_nearest_to_what_they_show(backend: ConseEncoder) -> None:
    images = pictures()
    shown = backend.encode_images([images[name] for name in ("coffee", "cat", "rocket")])
    said = backend.encode_texts(["a cup of coffee", "a cat", "a rocket launch"])
    assert (shown @ said.T).argmax(axis=1).tolist() == [0, 1, 2]


@pytest.mark.weights
def test_a_batch_of_seven_gives_what_each_gives_alone(backend: ConseEncoder) -> None:
    images = list(pictures().values())
    alone = np.concatenate([backend.encode_images([image]) for image in images])
    np.testing.assert_allclose(backend.encode_images(images), alone, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(alone, axis=1), 1, atol=1e-6)


@pytest.mark.weights
def test_text_in_any_company_has_the_same_embedding(backend: ConseEncoder) -> None:
    texts = [f"sentence number {i} " + "with more words " * i for i in range(7)]
    together = backend.encode_texts(texts)
    backend._text._memory._known.clear()
    # To the last bit: which texts come together depends on which lane of the engine is first.
    np.testing.assert_array_equal([backend.encode_texts([text])[0] for text in texts], together)


@pytest.mark.weights
def test_long_texts_are_counted_whole_and_cut_at_the_context(backend: ConseEncoder) -> None:
    assert backend.traits.context_length == 256
    assert backend.count_tokens(["a cat", "word " * 600]) == [4, 602]
    vectors = backend.encode_texts(["word " * 254 + "cat", "word " * 254 + "aeroplane"])
    np.testing.assert_array_equal(vectors[0], vectors[1])


@pytest.mark.weights
def test_empty_batches_keep_their_shape(backend: ConseEncoder) -> None:
    assert backend.encode_texts([]).shape == (0, 384)
    assert backend.encode_images([]).shape == (0, 384)
    assert backend.count_tokens([]) == []


@pytest.mark.weights
def test_the_embeddings_of_the_class_names_are_kept_on_disk(backend: ConseEncoder) -> None:
    kept = list((store.models_folder() / "derived").glob("conse-class-names-*.npy"))
    assert any(np.array_equal(np.load(path), backend._class_embeddings) for path in kept)


@pytest.mark.weights
def test_files_of_other_networks_are_refused(tmp_path: Path) -> None:
    save_file({"0.weight": torch.zeros(32, 3, 3, 3), "1.weight": torch.zeros(32)}, tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match="EfficientNet-lite0"):
        efficientnet_lite0(tmp_path / "other.safetensors", 1000)
    for name in ("tokenizer.json", "model.safetensors"):
        shutil.copy(store.locate("conse.text") / name, tmp_path / name)
    (tmp_path / "config.json").write_text('{"model_type": "roberta"}')
    with pytest.raises(WeightsError, match="BERT"):
        MiniLm(tmp_path, torch.device("cpu"), "float32")


@pytest.mark.weights
def test_sentences_have_the_tokens_and_embeddings_that_transformers_gives(backend: ConseEncoder) -> None:
    texts = ["Make it snow.", "Ünïcödé 漢字 — ok?", "", "word " * 300, "[MASK] don't"]
    folder = store.locate("conse.text")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = transformers.AutoModel.from_pretrained(folder, local_files_only=True).eval()
    assert backend.count_tokens(texts) == [len(row) for row in tokenizer(texts)["input_ids"]]
    together = MiniLm(folder, torch.device("cpu"), "float32", batch_size=5).encode(texts)
    for text, found, padded in zip(texts, backend.encode_texts(texts), together, strict=True):
        with torch.inference_mode():
            tokens = tokenizer([text], truncation=True, max_length=256, return_tensors="pt")
            mean = model(**tokens).last_hidden_state.mean(dim=1)[0]
        np.testing.assert_allclose(found, mean / mean.norm(), atol=1e-6)
        np.testing.assert_allclose(padded, found, atol=1e-5)


def test_it_is_never_called_clip() -> None:
    described = describe_backend("conse", {"use": "conse"})
    assert "conse" in described.name
    assert "clip" not in described.name.lower()
    assert set(described.weights) == {"image", "text"}
