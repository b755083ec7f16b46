"""Run folders for the page's tests."""

from conftest_report import make_run

__all__ = ["make_run"]
