"""docs/performance.md from the figures that `benchmarks/bench.py --results` leaves behind."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Record = Mapping[str, Any]

_HEAD = """# Performance

Every figure on this page was printed by the command that stands over it; `benchmarks/bench.py --page` writes it. Times
are wall-clock unless CPU is said. `ratio` is the plain combination over ours for the same measures, pair by pair over
repetitions that alternate between the two in one process: median, and lowest to highest. The plain combination is what
a user would put together from the usual libraries, one item at a time in float32, on the same weights
(`benchmarks/bench_plain*.py`).
"""
_NOT_MEASURED = """## Not measured

* **GPU, since pixel measures run on it.** What is known is in [gpu.md](gpu.md): one H100 before that, and the command
  that measures again.
* **bfloat16 of CLIP, ViT and DINO on trained weights.** None could be had where this was measured, so the `clip`
  profile runs them in float32. `python benchmarks/measure_precision.py MANIFEST --profile clip` prints the table
  that decides; `--set backends.clip.dtype=bfloat16`, and the same for `safety` and `patches`, turns it on.
* **SFace.** Its checkpoint was not at hand; a stand-in takes its place on both sides.
"""


def write_page(results: Path, page: Path) -> None:
    """Write the page from whatever results there are; what was not run is not shown.

    Args:
        results: folder of ``compare-*.json`` and ``scaling-*.json``; ``notes.md`` and ``precision.md`` are taken over.
        page: the Markdown file.
    """
    parts = [_HEAD]
    for path in sorted(
        results.glob("compare-*.json"),
        key=lambda path: (any(name in path.name for name in ("clip", "default")), path.name),
    ):
        parts.append(_comparison(json.loads(path.read_text())))
    parts += [_peers(json.loads(path.read_text())) for path in sorted(results.glob("peers-*.json"), key=_by_side)]
    for name, write in _SCALINGS.items():
        for path in sorted(results.glob(f"scaling-{name}*.json"), key=lambda path: (len(path.name), path.name)):
            parts.append(write(json.loads(path.read_text())))
    parts += [path.read_text() for name in ("precision.md", "notes.md") if (path := results / name).exists()]
    page.write_text("\n".join([*(part.rstrip() + "\n" for part in parts), _NOT_MEASURED]))


def _comparison(record: Record) -> str:
    options = f"--profile {record['profile']}" + (f" --dtype {record['dtype']}" if record["dtype"] else "")
    options += _side(record)
    options += f" --items {record['items']}" if record["items"] != 32 else ""
    options += " --detector YUNET.onnx" if record["profile"] in ("clip", "default") else ""
    title = f"`{record['profile']}`" + (f", every torch model in {record['dtype']}" if record["dtype"] else "")
    side = record.get("side", 512)
    title += _at(record)
    lines = [
        f"## {title}",
        "",
        f"`python benchmarks/bench.py {options}`: {record['items']} pairs of {side}×{side} (scikit-image's pictures), "
        f"{record['repetitions']} repetitions, {_where(record['machine'])}.",
        "",
        "| | items/s | ms an item (range) | CPU ms an item | plain ÷ this (range) | by CPU time | peak MiB |",
        "|---|---|---|---|---|---|---|",
    ]
    names = {"plain": "plain combination", "same": "ours, same measures", "full": "ours, whole profile"}
    for key, name in names.items():
        wall, cpu = record["seconds_per_item"][key], record["cpu_seconds_per_item"][key]
        peak = record["peak_memory_mib"].get(key, "")
        ratio, by_cpu = "", ""
        if key != "plain":
            found = record["ratio"][key]
            ratio = f"**{found['median']:.2f}** ({found['lowest']:.2f}–{found['highest']:.2f})"
            by_cpu = f"{record['cpu_ratio'][key]['median']:.2f}"
        spread = f"{1e3 * wall['median']:.0f} ({1e3 * wall['lowest']:.0f}–{1e3 * wall['highest']:.0f})"
        cells = (name, f"{1 / wall['median']:.2f}", spread, f"{1e3 * cpu['median']:.0f}", ratio, by_cpu, str(peak))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, "", *_stages(record), *_floor(record), *_differences(record)])


def _where(machine: Mapping[str, Any]) -> str:
    bf16 = " with AVX-512 bf16" if machine["bf16"] else ""
    return (
        f"{machine['cores']} cores of {machine['cpu']}{bf16}, {machine['memory_gib']} GiB; other processes kept "
        f"{machine['busy_with_others']} cores busy meanwhile"
    )


def _stages(record: Record) -> list[str]:
    lines = ["Where the time goes, ms an item; ours overlap, since two micro-batches are under way at a time:", ""]
    for key, stages in record["stages"].items():
        shown = ", ".join(f"{name} {1e3 * value:.0f}" for name, value in stages.items() if value >= 1e-3)
        lines.append(f"* {key}: {shown}")
    return [*lines, ""]


def _floor(record: Record) -> list[str]:
    stages, ratio = record["floor"], record["floor_ratio"]
    total = sum(stage["seconds"] for stage in stages.values())
    shown = ", ".join(
        f"{name} {1e3 * stage['seconds']:.0f} (batches of {stage['batch']}, {stage['at_once']} at once)"
        for name, stage in stages.items()
    )
    return [
        f"Floor: the model calls alone, in the best of batches of 1, 4 and 16 on all cores or one on each, the "
        f"profile's dtypes, no decoding and no pixel metrics: {shown}; together {1e3 * total:.0f} ms an item. "
        f"Ours takes **{ratio['median']:.2f}** ({ratio['lowest']:.2f}–{ratio['highest']:.2f}) times that for the same "
        "measures.",
        "",
    ]


def _differences(record: Record) -> list[str]:
    lines = [
        "Largest difference between ours and the plain combination:",
        "",
        "| column | largest | items |",
        "|---|---|---|",
    ]
    for column, entry in record["differences"].items():
        lines.append(f"| `{column}` | {entry['largest']:.1e} | {entry['items']} |")
    return [*lines, ""]


def _runs(title: str, command: str, head: str) -> Any:
    def write(record: Record) -> str:
        lines = [f"## {title}", "", f"`python benchmarks/bench.py --scaling {command}{_side(record)}`", ""]
        warm = any("warm_ms" in run for run in record["runs"].values())
        lines += [
            f"| {head} | items | whole process, s | models, s | rest of the run, s | rest: ms an item | peak MiB |"
            + (" loaded and warm: ms an item |" if warm else ""),
            "|---" * (8 if warm else 7) + "|",
        ]
        for name, run in record["runs"].items():
            lines.append(
                f"| {name} | {run['items']} | {run['process_seconds']:.1f} | {run['loading']:.1f} | "
                f"{run['scoring']:.1f} | {1e3 * run['scoring'] / run['items']:.1f} | {run['peak_mib']} |"
                + (f" {run['warm_ms']:.0f} |" if warm else "")
            )
        return "\n".join([*lines, ""])

    return write


def _by_side(path: Path) -> int:
    return int(path.stem.rsplit("-", 1)[1])


def _peers(record: Record) -> str:
    from bench_peers import table

    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    lines = [
        f"## Beside torchmetrics and pyiqa{_at(record)}",
        "",
        f"`python benchmarks/bench_peers.py{_side(record)}`: {record['items']} pairs, {record['repetitions']} "
        f"repetitions; {versions}; {_where(record['machine'])}.",
        "Pictures are given as uint8 arrays, conversion and all, and LPIPS runs on one AlexNet everywhere. CLIP score "
        "and CLIP-IQA are not in it: no trained weights could be had where this was measured; on random ones the CLIP "
        "columns equal open_clip's.",
        "",
        *table(record),
    ]
    return "\n".join([*lines, ""])


def _side(record: Record) -> str:
    return f" --side {record['side']}" if record.get("side", 512) != 512 else ""


def _ray(record: Record) -> str:
    lines = [
        "## Ray",
        "",
        f"`python benchmarks/bench.py --scaling ray{_side(record)}`: processes of their own, models and all; items/s "
        "after each worker's first shard, that is, without the start.",
        "",
        "| | items | whole process, s | items/s, once it runs |",
        "|---|---|---|---|",
    ]
    for name, run in record["runs"].items():
        lines.append(f"| {name} | {run['items']} | {run['process_seconds']:.1f} | {run['items_per_second']:.2f} |")
    return "\n".join([*lines, ""])


def _startup(record: Record) -> str:
    steps = [f"| {name} | {seconds:.2f} |" for name, seconds in record["steps"].items()]
    lines = [
        "## Start-up",
        "",
        f"`python benchmarks/bench.py --scaling startup`: `edit-metrics --help` takes {record['help_seconds']:.2f} s. "
        f"Scoring one item of 512² with `embedded`, weights in the cache of models, takes {record['seconds']:.2f} s:",
        "",
        "| step | s |",
        "|---|---|",
        *steps,
        "",
    ]
    return "\n".join(lines)


def _cache(record: Record) -> str:
    dtype = f", every torch model in {record['dtype']}" if record.get("dtype") else ""
    options = "" if record["profile"] == "embedded" else f" --profile {record['profile']}"
    options += f" --dtype {record['dtype']}" if record.get("dtype") else ""
    options += _side(record)
    options += f" --items {record['items']}" if record["items"] != 48 else ""
    options += " --detector YUNET.onnx" if record["profile"] in ("clip", "default") else ""
    lines = [
        f"## Five checkpoints on one benchmark, `{record['profile']}`{dtype}{_at(record)}",
        "",
        f"`python benchmarks/bench.py --scaling cache{options}`: {record['items']} sources, five edited pictures each, "
        "models loaded; ms an item by checkpoint. The plain combination has no memory: it is timed on the first.",
        "",
        "| | 1 | 2 | 3 | 4 | 5 | first ÷ each, of the second to the fifth | plain ÷ ours over all five |",
        "|---|---|---|---|---|---|---|---|",
    ]
    plain = record["seconds_per_item"]["plain"][0]
    for name, several in record["seconds_per_item"].items():
        cells = " | ".join(f"{1e3 * one:.0f}" for one in several) + " |" * (6 - len(several))
        ratios = "" if name == "plain" else f" {_over(several)} | {5 * plain / sum(several):.2f} |"
        lines.append(f"| {name} | {cells}{ratios or ' |'}")
    return "\n".join([*lines, ""])


def _over(several: Sequence[float]) -> str:
    return ", ".join(f"{several[0] / one:.2f}" for one in several[1:])


def _at(record: Record) -> str:
    return f", {record['side']}²" if record.get("side", 512) != 512 else ""


_SCALINGS = {
    "cache": _cache,
    "items": _runs("Items", "items", "run"),
    "size": _runs("Picture size", "size", "side, px"),
    "workers": _runs("Workers", "workers", "workers"),
    "ray": _ray,
    "startup": _startup,
    "resume": _runs("Resuming", "resume", "run"),
}
