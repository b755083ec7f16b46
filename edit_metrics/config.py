"""Profiles: validated YAML. An unknown key is an error with the nearest known one; nothing falls back silently."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from edit_metrics.claims import UNVALIDATED, supported_confidence, validated
from edit_metrics.errors import ConfigError, suggest
from edit_metrics.plain_yaml import parse_yaml, read_yaml
from edit_metrics.types import DIMENSIONS

Anchors = list[tuple[float, float]]
Byte = Annotated[int, Field(ge=0, le=255)]


class Section(BaseModel):
    """Base of every section: frozen, strict about unknown keys, and without numbers that JSON lacks."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _check_anchors(anchors: Anchors) -> Anchors:
    if len(anchors) < 2:
        raise ValueError("a curve needs at least two anchors [value, score]")
    steps = list(pairwise(anchors))
    if any(a[0] >= b[0] for a, b in steps):
        raise ValueError("anchor values must increase")
    if any(not 0 <= score <= 1 for _, score in anchors):
        raise ValueError("anchor scores must lie in [0, 1]")
    rising = [b[1] >= a[1] for a, b in steps]
    falling = [b[1] <= a[1] for a, b in steps]
    if not (all(rising) or all(falling)):
        raise ValueError("a curve must be monotone")
    return anchors


class Curve(Section):
    """One metric's way into a pre-score: piecewise linear between anchors, flat outside them.

    Attributes:
        anchors: ``[metric value, score]`` pairs.
        trust: in (0, 1]: weight in a ``mean``; without a kind also the ceiling of the confidence.
        kind: what a score rests on that this curve carries: names the claim that bounds its confidence.
        silent: from … to …: values that say nothing (a check that is undecided, or whose yes is worth nothing).
    """

    anchors: Annotated[Anchors, AfterValidator(_check_anchors)]
    trust: float = Field(default=1.0, gt=0, le=1)
    kind: str = ""
    silent: tuple[float, float] | None = None

    def speaks(self, value: float | None) -> bool:
        """Whether there is a value, and one that says something."""
        return value is not None and (self.silent is None or not self.silent[0] <= value <= self.silent[1])


class Claim(Section):
    """What rated edits say of one kind of score, as ``benchmarks/validity.py`` prints it (docs/validity.md).

    Attributes:
        low: lower 90 % bound of the share of pairs that scores of the kind put in the raters' order; of several sets
            the lowest.
        items: rated edits behind it, of that set.
        groups: sources among them.
        rated: that set and what it was rated for.
    """

    low: float = Field(ge=0, le=1)
    items: int = Field(ge=0)
    groups: int = Field(ge=0)
    rated: str

    @property
    def confidence(self) -> float:
        """See :func:`edit_metrics.claims.supported_confidence`."""
        return supported_confidence(self.low, self.items, self.groups)

    @property
    def validated(self) -> bool:
        """Whether there were enough of them."""
        return validated(self.items, self.groups)


class Gate(Section):
    """A metric beyond a threshold settles the dimension before any curve is read.

    Attributes:
        above: fires when the value is at least this; or
        below: fires when the value is at most this.
        score: what the dimension then gets.
        confidence: and how sure that is.
    """

    above: float | None = None
    below: float | None = None
    score: float = Field(ge=0, le=1)
    confidence: float = Field(default=1.0, ge=0, le=1)

    @model_validator(mode="after")
    def _one_side(self) -> Gate:
        if (self.above is None) == (self.below is None):
            raise ValueError("a gate needs exactly one of 'above' and 'below'")
        return self

    def fires(self, value: float) -> bool:
        """Whether that value settles the dimension."""
        return value >= self.above if self.above is not None else value <= (self.below or 0.0)


