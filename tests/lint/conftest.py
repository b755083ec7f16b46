"""The browser, as for the report pages."""

from browser_driver import driver

__all__ = ["driver"]
