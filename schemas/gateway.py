"""What the gateway's routes take and answer. The OpenAPI document is made of these models, so that it cannot differ.

read_json(b'{"quantity": 0.1}')  ->  {"quantity": Decimal("0.1")}
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, TypeVar

import msgspec
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from rating import numbers
from rating.times import DAY, SECOND
from schemas.canonical import check_depth, number
from schemas.catalog.base import Model, wrong
from schemas.catalog.scalars import Id, Key, PositiveQuantity, duration, scalar
from schemas.checked import checked

TTL_MAX = DAY
Body = TypeVar("Body", bound=Model)
BROKEN = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError)


class Unreadable(Exception):
    """A body that cannot be used: a sentence with what is wrong and what to send."""


class Reserve(Model):
    """The body of a reservation."""

    id: Id
    feature: Key
    quantity: PositiveQuantity
    minimum: PositiveQuantity | None = None
    subject: Id | None = None
    dimensions: Annotated[dict[Key, Annotated[str, BeforeValidator(scalar)]], Field(max_length=20)] = {}
    ttl: Annotated[str, BeforeValidator(duration(SECOND, TTL_MAX))] = "10m"

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.minimum is not None and numbers.quantity(self.minimum) > numbers.quantity(self.quantity):
            raise wrong(f"is more than quantity, {self.quantity}", "ask for less", ("minimum",))
        return self


class Commit(Model):
    """The body of a commit: the usage event that the reservation was for, with at least `type` and `data`. What it does not
    say the reservation does: id, source, subject, account, tenant, time."""

    event: Annotated[dict[str, Any], Field(min_length=1, max_length=200)]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class LimitValue(_Answer):
    """A limit that bears on a feature, and how far it is used."""

    limit: str
    value: str
    amount: str
    resets_at: str | None


class Access(BaseModel):
    """The entitlement as `billing.entitlements.v1` has it, with what is reserved and available (null: no bound)."""

    model_config = ConfigDict(extra="allow")

    tenant: str
    account: str
    feature: str
    access: bool
    reason: str
    kind: str | None = None
    value: bool | str | None = None
    included: str | None = None
    used: str | None = None
    balance: str | None = None
    overage: str | None = None
    resets_at: str | None = None
    limits: list[LimitValue] = []
    reserved: str
    available: str | None


class Reservation(_Answer):
    """What was granted; `available` is what is left after it (null: no bound)."""

    id: str
    granted: str
    available: str | None
    expires_at: str | None


class EventName(_Answer):
    """What an event is known by."""

    id: str
    source: str


class Committed(_Answer):
    """The event that a reservation became."""

    id: str
    event: EventName


class EventResult(_Answer):
    """What became of one event; `error` is a code of the contract, as on `usage.rejected.v1`."""

    id: str | None
    status: Literal["accepted", "rejected"]
    error: str | None = None
    error_detail: str | None = None


class EventResults(_Answer):
    """One result an event, in their order."""

    results: list[EventResult]


class Problem(BaseModel):
    """RFC 9457. `type` says which problem it is, `detail` what to do."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str


class Refusal(Problem, Reservation):
    """A problem, and what there is."""

    model_config = ConfigDict(extra="forbid")


def read_json(body: bytes) -> Any:
    """A body's JSON, numbers exact. Raises `Unreadable`."""
    try:
        found = _json.decode(body)
        check_depth(found, body)
    except BROKEN as error:
        words = "it is nested too deep" if isinstance(error, RecursionError) else str(error)[:200]
        raise Unreadable(f"the body is not JSON that can be read: {words}") from None
    return found


_json = msgspec.json.Decoder(float_hook=number)


class _Commit(msgspec.Struct, forbid_unknown_fields=True):
    event: dict[str, msgspec.Raw]


_commit = msgspec.json.Decoder(_Commit)


def read_commit(body: bytes) -> dict[str, msgspec.Raw]:
    """The members of a commit's event, each as its own text. Raises `Unreadable`."""
    try:
        return _commit.decode(body).event
    except BROKEN as error:
        raise Unreadable(f'the body is not {{"event": {{…}}}}: {str(error)[:200]}') from None


def read_model(model: type[Body], body: bytes) -> Body:
    """A body as a model. Raises `Unreadable`, naming each field that is wrong."""
    data = read_json(body)
    if not isinstance(data, dict):
        raise Unreadable("the body is not a JSON object")
    found = checked(model, data)
    if isinstance(found, str):
        raise Unreadable(found)
    return found
