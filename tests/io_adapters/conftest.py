"""Fixtures of the adapters' tests."""

from conftest_adapters import folders, magicbrush, parquet, pie

__all__ = ["folders", "magicbrush", "parquet", "pie"]
