"""Run folders and the browser for the pages' tests."""

from browser_driver import driver
from conftest_report import make_run

__all__ = ["driver", "make_run"]
