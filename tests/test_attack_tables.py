"""A slice of the long attacks on pictures, tables and the gate's exit code; docs/reliability.md has the whole."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SLICE = {
    "decoder": 100, "masks": 60, "pictures_in_a_run": 50, "rows": 2, "verbs": 30, "numbers": 20, "faults_anywhere": 2,
}  # fmt: skip


@pytest.mark.parametrize("name", SLICE)
def test_the_program_keeps_its_word_under_attack(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    from attacking import Attack
    from attacks import families

    (tmp_path / "attack").mkdir()
    attack = Attack(random.Random(f"{name} slice"), SLICE[name], tmp_path / "attack")
    for outcome in families()[name](attack):
        assert outcome.held, f"{outcome.fault}: {outcome.happened}; {outcome.lost}"
        assert outcome.tries > 0


def test_every_family_has_a_slice_here_or_is_somebody_elses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from attacks import families

    own = ("attack_pictures", "attack_tables", "attack_faults")
    assert {name for name, one in families().items() if one.__module__ in own} == {
        *SLICE,
        "places",  # tests/cli/test_failing.py
        "faults_everywhere",  # minutes
    }
