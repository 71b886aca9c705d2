"""Histories that turn on and off: pauses, resumes, cancellations, plans and seats, now, dated back, and with the period.

Histories of `lifecycle_cases` have a change that waits only while nothing else is asked. Here each follows on the others:
a pause that waits beside one that holds, a resume that replaces it, what is dated back before both.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from tests.auditor.lifecycle.words import DAY, HOUR, Doc, moment, shown
from tests.auditor.lifecycle_cases import History

BASE = "2026-01-28T00:00:00Z"
KINDS = ("pause", "pause", "pause", "resume", "resume", "resume", "change_plan", "set_quantity", "cancel")


def turning_history(seed: int) -> History:
    """The same for the same seed."""
    random = Random(seed)
    plans = [_plan(random, key) for key in "ab"]
    meter: Doc = {"key": "m", "event_type": "use", "aggregation": "sum", "value": "$.value", "unit": "unit",
                  "window": "1d"}  # fmt: skip
    inputs = list(_inputs(random))
    last = max(moment(next(iter(line.values()))["time"]) for line in inputs)
    return History(seed, {"meters": [meter], "plans": plans}, inputs, last + 40 * DAY)


def _plan(random: Random, key: str) -> Doc:
    timings = ("advance", "arrears")
    fees: list[Doc] = [
        {"key": "seats", "amount": random.choice(("31", "7")), "timing": random.choice(timings)}
    ]
    if random.random() < 0.5:
        more: Doc = {"key": f"only-{key}", "amount": "10", "timing": random.choice(timings)}
        more |= {"prorate": random.random() < 0.5, "every": random.choice(("period", "period", "once"))}
        fees.append(more)
    charge: Doc = {"key": "m", "meter": "m", "price": random.choice((
        {"model": "per_unit", "unit_amount": "0.5"}, {"model": "flat", "amount": "5"},
        {"model": "graduated", "tiers": [{"up_to": "20", "unit_amount": "1"}, {"up_to": None, "unit_amount": "0.1"}]},
    ))}  # fmt: skip
    charge |= random.choice(({}, {"minimum": "40"}, {"included": "15"},
                             {"commitment": {"amount": "30", "overage_factor": "1.5", "true_up": True}}))  # fmt: skip
    plan: Doc = {"key": key, "version": 1, "effective_from": "2020-01-01T00:00:00Z", "currency": "USD",
                 "period": "month", "fees": fees, "charges": [charge]}  # fmt: skip
    if random.random() < 0.5:
        plan["grants"] = [{"key": "free", "unit": "credit", "amount": "1000", "every": "period",
                           "prorate": random.random() < 0.7}]  # fmt: skip
    return plan


def _inputs(random: Random) -> Iterator[Doc]:
    clock = moment(BASE) + random.randrange(6 * DAY)
    start = clock - random.choice((0, 2 * DAY))
    zone = random.choice(("UTC", "America/New_York"))
    anchor: Doc = random.choice(({}, {"anchor": "start"}))
    yield _command(0, start, type="subscribe", plan="a", start=shown(start), timezone=zone, **anchor)
    for number in range(1, random.randrange(5, 16)):
        clock += random.choice((HOUR, 5 * HOUR, 2 * DAY, 9 * DAY)) + random.randrange(HOUR)
        if random.random() < 0.3:
            event: Doc = {"specversion": "1.0", "id": f"e{number}", "source": "test", "type": "use", "tenant": "acme",
                          "subject": "ann", "time": shown(clock), "data": {"value": str(random.randrange(30))}}  # fmt: skip
            yield {"event": event}
            continue
        kind, waits = random.choice(KINDS), random.random() < 0.35
        if kind == "cancel" and random.random() < 0.5:
            waits = True
        exact = waits or random.random() < 0.7
        told = clock if exact else max(start + 1, clock - random.randrange(40) * HOUR)
        fields: Doc = {"type": kind, "at": "period_end" if waits else "now"}
        if kind == "change_plan":
            fields["plan"] = random.choice("ab")
        elif kind == "set_quantity":
            fields |= {"fee": "seats", "quantity": str(random.randrange(4))}
        yield _command(number, told, **fields)


def _command(number: int, time: int, **fields: object) -> Doc:
    return {"command": {"id": f"c{number}", "tenant": "acme", "account": "ann", "subscription": "main",
                        "time": shown(time), **fields}}  # fmt: skip
