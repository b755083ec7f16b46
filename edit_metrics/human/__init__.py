"""Ratings, agreement, calibration, triage, estimates, Label Studio. Works on score tables alone."""
