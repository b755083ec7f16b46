"""Pictures as Python has them: paths, PIL pictures, NumPy arrays, tensors."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edit_metrics.config import DecodeLimits
from edit_metrics.errors import ImageError, UserError
from edit_metrics.io.images import decode_image
from edit_metrics.types import RGB, Mask

if TYPE_CHECKING:
    from PIL import Image

_FORMS = "a path, a PIL picture, an array or a tensor"


def is_picture(value: Any) -> bool:
    """A picture in memory: PIL, array or tensor; a path is not one."""
    return hasattr(value, "__array__") or hasattr(value, "__array_interface__")


def to_pil(value: Any, name: str) -> Image.Image:
    """A picture in memory as PIL: H×W, H×W×3 or H×W×4; tensors may be 3×H×W; floats in [0, 1] or bytes.

    Raises:
        UserError: another shape, or floats outside of [0, 1].
    """
    from PIL import Image

    if isinstance(value, Image.Image):
        return value
    if hasattr(value, "detach"):  # a tensor, perhaps on a GPU, perhaps with a graph
        value = value.detach().cpu()
    array = np.asarray(value)
    if array.ndim == 3 and array.shape[0] in (1, 3, 4) and array.shape[2] not in (1, 3, 4):
        array = np.moveaxis(array, 0, 2)  # channels first, as tensors have them
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)) or 0 in array.shape:
        raise UserError("one picture: H×W×3, 3×H×W or H×W", f"the shape {tuple(array.shape)}", name)
    return Image.fromarray(_bytes(array, name))


def to_rgb(value: Any, name: str) -> RGB:
    """Any picture as H×W×3 bytes, upright and on white.

    Raises:
        UserError: none of the forms that :func:`to_pil` takes, nor a path.
        ImageError: a file that is absent or does not decode.
    """
    if isinstance(value, str | os.PathLike):
        return decode_image(os.fspath(value), DecodeLimits()).pixels
    if not is_picture(value):
        raise UserError(_FORMS, type(value).__name__, name)
    from PIL import Image, ImageOps

    picture = ImageOps.exif_transpose(to_pil(value, name))
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return np.asarray(picture.convert("RGB"), np.uint8)


def to_mask(value: Any, name: str) -> Mask:
    """A mask as H×W booleans: white, or True, is where the edit was wanted.

    Raises:
        UserError, ImageError: as :func:`to_rgb`.
    """
    return np.asarray(to_rgb(value, name).mean(axis=2) >= 128)


def save_picture(value: Any, path: Path, name: str) -> str:
    """Write a picture in memory as PNG, nothing lost; returns the path as text.

    Raises:
        UserError: see :func:`to_pil`.
    """
    picture = to_pil(value, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        picture.save(path, "PNG")
    except OSError:  # a mode that PNG lacks: CMYK, YCbCr, F
        picture.convert("RGB").save(path, "PNG")
    except ValueError as error:
        raise ImageError("a picture that can be written", str(error), name) from error
    return str(path)


def _bytes(array: np.ndarray[Any, Any], name: str) -> np.ndarray[Any, np.dtype[np.uint8]]:
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    if array.dtype == np.bool_:
        return np.ascontiguousarray(array.astype(np.uint8) * 255)
    low, high = float(np.nanmin(array)), float(np.nanmax(array))
    if array.dtype.kind == "f" and low >= 0 and high <= 1:
        return np.ascontiguousarray(np.round(array * 255).astype(np.uint8))
    todo = "Divide by 255, or cast to uint8." if high > 1 else "Bring it from [-1, 1]: (x + 1) / 2."
    raise UserError("bytes (uint8), or floats in [0, 1]", f"{array.dtype} from {low:g} to {high:g}", name, todo)
