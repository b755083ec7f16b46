"""The version, in a module that imports nothing: whoever records it need not import the package's entry points."""

__version__ = "0.1.0"
