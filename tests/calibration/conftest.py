"""Calibrations are slow to fit, so the tests of this folder share one."""

from calibration_cases import fitted

__all__ = ["fitted"]
