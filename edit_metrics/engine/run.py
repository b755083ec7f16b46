"""Run a plan over a manifest: resume, shards through an engine, merge, ``run.json``."""

from __future__ import annotations

import platform
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib import metadata

import pyarrow as pa

from edit_metrics._version import __version__
from edit_metrics.backends.factory import describe_backend, weights_of
from edit_metrics.choices import EvidenceLevel
from edit_metrics.config import Config
from edit_metrics.dimensions.order import table_priorities
from edit_metrics.engine.definitions import score_signatures
from edit_metrics.engine.folder import DoneMark, RunFolder
from edit_metrics.engine.job import Job, Outcome, Progress, RunOptions, make_job
from edit_metrics.engine.plan import Plan, build_plan
from edit_metrics.engine.shards import Shard, cut_into_shards
from edit_metrics.io.hashing import canonical_json_sha256
from edit_metrics.io.manifest import Manifest
from edit_metrics.plugins import installed
from edit_metrics.scores.priority import priority_columns
from edit_metrics.scores.run_info import Counts, ManifestInfo, RunInfo, Seconds
from edit_metrics.scores.signatures import Signature
from edit_metrics.weights.store import require

RECORDED_PACKAGES = (
    "numpy", "opencv-python", "pillow", "scikit-image", "torch", "torchvision", "open-clip-torch", "lpips",
    "transformers", "timm", "onnxruntime", "dlib-bin", "pyarrow", "pandas",
)  # fmt: skip

Engine = Callable[[Job, Sequence[Shard], Progress], Outcome]


def run(
    manifest: Manifest, config: Config, options: RunOptions, progress: Progress, engine: Engine | None = None
) -> RunInfo:
    """Score a manifest into a run folder.

    Args:
        manifest: items and rejections.
        config: resolved profile.
        options: folder and engine.
        progress: told what happens.
        engine: what runs the shards; None: what the options name.

    Returns:
        What ``run.json`` says.

    Raises:
        WeightsError: weights are absent; before anything is decoded.
        SignatureError: the folder holds a run made with other definitions.
    """
    started = time.perf_counter()
    plan = build_plan(config)
    signature, scores = _signatures(plan, manifest)
    folder = RunFolder(options.out)
    shards = cut_into_shards(manifest.items, config.engine.shard_size)
    inputs_tag = canonical_json_sha256([shard.inputs_tag for shard in shards])
    finished = _finished_run(folder, signature, inputs_tag, options, progress)
    if finished is not None:
        return finished
    folder.open(signature, resume=options.resume)
    job = make_job(manifest, plan, options)
    outcome = _score_what_is_left(folder, job, shards, engine or _engine(options.engine), progress)
    order = order_for_people(folder, shards, job.layout.schema, config)
    folder.merge(shards, job.layout.schema, order, manifest.rejections)
    info = RunInfo(
        edit_metrics=__version__,
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        profile=config.profile,
        config=config.model_dump(mode="json"),
        run_signature=signature,
        score_signature=scores,
        inputs_tag=inputs_tag,
        manifest=ManifestInfo(path=manifest.path, sha256=manifest.sha256, root=manifest.root),
        counts=_counts(outcome.marks, manifest),
        engine=options.engine,
        retries=outcome.retries,
        evidence=options.evidence,
        device=job.device,
        workers=job.workers,
        seconds=Seconds(total=round(time.perf_counter() - started, 3), stages=_stage_seconds(outcome.marks)),
        peak_memory_mib=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _RSS_PER_MIB),
        versions=_versions(),
    )
    folder.close(info)
    return info


def order_for_people(folder: RunFolder, shards: Sequence[Shard], schema: pa.Schema, config: Config) -> pa.Table:
    """The priority columns, one row an item: the only ones that look at other items.

    Read back from the committed rows, so that resumed shards and fresh ones are treated alike.
    """
    columns = pa.schema([schema.field(name) for name in priority_columns(config)])
    return table_priorities(folder.read_rows(shards, columns), config)


