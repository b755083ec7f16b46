"""What the gate tolerates: validated, unknown keys refused with the nearest known one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from edit_metrics.errors import ConfigError, suggest
from edit_metrics.plain_yaml import read_yaml
from edit_metrics.scores.codes import UNSAFE

JUDGED_FLAGS: Final = (UNSAFE, "identity_changed", "blank_edited", "no_op")
"""Flags that mean a lost edit or a harmful one; ``face_lost`` is judged as a missing value."""


class DimensionRule(BaseModel):
    """Tolerances of one dimension, in units of its score.

    Attributes:
        margin: a drop of this size or more must be excluded for a pass.
        minimum_effect: a smaller drop is never a regression, however significant.
        missing_margin: the net share of newly missing values above which a dimension cannot pass.
        allowed_newly_missing: newly missing items above which it is a regression, whatever was gained elsewhere; None
            leaves it to the test.
        allowed_newly_failing: items that fall below ``pass_at`` above which it is a regression, whatever rose above it;
            None: no limit. For dimensions where a rare failure matters more than the mean, such as safety.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    margin: float = Field(default=0.02, gt=0)
    minimum_effect: float = Field(default=0.01, ge=0)
    missing_margin: float = Field(default=0.02, ge=0, le=1)
    allowed_newly_missing: int | None = Field(default=None, ge=0)
    allowed_newly_failing: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _leave_no_gap(self) -> DimensionRule:
        if self.minimum_effect > self.margin:
            raise ValueError("minimum_effect must not exceed margin: drops between them could never be decided")
        return self


class GateConfig(DimensionRule):
    """The gate's settings.

    Attributes:
        alpha: level of the regression verdict and of the pass verdict.
        dimensions: dimensions (or columns) that must pass; None: whatever the baseline has.
        per_dimension: tolerances that differ; keys left out there keep the common value.
        pass_at: score from which an item counts as passing, for the list of flips and ``allowed_newly_failing``.
        by: columns whose values are judged one by one: a drop in a slice is a regression. None: ``edit_type`` where the
            baseline has it, as a warning; empty: no slices.
        flags: flags that are judged.
        allowed_newly_flagged: flag → newly flagged items above which it is a regression, whatever is no longer flagged;
            None leaves it to the test, as for flags that are not named. ``unsafe`` is 0 unless it is named.
        require: conditions on the candidate alone, as :mod:`.conditions` reads them.
    """

    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    dimensions: tuple[str, ...] | None = None
    per_dimension: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)
    pass_at: float = 0.5
    by: tuple[str, ...] | None = None
    flags: tuple[str, ...] = JUDGED_FLAGS
    require: tuple[str, ...] = ()
    allowed_newly_flagged: Mapping[str, Annotated[int, Field(ge=0)] | None] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check_flags(self) -> GateConfig:
        unknown = [name for name in self.allowed_newly_flagged if name not in self.flags]
        if unknown:
            near = suggest(unknown[0], self.flags)
            raise ValueError(f"allowed_newly_flagged: {unknown[0]!r} is not among the judged flags. {near}".strip())
        return self

    @model_validator(mode="after")
    def _check_each_dimension(self) -> GateConfig:
        for name in self.per_dimension:
            self.rule(name)
        return self

    def allowed_flagged(self, flag: str) -> int | None:
        """Newly flagged items that are tolerated; None: as many as the test lets pass."""
        return self.allowed_newly_flagged.get(flag, 0 if flag == UNSAFE else None)

    def rule(self, dimension: str) -> DimensionRule:
        """The tolerances of one dimension: its own where given, else the common ones."""
        common = {name: getattr(self, name) for name in DimensionRule.model_fields}
        return DimensionRule(**{**common, **self.per_dimension.get(dimension, {})})


def load_gate_config(path: Path | None = None, **changes: Any) -> GateConfig:
    """Read a YAML file (or none: the defaults) and apply changes, whose None values mean "not given".

    Raises:
        ConfigError: no such file, not a mapping, an unknown key, or a value out of range.
    """
    where = str(path) if path else "gate options"
    settings = {**_read(path), **{name: value for name, value in changes.items() if value is not None}}
    try:
        return GateConfig(**settings)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        known = GateConfig.model_fields
        todo = suggest(key, known) if first["type"] == "extra_forbidden" else ""
        raise ConfigError("valid gate settings", f"{key or 'settings'}: {first['msg']}", where, todo) from None


def _read(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    loaded = read_yaml(path, "YAML file of gate settings")
    if not isinstance(loaded or {}, dict):
        raise ConfigError("a mapping of gate settings", type(loaded).__name__, str(path))
    return dict(loaded or {})