class DimensionConfig(Section):
    """What is measured for one dimension, and how it becomes a pre-score.

    Attributes:
        metrics: short names (without the dimension), in the order of the table's columns.
        gates: metric → gate, tried in order.
        curves: metric → curve.
        required: metrics without which nothing may be said: safety of a picture that nobody could look at.
        combine: ``min``: the weakest curve decides; ``mean``: trust-weighted mean.
        others: in ``min``, the weight of the product of all curves beside the weakest, in [0, 1): with more than 0 a
            score falls with every curve, also with those that are not the weakest.
        cap: upper bound of the confidence, for dimensions that a profile sees poorly.
        cap_reason: the code that says why.
        decides: metrics that score alone where they have a value without a caution: the first group of which one has,
            by its mean; with a caution they say nothing. The cap is not theirs. Gates that claim less than a fact (.9)
            give way to them.
        limits: metrics whose curve bounds a score from above and never raises one: damage that was measured.
        claims: kind → what rated edits support. A kind without one is unvalidated.
        otherwise: why there is no score where nothing speaks: what the profile would need.
    """

    metrics: tuple[str, ...] = ()
    gates: dict[str, Gate] = {}
    curves: dict[str, Curve] = {}
    required: tuple[str, ...] = ()
    combine: Literal["min", "mean"] = "mean"
    others: float = Field(default=0.0, ge=0, lt=1)
    cap: float = Field(default=1.0, gt=0, le=1)
    cap_reason: str = ""
    decides: tuple[tuple[str, ...], ...] = ()
    limits: tuple[str, ...] = ()
    claims: dict[str, Claim] = {}
    otherwise: str = ""

    @model_validator(mode="after")
    def _decided_by_curves(self) -> DimensionConfig:
        for name in (*(name for group in self.decides for name in group), *self.limits):
            if name not in self.curves:
                raise ValueError(f"{name!r} decides or limits, and has no curve")
        return self

    @model_validator(mode="after")
    def _measured(self) -> DimensionConfig:
        for name in (*self.gates, *self.curves, *self.required):
            if name not in self.metrics:
                raise ValueError(f"{name!r} has a gate or a curve, or is required, and is not among the metrics")
        if self.cap < 1 and not self.cap_reason:
            raise ValueError("a cap needs a cap_reason")
        if self.others and self.combine != "min":
            raise ValueError("'others' belongs to 'combine: min'; a mean weighs all curves already")
        return self

    @property
    def reachable_confidence(self) -> float:
        """See :func:`reachable_confidence`."""
        ceilings = {name: ceiling(curve.kind, [curve.trust], self.claims) for name, curve in self.curves.items()}
        return reachable_confidence(self.cap, ceilings, self.decides)


def ceiling(kind: str, trusts: Iterable[float], claims: Mapping[str, Claim]) -> float:
    """The most that a score of that kind may claim; without a kind, the largest of its curves' trusts."""
    if not kind:
        return max(trusts)
    return claims[kind].confidence if kind in claims else UNVALIDATED


def reachable_confidence(cap: float, ceilings: Mapping[str, float], decides: Sequence[Sequence[str]] = ()) -> float:
    """The highest confidence of a dimension, in [0, 1]: that of its surest curve, under the cap.

    Where metrics decide, that of the group that comes last: what most items rest on.

    Args:
        cap: of the section.
        ceilings: curve → the most that it may claim.
        decides: groups of curves that score alone, in order.
    """
    if decides:
        return max(ceilings[name] for name in decides[-1])
    return min(cap, max(ceilings.values(), default=1.0))


class ConfidenceConfig(Section):
    """How confidence falls. Each cause is a reason code in the table.

    Attributes:
        cautions: caution code of a measurement → factor.
        missing: factor for each curve whose metric should be there and is not.
        disagreement: spread of the curves' scores above which ``metrics_disagree`` applies, and its factor.
        threshold: pre-score at which an item passes, the margin around it that counts as close, and the factor.
    """

    cautions: dict[str, float] = {}
    other_caution: float = Field(default=0.9, gt=0, le=1)
    missing: float = Field(default=0.8, gt=0, le=1)
    disagreement: float = Field(default=0.5, gt=0, le=1)
    disagreement_factor: float = Field(default=0.7, gt=0, le=1)
    threshold: float = Field(default=0.5, ge=0, le=1)
    threshold_margin: float = Field(default=0.1, ge=0, le=1)
    threshold_factor: float = Field(default=0.8, gt=0, le=1)


