"""The rating page's server: loopback, a random token in every address, no other origin, nothing cached.

Raters see pictures of an unfinished model, and a page of another site must neither read them nor rate for them. So
every address starts with a token that only the printed link holds; the Host header must be the one that was bound
(a name that somebody else's DNS points here is refused); and what changes something must come from this page.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from edit_metrics.errors import EditMetricsError, ImageError
from edit_metrics.rate.pictures import NAMES, RunPictures
from edit_metrics.rate.session import Position, Session
from edit_metrics.ratings.entries import ANSWERS, Kind
from edit_metrics.ratings.rubric import Rubric
from edit_metrics.report.html import visible
from edit_metrics.scores.items import Item
from edit_metrics.scores.words import flag_in_words, in_words

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

_POLICY: Final = (
    "default-src 'none'; img-src 'self' data:; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_ASSETS: Final = {
    "style.css": ("edit_metrics.report", "text/css"),
    "viewer.css": ("edit_metrics.report", "text/css"),
    "viewer.js": ("edit_metrics.report", "text/javascript"),
    "rate.css": ("edit_metrics.rate", "text/css"),
    "rate.js": ("edit_metrics.rate", "text/javascript"),
}
_MOST_BYTES: Final = 64 * 1024  # of a request: a remark has at most 4000 characters


@dataclass(frozen=True, slots=True)
class RatingPage:
    """What the server shows.

    Attributes:
        items: the plan's items, in its order.
        blind: neither scores nor names of items and models.
        token: first part of every address.
        hosts: Host headers that are answered; empty: any.
    """

    session: Session
    items: tuple[Item, ...]
    pictures: RunPictures
    rubric: Rubric
    rater: str
    blind: bool
    token: str
    hosts: frozenset[str] = frozenset()


def make_app(page: RatingPage) -> Starlette:
    """The application; see the module."""
    from starlette.applications import Starlette
    from starlette.routing import Route

    views = _Views(page)
    base = "/{token}"
    routes = [
        Route(f"{base}/", _guarded(page, views.page)),
        Route(f"{base}/asset/{{name}}", _guarded(page, views.asset)),
        Route(f"{base}/picture/{{index:int}}/{{name}}", _guarded(page, views.picture)),
        Route(f"{base}/position", _guarded(page, views.position)),
        Route(f"{base}/answer", _guarded(page, views.answer), methods=["POST"]),
        Route(f"{base}/undo", _guarded(page, views.undo), methods=["POST"]),
        Route(f"{base}/remark", _guarded(page, views.remark), methods=["POST"]),
    ]
    return Starlette(routes=routes)


Handler = Callable[["Request"], Awaitable["Response"]]


def _guarded(page: RatingPage, view: Handler) -> Handler:
    from starlette.responses import JSONResponse, PlainTextResponse

    async def handle(request: Request) -> Response:
        refused = _refusal(page, request)
        if refused is not None:
            response: Response = PlainTextResponse(refused[1], refused[0])
        else:
            try:
                response = await view(request)
            except ImageError as error:
                response = PlainTextResponse(str(error), 404)
            except EditMetricsError as error:
                response = JSONResponse({"error": str(error)}, 400)
            except OSError as error:
                # Most likely a full disk: the rater must not go on as if the answer were kept.
                response = JSONResponse(
                    {"error": f"Not kept: {error.strerror or error}. Nothing was lost before."}, 507
                )
        response.headers.update(HEADERS)
        return response

    return handle


def _refusal(page: RatingPage, request: Request) -> tuple[int, str] | None:
    if not hmac.compare_digest(request.path_params["token"].encode("utf-8", "replace"), page.token.encode()):
        return 404, "Not found. Use the whole link that edit-metrics rate printed."
    host = request.headers.get("host", "")
    if page.hosts and host not in page.hosts:
        return 403, "Refused: another host name."
    origin = request.headers.get("origin")
    if origin is not None and origin != f"http://{host}":
        return 403, "Refused: another origin."
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return 403, "Refused: another site."
    if request.method == "POST" and request.headers.get("content-type", "").split(";")[0] != "application/json":
        return 415, "Refused: not JSON."
    return None


class _Views:
    def __init__(self, page: RatingPage) -> None:
        self._page = page

    async def page(self, _: Request) -> Response:
        from starlette.responses import HTMLResponse

        return HTMLResponse(_asset("edit_metrics.rate", "rate.html"))

    async def asset(self, request: Request) -> Response:
        from starlette.responses import PlainTextResponse, Response

        found = _ASSETS.get(request.path_params["name"])
        if found is None:
            return PlainTextResponse("Not found.", 404)
        return Response(_asset(found[0], request.path_params["name"]), media_type=found[1])

    async def picture(self, request: Request) -> Response:
        from starlette.concurrency import run_in_threadpool
        from starlette.responses import PlainTextResponse, Response

        index, name = request.path_params["index"], request.path_params["name"]
        if name not in NAMES or not 0 <= index < len(self._page.items):
            return PlainTextResponse("Not found.", 404)
        found = await run_in_threadpool(self._page.pictures.read, self._page.items[index], name)
        return Response(found.data, media_type=found.media_type)

    async def position(self, _: Request) -> Response:
        from starlette.concurrency import run_in_threadpool

        return await self._shown(await run_in_threadpool(self._page.session.position))

    async def answer(self, request: Request) -> Response:
        from starlette.concurrency import run_in_threadpool

        body = await _body(request)
        kind = next((one for one in ANSWERS if one.value == body.get("kind")), None)
        if kind is None:
            raise EditMetricsError(f"a kind of {', '.join(ANSWERS)}", repr(body.get("kind")))
        return await self._shown(
            await run_in_threadpool(
                self._page.session.answer, _whole(body, "index"), str(body.get("dimension", "")), Kind(kind),
                _number(body, "rating"), _number(body, "seconds"), _texts(body, "flags"),
            )
        )  # fmt: skip

    async def undo(self, request: Request) -> Response:
        from starlette.concurrency import run_in_threadpool

        await _body(request)
        return await self._shown(await run_in_threadpool(self._page.session.undo))

    async def remark(self, request: Request) -> Response:
        from starlette.concurrency import run_in_threadpool
        from starlette.responses import JSONResponse

        body = await _body(request)
        index, comment = _whole(body, "index"), str(body.get("comment", ""))
        await run_in_threadpool(self._page.session.remark, index, _texts(body, "flags"), comment)
        return JSONResponse({"kept": True})

    async def _shown(self, position: Position) -> Response:
        from starlette.concurrency import run_in_threadpool
        from starlette.responses import JSONResponse

        return JSONResponse(await run_in_threadpool(self._record, position))

    def _record(self, position: Position) -> dict[str, Any]:
        page, session = self._page, self._page.session
        record: dict[str, Any] = {
            "rater": page.rater,
            "done": position.done,
            "total": position.total,
            "seconds": position.seconds,
            "scale": list(page.rubric.scale),
            "questions": [
                {"name": name, "question": one.question, "anchors": {str(k): v for k, v in one.anchors.items()}}
                for name, one in session.plan.questions.items()
            ],
            "flags": page.rubric.flags,
            "guide": page.rubric.guide,
            "comment": page.rubric.comment,
            "ahead": position.ahead,
            "item": None,
        }
        if position.index is None:
            return record
        item = page.items[position.index]
        missing = {name: page.pictures.why_missing(item, name) for name in ("source", "edited")}
        return record | {
            "dimension": position.dimension,
            "answered": position.answered,
            "item": {
                "index": position.index,
                "instruction": visible(item.instruction),
                "sensitive": item.sensitive,
                "missing": missing,
                "change": page.pictures.has_change(item),
                "mask": bool(item.mask),
                "scores": None if page.blind else _scores(item),
            },
        }


def _scores(item: Item) -> dict[str, Any]:
    return {
        "id": visible(item.id),
        "model": visible(item.model),
        "flags": [flag_in_words(flag) for flag in item.flags],
        "dimensions": [
            [name, one.score, one.confidence, " ".join(visible(in_words(code)) for code in one.reasons)]
            for name, one in item.scores.items()
        ],
    }


def _asset(package: str, name: str) -> str:
    return resources.files(package).joinpath("templates", name).read_text(encoding="utf-8")


async def _body(request: Request) -> dict[str, Any]:
    data = b""
    async for part in request.stream():
        data += part
        if len(data) > _MOST_BYTES:
            raise EditMetricsError(f"at most {_MOST_BYTES} bytes", "more")
    try:
        value = json.loads(data or b"{}")
    except ValueError as error:
        raise EditMetricsError("JSON", str(error)) from error
    if not isinstance(value, dict):
        raise EditMetricsError("a JSON object", type(value).__name__)
    return value


def _whole(body: dict[str, Any], name: str) -> int:
    value = body.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise EditMetricsError(f"a whole number {name!r}", repr(value))
    return value


def _number(body: dict[str, Any], name: str) -> float | None:
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise EditMetricsError(f"a number {name!r}", repr(value))
    return float(value)


def _texts(body: dict[str, Any], name: str) -> tuple[str, ...]:
    value = body.get(name, [])
    if not isinstance(value, list):
        raise EditMetricsError(f"a list {name!r}", repr(value))
    return tuple(str(one) for one in value)
