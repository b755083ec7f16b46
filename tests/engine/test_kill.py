"""A real kill −9 in the middle of a run, and a real Ctrl-C, of the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

ITEMS = 256

PROFILE = {
    "profile": "kill",
    "backends": {"perceptual": {"use": "stub"}},
    "engine": {"shard_size": 16, "batch_size": 8},
    "dimensions": {
        "preservation": {"metrics": ["psnr", "ssim"], "curves": {"psnr": {"anchors": [[10, 0], [50, 1]]}}},
        "quality": {"metrics": ["blur_edited", "noise_sigma_edited"]},
    },
}


@pytest.fixture
def command(tmp_path: Path, rng: np.random.Generator) -> list[str]:
    """`edit-metrics score` on 256 items of 16 pictures."""
    for number in range(16):
        noise = rng.integers(0, 256, (12, 12, 3), dtype=np.uint8)
        Image.fromarray(noise).resize((96, 96)).save(tmp_path / f"s{number}.png")
        Image.fromarray(noise ^ 1).resize((96, 96)).save(tmp_path / f"e{number}.png")
    Image.fromarray(np.pad(np.full((32, 32), 255, np.uint8), 32)).save(tmp_path / "m.png")
    rows = [
        {"id": f"i{n}", "source": f"s{n % 16}.png", "edited": f"e{n * 7 % 16}.png", "mask": "m.png", "instruction": "x"}
        for n in range(ITEMS)
    ]
    (tmp_path / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "profile.yaml").write_text(yaml.safe_dump(PROFILE))
    program = [sys.executable, "-c", "from edit_metrics.cli import main; main()"]
    return [*program, "score", str(tmp_path / "manifest.jsonl"), "--config", str(tmp_path / "profile.yaml"), "--out"]


def start(command: list[str], out: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([*command, str(out)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def wait_for_shards(out: Path, run: subprocess.Popen[str], count: int) -> int:
    """Shards that are done once there are ``count`` of them, and the run still goes on."""
    while run.poll() is None:
        done = len(list((out / "shards").glob("*.done")))
        if done >= count:
            return done
        time.sleep(0.005)
    pytest.fail("the run ended before it could be disturbed")


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL there")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_disturbed_run_resumes_and_ends_as_an_undisturbed_one(
    command: list[str], tmp_path: Path, how: signal.Signals
) -> None:
    undisturbed = start(command, tmp_path / "whole")
    undisturbed.communicate()
    assert undisturbed.returncode == 0
    out = tmp_path / "disturbed"
    run = start(command, out)
    done = wait_for_shards(out, run, 3)
    run.send_signal(how)
    messages = run.communicate()[1]
    assert run.returncode == (-signal.SIGKILL if how is signal.SIGKILL else 4)
    assert how is signal.SIGKILL or "goes on where it stopped" in messages
    assert not (out / "scores.parquet").exists()
    resumed = start(command, out)
    messages = resumed.communicate()[1]
    assert resumed.returncode == 0
    told = int(messages.split("Resuming: ")[1].split(" ")[0])
    assert done * 16 <= told < ITEMS
    for name in ("scores.parquet", "scores.csv"):
        assert (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert len(pd.read_parquet(out / "scores.parquet")) == ITEMS
    assert not list(out.glob("**/.tmp-*")) or how is signal.SIGKILL
