"""Memory under way, bounded by pixels: an item begins when there is room; one that never fits is not begun."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Final

BYTES_A_PIXEL: Final = 120
"""Of the larger picture's grid, twice (source and edited): what decoding, features and models hold at their peak. The
embedded profile took 54 for a pair of 6 MP, 96 for one of 64×100,000 (docs/reliability.md, Memory)."""
BYTES_A_MASK_PIXEL: Final = 8
_SHARE: Final = 0.5
"""Of the machine's memory; the other half is for models, the cache of the filesystem and other programs."""
_CGROUP_LIMITS: Final = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
_UNKNOWN: Final = 8 * 2**30


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
