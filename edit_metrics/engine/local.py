"""Run a plan over a manifest on this machine: resume, shards, merge, ``run.json``."""

from __future__ import annotations

import platform
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

from edit_metrics import __version__
from edit_metrics.backends.factory import build_backend, describe_backend, weights_of
from edit_metrics.backends.torch_runtime import choose_device
from edit_metrics.config import Config
from edit_metrics.engine.evidence import FEATURES, LEVELS, EvidenceWriter
from edit_metrics.engine.plan import Plan, build_plan, cache_rules, score_signatures
from edit_metrics.engine.scoring import Scorer, ShardResult
from edit_metrics.engine.shards import DoneMark, RunFolder, Shard, cut_into_shards
from edit_metrics.features.cache import FeatureCache
from edit_metrics.io.hashing import canonical_json_sha256
from edit_metrics.io.manifest import Manifest
from edit_metrics.scores.rows import TableLayout
from edit_metrics.weights.store import require

RECORDED_PACKAGES = (
    "numpy", "opencv-python", "pillow", "scikit-image", "torch", "torchvision", "open-clip-torch", "lpips",
    "transformers", "timm", "onnxruntime", "dlib-bin", "pyarrow", "pandas",
)  # fmt: skip


class Progress(Protocol):
    """What a run tells while it goes on."""

    def start(self, total: int, done: int) -> None:
        """Before the first shard: items in all, and those that an earlier attempt has finished."""

    def advance(self, items: int) -> None:
        """After each micro-batch."""

    def note(self, text: str) -> None:
        """One line for the user."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How to run, as opposed to what to compute: nothing here changes a value.

    Attributes:
        out: run folder.
        resume: go on with what the folder holds; otherwise start over.
        engine: ``local`` or ``ray``.
        cache: folder of the feature cache, or None.
        evidence: which items get evidence pictures: ``none``, ``flagged``, ``all``.
    """

    out: Path
    resume: bool = True
    engine: str = "local"
    cache: Path | None = None
    evidence: str = "none"


@dataclass(frozen=True, slots=True)
class Job:
    """Everything that scoring a shard needs and that can be sent to another process."""

    config: Config
    layout: TableLayout
    workers: int
    device: str
    out: Path
    cache: Path | None
    evidence: str


def run(manifest: Manifest, config: Config, options: RunOptions, progress: Progress) -> dict[str, Any]:
    """Score a manifest into a run folder.

    Args:
        manifest: items and rejections.
        config: resolved profile.
        options: folder and engine.
        progress: told what happens.

    Returns:
        What ``run.json`` holds.

    Raises:
        WeightsError: weights are absent; before anything is decoded.
        SignatureError: the folder holds a run made with other definitions.
    """
    started = time.perf_counter()
    plan = build_plan(config)
    signature, scores = _signatures(plan, manifest)
    folder = RunFolder(options.out)
    shards = cut_into_shards(manifest.items, config.engine.shard_size)
    inputs_tag = canonical_json_sha256([shard.inputs_tag() for shard in shards])
    finished = _finished_run(folder, signature, inputs_tag, options, progress)
    if finished is not None:
        return finished
    folder.open(signature, resume=options.resume)
    job = _make_job(manifest, plan, options)
    todo = [shard for shard in shards if folder.done_mark(shard) is None]
    done = len(manifest.items) - sum(len(shard.items) for shard in todo)
    if done:
        progress.note(f"Resuming: {done} of {len(manifest.items)} items are done.")
    progress.start(len(manifest.items), done)
    retries = _runner(options.engine)(job, todo, progress) if todo else 0
    marks = [mark for shard in shards if (mark := folder.done_mark(shard)) is not None]
    folder.merge(shards, job.layout.schema, config, manifest.rejections)
    info = {
        "edit_metrics": __version__,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "profile": config.profile,
        "config": config.model_dump(mode="json"),
        "run_signature": signature,
        "score_signature": scores,
        "inputs_tag": inputs_tag,
        "manifest": {"path": manifest.path, "sha256": manifest.sha256, "root": manifest.root},
        "counts": _counts(marks, manifest),
        "engine": options.engine,
        "retries": retries,
        "evidence": options.evidence,
        "device": job.device,
        "workers": job.workers,
        "seconds": {"total": round(time.perf_counter() - started, 3), "stages": _stage_seconds(marks)},
        "peak_memory_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _RSS_PER_MIB),
        "versions": _versions(),
    }
    folder.close(info)
    return info


def _finished_run(
    folder: RunFolder, signature: dict[str, Any], inputs_tag: str, options: RunOptions, progress: Progress
) -> dict[str, Any] | None:
    """What ``run.json`` holds when the folder already has this very run, of these very pictures."""
    if not options.resume or folder.finished_inputs() is None:
        return None
    folder.open(signature, resume=True)
    if folder.finished_inputs() != inputs_tag:
        progress.note("Pictures have changed since this folder was written: scoring them all again.")
        folder.drop_evidence()
        return None
    progress.note(f"{options.out} already holds this run; nothing to do.")
    info = folder.read_info()
    _say_missing_evidence(info, options, progress)
    return info


