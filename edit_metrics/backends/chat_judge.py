"""A vision-language model behind any OpenAI-compatible endpoint: vLLM, SGLang, llama.cpp, a vendor.

The only file of the judge that talks to a network. It sends texts and pictures and hands back text; what is asked and
what an answer means is :mod:`edit_metrics.judge`'s business.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from edit_metrics.backends.base import Fingerprint, one_of, require_package
from edit_metrics.backends.chat_endpoints import (
    Endpoint,
    backoff,
    host_of,
    is_this_machine,
    post,
    take_turn,
)
from edit_metrics.backends.chat_pictures import SENDABLE, ChatPicture, PictureEncoder, PictureRules, to_data_url
from edit_metrics.backends.chat_wire import (
    KEY_HINT,
    ChatReply,
    Problem,
    Usage,
    encode_request,
    read_completion,
)
from edit_metrics.backends.registry import backend
from edit_metrics.config import DecodeLimits
from edit_metrics.errors import ConfigError, ImageError, JudgeError
from edit_metrics.types import Missing, Status

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = ["ChatJudge", "ChatOutcome", "ChatPicture", "ChatReply", "ChatRequest"]

KEY_VARIABLE: Final = "EDIT_METRICS_JUDGE_KEY"
_VERSION: Final = 1
_CONNECT_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One question.

    Attributes:
        system: the system message; empty for none.
        parts: of the user's message, in order.
        schema: JSON schema of the answer; None for free text.
        seed: for servers that sample; None sends none.
    """

    system: str
    parts: tuple[str | ChatPicture, ...]
    schema: Mapping[str, Any] | None = None
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class ChatOutcome:
    """How a question ended.

    Attributes:
        calls: requests that were sent for it, failed ones included.
        usage: tokens of those that a server counted.
        seconds: from the first request to the end.
    """

    result: ChatReply | Missing
    calls: int
    usage: Usage
    seconds: float


