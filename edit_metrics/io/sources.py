"""Paths and bytes: what a manifest may point at, and how it is read.

Local files are read without fsspec; a URL (``s3://``, ``memory://``, ``https://``) goes through it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import posixpath
import stat
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from edit_metrics.errors import EditMetricsError, ImageError, MissingExtraError, UserError

_LOCAL_SCHEMES: Final = ("file://", "local://")
_LASTING: Final = (PermissionError, IsADirectoryError)
_LASTING_NUMBERS: Final = (errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL)
"""Of errors that say something of the file; all others are of the way to it."""
MISSING: Final = "missing"
"""What :func:`stat_tag` says of a file that is not there."""
_ASKED_AT_ONCE: Final = 32
"""Addresses; each answer is a round trip, and most of it is waiting."""


class OutsideRootError(ValueError):
    """A path that leaves the folder that the manifest may read; ``read_manifest`` turns it into a rejection."""


def is_url(path: str) -> bool:
    """Whether the path needs fsspec; ``file://`` counts as local."""
    return "://" in path and not path.startswith(_LOCAL_SCHEMES)


def resolve_path(raw: str, root: str, allow_outside_root: bool = False) -> str:
    """An absolute local path with its symlinks followed, or a URL.

    Args:
        raw: as it stands in the manifest; relative to ``root``, absolute, or a URL.
        root: a folder or the URL of one.
        allow_outside_root: skips the check, not the resolution.

    Raises:
        OutsideRootError: the path leaves the root by ``..``, a symlink, an absolute path, another host or a chained
            URL.
    """
    if "\x00" in raw:
        raise OutsideRootError("a NUL character in the path")
    resolved = _join_url(raw, root) if is_url(raw) or (is_url(root) and not _is_local(raw)) else _join_local(raw, root)
    if not allow_outside_root and not _is_inside(resolved, root):
        raise OutsideRootError(raw)
    return resolved


def read_all(path: str) -> bytes:
    """The whole file.

    Raises:
        OSError: it is absent or cannot be read.
        MissingExtraError: the package for that kind of URL is not installed.
    """
    if not is_url(path):
        return Path(_strip_scheme(path)).read_bytes()
    with _as_os_errors():
        filesystem, inner = _filesystem(path)
        data: bytes = filesystem.cat_file(inner)
        return data


def read_bytes(path: str, max_bytes: int) -> bytes:
    """A picture file's bytes; its size is checked before it is read.

    Raises:
        ImageError: code ``missing_file``, ``too_large``, or ``unreadable`` (a folder, a device, no permission);
            ``passing`` where that says something of the way to the file alone (a network, a server, a disk that fails).
    """
    try:
        return _read_url(path, max_bytes) if is_url(path) else _read_local(_strip_scheme(path), max_bytes)
    except (FileNotFoundError, NotADirectoryError):
        raise ImageError("a file", "no such file", path, code="missing_file") from None
    except OSError as error:
        passing = not isinstance(error, _LASTING) and error.errno not in _LASTING_NUMBERS
        got = error.strerror or str(error)
        raise ImageError("a readable file", got, path, code="unreadable", passing=passing) from error


def stat_tag(path: str) -> str:
    """A cheap identity that changes when the file does: size and time; ``missing`` when absent."""
    try:
        if not is_url(path):
            info = Path(_strip_scheme(path)).stat()
            return f"{info.st_size}-{info.st_mtime_ns}"
        with _as_os_errors():
            filesystem, inner = _filesystem(path)
            facts = filesystem.info(inner)
    except OSError:
        return MISSING
    marks = (facts.get(key) for key in ("ETag", "etag", "md5Hash", "LastModified", "mtime", "created"))
    return "-".join([str(facts.get("size")), *(str(mark) for mark in marks if mark is not None)])


def stat_tags(paths: Sequence[str]) -> list[str]:
    """:func:`stat_tag` of each path, in order; each is looked at once, and addresses are asked for together."""
    distinct = list(dict.fromkeys(paths))
    if any(is_url(path) for path in distinct):
        with ThreadPoolExecutor(_ASKED_AT_ONCE) as pool:
            tags = list(pool.map(stat_tag, distinct))
    else:
        tags = [stat_tag(path) for path in distinct]
    tag_of = dict(zip(distinct, tags, strict=True))
    return [tag_of[path] for path in paths]


