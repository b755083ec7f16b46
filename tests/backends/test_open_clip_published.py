"""Our CLIP on real weights against numbers that others published. Needs a hub: ``pytest -m hub``."""

from __future__ import annotations

import io
import urllib.request

import numpy as np
import pytest
from PIL import Image

from edit_metrics.backends.open_clip import OpenClipEncoder

pytestmark = pytest.mark.hub

PICTURE = "http://images.cocodataset.org/val2017/000000039769.jpg"
TEXTS = ["a photo of a cat", "a photo of a dog"]
PUBLISHED = [24.5701, 19.3049]
"""``logits_per_image`` of OpenAI's ViT-B/32 in the test of transformers' ``CLIPModel``; a logit is 100·cos."""


@pytest.fixture(scope="module")
def two_cats() -> np.ndarray:
    with urllib.request.urlopen(PICTURE, timeout=60) as answer:
        return np.asarray(Image.open(io.BytesIO(answer.read())).convert("RGB"))


def logits(encoder: OpenClipEncoder, picture: np.ndarray) -> np.ndarray:
    return 100 * (encoder.encode_images([picture]) @ encoder.encode_texts(TEXTS).T)[0]


def test_openais_vit_b_32_gives_the_published_logits(two_cats: np.ndarray) -> None:
    from huggingface_hub import hf_hub_download

    weights = hf_hub_download("timm/vit_base_patch32_clip_224.openai", "open_clip_model.safetensors")
    encoder = OpenClipEncoder(model="ViT-B-32", pretrained="openai", weights=weights, device="cpu")
    # Resampling differs in the last grey level between the two preprocessings.
    np.testing.assert_allclose(logits(encoder, two_cats), PUBLISHED, atol=0.05)


def test_the_profiles_own_clip_sees_the_cats(two_cats: np.ndarray) -> None:
    cat, dog = logits(OpenClipEncoder(device="cpu"), two_cats)
    assert cat > dog + 3