@backend("chat_judge", "judge", packages=("openai",), extra="judge")
class ChatJudge:
    """Role ``judge``.

    Args:
        base_url: of the API, up to and with ``/v1``; or a list of servers of the same model.
        model: as the server calls it; empty: the one that it serves.
        model_revision: of the weights, for the record: servers do not name it.
        api_key_env: environment variable that holds the key; the key is in no file, log or error.
        concurrency: requests under way at a time.
        timeout: seconds for one request.
        attempts: requests for one question, when servers are busy, broken or silent.
        temperature: None leaves it to the server (some models take none).
        max_tokens: of an answer, thoughts included.
        max_tokens_raised: asked once more with this limit when an answer was cut off; 0: not.
        max_tokens_field: ``max_tokens``, or ``max_completion_tokens`` for vendors that renamed it.
        response_format: ``json_schema``, or ``none`` for servers that refuse it. Answers are checked in any case.
        extra_body: further fields of the request: ``{chat_template_kwargs: {enable_thinking: false}}``.
        pass_through: see :class:`~edit_metrics.backends.chat_pictures.PictureRules`, as the next three.
        threads: that read and encode pictures.
    """

    def __init__(
        self,
        *,
        base_url: str | Sequence[str] = "http://127.0.0.1:8000/v1",
        model: str = "",
        model_revision: str = "",
        api_key_env: str = KEY_VARIABLE,
        concurrency: int = 16,
        timeout: float = 120.0,
        attempts: int = 6,
        temperature: float | None = 0.0,
        max_tokens: int = 1024,
        max_tokens_raised: int = 0,
        max_tokens_field: str = "max_tokens",
        response_format: str = "json_schema",
        extra_body: Mapping[str, Any] | None = None,
        pass_through: Sequence[str] = ("JPEG", "PNG", "WEBP"),
        max_side: int = 1536,
        max_bytes: int = 5_000_000,
        jpeg_quality: int = 92,
        threads: int | None = None,
    ) -> None:
        require_package("openai", "judge", "asking a judge")
        options = {name: value for name, value in locals().items() if name not in ("self", "threads")}
        self._fingerprint = self.describe(options)
        self._options = options
        self.urls = _urls(base_url)
        self.model = model
        self.concurrency = max(1, concurrency)
        self._key_name = api_key_env
        self._key = os.environ.get(api_key_env, "")
        self._encoder = PictureEncoder(_rules(options), DecodeLimits(), threads or 2)
        self._endpoints: tuple[Endpoint, ...] = ()
        self._answered = False

    @classmethod
    def weights(cls, options: Mapping[str, Any]) -> tuple[str, ...]:
        """None: they lie with the server."""
        return ()

    @classmethod
    def describe(cls, options: Mapping[str, Any]) -> Fingerprint:
        """What answers depend on; which server gives them and how long it may take are no part of it.

        Nor is ``max_tokens``: an answer that was not cut off is the same under a larger limit.
        """
        one_of("max_tokens_field", options["max_tokens_field"], ("max_tokens", "max_completion_tokens"))
        one_of("response_format", options["response_format"], ("json_schema", "none"))
        for kind in options["pass_through"]:
            one_of("pass_through", kind, SENDABLE)
        for url in _urls(options["base_url"]):
            host_of(url)
        decoding = {
            "temperature": options["temperature"],
            "response_format": options["response_format"],
            **dict(options["extra_body"] or {}),
        }
        return Fingerprint(
            name=f"chat_judge/{options['model'] or '(the one served)'}",
            weights={"revision": options["model_revision"]},
            preprocessing=f"{_rules(options)}; {decoding}",
            version=_VERSION,
        )

    @property
    def fingerprint(self) -> Fingerprint:
        """See :class:`~edit_metrics.backends.base.Fingerprint`."""
        return self._fingerprint

    @property
    def hosts_elsewhere(self) -> tuple[str, ...]:
        """Hosts that are not this machine: what is sent to them leaves it."""
        hosts = dict.fromkeys(host_of(url) for url in self.urls)
        return tuple(host for host in hosts if not is_this_machine(host))

    @property
    def picture_rules(self) -> PictureRules:
        """What passes as it is."""
        return _rules(self._options)

    @property
    def pictures_encoded(self) -> int:
        """Pictures encoded so far; each one counts once."""
        return self._encoder.encoded

    async def find_model(self) -> str:
        """The model's name: the configured one, else the only one that the server lists.

        Raises:
            JudgeError: none is configured, and the server lists none or several.
        """
        if self.model:
            return self.model
        import openai

        endpoint = self._open()[0]
        try:
            listed = [entry.id async for entry in endpoint.client.models.list()]
        except (openai.APIError, ValueError) as error:
            raise JudgeError(
                "the name of the judge's model", "none", endpoint.url,
                f"Give --model NAME: the server does not list its models ({self._scrub(str(error))}).",
            ) from None  # fmt: skip
        finally:
            await self.close()
        if len(listed) != 1:
            got = f"several: {', '.join(listed[:8])}" if listed else "a server that lists none"
            raise JudgeError("the name of the judge's model", got, endpoint.url, "Give --model NAME.")
        self.model = listed[0]
        return self.model

    async def ask(self, request: ChatRequest, *, attempts: int | None = None) -> ChatOutcome:
        """Ask one question, again where asking again can help.

        Args:
            request: texts and pictures.
            attempts: most requests; the configured number by default.

        Returns:
            The answer, or a typed reason: ``judge_refused`` and ``judge_filtered`` are never asked again.

        Raises:
            JudgeError: no request of this run can succeed: key, model, address, settings.
        """
        started = time.monotonic()
        pictures = [part for part in request.parts if isinstance(part, ChatPicture)]
        try:
            urls = iter(await self._encoder.encode(pictures))
        except ImageError as error:
            return ChatOutcome(Missing(Status.FAILED, f"judge_picture_{error.code}"), 0, Usage(None, None), 0.0)
        parts = [next(urls) if isinstance(part, ChatPicture) else part for part in request.parts]
        attempts = attempts or int(self._options["attempts"])
        outcome = await self._ask(request, parts, int(self._options["max_tokens"]), attempts)
        raised = int(self._options["max_tokens_raised"])
        if isinstance(outcome.result, Missing) and outcome.result.reason == "judge_cut_off" and raised:
            again = await self._ask(request, parts, raised, attempts)
            outcome = ChatOutcome(again.result, outcome.calls + again.calls, _sum(outcome.usage, again.usage), 0.0)
        return ChatOutcome(outcome.result, outcome.calls, outcome.usage, time.monotonic() - started)

    def to_body(self, request: ChatRequest) -> bytes:
        """The request as it would be sent, for servers that take files of them.

        Raises:
            ImageError: a picture that cannot be read.
        """
        rules, limits = _rules(self._options), DecodeLimits()
        parts = [
            to_data_url(part.load(), rules, limits) if isinstance(part, ChatPicture) else part for part in request.parts
        ]
        return self._encode(request, parts, int(self._options["max_tokens"]))

    async def close(self) -> None:
        """Let go of connections, threads and pictures."""
        self._encoder.close()
        for endpoint in self._endpoints:
            await endpoint.client.close()
        self._endpoints = ()

    async def _ask(
        self, request: ChatRequest, parts: Sequence[str | bytes], max_tokens: int, attempts: int
    ) -> ChatOutcome:
        body = self._encode(request, parts, max_tokens)
        nothing = Missing(Status.FAILED, "judge_unreachable")
        for attempt in range(1, attempts + 1):
            endpoint = await take_turn(self._open())
            answer = await post(endpoint, body)
            if not isinstance(answer, Problem):
                self._answered = True
                result, usage = read_completion(answer)
                return ChatOutcome(result, attempt, usage, 0.0)
            if answer.fatal and (answer.outcome is None or not self._answered):
                raise self._error(endpoint, answer)
            nothing = answer.outcome or nothing
            if not answer.again:
                break
            if attempt < attempts:
                await asyncio.sleep(backoff(attempt))
        return ChatOutcome(Missing(nothing.status, self._scrub(nothing.reason)), attempt, Usage(None, None), 0.0)

    def _encode(self, request: ChatRequest, parts: Sequence[str | bytes], max_tokens: int) -> bytes:
        schema = request.schema if self._options["response_format"] == "json_schema" else None
        return encode_request(self._settings(request, max_tokens), request.system, parts, schema)

    def _settings(self, request: ChatRequest, max_tokens: int) -> dict[str, Any]:
        settings: dict[str, Any] = {"model": self.model, str(self._options["max_tokens_field"]): max_tokens}
        if self._options["temperature"] is not None:
            settings["temperature"] = self._options["temperature"]
        if request.seed is not None:
            settings["seed"] = request.seed
        return settings | dict(self._options["extra_body"] or {})

    def _open(self) -> tuple[Endpoint, ...]:
        """Clients are made on first use: they belong to the event loop that is running."""
        if not self._endpoints:
            self._endpoints = tuple(Endpoint(url, self._client(url)) for url in self.urls)
        return self._endpoints

    def _client(self, url: str) -> AsyncOpenAI:
        import openai

        timeout = openai.Timeout(float(self._options["timeout"]), connect=_CONNECT_SECONDS)
        here = is_this_machine(host_of(url))
        # A proxy from the environment would carry pictures off this machine; a redirect, to a host that nobody named.
        # Reading the certificates takes 60 ms, for which plain http on this machine has no use: nothing redirects.
        secure = not (here and url.startswith("http://"))
        http = openai.DefaultAsyncHttpxClient(
            trust_env=not here, follow_redirects=False, timeout=timeout, verify=secure
        )
        return openai.AsyncOpenAI(
            base_url=url, api_key=self._key or "none", max_retries=0, timeout=timeout, http_client=http
        )

    def _error(self, endpoint: Endpoint, problem: Problem) -> JudgeError:
        # What the server said follows its status, which `fatal` has already.
        said = problem.outcome.reason.partition("HTTP ")[2].partition(" ")[2] if problem.outcome else ""
        got = self._scrub(f"{problem.fatal}: {said}" if said else problem.fatal)
        todo = problem.hint
        if problem.hint == KEY_HINT and not self._key:
            todo = f"No key was sent: the environment variable {self._key_name} is empty."
        return JudgeError(f"answers from the judge {self.model!r}", got, endpoint.url, todo)

    def _scrub(self, text: str) -> str:
        """Servers quote the key that they refuse; it stays out of tables and messages."""
        if self._key:
            text = text.replace(self._key, "***")
        return _LOOKS_LIKE_A_KEY.sub("***", text)


_LOOKS_LIKE_A_KEY: Final = re.compile(r"\b(sk|key|pk|gsk|hf|nvapi|xai)[-_][\w*.-]{6,}|Bearer\s+\S+", re.IGNORECASE)


def _urls(base_url: str | Sequence[str]) -> tuple[str, ...]:
    urls = (base_url,) if isinstance(base_url, str) else tuple(base_url)
    if not urls:
        raise ConfigError("at least one base_url for the judge", "an empty list", "backends.judge.base_url")
    return tuple(url.rstrip("/") for url in urls)


def _rules(options: Mapping[str, Any]) -> PictureRules:
    return PictureRules(
        tuple(options["pass_through"]), options["max_side"], options["max_bytes"], options["jpeg_quality"]
    )


def _sum(first: Usage, second: Usage) -> Usage:
    def add(a: int | None, b: int | None) -> int | None:
        return None if a is None and b is None else (a or 0) + (b or 0)

    return Usage(add(first.tokens_in, second.tokens_in), add(first.tokens_out, second.tokens_out))
