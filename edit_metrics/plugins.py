"""Packages of the user's own: found by their entry point, imported so that they register what they add.

    [project.entry-points."edit_metrics.plugins"]
    mine = "mine_metrics"  # its __init__: import_modules(__name__)

The entry point's name is the plug-in's *namespace*, and everything that it adds carries it: ``quality.mine.contrast``
(a metric's column), ``mine_contrast`` (a feature), ``mine.pairs`` (a layout). So its names cannot meet ours, today or
in a later version, nor those of another plug-in. See docs/plug-ins.md.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import pkgutil
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Final

from edit_metrics.errors import ConfigError
from edit_metrics.types import DIMENSIONS

GROUP: Final = "edit_metrics.plugins"
RESERVED: Final = (*DIMENSIONS, "overall", "priority", "judge", "meta")
"""What our own columns start with."""
_NOT_SOURCE: Final = frozenset({".pyc", ".pyo"})


@dataclass(frozen=True, slots=True)
class Plugin:
    """One installed plug-in.

    Attributes:
        name: its namespace.
        module: what is imported.
        distribution: the package that ``pip`` knows.
        version: of the distribution.
    """

    name: str
    module: str
    distribution: str
    version: str

    def __str__(self) -> str:
        return f"the plug-in {self.name!r} ({self.distribution} {self.version}, module {self.module})"

    def owns(self, module: str) -> bool:
        """Whether a module is part of it."""
        package = _root(self.module)
        return module == package or module.startswith(f"{package}.")

    def definition(self) -> dict[str, str]:
        """What a score that it had a part in depends on: its version, and the bytes of its source."""
        return {"version": self.version, "sha256": _source_sha256(_root(self.module))}


@cache
def installed() -> Mapping[str, Plugin]:
    """Namespace → plug-in, for all that are installed; nothing is imported.

    Raises:
        ConfigError: two share a namespace, or one is no name.
    """
    found: dict[str, Plugin] = {}
    for point in metadata.entry_points(group=GROUP):
        distribution = point.dist
        name, version = (distribution.name, distribution.version) if distribution is not None else ("unknown", "0")
        plugin = Plugin(point.name, point.module, name, version)
        if not point.name.isidentifier() or point.name in RESERVED:
            expected = f"a namespace of letters, digits and _ in the group {GROUP}, and none of {', '.join(RESERVED)}"
            raise ConfigError(expected, repr(point.name), str(plugin))
        first = found.setdefault(point.name, plugin)
        # One that is installed in two places of the path is found twice; the first is what Python imports.
        if first.distribution != plugin.distribution:
            raise ConfigError(f"each namespace of {GROUP} once", f"{point.name!r} twice", f"{first} and {plugin}")
    return found


class _Loading:
    """How far :func:`load` has come; process-wide, as importing is."""

    started = False
    problem: ConfigError | None = None


def load() -> None:
    """Import every installed plug-in, once.

    Raises:
        ConfigError: one of them cannot be imported, now or earlier in this process; it is named. A plug-in that is
            there and silently without effect would be worse than none.
    """
    if not _Loading.started:
        _Loading.started = True
        try:
            for plugin in installed().values():
                _import(plugin)
        except ConfigError as error:
            _Loading.problem = error
    if _Loading.problem is not None:
        raise _Loading.problem


def _import(plugin: Plugin) -> None:
    try:
        importlib.import_module(plugin.module)
    except Exception as error:
        raise ConfigError(
            f"{plugin} to import",
            f"{type(error).__name__}: {' '.join(str(error).split())}",
            _place(error, plugin),
            f"Mend it, or take it away: pip uninstall {plugin.distribution}",
        ) from error


def import_modules(package: str) -> None:
    """Import every module of a package, so that each registers what it adds: a new file is all that a new one takes.

    Args:
        package: its import path, ``__name__`` in its ``__init__``.
    """
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}."):
        importlib.import_module(module.name)


def _place(error: Exception, plugin: Plugin) -> str:
    """The last line of the plug-in's own that was running."""
    folder = _source_of(_root(plugin.module))
    own = [f for f in traceback.extract_tb(error.__traceback__) if folder and Path(f.filename).is_relative_to(folder)]
    return f"{own[-1].filename}:{own[-1].lineno}" if own else ""


def owner_of(module: str, name: str = "") -> Plugin | None:
    """The plug-in that something registered belongs to; None for this package's own, and for a user's script.

    Args:
        module: of the function or class.
        name: that it was registered under: a plug-in answers for a function of ours under a name of its own.
    """
    by_module = (plugin for plugin in installed().values() if plugin.owns(module))
    return next(by_module, None) or _named(name)


def _named(name: str) -> Plugin | None:
    return next((installed()[part] for part in name.split(".")[:-1] if part in installed()), None)


def check_name(kind: str, name: str, module: str, *prefixes: str) -> None:
    """Hold a name against the namespace of the plug-in that registers it; without one, any name will do.

    Args:
        kind: what is registered, for the message.
        name: under which name.
        module: of the function or class that is registered.
        prefixes: how names of that kind start, ``{}`` standing for the namespace.

    Raises:
        ConfigError: the name does not carry the namespace.
    """
    plugin = owner_of(module)
    if plugin is None:
        return
    allowed = [prefix.format(plugin.name) for prefix in prefixes]
    if not any(name.startswith(prefix) and name != prefix for prefix in allowed):
        expected = f"the name of a {kind} that starts with {' or '.join(map(repr, allowed))}"
        raise ConfigError(expected, repr(name), f"{plugin}, {module}")


@cache
def _root(module: str) -> str:
    """The outermost package that is its own: ``lab`` of ``lab.metrics``, unless ``lab`` is a namespace package."""
    parts = module.split(".")
    for count in range(1, len(parts)):
        name = ".".join(parts[:count])
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin is not None:
            return name
    return module


def _source_of(module: str) -> Path | None:
    """The folder of a package, or the file of a plain module; None where there is no such thing on a disk."""
    try:
        spec = importlib.util.find_spec(module)
    except ImportError:
        return None
    if spec is None or spec.origin is None or not Path(spec.origin).is_file():
        return None
    return Path(spec.origin).parent if spec.submodule_search_locations else Path(spec.origin)


@cache
def _source_sha256(module: str) -> str:
    """Every file below a package, tables and word lists included; compiled ones are not source."""
    source = _source_of(module)
    if source is None:
        raise ConfigError(
            "a plug-in whose source files can be read", f"none for {module!r}", todo="Install it unpacked."
        )
    files = [source] if source.is_file() else sorted(path for path in source.rglob("*") if path.is_file())
    total = hashlib.sha256()
    for path in files:
        if path.suffix in _NOT_SOURCE:
            continue
        name = path.name if source.is_file() else path.relative_to(source).as_posix()
        total.update(f"{name}\0{path.stat().st_size}\0".encode())
        total.update(path.read_bytes())
    return total.hexdigest()
