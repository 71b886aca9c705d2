"""The OpenAPI document, made of the models in `schemas.gateway`. `docs/openapi.json` is what `document` returns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from schemas import gateway as models
from schemas.events import ATTRIBUTE_MAX, NAME_MAX

ACCOUNT = "/v1/tenants/{tenant}/accounts/{account}"
_REF = "#/components/schemas/{model}"
_NAMES = {
    "tenant": "The tenant, which the API key is of.",
    "account": "The account.",
    "feature": "The feature's key in the catalog.",
    "id": "The reservation's id.",
}
_STATUS = {
    200: "Done.", 201: "Granted.", 202: "The broker has the event.", 204: "Done; there is nothing to read.",
    400: "The request cannot be used.", 401: "No key, or one that is not known.",
    402: "Refused: the balance does not suffice.", 403: "The key or the account has no access.",
    404: "There is no such thing.", 408: "The body did not come in time.", 409: "The id stands for something else.", 413: "The body is too large.",
    429: "Refused by a limit, or too many requests.", 503: "The broker is away, or the gateway has just started.",
}  # fmt: skip
_ALWAYS = (400, 401, 403, 429, 503)
_WITH_BODY = (408, 413)
_NAME = {"type": "string", "pattern": f"^[!-.0-~]{{1,{NAME_MAX}}}$"}
_EVENT: Mapping[str, Any] = {
    "type": "object",
    "description": "A usage event: CloudEvents 1.0, JSON, structured.",
    "required": ["specversion", "id", "source", "type", "subject", "data"],
    "properties": {
        "specversion": {"const": "1.0"},
        **{name: {"type": "string", "minLength": 1, "maxLength": ATTRIBUTE_MAX} for name in ("id", "source", "type")},
        "subject": _NAME,
        **{name: {**_NAME, "type": ["string", "null"]} for name in ("tenant", "account")},
        "time": {"type": ["string", "null"], "format": "date-time"},
        "data": {"type": "object"},
    },
}  # fmt: skip
_BARE: Mapping[str, Any] = {
    **_EVENT,
    "required": [name for name in _EVENT["required"] if name != "data"],
    "properties": {**_EVENT["properties"], "data": {"type": ["object", "null"]}},
}
"""As OpenMeter takes it: data may be left out."""
_BINARY = "One event may be in binary mode too: its attributes in `ce-` headers, its data alone in the body."


def _one_or_more(event: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"oneOf": [event, {"type": "array", "items": event, "minItems": 1}]}


Models = type[BaseModel] | tuple[type[BaseModel], ...] | None
"""What an answer may be; `None` has no body."""
_REFUSED: Models = (models.Refusal, models.Problem)


class Route(NamedTuple):
    """A route: what it takes, and the model of each answer (`None`: no body). `problems` come beside those of every
    route, and of every one with a body."""

    method: str
    path: str
    what: str
    answers: Mapping[int, Models]
    problems: Mapping[int, Models]
    body: type[BaseModel] | Mapping[str, Any] | None = None
    query: Iterable[str] = ()
    more: str = ""


ROUTES = (
    Route("get", ACCOUNT + "/features/{feature}", "The entitlement, with what is reserved and available.",
          {200: models.Access}, {404: models.Problem}, query=("subject",)),
    Route("post", ACCOUNT + "/reservations", "Hold back a quantity of a feature, granted or refused at once.",
          {201: models.Reservation},
          {402: models.Refusal, 403: _REFUSED, 404: models.Problem, 409: models.Problem, 429: _REFUSED},
          models.Reserve),
    Route("post", ACCOUNT + "/reservations/{id}/commit", "Publish the event that it was for, once.",
          {202: models.Committed}, {404: models.Problem, 409: models.Problem}, models.Commit),
    Route("delete", ACCOUNT + "/reservations/{id}", "Give it back.",
          {204: None}, {404: models.Problem, 409: models.Problem}),
    Route("post", "/v1/events", "Usage events, one or a batch, with a result an event.",
          {200: models.EventResults}, {}, _one_or_more(_EVENT), more=_BINARY),
    Route("post", "/api/v1/events", "The same as OpenMeter's ingest: all of them or none.",
          {204: None}, {}, _one_or_more(_BARE), more=_BINARY),
)  # fmt: skip


def document() -> dict[str, Any]:
    """The whole document."""
    used = {model for route in ROUTES for model in _models(route)}
    ordered = sorted(used, key=lambda model: model.__name__)
    _, schemas = models_json_schema([(model, "serialization") for model in ordered], ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "azotte gateway", "version": "1", "description": "Access, reservations and usage events."},
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas["$defs"],
        },
    }  # fmt: skip


def _models(route: Route) -> Iterable[type[BaseModel]]:
    yield models.Problem
    for found in (*route.answers.values(), *route.problems.values()):
        yield from listed(found)
    if isinstance(route.body, type):
        yield route.body


def listed(found: Models) -> tuple[type[BaseModel], ...]:
    """One, several or none, as a tuple."""
    return () if found is None else found if isinstance(found, tuple) else (found,)


def _operation(route: Route) -> dict[str, Any]:
    problems: dict[int, Models] = dict.fromkeys(_ALWAYS, models.Problem)
    if route.body is not None:
        problems |= dict.fromkeys(_WITH_BODY, models.Problem)
    problems |= route.problems
    responses = {
        **{str(status): _response(status, model, "application/json") for status, model in route.answers.items()},
        **{str(status): _response(status, model, "application/problem+json") for status, model in sorted(problems.items())},
    }  # fmt: skip
    names = [part[1:-1] for part in route.path.split("/") if part.startswith("{")]
    parameters = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": _NAMES[name],
            "schema": {"type": "string"},
        }
        for name in names
    ] + [
        {"name": name, "in": "query", "required": False, "schema": {"type": "string"}} for name in route.query
    ]
    operation: dict[str, Any] = {"summary": route.what, "parameters": parameters, "responses": responses}
    if route.more:
        operation["description"] = route.more
    if route.body is not None:
        schema = _ref(route.body) if isinstance(route.body, type) else route.body
        types = ("application/json",) if isinstance(route.body, type) else (
            "application/json", "application/cloudevents+json", "application/cloudevents-batch+json",
        )  # fmt: skip
        operation["requestBody"] = {"required": True, "content": {kind: {"schema": schema} for kind in types}}
    return operation


def _response(status: int, model: Models, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = {"description": _STATUS[status]}
    refs = [_ref(each) for each in listed(model)]
    if refs:
        found["content"] = {kind: {"schema": refs[0] if len(refs) == 1 else {"anyOf": refs}}}
    return found


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REF.format(model=model.__name__)}
