"""The window and the constants of SSIM (Wang, Bovik, Sheikh, Simoncelli 2004), for every measure that is made of it."""

from __future__ import annotations

from typing import Final

WINDOW: Final = 11
"""px."""
SIGMA: Final = 1.5
"""px, of the gaussian in the window."""
C1: Final = 0.01**2
C2: Final = 0.03**2
"""K1 and K2 squared, for a data range of 1."""
