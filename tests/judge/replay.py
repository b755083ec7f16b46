"""A real HTTP server in place of a model: it looks a request up by its instruction and by what its pictures look like.

Answers come from a book: recorded ones (``rated_edits/judge.jsonl``), or a simulated judge's. Faults are injected on
demand, by call. Run as a program it serves until it is killed, so that a client's processor time can be taken alone:

    python tests/judge/replay.py --data ../shared/data/rated_edits --port 8123 --fault error_500 --share .2
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import io
import json
import re
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import uvicorn
from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from edit_metrics.io.hashing import perceptual_hash

Numbers = Mapping[str, Any]
Fault = Callable[["Reply"], Response]
NEAR = 8
"""Bits of 64 by which a picture's hash may differ: a re-encoded or reduced copy is still that picture."""


@dataclass(frozen=True)
class Look:
    """What a picture looks like: a hash of its shapes, which is blind to colour, and a thumbnail, which is not."""

    shapes: str
    thumbnail: tuple[int, ...]

    def distance(self, other: Look) -> int:
        """Bits of 64 that differ."""
        return (int(self.shapes, 16) ^ int(other.shapes, 16)).bit_count()

    def same(self, other: Look) -> bool:
        """Equal up to a re-encode."""
        apart = np.abs(np.subtract(self.thumbnail, other.thumbnail)).mean()
        return self.distance(other) <= NEAR and bool(apart <= 3)


@lru_cache(maxsize=2000)
def look(data: bytes) -> Look:
    """Look at a picture file; once, since the book and the requests show the same ones."""
    with Image.open(io.BytesIO(data)) as opened:
        picture = opened.convert("RGB")
    thumbnail = np.asarray(picture.resize((8, 8), Image.Resampling.BOX), np.int16)
    return Look(perceptual_hash(np.asarray(picture)), tuple(thumbnail.ravel().tolist()))


@dataclass(frozen=True)
class Asked:
    """What a request shows and says."""

    instruction: str
    source: Look
    edited: Look
    seed: int
    text: str


@dataclass
class Log:
    """What the server saw, in order of arrival."""

    calls: list[dict[str, Any]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answered(self) -> list[tuple[str, int]]:
        """Item and seed of every call that got its true answer."""
        return [(call["item"], call["seed"]) for call in self.calls if call["fault"] is None]


class Book:
    """Item → numbers, found by instruction and perceptual hashes."""

    def __init__(self) -> None:
        self._by_instruction: dict[str, list[tuple[str, Look, Look]]] = {}
        self._numbers: dict[str, dict[int, Numbers]] = {}

    def add(self, item: str, instruction: str, source: Look, edited: Look, numbers: Mapping[int, Numbers]) -> None:
        """One item; ``numbers`` by repetition."""
        self._by_instruction.setdefault(instruction, []).append((item, source, edited))
        self._numbers[item] = dict(numbers)

    def find(self, asked: Asked) -> tuple[str, Numbers] | None:
        """The item that looks most alike among those with this instruction."""
        known = self._by_instruction.get(asked.instruction, [])
        near = [(s.distance(asked.source) + e.distance(asked.edited), item) for item, s, e in known]
        distance, item = min(near, default=(65, ""))
        if distance > NEAR:
            return None
        numbers = self._numbers[item]
        return item, numbers.get(asked.seed, numbers[1])


def recorded_book(folder: Path) -> Book:
    """The recorded answers of ``rated_edits``."""
    answers: dict[str, dict[int, Numbers]] = {}
    for line in (folder / "judge.jsonl").read_text().splitlines():
        row = json.loads(line)
        answers.setdefault(row["id"], {})[row["repetition"]] = {
            "why": row["why"],
            **dict(zip(("success", "untouched"), row["sc"], strict=True)),
            **dict(zip(("natural", "clean"), row["pq"], strict=True)),
        }
    book = Book()
    hashes: dict[str, Look] = {}
    for line in (folder / "manifest.jsonl").read_text().splitlines():
        row = json.loads(line)
        if row["id"] not in answers:
            continue
        for path in (row["source"], row["edited"]):
            if path not in hashes:
                hashes[path] = look((folder / path).read_bytes())
        book.add(row["id"], row["instruction"], hashes[row["source"]], hashes[row["edited"]], answers[row["id"]])
    return book


@dataclass
class Reply:
    """An answer before it goes out, for faults to spoil."""

    numbers: dict[str, Any]
    model: str
    fingerprint: str = "build-1"
    usage: dict[str, int] | None = field(
        default_factory=lambda: {"prompt_tokens": 900, "completion_tokens": 60, "total_tokens": 960}
    )

    def response(self, content: str | None = None, *, finish: str = "stop", **message: Any) -> JSONResponse:
        """As a chat completion."""
        text = json.dumps(self.numbers) if content is None else content
        body: dict[str, Any] = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": self.model,
            "system_fingerprint": self.fingerprint,
            "choices": [
                {
                    "index": 0,
                    "finish_reason": finish,
                    "message": {"role": "assistant", "content": text} | message,
                }
            ],
        }
        return JSONResponse(body | ({"usage": self.usage} if self.usage else {}))


