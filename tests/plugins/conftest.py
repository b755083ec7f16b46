"""The example's own tests run where it is installed: see test_plugins.py."""

collect_ignore = ["mine"]
