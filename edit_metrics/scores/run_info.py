"""``run.json``: how the scores of a run folder were made. Written by the engine, read by everything after it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from edit_metrics.config import Claim, Config, ceiling, reachable_confidence, validate_config
from edit_metrics.errors import TableError
from edit_metrics.io.atomic import write_json
from edit_metrics.scores.judging import JudgeRecord
from edit_metrics.scores.signatures import Signature

RUN_INFO_NAME: Final = "run.json"
OUTPUT_NAMES: Final = ("scores.parquet", "scores.csv", "scores_compact.csv", "rejected.jsonl")
"""The tables of a run folder, in the order in which they are written; ``run.json`` names them with their hashes."""
_TAG_BYTES: Final = 8
_OF_A_BASELINE: Final = ("edit_metrics", "profile", "score_signature", "counts", "versions", "judge")


class _Part(BaseModel):
    """Frozen; keys that this version does not know are kept, so that a file goes through it unharmed."""

    model_config = ConfigDict(frozen=True, extra="allow")


class ManifestInfo(_Part):
    """The manifest that was scored.

    Attributes:
        path: the file, or ``<rows>``.
        sha256: of its bytes.
        root: what the table's paths are relative to.
    """

    path: str
    sha256: str
    root: str


class Counts(_Part):
    """Rows of the manifest; each was either scored or rejected."""

    rows: int
    scored: int
    rejected: int


class Seconds(_Part):
    """Where the time went; stages overlap, so that they add up to more than ``total``."""

    total: float
    stages: Mapping[str, float] = Field(default_factory=dict)


class ItemTags(_Part):
    """What each item's score rests on (:func:`edit_metrics.engine.shards.item_tags`): 8 bytes each, base64 in one text.

    Attributes:
        scored: in the order of the table's rows.
        rejected: of the rows that decoding rejected, the last lines of ``rejected.jsonl``, in their order.
    """

    scored: str = ""
    rejected: str = ""

    @classmethod
    def of(cls, scored: Sequence[str], rejected: Sequence[str]) -> ItemTags:
        """From tags of 16 hexadecimal digits."""
        return cls(**{
            name: base64.b64encode(bytes.fromhex("".join(tags))).decode()
            for name, tags in (("scored", scored), ("rejected", rejected))
        })  # fmt: skip

    def scored_tags(self) -> list[str]:
        """As they were given to :meth:`of`."""
        return _tags(self.scored)

    def rejected_tags(self) -> list[str]:
        """As they were given to :meth:`of`."""
        return _tags(self.rejected)


class CurveRecord(_Part):
    """What of a curve is read again."""

    trust: float = 1.0
    kind: str = ""


class DimensionRecord(_Part):
    """What of a dimension's section is read again."""

    cap: float = 1.0
    curves: Mapping[str, CurveRecord] = Field(default_factory=dict)
    decides: tuple[tuple[str, ...], ...] = ()
    claims: Mapping[str, Claim] = Field(default_factory=dict)

    @property
    def reachable_confidence(self) -> float:
        """See :func:`edit_metrics.config.reachable_confidence`."""
        ceilings = {name: ceiling(curve.kind, [curve.trust], self.claims) for name, curve in self.curves.items()}
        return reachable_confidence(self.cap, ceilings, self.decides)


class ProfileRecord(_Part):
    """What of the resolved profile pages show; another version's profile has these too."""

    description: str = ""
    cannot_see: tuple[str, ...] = ()
    dimensions: Mapping[str, DimensionRecord] = Field(default_factory=dict)


class BackendRecord(_Part):
    """What of a model's fingerprint pages show.

    Attributes:
        weights: role of the file → its sha256.
    """

    name: str
    weights: Mapping[str, str] = Field(default_factory=dict)


