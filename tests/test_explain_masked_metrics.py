"""The page on masked metrics holds what its script prints, and the script's arithmetic holds."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "why-masked-metrics-differ.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    path = ROOT / "benchmarks" / "explain_masked_metrics.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def values(block: str) -> dict[str, float]:
    """Letter → number, of the lines that a letter names."""
    found = re.findall(r"\((\w)\) \w[^\n]*? (-?\d+\.\d{4})(?: dB)?$", block, re.MULTILINE)
    return {letter: float(number) for letter, number in found}


def test_the_page_holds_what_the_script_prints_of_the_fixtures(script: ModuleType) -> None:
    blocks = [script.explain(pair) for pair in script.fixture_pairs()]
    assert len(blocks) == 2
    for block in blocks:
        assert block in PAGE


def test_the_page_holds_what_the_script_prints_of_a_real_edit(script: ModuleType, shared_data: Path) -> None:
    assert script.explain(script.real_pair(shared_data)) in PAGE


def test_each_convention_follows_from_the_honest_value(script: ModuleType) -> None:
    own, half = (values(script.explain(pair)) for pair in script.fixture_pairs())
    for found in (own, half):
        assert found["d"] == pytest.approx(found["b"] + found["c"], abs=2e-4)
        assert found["a"] - found["e"] == pytest.approx(4.7712, abs=2e-4)
        assert found["h"] > found["f"] + 0.1, "the inside counts as perfect"
    assert half["c"] == pytest.approx(3.01, abs=0.06), "half the frame, less its outermost pixels"
    assert half["d"] - half["e"] == pytest.approx(7.78, abs=0.05)
