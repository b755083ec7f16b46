"""Benchmark layouts to manifests."""
