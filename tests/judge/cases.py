"""Small edits and servers for the judge's tests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from click.testing import Result
from oracle import canary_numbers
from replay import Book, ReplayServer, look, serving
from typer.testing import CliRunner

from edit_metrics.backends.chat_judge import ChatJudge, ChatPicture
from edit_metrics.cli import app
from edit_metrics.config import validate_config
from edit_metrics.engine.job import RunOptions, Silent
from edit_metrics.engine.run import run
from edit_metrics.io.manifest import read_manifest
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


CHEAP = {
    "profile": "cheap",
    "dimensions": {
        "feasibility": {"metrics": ["verdict"], "curves": {"verdict": {"anchors": [[0, 0], [1, 1]]}}},
        "adherence": {"metrics": ["no_op"], "gates": {"no_op": {"above": 1, "score": 0, "confidence": 0.9}}},
    },
    "flags": {"no_op": {"metric": "adherence.no_op", "above": 1}},
}
"""A profile that takes milliseconds an item; what a judge adds to it is all that is under test."""


def write_scored(folder: Path, edits: list[JudgedEdit], *, no_ops: int = 0, **columns: list[Any]) -> Path:
    """A run folder of these edits, scored for real; the last ``no_ops`` edits are copies of their sources."""
    rows = []
    for number, edit in enumerate(edits):
        unchanged = number >= len(edits) - no_ops
        pictures = {"source": edit.source, "edited": edit.source if unchanged else edit.edited}
        for name, picture in pictures.items():
            file = folder / "pictures" / f"{edit.id}_{name}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(picture.load())
        row = {name: f"pictures/{edit.id}_{name}.png" for name in pictures}
        rows.append({"id": edit.id, **row, "instruction": edit.wording.instruction})
        rows[-1] |= {name: values[number] for name, values in columns.items()}
    manifest = folder / "manifest.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    out = folder / "run"
    run(read_manifest(str(manifest)), validate_config(CHEAP, "tests"), RunOptions(out), Silent())
    return out


def edit_metrics(*arguments: object, exit_code: int = 0) -> Result:
    """The command line, as a program runs it, in this process."""
    found = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=True)
    code = getattr(found.exception, "exit_code", found.exit_code)
    assert code == exit_code, (found.output, found.stderr, found.exception, found.exc_info)
    return found
