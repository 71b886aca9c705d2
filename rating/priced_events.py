"""A slice's readings as events, for prices that look at each: with their own amount or tier value where the price has a
path for it. An amount that is missing or no exact number counts as 0."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from rating import pooled
from rating.bunch import Bunch, bunches_of
from rating.charge import Rule
from rating.errors import NumberError
from rating.numbers import quantity
from rating.paths import Data, Groups, getter
from rating.prices import Dynamic, EventTiers, PricedEvent, Scheduled
from rating.step import Step

if TYPE_CHECKING:
    from rating.charges import Share, Work
    from rating.legs import Leg

Read = Callable[[Data, str, Groups], int | None]


def priced_events(rule: Rule, share: Share, sign: int = 1) -> list[PricedEvent]:
    """The events of a share, in the order of time and key."""
    price = rule.price
    return [
        _priced(
            price.prices[price.slot(time)] if isinstance(price, Scheduled) else price,
            time,
            key,
            event,
            value,
            share,
        )
        for time, key, event, value in zip(share.times, share.keys, share.events, share.values, strict=True)
    ]


def _priced(price: Any, time: int, key: str, event: int, value: int | str, share: Share) -> PricedEvent:
    found = quantity(value)
    if isinstance(price, Dynamic):
        read = _figure(price.path)(*_event(share, event))
        return PricedEvent(time, key, found, read or 0)
    if isinstance(price, EventTiers) and price.tier_value is not None:
        read = _figure(price.tier_value)(*_event(share, event))
        return PricedEvent(time, key, found, 0, read)
    return PricedEvent(time, key, found)


def _event(share: Share, event: int) -> tuple[Data, str, Groups]:
    origin = share.origin
    return origin.data(event), origin.subject(event), origin.groups(event)


@lru_cache(maxsize=4096)
def _figure(path: str) -> Read:
    read = getter(path)

    def figure(data: Data, subject: str, groups: Groups) -> int | None:
        try:
            found = read(data, subject, groups)
            return None if found is None or isinstance(found, bool) else quantity(found)
        except NumberError:
            return None

    return figure


def earlier_events(work: Work, leg: Leg) -> Sequence[PricedEvent]:
    """What was used of the group before a segment, since its charge began in the period."""
    from rating.charges import Share

    legs = [each for each in work.legs if each.start < leg.start]
    low = max(each.start for each in legs if each.first)
    step = work.step
    found: list[PricedEvent] = []
    for bunch in _rated(step, low, leg.start):
        if bunch.meter != leg.charge.meter or bunch.subscription not in (None, work.known.sub.id):
            continue
        meter = step.catalog.meters[bunch.meter]
        dims = tuple(bunch.dims[meter.dimensions.index(name)] for name in leg.charge.dimensions)
        if dims == work.dims:
            keys = [bunch.origin.key(event) for event in bunch.events]
            found += priced_events(
                leg.rule, Share(bunch.times, bunch.values, keys, bunch.events, bunch.origin)
            )
    return sorted(found)


def _rated(step: Step, since: int, until: int) -> Iterator[Bunch]:
    """The usage of a time that is rated in the account, its own and that of accounts below."""
    from rating.recut import counted_since

    for user, events in counted_since(step, since, until):
        yield from pooled.reaching(user, step, bunches_of([each for each in events if each.time < until]))
