"""Small edits and servers for the judge's tests."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from oracle import canary_numbers
from replay import Book, ReplayServer, look, serving

from edit_metrics.backends.chat_judge import ChatJudge, ChatPicture
from edit_metrics.judge.drawn import to_png
from edit_metrics.judge.questions import JudgedEdit
from edit_metrics.judge.template import Wording

NUMBERS = {"why": "seen", "success": 7, "untouched": 8, "natural": 6, "clean": 5}


def noise_png(seed: int, side: int = 64) -> bytes:
    """A PNG of smooth random blobs."""
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return to_png(coarse.repeat(side // 8, axis=0).repeat(side // 8, axis=1))


def make_edits(count: int) -> list[JudgedEdit]:
    """Edits with pictures of their own; two in a row share a source."""
    edits = []
    for number in range(count):
        source, edited = noise_png(number // 2), noise_png(1000 + number)
        pictures = [ChatPicture(hashlib.sha256(data).hexdigest(), lambda data=data: data) for data in (source, edited)]
        edits.append(JudgedEdit(f"e{number}", Wording(f"change number {number}"), *pictures))
    return edits


def make_book(edits: list[JudgedEdit], **numbers: Any) -> Book:
    """Answers to these edits; each differs from the next."""
    book = Book()
    for number, edit in enumerate(edits):
        answer = {**NUMBERS, "success": number % 11, **numbers}
        again = {**answer, "success": min(10, answer["success"] + 1)}
        looks = look(edit.source.load()), look(edit.edited.load())
        book.add(edit.id, edit.wording.instruction or "", *looks, {1: answer, 2: again})
    return book


@contextmanager
def served(edits: list[JudgedEdit], **options: Any) -> Iterator[tuple[ReplayServer, str]]:
    """A replay server for these edits."""
    server = ReplayServer(make_book(edits), rest=canary_numbers, **options)
    with serving(server) as url:
        yield server, url


def make_judge(url: str | list[str], **options: Any) -> ChatJudge:
    """A judge that does not wait long."""
    return ChatJudge(**({"base_url": url, "model": "replay", "attempts": 4, "concurrency": 4} | options))
