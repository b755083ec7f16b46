"""Every name in a config stands for something: a typo that nothing reads would switch something off in silence."""

from __future__ import annotations

from edit_metrics.backends.factory import weights_of
from edit_metrics.config import Config
from edit_metrics.errors import ConfigError, suggest
from edit_metrics.features.grids import CAPPED, SMALLEST_CAP
from edit_metrics.plugins import installed
from edit_metrics.registry import all_metrics
from edit_metrics.scores.words import known_flags, known_reasons


def check_names(config: Config) -> None:
    """Resolve the names that no step of a plan asks for; a plan resolves metrics, features, labels and options itself.

    Raises:
        ConfigError: a flag's metric, a backend's role, name or option, a caution or a lost flag that does not exist;
            a cap that leaves nothing to measure.
    """
    metrics = [spec.name for spec in all_metrics()]
    for name, flag in config.flags.items():
        if flag.metric not in metrics:
            where, todo = f"flags.{name}.metric", suggest(flag.metric, metrics)
            raise ConfigError("the column of a registered metric", repr(flag.metric), where, todo)
    for name in CAPPED:
        cap = config.features.get(f"{name}_grid", {}).get("max_side")
        if cap is not None and (not isinstance(cap, int) or cap < SMALLEST_CAP):
            expected = f"whole px, {SMALLEST_CAP} or more, or null for S's own pixels"
            raise ConfigError(expected, repr(cap), f"features.{name}_grid.max_side")
    for role, section in config.backends.items():
        weights_of(role, section)
    flags = {*known_flags(), *config.flags}
    for name in config.priority.lost:
        if name not in flags:
            raise ConfigError("the name of a flag", repr(name), "priority.lost", suggest(name, flags))
    if installed():
        return  # a plug-in's metrics may carry cautions of their own, which it need not list
    cautions = known_reasons()
    for name in config.confidence.cautions:
        if name not in cautions:
            raise ConfigError("the code of a caution", repr(name), "confidence.cautions", suggest(name, cautions))
