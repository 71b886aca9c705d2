"""The models of all commands, by type; a field of none is refused. See the contract, section 4, and lifecycle."""

from __future__ import annotations

import typing
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from rating.errors import TimeError
from rating.times import parse_time
from schemas.catalog.base import Model, choice, wrong
from schemas.catalog.limits import Limit, Scope
from schemas.catalog.plans import AppliesTo, Overrides, Priority, Rollover
from schemas.catalog.scalars import (
    Boolean,
    Currency,
    Id,
    Key,
    PositiveAmount,
    Quantity,
    Text,
    Time,
    Timezone,
    Unit,
    integer,
    time,
)

SUBJECTS_MAX = 10_000
At = typing.Literal["now", "period_end"]
Version = Annotated[int, BeforeValidator(integer(1, 1_000_000))]
Event = Annotated[dict[str, Any], Field(min_length=1, max_length=200)]


class Envelope(Model):
    """What every command has."""

    id: Id
    tenant: Id = "default"
    type: str
    time: Time


class OfAccount(Envelope):
    """A command of one account."""

    account: Id


def _anchor(value: object) -> str:
    if value in ("start", "trial_end"):
        return str(value)
    try:
        parse_time(value)
    except TimeError:
        raise wrong("is no anchor", "write start, trial_end or a time like 2026-01-31T00:00:00Z") from None
    return time(value)


class Subscribe(OfAccount):
    subscription: Id
    plan: Key
    plan_version: Version | None = None
    start: Time
    anchor: Annotated[str, BeforeValidator(_anchor)] | None = None
    timezone: Timezone | None = None
    currency: Currency | None = None
    storefront: Key | None = None
    region: Id | None = None
    channel: Id | None = None
    subjects: Annotated[list[Id], Field(max_length=SUBJECTS_MAX)] = []
    parent: Id | None = None
    overrides: Overrides | None = None
    quantities: Annotated[dict[Key, Quantity], Field(max_length=50)] = {}
    trial: Boolean = True


class _OfSubscription(OfAccount):
    subscription: Id


class _Change(_OfSubscription):
    at: At
    prorate: Boolean | None = None


class ChangePlan(_Change):
    plan: Key | None = None
    plan_version: Version | None = None
    anchor: typing.Literal["now"] | None = None
    storefront: Key | None = None
    region: Id | None = None
    channel: Id | None = None
    overrides: Overrides | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if self.plan_version is not None and self.plan is None:
            raise wrong("is missing", "name the plan that plan_version is of", ("plan",))
        changes = ("plan", "anchor", "storefront", "region", "channel", "overrides")
        if all(getattr(self, name) is None for name in changes):
            raise wrong("changes nothing", f"name one of {', '.join(changes)}")
        return self


class Cancel(_Change):
    pass


class Pause(_Change):
    pass


class Resume(_OfSubscription):
    at: At = "now"
    prorate: Boolean | None = None


class SetQuantity(_Change):
    fee: Key
    quantity: Quantity


class RegisterSubject(OfAccount):
    subject: Id
    groups: Annotated[dict[Key, Id], Field(max_length=20)] | None = None


class RemoveSubject(OfAccount):
    subject: Id


class GrantCredits(OfAccount):
    grant: Id
    amount: PositiveAmount
    unit: Unit
    priority: Priority = 50
    effective_from: Time | None = None
    expires_at: Time | None = None
    rollover: Rollover | None = None
    applies_to: AppliesTo | None = None

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        start = self.effective_from or self.time
        if self.expires_at is not None and self.expires_at <= start:
            what = "effective_from" if self.effective_from else "the command's time"
            raise wrong(f"is not after {what} {start}", "give a later time, or none", ("expires_at",))
        return self


class VoidGrant(OfAccount):
    grant: Id
    amount: PositiveAmount | None = None


class SetLimit(OfAccount):
    """`scope` may stand beside the limit, too."""

    limit: Limit
    subscription: Id | None = None
    scope: Scope | None = None

    @model_validator(mode="before")
    @classmethod
    def _scope_inside(cls, data: Any) -> Any:
        limit = data.get("limit") if isinstance(data, dict) else None
        if isinstance(limit, dict) and data.get("scope") is not None and limit.get("scope") is None:
            return {**data, "limit": {**limit, "scope": data["scope"]}}
        return data

    @model_validator(mode="after")
    def _one_scope(self) -> Self:
        if self.scope is not None and self.scope != self.limit.scope:
            raise wrong("is not the scope of the limit", "keep the one in limit", ("scope",))
        if self.limit.scope == "tenant":
            raise wrong("spans accounts, so no account can set it", "put it in a plan", ("limit", "scope"))
        return self


class LimitName(Model):
    """A limit, named by its key; `scope` says whose."""

    key: Key
    scope: Scope = "subscription"


class RemoveLimit(OfAccount):
    limit: Annotated[Any, choice(Key, LimitName)]
    subscription: Id | None = None


class _OfUsage(OfAccount):
    source: Text
    event_id: Text
    was: Event

    @model_validator(mode="after")
    def _same_event(self) -> Self:
        for name in ("was", "now"):
            event = getattr(self, name, None)
            if event is None:
                continue
            for attribute, wanted in (("id", self.event_id), ("source", self.source)):
                if event.get(attribute) != wanted:
                    raise wrong(f"is not the {attribute} {wanted} that the command names", "give the same event",
                                (name, attribute))  # fmt: skip
        return self


class RetractUsage(_OfUsage):
    pass


class AmendUsage(_OfUsage):
    now: Event


class SetAccount(OfAccount):
    parent: Id | None = None
    name: Text | None = None
    timezone: Timezone | None = None
    metadata: (
        Annotated[
            dict[Annotated[str, Field(min_length=1, max_length=64)], Annotated[str, Field(max_length=500)]],
            Field(max_length=50),
        ]
        | None
    ) = None

    @model_validator(mode="after")
    def _not_itself(self) -> Self:
        if self.parent == self.account:
            raise wrong("is the account itself", "name another account", ("parent",))
        return self


class _Backfill(OfAccount):
    backfill: Id
    source: Text
    from_: Time = Field(alias="from")
    to: Time

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.to <= self.from_:
            raise wrong(f"is not after from {self.from_}", "give a later time", ("to",))
        return self


class OpenBackfill(_Backfill):
    pass


class CloseBackfill(_Backfill):
    pass


class Unpark(Envelope):
    """Without an account the limits of the whole tenant go on."""

    account: Id | None = None


class ApplyCatalog(Envelope):
    """Its `catalog` is checked by `schemas.catalog.load`, which tells every problem at its place."""


COMMANDS: dict[str, type[Envelope]] = {
    "subscribe": Subscribe,
    "change_plan": ChangePlan,
    "cancel": Cancel,
    "pause": Pause,
    "resume": Resume,
    "set_quantity": SetQuantity,
    "register_subject": RegisterSubject,
    "remove_subject": RemoveSubject,
    "grant_credits": GrantCredits,
    "void_grant": VoidGrant,
    "set_limit": SetLimit,
    "remove_limit": RemoveLimit,
    "retract_usage": RetractUsage,
    "amend_usage": AmendUsage,
    "set_account": SetAccount,
    "open_backfill": OpenBackfill,
    "close_backfill": CloseBackfill,
    "unpark": Unpark,
    "apply_catalog": ApplyCatalog,
}
