"""Histories with much in little time: one charge that three plans have or lack, and within days its usage, late usage,
corrections and changes dated back.

Histories of `lifecycle_cases` spread over months and many series, so that little of them meets. Here it meets: usage on both
sides of a change in one bucket, a charge that goes and comes back, an event that is amended over a change.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from random import Random

from tests.auditor.lifecycle.words import DAY, HOUR, Doc, moment, shown
from tests.auditor.lifecycle_cases import History
from tests.auditor.pricing_cases import MODELS

BASES = ("2026-03-26T00:00:00Z", "2026-10-22T00:00:00Z", "2026-03-10T00:00:00Z")
"""Before a clock change and a month's end, or amid a month."""
CURVES = ("flat", "per_unit", "graduated", "volume", "stairstep", "package", "graduated_percentage", "matrix")
BY_EVENT = ("percentage", "percentage", "scheduled", "dynamic", "graduated")
AGGREGATIONS = ("sum", "count", "max", "min", "avg", "unique", "latest", "time_weighted_sum")
TICKETS = ("t1", "t2", "t3")


def dense_history(seed: int) -> History:
    """The same for the same seed."""
    random = Random(seed)
    by_event = random.random() < 0.45
    meter = _meter(random, by_event)
    model = random.choice(BY_EVENT if by_event else CURVES)
    shared: Doc = {"key": "m", "meter": "m"}
    if model != "matrix" and random.random() < 0.4:
        shared["dimensions"] = ["model"]
    if random.random() < 0.2:
        shared["prorate"] = False
    bound = random.choice(("", "", "", "minimum", "maximum", "commitment"))
    plans = []
    for key in "abc":
        plan: Doc = {"key": key, "version": 1, "effective_from": "2020-01-01T00:00:00Z", "currency": "USD",
                     "period": "month", "grace": random.choice(("1h", "1h", "2d"))}  # fmt: skip
        if key != "c" or random.random() < 0.4:
            plan["charges"] = [_charge(random, shared, model, by_event, bound)]
        plans.append(plan)
    begin = moment(random.choice(BASES))
    inputs = list(_inputs(random, begin, "outcome" in meter))
    last = max(moment(next(iter(line.values()))["time"]) for line in inputs)
    return History(seed, {"meters": [meter], "plans": plans}, inputs, last + 40 * DAY)


def _meter(random: Random, by_event: bool) -> Doc:
    aggregation = "sum" if by_event else random.choice(AGGREGATIONS)
    meter: Doc = {"key": "m", "event_type": "use", "aggregation": aggregation, "unit": "unit",
                  "window": random.choice(("1m", "1h", "1d")),
                  "group_by": {"model": "$.model", "region": "$.region"}}  # fmt: skip
    if aggregation != "count":
        meter["value"] = "$.tag" if aggregation == "unique" else "$.value"
    if aggregation == "time_weighted_sum":
        meter |= {
            "value_is": random.choice(("change", "level")),
            "per": random.choice(("hour", "period", "second")),
        }
    elif not by_event and random.random() < 0.5:
        meter |= {"bucket": random.choice(("1h", "1d", "1d")), "rollup": random.choice(("sum", "max", "avg"))}
    elif aggregation in ("sum", "count") and random.random() < 0.2:
        meter["outcome"] = {"event_type": "done", "match": "$.ticket", "when": {"status": ["ok"]},
                            "within": random.choice(("6h", "72h"))}  # fmt: skip
    return meter


def _charge(random: Random, shared: Doc, model: str, by_event: bool, bound: str) -> Doc:
    price = MODELS[model](random)
    for name in ("scope", "tier_value"):
        price.pop(name, None)
    if by_event and model == "graduated":
        price |= {"scope": "event", **random.choice(({}, {"tier_value": "$.prompt"}))}
    charge = {**shared, "price": price}
    if not by_event and random.random() < 0.3:
        charge["included"] = random.choice(("5", "20", "33.333"))
    if random.random() < 0.2:
        charge["discount_percent"] = random.choice(("50", "12.5"))
    if model != "dynamic" and random.random() < 0.2:
        charge["convert"] = {
            "divide": random.choice(("3", "0.7")),
            "round": random.choice(("none", "up", "down", "half_up")),
        }
    if bound == "commitment":
        charge[bound] = {"amount": random.choice(("20", "60")), "overage_factor": random.choice(("1", "1.5")),
                         "true_up": random.random() < 0.5}  # fmt: skip
    elif bound:
        charge[bound] = random.choice(("20", "60"))
    return charge


def _inputs(random: Random, begin: int, outcomes: bool) -> Iterator[Doc]:
    start, clock = begin - 5 * DAY, begin
    zone = random.choice(("UTC", "Europe/Berlin"))
    yield _command(0, start, type="subscribe", plan="a", start=shown(start), timezone=zone)
    sent: list[Doc] = []
    for number in range(1, random.randrange(8, 30)):
        clock += random.randrange(11) * HOUR + random.choice((0, 0, random.randrange(HOUR)))
        kind = random.random()
        if kind < 0.68:
            late = random.choice((0, random.randrange(61) * HOUR + random.choice((0, 17))))
            event = _event(random, number, max(clock - late, start))
            sent.append(event)
            yield {"event": event}
            if outcomes and random.random() < 0.8:
                at = min(clock, moment(event["time"]) + random.randrange(9) * HOUR)
                data = {"ticket": event["data"]["ticket"], "status": random.choice(("ok", "ok", "no"))}
                yield {
                    "event": {**event, "id": f"o{number}", "type": "done", "time": shown(at), "data": data}
                }
        elif kind < 0.8 and sent:
            yield _correction(random, number, clock, sent.pop(random.randrange(len(sent))))
        elif kind < 0.94:
            told = clock - random.choice((0, random.randrange(41) * HOUR))
            yield _command(number, told, type="change_plan", at="now", plan=random.choice("abc"))
        else:
            what = random.choice(("pause", "resume", "pause", "resume", "pause" if outcomes else "cancel"))
            yield _command(number, clock, type=what, at="now")


def _command(number: int, time: int, **fields: object) -> Doc:
    return {"command": {"id": f"c{number}", "tenant": "acme", "account": "ann", "subscription": "main",
                        "time": shown(time), **fields}}  # fmt: skip


def _event(random: Random, number: int, time: int) -> Doc:
    return {"specversion": "1.0", "id": f"e{number}", "source": "test", "type": "use", "tenant": "acme",
            "subject": "ann", "time": shown(time), "data": _data(random)}  # fmt: skip


def _data(random: Random) -> Doc:
    return {"value": random.choice(("1", "5", "20", "54", "3.5", "-4")), "model": random.choice("aab"),
            "region": random.choice(("eu", "eu", "us")), "tag": random.choice("wxyz"),
            "amount": random.choice(("1", "0.001", "7")), "prompt": random.choice(("3", "50.5", "300")),
            "ticket": random.choice(TICKETS)}  # fmt: skip


def _correction(random: Random, number: int, clock: int, was: Doc) -> Doc:
    """It is taken back, or amended, perhaps to another time."""
    fields: Doc = {"type": "retract_usage", "source": "test", "event_id": was["id"], "was": was}
    if random.random() < 0.5:
        now = deepcopy(was) | {"data": _data(random)}
        if random.random() < 0.4:
            now["time"] = shown(clock - random.randrange(51) * HOUR)
        fields |= {"type": "amend_usage", "now": now}
    command = _command(number, clock, **fields)
    del command["command"]["subscription"]
    return command