class PriorityConfig(Section):
    """Order without a calibration.

    Attributes:
        lost: flags that mean a lost edit, in a lane of their own.
        low_confidence: a dimension is uncertain when its confidence is below this share of what the profile can reach.
        rare: a dimension that has no voice counts as broken where at most this share of a run's items are so: one
            model's other picture format is no reason to look at all of its edits first.
        common: a reason that more than this share of a run's items carry says nothing of any of them.
    """

    lost: tuple[str, ...] = ("blank_edited", "no_op", "identity_changed", "face_lost")
    low_confidence: float = Field(default=0.6, ge=0, le=1)
    rare: float = Field(default=0.1, ge=0, le=1)
    common: float = Field(default=0.5, gt=0, le=1)


class Flag(Section):
    """A column condition with a name, shown in ``flags``."""

    metric: str
    above: float | None = None
    below: float | None = None

    @model_validator(mode="after")
    def _one_side(self) -> Flag:
        if (self.above is None) == (self.below is None):
            raise ValueError("a flag needs exactly one of 'above' and 'below'")
        return self

    def fires(self, value: float) -> bool:
        """Whether that value raises the flag."""
        return value >= self.above if self.above is not None else value <= (self.below or 0.0)


class DecodeLimits(Section):
    """What a picture may cost, and what shows through its holes.

    Attributes:
        max_pixels: width × height, read from the header before any pixel is decoded. Models make 1–16 MP, cameras up
            to 100; decoded these take 300 MB, a worker's share of memory.
        max_bytes: size of the file; 100 MP of photographic PNG take less.
        alpha_background: RGB under transparent pixels.
    """

    max_pixels: int = Field(default=100_000_000, gt=0)
    max_bytes: int = Field(default=200_000_000, gt=0)
    alpha_background: tuple[Byte, Byte, Byte] = (255, 255, 255)


class EngineConfig(Section):
    """Speed, not values (shard_size is part of the run signature, since it decides who shares a shard file).

    Attributes:
        shard_size: items a shard: what a kill may cost.
        batch_size: items a model batch, at most.
        batch_pixels: source pixels a model batch, at most: keeps memory flat with large pictures.
        workers: threads for decoding and model-free metrics; 0 = as many as there are cores.
        lanes: micro-batches under way at a time; 0 = two, or one with one worker.
        model_threads: threads inside models, shared by the lanes; 0 = as many as there are cores.
        device: ``auto`` takes a GPU when there is one.
        memory_bytes: of pictures under way and what is computed from them, by their pixels; an item that takes more is
            ``undefined(too_large)``; 0 = half of the machine's memory, under Ray a worker's share of it.
        processes: that share this machine's cores and its GPU, each with models of its own, a shard at a time. Python
            runs one thread at a time between its library calls: from about four cores on, several are faster.
        cache_max_bytes: size of the feature cache (``--cache``) beyond which the least recently used values go.
    """

    shard_size: int = Field(default=256, gt=0)
    batch_size: int = Field(default=4, gt=0)
    batch_pixels: int = Field(default=8_000_000, gt=0)
    workers: int = Field(default=0, ge=0)
    lanes: int = Field(default=0, ge=0)
    model_threads: int = Field(default=0, ge=0)
    device: str = "auto"
    memory_bytes: int = Field(default=0, ge=0)
    processes: int = Field(default=1, gt=0)
    cache_max_bytes: int = Field(default=10 * 2**30, gt=0)


class JudgeSection(Section):
    """That a judge is asked after scoring, and about what; who it is stands in ``backends.judge``. See docs/judge.md.

    Attributes:
        budget: most items; None: every one that is not settled.
        random_share: of the budget, drawn blindly.
        seed: of that draw.
        repeat: answers of each item.
        template: file with a prompt of one's own; empty: the shipped one.
        price_in: of a million tokens sent; without both prices no cost is shown.
        price_out: of a million tokens answered.
        currency: of the prices.
    """

    budget: int | None = Field(default=None, gt=0)
    random_share: float = Field(default=0.2, ge=0, le=1)
    seed: int = 0
    repeat: int = Field(default=1, gt=0)
    template: str = ""
    price_in: float | None = Field(default=None, ge=0)
    price_out: float | None = Field(default=None, ge=0)
    currency: str = "USD"


