"""libtiff, and Pillow's own reader, print what they dislike about a TIFF; what matters comes as an exception too."""

from __future__ import annotations

import contextlib
import ctypes
import logging
from functools import cache
from pathlib import Path


@cache
def silence_libtiff() -> bool:
    """Take the library's two printers away, once a process; whether it was found.

    Pillow carries a libtiff of its own, under a name that differs with every build; the one that is loaded is the one
    that is silenced. Pillow logs; without any handler, Python prints what is logged: a handler of ours that does
    nothing leaves a host program's own in charge.
    """
    logging.getLogger("PIL").addHandler(logging.NullHandler())
    silenced = False
    for path in _loaded() or _carried():
        with contextlib.suppress(OSError, AttributeError):
            library = ctypes.CDLL(str(path))
            for name in ("TIFFSetErrorHandler", "TIFFSetWarningHandler"):
                setter = getattr(library, name)
                setter.argtypes, setter.restype = [ctypes.c_void_p], ctypes.c_void_p
                setter(None)
            silenced = True
    return silenced


def _loaded() -> list[Path]:
    """Libraries of that name in this process, on Linux."""
    with contextlib.suppress(OSError):
        lines = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines()
        paths = {line.split(maxsplit=5)[-1] for line in lines if "/libtiff" in line}
        return [Path(path) for path in sorted(paths)]
    return []


def _carried() -> list[Path]:
    import PIL

    package = Path(PIL.__file__).parent
    return [*package.glob(".dylibs/libtiff*"), *package.parent.glob("pillow.libs/libtiff*")]
