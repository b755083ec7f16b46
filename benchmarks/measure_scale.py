"""What each item costs the driver, apart from its score: for the projections of docs/scale.md.

    python benchmarks/measure_scale.py [--items 20000] [--profile embedded]

Writes a manifest of that many rows and score shards in the profile's own columns (made-up values), and reads, checks,
sends and merges them by the code that a run uses. No pictures, no models.
"""

from __future__ import annotations

import argparse
import json
import pickle
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa

from edit_metrics.config import load_config
from edit_metrics.engine.folder import RunFolder
from edit_metrics.engine.kept import Kept
from edit_metrics.engine.plan import Plan, build_plan
from edit_metrics.engine.run import order_for_people
from edit_metrics.engine.shard_files import Part
from edit_metrics.engine.shards import Shard, cut_into_shards
from edit_metrics.io.manifest import Manifest, read_manifest
from edit_metrics.scores.rows import TableLayout
from edit_metrics.scores.signatures import Signature

RSS_UNIT = 1 if sys.platform == "darwin" else 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--profile", default="embedded")
    options = parser.parse_args()
    plan = build_plan(load_config(options.profile))
    with tempfile.TemporaryDirectory() as folder:
        _measure(Path(folder), options.items, plan)


def _measure(folder: Path, items: int, plan: Plan) -> None:
    path = folder / "manifest.jsonl"
    _write_manifest(path, items)
    print(f"{items} items; per item:")
    print(f"  manifest line                       {path.stat().st_size / items:10.0f} bytes")
    held = _resident()
    with _timed("reading and checking the manifest", items):
        manifest = read_manifest(path)
    print(f"  EditItem, held by the driver        {(_resident() - held) / items:10.0f} bytes")
    with _timed("looking at its files (absent ones)", items):
        shards = cut_into_shards(manifest.items, plan.config.engine.shard_size)
    print(f"  as sent to a worker                 {sum(len(pickle.dumps(s)) for s in shards) / items:10.0f} bytes")
    _measure_merge(RunFolder(folder / "run"), manifest, shards, plan)


def _measure_merge(run: RunFolder, manifest: Manifest, shards: list[Shard], plan: Plan) -> None:
    items = len(manifest.items)
    layout = TableLayout.of([m.name for m in plan.metrics], plan.labels, manifest.items, manifest.root)
    run.open(Signature.of({}), [shard.name for shard in shards])
    with _timed("committing shards", items):
        parts = [Part(shard.name, run.files.commit(shard, _made_up(layout.stored, shard), [], {})) for shard in shards]
    with _timed("looking at committed shards, as a resumed run does", items):
        run.files.parts()
    peak = _peak()
    schema = layout.schema
    with _timed("merging into scores.parquet and .csv", items):
        tags = [tag for shard in shards for tag in shard.tags]
        kept = Kept(manifest.items, tags, parts, settled=False)
        order = order_for_people(run, kept, plan.config)
        schema = pa.schema([*schema, *order.schema])
        run.write_tables([_rows(run, kept, layout, order) for _ in range(3)], schema, [])
    print(f"  more memory at the merge's peak     {(_peak() - peak) / items:10.0f} bytes")
    print(f"  scores.parquet, {len(schema):4d} columns         {run.scores.stat().st_size / items:10.0f} bytes")
    print(f"  scores.csv                          {run.scores_csv.stat().st_size / items:10.0f} bytes")


def _rows(run: RunFolder, kept: Kept, layout: TableLayout, order: pa.Table) -> Iterator[pa.Table]:
    start = 0
    for items, stored in kept.rows(run.files, layout.stored.names, 256):
        table = layout.complete(items, stored)
        for field in order.schema:
            table = table.append_column(field, order.column(field.name).slice(start, len(items)))
        start += len(items)
        yield table


def _write_manifest(path: Path, items: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        for n in range(items):
            row = {
                "id": f"item_{n:09d}",
                "source": f"images/{n // 5:09d}_source.png",
                "edited": f"images/{n:09d}_edited.png",
                "mask": f"masks/{n // 5:09d}.png",
                "instruction": "Make the saucer on the table green and keep everything else as it is",
                "edit_type": "recolour",
                "model": f"model_{n % 5}",
                "seed": n,
            }
            file.write(json.dumps(row) + "\n")


def _made_up(schema: pa.Schema, shard: Shard) -> pa.Table:
    """Random numbers, ``ok`` as every status, and texts as short as codes are."""
    rng = np.random.default_rng(shard.index)
    count = len(shard.items)
    makers: list[tuple[Callable[[pa.DataType], bool], Callable[[str], list[object]]]] = [
        (pa.types.is_floating, lambda _: list(rng.random(count))),
        (pa.types.is_integer, lambda _: [item.row for item in shard.items]),
        (pa.types.is_boolean, lambda _: [False] * count),
        (
            pa.types.is_string,
            lambda name: [item.id if name == "id" else _text(name, item.row) for item in shard.items],
        ),
    ]
    columns = []
    for field in schema:
        maker = next((make for fits, make in makers if fits(field.type)), None)
        columns.append(pa.array(maker(field.name) if maker else [None] * count, field.type))
    return pa.Table.from_arrays(columns, schema=schema)


def _text(name: str, row: int) -> str:
    if name.endswith(".status"):
        return "ok"
    if name.endswith((".reason", ".reasons")) or name == "flags":
        return ""
    return f"{name}-{row // 5:09d}"


@contextmanager
def _timed(words: str, items: int) -> Iterator[None]:
    # Processor time: the machine may be busy with other work.
    started = time.process_time()
    yield
    print(f"  {words:<36}{(time.process_time() - started) / items * 1e6:10.0f} µs of one core")


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_UNIT


if __name__ == "__main__":
    main()
