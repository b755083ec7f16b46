"""Config sections to backends: which options a section may have, which weights it needs, and the model itself.

A section is ``{'use': NAME, option: value, …}``. Everything but :func:`build_backend` answers without loading a model
or importing torch, so that missing weights and wrong options are reported before any work starts.
"""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from typing import Any, Final

from edit_metrics.backends.base import Backend, Fingerprint
from edit_metrics.backends.registry import BackendSpec, get_backend
from edit_metrics.errors import ConfigError, suggest
from edit_metrics.plugins import Plugin, owner_of

_SET_BY_ENGINE: Final = frozenset({"device", "threads"})


def build_backend(
    role: str,
    section: Mapping[str, Any],
    *,
    device: str = "auto",
    threads: int | None = None,
    wants: Collection[str] | None = None,
) -> Backend:
    """Load the model that a section names.

    Args:
        role: that the model plays, ``perceptual``.
        section: ``use`` and options.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``; ignored by backends that have no choice.
        threads: for the backends that take a number of threads; None leaves the library's own default.
        wants: of what the backend computes on demand, what somebody reads (see ``edit_metrics.registry.feature``); None
            = all of it.

    Raises:
        ConfigError: an unknown role, name, option or value.
        WeightsError: a weight is missing or corrupt.
        MissingExtraError: an optional package is not installed.
    """
    spec, options = _resolve(role, section)
    given = {"device": device, "threads": threads}
    taken = {name: given[name] for name in _SET_BY_ENGINE & inspect.signature(spec.kind).parameters.keys()}
    demanded = {name: wants is None or name in wants for name in spec.on_demand}
    backend = spec.kind(**options, **taken, **demanded)
    if not isinstance(backend, Backend):
        raise TypeError(f"{spec.kind.__qualname__} has no fingerprint")
    return backend


def describe_backend(role: str, section: Mapping[str, Any]) -> Fingerprint:
    """The fingerprint that the section's backend has; no model is loaded.

    Raises:
        ConfigError: an unknown role, name, option or value.
        WeightsError: a weight whose hash is not pinned is missing.
    """
    spec, options = _resolve(role, section)
    fingerprint: Fingerprint = spec.kind.describe(options)
    return fingerprint


def weights_of(role: str, section: Mapping[str, Any]) -> tuple[str, ...]:
    """References of the weights that the section's backend loads, for ``edit_metrics.weights.store.require``.

    Raises:
        ConfigError: an unknown role, name, option or value.
    """
    spec, options = _resolve(role, section)
    references: tuple[str, ...] = spec.kind.weights(options)
    return references


def owner_of_backend(role: str, section: Mapping[str, Any]) -> Plugin | None:
    """The plug-in that the section's backend belongs to; None for this package's own.

    Raises:
        ConfigError: an unknown role or name.
    """
    spec = get_backend(role, str(section.get("use")))
    return owner_of(spec.kind.__module__, spec.name)


def _resolve(role: str, section: Mapping[str, Any]) -> tuple[BackendSpec, dict[str, Any]]:
    """The backend, and all of its options: the section's over the defaults."""
    spec = get_backend(role, str(section.get("use")))
    defaults = _defaults(spec)
    options = {option: value for option, value in section.items() if option != "use"}
    for option in options:
        if option not in defaults:
            expected = f"an option of the backend {spec.name!r}"
            raise ConfigError(expected, repr(option), f"backends.{role}.{option}", suggest(option, defaults))
    return spec, defaults | options


def _defaults(spec: BackendSpec) -> dict[str, Any]:
    set_elsewhere = {*_SET_BY_ENGINE, *spec.on_demand}
    return {
        parameter.name: parameter.default
        for parameter in inspect.signature(spec.kind).parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.name not in set_elsewhere
    }