class RunInfo(_Part):
    """What a run says of itself. A part that a file leaves out, as a gate's baseline does, is None or empty.

    Attributes:
        edit_metrics: version of this program.
        finished: UTC, ISO 8601.
        config: the resolved profile as it stood; see :attr:`profile_record` and :meth:`resolved_config`.
        run_signature: binds resume; definitions alone, not the manifest.
        score_signature: dimension → what binds cache, compare, gate and calibration.
        items: what each item's score rests on; a later run scores the items anew of which that has changed.
        files: name → SHA-256 of the tables beside it.
        retries: shards that were begun again because their worker was lost.
        evidence: which items got evidence pictures: ``none``, ``flagged`` or ``all``.
        versions: of the libraries; recorded, not hashed.
        judge: who was asked about which items; None while nobody was.
    """

    edit_metrics: str = ""
    finished: str = ""
    profile: str = ""
    config: Mapping[str, Any] | None = None
    run_signature: Signature | None = None
    score_signature: Mapping[str, Signature] = Field(default_factory=dict)
    items: ItemTags | None = None
    files: Mapping[str, str] = Field(default_factory=dict)
    manifest: ManifestInfo | None = None
    counts: Counts | None = None
    engine: str | None = None
    retries: int | None = None
    evidence: str = "none"
    device: str | None = None
    workers: int | None = None
    seconds: Seconds | None = None
    peak_memory_mib: int | None = None
    versions: Mapping[str, str] = Field(default_factory=dict)
    judge: JudgeRecord | None = None

    @field_validator("config")
    @classmethod
    def _readable(cls, config: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        # Here, so that a file with another kind of profile is refused when it is read, not when a page is half made.
        if config is not None:
            ProfileRecord.model_validate(config)
        return config

    @property
    def profile_record(self) -> ProfileRecord | None:
        """The parts of the profile that pages show; None where the file leaves it out."""
        return None if self.config is None else ProfileRecord.model_validate(self.config)

    @field_validator("score_signature")
    @classmethod
    def _names_models(cls, signatures: Mapping[str, Signature]) -> Mapping[str, Signature]:
        for signature in signatures.values():
            _backends(signature)
        return signatures

    @property
    def backends(self) -> dict[str, BackendRecord]:
        """Role → model of every backend that some score rests on."""
        return {role: one for signature in self.score_signature.values() for role, one in _backends(signature).items()}

    @property
    def totals(self) -> tuple[Counts, Seconds]:
        """Rows and time of a run; zeros where the file leaves them out, as a gate's baseline does."""
        return self.counts or Counts(rows=0, scored=0, rejected=0), self.seconds or Seconds(total=0.0)

    def resolved_config(self, where: str) -> Config:
        """The profile of the run, to compute with.

        Args:
            where: the file, for the error.

        Raises:
            ConfigError: the file leaves it out, or this version does not know all of it.
        """
        return validate_config(self.config or {}, where)

    def of_a_baseline(self) -> RunInfo:
        """The parts that a baseline keeps: small enough to commit, without this machine's paths."""
        kept = {name: getattr(self, name) for name in _OF_A_BASELINE if name in self.model_fields_set}
        return RunInfo(**kept | ({"judge": self.judge.of_a_baseline()} if self.judge is not None else {}))

    def with_files(self, folder: Path) -> RunInfo:
        """The same with the hashes of the tables in a folder, as they are now."""
        found = {name: sha256 for name in OUTPUT_NAMES if (sha256 := file_sha256(folder / name)) is not None}
        return self.model_copy(update={"files": found})

    def write(self, folder: Path) -> None:
        """Write ``run.json`` atomically, without the parts that were never said."""
        write_json(self.model_dump(mode="json", exclude_unset=True), folder / RUN_INFO_NAME)


def file_sha256(path: Path) -> str | None:
    """Of a file's bytes; None where it is absent or cannot be read."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return None


def _tags(text: str) -> list[str]:
    data = base64.b64decode(text)
    return [data[start : start + _TAG_BYTES].hex() for start in range(0, len(data), _TAG_BYTES)]


def _backends(signature: Signature) -> dict[str, BackendRecord]:
    return {role: BackendRecord.model_validate(one) for role, one in signature.parts.get("backends", {}).items()}


def read_run_info(folder: Path) -> RunInfo | None:
    """The ``run.json`` of a folder; None where there is none.

    Raises:
        TableError: broken, or not what a run writes.
    """
    file = folder / RUN_INFO_NAME
    if not file.is_file():
        return None
    try:
        return RunInfo.model_validate_json(file.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        got = f"{first['msg']} (got {str(first['input'])[:80]!r})"
        raise TableError(f"a {RUN_INFO_NAME} as `edit-metrics score` writes it: {where}", got, str(file)) from error
