"""Small inline SVG charts. Colours come from the page's style sheet: its policy forbids inline style."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

BINS: Final = 20
_WIDTH: Final = 240
_HEIGHT: Final = 56


def histogram(values: Sequence[float], name: str, bounds: tuple[float, float] = (0.0, 1.0)) -> Markup:
    """A histogram of ``BINS`` bars.

    Args:
        values: numbers inside the bounds; others count into the outer bars.
        name: what is shown, for people who do not see it.
        bounds: of the axis.
    """
    counts = _counts(values, bounds)
    tallest = max(counts) or 1
    step = _WIDTH / BINS
    bars = Markup("").join(
        Markup('<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>').format(
            index * step + 0.5,
            _HEIGHT - (height := max(1.5, count / tallest * (_HEIGHT - 2))),
            step - 1,
            height,
            _bar_title(index, count, bounds),
        )
        for index, count in enumerate(counts)
        if count
    )
    label = f"Histogram of {name}: {len(values)} values, fullest bar {tallest}"
    return Markup(
        '<svg class="histogram" viewBox="0 0 {} {}" role="img" aria-label="{}" preserveAspectRatio="none">{}'
        '<line x1="0" x2="{}" y1="{}" y2="{}"/></svg>'
    ).format(_WIDTH, _HEIGHT, label, bars, _WIDTH, _HEIGHT - 0.5, _HEIGHT - 0.5)


def interval(low: float | None, high: float | None, middle: float | None, reach: float, margin: float | None) -> Markup:
    """A difference with its interval around zero; the band is the margin within which it does not matter.

    Args:
        low: lower end.
        high: upper end.
        middle: the estimate.
        reach: largest absolute value of the axis.
        margin: half width of the band; None for no band.
    """
    if middle is None or low is None or high is None:
        return Markup("")

    def at(value: float) -> float:
        return 100 + 96 * max(-1.0, min(1.0, value / reach))

    band = Markup("")
    if margin is not None:
        left = at(-margin)
        band = Markup('<rect class="band" x="{:.1f}" y="2" width="{:.1f}" height="20"/>').format(
            left, at(margin) - left
        )
    label = f"{middle:+.3f}, from {low:+.3f} to {high:+.3f}"
    return Markup(
        '<svg class="interval" viewBox="0 0 200 24" role="img" aria-label="{}">{}'
        '<line class="zero" x1="100" x2="100" y1="1" y2="23"/>'
        '<line class="range" x1="{:.1f}" x2="{:.1f}" y1="12" y2="12"/><circle cx="{:.1f}" cy="12" r="4"/></svg>'
    ).format(label, band, at(low), at(high), at(middle))


def _counts(values: Sequence[float], bounds: tuple[float, float]) -> list[int]:
    low, high = bounds
    width = (high - low) or 1.0
    counts = [0] * BINS
    for value in values:
        counts[min(BINS - 1, max(0, int((value - low) / width * BINS)))] += 1
    return counts


def _bar_title(index: int, count: int, bounds: tuple[float, float]) -> str:
    step = (bounds[1] - bounds[0]) / BINS
    start = bounds[0] + index * step
    return f"{start:.2f} to {start + step:.2f}: {count}"
