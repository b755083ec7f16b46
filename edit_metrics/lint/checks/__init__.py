"""The checks, a file a family; see :mod:`edit_metrics.lint.registry`."""