class Config(Section):
    """A resolved profile."""

    profile: str
    description: str = ""
    backends: dict[str, dict[str, Any]] = {}
    decode: DecodeLimits = DecodeLimits()
    engine: EngineConfig = EngineConfig()
    features: dict[str, dict[str, Any]] = {}
    metrics: dict[str, dict[str, Any]] = {}
    dimensions: dict[str, DimensionConfig] = {}
    labels: tuple[str, ...] = ()
    confidence: ConfidenceConfig = ConfidenceConfig()
    priority: PriorityConfig = PriorityConfig()
    flags: dict[str, Flag] = {}
    run_if_infeasible: tuple[str, ...] = ("safety",)
    judge: JudgeSection | None = None
    cannot_see: tuple[str, ...] = ()
    """What the numbers of this profile do not show, in words; printed with every summary and report."""

    @model_validator(mode="after")
    def _known_dimensions(self) -> Config:
        for name in (*self.dimensions, *self.run_if_infeasible):
            if name not in DIMENSIONS:
                raise ValueError(f"{name!r} is not a dimension. {suggest(name, DIMENSIONS)}")
        return self

    def dimension(self, name: str) -> DimensionConfig:
        """The section of a dimension, empty when the profile does not measure it."""
        return self.dimensions.get(name, DimensionConfig())


def override(config: Config, overrides: Iterable[str]) -> Config:
    """The config with ``key=value`` overrides, as on the command line.

    Raises:
        ConfigError: an unknown key, or a wrong value.
    """
    data = config.model_dump(mode="json")
    for one in overrides:
        _apply_override(data, one)
    return validate_config(data, "--set")


RENAMED_PROFILES: Final = {"default": "clip"}
"""Old name → new, for one release: a profile called `default` was not the default."""


def configs_folder() -> Path:
    """Where the shipped profiles lie: inside an installed wheel, or beside the package in a checkout."""
    package = Path(__file__).resolve().parent
    inside = package / "configs"
    return inside if inside.is_dir() else package.parent / "configs"


def profile_names() -> list[str]:
    """Names for ``--profile``."""
    return sorted(path.stem for path in configs_folder().glob("*.yaml") if _is_profile(path))


def load_config(profile: str | None = None, file: str | Path | None = None, overrides: Iterable[str] = ()) -> Config:
    """Read a profile by name, or a config file, apply ``key=value`` overrides, validate.

    Args:
        profile: name of a shipped profile; ``embedded`` when neither is given.
        file: path of a YAML file, which may say ``extends: NAME``.
        overrides: ``engine.shard_size=16`` and the like; the value is YAML.

    Raises:
        ConfigError: both given, no such profile, unknown key, wrong value.
    """
    if profile and file:
        raise ConfigError("--profile or --config", "both", todo="Use --config alone; it may say 'extends: PROFILE'.")
    path = Path(file) if file else _profile_path(profile or "embedded")
    data = _read_with_base(path, seen=())
    for override in overrides:
        _apply_override(data, override)
    return validate_config(data, str(path))


def validate_config(data: Mapping[str, Any], where: str) -> Config:
    """A config from plain data; every fault names its key."""
    try:
        return Config.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise ConfigError(
                "a known key", repr(key), where, suggest(str(first["loc"][-1]), _siblings(first))
            ) from None
        message = first["msg"].removeprefix("Value error, ")
        raise ConfigError(
            f"a valid value for {key or 'the file'}", repr(first["input"])[:120], where, message
        ) from None


def _siblings(fault: Mapping[str, Any]) -> list[str]:
    """Keys that are known beside the unknown one: walk the models along the fault's location."""
    model: type[BaseModel] = Config
    for part in fault["loc"][:-1]:
        # A free key (a dimension, a metric) has no field of its own: the model of its values was found at its parent.
        if part in model.model_fields:
            model = _inner_model(model.model_fields[part].annotation) or model
    return list(model.model_fields)


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    candidates = [annotation, *getattr(annotation, "__args__", ())]
    return next((c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)), None)


def current_name(profile: str) -> str:
    """A profile's name today; warns once a call when an old one was given."""
    new = RENAMED_PROFILES.get(profile)
    if new is None:
        return profile
    text = f"the profile {profile!r} is called {new!r} now; the old name goes with the next release"
    warnings.warn(text, FutureWarning, stacklevel=3)
    return new


def _profile_path(name: str) -> Path:
    name = current_name(name)
    path = configs_folder() / f"{name}.yaml"
    if not re.fullmatch(r"[\w-]+", name) or not path.is_file():
        todo = suggest(name, profile_names()) + " A file of your own goes in with --config."
        raise ConfigError("the name of a shipped profile", repr(name), todo=todo)
    return path


