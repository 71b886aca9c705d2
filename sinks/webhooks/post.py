"""One request and its answer. What goes wrong is an answer too, in words without the address: it may hold a secret.

Redirects are not followed, and each request has a connection of its own: a connection that the receiver closed meanwhile
would look like a failure. Nothing of the answer beyond its first bytes is read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

import aiohttp

BODY_MAX = 2_000
GONE = 410


class Answer(NamedTuple):
    """What came of it: `status` is `None` where there was no answer, `words` say it in any case. `retry_after` in µs."""

    status: int | None
    words: str
    body: str = ""
    retry_after: int = 0

    @property
    def taken(self) -> bool:
        """Whether the receiver has it."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        """Whether the receiver wants no more of it: trying again is pointless."""
        return self.status == GONE


def session(timeout_s: float) -> aiohttp.ClientSession:
    """A session, made within a running loop; how many requests go at a time is the caller's to bound."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, force_close=True),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=timeout_s),
        headers={"user-agent": "azotte"},
        max_line_size=8_190,
        auto_decompress=False,
    )


async def post(client: aiohttp.ClientSession, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """Send it. Raises nothing that a receiver or the network can cause."""
    try:
        async with client.post(url, data=body, headers=headers, allow_redirects=False) as found:
            words = f"answered {found.status} {found.reason or ''}".rstrip()
            after = _micros(found.headers.get("Retry-After", ""))
            return Answer(found.status, words, await _start(found), after)
    except TimeoutError:
        return Answer(None, f"no answer within {client.timeout.total:g} s")
    except aiohttp.ClientConnectorCertificateError:
        return Answer(None, "its certificate is not trusted")
    except aiohttp.ClientConnectorDNSError:
        return Answer(None, "its name is not known")
    except aiohttp.ClientConnectorError as error:
        return Answer(None, f"no connection: {error.os_error.strerror or type(error.os_error).__name__}")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return Answer(None, f"no answer: {type(error).__name__}")


async def _start(answer: aiohttp.ClientResponse) -> str:
    """What the answer says first. The status has been heard: a body that does not come takes nothing from it."""
    try:
        found = await answer.content.read(BODY_MAX)
    except (aiohttp.ClientError, TimeoutError, OSError):
        return ""
    return found.decode("utf-8", "replace")


def _micros(retry_after: str) -> int:
    """`Retry-After` in seconds; a date there is not read."""
    return int(retry_after) * 1_000_000 if re.fullmatch(r"[0-9]{1,9}", retry_after) else 0
