"""Peak memory of one pass, in a process of its own: `python benchmarks/bench_memory.py KIND PROFILE FOLDER ITEMS …`."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path


def peak_memory(kind: str, arguments: argparse.Namespace, folder: Path, items: int = 16) -> int:
    """MiB at the peak of a fresh process that loads the models and scores some items.

    Args:
        kind: ``plain``, ``same`` or ``full``.
        arguments: the benchmark's.
        folder: its pictures and checkpoints.
        items: how many.
    """
    options = ["--profile", arguments.profile, "--folder", str(folder), "--items", str(items)]
    options += ["--side", str(arguments.side)]
    options += ["--detector", str(arguments.detector)] if arguments.detector else []
    options += ["--dtype", arguments.dtype] if arguments.dtype else []
    command = [sys.executable, __file__, kind, *options]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])


def main() -> None:
    kind = sys.argv.pop(1)
    from bench import parse, profile_config
    from bench_set import make_set

    arguments = parse()
    made = make_set(arguments.folder / f"set-{arguments.side}", arguments.items, arguments.side)
    config = profile_config(arguments, arguments.folder)
    if kind == "plain":
        from bench_plain_models import load_plain

        load_plain(config).score(made.manifest.parent, made.rows)
    else:
        from bench_ours import Ours, same_work

        Ours(same_work(config) if kind == "same" else config, made.manifest, arguments.folder / "out-memory").score()
    print(own_peak_mib())


def own_peak_mib() -> int:
    """Of this process; what ``getrusage`` says would include the process that started it."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM"))


if __name__ == "__main__":
    main()
