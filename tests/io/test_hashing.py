from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy.fft import dctn

from edit_metrics.io.hashing import canonical_json_sha256, perceptual_hash
from edit_metrics.io.images import decode_image

Picture = NDArray[np.uint8]


def hamming(a: str, b: str) -> int:
    """Number of differing bits of two hexadecimal hashes."""
    return (int(a, 16) ^ int(b, 16)).bit_count()


@pytest.fixture
def scene(rng: np.random.Generator) -> Picture:
    noise = rng.integers(0, 256, (9, 12, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(noise).resize((320, 240), Image.Resampling.BICUBIC))


def test_the_hash_is_the_sign_of_low_dct_coefficients_against_their_median(scene: Picture) -> None:
    luma = np.asarray(Image.fromarray(scene).convert("L").resize((32, 32), Image.Resampling.BOX), float)
    low = dctn(luma, type=2, norm="ortho")[1:9, 1:9]
    bits = "".join("1" if value > np.median(low) else "0" for value in low.ravel())
    assert perceptual_hash(scene) == f"{int(bits, 2):016x}"


def test_near_duplicates_are_near_and_others_far(scene: Picture, rng: np.random.Generator) -> None:
    buffer = io.BytesIO()
    Image.fromarray(scene).save(buffer, "JPEG", quality=40)
    own = perceptual_hash(scene)
    assert hamming(own, perceptual_hash(np.asarray(Image.open(buffer)))) <= 4
    assert hamming(own, perceptual_hash(np.asarray(Image.fromarray(scene).resize((160, 120))))) <= 4
    other = np.asarray(Image.fromarray(rng.integers(0, 256, (9, 12, 3), dtype=np.uint8)).resize((320, 240)))
    assert hamming(own, perceptual_hash(other)) > 16


def test_the_hash_is_colour_blind() -> None:
    # Two colours of nearly equal luma: the hash cannot see the edit, which is why it never decides on a no-op.
    left = np.zeros((64, 64, 3), np.uint8)
    left[:, 32:] = 200
    red, green = left.copy(), left.copy()
    red[16:32, 8:24] = (150, 0, 0)
    green[16:32, 8:24] = (0, 76, 0)
    assert perceptual_hash(red) == perceptual_hash(green)


def test_flat_pictures_hash_to_zero_whatever_their_colour() -> None:
    for level in (0, 7, 128, 255):
        assert perceptual_hash(np.full((50, 70, 3), level, np.uint8)) == "0" * 16


def test_tiny_pictures_have_a_hash() -> None:
    assert len(perceptual_hash(np.arange(3, dtype=np.uint8).reshape(1, 1, 3))) == 16


def test_json_hash_depends_on_values_not_on_order() -> None:
    assert canonical_json_sha256({"b": [1, 2.5], "a": "ä"}) == canonical_json_sha256({"a": "ä", "b": [1, 2.5]})
    assert canonical_json_sha256({"a": 1}) != canonical_json_sha256({"a": "1"})
    assert canonical_json_sha256({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    with pytest.raises(ValueError, match="JSON"):
        canonical_json_sha256([float("nan")])


def test_a_real_picture_and_its_unrelated_neighbour_differ(shared_data: Path) -> None:
    folder = shared_data / "reference_metrics" / "lpips_official"
    reference, distorted = (
        perceptual_hash(decode_image(str(folder / name)).pixels) for name in ("ex_ref.png", "ex_p1.png")
    )
    camera = perceptual_hash(decode_image(str(folder.parent / "skimage" / "camera.png")).pixels)
    assert hamming(reference, distorted) < hamming(reference, camera)
