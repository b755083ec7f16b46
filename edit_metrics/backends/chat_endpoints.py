"""Several servers of one model: the least busy one is asked, and one that is in trouble rests."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from edit_metrics.backends.chat_wire import Problem, shorten, understand
from edit_metrics.errors import ConfigError
from edit_metrics.types import Missing, Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openai import AsyncOpenAI
    from openai._types import RequestOptions

_FIRST_WAIT: Final = 0.5
_LONGEST_WAIT: Final = 60.0
"""Seconds; the wait before try k is uniform in [0, min(60, .5 · 2^k)], "full jitter" (Brooker, "Exponential Backoff
And Jitter", AWS Architecture Blog, 2015): clients that failed together do not come back together."""
LONGEST_RETRY_AFTER: Final = 300.0
"""Seconds that a server's own Retry-After may ask for; a daily quota asks for hours, and that is not waited for."""


@dataclass(slots=True)
class Endpoint:
    """One server and how it fares.

    Attributes:
        url: as configured.
        client: bound to the running event loop.
        under_way: requests sent and not answered.
        rests_until: monotonic seconds before which nothing more is sent to it.
        failures: in a row.
    """

    url: str
    client: AsyncOpenAI
    under_way: int = 0
    rests_until: float = 0.0
    failures: int = 0

    def rest(self, seconds: float) -> None:
        """Send nothing for so long."""
        self.rests_until = max(self.rests_until, time.monotonic() + seconds)


async def post(endpoint: Endpoint, body: bytes) -> object | Problem:
    """Send one chat request.

    Returns:
        The parsed response, or what is wrong. A server that cannot be reached, or that asks for patience, rests.
    """
    import openai

    options: RequestOptions = {"headers": {"Content-Type": "application/json"}}
    endpoint.under_way += 1
    try:
        answer = await endpoint.client.post("/chat/completions", cast_to=object, content=body, options=options)
    except openai.APIStatusError as error:
        problem = understand(error.status_code, error.body)
        if error.status_code in (429, 503) and problem.again:
            endpoint.rest(_patience(endpoint, error.response.headers))
        return problem
    except openai.APITimeoutError:
        return Problem(Missing(Status.FAILED, "judge_unreachable: no answer in time"), again=True)
    except openai.APIConnectionError as error:
        endpoint.failures += 1
        endpoint.rest(backoff(endpoint.failures))
        cause = error.__cause__ or error
        found = f"judge_unreachable: {type(cause).__name__} {shorten(str(cause))}"
        return Problem(Missing(Status.FAILED, found), again=True)
    except ValueError:
        answer = None  # it says that it is JSON, and was cut on the way
    finally:
        endpoint.under_way -= 1
    endpoint.failures = 0
    if not isinstance(answer, dict):  # text where it says that it is something else: a proxy's page
        return Problem(Missing(Status.FAILED, "judge_unparsable: a response that is no JSON"), again=True)
    return answer


def _patience(endpoint: Endpoint, headers: Mapping[str, str]) -> float:
    asked = retry_after(headers)
    endpoint.failures += asked is None
    return backoff(endpoint.failures) if asked is None else min(asked, LONGEST_RETRY_AFTER)


async def take_turn(endpoints: Sequence[Endpoint]) -> Endpoint:
    """The least busy endpoint that does not rest; waits while all of them do."""
    while True:
        now = time.monotonic()
        awake = [endpoint for endpoint in endpoints if endpoint.rests_until <= now]
        if awake:
            return min(awake, key=lambda endpoint: (endpoint.failures > 0, endpoint.under_way))
        await asyncio.sleep(min(endpoint.rests_until for endpoint in endpoints) - now)


def backoff(attempt: int) -> float:
    """Seconds to wait before the next try.

    Args:
        attempt: tries so far, from 1.
    """
    return random.uniform(0, min(_LONGEST_WAIT, _FIRST_WAIT * 2**attempt))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a server asks for (``Retry-After`` in seconds or as a date, ``retry-after-ms``); None without."""
    for name, factor in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name)
        if value is None:
            continue
        try:
            return max(0.0, float(value) * factor)
        except ValueError:
            pass
        try:
            return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
        except (TypeError, ValueError):
            continue
    return None


def host_of(url: str) -> str:
    """Host of a base URL.

    Raises:
        ConfigError: no http(s) URL, or one that carries a name, password or query: it would be written to files.
    """
    try:
        parts = urlsplit(url)
        plain = not (parts.username or parts.password or parts.query or parts.fragment)
        host = parts.hostname or ""
    except ValueError:
        plain, host, parts = True, "", urlsplit("")
    if parts.scheme not in ("http", "https") or not host:
        raise ConfigError("http://HOST:PORT/v1 or https://…", repr(url), "the judge's base_url")
    if not plain:
        raise ConfigError(
            "a base URL without a name, password, query or fragment",
            "one that has some",
            f"the judge's base_url at {host}",
            "Base URLs are written to run.json. A key goes into the environment variable that api_key_env names.",
        )
    return host


def is_this_machine(host: str) -> bool:
    """Whether pictures sent there stay on this machine: a loopback address or name."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
