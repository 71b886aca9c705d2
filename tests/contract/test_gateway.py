"""The gateway's OpenAPI document: kept in docs, and every answer is as it says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pydantic import BaseModel, ValidationError

from schemas.gateway import Problem
from streams.gateway import openapi
from tests.unit.streams.gateway.gate import Gate, entitlement, world

PAGE = Path(__file__).parents[2] / "docs" / "openapi.json"
ACCOUNT = "/v1/tenants/acme/accounts/cust-1"
CHAT = f"{ACCOUNT}/features/chat"
EVENT = {
    "specversion": "1.0",
    "id": "e1",
    "source": "s",
    "type": "llm",
    "subject": "cust-1",
    "data": {"tokens": 3},
}
BLOCKED = entitlement("blocked", access=False, reason="hard_limit")
ASKED: list[tuple[str, str, Any, int]] = [
    ("GET", CHAT, None, 200),
    ("GET", CHAT.replace("chat", "sso"), None, 200),
    ("GET", CHAT.replace("chat", "nothing"), None, 404),
    ("GET", CHAT.replace("acme", "other"), None, 403),
    ("POST", f"{ACCOUNT}/reservations", {"id": "r1", "feature": "chat", "quantity": "5"}, 201),
    ("POST", f"{ACCOUNT}/reservations", {"id": "r1", "feature": "chat", "quantity": "61"}, 402),
    ("POST", f"{ACCOUNT}/reservations", {"id": "r1", "feature": "sso", "quantity": "1"}, 403),
    ("POST", f"{ACCOUNT}/reservations", {"id": "r1", "feature": "blocked", "quantity": "1"}, 429),
    ("POST", f"{ACCOUNT}/reservations", {"id": "r1", "feature": "nothing", "quantity": "1"}, 404),
    ("POST", f"{ACCOUNT}/reservations", {"id": "r1"}, 400),
    ("POST", f"{ACCOUNT}/reservations/no/commit", {"event": {"type": "llm"}}, 404),
    ("DELETE", f"{ACCOUNT}/reservations/no", None, 404),
    ("POST", "/v1/events", EVENT, 200),
    ("POST", "/v1/events", [EVENT, {"id": "x"}], 200),
    ("POST", "/v1/events", [], 400),
    ("POST", "/api/v1/events", EVENT, 204),
    ("POST", "/api/v1/events", {"id": "x"}, 400),
]


def route_of(method: str, path: str) -> openapi.Route:
    for route in openapi.ROUTES:
        pattern = re.sub(r"{\w+}", "[^/]+", route.path)
        if route.method.upper() == method and re.fullmatch(pattern, path.partition("?")[0]):
            return route
    raise AssertionError(f"the document has no {method} {path}")


def models_of(route: openapi.Route, status: int) -> tuple[type[BaseModel], ...]:
    if status in route.answers:
        return openapi.listed(route.answers[status])
    return openapi.listed(route.problems.get(status, Problem))


def fits(model: type[BaseModel], body: Any) -> bool:
    try:
        model.model_validate(body)
    except ValidationError:
        return False
    return True


def test_the_page_is_the_document() -> None:
    want = json.dumps(openapi.document(), indent=1, ensure_ascii=False) + "\n"
    assert PAGE.read_text(encoding="utf-8") == want, "azotte gateway openapi > docs/openapi.json"


@pytest.mark.parametrize(("method", "path", "body", "status"), ASKED, ids=lambda value: str(value)[:60])
def test_an_answer_is_as_the_document_says(
    tmp_path: Path, method: str, path: str, body: Any, status: int
) -> None:
    gate = Gate(tmp_path, world(entitlement(limits=[]), BLOCKED))
    answer = gate.ask(method, path, body)
    assert answer.status == status
    route = route_of(method, path)
    operation = openapi.document()["paths"][route.path][route.method]
    assert str(status) in operation["responses"]
    models = models_of(route, status)
    if not models:
        assert answer.text == ""
        return
    assert any(fits(model, answer.body) for model in models), answer.body
    kind = "application/json" if status in route.answers else "application/problem+json"
    assert answer.headers["Content-Type"].partition(";")[0] == kind


def test_every_route_is_in_the_document_and_no_other(tmp_path: Path) -> None:
    served = set(_served(Gate(tmp_path, world()).application()))
    pages = {("get", path) for path in ("/openapi.json", "/healthz", "/readyz", "/metrics")}
    served = {(method, path) for method, path in served if method != "head"}
    assert served - pages == {(route.method, route.path) for route in openapi.ROUTES}


def _served(app: web.Application) -> Iterator[tuple[str, str]]:
    for route in app.router.routes():
        assert route.resource is not None
        yield route.method.lower(), route.resource.canonical


def test_the_document_refers_to_nothing_that_is_not_there() -> None:
    text = json.dumps(openapi.document())
    schemas = openapi.document()["components"]["schemas"]
    named = set(re.findall(r'"#/components/schemas/(\w+)"', text))
    assert named == set(schemas)
