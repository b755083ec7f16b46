"""Files that hold the same picture in other ways must decode to the same pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from PIL import Image

from edit_metrics.config import DecodeLimits
from edit_metrics.doctor import pictures as draw
from edit_metrics.doctor.checks import Finding
from edit_metrics.engine.inputs import DecodedItem, decode_item
from edit_metrics.types import RGB, EditItem

_ORIENTATION: Final = 0x0112  # the tag's number in EXIF 2.32
_ROTATE_90: Final = 6  # its value for "turn clockwise by 90° to show"
_TILT: Final = 90  # degrees, counterclockwise: what that value undoes


def decode_traps(config: DecodeLimits, folder: Path) -> Finding:
    """Alpha, EXIF orientation, 16 bit, palette and gray read the picture that was saved."""
    picture = draw.scene(96)[:, :72] // 64 * 64
    plain = folder / "trap_plain.png"
    Image.fromarray(picture).save(plain)
    problems: list[str] = []
    for name, (write, truth) in _traps(config.alpha_background).items():
        path = folder / f"trap_{name}.png"
        write(picture, path)
        decoded = decode_item(EditItem(name, str(plain), str(path), "look", row=0), config)
        source = decoded.values["source"] if isinstance(decoded, DecodedItem) else None
        edited = decoded.values["edited_native"] if isinstance(decoded, DecodedItem) else None
        if not _same(source, picture):
            problems.append(f"an RGB PNG: {_difference(source, picture)}")
        if not _same(edited, truth(picture)):
            problems.append(f"{name}: {_difference(edited, truth(picture))}")
    return Finding(len(_traps(config.alpha_background)), tuple(problems), "formats of one picture")


Trap = tuple[Callable[[RGB, Path], object], Callable[[RGB], RGB]]


def _traps(background: tuple[int, int, int]) -> Mapping[str, Trap]:
    """Name → how to write the picture, and what must be read."""
    return {
        "opaque_alpha": (_write_alpha(255), lambda picture: picture),
        "transparent": (_write_alpha(0), lambda picture: np.full_like(picture, background)),
        "exif_orientation": (_write_rotated, lambda picture: picture),
        "16_bit": (_write_16_bit, lambda picture: picture),
        "palette": (_write_palette, lambda picture: picture),
        "gray": (lambda picture, path: Image.fromarray(picture[..., 0]).save(path), _gray),
    }


def _write_alpha(alpha: int) -> Callable[[RGB, Path], object]:
    def write(picture: RGB, path: Path) -> None:
        layer = np.full((*picture.shape[:2], 1), alpha, np.uint8)
        Image.fromarray(np.concatenate([picture, layer], axis=2)).save(path)

    return write


def _write_rotated(picture: RGB, path: Path) -> None:
    turned = Image.fromarray(picture).rotate(_TILT, expand=True)
    exif = Image.Exif()
    exif[_ORIENTATION] = _ROTATE_90
    turned.save(path, exif=exif)


def _write_16_bit(picture: RGB, path: Path) -> None:
    cv2.imwrite(str(path), picture[..., ::-1].astype(np.uint16) * 257)


def _write_palette(picture: RGB, path: Path) -> None:
    colours, index = np.unique(picture.reshape(-1, 3), axis=0, return_inverse=True)
    image = Image.fromarray(index.reshape(picture.shape[:2]).astype(np.uint8), mode="P")
    image.putpalette(colours.astype(np.uint8).tobytes())
    image.save(path)


def _gray(picture: RGB) -> RGB:
    return np.repeat(picture[..., :1], 3, axis=2)


def _same(found: object, truth: RGB) -> bool:
    return isinstance(found, np.ndarray) and np.array_equal(found, truth)


def _difference(found: object, truth: RGB) -> str:
    if not isinstance(found, np.ndarray):
        return f"not decoded ({found!r})"
    if found.shape != truth.shape:
        return f"{found.shape} instead of {truth.shape}"
    return f"pixels differ by up to {int(np.abs(found.astype(int) - truth.astype(int)).max())} levels"
