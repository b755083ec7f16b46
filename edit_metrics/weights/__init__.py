"""The catalogue of pinned weights, and pull, verify, locate."""
