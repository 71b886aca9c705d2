"""Bodies of requests: read within a time, and what is wrong with one as a problem."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from aiohttp import web

from schemas.gateway import Unreadable
from streams.gateway.problems import Problem

Body = TypeVar("Body")


async def body_of(request: web.Request, within_s: float) -> bytes:
    """The whole body. Raises `Problem` for one that does not come in time, breaks off, or is not encoded as it says."""
    try:
        return await asyncio.wait_for(request.read(), within_s)
    except TimeoutError:
        words = (
            f"the body did not come within gateway_timeout, {within_s:g} s: send it again, or less at once"
        )
        raise Problem(408, "request-timeout", words, headers={"Connection": "close"}) from None
    except (web.RequestPayloadError, ConnectionError):
        words = "the body broke off, or is not encoded as Content-Encoding and Transfer-Encoding say"
        raise Problem(400, "bad-request", words) from None


def parsed(read: Callable[[bytes], Body], body: bytes) -> Body:
    """A body as `read` makes it. Raises `Problem`."""
    try:
        return read(body)
    except Unreadable as error:
        raise Problem(400, "bad-request", str(error)) from None
