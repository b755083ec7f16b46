"""The chat-completions protocol as servers speak it: a request as bytes, an answer or a refusal as one typed value.

Servers differ where the protocol is silent, and each branch here was seen in the wild: refusals come as a field, as a
finish reason, as HTTP 400, as HTTP 400 around a whole completion, or as prose; thoughts come in a field of their own or
inside the text; a context that is too long is 400, 413 or 500; a quota that is used up looks like a rate limit.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from edit_metrics.types import Missing, Status, unavailable


@dataclass(frozen=True, slots=True)
class ChatReply:
    """What a model said.

    Attributes:
        text: its answer, without thoughts.
        model: as the server names it; empty when it does not.
        fingerprint: of its build, as the server names it; empty when it does not.
    """

    text: str
    model: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one request; None where the server does not count."""

    tokens_in: int | None
    tokens_out: int | None


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Message(_Lenient):
    content: str | list[dict[str, Any]] | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None


class _Choice(_Lenient):
    message: _Message
    finish_reason: str | None = None


class _Usage(_Lenient):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Completion(_Lenient):
    choices: list[_Choice]
    model: str | None = None
    system_fingerprint: str | None = None
    usage: _Usage | None = None


def encode_request(
    settings: Mapping[str, Any], system: str, parts: Sequence[str | bytes], schema: Mapping[str, Any] | None
) -> bytes:
    """A request's body.

    Args:
        settings: model, decoding and whatever else stands beside the messages.
        system: the system message; empty for none.
        parts: of the user's message: texts, and pictures as data URLs. These are spliced in as bytes: a JSON encoder
            looks at every character of them, which took five times as long as everything else in a call.
        schema: of the answer, for servers that can hold a model to it.
    """
    head = dict(settings)
    if schema is not None:
        head["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "judgement", "strict": True, "schema": schema},
        }
    pieces = [_dump(head)[:-1], b',"messages":[']
    if system:
        pieces += [_dump({"role": "system", "content": system}), b","]
    pieces.append(b'{"role":"user","content":[')
    for number, part in enumerate(parts):
        pieces += [b","] if number else []
        pieces += _pieces(part)
    # Joined once: two pictures are a megabyte, and each further copy costs as much as the rest of a call.
    return b"".join([*pieces, b"]}]}"])


def _pieces(part: str | bytes) -> tuple[bytes, ...]:
    if isinstance(part, str):
        return (_dump({"type": "text", "text": part}),)
    return b'{"type":"image_url","image_url":{"url":"', part, b'"}}'


