"""RFC 9457 problems: what an error of the gateway looks like, and the one place that writes it."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from aiohttp import web

CONTENT_TYPE = "application/problem+json"
TYPE = "urn:azotte:problem:"


class Problem(Exception):
    """A request that is refused or failed. `slug` names the kind of problem, `detail` says what to do about it."""

    def __init__(
        self,
        status: int,
        slug: str,
        detail: str,
        members: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.slug, self.detail = status, slug, detail
        self.members, self.headers = members or {}, headers or {}

    def response(self) -> web.Response:
        """As it is answered; `members` stand beside the problem's own."""
        body = {
            "type": TYPE + self.slug,
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            **self.members,
        }
        return web.Response(
            status=self.status,
            body=msgspec.json.encode(body),
            headers={**self.headers, "Content-Type": CONTENT_TYPE},
        )


def unavailable(detail: str, slug: str = "unavailable") -> Problem:
    """What passes by itself: the same request may be made again, with the same id."""
    return Problem(503, slug, detail, headers={"Retry-After": "1"})


def of_http(error: web.HTTPException) -> Problem:
    """What aiohttp answers by itself: no such route, another method, a body that is too large."""
    slug = error.reason.lower().replace(" ", "-")
    details = {
        404: "there is no such route: see /openapi.json",
        405: "the route does not take this method: see /openapi.json",
        413: "the body is larger than gateway_body_bytes_max: send less at once",
    }
    kept = {name: value for name, value in error.headers.items() if name in ("Allow", "Retry-After")}
    return Problem(error.status, slug, details.get(error.status, error.reason), headers=kept)
