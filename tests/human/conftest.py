"""Calibrations are slow to fit, so the tests of this folder share one."""

from __future__ import annotations

import pytest
from calibration_cases import world

from edit_metrics.human.calibrate import CalibrateOptions, calibrate
from edit_metrics.human.calibration import Calibration


@pytest.fixture(scope="session")
def fitted() -> Calibration:
    """Fitted on the whole small world."""
    frame, ratings = world()
    return calibrate(frame, ratings, CalibrateOptions("adherence", n_resamples=30))
