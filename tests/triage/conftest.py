"""Calibrations are slow to fit: the fixture is that of the calibration tests."""

from calibration_cases import fitted

__all__ = ["fitted"]
