"""The answers of the gateway, decided in memory: no I/O, and the time is handed in."""

from __future__ import annotations

from typing import Any, NamedTuple

from rating.availability import Bound, available
from rating.feature_bounds import Asked, bounds_of
from rating.numbers import quantity_text
from rating.reservations import Book, BoundKey
from rating.times import format_time
from streams.gateway.problems import Problem
from streams.gateway.world import Found, World


class Sight(NamedTuple):
    """A feature of an account as it is now: the entitlement, what bounds it, and the quantity that is held."""

    asked: Asked
    found: Found | None
    bounds: list[Bound]
    reserved: int

    @property
    def available(self) -> int | None:
        """What may still be used; `None` has no bound."""
        if self.found is None or not self.found.value["access"]:
            return 0
        return available(self.bounds)


class Desk:
    """Decides over what is known (`world`) and what is held (`book`)."""

    def __init__(self, world: World, book: Book) -> None:
        self.world = world
        self.book = book

    def access(
        self, tenant: str, account: str, feature: str, subject: str | None, now: int
    ) -> dict[str, Any]:
        """The entitlement with `reserved` and `available`. Raises `Problem`."""
        sight = self.look(tenant, account, feature, subject, {}, now)
        value = _not_in_plan(sight.asked, account) if sight.found is None else sight.found.value
        return {
            **value,
            "reserved": quantity_text(sight.reserved),
            "available": None if sight.available is None else quantity_text(sight.available),
        }

    def look(
        self, tenant: str, account: str, feature: str, subject: str | None, dimensions: dict[str, str], now: int
    ) -> Sight:  # fmt: skip
        """A feature as it is now. Raises `Problem` for one that nobody knows."""
        known, found = self.world.feature(tenant, feature), self.world.find(tenant, account, feature, subject)
        if known is None and found is None:
            raise Problem(
                404,
                "unknown-feature",
                f"the catalog in force has no feature {feature}: see azotte catalog show",
            )
        meter = None if known is None else known[1]
        owner = account if found is None else found.account
        asked = Asked(tenant, owner, feature, meter, dimensions, now)
        if found is None:
            return Sight(asked, None, [], 0)
        plan = self.world.plan(tenant, found)
        limits = [
            *self.world.limits(tenant, found, plan),
            *self.world.standing(tenant, account, found, feature, subject),
        ]

        def claimed(bound: BoundKey) -> int:
            return self.book.claimed(bound, self.world.covers(bound), now)

        bounds = bounds_of(asked, found.value, plan, limits, claimed)
        return Sight(asked, found, bounds, claimed(asked.own))


def _not_in_plan(asked: Asked, account: str) -> dict[str, Any]:
    nothing = ("kind", "value", "included", "used", "balance", "overage", "resets_at", "plan", "version")
    return {
        "tenant": asked.tenant, "account": account, "feature": asked.feature, "access": False,
        "reason": "not_in_plan", **dict.fromkeys(nothing), "limits": [], "time": format_time(asked.now),
    }  # fmt: skip
