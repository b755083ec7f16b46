"""Clustered intervals and tests, shared by `human` and `compare`."""
