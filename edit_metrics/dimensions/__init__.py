"""Measurements → pre-scores → an order for people. Pure: no pictures, no models, no files."""
