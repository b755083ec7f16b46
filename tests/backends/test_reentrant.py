"""A backend that says `reentrant = True` gives each of several threads what it gives one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage.data
from tiny_models import classifier_folder, dinov2_folder, open_clip_folder

from edit_metrics.backends.base import ImageTextEncoder
from edit_metrics.backends.conse import ConseEncoder
from edit_metrics.backends.dino import DinoPatches
from edit_metrics.backends.dlib_faces import DlibFaces
from edit_metrics.backends.hf_image_classifier import HfImageClassifier
from edit_metrics.backends.open_clip import OpenClipEncoder
from edit_metrics.types import RGB

THREADS, ROUNDS = 4, 3
TEXTS = ["a cat", "a red car on a long road " * 4, "two people"]


def pictures() -> list[RGB]:
    people, cat = np.ascontiguousarray(skimage.data.astronaut()), np.ascontiguousarray(skimage.data.chelsea())
    return [people, cat, np.ascontiguousarray(people[:, ::-1]), np.ascontiguousarray(cat[::2, ::2])]


def reader(encoder: ImageTextEncoder) -> Callable[[RGB], Any]:
    def read(image: RGB) -> Any:
        texts = [f"{text} {image.shape}" for text in TEXTS]
        return encoder.encode_images([image]), encoder.encode_texts(texts), encoder.count_tokens(texts)

    return read


def open_clip(folder: Path) -> Callable[[RGB], Any]:
    backend = OpenClipEncoder(model="tiny", pretrained="", weights=str(open_clip_folder(folder)), device="cpu")
    assert backend.reentrant
    return reader(backend)


def dino(folder: Path) -> Callable[[RGB], Any]:
    backend = DinoPatches(weights=str(dinov2_folder(folder)), size=56, device="cpu")
    assert backend.reentrant
    return lambda image: backend.encode_patches([image])


def classifier(folder: Path) -> Callable[[RGB], Any]:
    backend = HfImageClassifier(weights=str(classifier_folder(folder, "normal", "nsfw")), device="cpu")
    assert backend.reentrant
    return lambda image: backend.probabilities([image])


def conse(folder: Path) -> Callable[[RGB], Any]:
    del folder
    backend = ConseEncoder(device="cpu")
    assert backend.reentrant
    return reader(backend)


def dlib(folder: Path) -> Callable[[RGB], Any]:
    del folder
    backend = DlibFaces()
    assert backend.reentrant
    return lambda image: [(face.box, face.detection_score, face.embedding) for face in backend.find_faces([image])[0]]


def flat(value: Any) -> np.ndarray[Any, Any]:
    """All numbers of nested sequences, in order."""
    if isinstance(value, Sequence):
        return np.concatenate([np.zeros(0), *map(flat, value)])
    return np.asarray(value, dtype=np.float64).ravel()


@pytest.mark.parametrize(
    "make",
    [
        open_clip,
        dino,
        classifier,
        pytest.param(conse, marks=pytest.mark.weights),
        pytest.param(dlib, marks=pytest.mark.weights),
    ],
)
def test_several_threads_read_what_one_does(make: Callable[[Path], Callable[[RGB], Any]], tmp_path: Path) -> None:
    read = make(tmp_path)
    images = pictures()
    alone = [flat(read(image)) for image in images]
    with ThreadPoolExecutor(THREADS) as pool:
        together = list(pool.map(lambda image: flat(read(image)), images * ROUNDS))
    assert sum(len(numbers) for numbers in alone) > 0
    for place, found in enumerate(together):
        np.testing.assert_allclose(found, alone[place % len(images)], atol=1e-5)
