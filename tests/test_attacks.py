"""A slice of benchmarks/attacks.py: every family is found, and those that take seconds hold."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"
TRIES = {"strangers": 1, "damage": 1, "neighbours": 1, "manifests": 1, "disk-full": 1}
"""Of the families whose calls are short (kills: tests/engine/test_kill.py); docs/reliability.md has more of all."""


@pytest.fixture(autouse=True)
def beside_the_attacks() -> Iterator[None]:
    sys.path.insert(0, str(BENCHMARKS))
    yield
    sys.path.remove(str(BENCHMARKS))


def test_every_family_says_what_it_does() -> None:
    from attacks import families

    found = families()
    assert set(TRIES) <= set(found)
    assert all((family.__doc__ or "").strip() for family in found.values())


@pytest.mark.parametrize("name", TRIES)
def test_the_program_keeps_its_word_under_attack(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import attack_folder
    import attack_world
    from attacks import attack, row_of

    monkeypatch.setattr(attack_folder, "ITEMS", 64)  # eight shards
    monkeypatch.setattr(attack_world, "ITEMS", 40)

    outcomes = attack(name, seed=1, tries=TRIES[name])
    assert outcomes
    assert all(one.tries > 0 for one in outcomes)
    assert not [row_of(name, one) for one in outcomes if not one.held or one.lost != "nothing"]
