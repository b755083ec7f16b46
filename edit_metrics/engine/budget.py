"""Memory under way, bounded by pixels: an item begins when there is room; one that never fits is not begun."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from edit_metrics.config import Config
from edit_metrics.features.grids import CAPPED
from edit_metrics.pixels.reducing import capped_size

BYTES_A_PIXEL: Final = 120
"""Of the larger picture's grid under the cap, twice (source and edited): what features and models hold at their peak.
Without a cap the embedded profile took 54 for a pair of 6 MP and 96 for one of 64×100,000 (docs/reliability.md)."""
BYTES_A_NATIVE_PIXEL: Final = 40
"""Of what lies over the cap, for the pair: the decoded pictures, areas on S's grid, and what is exact and cheap."""
BYTES_A_MASK_PIXEL: Final = 8
_SHARE: Final = 0.5
"""Of the machine's memory; the other half is for models, the cache of the filesystem and other programs."""
_CGROUP_LIMITS: Final = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
_UNKNOWN: Final = 8 * 2**30


def grid_cap(config: Config) -> int | None:
    """Longer side, px, on which whatever costs by the pixel is measured; None where some of it has no cap."""
    caps: list[int | None] = [config.features.get(f"{grid}_grid", {}).get("max_side") for grid in CAPPED]
    given = [cap for cap in caps if cap is not None]
    return max(given) if len(given) == len(caps) else None


def pixel_bytes(sizes: Iterable[tuple[int, int]], cap: int | None) -> int:
    """What a pair, or pictures of its own, take whose widths and heights these are: of the largest alone."""
    width, height = max(sizes, key=lambda size: size[0] * size[1])
    small = capped_size(width, height, cap)
    under = small[0] * small[1]
    return 2 * BYTES_A_PIXEL * under + BYTES_A_NATIVE_PIXEL * (width * height - under)


def default_bytes() -> int:
    """Half of the memory that this machine, or this container, has: not of what is free, so that runs are alike."""
    return int(_machine_bytes() * _SHARE)


class Budget:
    """Bytes that may be under way. Taken by one thread, in the order of the items; given back by any.

    Args:
        total: bytes; 0: :func:`default_bytes`.
    """

    def __init__(self, total: int = 0) -> None:
        self.total = total or default_bytes()
        self._taken = 0
        self._changed = threading.Condition()

    def fits(self, cost: int) -> bool:
        """Whether that much could ever be under way."""
        return cost <= self.total

    def take(self, cost: int, *, wait: bool) -> bool:
        """Take room; whether there was any.

        Args:
            cost: that :meth:`fits`.
            wait: until others have given enough back.
        """
        with self._changed:
            if wait:
                self._changed.wait_for(lambda: self._taken + cost <= self.total)
            elif self._taken + cost > self.total:
                return False
            self._taken += cost
            return True

    def give_back(self, cost: int) -> None:
        """What was taken is free again."""
        with self._changed:
            self._taken -= cost
            self._changed.notify_all()


def _machine_bytes() -> int:
    found = [_UNKNOWN]
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for name in _CGROUP_LIMITS:
        try:
            text = Path(name).read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            continue
        found += [int(text)] if text.isdigit() else []  # "max": no limit
    return min(found)
