"""Limits: bounds on spend, usage or a balance, a plan's or an account's own."""

from __future__ import annotations

import typing
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from rating import numbers
from schemas.catalog.base import Model, choice, suggestion, wrong
from schemas.catalog.scalars import (
    Boolean,
    Currency,
    Duration,
    Id,
    Key,
    PositiveAmount,
    PositiveQuantity,
    Scalars,
    Unit,
    exact,
)


class RollingWindow(Model):
    """A window from the first use on, or one that slides."""

    length: Duration
    start: typing.Literal["first_use", "sliding"] = "first_use"


class OneSubject(Model):
    """The scope of one subject."""

    subject: Id


_THRESHOLD = 'write percent of amount from 1 to 100000, {at: "100"} or {every: "100"}'


class At(Model):
    """A threshold at an absolute value."""

    at: PositiveQuantity

    @model_validator(mode="before")
    @classmethod
    def _named(cls, data: Any) -> Any:
        if isinstance(data, dict) and "at" not in data:
            raise wrong("names neither at nor every", _THRESHOLD)
        return data


class Recurring(Model):
    """A threshold at each multiple after the last of the others."""

    every: PositiveQuantity


class Throttle(Model):
    """So many a time."""

    rate: PositiveQuantity
    per: Duration


def _percent(value: object) -> str:
    percent = exact(value, numbers.DISCOUNT_DIGITS)
    if not 0 < percent <= 100_000 * 10**numbers.DISCOUNT_DIGITS:
        raise wrong("is no percentage", _THRESHOLD)
    return numbers.text(percent, numbers.DISCOUNT_DIGITS)


def _word(*words: str) -> Any:
    def read(value: object) -> str:
        if isinstance(value, str) and value in words:
            return str(value)
        meant = suggestion(str(value), words)
        remedy = f"did you mean {meant}?" if meant else f"write {words[0]}"
        raise wrong(f"is not one of {', '.join(words)}, nor a mapping", remedy)

    return BeforeValidator(read)


Action = typing.Literal["notify", "block", "suspend", "throttle", "downgrade", "end_trial", "top_up"]
Window = Annotated[Any, choice(Annotated[str, _word("period", "day", "week", "month")], RollingWindow)]
Scope = Annotated[
    Any, choice(Annotated[str, _word("subscription", "account", "subject", "tenant")], OneSubject)
]
Threshold = Annotated[Any, choice(Annotated[str, BeforeValidator(_percent)], At, Recurring)]
_NEEDS = {"throttle": "throttle", "downgrade": "plan", "top_up": "top_up"}


class Limit(Model):
    """A limit. `metric` says what `amount` bounds."""

    key: Key
    metric: typing.Literal["spend", "usage", "balance"]
    amount: PositiveAmount
    currency: Currency | None = None
    unit: Unit | None = None
    meter: Key | None = None
    feature: Key | None = None
    filter: Annotated[dict[Key, Scalars], Field(max_length=20)] = {}
    window: Window = "period"
    scope: Scope = "subscription"
    thresholds: Annotated[list[Threshold], Field(min_length=1, max_length=20)] = ["100"]
    hard: Boolean = False
    action: Action | None = None
    features: Annotated[list[Key], Field(max_length=200)] = []
    overshoot: typing.Literal["bill", "waive"] = "bill"
    throttle: Throttle | None = None
    plan: Key | None = None
    restore: Boolean = True
    top_up: PositiveQuantity | None = None
    cool_down: Duration | None = None

    @model_validator(mode="after")
    def _checked(self) -> Self:
        if self.metric == "usage" and (self.meter is None) == (self.feature is None):
            problem = "is missing" if self.meter is None else "stands beside feature"
            raise wrong(problem, "say what counts: either meter or feature", ("meter",))
        if self.metric == "balance" and self.unit is None:
            raise wrong("is missing", "give the currency or credit unit whose balance is watched", ("unit",))
        if self.unit is not None and self.metric != "balance":
            raise wrong("is a field of metric: balance only", "remove unit", ("unit",))
        if self.currency is not None and self.metric != "spend":
            raise wrong("is a field of metric: spend only", "remove currency", ("currency",))
        if self.hard and self.action not in (None, "block", "suspend"):
            raise wrong("does not go with hard: true", "use block or suspend, or remove hard", ("action",))
        if self.overshoot == "waive" and not (
            self.hard and self.metric == "spend" and self.window == "period"
        ):
            raise wrong("is for a hard spend limit per period only", "remove overshoot", ("overshoot",))
        self._action()
        self._scope()
        self._thresholds()
        return self

    def _action(self) -> None:
        for action, field in _NEEDS.items():
            given = getattr(self, field) is not None
            if (self.action == action) != given:
                if given:
                    raise wrong(f"is a field of action: {action} only", f"remove {field}", (field,))
                raise wrong("is missing", f"add {field}, which action: {action} needs", (field,))

    def _scope(self) -> None:
        if self.scope == "tenant":
            if self.metric == "balance":
                raise wrong("has no balance of its own", "use scope: account", ("scope",))
            if self.hard:
                raise wrong("does not go with scope: tenant, which only notifies", "remove hard", ("hard",))
            if self.action not in (None, "notify"):
                raise wrong("can only notify with scope: tenant", "use action: notify", ("action",))
        if self.scope in ("account", "tenant") and self.window == "period" and self.metric != "balance":
            raise wrong("has no one period", "add window: month or another one", ("scope",))
        window: Any = self.window
        if isinstance(window, RollingWindow) and window.start == "sliding" and self.metric == "balance":
            raise wrong("cannot slide over a balance", "remove window", ("window",))

    def _thresholds(self) -> None:
        if sum(isinstance(each, Recurring) for each in self.thresholds) > 1:
            raise wrong("has more than one recurring threshold", "keep one {every: …}", ("thresholds",))
        for place, each in enumerate(self.thresholds):
            if each in self.thresholds[:place]:
                raise wrong("comes twice, and is told once", "keep one", ("thresholds", place))
