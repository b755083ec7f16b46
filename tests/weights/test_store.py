"""Locating, hashing and verifying weights in a cache of the test's own."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from edit_metrics.errors import ConfigError, WeightsError
from edit_metrics.weights import store
from edit_metrics.weights.catalogue import CATALOGUE, get, weights_of_profile
from edit_metrics.weights.entries import HubRepository, PackageArchive, Weight, WeightFile, combine_digests

CONTENT = b"the bytes of a network"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def make_weight(name: str = "toy.net", *, hub: bool = False, sha256: str | None = SHA256) -> Weight:
    source = HubRepository("owner/toy", "0" * 40) if hub else PackageArchive("toy==1", "0" * 64, "wheel")
    file = WeightFile(name="toy.bin", size=len(CONTENT), sha256=sha256, member="toy/toy.bin")
    return Weight(name, "toy for tests", "CC0-1.0", ("embedded",), source, (file,))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty model cache, and the weight ``toy.net`` in the catalogue."""
    monkeypatch.setenv(store.ENVIRONMENT_VARIABLE, str(tmp_path / "models"))
    monkeypatch.setitem(CATALOGUE, "toy.net", make_weight())
    return tmp_path / "models"


def put(cache: Path, content: bytes = CONTENT) -> Path:
    path = cache / "toy.net" / "toy.bin"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_a_present_weight_is_located(cache: Path) -> None:
    path = put(cache)
    assert store.locate("toy.net") == path


def test_a_missing_weight_names_file_size_command_and_folder_in_one_paragraph(cache: Path) -> None:
    with pytest.raises(WeightsError) as caught:
        store.locate("toy.net")
    text = str(caught.value)
    for part in ("toy.net", "toy for tests", "toy.bin", "0.0 kB", "models pull toy.net", "EDIT_METRICS_MODELS"):
        assert part in text
    assert "\n" not in text
    assert caught.value.exit_code == 2


def test_a_missing_hub_weight_names_the_profile_that_needs_no_hub(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CATALOGUE, "toy.net", make_weight(hub=True))
    with pytest.raises(WeightsError, match="--profile embedded"):
        store.locate("toy.net")


def test_a_truncated_weight_is_corrupt(cache: Path) -> None:
    put(cache, CONTENT[:-1])
    with pytest.raises(WeightsError, match="corrupt"):
        store.locate("toy.net")


def test_a_weight_with_other_bytes_of_the_same_size_is_corrupt(cache: Path) -> None:
    put(cache, CONTENT[::-1])
    with pytest.raises(WeightsError, match="corrupt file with sha256"):
        store.locate("toy.net")
    assert store.verify(get("toy.net")).state == "corrupt"


def test_the_hash_is_taken_once_and_again_when_the_file_changes(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(cache)
    store.locate("toy.net")
    read: list[Path] = []
    original = store.sha256_of

    def counting(file: Path) -> str:
        read.append(file)
        return original(file)

    monkeypatch.setattr(store, "sha256_of", counting)
    store.locate("toy.net")
    assert read == []
    os.utime(path, ns=(1, 1))
    store.locate("toy.net")
    assert read == [path]


def test_verify_reads_every_byte_even_when_the_hash_is_remembered(cache: Path) -> None:
    path = put(cache)
    store.locate("toy.net")
    status = path.stat()
    path.write_bytes(CONTENT[::-1])
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert store.verify(get("toy.net")).state == "corrupt"


def test_a_damaged_memory_is_ignored(cache: Path) -> None:
    path = put(cache)
    (path.parent / ".verified.json").write_text('{"toy.bin": 3')
    assert store.locate("toy.net") == path
    (path.parent / ".verified.json").write_text(json.dumps(["not", "a", "table"]))
    assert store.locate("toy.net") == path


def test_a_pinned_digest_needs_no_file(cache: Path) -> None:
    assert store.digest("toy.net") == SHA256


def test_an_unpinned_digest_is_that_of_the_file(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CATALOGUE, "toy.net", make_weight(sha256=None))
    with pytest.raises(WeightsError):
        store.digest("toy.net")
    put(cache)
    assert store.digest("toy.net") == SHA256


def test_a_path_of_ones_own_is_located_and_its_digest_follows_its_content(cache: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.bin"
    own.write_bytes(CONTENT)
    assert store.locate(str(own)) == own
    assert store.digest(str(own)) == SHA256
    own.write_bytes(b"other")
    assert store.digest(str(own)) == hashlib.sha256(b"other").hexdigest()


def test_the_digest_of_a_folder_depends_on_every_file_in_it(cache: Path, tmp_path: Path) -> None:
    folder = tmp_path / "own"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.bin").write_bytes(CONTENT)
    (folder / "sub" / "b.bin").write_bytes(CONTENT)
    before = store.digest(str(folder))
    assert before == combine_digests({"a.bin": SHA256, "sub/b.bin": SHA256})
    (folder / "sub" / "b.bin").write_bytes(b"other")
    assert store.digest(str(folder)) != before


def test_an_unknown_name_suggests_and_a_missing_path_is_named(cache: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"lpips\.alex"):
        store.locate("lpips.alx")
    with pytest.raises(WeightsError, match="nowhere"):
        store.locate(str(tmp_path / "nowhere"))


def test_require_reports_before_any_work(cache: Path) -> None:
    put(cache)
    store.require(["toy.net"])
    with pytest.raises(WeightsError, match=r"open_nsfw"):
        store.require(["toy.net", "open_nsfw"])


def test_require_names_all_that_are_missing_in_one_command(cache: Path) -> None:
    put(cache)
    with pytest.raises(WeightsError) as caught:
        store.require(["toy.net", "open_nsfw", "lpips.alex", "open_nsfw"])
    assert "Fetch all 2 that are missing with: edit-metrics models pull open_nsfw lpips.alex." in str(caught.value)


def test_the_cache_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(store.ENVIRONMENT_VARIABLE, str(tmp_path))
    assert store.models_folder() == tmp_path
    monkeypatch.delenv(store.ENVIRONMENT_VARIABLE)
    assert store.models_folder().name == "models"
    assert "edit-metrics" in str(store.models_folder())


def test_every_package_weight_pins_size_and_hash_of_every_file() -> None:
    package_weights = [weight for weight in CATALOGUE.values() if weight.from_package_index]
    assert len(package_weights) == 7
    for weight in package_weights:
        assert isinstance(weight.source, PackageArchive)
        assert len(weight.source.sha256) == 64
        assert "==" in weight.source.requirement
        assert weight.size is not None
        assert all(file.sha256 is not None and len(file.sha256) == 64 for file in weight.files)


def test_hub_weights_are_pinned_by_full_commit() -> None:
    sources = [weight.source for weight in CATALOGUE.values() if isinstance(weight.source, HubRepository)]
    assert sources
    assert all(len(source.revision) == 40 and int(source.revision, 16) for source in sources)


def test_the_embedded_profile_needs_no_hub() -> None:
    assert all(weight.from_package_index for weight in weights_of_profile("embedded"))


def test_an_unknown_profile_or_weight_suggests() -> None:
    with pytest.raises(ConfigError, match="embedded"):
        weights_of_profile("embeded")
    with pytest.raises(ConfigError, match=r"conse\.image"):
        get("conse.imag")
