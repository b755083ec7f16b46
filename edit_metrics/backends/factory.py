"""Config sections to backends: which class a name stands for, which options it takes, which weights it needs.

A section is ``{'use': NAME, option: value, …}``. Everything but :func:`build_backend` answers without loading a model
or importing torch, so that missing weights and wrong options are reported before any work starts.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Collection, Mapping
from typing import Any, Final

from edit_metrics.backends.base import Backend, Fingerprint
from edit_metrics.errors import ConfigError, suggest

_SAFETY: Final = {
    "open_nsfw": "edit_metrics.backends.open_nsfw:OpenNsfw",
    "hf_image_classifier": "edit_metrics.backends.hf_image_classifier:HfImageClassifier",
    "stub": "edit_metrics.backends.stub:StubSafety",
}
BACKENDS: Final[Mapping[str, Mapping[str, str]]] = {
    "clip": {
        "open_clip": "edit_metrics.backends.open_clip:OpenClipEncoder",
        "stub": "edit_metrics.backends.stub:StubEncoder",
    },
    "conse": {
        "conse": "edit_metrics.backends.conse:ConseEncoder",
        "stub": "edit_metrics.backends.stub:StubEncoder",
    },
    "perceptual": {
        "lpips": "edit_metrics.backends.lpips:LpipsBackbone",
        "stub": "edit_metrics.backends.stub:StubPerceptual",
    },
    "safety": _SAFETY,
    "safety_second": _SAFETY,
    "faces": {
        "dlib": "edit_metrics.backends.dlib_faces:DlibFaces",
        "yunet_sface": "edit_metrics.backends.yunet_sface:YunetSface",
        "stub": "edit_metrics.backends.stub:StubFaces",
    },
    "ocr": {
        "rapidocr": "edit_metrics.backends.rapid_ocr:RapidOcr",
    },
    "iqa": {
        "pyiqa": "edit_metrics.backends.pyiqa_quality:PyiqaQuality",
    },
    "patches": {
        "dino": "edit_metrics.backends.dino:DinoPatches",
    },
    "judge": {
        "chat_judge": "edit_metrics.backends.chat_judge:ChatJudge",
    },
}
"""Role → name in ``use`` → ``module:Class``."""

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
        role: a key of :data:`BACKENDS`.
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
    kind, options = _resolve(role, section)
    given = {"device": device, "threads": threads}
    taken = {name: given[name] for name in _SET_BY_ENGINE & inspect.signature(kind).parameters.keys()}
    demanded = {name: wants is None or name in wants for name in _on_demand(kind)}
    backend = kind(**options, **taken, **demanded)
    if not isinstance(backend, Backend):
        raise TypeError(f"{kind.__qualname__} has no fingerprint")
    return backend


def describe_backend(role: str, section: Mapping[str, Any]) -> Fingerprint:
    """The fingerprint that the section's backend has; no model is loaded.

    Raises:
        ConfigError: an unknown role, name, option or value.
        WeightsError: a weight whose hash is not pinned is missing.
    """
    kind, options = _resolve(role, section)
    fingerprint: Fingerprint = kind.describe(options)
    return fingerprint


def weights_of(role: str, section: Mapping[str, Any]) -> tuple[str, ...]:
    """References of the weights that the section's backend loads, for ``edit_metrics.weights.store.require``.

    Raises:
        ConfigError: an unknown role, name, option or value.
    """
    kind, options = _resolve(role, section)
    references: tuple[str, ...] = kind.weights(options)
    return references


def _resolve(role: str, section: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The class, and all of its options: the section's over the defaults."""
    if role not in BACKENDS:
        raise ConfigError("the name of a backend role", repr(role), "backends", suggest(role, BACKENDS))
    known = BACKENDS[role]
    name = str(section.get("use"))
    if name not in known:
        raise ConfigError(
            f"the name of a backend for {role!r}", repr(name), f"backends.{role}.use", suggest(name, known)
        )
    module, _, attribute = known[name].partition(":")
    kind = getattr(importlib.import_module(module), attribute)
    defaults = _defaults(kind)
    options = {option: value for option, value in section.items() if option != "use"}
    for option in options:
        if option not in defaults:
            expected = f"an option of the backend {name!r}"
            raise ConfigError(expected, repr(option), f"backends.{role}.{option}", suggest(option, defaults))
    return kind, defaults | options


def _defaults(kind: Any) -> dict[str, Any]:
    parameters = inspect.signature(kind).parameters.values()
    return {
        parameter.name: parameter.default
        for parameter in parameters
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.name not in {*_SET_BY_ENGINE, *_on_demand(kind)}
    }


def _on_demand(kind: Any) -> tuple[str, ...]:
    names: tuple[str, ...] = getattr(kind, "on_demand", ())
    return names
