"""What can be measured, as a table."""

from __future__ import annotations

import pandas as pd


def list_metrics() -> pd.DataFrame:
    """Every registered metric, plug-ins included.

    Returns:
        Columns ``name`` (the column of the score table), ``dimension``, ``direction`` (higher, lower, neither: what is
        better), ``low`` and ``high`` (bounds), ``unit``, ``meaning`` (the first line of its docstring).
    """
    from edit_metrics.registry import all_metrics

    rows = [
        {
            "name": one.name,
            "dimension": one.dimension,
            "direction": one.direction.value,
            "low": one.bounds[0],
            "high": one.bounds[1],
            "unit": one.unit,
            "meaning": (one.function.__doc__ or "").strip().split("\n", 1)[0],
        }
        for one in all_metrics()
    ]
    return pd.DataFrame(rows)
