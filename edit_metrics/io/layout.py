"""Benchmark layouts: ``@layout`` registers a function that reads one, in a file of its own.

    @layout("folders")
    def read_folders(path: Path, *, edited: Path | None = None, model: str | None = None) -> Converted:

The function's keyword-only parameters are the options of ``edit-metrics manifest`` that it understands, so that another
one is refused by name. A file of :mod:`edit_metrics.io.layouts` is called as its layout is, ``-`` for ``_``: only that
which is asked for is imported.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from edit_metrics import plugins
from edit_metrics.choices import choose
from edit_metrics.errors import ConfigError, UserError
from edit_metrics.io.layout_rows import Converted
from edit_metrics.io.layouts import own_layouts

F = TypeVar("F", bound=Callable[..., Converted])

OPTIONS: Final[Mapping[str, str]] = {
    "edited": "--edited",  # Path: the folder of the edits, or of the models' folders
    "model": "--model",  # str: the model's name, where no folder or column has it
    "white_means": "--mask-white-means",  # WhiteMeans: where the benchmark does not say
    "columns": "--column",  # Mapping: field → column
    "pictures": "--pictures",  # Path: the folder of the pictures, where the benchmark's archives were unpacked
    "candidate": "a second PATH",  # Path: what the first one is paired with
}
"""Parameter → the option of the command line that it is given."""
FILES: Final = "files"
"""Parameter for a folder beside the manifest, for pictures that the benchmark does not hold as files."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A registered layout.

    Attributes:
        name: what ``edit-metrics manifest`` calls it.
        function: reads it.
        parameters: of the function, keyword-only.
    """

    name: str
    function: Callable[..., Converted]
    parameters: tuple[str, ...]

    def read(self, path: Path, files: Path, given: Mapping[str, Any]) -> Converted:
        """Rows and problems.

        Args:
            path: the benchmark's folder or file.
            files: folder for pictures that have to be written out.
            given: parameter → value of the options that were given.

        Raises:
            UserError: an option that this layout does not have.
        """
        unfit = [OPTIONS[name] for name in given if name not in self.parameters]
        if unfit:
            raise UserError(f"options that fit the format {self.name!r}", ", ".join(unfit))
        return self.function(path, **given, **({FILES: files} if FILES in self.parameters else {}))


_LAYOUTS: Final[dict[str, Layout]] = {}


def layout(name: str) -> Callable[[F], F]:
    """Register a layout; the function is returned unchanged.

    Args:
        name: as on the command line; a plug-in's starts with its namespace and a dot.

    Raises:
        ConfigError: the name is taken, or a parameter is none of :data:`OPTIONS` and :data:`FILES`.
    """

    def register(function: F) -> F:
        where = f"{function.__module__}.{function.__qualname__}"
        plugins.check_name("layout", name, function.__module__, "{}.")
        found = inspect.signature(function).parameters.values()
        parameters = tuple(parameter.name for parameter in found if parameter.kind is parameter.KEYWORD_ONLY)
        for parameter in parameters:
            if parameter not in OPTIONS and parameter != FILES:
                raise ConfigError(f"a parameter named {', '.join(OPTIONS)} or {FILES}", repr(parameter), where)
        first = _LAYOUTS.setdefault(name, Layout(name, function, parameters))
        if first.function is not function:
            other = f"{first.function.__module__}.{first.function.__qualname__}"
            raise ConfigError("a new name", f"{name!r}, which {other} has registered", where)
        return function

    return register


def layout_names() -> list[str]:
    """Our own, by their files, and those of plug-ins that have been loaded; nothing is imported."""
    return list(dict.fromkeys([*own_layouts(), *_LAYOUTS]))


def get_layout(name: str) -> Layout:
    """The layout of that name; only its own file is imported, and plug-ins where it is none of ours.

    Raises:
        UserError: there is none; with all names, and the nearest.
        ConfigError: a plug-in cannot be imported.
    """
    if name not in layout_names():
        plugins.load()
    choose(layout_names(), name, "FORMAT")
    if name not in _LAYOUTS:
        importlib.import_module(f"edit_metrics.io.layouts.{name.replace('-', '_')}")
    return _LAYOUTS[name]