def parent_of(path: str) -> str:
    """The folder or URL that holds the file."""
    if is_url(path):
        return path.rsplit("/", 1)[0]
    return str(Path(_strip_scheme(path)).resolve().parent)


def relative_to_root(path: str, root: str) -> str:
    """A resolved path as it reads from the root; unchanged when it lies elsewhere. Undoes :func:`resolve_path`."""
    if is_url(path) or is_url(root):
        base = root.rstrip("/") + "/"
        return path.removeprefix(base)
    base_folder = Path(_strip_scheme(root)).resolve()
    return Path(path).relative_to(base_folder).as_posix() if Path(path).is_relative_to(base_folder) else path


def _read_local(path: str, max_bytes: int) -> bytes:
    file = Path(path)
    info = file.stat()
    if not stat.S_ISREG(info.st_mode):  # Opening a named pipe would wait for somebody to write to it.
        raise ImageError("a regular file", "a folder, pipe or device", path, code="unreadable")
    _check_size(info.st_size, max_bytes, path)
    return file.read_bytes()


def _read_url(path: str, max_bytes: int) -> bytes:
    with _as_os_errors():
        filesystem, inner = _filesystem(path)
        size = filesystem.info(inner).get("size")
        if size is not None:
            _check_size(int(size), max_bytes, path)
            # Opening it would ask for its size once more: a third of the requests of a picture on S3.
            data: bytes = filesystem.cat_file(inner)
        else:
            with filesystem.open(inner, "rb") as file:
                data = file.read(max_bytes + 1)
    _check_size(len(data), max_bytes, path)
    return data


@contextlib.contextmanager
def _as_os_errors() -> Iterator[None]:
    # Each remote filesystem has exceptions of its own for "no credentials" or "connection lost".
    try:
        yield
    except (OSError, EditMetricsError):
        raise
    except Exception as error:
        raise OSError(f"{type(error).__name__}: {error}") from error


def _check_size(size: int, max_bytes: int, path: str) -> None:
    if size > max_bytes:
        raise ImageError(f"at most {max_bytes:,} bytes", f"{size:,}", path, code="too_large")


def _filesystem(path: str) -> tuple[Any, str]:
    from fsspec.core import url_to_fs

    try:
        filesystem, inner = url_to_fs(path)
    except ImportError as error:
        scheme = path.split("://", 1)[0]
        if scheme == "s3":
            raise MissingExtraError("s3fs", "ray", "reading s3:// addresses") from error
        raise UserError(f"the package that reads {scheme}:// addresses", str(error), path) from error
    return filesystem, inner


def _is_local(raw: str) -> bool:
    return raw.startswith(("/", *_LOCAL_SCHEMES)) or Path(raw).is_absolute()


def _strip_scheme(path: str) -> str:
    for scheme in _LOCAL_SCHEMES:
        path = path.removeprefix(scheme)
    return path


def _join_local(raw: str, root: str) -> str:
    base = "" if is_url(root) else _strip_scheme(root)
    return os.path.realpath(os.path.join(base, _strip_scheme(raw)))  # noqa: PTH118 - the base may be empty


def _join_url(raw: str, root: str) -> str:
    return _normal_url(raw if is_url(raw) else f"{root.rstrip('/')}/{raw}")


def _normal_url(url: str) -> str:
    scheme, _, rest = url.partition("://")
    host, _, inner = rest.partition("/")
    path = posixpath.normpath(inner) if inner else ""
    if path.startswith(".."):
        raise OutsideRootError(url)
    return f"{scheme}://{host}/{path}".rstrip("/")


def _is_inside(resolved: str, root: str) -> bool:
    if is_url(resolved) != is_url(root) or "::" in resolved:
        return False
    if not is_url(root):
        base = os.path.realpath(_strip_scheme(root))
        return os.path.commonpath([base, resolved]) == base
    # Web servers decode %2e%2e after we have looked, so both readings must stay inside.
    readings = (resolved, _normal_url(unquote(resolved)))
    return all(reading.startswith(_normal_url(root) + "/") for reading in readings)