def _make_job(manifest: Manifest, plan: Plan, options: RunOptions) -> Job:
    config = plan.config
    return Job(
        config=config,
        layout=TableLayout.of([m.name for m in plan.metrics], plan.labels, manifest.items, manifest.root),
        workers=config.engine.workers or _cores(),
        device=str(choose_device(config.engine.device)),
        out=options.out,
        cache=options.cache,
        evidence=options.evidence,
    )


def run_shards(job: Job, shards: Sequence[Shard], progress: Progress) -> int:
    """Score and commit shards one after another in this process; returns 0, since no worker can be lost."""
    folder = RunFolder(job.out)
    score = shard_function(job)
    for shard in shards:
        # Before the pictures are read: one that changes meanwhile must not count as done.
        tag = shard.inputs_tag()
        commit_shard(folder, job, shard, tag, score(shard, progress.advance))
    return 0


def shard_function(job: Job) -> Callable[[Shard, Callable[[int], None] | None], ShardResult]:
    """Load the models of a job and return the function that scores one of its shards."""
    plan = build_plan(job.config)
    lanes = job.config.engine.lanes or min(2, job.workers)
    threads = max(1, (job.config.engine.model_threads or _cores()) // lanes)
    sections = job.config.backends
    backends = {
        role: build_backend(role, sections[role], device=job.device, threads=threads, wants=plan.wants)
        for role in plan.roles
    }
    watch = None if job.evidence == "none" else EvidenceWriter(plan, backends, job.out, job.evidence)
    fingerprints = {role: backend.fingerprint for role, backend in backends.items()}
    scorer = Scorer(
        plan,
        backends,
        workers=job.workers,
        lanes=lanes,
        model_threads=threads,
        watch=watch,
        keep=FEATURES if watch else (),
        cache=FeatureCache(job.cache, job.config.engine.cache_max_bytes) if job.cache is not None else None,
        cache_rules=cache_rules(plan, fingerprints),
    )
    return lambda shard, on_done: scorer.score_shard(shard.items, on_done)


def commit_shard(folder: RunFolder, job: Job, shard: Shard, inputs_tag: str, result: ShardResult) -> None:
    """Turn a shard's result into its table and commit it."""
    folder.commit(shard, inputs_tag, job.layout.to_table(result.scored), result.rejections, result.seconds)


def _say_missing_evidence(info: dict[str, Any], options: RunOptions, progress: Progress) -> None:
    held = info.get("evidence", "none")
    if LEVELS.index(options.evidence) > LEVELS.index(held):
        progress.note(
            f"It was scored with --evidence {held}: evidence is drawn while scoring. To get it, run the same command "
            f"with --evidence {options.evidence} --no-resume."
        )


def _runner(engine: str) -> Callable[[Job, Sequence[Shard], Progress], int]:
    if engine == "ray":
        from edit_metrics.engine.ray import run_shards_on_ray

        return run_shards_on_ray
    return run_shards


def _signatures(plan: Plan, manifest: Manifest) -> tuple[dict[str, Any], dict[str, Any]]:
    sections = plan.config.backends
    # Before anything is decoded: a weight that is absent is said at once.
    require(reference for role in plan.roles for reference in weights_of(role, sections[role]))
    fingerprints = {role: describe_backend(role, sections[role]) for role in plan.roles}
    scores = score_signatures(plan, fingerprints)
    parts = {
        "scores": {name: signature["parts"] for name, signature in scores.items()},
        "flags": {name: flag.model_dump(mode="json") for name, flag in plan.config.flags.items()},
        "priority": plan.config.priority.model_dump(mode="json"),
        "labels": list(plan.labels),
        "run_if_infeasible": list(plan.config.run_if_infeasible),
        "manifest": {"sha256": manifest.sha256, "items": len(manifest.items), "root": manifest.root},
        "engine": {"shard_size": plan.config.engine.shard_size},
    }
    return {"sha256": canonical_json_sha256(parts), "parts": parts}, scores


def _counts(marks: Sequence[DoneMark], manifest: Manifest) -> dict[str, int]:
    scored = sum(mark.scored for mark in marks)
    rejected = len(manifest.rejections) + sum(mark.rejected for mark in marks)
    return {"rows": len(manifest.items) + len(manifest.rejections), "scored": scored, "rejected": rejected}


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
    return found


def _cores() -> int:
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_RSS_PER_MIB = 2**20 if sys.platform == "darwin" else 2**10
"""Units of ``ru_maxrss`` in a MiB: bytes on macOS, KiB elsewhere."""
