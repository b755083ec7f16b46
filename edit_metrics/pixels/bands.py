"""A picture in bands of rows, so that what is measured on all of its pixels needs the memory of some of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

ROWS: Final = 1024
"""Of a band: a picture that is no larger is one band, and its sums are taken in one order."""


def bands(height: int, reach: int = 0) -> Iterator[tuple[slice, slice]]:
    """Slices of rows: of the picture, ``reach`` rows more on either side that has them; and of these, the band itself.

    Args:
        height: of the picture.
        reach: rows beside it on which a row of the result depends.
    """
    for top in range(0, height, ROWS):
        bottom = min(top + ROWS, height)
        first, last = max(top - reach, 0), min(bottom + reach, height)
        yield slice(first, last), slice(top - first, bottom - first)
