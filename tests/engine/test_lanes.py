"""Micro-batches that are under way at a time do not disturb each other."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest

from edit_metrics.backends.factory import build_backend
from edit_metrics.config import Config
from edit_metrics.engine.plan import build_plan
from edit_metrics.engine.scoring import Scorer
from edit_metrics.io.manifest import Manifest
from edit_metrics.types import RGB


class Watched:
    """A backend that notes how many threads are inside it."""

    def __init__(self, inner: Any, *, reentrant: bool) -> None:
        self._inner, self.reentrant = inner, reentrant
        self._inside = 0
        self._lock = threading.Lock()
        self.most = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def probabilities(self, images: Sequence[RGB]) -> Any:
        with self._lock:
            self._inside += 1
            self.most = max(self.most, self._inside)
        time.sleep(0.05)
        with self._lock:
            self._inside -= 1
        return self._inner.probabilities(images)


def score(config: Config, manifest: Manifest, *, lanes: int, reentrant: bool = False) -> tuple[Any, Watched]:
    plan = build_plan(config)
    backends = {role: build_backend(role, config.backends[role]) for role in plan.roles}
    watched = Watched(backends["safety"], reentrant=reentrant)
    scorer = Scorer(plan, {**backends, "safety": watched}, workers=3, lanes=lanes)
    return scorer.score_shard(manifest.items).scored, watched


def test_the_number_of_lanes_changes_no_value_and_no_order(stub_config: Config, fixtures_manifest: Manifest) -> None:
    alone, _ = score(stub_config, fixtures_manifest, lanes=1)
    three, _ = score(stub_config, fixtures_manifest, lanes=3)
    assert [scored.item.id for scored in three] == [item.id for item in fixtures_manifest.items]
    assert [scored.measurements for scored in three] == [scored.measurements for scored in alone]


@pytest.mark.parametrize("reentrant", [False, True])
def test_only_a_model_that_says_so_runs_in_several_lanes(
    stub_config: Config, fixtures_manifest: Manifest, reentrant: bool
) -> None:
    _, watched = score(stub_config, fixtures_manifest, lanes=3, reentrant=reentrant)
    assert (watched.most > 1) == reentrant


def test_an_error_in_a_lane_ends_the_shard(
    stub_config: Config, fixtures_manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise MemoryError("no room")

    monkeypatch.setattr(Scorer, "_finish", broken)
    with pytest.raises(MemoryError, match="no room"):
        score(stub_config, fixtures_manifest, lanes=2)
