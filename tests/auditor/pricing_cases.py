"""Charges and usage drawn at random, for the kernel and its auditor to price.

`cases(seed, count)` goes over every model and modifier, with usage that likes the edges: bounds, zero,
corrections, events of one instant, what an allowance just covers, hours that a clock change skips or doubles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

Doc = dict[str, Any]
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
BEGINS = tuple(
    datetime(2026, month, 1, tzinfo=UTC) + timedelta(days=day) for month, day in ((3, 0), (3, 21), (10, 17))
)
"""Fortnights that hold the clock changes of New York and Berlin, forth and back."""
BY_EVENT = ("percentage", "dynamic", "scheduled")


def cases(seed: int, count: int) -> Iterator[tuple[Doc, Doc]]:
    """`count` pairs of charge and usage, every model in turn."""
    random = Random(seed)
    models = tuple(MODELS)
    for number in range(count):
        yield _case(random, models[number % len(models)])


def _case(random: Random, model: str) -> tuple[Doc, Doc]:
    price = MODELS[model](random)
    by_event = model in BY_EVENT or price.get("scope") == "event"
    charge: Doc = {"price": price}
    if model != "dynamic" and random.random() < 0.3:
        charge["convert"] = {
            "multiply": random.choice(("0.001", "1", "3", "0.333333")),
            "divide": random.choice(("1", "3", "7", "1024", "0.7")),
            "round": random.choice(("none", "up", "down", "half_up")),
        }
    if not by_event and random.random() < 0.3:
        charge["included"] = _number(random, 12)
    if random.random() < 0.3:
        charge["discount_percent"] = random.choice(("0", "50", "12.5", "33.3333", "100"))
    if random.random() < 0.3:
        charge["maximum"] = _number(random, 4, 2000)
    if random.random() < 0.25:
        charge["minimum"] = _number(random, 4)
    elif random.random() < 0.35:
        charge["commitment"] = {
            "overage_factor": random.choice(("1", "1.5", "0.125", "2.005")),
            "true_up": random.random() < 0.5,
        }
        if random.random() < 0.3:
            charge["commitment"]["window"] = random.choice(("1m", "1h", "1d"))
        plain = model not in ("matrix", "dynamic", "scheduled")
        charge["commitment"]["quantity" if plain and random.random() < 0.5 else "amount"] = _number(random, 6)
    if not by_event and model != "matrix" and random.random() < 0.2:
        charge["dimensions"] = ["model"]
    return charge, _usage(random, charge)


def _usage(random: Random, charge: Doc) -> Doc:
    price = charge["price"]
    edges = [tier["up_to"] for tier in price.get("tiers", ()) if tier["up_to"]] or ["0"]
    if price["model"] not in ("dynamic", "scheduled", "matrix") and random.random() < 0.4:
        return {"quantity": random.choice((*edges, "0", "-3", _number(random, 12), _number(random, 0)))}
    events = []
    for _ in range(random.randrange(7)):
        value = random.choice((random.choice(edges), "0", "-2.5", _number(random, 3), _number(random, 12)))
        second = random.randrange(14 * 86_400)
        time = random.choice(BEGINS) + timedelta(seconds=second - second % random.choice((1, 1800, 86_400)))
        events.append(
            {
                "time": time.isoformat().replace("+00:00", "Z"),
                "value": value,
                "amount": _number(random, 6),
                "tier_value": random.choice((random.choice(edges), _number(random, 1))),
                "dimensions": {
                    "model": random.choice(("a", "b", "c")),
                    "region": random.choice(("eu", "us")),
                },
            }
        )
    return {"events": events}


def _number(random: Random, digits: int, most: int = 300) -> str:
    scale = 10 ** random.randrange(digits + 1)
    text = f"{random.randrange(most * scale)}".rjust(len(str(scale)), "0")
    places = len(str(scale)) - 1
    return f"{text[:-places]}.{text[-places:]}" if places else text


def _tiers(random: Random, factor: str | None) -> Doc:
    bounds = sorted({random.choice((5, 10, 15, 50, 100, 200)) for _ in range(random.randrange(4))})
    tiers: list[Doc] = []
    for bound in [*bounds, None]:
        tier: Doc = {"up_to": None if bound is None else random.choice((str(bound), f"{bound}.5"))}
        if factor:
            tier[factor] = _number(random, 6 if factor == "rate" else 15)
        if factor is None or random.random() < 0.5:
            tier["flat_amount"] = _number(random, 4)
        tiers.append(tier)
    return {"tiers": tiers} | ({"zero_usage": "skip"} if random.random() < 0.3 else {})


def _scoped(random: Random) -> Doc:
    scope: Doc = {"scope": "event"} if random.random() < 0.4 else {}
    return scope | ({"tier_value": "$.prompt"} if scope and random.random() < 0.5 else {})


def _draw_percentage(random: Random) -> Doc:
    price: Doc = {"model": "percentage", "rate": _number(random, 6, 20)}
    for name, value in (
        ("fixed_amount", _number(random, 3, 4)),
        ("free_events", str(random.randrange(4))),
        ("free_amount", _number(random, 2)),
        ("event_min", _number(random, 2, 3)),
        ("event_max", f"1{_number(random, 0)}"),
    ):
        if random.random() < 0.5:
            price[name] = value
    return price


def _draw_matrix(random: Random) -> Doc:
    cells = []
    for _ in range(random.randrange(1, 5)):
        when: Doc = {}
        if random.random() < 0.7:
            when["model"] = random.choice(("a", "b", ["a", "b"], ["c"]))
        if random.random() < 0.6 or not when:
            when["region"] = random.choice(("eu", "us", ["eu", "us"]))
        cells.append({"when": when, "unit_amount": _number(random, 15)})
    return {
        "model": "matrix",
        "dimensions": ["model", "region"],
        "cells": cells,
        "default": _number(random, 4),
    }


def _draw_scheduled(random: Random) -> Doc:
    def entry_price() -> Doc:
        return MODELS[random.choice(("per_unit", "graduated", "package", "flat", "percentage", "volume"))](
            random
        )

    clocks = ("00:00", "00:30", "02:30", "09:00", "16:30", "22:00", "24:00")
    schedule = []
    for _ in range(random.randrange(1, 4)):
        entry = {"from": random.choice(clocks[:-1]), "to": random.choice(clocks), "price": entry_price()}
        days: Doc = {"days": random.sample(DAYS, random.randrange(1, 8))} if random.random() < 0.7 else {}
        schedule.append(entry | days)
    zone = random.choice(("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"))
    return {"model": "scheduled", "timezone": zone, "schedule": schedule, "default": entry_price()}


MODELS: dict[str, Callable[[Random], Doc]] = {
    "flat": lambda random: {"model": "flat", "amount": _number(random, 4)},
    "per_unit": lambda random: {"model": "per_unit", "unit_amount": _number(random, 15)},
    "graduated": lambda random: {"model": "graduated", **_tiers(random, "unit_amount"), **_scoped(random)},
    "volume": lambda random: {"model": "volume", **_tiers(random, "unit_amount"), **_scoped(random)},
    "stairstep": lambda random: {"model": "stairstep", **_tiers(random, None)},
    "package": lambda random: {
        "model": "package",
        "package_size": str(random.choice((1, 10, "0.7", 1000))),
        "package_amount": _number(random, 4),
        "free_units": _number(random, 2, 20),
        "round": random.choice(("up", "down")),
    },
    "percentage": _draw_percentage,
    "graduated_percentage": lambda random: {"model": "graduated_percentage", **_tiers(random, "rate")},
    "matrix": _draw_matrix,
    "dynamic": lambda random: {"model": "dynamic", "amount": "$.amount", "multiplier": _number(random, 6, 3)},
    "scheduled": _draw_scheduled,
}