def _is_profile(path: Path) -> bool:
    # The folder also holds the base that profiles extend, the rubric and the gate's defaults.
    return re.search(r"^profile:", path.read_text(encoding="utf-8"), re.MULTILINE) is not None


def _read_with_base(path: Path, seen: tuple[Path, ...]) -> dict[str, Any]:
    if path in seen:
        raise ConfigError("profiles that extend each other without a cycle", " → ".join(p.name for p in (*seen, path)))
    data = read_yaml(path) or {}
    if not isinstance(data, dict):
        raise ConfigError("a YAML mapping", type(data).__name__, str(path))
    base = data.pop("extends", None)
    if base is None:
        resolved: dict[str, Any] = _added(None, data, str(path))
        return resolved
    return merge(_read_with_base(_profile_path(str(base)), (*seen, path)), data)


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Mappings are merged key by key, everything else is replaced; ``null`` removes a key of the base.

    A list whose entries start with ``+`` or ``-`` changes the base's: ``metrics: [+mine.contrast, -seam]``. Naming
    another backend with ``use`` drops the options of the one that it replaces.

    Raises:
        ConfigError: a list with some entries that change the base's and some that replace it; an entry to take away
            that is not there.
    """
    result = dict(base) if over.get("use", base.get("use")) == base.get("use") else {}
    for key, value in over.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(result.get(key), Mapping):
            result[key] = merge(result[key], value)
        else:
            result[key] = _added(result.get(key), value, key)
    return result


def _added(base: Any, value: Any, key: str) -> Any:
    """The value; where its entries start with ``+`` or ``-``, the base's entries with those, or without them."""
    if isinstance(value, Mapping):
        return {name: _added(None, inner, name) for name, inner in value.items()}
    signed = [isinstance(entry, str) and entry.startswith(("+", "-")) for entry in value] if _is_list(value) else []
    if not any(signed):
        return value
    if not all(signed):
        todo = "Entries with + or - change the list of the profile that is extended; entries without replace it."
        raise ConfigError(
            f"a + or - before every entry of {key!r}, or before none", ", ".join(map(str, value)), todo=todo
        )
    added, removed = ([entry[1:].strip() for entry in value if entry.startswith(sign)] for sign in "+-")
    held = list(base or ())
    if absent := [name for name in removed if name not in held]:
        expected = f"entries of {key!r} to take away that are in it"
        raise ConfigError(expected, ", ".join(absent), todo=suggest(absent[0], map(str, held)))
    return list(dict.fromkeys([*(name for name in held if name not in removed), *added]))


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _apply_override(data: dict[str, Any], override: str) -> None:
    key, separator, text = override.partition("=")
    if not separator or not key.strip():
        raise ConfigError("--set key=value", repr(override), todo="For example: --set engine.shard_size=16")
    value = parse_yaml(text, f"--set {override}", "a YAML value")
    *path, last = _split_key(key.strip())
    node = data
    for part in path:
        node = node.setdefault(part, {})
        if not isinstance(node, dict):
            raise ConfigError("a key inside a section", repr(key), f"--set {override}", f"{part!r} is not a section.")
    if value is None:
        node.pop(last, None)
        return
    if last == "use" and node.get("use") != value:
        node.clear()  # the options belonged to the other backend
    node[last] = _added(node.get(last), value, key)


def _split_key(key: str) -> list[str]:
    """Split at dots, but not inside a metric's name, which has dots of its own.

    ``metrics`` is keyed by columns (``quality.mine.contrast``), ``curves`` and ``gates`` by what follows the dimension.
    """
    parts = key.split(".")
    if parts[0] == "metrics" and len(parts) >= 4:
        return ["metrics", ".".join(parts[1:-1]), parts[-1]]
    if parts[0] == "dimensions" and len(parts) > 4 and parts[2] in ("curves", "gates"):
        # Either one setting of a curve, or the whole curve.
        end = -1 if parts[-1] in {*Curve.model_fields, *Gate.model_fields} else len(parts)
        return [*parts[:3], ".".join(parts[3:end]), *parts[end:]]
    return parts
