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

from edit_metrics.config import load_config
from edit_metrics.engine.job import RunOptions, Silent
from edit_metrics.engine.run import run as run_here
from edit_metrics.io.manifest import read_manifest

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


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """256 items of 16 pictures, their profile, and the folder `whole` of a run that nobody disturbed."""
    folder, rng = tmp_path_factory.mktemp("kill"), np.random.default_rng(20240917)
    for number in range(16):
        noise = rng.integers(0, 256, (12, 12, 3), dtype=np.uint8)
        Image.fromarray(noise).resize((96, 96)).save(folder / f"s{number}.png")
        Image.fromarray(noise ^ 1).resize((96, 96)).save(folder / f"e{number}.png")
    Image.fromarray(np.pad(np.full((32, 32), 255, np.uint8), 32)).save(folder / "m.png")
    rows = [
        {"id": f"i{n}", "source": f"s{n % 16}.png", "edited": f"e{n * 7 % 16}.png", "mask": "m.png", "instruction": "x"}
        for n in range(ITEMS)
    ]
    (folder / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "profile.yaml").write_text(yaml.safe_dump(PROFILE))
    config = load_config(file=folder / "profile.yaml")
    run_here(read_manifest(folder / "manifest.jsonl"), config, RunOptions(out=folder / "whole"), Silent())
    return folder


def start(data: Path, out: Path) -> subprocess.Popen[str]:
    """`edit-metrics score` in a process."""
    program = [sys.executable, "-c", "from edit_metrics.cli import main; main()", "score"]
    arguments = [str(data / "manifest.jsonl"), "--config", str(data / "profile.yaml"), "--out", str(out)]
    return subprocess.Popen([*program, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


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
    data: Path, tmp_path: Path, how: signal.Signals
) -> None:
    out = tmp_path / "disturbed"
    run = start(data, out)
    done = wait_for_shards(out, run, 3)
    run.send_signal(how)
    messages = run.communicate()[1]
    assert run.returncode == (-signal.SIGKILL if how is signal.SIGKILL else 4)
    assert how is signal.SIGKILL or "goes on where it stopped" in messages
    assert not (out / "scores.parquet").exists()
    resumed = start(data, out)
    messages = resumed.communicate()[1]
    assert resumed.returncode == 0
    told = int(messages.split("Resuming: ")[1].split(" ")[0])
    assert done * 16 <= told < ITEMS
    for name in ("scores.parquet", "scores.csv"):
        assert (out / name).read_bytes() == (data / "whole" / name).read_bytes()
    assert len(pd.read_parquet(out / "scores.parquet")) == ITEMS
    assert not list(out.glob("**/.tmp-*")) or how is signal.SIGKILL
