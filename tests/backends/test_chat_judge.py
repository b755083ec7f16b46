"""The judge's backend against a real HTTP server: what is sent, what comes back, and what every fault becomes."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import time
from typing import Any

import numpy as np
import pytest
from cases import make_edits, make_judge, noise_png, served
from PIL import Image
from replay import free_port, serving
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from edit_metrics.backends import chat_endpoints
from edit_metrics.backends.chat_endpoints import retry_after
from edit_metrics.backends.chat_judge import ChatOutcome, ChatReply, ChatRequest
from edit_metrics.backends.chat_pictures import PictureRules, to_data_url
from edit_metrics.backends.chat_wire import encode_request, read_completion, understand
from edit_metrics.backends.factory import describe_backend
from edit_metrics.config import DecodeLimits
from edit_metrics.errors import ConfigError, JudgeError
from edit_metrics.judge.asking import ask_each
from edit_metrics.judge.questions import to_request
from edit_metrics.judge.template import load_template
from edit_metrics.types import Missing, Status

EDIT = make_edits(1)[0]
REQUEST = to_request(EDIT, load_template(), 1)


@pytest.fixture(autouse=True)
def no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_endpoints, "_FIRST_WAIT", 0.01)
    monkeypatch.setattr(chat_endpoints, "_LONGEST_WAIT", 0.05)


def ask(url: str | list[str], request: ChatRequest = REQUEST, **options: Any) -> ChatOutcome:
    return ask_each(make_judge(url, **options), [request])[0]


def answer_with(respond: Any) -> Starlette:
    async def chat(request: Request) -> Response:
        answer: Response = respond(json.loads(await request.body()), request)
        return answer

    return Starlette(routes=[Route("/v1/chat/completions", chat, methods=["POST"])])


class App:
    def __init__(self, respond: Any) -> None:
        self.app = answer_with(respond)


def completion(content: str = "{}", **more: Any) -> JSONResponse:
    return JSONResponse({"choices": [{"message": {"content": content}, "finish_reason": "stop"}], **more})


# What is sent


def test_a_request_holds_prompt_pictures_in_order_schema_and_settings() -> None:
    seen: list[dict[str, Any]] = []
    headers: list[str] = []

    def respond(body: dict[str, Any], request: Request) -> Response:
        seen.append(body)
        headers.append(request.headers["content-type"])
        return completion()

    with serving(App(respond)) as url:  # type: ignore[arg-type]
        ask(url, extra_body={"top_k": 1}, max_tokens=77)
    (body,) = seen
    assert headers == ["application/json"]
    assert (body["model"], body["temperature"], body["max_tokens"], body["top_k"]) == ("replay", 0.0, 77, 1)
    assert "seed" not in body
    system, user = body["messages"]
    assert "Picture 1 is the source" in system["content"]
    kinds = [part["type"] for part in user["content"]]
    assert kinds == ["text", "image_url", "text", "image_url", "text"]
    sent = [base64.b64decode(part["image_url"]["url"].split(",")[1]) for part in user["content"][1:4:2]]
    assert sent == [EDIT.source.load(), EDIT.edited.load()]
    assert body["response_format"]["json_schema"]["schema"] == load_template().schema


def test_a_repetition_has_a_seed_and_the_other_field_for_tokens_can_be_asked_for() -> None:
    seen: list[dict[str, Any]] = []
    with serving(App(lambda body, _: seen.append(body) or completion())) as url:  # type: ignore[arg-type, func-returns-value]
        request = to_request(EDIT, load_template(), 2)
        ask(url, request, max_tokens_field="max_completion_tokens", temperature=None, response_format="none")
    assert seen[0]["seed"] == 2
    assert "max_completion_tokens" in seen[0]
    assert not {"max_tokens", "temperature", "response_format"} & seen[0].keys()


def test_a_request_s_bytes_are_the_json_of_the_same_request() -> None:
    picture = b"data:image/png;base64,AAAA"
    body = encode_request({"model": "m", "x": None}, 'say "ü"', ["a\n", picture, "b"], {"type": "object"})
    assert json.loads(body) == {
        "model": "m",
        "x": None,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "judgement", "strict": True, "schema": {"type": "object"}},
        },
        "messages": [
            {"role": "system", "content": 'say "ü"'},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "a\n"},
                    {"type": "image_url", "image_url": {"url": picture.decode()}},
                    {"type": "text", "text": "b"},
                ],
            },
        ],
    }


# Pictures


def encoded(image: Image.Image, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, **options)
    return buffer.getvalue()


def color_picture(side: int = 40) -> Image.Image:
    return Image.open(io.BytesIO(noise_png(3))).convert("RGB").resize((side, side))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_plain_file_passes_byte_for_byte(kind: str) -> None:
    data = encoded(color_picture(), format=kind)
    url = to_data_url(data, PictureRules(), DecodeLimits())
    head, _, tail = url.partition(b",")
    assert head == f"data:image/{kind.lower()};base64".encode()
    assert base64.b64decode(tail) == data


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("other format", encoded(color_picture(), format="BMP")),
        ("gray", encoded(color_picture().convert("L"), format="PNG")),
        ("palette", encoded(color_picture().convert("P"), format="PNG")),
        ("alpha", encoded(color_picture().convert("RGBA"), format="PNG")),
        ("16 bit", encoded(Image.fromarray(np.full((40, 40), 30000, np.uint16)), format="PNG")),
        ("rotated", encoded(color_picture(), format="JPEG", exif=b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01"
                            b"\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00")),
        ("animated", encoded(color_picture(), format="WEBP", save_all=True,
                             append_images=[color_picture().rotate(90)])),
        ("too wide", encoded(color_picture(2000), format="PNG")),
    ],
)  # fmt: skip
def test_what_servers_read_differently_or_not_at_all_is_sent_as_jpeg(name: str, data: bytes) -> None:
    url = to_data_url(data, PictureRules(max_side=1000), DecodeLimits())
    assert url.startswith(b"data:image/jpeg;base64,"), name
    with Image.open(io.BytesIO(base64.b64decode(url.partition(b",")[2]))) as sent:
        assert sent.mode == "RGB"
        assert max(sent.size) == (1000 if name == "too wide" else 40)


def test_a_file_over_the_cap_is_encoded_anew() -> None:
    data = encoded(Image.fromarray(np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)), format="PNG")
    assert len(data) > 100_000
    assert to_data_url(data, PictureRules(max_bytes=100_000), DecodeLimits()).startswith(b"data:image/jpeg")


def test_a_picture_that_several_requests_show_is_encoded_once() -> None:
    edits = make_edits(6)  # pairs of edits share a source
    with served(edits) as (_, url):
        judge = make_judge(url)
        ask_each(judge, [to_request(edit, load_template(), k) for edit in edits for k in (1, 2)])
    assert judge.pictures_encoded == 3 + 6


def test_a_picture_that_is_no_picture_costs_its_own_question() -> None:
    broken = ChatRequest("", (type(EDIT.source)("0" * 64, lambda: b"nothing"), EDIT.edited))
    with served([EDIT]) as (server, url):
        outcomes = ask_each(make_judge(url), [broken, REQUEST])
    assert outcomes[0].result == Missing(Status.FAILED, "judge_picture_not_an_image")
    assert isinstance(outcomes[1].result, ChatReply)
    assert len(server.log.calls) == 1


# Faults


@pytest.mark.parametrize(
    ("fault", "status", "reason", "calls"),
    [
        ("rate_limit", Status.FAILED, "judge_rate_limited", 4),
        ("error_500", Status.FAILED, "judge_unreachable: HTTP 500 Internal server error", 4),
        ("overloaded", Status.FAILED, "judge_unreachable: HTTP 503 Overloaded", 4),
        ("cut_body", Status.FAILED, "judge_unparsable: a response that is no JSON", 4),
        ("drop", Status.FAILED, "judge_unreachable: RemoteProtocolError", 4),
        ("html", Status.FAILED, "judge_unparsable: a response that is no JSON", 4),
        ("refusal", Status.UNAVAILABLE, "judge_refused", 1),
        ("refusal_prose", Status.UNAVAILABLE, "judge_refused", 1),
        ("filter", Status.UNAVAILABLE, "judge_filtered", 1),
        ("filter_400", Status.UNAVAILABLE, "judge_filtered", 1),
        ("filter_azure", Status.UNAVAILABLE, "judge_filtered", 1),
        ("length", Status.FAILED, "judge_cut_off", 1),
        ("empty", Status.FAILED, "judge_unparsable: an empty answer behind 39 characters of thoughts", 1),
        ("too_long", Status.FAILED, "judge_context_too_long", 1),
    ],
)
def test_every_fault_has_its_type_and_only_passing_ones_are_tried_again(
    fault: str, status: Status, reason: str, calls: int
) -> None:
    with served([EDIT], fault=fault, share=1.0) as (server, url):
        outcome = ask(url)
    assert isinstance(outcome.result, Missing)
    assert outcome.result.status is status
    assert outcome.result.reason.startswith(reason)
    assert outcome.calls == calls == len(server.log.calls)


def test_no_answer_in_time_is_tried_again() -> None:
    with served([EDIT], fault="slow", share=1.0) as (server, url):
        server.slow_seconds = 0.5
        outcome = ask(url, timeout=0.1, attempts=2)
    assert outcome.result == Missing(Status.FAILED, "judge_unreachable: no answer in time")
    assert outcome.calls == 2


def test_a_server_that_recovers_gives_its_answer() -> None:
    with served([EDIT], fault="error_500", share=0.8, seed=1) as (server, url):
        outcome = ask(url, attempts=20)
    assert isinstance(outcome.result, ChatReply)
    assert outcome.calls == len(server.log.calls) > 1


def test_a_rate_limit_is_waited_for_as_long_as_the_server_asks() -> None:
    with served([EDIT], fault="rate_limit", share=1.0) as (_, url):
        started = time.monotonic()
        ask(url, attempts=4)
    assert time.monotonic() - started >= 0.3  # three waits of .1 s


def test_thoughts_in_the_text_are_no_part_of_the_answer() -> None:
    with served([EDIT], fault="thinking", share=1.0) as (_, url):
        reply = ask(url).result
    assert isinstance(reply, ChatReply)
    assert json.loads(reply.text)["success"] == 0


def test_an_answer_that_was_cut_off_may_be_asked_again_with_a_higher_limit() -> None:
    limits: list[int] = []

    def respond(body: dict[str, Any], _: Request) -> Response:
        limits.append(body["max_tokens"])
        choice = {"message": {"content": "{}"}, "finish_reason": "length" if body["max_tokens"] < 500 else "stop"}
        return JSONResponse({"choices": [choice], "usage": {"prompt_tokens": 5, "completion_tokens": 7}})

    with serving(App(respond)) as url:  # type: ignore[arg-type]
        outcome = ask(url, max_tokens=100, max_tokens_raised=500)
    assert limits == [100, 500]
    assert isinstance(outcome.result, ChatReply)
    assert (outcome.calls, outcome.usage.tokens_in, outcome.usage.tokens_out) == (2, 10, 14)


# Several servers


def test_a_server_that_is_gone_leaves_its_questions_to_the_others() -> None:
    edits = make_edits(12)
    with served(edits) as (server, url):
        judge = make_judge([f"http://127.0.0.1:{free_port()}/v1", url])
        outcomes = ask_each(judge, [to_request(edit, load_template(), 1) for edit in edits])
    assert all(isinstance(outcome.result, ChatReply) for outcome in outcomes)
    assert sorted(server.log.answered()) == sorted((edit.id, 1) for edit in edits)


def test_work_is_shared_between_servers() -> None:
    edits = make_edits(12)
    requests = [to_request(edit, load_template(), 1) for edit in edits]
    with served(edits, delay=0.05) as (first, a), served(edits, delay=0.05) as (second, b):
        ask_each(make_judge([a, b]), requests)
    assert len(first.log.calls) >= 4
    assert len(second.log.calls) >= 4


# Calls that cannot succeed


def test_a_refused_key_stops_everything_and_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDIT_METRICS_JUDGE_KEY", "sk-wrong-0123456789")
    with served([EDIT], key="sk-right") as (_, url), pytest.raises(JudgeError) as caught:
        ask(url)
    assert "the key is refused" in str(caught.value)
    assert "0123456789" not in str(caught.value)


def test_a_missing_key_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EDIT_METRICS_JUDGE_KEY", raising=False)
    with served([EDIT], key="sk-right") as (_, url), pytest.raises(JudgeError, match="EDIT_METRICS_JUDGE_KEY"):
        ask(url)


def test_a_key_reaches_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "sk-right")
    with served([EDIT], key="sk-right") as (_, url):
        assert isinstance(ask(url, api_key_env="MY_KEY").result, ChatReply)


@pytest.mark.parametrize(
    ("message", "hint"),
    [
        ("At most 1 image(s) may be provided in one request.", "--limit-mm-per-prompt"),
        ("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.", "max_tokens_field"),
        ("Unsupported value: 'temperature' does not support 0.0 with this model.", "temperature=null"),
        ("response_format of type json_schema is not supported", "response_format=none"),
        ("Failed to load image or audio file", "pass_through"),
    ],
)
def test_a_setting_that_the_server_rejects_is_named_with_what_to_do(message: str, hint: str) -> None:
    respond = App(lambda *_: JSONResponse({"error": {"message": message, "code": 400}}, 400))
    with serving(respond) as url, pytest.raises(JudgeError, match=hint):  # type: ignore[arg-type]
        ask(url)


def test_one_rejected_request_among_answered_ones_is_that_item_s_failure() -> None:
    calls: list[int] = []

    def respond(*_: Any) -> Response:
        calls.append(1)
        return completion() if len(calls) == 1 else JSONResponse({"message": "cannot identify image file"}, 400)

    with serving(App(respond)) as url:  # type: ignore[arg-type]
        outcomes = ask_each(make_judge(url, concurrency=1), [REQUEST, REQUEST])
    assert isinstance(outcomes[0].result, ChatReply)
    assert outcomes[1].result == Missing(Status.FAILED, "judge_rejected: HTTP 400 cannot identify image file")


def test_a_quota_that_is_used_up_is_not_waited_for() -> None:
    body = {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}
    with serving(App(lambda *_: JSONResponse(body, 429))) as url:  # type: ignore[arg-type] # noqa: SIM117
        with pytest.raises(JudgeError, match="quota is used up"):
            ask(url)


def test_a_redirect_is_not_followed() -> None:
    elsewhere: list[Any] = []
    with serving(App(lambda *_: elsewhere.append(1) or completion())) as other:  # type: ignore[arg-type, func-returns-value]
        move = App(lambda *_: RedirectResponse(f"{other}/chat/completions", 307))
        with serving(move) as url, pytest.raises(JudgeError, match="redirect"):  # type: ignore[arg-type]
            ask(url)
    assert not elsewhere


def test_the_one_model_that_a_server_lists_is_taken_and_without_a_list_a_name_is_asked_for() -> None:
    with served([EDIT]) as (_, url):
        judge = make_judge(url, model="")
        assert asyncio.run(judge.find_model()) == "replay-1"
    with serving(App(lambda *_: completion())) as url, pytest.raises(JudgeError, match="--model NAME"):  # type: ignore[arg-type]
        asyncio.run(make_judge(url, model="").find_model())


# Where pictures go


@pytest.mark.parametrize(
    ("url", "elsewhere"),
    [
        ("http://127.0.0.1:8000/v1", ()),
        ("http://localhost:8000/v1", ()),
        ("http://[::1]:8000/v1", ()),
        ("http://10.0.0.7:8000/v1", ("10.0.0.7",)),
        ("https://api.example.com/v1", ("api.example.com",)),
        (["http://127.0.0.1:1/v1", "http://gpu-7:8000/v1"], ("gpu-7",)),
    ],
)
def test_hosts_other_than_this_machine_are_named(url: Any, elsewhere: tuple[str, ...]) -> None:
    assert make_judge(url).hosts_elsewhere == elsewhere


@pytest.mark.parametrize(
    "url", ["api.example.com", "ftp://x/v1", "https://u:p@x/v1", "https://x/v1?api_key=s3cret", []]
)
def test_a_base_url_that_is_none_or_that_carries_a_secret_is_refused_without_showing_it(url: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        make_judge(url)
    assert "s3cret" not in str(caught.value)


def test_a_proxy_from_the_environment_sees_nothing_that_stays_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    with served([EDIT]) as (_, url):
        assert isinstance(ask(url).result, ChatReply)


# Reading


def test_the_fingerprint_names_what_answers_depend_on_and_nothing_else() -> None:
    base = {"use": "chat_judge", "model": "m"}
    same = [{"base_url": "http://x/v1"}, {"concurrency": 2}, {"timeout": 5}, {"max_tokens": 9}, {"attempts": 2}]
    other = [
        {"model": "n"}, {"model_revision": "r"}, {"temperature": 1.0}, {"response_format": "none"},
        {"extra_body": {"top_p": 0.5}}, {"jpeg_quality": 50}, {"max_side": 100}, {"pass_through": ["PNG"]},
    ]  # fmt: skip
    reference = describe_backend("judge", base)
    assert all(describe_backend("judge", base | change) == reference for change in same)
    assert all(describe_backend("judge", base | change) != reference for change in other)


@pytest.mark.parametrize(
    ("value", "expected"),
    [({"retry-after": "3"}, 3.0), ({"retry-after-ms": "250"}, 0.25), ({"retry-after": "soon"}, None), ({}, None)],
)
def test_retry_after_is_read_in_seconds_and_milliseconds(value: dict[str, str], expected: float | None) -> None:
    assert retry_after(value) == expected


def test_retry_after_is_read_as_a_date() -> None:
    assert retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0.0


@pytest.mark.parametrize("body", [None, "text", {}, {"choices": []}, {"choices": [{"message": "x"}]}, [1]])
def test_anything_but_a_chat_completion_is_unparsable(body: object) -> None:
    result, usage = read_completion(body)
    assert isinstance(result, Missing)
    assert result.reason.startswith("judge_unparsable")
    assert usage.tokens_in is None


def test_content_in_parts_is_put_together() -> None:
    body = {"choices": [{"message": {"content": [{"type": "text", "text": "{"}, {"type": "text", "text": "}"}]}}]}
    assert read_completion(body)[0] == ChatReply("{}", "", "")


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 529])
@pytest.mark.parametrize("body", [None, "busy", {"error": "busy"}, {"detail": [{"msg": "busy"}]}])
def test_passing_troubles_are_passing_whatever_the_body(status: int, body: object) -> None:
    assert understand(status, body).again
