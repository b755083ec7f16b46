"""Run folders and the browser, as for the report pages."""

from browser_driver import driver
from conftest_report import make_run

__all__ = ["driver", "make_run"]
