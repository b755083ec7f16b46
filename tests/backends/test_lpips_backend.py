"""LPIPS against the `lpips` package, against published values, and by its properties."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lpips
import numpy as np
import pytest
import torch
from PIL import Image

from edit_metrics.backends import lpips_nets
from edit_metrics.backends.base import PerceptualPair
from edit_metrics.backends.lpips import LpipsBackbone, features_bytes
from edit_metrics.backends.lpips_nets import STAGES, read_tensors
from edit_metrics.backends.torch_runtime import computing_dtype
from edit_metrics.errors import WeightsError
from edit_metrics.pixels.remembered import Remembered, key_of
from edit_metrics.types import RGB
from edit_metrics.weights import store


def lpips_of(pair: PerceptualPair) -> float:
    return float(sum(layer.mean(dtype=np.float64) for layer in pair.layer_maps))


def build(**options: Any) -> LpipsBackbone:
    return LpipsBackbone(device="cpu", **options)


@pytest.fixture(scope="module")
def reference_squeeze() -> Any:
    """The package's own LPIPS on a randomly drawn SqueezeNet."""
    return make_reference("squeeze")


@pytest.fixture(scope="module")
def reference_alex() -> Any:
    return make_reference("alex")


def make_reference(net: str) -> Any:
    torch.manual_seed(7)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchvision's note on its own deprecated argument
        return lpips.LPIPS(net=net, pnet_rand=True, verbose=False)


def save_features(reference: Any, path: Path) -> Path:
    """The network under torchvision's names, as a torch checkpoint."""
    stages = (getattr(reference.net, name) for name in dir(reference.net) if name.startswith("slice"))
    state = {f"features.{name}": value for stage in stages for name, value in stage.state_dict().items()}
    torch.save(state, path)
    return path


