"""Pictures of a calibration and of a triage, as PNG. Matplotlib's Agg canvas, no display, no global state."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edit_metrics.calibration.calibration import Calibration
from edit_metrics.calibration.evaluation import reliability
from edit_metrics.errors import MissingExtraError
from edit_metrics.io.atomic import write_atomically
from edit_metrics.triage.costs import DecisionCosts, order_by_saving, order_by_uncertainty, residual_costs
from edit_metrics.triage.policy import PolicyControl
from edit_metrics.triage.risk import Side
from edit_metrics.triage.rules import Rule

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BLUE: Final = "#1f5fa8"
_RISK_TITLE: Final = {
    False: "Risk and coverage on randomly selected ratings, held out",
    True: "Policies of metrics and judge on the random ratings that test them",
}
_GREY: Final = "#6b6b6b"
_COLOURS: Final = (_BLUE, "#c75b12", "#2d7d46", "#8a3f8f")


def plot_reliability(calibration: Calibration, path: Path) -> Path:
    """Predicted against observed share of passes on held-out items, tenths of the items, with the items' spread."""
    held_out = calibration.held_out
    p_pass, passed = held_out["p_pass"].to_numpy(np.float64), held_out["passed"].to_numpy(np.float64)
    bins = reliability(p_pass, passed)
    figure, (axes, histogram) = _figure(2, heights=(4, 1))
    axes.plot([0, 1], [0, 1], color=_GREY, linewidth=1, linestyle="--", label="perfect")
    x, y = np.array([one.predicted for one in bins]), np.array([one.observed for one in bins])
    error = 1.96 * np.sqrt(np.maximum(y * (1 - y), 1e-9) / np.array([one.n for one in bins]))
    axes.errorbar(x, y, yerr=error, color=_BLUE, marker="o", markersize=5, linewidth=1.5, capsize=2, label="held out")
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), ylabel="share that people pass")
    axes.set_title(f"{calibration.target}: reliability of P(pass), {len(p_pass)} rated items", loc="left", fontsize=11)
    axes.legend(frameon=False, loc="upper left")
    histogram.hist(p_pass, bins=np.linspace(0, 1, 41).tolist(), color=_BLUE)
    histogram.set(xlim=(-0.02, 1.02), xlabel="predicted P(pass)", ylabel="items")
    return _save(figure, path)


def plot_risk_coverage(rules: Sequence[Rule], path: Path) -> Path:
    """Share of wrong decisions against the share of items decided, with the promise and what was chosen."""
    figure, axes = _figure(1)
    (panel,) = axes
    for rule, colour in zip(rules, itertools.cycle(_COLOURS), strict=False):
        control = rule.control
        points = [point for point in control.curve if point.n_decided >= control.n_start]
        x = np.array([point.n_decided for point in points]) / max(control.n_items, 1)
        y = np.array([point.n_wrong / point.n_decided for point in points])
        label = f"automatically {'failed' if control.side is Side.FAIL else 'passed'}"
        label += f" ({rule.models[0]})" if len(rule.models) == 1 and rule.models[0] else ""
        if control.chosen is None:
            label += ": none"
        else:
            share = control.chosen.n_decided / control.n_items
            wrong = control.chosen.n_wrong / control.chosen.n_decided
            panel.plot([share], [wrong], marker="o", markersize=8, color=colour)
            label += f": {share:.0%}, of which {wrong:.1%} wrong"
        panel.plot(x, y, color=colour, linewidth=1.5, label=label)
    alpha = max(rule.control.alpha for rule in rules)
    panel.axhline(alpha, color=_GREY, linewidth=1, linestyle="--", label=f"promised: at most {alpha:.0%}")
    panel.set(xlim=(0, 1), xlabel="share of the rated items that is decided", ylabel="share of wrong decisions")
    # What is far above the promise is of no use; the scale is kept for what is near it.
    panel.set_ylim(-0.3 * alpha, min(6 * alpha, 1.0))
    panel.set_title(_RISK_TITLE[isinstance(rules[0].control, PolicyControl)], loc="left", fontsize=11)
    panel.legend(frameon=True, framealpha=0.9, edgecolor="none", loc="upper right")
    return _save(figure, path)


def plot_residual_cost(calibration: Calibration, path: Path) -> Path:
    """Mean decision cost that remains after the first k items were asked, on the held-out ratings, at 1:1 and 5:1.

    Four orders of asking: expected saving, uncertainty, worst first, random. At equal costs the first two are the same.
    """
    held_out = calibration.held_out
    p_pass, passed = held_out["p_pass"].to_numpy(np.float64), held_out["passed"].to_numpy(np.float64)
    share = np.linspace(0, 1, len(passed) + 1)
    figure, panels = _figure(2)
    for panel, costs in zip(panels, (DecisionCosts(), DecisionCosts(wrong_fail=5.0)), strict=True):
        cost = costs.of_deciding(p_pass, passed)
        orders = {
            "expected saving first": order_by_saving(p_pass, costs),
            "most uncertain first": order_by_uncertainty(p_pass),
            "worst first": np.argsort(p_pass, kind="stable"),
        }
        for (label, order), colour, style in zip(orders.items(), _COLOURS, ("-", "--", "-"), strict=False):
            panel.plot(share, residual_costs(order, cost), color=colour, linewidth=1.5, linestyle=style, label=label)
        panel.plot(share, cost.mean() * (1 - share), color=_GREY, linewidth=1, label="random")
        panel.set(xlim=(0, 1), ylabel="cost an item")
        panel.set_ylim(bottom=0)
        ratio = f"{costs.wrong_fail:g} : {costs.wrong_pass:g}"
        panel.set_title(f"cost of a wrong fail to a wrong pass = {ratio}", loc="left", fontsize=10)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, frameon=False, loc="outside lower center", ncols=4, fontsize=9)
    panels[1].set_xlabel("share of the items that people rate")
    figure.suptitle(f"{calibration.target}: decision cost that remains", x=0.01, ha="left", fontsize=11)
    return _save(figure, path)


def _figure(rows: int, heights: Sequence[float] | None = None) -> tuple[Figure, Sequence[Axes]]:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise MissingExtraError("matplotlib", "human", "plots") from None
    figure = Figure(figsize=(6.4, 4.8), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    panels: Any = figure.subplots(rows, 1, height_ratios=heights, squeeze=False)
    for panel in panels[:, 0]:
        panel.spines[["top", "right"]].set_visible(False)
        panel.grid(axis="y", color="#e4e4e4", linewidth=0.8)
        panel.set_axisbelow(True)
    return figure, list(panels[:, 0])


def _save(figure: Figure, path: Path) -> Path:
    write_atomically(path, lambda file: figure.savefig(file, format="png", metadata={"Software": None}))
    return path
