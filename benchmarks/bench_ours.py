"""Ours, as the engine runs it: the same measures as the plain combination, or the whole profile; and the floor."""

from __future__ import annotations

import gc
import os
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from edit_metrics.backends.factory import build_backend
from edit_metrics.backends.text_memory import TextMemory
from edit_metrics.backends.torch_runtime import bound_threads
from edit_metrics.config import Config, DimensionConfig
from edit_metrics.engine.job import Job, ShardWorker
from edit_metrics.engine.plan import build_plan
from edit_metrics.engine.scoring import ShardResult
from edit_metrics.engine.shards import cut_into_shards
from edit_metrics.io.manifest import read_manifest
from edit_metrics.io.tables import write_parquet
from edit_metrics.pixels.remembered import Remembered
from edit_metrics.scores.rows import TableLayout
from edit_metrics.types import EditItem

Call = Callable[[slice], Any]

SAME_WORK = {
    "feasibility": ("verdict",),
    "safety": ("nudity_source", "nudity_edited"),
    "adherence": ("{e}_t", "{e}_t_gain", "{e}_directional", "{e}_instruction_gain", "{e}_i"),
    "preservation": ("psnr", "ssim", "lpips"),
    "character": ("face_similarity_min", "faces_source", "faces_edited"),
}
"""What the plain combination measures, in our names; ``{e}`` is the encoder."""


def same_work(config: Config) -> Config:
    """The profile with the measures of the plain combination alone."""
    encoder = "conse" if "conse" in config.backends else "clip"
    sections = {}
    for name, section in config.dimensions.items():
        wanted = [metric.format(e=encoder) for metric in SAME_WORK.get(name, ())]
        if name == "character" and "faces" not in config.backends:
            wanted = []
        curves = {metric: curve for metric, curve in section.curves.items() if metric in wanted}
        sections[name] = DimensionConfig(metrics=wanted, curves=curves)
    return config.model_copy(update={"dimensions": sections, "labels": (), "flags": {}})


class Ours:
    """The engine with its models loaded, over one manifest.

    Args:
        config: resolved profile.
        manifest: what is scored.
        out: folder for the table that it writes.
        cache: folder of the feature cache, or None.
        device: where models run.
    """

    def __init__(
        self, config: Config, manifest: Path, out: Path, cache: Path | None = None, device: str = "cpu"
    ) -> None:
        self._items = read_manifest(manifest).items
        plan = build_plan(config)
        engine = config.engine
        job = Job(
            config=config, out=out, cache=cache,
            layout=TableLayout.of([m.name for m in plan.metrics], plan.labels, (), str(manifest.parent)),
            workers=engine.workers or 2, device=device, evidence="none",
        )  # fmt: skip
        out.mkdir(parents=True, exist_ok=True)
        self._layout, self._table = job.layout, out / "shard.parquet"
        self._worker = ShardWorker(job)

    def score(self, part: slice = slice(None)) -> ShardResult:
        """Decode, score and write the items as one shard."""
        return self._score_items(self._items[part])

    def score_items(self, manifest: Path) -> ShardResult:
        """The same with all items of another manifest."""
        return self._score_items(read_manifest(manifest).items)

    def _score_items(self, items: Sequence[EditItem]) -> ShardResult:
        (shard,) = cut_into_shards(items, len(items))
        result = self._worker.score(shard)
        write_parquet(self._layout.to_table(result.scored), self._table)
        return result


def forget() -> None:
    """Empty what models remember of pictures and texts: a repetition is timed as the first pass that it stands for."""
    for one in gc.get_objects():
        if issubclass(type(one), Remembered | TextMemory):  # isinstance() asks lazy modules for their class
            one.clear()


def values_of(result: ShardResult) -> dict[str, dict[str, float]]:
    """Item → column → value, missing ones left out."""
    return {
        scored.item.id: {name: m.value for name, m in scored.measurements.items() if m.value is not None}
        for scored in result.scored
    }


class FloorStage:
    """One model's calls alone, in the best of several ways.

    Args:
        name: what is said of it.
        ways: for one call at a time on all cores, and for one on each core: the call, and how many at a time.
        count: items.
    """

    def __init__(self, name: str, ways: Sequence[tuple[Call, int]], count: int) -> None:
        self.name, self._count = name, count
        timed = []
        for call, at_once in ways:
            for batch in (size for size in (1, 4, 16) if size * at_once <= count):
                self._call, self.batch, self.at_once = call, batch, at_once
                self.seconds_per_item()
                timed.append((min(self.seconds_per_item() for _ in range(2)), call, batch, at_once))
        _, self._call, self.batch, self.at_once = min(timed, key=lambda way: way[0])

    def seconds_per_item(self) -> float:
        """One pass over all items."""
        forget()
        parts = [slice(start, min(start + self.batch, self._count)) for start in range(0, self._count, self.batch)]
        threads = (os.cpu_count() or 1) // self.at_once
        with ThreadPoolExecutor(self.at_once, initializer=bound_threads, initargs=(threads,)) as pool:
            started = time.perf_counter()
            list(pool.map(self._call, parts))
            return (time.perf_counter() - started) / self._count


def floor(config: Config, manifest: Path, count: int, threads: int) -> list[FloorStage]:
    """The model calls that no order of work avoids, at the profile's dtypes.

    S and E through each picture model, the pair through the perceptual one, each distinct text once. Decoding, the
    pixel metrics, the table and all that the full profile adds are not in it.
    """
    from bench_set import read_rgb

    items = read_manifest(manifest).items[:count]
    sources, edited = ([read_rgb(Path(getattr(item, side))) for item in items] for side in ("source", "edited"))
    texts = sorted({t for i in items for t in (i.instruction, i.source_caption, i.target_caption) if t is not None})
    stages = []
    for role in sorted(set(config.backends) & {"clip", "conse", "perceptual", "safety", "faces"}):
        ways: dict[str, list[tuple[Call, int]]] = defaultdict(list)
        for at_once in sorted({1, threads}):
            section = config.backends[role]
            backend: Any = build_backend(role, section, device="cpu", threads=threads // at_once, wants=())
            if at_once == 1 or getattr(backend, "reentrant", False):
                for name, call in _calls(role, backend, sources, edited, texts).items():
                    ways[name].append((call, at_once))
        stages += [FloorStage(name, found, count) for name, found in ways.items()]
    return stages


def _calls(role: str, backend: Any, sources: list[Any], edited: list[Any], texts: list[str]) -> dict[str, Call]:
    def pair(part: slice) -> Any:
        return backend.compare(sources[part], edited[part], [None] * len(sources[part]))

    def images(part: slice) -> Any:
        method = {"safety": "probabilities", "faces": "find_faces"}.get(role, "encode_images")
        return getattr(backend, method)(sources[part] + edited[part])

    def words(part: slice) -> Any:
        share = len(texts) / len(sources)
        chosen = texts[int(part.start * share) : int(part.stop * share)]
        return backend.encode_texts(chosen) if chosen else None

    if role == "perceptual":
        return {"perceptual": pair}
    return {f"{role} pictures": images, f"{role} texts": words} if role in ("clip", "conse") else {role: images}
