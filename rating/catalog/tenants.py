"""Limits of a whole tenant: those of scope `tenant` that its plans have, whoever is on these plans.

A plan is where such a limit is written; it counts every account of the tenant. Of limits of one key, in versions of a plan,
the one holds whose version took effect last.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from rating.catalog.limits import CALENDAR, Limit, limit_from
from rating.catalog.meters import Meter
from rating.catalog.plans import Plan

TENANT = "tenant"
"""The scope."""
_SUMMED = ("sum", "count")


class Effective(NamedTuple):
    """A limit and when its plan takes effect, in microseconds. A spend limit's `doc` names its currency."""

    since: int
    limit: Limit


class TenantLimits(NamedTuple):
    """All of a catalog. `meters` are those whose usage is counted: `True` where local days of it are enough, since every
    window is made of whole days; `spends` where some limit counts charges."""

    limits: tuple[Effective, ...] = ()
    meters: Mapping[str, bool] = {}
    spends: bool = False

    def at(self, moment: int) -> list[Limit]:
        """Those that hold at a moment; before the clock's first tick (0) the earliest of each key."""
        found = [each for each in self.limits if each.since <= moment] if moment else self.limits[::-1]
        return list({each.limit.key: each.limit for each in found}.values())


NO_LIMITS = TenantLimits()


def is_summed(meter: Meter) -> bool:
    """Whether a window's usage is a sum over its events."""
    return meter.aggregation in _SUMMED and meter.bucket is None


def tenant_limits(
    plans: Iterable[Plan], meters: Mapping[str, Meter], meter_of: Mapping[str, str | None]
) -> TenantLimits:
    """The limits of scope `tenant` of plans that are on offer; `meter_of` is the meter of each feature."""
    found = [
        Effective(plan.effective_from, _with_currency(limit, plan.currency))
        for plan in sorted(plans, key=lambda plan: (plan.effective_from, plan.version))
        if not plan.retired
        for limit in plan.limits
        if limit.scope == TENANT
    ]
    if not found:
        return NO_LIMITS
    by_day: dict[str, bool] = {}
    for _, limit in found:
        if limit.metric == "usage":
            key = meter_of[limit.feature] if limit.feature is not None else limit.meter
            assert key is not None, "the catalog was checked"
            whole_days = limit.window in CALENDAR and is_summed(meters[key])
            by_day[key] = whole_days and by_day.get(key, True)
    return TenantLimits(tuple(found), by_day, any(limit.metric == "spend" for _, limit in found))


def _with_currency(limit: Limit, currency: str) -> Limit:
    if limit.metric != "spend" or limit.doc.get("currency") is not None:
        return limit
    return limit_from({**limit.doc, "currency": currency})