def _dump(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def read_completion(body: object) -> tuple[ChatReply | Missing, Usage]:
    """A server's JSON as an answer, or as the typed reason why there is none."""
    try:
        completion = _Completion.model_validate(body)
        choice = completion.choices[0]
    except (ValidationError, IndexError):
        return Missing(Status.FAILED, "judge_unparsable: the response is no chat completion"), Usage(None, None)
    usage = completion.usage or _Usage()
    counted = Usage(usage.prompt_tokens, usage.completion_tokens)
    reply = _content(choice)
    if isinstance(reply, Missing):
        return reply, counted
    return ChatReply(reply, completion.model or "", completion.system_fingerprint or ""), counted


_FILTERED: Final = frozenset({"content_filter", "safety", "blocklist", "prohibited_content", "sensitive"})
_REFUSED: Final = frozenset({"refusal"})
_THOUGHTS: Final = re.compile(r"\s*<think>.*?</think>", re.DOTALL)
_APOLOGY: Final = re.compile(
    r"\W*(i['’]?m (very )?(sorry|unable)|i am (very )?(sorry|unable)|sorry|unfortunately|"
    r"i (can['’]?t|can ?not|won['’]?t)|as an ai)\b",
    re.IGNORECASE,
)  # openings of refusals in prose, from servers that hold no model to a schema


def _content(choice: _Choice) -> str | Missing:
    message, finish = choice.message, (choice.finish_reason or "").lower()
    if finish in _FILTERED:
        return unavailable("judge_filtered")
    if message.refusal or finish in _REFUSED:
        return unavailable("judge_refused")
    text = message.content or ""
    if not isinstance(text, str):
        text = "".join(str(part.get("text", "")) for part in text)
    text = _THOUGHTS.sub("", text, count=1)
    if finish == "length":
        return Missing(Status.FAILED, "judge_cut_off")
    if not text.strip():
        thoughts = message.reasoning_content or message.reasoning or ""
        found = f"an empty answer behind {len(thoughts)} characters of thoughts" if thoughts else "an empty answer"
        return Missing(Status.FAILED, f"judge_unparsable: {found}")
    if "{" not in text and _APOLOGY.match(text):
        return unavailable("judge_refused")
    return text


@dataclass(frozen=True, slots=True)
class Problem:
    """An HTTP error, understood.

    Attributes:
        outcome: what the item gets, after the last try where there are several; None when only ``fatal`` says it.
        again: the same request may succeed later.
        fatal: what is wrong with every request of this run, in words; empty when only this one is at fault. With an
            outcome beside it: fatal only while no request has been answered.
        hint: what the user can do about a fatal one.
    """

    outcome: Missing | None = None
    again: bool = False
    fatal: str = ""
    hint: str = ""


_TRANSIENT: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
_QUOTA: Final = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
_FILTER_CODES: Final = re.compile(r"content_filter|content_policy|responsibleai|moderation_blocked", re.IGNORECASE)
_TOO_LONG: Final = re.compile(
    r"context.?(length|size|window)|exceed_context|too (long|large)|longer than the (model|maximum)|max_model_len",
    re.IGNORECASE,
)
KEY_HINT: Final = "Put the key into the environment variable that backends.judge.api_key_env names."
_HINTS: Final = (
    (
        re.compile(r"at most \d+ (image|picture)|multiple images|limit.mm.per.prompt", re.IGNORECASE),
        "the server takes one picture a request",
        "A judge needs two: start vLLM with --limit-mm-per-prompt '{\"image\": 2}' (docs/judge.md).",
    ),
    (
        re.compile(r"max_completion_tokens", re.IGNORECASE),
        "the model wants another name for the limit on tokens",
        "Set backends.judge.max_tokens_field=max_completion_tokens.",
    ),
    (
        re.compile(r"temperature", re.IGNORECASE),
        "the model takes no temperature of its own",
        "Set backends.judge.temperature=null.",
    ),
    (
        re.compile(r"response_format|json_schema|structured|guided|grammar", re.IGNORECASE),
        "the server does not take this JSON schema",
        "Set backends.judge.response_format=none: every answer is checked here in any case.",
    ),
    (
        re.compile(r"(load|decode|identify|process|unsupported|invalid).{0,40}image", re.IGNORECASE),
        "the server does not read the pictures",
        "Name the formats that it reads, for example backends.judge.pass_through=[JPEG,PNG] for llama.cpp.",
    ),
    (
        re.compile(r"(not|n't) support.{0,30}(image|vision|multimodal)|not a multimodal|image input", re.IGNORECASE),
        "the model does not take pictures",
        "Name a vision-language model.",
    ),
)


def understand(status: int, body: object) -> Problem:
    """An HTTP status of 400 or more and its body, as what to do about it.

    Args:
        status: the HTTP status.
        body: parsed JSON, text, or None.
    """
    error = body if isinstance(body, Mapping) else {}
    error = error.get("error", error) if isinstance(error.get("error", error), Mapping) else error
    text, code = _words_of(body), str(error.get("code") or "")
    if isinstance(body, Mapping) and "choices" in body:  # Azure wraps what its filter stopped in HTTP 400
        outcome = read_completion(body)[0]
        return Problem(outcome if isinstance(outcome, Missing) else unavailable("judge_filtered"))
    if _FILTER_CODES.search(code) or (status in (400, 403) and _FILTER_CODES.search(str(body))):
        return Problem(unavailable("judge_filtered"))
    if code in _QUOTA or str(error.get("type")) in _QUOTA:
        return Problem(fatal="the account's quota is used up", hint="Answers so far are kept; go on when it is paid.")
    if status in (400, 413, 422, 500) and _TOO_LONG.search(text):
        return Problem(Missing(Status.FAILED, "judge_context_too_long"))
    if status in _TRANSIENT or status > 500:
        what = "judge_rate_limited" if status == 429 else f"judge_unreachable: HTTP {status} {shorten(text)}"
        return Problem(Missing(Status.FAILED, what), again=True)
    return _refused_call(status, text)


def _refused_call(status: int, text: str) -> Problem:
    if status in (401, 403):
        return Problem(fatal=f"HTTP {status}, the key is refused", hint=KEY_HINT)
    if status == 404:
        return Problem(fatal="HTTP 404, no such address or model", hint="A base URL ends in /v1; check --model.")
    if status < 400:
        return Problem(
            fatal=f"a redirect (HTTP {status})", hint="Give the address that it points to: nothing is sent on."
        )
    outcome = Missing(Status.FAILED, f"judge_rejected: HTTP {status} {shorten(text)}")
    for pattern, what, hint in _HINTS:
        if pattern.search(text):
            return Problem(outcome, fatal=f"HTTP {status}, {what}", hint=hint)
    return Problem(outcome, fatal=f"HTTP {status}")


def shorten(text: str, limit: int = 160) -> str:
    """One line of a server's words."""
    line = " ".join(text.split()).replace(";", ",")  # a semicolon separates reason codes in the table
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _words_of(body: object) -> str:
    """An error's message, wherever a server puts it; the whole body where it puts none."""
    if not isinstance(body, Mapping):
        return "" if body is None else str(body)
    inner = body.get("error", body)
    message = (inner.get("message") or inner.get("detail")) if isinstance(inner, Mapping) else inner
    return message if isinstance(message, str) else str(body)