def pictures(rng: np.random.Generator, sizes: Sequence[tuple[int, int]]) -> tuple[list[RGB], list[RGB]]:
    """Smooth sources, and edits of them with noise and a block."""
    sources, edits = [], []
    for height, width in sizes:
        small = rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)
        source = np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))
        edit = np.clip(source + rng.normal(0, 12, source.shape), 0, 255).astype(np.uint8)
        edit[: height // 3, : width // 3] = 255 - edit[: height // 3, : width // 3]
        sources.append(source)
        edits.append(edit)
    return sources, edits


def expected_lpips(reference: Any, source: RGB, edit: RGB) -> float:
    tensors = [torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1 for image in (source, edit)]
    with torch.inference_mode():
        return float(reference(*tensors))


SIZES = [(64, 64), (97, 131), (70, 64)]


def test_alexnet_from_a_torch_checkpoint_equals_the_package(
    reference_alex: Any, tmp_path: Path, rng: np.random.Generator
) -> None:
    backend = build(net="alex", weights=str(save_features(reference_alex, tmp_path / "net.pth")))
    sources, edits = pictures(rng, SIZES)
    found = [lpips_of(pair) for pair in backend.compare(sources, edits, [None] * 3)]
    expected = [expected_lpips(reference_alex, *pair) for pair in zip(sources, edits, strict=True)]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert min(found) > 1e-4


def test_squeezenet_from_a_torch_checkpoint_equals_the_package(
    reference_squeeze: Any, tmp_path: Path, rng: np.random.Generator
) -> None:
    backend = build(net="squeeze", weights=str(save_features(reference_squeeze, tmp_path / "net.pth")))
    sources, edits = pictures(rng, SIZES)
    found = [lpips_of(pair) for pair in backend.compare(sources, edits, [None] * 3)]
    expected = [expected_lpips(reference_squeeze, *pair) for pair in zip(sources, edits, strict=True)]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert min(found) > 1e-4


def test_a_checkpoint_of_another_network_is_refused(reference_squeeze: Any, tmp_path: Path) -> None:
    path = save_features(reference_squeeze, tmp_path / "net.pth")
    with pytest.raises(WeightsError, match=r"features\.2"):
        read_tensors("vgg", path)


@pytest.fixture
def drawn(reference_alex: Any, tmp_path: Path) -> LpipsBackbone:
    """AlexNet with random weights."""
    return build(weights=str(save_features(reference_alex, tmp_path / "net.pth")))


def test_equal_pictures_have_no_distance_at_all(drawn: LpipsBackbone, rng: np.random.Generator) -> None:
    sources, _ = pictures(rng, [(64, 80)])
    (pair,) = drawn.compare(sources, sources, [None])
    assert lpips_of(pair) == 0
    assert pair.gram_distances == (0.0,) * 5


def test_a_batch_of_seven_of_mixed_sizes_gives_what_each_gives_alone(
    drawn: LpipsBackbone, rng: np.random.Generator
) -> None:
    sources, edits = pictures(rng, [(64, 64), (80, 64), (64, 64), (64, 64), (80, 64), (65, 64), (64, 64)])
    kept = [None, *(rng.random(source.shape[:2]) > 0.4 for source in sources[1:])]
    together = drawn.compare(sources, edits, kept)
    for i, pair in enumerate(together):
        (alone,) = drawn.compare([sources[i]], [edits[i]], [kept[i]])
        np.testing.assert_allclose(pair.gram_distances, alone.gram_distances, atol=1e-5)
        for layer, alone_layer in zip(pair.layer_maps, alone.layer_maps, strict=True):
            np.testing.assert_allclose(layer, alone_layer, rtol=1e-5, atol=1e-5)


def test_a_bound_on_the_pixels_of_a_pass_changes_no_value(
    reference_alex: Any, tmp_path: Path, drawn: LpipsBackbone, rng: np.random.Generator
) -> None:
    sources, edits = pictures(rng, [(64, 64)] * 3)
    one_by_one = build(weights=str(tmp_path / "net.pth"), batch_pixels=1)
    for pair, other in zip(
        drawn.compare(sources, edits, [None] * 3), one_by_one.compare(sources, edits, [None] * 3), strict=True
    ):
        assert lpips_of(pair) == pytest.approx(lpips_of(other), abs=1e-5)


def test_gram_distances_equal_a_plain_computation(drawn: LpipsBackbone, rng: np.random.Generator) -> None:
    sources, edits = pictures(rng, [(67, 83)])
    mask = np.zeros((67, 83), np.bool_)
    mask[:, 30:] = True
    (pair,) = drawn.compare(sources, edits, [mask])
    first = []
    for image in (sources[0], edits[0]):
        unit = (image / 127.5 - 1 - np.array([-0.030, -0.088, -0.188])) / np.array([0.458, 0.448, 0.450])
        features = torch.nn.functional.conv2d(
            torch.from_numpy(unit).permute(2, 0, 1)[None],
            drawn._tensors["features.0.weight"].double(),
            drawn._tensors["features.0.bias"].double(),
            stride=4,
            padding=2,
        )[0].clamp_min(0)
        area = torch.nn.functional.interpolate(
            torch.from_numpy(mask)[None, None].double(), size=features.shape[1:], mode="area"
        )[0, 0]
        first.append(torch.einsum("chw,dhw,hw->cd", features, features, area).numpy() / float(area.sum()))
    norms = [np.linalg.norm(gram) for gram in first]
    assert pair.gram_distances[0] == pytest.approx(np.linalg.norm(first[0] - first[1]) / sum(norms), abs=1e-5)


def test_gram_distances_are_symmetric_and_at_most_one(drawn: LpipsBackbone, rng: np.random.Generator) -> None:
    sources, edits = pictures(rng, [(64, 64)])
    (there,), (back,) = drawn.compare(sources, edits, [None]), drawn.compare(edits, sources, [None])
    np.testing.assert_allclose(there.gram_distances, back.gram_distances, atol=1e-6)
    assert all(0 < distance <= 1 for distance in there.gram_distances)


def test_what_is_kept_does_not_touch_the_maps(drawn: LpipsBackbone, rng: np.random.Generator) -> None:
    sources, edits = pictures(rng, [(64, 64)])
    nothing = np.zeros((64, 64), np.bool_)
    (all_kept,), (none_kept,) = drawn.compare(sources, edits, [None]), drawn.compare(sources, edits, [nothing])
    assert lpips_of(all_kept) == lpips_of(none_kept)
    assert none_kept.gram_distances == (0.0,) * 5


def test_a_cap_on_the_size_shrinks_the_maps_and_is_recorded(
    reference_alex: Any, tmp_path: Path, drawn: LpipsBackbone, rng: np.random.Generator
) -> None:
    sources, edits = pictures(rng, [(128, 192), (64, 96)])
    capped = build(weights=str(tmp_path / "net.pth"), max_side=96)
    first, second = capped.compare(sources, edits, [np.ones((128, 192), np.bool_), None])
    assert first.layer_maps[0].shape == second.layer_maps[0].shape
    assert "96" in capped.fingerprint.preprocessing
    assert capped.fingerprint != drawn.fingerprint
    (native,) = drawn.compare(sources[1:], edits[1:], [None])
    assert lpips_of(second) == pytest.approx(lpips_of(native), abs=1e-6)


def test_every_network_has_a_linear_layer_for_each_stage() -> None:
    assert {net: len(stages) for net, stages in STAGES.items()} == {"alex": 5, "vgg": 5, "squeeze": 7}


@pytest.mark.weights
@pytest.mark.parametrize(
    ("net", "edit", "published"),
    [("alex", "p0", 0.72188), ("alex", "p1", 0.13757), ("vgg", "p0", 0.569), ("vgg", "p1", 0.422)],
)
def test_published_values_are_met(shared_data: Path, net: str, edit: str, published: float) -> None:
    folder = shared_data / "reference_metrics" / "lpips_official"
    images = [np.array(Image.open(folder / f"ex_{name}.png").convert("RGB")) for name in ("ref", edit)]
    (pair,) = build(net=net).compare(images[:1], images[1:], [None])
    assert lpips_of(pair) == pytest.approx(published, abs=5e-4)


@pytest.mark.weights
@pytest.mark.parametrize("net", ["alex", "vgg"])
def test_the_package_on_the_same_weights_gives_the_same_value(net: str, rng: np.random.Generator) -> None:
    reference = make_reference(net)
    tensors = read_tensors(net, store.locate(f"lpips.{net}"))
    names = {name: f"slice{stage}.{name.removeprefix('features.')}" for name, stage in slices_of(net).items()}
    missing, unexpected = reference.net.load_state_dict({names[n]: t for n, t in tensors.items()}, strict=False)
    assert not missing
    assert not unexpected
    sources, edits = pictures(rng, [(75, 93)])
    (pair,) = build(net=net).compare(sources, edits, [None])
    assert lpips_of(pair) == pytest.approx(expected_lpips(reference, sources[0], edits[0]), abs=1e-6)


def slices_of(net: str) -> dict[str, int]:
    """Parameter → number of the package's slice, which is our stage."""
    return {
        f"{layer.key}.{parameter}": number
        for number, stage in enumerate(STAGES[net], start=1)
        for layer in stage
        if hasattr(layer, "key")
        for parameter in ("weight", "bias")
    }


def test_without_gram_matrices_the_maps_are_the_same(rng: np.random.Generator, tmp_path: Path) -> None:
    weights = str(save_features(make_reference("alex"), tmp_path / "alex.pth"))
    sources, edits = pictures(rng, [(96, 128)])
    (full,) = build(weights=weights).compare(sources, edits, [None])
    (bare,) = build(weights=weights, gram=False).compare(sources, edits, [None])
    assert bare.gram_distances == ()
    for expected, layer in zip(full.layer_maps, bare.layer_maps, strict=True):
        np.testing.assert_array_equal(layer, expected)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_source_that_was_seen_gives_the_same_values(rng: np.random.Generator, tmp_path: Path, dtype: str) -> None:
    weights = str(save_features(make_reference("alex"), tmp_path / "alex.pth"))
    sources, edits = pictures(rng, [(96, 128)] * 3)
    keeping, forgetting = build(weights=weights, dtype=dtype), build(weights=weights, dtype=dtype, keep_bytes=0)
    keeping.compare(sources[1:2], edits[1:2], [None])
    for kept in ([None] * 3, [np.ones((96, 128), np.bool_), None, None]):
        pairs = zip(keeping.compare(sources, edits, kept), forgetting.compare(sources, edits, kept), strict=True)
        for found, expected in pairs:
            assert lpips_of(found) == pytest.approx(lpips_of(expected), abs=1e-6)
            assert found.gram_distances == pytest.approx(expected.gram_distances, abs=1e-6)
    (first,), (again,) = (keeping.compare(sources[:1], edits[:1], [None]) for _ in range(2))
    (anew,) = build(weights=weights, dtype=dtype).compare(sources[:1], edits[:1], [None])
    assert lpips_of(first) == lpips_of(again) == lpips_of(anew)
    assert lpips_of(keeping.compare(sources[:1], [sources[0].copy()], [None])[0]) == 0.0


def test_features_of_sources_are_kept_within_their_bound_and_the_oldest_go() -> None:
    store = Remembered(100, features_bytes)
    layers = {name: (torch.full((1, 10), float(place)),) for place, name in enumerate("abc")}
    for name in "abab":
        store.put(name, layers[name])
    store.put("c", layers["c"])
    assert store.get("a") is None
    assert [found[0][0, 0].item() for name in "bc" if (found := store.get(name))] == [1.0, 2.0]
    store.put("too large", (torch.zeros(1, 26),))
    assert store.get("too large") is None
    image = np.zeros((2, 3, 3), np.uint8)
    keys = [key_of(one) for one in (image, image.copy(), image.reshape(3, 2, 3), image + 1)]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


def test_gram_matrices_that_nobody_reads_are_not_taken(rng: np.random.Generator, tmp_path: Path) -> None:
    weights = str(save_features(make_reference("alex"), tmp_path / "alex.pth"))
    sources, edits = pictures(rng, [(96, 128)])
    both = build(weights=weights)
    (full,), (bare,) = (both.compare(sources, edits, [None], gram=wanted) for wanted in (True, False))
    assert (len(full.gram_distances), len(bare.gram_distances)) == (5, 0)
    assert lpips_of(bare) == lpips_of(full)


def test_bfloat16_without_a_processor_for_it_is_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu = torch.device("cpu")
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    assert computing_dtype(cpu, "bfloat16") is torch.float32
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True)
    assert computing_dtype(cpu, "bfloat16") is torch.bfloat16
    assert computing_dtype(cpu, "float32") is torch.float32


