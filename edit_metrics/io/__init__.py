"""Manifests, pictures, tables: everything that reads or writes a file."""
