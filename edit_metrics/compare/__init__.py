"""Paired comparison of runs, and the CI gate. Works on score tables alone."""