@pytest.mark.parametrize(("channels", "kernel"), [((64, 192), 5), ((192, 64), 3)])
def test_convolution_by_transforms_is_the_direct_one(channels: tuple[int, int], kernel: int) -> None:
    if not torch.backends.nnpack.is_available():
        pytest.skip("this torch is built without NNPACK, or the processor is not one of its own")
    torch.manual_seed(5)
    features = torch.rand(1, channels[0], 33, 40).to(memory_format=torch.channels_last)
    weight, bias = torch.randn(channels[1], channels[0], kernel, kernel), torch.randn(channels[1])
    with torch.inference_mode():
        found = lpips_nets.convolve_by_transforms(features, weight, bias, kernel // 2)
        again = lpips_nets.convolve_by_transforms(features, weight, bias, kernel // 2)
        direct = torch.nn.functional.conv2d(features.double(), weight.double(), bias.double(), padding=kernel // 2)
    assert found.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(found, again)
    assert (found - direct).abs().max() < 2e-5 * direct.abs().max()


def test_without_transforms_lpips_is_the_same(monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator) -> None:
    sources, edits = pictures(rng, [(192, 160)])
    kept = [None]
    (found,) = build().compare(sources, edits, kept)
    monkeypatch.setattr(lpips_nets, "_transforms_are_faster", lambda: False)
    (direct,) = build().compare(sources, edits, kept)
    assert lpips_of(found) == pytest.approx(lpips_of(direct), abs=1e-5)
    assert found.gram_distances == pytest.approx(direct.gram_distances, abs=1e-5)
