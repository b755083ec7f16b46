"""Fixtures that every test module may use."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell has what it starts in the background ignore Ctrl-C, and so would every process that a test interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real edits, faces and ratings that lies outside the repository; skips where it is absent."""
    folder = Path(os.environ.get("EDIT_METRICS_SHARED", ROOT.parent / "shared" / "data"))
    if not (folder / "triples.jsonl").is_file():
        pytest.skip(f"real data not found at {folder}; set EDIT_METRICS_SHARED to its folder")
    return folder


@pytest.fixture
def rng() -> np.random.Generator:
    """A seeded generator: the same numbers in every run."""
    return np.random.default_rng(20240917)