def error(status: int, message: str, code: str | None = None, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """As OpenAI-compatible servers write errors."""
    body = {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}
    return JSONResponse(body, status, headers)


def changed(reply: Reply, **numbers: Any) -> Response:
    """The answer with other numbers."""
    return Reply({**reply.numbers, **numbers}, reply.model, reply.fingerprint, reply.usage).response()


def azure_filter(reply: Reply) -> Response:
    """HTTP 400 around a whole completion."""
    wrapped = json.loads(bytes(reply.response("", finish="content_filter").body))
    return JSONResponse(wrapped, 400)


FAULTS: dict[str, Fault] = {
    "rate_limit": lambda _: error(429, "Rate limit reached", "rate_limit_exceeded", {"Retry-After": "0.1"}),
    "error_500": lambda _: error(500, "Internal server error"),
    "overloaded": lambda _: error(503, "Overloaded"),
    "cut_json": lambda r: r.response(json.dumps(r.numbers)[:-9]),
    "cut_body": lambda r: Response(bytes(r.response().body)[:-40], media_type="application/json"),
    "html": lambda _: HTMLResponse("<html>502 Bad Gateway</html>"),
    "prose": lambda r: r.response(
        "Certainly! Here is my judgement:\n```json\n" + json.dumps(r.numbers) + "\n```\n10/10"
    ),
    "thinking": lambda r: r.response('<think>a 10? {"success": 10}</think>' + json.dumps(r.numbers)),
    "reasoning": lambda r: r.response(reasoning_content="Let me look at both pictures."),
    "number_strings": lambda r: changed(r, success=str(r.numbers["success"])),
    "minus_ten": lambda r: changed(r, success=-10),
    "eleven": lambda r: changed(r, success=11),
    "sentence": lambda r: r.response(f"The edit deserves {r.numbers['success']} out of 10."),
    "refusal": lambda r: r.response("", refusal="I cannot help with that."),
    "refusal_prose": lambda r: r.response("I'm sorry, but I can't assist with that request."),
    "filter": lambda r: r.response("", finish="content_filter"),
    "filter_400": lambda _: error(400, "The response was filtered", "content_filter"),
    "filter_azure": azure_filter,
    "length": lambda r: r.response(json.dumps(r.numbers)[:20], finish="length"),
    "empty": lambda r: r.response("", reasoning_content="thoughts that took the answer with them"),
    "too_long": lambda _: error(400, "This model's maximum context length is 4096 tokens. However, you requested 5000"),
    "other_model": lambda r: Reply(r.numbers, "another-model", "build-9", r.usage).response(),
    "no_usage": lambda r: Reply(r.numbers, r.model, r.fingerprint, None).response(),
}
HARMLESS = frozenset({"prose", "thinking", "reasoning", "no_usage"})
"""Faults behind which the true answer can still be read."""


class ReplayServer:
    """The application.

    Args:
        book: answers.
        model: named in every answer.
        fault: what goes wrong, a key of :data:`FAULTS`, ``slow`` or ``drop``.
        share: of the calls that it hits.
        delay: seconds that every answer takes.
        rest: answers what the book lacks (canaries); None: HTTP 404.
        key: refuse calls without it.
    """

    def __init__(
        self,
        book: Book,
        *,
        model: str = "replay-1",
        fault: str | None = None,
        share: float = 0.2,
        delay: float = 0.0,
        rest: Callable[[Asked], Numbers] | None = None,
        key: str = "",
        seed: int = 0,
    ) -> None:
        self.book, self.model, self.fault, self.share, self.delay = book, model, fault, share, delay
        self.rest, self.key = rest, key
        self.log = Log()
        self.slow_seconds = 5.0
        self._chance = np.random.default_rng(seed)
        self._known: dict[int, Look] = {}
        self.app = Starlette(
            routes=[
                Route("/v1/chat/completions", self.chat, methods=["POST"]),
                Route("/v1/models", self.models, methods=["GET"]),
            ]
        )

    async def models(self, _: Request) -> Response:
        """What is served."""
        return JSONResponse({"object": "list", "data": [{"id": self.model, "object": "model"}]})

    async def chat(self, request: Request) -> Response:
        """One judgement."""
        body = await request.body()
        if self.key and request.headers.get("authorization") != f"Bearer {self.key}":
            return error(401, f"Incorrect API key provided: {request.headers.get('authorization')}", "invalid_api_key")
        asked = self.read(json.loads(body))
        found = self.book.find(asked)
        if found is None and self.rest is None:
            return error(404, f"nothing recorded for {asked.instruction!r}")
        item, numbers = found if found is not None else ("", self.rest(asked))  # type: ignore[misc]
        with self.log.lock:
            hit = item != "" and self.fault is not None and self._chance.random() < self.share
            self.log.calls.append({"item": item, "seed": asked.seed, "fault": self.fault if hit else None})
        if self.delay:
            await asyncio.sleep(self.delay)
        reply = Reply(dict(numbers), self.model)
        if not hit:
            return reply.response()
        if self.fault == "slow":
            await asyncio.sleep(self.slow_seconds)
            return reply.response()
        if self.fault == "drop":
            return StreamingResponse(cut_off(), headers={"Content-Length": "1000"}, media_type="application/json")
        return FAULTS[str(self.fault)](reply)

    def read(self, body: Mapping[str, Any]) -> Asked:
        """What a request asks."""
        parts = body["messages"][-1]["content"]
        texts = "\n".join(part["text"] for part in parts if part["type"] == "text")
        pictures = [part["image_url"]["url"].partition(",")[2] for part in parts if part["type"] == "image_url"]
        quoted = re.search(r'JSON string:\n("(?:[^"\\]|\\.)*")', texts)
        instruction = json.loads(quoted[1]) if quoted else texts
        source, edited = (self._look(picture) for picture in pictures)
        return Asked(instruction, source, edited, int(body.get("seed") or 1), texts)

    def _look(self, picture: str) -> Look:
        key = hash(picture)
        if key not in self._known:
            self._known[key] = look(base64.b64decode(picture))
        return self._known[key]


async def cut_off() -> AsyncIterator[bytes]:
    """A body that ends before it is over: the server closes the connection."""
    yield b'{"id": "chatcmpl-1", '
    raise ConnectionResetError("dropped on purpose")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(server: ReplayServer) -> Iterator[str]:
    """Run it in a thread of this process; yields the base URL."""
    port = free_port()
    runner = uvicorn.Server(uvicorn.Config(server.app, port=port, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=runner.run, daemon=True)
    thread.start()
    while not runner.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        runner.should_exit = True
        thread.join()


def main() -> None:
    """Serve recorded answers until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="Folder of the rated edits; without it every answer is made up.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--fault")
    parser.add_argument("--share", type=float, default=0.2)
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--log", type=Path, help="Append every call as a JSON line.")
    args = parser.parse_args()
    from oracle import canary_numbers

    book = recorded_book(args.data) if args.data else Book()
    server = ReplayServer(book, fault=args.fault, share=args.share, delay=args.delay, rest=canary_numbers)
    uvicorn.run(server.app, port=args.port, log_level="critical", lifespan="off")


if __name__ == "__main__":
    main()
