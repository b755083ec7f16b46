"""Preparing pictures in threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import torch

from edit_metrics.backends.preprocess import map_in_threads


def test_results_come_in_the_order_of_the_items() -> None:
    assert map_in_threads(lambda x: x * x, list(range(50))) == [x * x for x in range(50)]
    assert map_in_threads(str, [1]) == ["1"]
    assert map_in_threads(str, []) == []


def test_an_error_in_one_item_reaches_the_caller() -> None:
    with pytest.raises(ZeroDivisionError):
        map_in_threads(lambda x: 1 / x, [1, 0, 2])


def test_several_items_are_worked_on_outside_the_calling_thread() -> None:
    caller = threading.get_ident()
    assert caller not in map_in_threads(lambda _: threading.get_ident(), [0, 1, 2])


@pytest.fixture
def own_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("threads", [1, 3, 2])
def test_torch_has_the_callers_threads_in_there(own_threads: None, threads: int) -> None:
    torch.set_num_threads(threads)
    assert map_in_threads(lambda _: torch.get_num_threads(), [0, 1, 2]) == [threads] * 3
