"""`@backend`: which class plays which role, and under which name a profile asks for it.

A backend is registered where its class stands, in this package or in any other. Its module must not import anything
heavy at the top: all of them are imported when the first profile is resolved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from edit_metrics import plugins
from edit_metrics.errors import ConfigError, suggest

T = TypeVar("T", bound=type)


@dataclass(frozen=True, slots=True)
class BackendSpec:
    """A registered backend.

    Attributes:
        name: what ``use`` says in a profile.
        roles: which it can play.
        kind: the class; see :class:`edit_metrics.backends.base.Describable`.
        packages: optional distributions, any of which serves; empty when it needs none.
        extra: of this package, which brings one of them.
    """

    name: str
    roles: tuple[str, ...]
    kind: Any
    packages: tuple[str, ...] = ()
    extra: str = ""

    @property
    def on_demand(self) -> tuple[str, ...]:
        """Keyword arguments that the engine sets, to whether something reads what they stand for."""
        names: tuple[str, ...] = getattr(self.kind, "on_demand", ())
        return names


_BACKENDS: dict[str, dict[str, BackendSpec]] = {}


def backend(name: str, *roles: str, packages: tuple[str, ...] = (), extra: str = "") -> Callable[[T], T]:
    """Register a class as a backend of those roles; the class is not changed.

    Args:
        name: what ``use`` says in a profile; a plug-in's starts with its namespace and a dot.
        roles: at least one.
        packages: see :class:`BackendSpec`.
        extra: see :class:`BackendSpec`.

    Raises:
        ConfigError: a role has a backend of that name, or a plug-in's name does not carry its namespace.
    """

    def register(kind: T) -> T:
        plugins.check_name("backend", name, kind.__module__, "{}.")
        spec = BackendSpec(name, roles, kind, packages, extra)
        for role in roles:
            first = _BACKENDS.setdefault(role, {}).setdefault(name, spec)
            if first is not spec:
                got = f"{name!r}, which {first.kind.__module__} has registered for the role {role!r}"
                raise ConfigError("a new name", got, f"{kind.__module__}.{kind.__qualname__}")
        return kind

    return register


def get_backend(role: str, name: str) -> BackendSpec:
    """The backend of that name for a role.

    Raises:
        ConfigError: an unknown role or name, with the nearest known ones.
    """
    known = known_backends()
    if role not in known:
        raise ConfigError("the name of a backend role", repr(role), "backends", suggest(role, known))
    if name not in known[role]:
        expected = f"the name of a backend for {role!r}"
        raise ConfigError(expected, repr(name), f"backends.{role}.use", suggest(name, known[role]))
    return known[role][name]


def known_backends() -> Mapping[str, Mapping[str, BackendSpec]]:
    """Role → name → backend: those of ``edit_metrics.backends``, of plug-ins, and whatever else has been registered."""
    plugins.import_modules("edit_metrics.backends")
    plugins.load()
    return _BACKENDS
