"""Fixtures of the layouts' tests."""

from conftest_layouts import folders, magicbrush, parquet, pie

__all__ = ["folders", "magicbrush", "parquet", "pie"]
