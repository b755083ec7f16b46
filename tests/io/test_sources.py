from __future__ import annotations

import os
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from edit_metrics.errors import ImageError, MissingExtraError, UserError
from edit_metrics.io.sources import OutsideRootError, parent_of, read_bytes, resolve_path, stat_tag, stat_tags


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with a file, a folder and links that stay and links that leave."""
    folder = tmp_path / "root"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.png").write_bytes(b"inside")
    (tmp_path / "secret.png").write_bytes(b"outside")
    (folder / "stays.png").symlink_to(folder / "a.png")
    (folder / "leaves.png").symlink_to(tmp_path / "secret.png")
    (folder / "up").symlink_to(tmp_path)
    (tmp_path / "root-twin").mkdir()
    return folder


def test_paths_inside_the_root_become_absolute(root: Path) -> None:
    expected = str(root / "a.png")
    for raw in ("a.png", "./a.png", "sub/../a.png", expected, f"file://{expected}", "stays.png"):
        assert resolve_path(raw, str(root), allow_outside_root=False) == expected
    assert resolve_path("new folder/ä 日本.png", str(root)) == str(root / "new folder" / "ä 日本.png")


@pytest.mark.parametrize(
    "raw",
    [
        "../secret.png",
        "sub/../../secret.png",
        "/etc/passwd",
        "file:///etc/passwd",
        "local:///etc/passwd",
        "leaves.png",
        "up/secret.png",
        "../root-twin/x.png",
        "https://example.org/x.png",
        "s3://bucket/x.png",
        "zip://a.png::file:///etc/x.zip",
        "a.png\x00.jpg",
    ],
)
def test_paths_that_leave_the_root_are_refused(raw: str, root: Path) -> None:
    with pytest.raises(OutsideRootError):
        resolve_path(raw, str(root), allow_outside_root=False)


def test_leaving_the_root_can_be_allowed(root: Path) -> None:
    assert resolve_path("../secret.png", str(root), allow_outside_root=True) == str(root.parent / "secret.png")
    assert resolve_path("s3://bucket/x.png", str(root), allow_outside_root=True) == "s3://bucket/x.png"


def test_a_root_may_itself_be_a_link(root: Path) -> None:
    link = root.parent / "link"
    link.symlink_to(root)
    assert resolve_path("a.png", str(link)) == str(root / "a.png")


def test_urls_below_a_url_root_are_joined() -> None:
    assert resolve_path("x/y.png", "s3://bucket/set") == "s3://bucket/set/x/y.png"
    assert resolve_path("x/../y.png", "s3://bucket/set/") == "s3://bucket/set/y.png"
    assert resolve_path("s3://bucket/set/y.png", "s3://bucket/set") == "s3://bucket/set/y.png"


@pytest.mark.parametrize(
    "raw",
    [
        "../y.png",
        "x/../../y.png",
        "../../../y.png",
        "%2e%2e/y.png",
        "s3://bucket/set/..%2Fy.png",
        "s3://bucket/other/y.png",
        "s3://bucket/set-twin/y.png",
        "s3://else/set/y.png",
        "gs://bucket/set/y.png",
        "/etc/passwd",
        "file:///etc/passwd",
        "s3://bucket/set/a.zip::file:///etc/passwd",
    ],
)
def test_urls_that_leave_a_url_root_are_refused(raw: str) -> None:
    with pytest.raises(OutsideRootError):
        resolve_path(raw, "s3://bucket/set")


def test_bytes_are_read_from_files_and_urls(root: Path) -> None:
    with fsspec.open("memory://pictures/a.png", "wb") as file:
        file.write(b"inside")
    for path in (str(root / "a.png"), f"file://{root / 'a.png'}", "memory://pictures/a.png"):
        assert read_bytes(path, 6) == b"inside"
        with pytest.raises(ImageError) as caught:
            read_bytes(path, 5)
        assert caught.value.code == "too_large"


def test_missing_files_and_urls_have_one_code(root: Path) -> None:
    for path in (str(root / "none.png"), str(root / "a.png" / "b.png"), "memory://pictures/none.png"):
        with pytest.raises(ImageError) as caught:
            read_bytes(path, 100)
        assert caught.value.code == "missing_file"
        assert stat_tag(path) == "missing"


def test_an_unknown_scheme_is_unreadable() -> None:
    with pytest.raises(ImageError) as caught:
        read_bytes("nosuch://x/y.png", 100)
    assert caught.value.code == "unreadable"


class NoCredentialsError(Exception):
    pass


def test_a_remote_failure_of_any_kind_costs_its_own_file_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise NoCredentialsError("who are you?")

    monkeypatch.setattr(MemoryFileSystem, "info", refuse)
    with pytest.raises(ImageError, match="who are you") as caught:
        read_bytes("memory://pictures/a.png", 100)
    assert caught.value.code == "unreadable"
    assert stat_tag("memory://pictures/a.png") == "missing"


def test_a_missing_driver_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(_: str) -> None:
        raise ImportError("Install it to get access")

    monkeypatch.setattr("fsspec.core.url_to_fs", absent)
    with pytest.raises(MissingExtraError, match=r"s3fs.*edit-metrics\[ray\]"):
        read_bytes("s3://bucket/a.png", 100)
    with pytest.raises(UserError, match=r"gs:// addresses, got Install it"):
        read_bytes("gs://bucket/a.png", 100)


def test_the_tag_changes_with_the_file(root: Path) -> None:
    path = root / "a.png"
    first = stat_tag(str(path))
    assert stat_tag(str(path)) == first
    path.write_bytes(b"something longer")
    second = stat_tag(str(path))
    assert second != first
    os.utime(path, ns=(1, 1))
    assert stat_tag(str(path)) != second


def test_tags_of_many_are_those_of_each_and_each_is_asked_for_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b"):
        with fsspec.open(f"memory://pictures/{name}.png", "wb") as file:
            file.write(name.encode())
    remote = [f"memory://pictures/{name}.png" for name in ("a", "b", "none", "a")]
    local = [str(root / name) for name in ("a.png", "none.png", "a.png")]
    asked: list[str] = []
    info = MemoryFileSystem.info

    def counting(self: MemoryFileSystem, path: str, **options: object) -> object:
        asked.append(path)
        return info(self, path, **options)

    expected = [stat_tag(path) for path in (*remote, *local)]
    monkeypatch.setattr(MemoryFileSystem, "info", counting)
    assert stat_tags([*remote, *local]) == expected
    assert stat_tags(local) == expected[4:]
    assert len(asked) == 3


def test_the_parent_of_a_file_or_url(root: Path) -> None:
    assert parent_of(str(root / "manifest.jsonl")) == str(root)
    assert parent_of("s3://bucket/set/manifest.jsonl") == "s3://bucket/set"
