"""Ratings: read, checked, on a scale, and how far raters agree. Tables alone."""
