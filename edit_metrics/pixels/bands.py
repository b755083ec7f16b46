"""A picture in bands of rows, so that what is measured on all of its pixels needs the memory of some of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

ROWS: Final = 1024
"""Of a picture that is one band: its sums are taken in one order."""
ROWS_OF_MANY: Final = 256
"""Of a band of a larger one; even."""


def bands(height: int, reach: int = 0) -> Iterator[tuple[slice, slice]]:
    """Slices of rows: of the picture, ``reach`` rows more on either side that has them; and of these, the band itself.

    Args:
        height: of the picture.
        reach: rows beside it on which a row of the result depends.
    """
    rows = height if height <= ROWS else ROWS_OF_MANY
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        first, last = max(top - reach, 0), min(bottom + reach, height)
        yield slice(first, last), slice(top - first, bottom - first)
