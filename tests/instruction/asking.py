"""What the tests of the checks have in common."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edit_metrics.types import RGB, Missing, Noted, Result

CARD: RGB = np.tile(np.arange(200, dtype=np.uint8)[None, :, None], (100, 1, 3))
"""A picture that is not blank, for checks that look at masks or at lines of text alone."""


@dataclass(frozen=True)
class Line:
    """A line of text at a place."""

    text: str
    box: tuple[float, float, float, float] = (0, 0, 10, 10)


def noted(result: Result) -> Noted:
    """A verdict, which must be one."""
    assert isinstance(result, Noted), result
    return result


def gap(result: Result) -> str:
    """The reason why there is no verdict, which there must not be."""
    assert isinstance(result, Missing), result
    return result.reason
