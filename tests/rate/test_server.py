"""Who may ask the server what: the token, the host, the origin, the size and the form of a request."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from conftest_report import score_rows, write_run

from edit_metrics.rate.opening import RateRequest, open_session
from edit_metrics.rate.server import HEADERS, RatingPage, make_app
from edit_metrics.ratings.entries import read_entries

HOST = "127.0.0.1:8000"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@pytest.fixture
def page(tmp_path: Path) -> Iterator[RatingPage]:
    run = write_run(tmp_path / "run", score_rows(3))
    with open_session(RateRequest(run, "ann")) as opened:
        yield opened.page(frozenset({HOST}))


def ask(page: RatingPage, path: str, body: Any = None, token: str | None = None, **headers: str) -> Answer:
    """One request, straight to the application."""
    data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"host": HOST, **({} if body is None else {"content-type": "application/json"})}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET" if body is None else "POST",
        "path": f"/{page.token if token is None else token}{path}", "query_string": b"", "scheme": "http",
        "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
    }  # fmt: skip
    said: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": data, "more_body": False}

    async def send(message: Any) -> None:
        said.append(message)

    asyncio.run(make_app(page)(scope, receive, send))
    found = {name.decode(): value.decode() for name, value in said[0]["headers"]}
    return Answer(said[0]["status"], found, b"".join(part.get("body", b"") for part in said[1:]))


GOOD = {"index": 2, "dimension": "overall", "kind": "rating", "rating": 4, "seconds": 1.0}


def test_an_answer_is_on_the_disk_before_the_next_item_is_told(page: RatingPage) -> None:
    first = ask(page, "/position").json
    assert first["item"]["index"] == 0
    answer = ask(page, "/answer", GOOD | {"index": 0})
    assert answer.json["item"]["index"] == 1
    entries, _ = read_entries(page.session._log.path)
    assert [e.rating for e in entries if e.rating is not None] == [4.0]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example:8000"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"sec_fetch_site": "same-site"}, 403),
        ({"content_type": "text/plain"}, 415),
        ({"origin": f"http://{HOST}", "sec_fetch_site": "same-origin"}, 200),
    ],
)
def test_another_site_can_neither_read_nor_rate(page: RatingPage, headers: dict[str, str], status: int) -> None:
    assert ask(page, "/answer", GOOD, **headers).status == status
    rated = [e for e in read_entries(page.session._log.path)[0] if e.rating is not None]
    assert bool(rated) == (status == 200)


def test_without_the_token_nothing_is_found(page: RatingPage) -> None:
    for token in ("", "x", page.token[:-1], page.token + "x"):
        assert ask(page, "/position", token=token).status == 404
        assert ask(page, "/picture/0/source", token=token).status == 404


def test_every_answer_forbids_caching_framing_and_foreign_code(page: RatingPage) -> None:
    for path in ("/", "/position", "/asset/rate.js", "/picture/0/source", "/asset/server.py", "/picture/9/source"):
        found = ask(page, path).headers
        assert {name: found[name.lower()] for name in HEADERS} == HEADERS
        assert "access-control-allow-origin" not in found


def test_pictures_are_served_by_place_not_by_path(page: RatingPage) -> None:
    assert ask(page, "/picture/0/source").headers["content-type"] == "image/png"
    assert ask(page, "/picture/0/mask").headers["content-type"].startswith("image/svg+xml")
    for path in ("/picture/0/change", "/picture/3/source", "/picture/0/scores.parquet", "/asset/server.py"):
        assert ask(page, path).status == 404


def test_a_file_that_is_no_picture_is_not_served(page: RatingPage, tmp_path: Path) -> None:
    (tmp_path / "pictures" / "secret.txt").write_text("secret", encoding="utf-8")
    items = tuple(replace(item, source="secret.txt", edited="../run/run.json") for item in page.items)
    changed = replace(page, items=items)
    for name in ("source", "edited"):
        answer = ask(changed, f"/picture/0/{name}")
        assert answer.status == 404
        assert b"secret" not in answer.body.replace(b"secret.txt", b"")


@pytest.mark.parametrize(
    "body",
    [
        GOOD | {"rating": 6}, GOOD | {"rating": "4"}, GOOD | {"rating": None}, GOOD | {"index": 3},
        GOOD | {"index": -1}, GOOD | {"index": True}, GOOD | {"kind": "undo"}, GOOD | {"dimension": "style"},
        GOOD | {"kind": "skip"},
        GOOD | {"kind": "skip", "rating": None, "flags": ["nonsense"]}, [], b"{", b"x" * 70_000,
    ],
)  # fmt: skip
def test_a_malformed_answer_is_refused_and_nothing_is_kept(page: RatingPage, body: Any) -> None:
    answer = ask(page, "/answer", body)
    assert answer.status == 400
    assert answer.json["error"].startswith("Expected ")
    assert not page.session._log.entries
