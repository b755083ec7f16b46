"""What of a list of 16 faults a checkout has: each is tried through the command line of that checkout's code.

    python benchmarks/failed_before.py CHECKOUT [--item 7 ...]

Prints a row for each attempt, and ``fell`` where the program did not do what docs/reliability.md says today, which also
has what fell on an earlier commit. The checkout may be of any commit: nothing of this one is imported there.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from attacking import Ended, Running, call, small_set, start, write_manifest


@dataclass(frozen=True, slots=True)
class Finding:
    """One attempt: what was done, what came of it, and whether that is what it should be."""

    what: str
    got: str
    held: bool


@dataclass(frozen=True, slots=True)
class Checkout:
    """The code that is attacked, and an empty folder with a small set and a profile of stubs in ``data``."""

    code: Path
    folder: Path

    @property
    def data(self) -> Path:
        """Pictures ``s0…7.png``, ``e0…7.png``, a mask, ``manifest.jsonl`` of 160 rows, ``two.jsonl``, profiles."""
        return self.folder / "data"

    def env(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """That makes the interpreter run the checkout's code."""
        # Without PYTHONSAFEPATH the folder from which this is run would come first.
        ours = {"PYTHONPATH": str(self.code), "PYTHONSAFEPATH": "1", "XDG_STATE_HOME": str(self.folder / "state")}
        return {**ours, **(more or {})}

    def run(self, *arguments: object, env: Mapping[str, str] | None = None, before: str = "") -> Ended:
        """A verb to its end."""
        return call(*arguments, env=self.env(env), before=before)

    def begin(self, *arguments: object, before: str = "") -> Running:
        """A verb, under way."""
        return start(*arguments, env=self.env(), before=before, cwd=self.folder)

    def score(self, manifest: str, out: str, *more: object, before: str = "") -> Ended:
        """``score`` of a manifest in ``data`` into a folder of that name."""
        options = ("--config", self.data / "profile.yaml", "--out", self.folder / out)
        return self.run("score", self.data / manifest, *options, *more, before=before)

    def shell(self, script: str) -> int:
        """A line of bash in the folder, where ``$EM`` is the program; the exit code."""
        program = f"{sys.executable} -c 'from edit_metrics.cli import main; main()'"
        env = {**os.environ, **self.env()}
        done = subprocess.run(
            ["/bin/bash", "-c", script.replace("$EM", program)],
            cwd=self.folder,
            env=env,
            capture_output=True,
            check=False,
        )
        return done.returncode

    def rows(self, name: str, *rows: Mapping[str, object]) -> str:
        """A manifest of those rows beside the pictures, each with a source, an edit and an instruction of its own."""
        usual = {"source": "s0.png", "edited": "e1.png", "instruction": "x"}
        write_manifest([usual | row for row in rows], self.data / name)  # type: ignore[operator]
        return name


Attempts = Callable[[Checkout], Iterator[Finding]]


def prepared(code: Path, folder: Path) -> Checkout:
    """A checkout with its small set."""
    import numpy as np
    import yaml
    from PIL import Image

    checkout = Checkout(code, folder)
    small_set(checkout.data, 160)
    Image.fromarray(np.pad(np.full((32, 32), 255, np.uint8), 32)).save(checkout.data / "m.png")
    Image.new("L", (50, 20)).save(checkout.data / "bad.png")
    profile = yaml.safe_load((checkout.data / "profile.yaml").read_text())
    profile["dimensions"]["preservation"]["curves"]["psnr"]["anchors"] = [[0, 0], [20, 1]]
    (checkout.data / "other.yaml").write_text(yaml.safe_dump(profile))
    checkout.rows("two.jsonl", {"id": "a", "mask": "m.png"}, {"id": "b", "source": "s2.png", "mask": "m.png"})
    lines = (checkout.data / "manifest.jsonl").read_text().replace('"instruction"', '"mask": "m.png", "instruction"')
    (checkout.data / "manifest.jsonl").write_text(lines)
    return checkout


def main() -> int:
    """Try each item, print what came of it."""
    from old_faults import ITEMS
    from old_faults_more import MORE

    items = ITEMS | MORE
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--item", type=int, action="append", choices=sorted(items), help="default: all")
    arguments = parser.parse_args()
    code = arguments.checkout.resolve()
    if not (code / "edit_metrics").is_dir():
        parser.error(f"no edit_metrics/ in {code}")
    print("| item | tried | got | |\n|---|---|---|---|")
    fell = 0
    for number in arguments.item or sorted(items):
        with tempfile.TemporaryDirectory(prefix="before-") as folder:
            for finding in _tried(items[number], prepared(code, Path(folder).resolve())):
                fell += not finding.held
                row = (number, finding.what, finding.got, "held" if finding.held else "**fell**")
                print(f"| {' | '.join(map(str, row))} |", flush=True)
    return 1 if fell else 0


def _tried(attempts: Attempts, checkout: Checkout) -> Iterator[Finding]:
    try:
        yield from attempts(checkout)
    except Exception:  # what it looks for is not there
        last = traceback.format_exc().strip().splitlines()[-1]
        yield Finding("(the rest)", last.replace("|", "/")[:150], False)


if __name__ == "__main__":
    sys.exit(main())
