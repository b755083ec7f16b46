"""Benchmark layouts to manifests, a file each; see :mod:`edit_metrics.io.layout`."""

from __future__ import annotations

import pkgutil


def own_layouts() -> list[str]:
    """The layouts of this package, by the names of their files; nothing is imported."""
    return [module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__)]
