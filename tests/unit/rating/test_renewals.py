"""A newer version comes into force while subscriptions run: they move at its time, with all usage of after that."""

from __future__ import annotations

import json

import pytest

from tests.unit.rating.lives import TOKENS, Doc, Life, charge, full, plan

OLD = plan("pro", charges=[charge("1")], fees=[{"key": "base", "amount": "31", "timing": "advance"}])
NEW = OLD | {"version": 2, "charges": [charge("2")], "effective_from": full("2026-02-01")}


def publish(life: Life, time: str, existing: str, newer: Doc = NEW) -> None:
    """Put the newer version in force."""
    command = {"id": f"catalog-{time}", "tenant": "acme", "type": "apply_catalog", "time": full(time),
               "catalog": {"meters": [TOKENS], "plans": [OLD, newer | {"existing": existing}]}}  # fmt: skip
    life.shown += life.simulation.take(json.dumps(command).encode(), True)


def ahead(life: Life, value: int, time: str) -> None:
    """Usage of a time that the clock has not reached."""
    event = {"specversion": "1.0", "id": f"ahead-{time}", "source": "src", "type": "use", "tenant": "acme",
             "subject": "cust-1", "time": full(time), "data": {"value": value}}  # fmt: skip
    life.shown += life.simulation.event(json.dumps(event).encode())


def lived(*plans: Doc) -> Life:
    life = Life(plans)
    life.subscribe("pro", "2026-03-01", plan_version=1)
    return life


def sums(life: Life) -> tuple[int, int]:
    """What usage comes to on each version; the quantity is never lost or doubled."""
    assert not life.simulation.parked
    return int(life.sum(kind="usage", plan_version=1)), int(life.sum(kind="usage", plan_version=2))


@pytest.mark.parametrize(
    ("published", "existing", "costs"),
    [
        ("2026-03-10", "2026-03-20", (2, 4)),
        ("2026-03-10", "2026-03-05", (1, 6)),  # never before it is published
        ("2026-03-25", "2026-03-20", (3, 2)),
        ("2026-03-10", "renewal", (4, 0)),
        ("2026-03-10", "keep", (4, 0)),
    ],
)
def test_subscriptions_move_at_its_time(published: str, existing: str, costs: tuple[int, int]) -> None:
    life = lived(OLD)
    days = [f"2026-03-{day}" for day in ("05", "12", "22", "27")]
    for day in sorted([*days, published]):
        if day == published:
            publish(life, published, existing if existing in ("keep", "renewal") else full(existing))
        else:
            life.use(1, day)
    life.until("2026-04-02")
    assert sums(life) == costs
    assert life.lines(kind="usage")[-1]["quantity_total"] == "4"


def test_what_the_move_brings_is_booked_at_its_time() -> None:
    newer = NEW | {"fees": [{"key": "base", "amount": "62", "timing": "advance"}]}
    life = lived(OLD)
    publish(life, "2026-03-10", full("2026-03-16T12"), newer)
    life.until("2026-03-18")
    (fee,) = life.lines(kind="fee", plan_version=2)
    assert (fee["amount"], fee["time"]) == ("15.5", "2026-03-16T12:00:00.000000Z")


def test_usage_that_is_ahead_of_a_known_move_is_rated_once() -> None:
    life = lived(OLD, NEW | {"existing": full("2026-03-20")})
    life.until("2026-03-19T23:50")
    ahead(life, 1, "2026-03-20T00:10")
    life.use(1, "2026-03-20T03")
    assert sums(life) == (0, 4)
    assert life.lines(kind="usage")[-1]["quantity_total"] == "2"


def test_usage_that_is_ahead_of_a_move_published_after_it_moves_with_it() -> None:
    life = lived(OLD)
    life.until("2026-03-19T23:50")
    ahead(life, 1, "2026-03-20T00:10")
    assert sums(life) == (1, 0)
    publish(life, "2026-03-19T23:55", full("2026-03-20"))
    assert sums(life) == (0, 2)
    life.use(1, "2026-03-20T03")
    assert sums(life) == (0, 4)
    assert life.lines(kind="usage")[-1]["quantity_total"] == "2"