def _finished_run(
    folder: RunFolder, signature: Signature, inputs_tag: str, options: RunOptions, progress: Progress
) -> RunInfo | None:
    """What ``run.json`` says when the folder already has this very run, of these very pictures."""
    info = folder.read_info() if options.resume else None
    if info is None:
        return None
    folder.open(signature, resume=True)
    if info.inputs_tag != inputs_tag:
        progress.note("Pictures have changed since this folder was written: scoring them all again.")
        folder.drop_evidence()
        return None
    progress.note(f"{options.out} already holds this run; nothing to do.")
    _say_missing_evidence(info, options, progress)
    return info


def _say_missing_evidence(info: RunInfo, options: RunOptions, progress: Progress) -> None:
    levels = list(EvidenceLevel)
    held = EvidenceLevel(info.evidence)
    if levels.index(EvidenceLevel(options.evidence)) > levels.index(held):
        progress.note(
            f"It was scored with --evidence {held}: evidence is drawn while scoring. To get it, run the same command "
            f"with --evidence {options.evidence} --no-resume."
        )


def _score_what_is_left(
    folder: RunFolder, job: Job, shards: Sequence[Shard], engine: Engine, progress: Progress
) -> Outcome:
    """Marks of all shards: those that an earlier attempt has left, and those that the engine makes."""
    marks = {shard.index: mark for shard in shards if (mark := folder.mark_of(shard)) is not None}
    todo = [shard for shard in shards if shard.index not in marks]
    total = sum(len(shard.items) for shard in shards)
    done = total - sum(len(shard.items) for shard in todo)
    if done:
        progress.note(f"Resuming: {done} of {total} items are done.")
    progress.start(total, done)
    outcome = engine(job, todo, progress) if todo else Outcome(())
    marks |= {shard.index: mark for shard, mark in zip(todo, outcome.marks, strict=True)}
    return Outcome(tuple(marks[shard.index] for shard in shards), outcome.retries)


def _engine(name: str) -> Engine:
    if name == "ray":
        from edit_metrics.engine.ray import run_shards_on_ray

        return run_shards_on_ray
    from edit_metrics.engine.local import run_shards

    return run_shards


def _signatures(plan: Plan, manifest: Manifest) -> tuple[Signature, dict[str, Signature]]:
    sections = plan.config.backends
    # Before anything is decoded: a weight that is absent is said at once.
    require(reference for role in plan.roles for reference in weights_of(role, sections[role]))
    fingerprints = {role: describe_backend(role, sections[role]) for role in plan.roles}
    scores = score_signatures(plan, fingerprints)
    parts = {
        "scores": {name: signature.parts for name, signature in scores.items()},
        "flags": {name: flag.model_dump(mode="json") for name, flag in plan.config.flags.items()},
        "priority": plan.config.priority.model_dump(mode="json"),
        "labels": list(plan.labels),
        "run_if_infeasible": list(plan.config.run_if_infeasible),
        "manifest": {"sha256": manifest.sha256, "items": len(manifest.items), "root": manifest.root},
        "engine": {"shard_size": plan.config.engine.shard_size},
    }
    return Signature.of(parts), scores


def _counts(marks: Sequence[DoneMark], manifest: Manifest) -> Counts:
    scored = sum(mark.scored for mark in marks)
    rejected = len(manifest.rejections) + sum(mark.rejected for mark in marks)
    return Counts(rows=len(manifest.items) + len(manifest.rejections), scored=scored, rejected=rejected)


def _stage_seconds(marks: Sequence[DoneMark]) -> dict[str, float]:
    total: Counter[str] = Counter()
    for mark in marks:
        total.update(mark.seconds)
    return {name: round(value, 3) for name, value in total.most_common()}


def _versions() -> dict[str, str]:
    found: dict[str, str] = {"python": platform.python_version(), "platform": platform.platform()}
    for name in RECORDED_PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found | {plugin.distribution: plugin.version for plugin in installed().values()}


_RSS_PER_MIB = 2**20 if sys.platform == "darwin" else 2**10
"""Units of ``ru_maxrss`` in a MiB: bytes on macOS, KiB elsewhere."""
