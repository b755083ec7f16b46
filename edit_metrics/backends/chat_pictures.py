"""Pictures as a chat request carries them: data URLs, the file's own bytes wherever a server can read those.

A re-encoded copy costs processor time and adds its own artefacts to what is being judged, so it is the exception: a
format that the server does not read, a file over the caps, samples that servers read differently (16 bits, a palette,
transparency, EXIF rotation, a colour profile other than sRGB, several frames).
"""

from __future__ import annotations

import asyncio
import base64
import io
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final

from PIL import Image

from edit_metrics.config import DecodeLimits
from edit_metrics.io.header import read_header
from edit_metrics.io.images import decode_bytes

_MIME: Final = {"JPEG": b"image/jpeg", "PNG": b"image/png", "WEBP": b"image/webp", "GIF": b"image/gif"}
SENDABLE: Final = tuple(_MIME)
"""Formats with a MIME type that servers know."""
_KEPT_BYTES: Final = 64 * 2**20
"""Encoded pictures kept for their next use: with 16 calls under way, 32 pictures of 2 MB."""


@dataclass(frozen=True, slots=True)
class ChatPicture:
    """A picture that is read when its turn comes.

    Attributes:
        sha256: of the file's bytes; the same picture is encoded once for all requests that show it.
        load: returns those bytes; called in a worker thread.
    """

    sha256: str
    load: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class PictureRules:
    """What may pass as it is.

    Attributes:
        pass_through: formats that the server reads (llama.cpp reads no WEBP).
        max_side: px; larger pictures are reduced by area averaging, source and edit by the same rule.
        max_bytes: of a file that passes.
        jpeg_quality: of a copy; its chroma is not subsampled.
    """

    pass_through: tuple[str, ...] = ("JPEG", "PNG", "WEBP")
    max_side: int = 1536
    max_bytes: int = 5_000_000
    jpeg_quality: int = 92

    def __str__(self) -> str:
        formats = "/".join(self.pass_through)
        return (
            f"{formats} as they are up to {self.max_side} px and {self.max_bytes} bytes, else JPEG {self.jpeg_quality}"
        )


def to_data_url(data: bytes, rules: PictureRules, limits: DecodeLimits, where: str = "") -> bytes:
    """A picture file as ``data:image/…;base64,…``.

    Args:
        data: the file's bytes.
        rules: what passes as it is.
        limits: of decoding, for those that do not.
        where: named in errors.

    Raises:
        ImageError: it does not decode, or is over a limit.
    """
    header = read_header(data, limits, where)
    fits = max(header.width, header.height) <= rules.max_side and len(data) <= rules.max_bytes
    if fits and header.plain and header.format in rules.pass_through:
        return b"data:" + _MIME[header.format] + b";base64," + base64.b64encode(data)
    image = Image.fromarray(decode_bytes(data, limits, where=where).pixels)
    scale = rules.max_side / max(image.size)
    if scale < 1:
        width, height = (max(1, round(side * scale)) for side in image.size)
        image = image.resize((width, height), Image.Resampling.BOX)
    buffer = io.BytesIO()
    image.save(buffer, format="JPEG", quality=rules.jpeg_quality, subsampling=0)
    return b"data:image/jpeg;base64," + base64.b64encode(buffer.getbuffer())


class PictureEncoder:
    """Encodes each picture once, however many requests under way show it. One event loop at a time.

    Args:
        rules: what passes as it is.
        limits: of decoding.
        threads: that read and encode.
    """

    def __init__(self, rules: PictureRules, limits: DecodeLimits, threads: int = 2) -> None:
        self._rules, self._limits = rules, limits
        self._threads = threads
        self._pool: ThreadPoolExecutor | None = None
        self._tasks: OrderedDict[str, asyncio.Future[bytes]] = OrderedDict()
        self._bytes = 0
        self.encoded = 0

    async def encode(self, pictures: Sequence[ChatPicture]) -> list[bytes]:
        """The data URL of each picture.

        Raises:
            ImageError: one of them cannot be read; nothing is kept of it.
        """
        return [await self._once(picture) for picture in pictures]

    def close(self) -> None:
        """Let go of threads and pictures; the next picture starts them again."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool = None
        self._tasks.clear()
        self._bytes = 0

    async def _once(self, picture: ChatPicture) -> bytes:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="edit-metrics-pictures")
        task = self._tasks.get(picture.sha256)
        if task is None:
            task = asyncio.get_running_loop().run_in_executor(self._pool, self._encode, picture)
            task.add_done_callback(partial(self._count, picture.sha256))
            self._tasks[picture.sha256] = task
        self._tasks.move_to_end(picture.sha256)
        # Shielded: the request that wanted it first may be cancelled while others wait for it.
        return await asyncio.shield(task)

    def _encode(self, picture: ChatPicture) -> bytes:
        return to_data_url(picture.load(), self._rules, self._limits)

    def _count(self, sha256: str, task: asyncio.Future[bytes]) -> None:
        if task.cancelled() or task.exception() is not None:
            self._tasks.pop(sha256, None)
            return
        self.encoded += 1
        self._bytes += len(task.result())
        for oldest in list(self._tasks):
            if self._bytes <= _KEPT_BYTES:
                return
            if oldest != sha256 and self._tasks[oldest].done():
                self._bytes -= len(self._tasks.pop(oldest).result())
