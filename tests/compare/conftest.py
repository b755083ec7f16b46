"""Fixtures of the comparison's tests."""

from conftest_compare import make_run, write_run

__all__ = ["make_run", "write_run"]
