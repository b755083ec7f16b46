"""The generated cases beside the repository, through the engine: no verdict is wrong, every control is decided."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "typed_checks_real.py"
DECIDED = frozenset({"near text", "shade"})
"""Families in which every right edit must be found right."""


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("typed_checks_real", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.weights
def test_no_verdict_on_a_generated_case_is_wrong(script: ModuleType) -> None:
    manifest = script.SHARED / "cases" / "checks" / "manifest.jsonl"
    if not manifest.exists():
        pytest.skip(f"{manifest} is not there")
    for _, row in script.score_checks(manifest).iterrows():
        found = script.verdict_of(row)
        if found is None:
            assert not row["control"], row["id"]
            assert row["family"] not in DECIDED, row["id"]
        else:
            assert ("right" if found[1] >= script.YES else "wrong") == row["expect"], (row["id"], found)
