"""A slice of the long attacks on pictures, rows, tables and options (docs/reliability.md has the whole)."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SLICE = {"decoder": 100, "masks": 60, "pictures_in_a_run": 50, "rows": 3, "verbs": 40, "numbers": 30}


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
    import attack_pictures
    import attack_tables

    assert {*attack_pictures.FAMILIES, *attack_tables.FAMILIES} == set(SLICE)
    assert attack_tables.__file__ in {str(path) for path in (ROOT / "benchmarks").glob("attack_*.py")}
    sys.modules.pop("attack_pictures")
    sys.modules.pop("attack_tables")
