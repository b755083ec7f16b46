"""Where the time of `score` on one item goes: `python benchmarks/bench_startup.py STARTED MANIFEST OUT` prints JSON.

STARTED is ``time.monotonic()`` of the process that starts this one, just before.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_seconds: dict[str, float] = {}


def main() -> None:
    started, manifest_path, out = float(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    _seconds["Python itself"] = time.monotonic() - started
    before = time.monotonic()
    from edit_metrics.config import load_config
    from edit_metrics.engine import job, run
    from edit_metrics.io.manifest import read_manifest

    _seconds["imports, without torch"] = time.monotonic() - before
    for module, name, what in (
        (job, "build_plan", "plan"),
        (run, "build_plan", "plan"),
        (run, "_signatures", "weights found, signature"),
    ):
        setattr(module, name, _timed(getattr(module, name), what))
    build = job.build_backend

    def build_timed(role: str, *arguments: Any, **options: Any) -> Any:
        return _timed(build, f"model of the role {role}")(role, *arguments, **options)

    job.build_backend = build_timed
    job.Scorer.score_shard = _timed(job.Scorer.score_shard, "the item")  # type: ignore[method-assign]
    config = _timed(load_config, "profile")("embedded")
    manifest = _timed(read_manifest, "manifest")(manifest_path)
    _timed(importlib.import_module, "import of torch")("torch")
    before = time.monotonic()
    inside = sum(_seconds.values())
    run.run(manifest, config, job.RunOptions(out=out), job.Silent())
    _seconds["shard, table, run.json"] = time.monotonic() - before - (sum(_seconds.values()) - inside)
    print(json.dumps({"seconds": time.monotonic() - started, "steps": _seconds}))


def _timed(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    def call(*arguments: Any, **options: Any) -> Any:
        before, nested = time.monotonic(), sum(_seconds.values())
        result = function(*arguments, **options)
        own = time.monotonic() - before - (sum(_seconds.values()) - nested)
        _seconds[name] = _seconds.get(name, 0.0) + own
        return result

    return call


if __name__ == "__main__":
    main()
