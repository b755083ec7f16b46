"""Run a plan over a manifest: resume, shards through an engine, merge, ``run.json``."""

from __future__ import annotations

import platform
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from importlib import metadata
from typing import Final

import pyarrow as pa

from edit_metrics._version import __version__
from edit_metrics.backends.factory import describe_backend, weights_of
from edit_metrics.choices import EvidenceLevel
from edit_metrics.config import Config
from edit_metrics.dimensions.order import table_priorities
from edit_metrics.engine.definitions import score_signatures
from edit_metrics.engine.finished import Finished, can_be_adopted, read_finished
from edit_metrics.engine.folder import RunFolder
from edit_metrics.engine.job import Job, Outcome, Progress, RunOptions, make_job
from edit_metrics.engine.kept import Kept
from edit_metrics.engine.lock import locked
from edit_metrics.engine.plan import Plan, build_plan
from edit_metrics.engine.shard_files import Part
from edit_metrics.engine.shards import TAG_BYTES, Shard, cut_into_shards, item_tags, without_done
from edit_metrics.io.manifest import Manifest
from edit_metrics.plugins import installed
from edit_metrics.scores.priority import PRIORITY_FIELDS, priority_columns
from edit_metrics.scores.run_info import Counts, ItemTags, ManifestInfo, RunInfo, Seconds
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
        UserError: the folder is not a run's, or another process writes there.
    """
    started = time.perf_counter()
    plan = build_plan(config)
    signature, scores = _signatures(plan)
    with locked(options.out):
        folder = RunFolder(options.out, signature.sha256)
        folder.recognise()
        work = _Work(manifest, plan, signature, folder, options, progress)
        finished = work.begin()
        if finished is not None:
            return finished
        outcome = work.score_what_is_left(engine or _engine(options.engine))
        kept = work.write_tables()
        info = RunInfo(
            edit_metrics=__version__,
            finished=datetime.now(UTC).isoformat(timespec="seconds"),
            profile=config.profile,
            config=config.model_dump(mode="json"),
            run_signature=signature,
            score_signature=scores,
            items=work.tags_to_keep(kept),
            manifest=ManifestInfo(path=manifest.path, sha256=manifest.sha256, root=manifest.root),
            counts=_counts(kept, manifest),
            engine=options.engine,
            retries=outcome.retries,
            evidence=options.evidence,
            device=work.job.device,
            workers=work.job.workers,
            seconds=Seconds(total=round(time.perf_counter() - started, 3), stages=_stage_seconds(kept.parts)),
            peak_memory_mib=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _RSS_PER_MIB),
            versions=_versions(),
        ).with_files(options.out)
        folder.close(info)
    return info


def order_for_people(folder: RunFolder, kept: Kept, config: Config) -> pa.Table:
    """The priority columns, one row an item: the only ones that look at other items.

    Read back from the committed rows, so that resumed shards and fresh ones are treated alike.
    """
    parts = [table for _, table in kept.rows(folder.files, priority_columns(config), config.engine.shard_size)]
    return table_priorities(pa.concat_tables(parts), config) if parts else pa.schema(PRIORITY_FIELDS).empty_table()


_NEVER: Final = "0" * 2 * TAG_BYTES


class _Work:
    """One call: what the folder has, what is left, and the tables in the end."""

    def __init__(
        self, manifest: Manifest, plan: Plan, signature: Signature, folder: RunFolder, options: RunOptions,
        progress: Progress,
    ) -> None:  # fmt: skip
        self._manifest, self._config = manifest, plan.config
        self._signature, self._folder = signature, folder
        self._options, self._progress = options, progress
        self.tags = item_tags(manifest.items)
        self.job = make_job(manifest, plan, options, signature.sha256)
        self._stored = self.job.layout.stored.names
        self._parts: list[Part] = []

    def begin(self) -> RunInfo | None:
        """Look at what is there; the run's own words when all of it is."""
        if not self._options.resume:
            self._say_moved(self._folder.clear(_ids_of(self._folder)))
        self._folder.check_signature(self._signature)
        finished = read_finished(self._folder)
        if finished is not None:
            kept = self._kept([finished.part])
            if finished.is_of(self._manifest, kept):
                return self._nothing_to_do(finished)
            self._take_over(finished, kept)
        self._parts = self._folder.files.parts()
        if finished is None and self._parts:
            self._progress.note(f"Resuming: {self._kept(self._parts).count} of {len(self.tags)} items are done.")
        return None

    def score_what_is_left(self, engine: Engine) -> Outcome:
        """Score and commit every item that no part holds."""
        items, size = self._manifest.items, self._config.engine.shard_size
        kept = self._kept(self._parts)
        self._folder.drop_evidence(kept.changed | kept.gone)
        shards = cut_into_shards(items, size, self.tags)
        todo = without_done(shards, kept.done, self._folder.taken_names(self._parts))
        self._folder.open(self._signature, [shard.name for shard in todo])
        self._progress.start(len(items), kept.count)
        outcome = engine(self.job, todo, self._progress) if todo else Outcome(())
        self._parts += [Part(shard.name, mark) for shard, mark in zip(todo, outcome.marks, strict=True)]
        return outcome

    def write_tables(self) -> Kept:
        """All tables, in the manifest's order; where each row came from."""
        kept = Kept(self._manifest.items, self.tags, self._parts, settled=False)
        kept.check_complete()
        if kept.unsettled:
            n = len(kept.unsettled)
            self._progress.note(
                f"{n} items have a file that could not be fetched, or found no memory: the same command tries again."
            )
        order = order_for_people(self._folder, kept, self._config)
        schema = pa.schema([*self.job.layout.schema, *order.schema])
        rejections = [*self._manifest.rejections, *kept.rejections(self._folder.files.read_rejections)]
        rows = [self._rows(kept, order) for _ in range(3)]
        self._say_moved(self._folder.write_tables(rows, schema, rejections))
        return kept

    def tags_to_keep(self, kept: Kept) -> ItemTags:
        """Of the tables' rows; none that fits for those that a later run is to score again."""
        scored = [_NEVER if n in kept.unsettled else self.tags[n] for n in kept.scored]
        return ItemTags.of(scored, [self.tags[n] for n in kept.rejected])

    def _rows(self, kept: Kept, order: pa.Table) -> Iterator[pa.Table]:
        """The whole table, one shard's worth of rows in memory at a time; at least one part, which may be empty."""
        start = 0
        for items, stored in kept.rows(self._folder.files, self._stored, self._config.engine.shard_size):
            yield _beside(self.job.layout.complete(items, stored), order.slice(start, len(items)))
            start += len(items)
        if not start:
            yield _beside(self.job.layout.schema.empty_table(), order)

    def _kept(self, parts: Sequence[Part]) -> Kept:
        return Kept(self._manifest.items, self.tags, parts, settled=True)

    def _take_over(self, finished: Finished, kept: Kept) -> None:
        total, changed = len(self.tags), len(kept.changed)
        self._folder.drop_evidence(kept.changed | kept.gone)
        if not can_be_adopted(finished.info, self._stored):
            self._progress.note(
                "The judge's answers cannot be told from this profile's measurements: scoring all anew."
            )
            return
        gone = f", {len(kept.gone)} gone" if kept.gone else ""
        self._progress.note(
            f"Since this folder was written: {total - kept.count - changed} new, {changed} changed, {kept.count} kept"
            f"{gone}."
        )
        if finished.info.judge is not None:
            self._progress.note("A judge was asked about the earlier table: ask again with edit-metrics judge.")
        finished.adopt(self._manifest, self.tags, kept, self._stored, self._config)

    def _nothing_to_do(self, finished: Finished) -> RunInfo:
        info, out = finished.info, self._options.out
        mended = finished.mend(self._manifest)
        self._folder.drop_shards()
        told = f"nothing to score; written anew: {', '.join(mended)}" if mended else "nothing to do"
        self._progress.note(f"{out} already holds this run; {told}.")
        levels = list(EvidenceLevel)
        held = EvidenceLevel(info.evidence)
        if levels.index(EvidenceLevel(self._options.evidence)) > levels.index(held):
            self._progress.note(
                f"It was scored with --evidence {held}: evidence is drawn while scoring. To get it, run the same "
                f"command with --evidence {self._options.evidence} --no-resume."
            )
        return info

    def _say_moved(self, names: Sequence[str]) -> None:
        if names:
            self._progress.note(f"Files that are not as a run wrote them were kept as {', '.join(names)}.")


def _beside(table: pa.Table, columns: pa.Table) -> pa.Table:
    for field, column in zip(columns.schema, columns.columns, strict=True):
        table = table.append_column(field, column)
    return table


def _ids_of(folder: RunFolder) -> list[str]:
    finished = read_finished(folder)
    return [] if finished is None else finished.ids


def _engine(name: str) -> Engine:
    if name == "ray":
        from edit_metrics.engine.ray import run_shards_on_ray

        return run_shards_on_ray
    from edit_metrics.engine.local import run_shards

    return run_shards


def _signatures(plan: Plan) -> tuple[Signature, dict[str, Signature]]:
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
        "engine": {"shard_size": plan.config.engine.shard_size},
    }
    return Signature.of(parts), scores


def _counts(kept: Kept, manifest: Manifest) -> Counts:
    return Counts(
        rows=len(manifest.items) + len(manifest.rejections),
        scored=len(kept.scored),
        rejected=len(manifest.rejections) + len(kept.rejected),
    )


def _stage_seconds(parts: Sequence[Part]) -> dict[str, float]:
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part.mark.seconds)
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
