"""Backfills: usage of one source and time span, accepted however old while its backfill is open, and counted once."""

from __future__ import annotations

from typing import Any

import pytest

from rating.times import DAY, parse_time
from schemas.topics import CHARGES
from tests.property.partition import Rater, Writer, codes, values
from tests.unit.rating.lives import TOKENS, Life, charge, full, plan

OLD = "2026-01-10T10"
"""In January; accepted only with a backfill by mid-March."""
JANUARY = "2026-01-01T00:00:00.000000Z"
SPAN = ("2026-01-05", "2026-01-20")


def opened(
    life: Life, time: str = "2026-03-15", key: str = "crash", kind: str = "open_backfill", source: str = "src"
) -> None:
    span = {"from": full(SPAN[0]), "to": full(SPAN[1])}
    life.command(kind, time, backfill=key, source=source, **span)


def closed(life: Life, time: str, key: str = "crash") -> None:
    opened(life, time, key, "close_backfill")


def lived(until: str = "2026-03-15", **fields: Any) -> Life:
    """A subscription since the new year; January is closed, and forgotten from 11 March on unless a backfill holds it."""
    life = Life([plan("pro", charges=[charge("1")])], **fields)
    life.subscribe("pro", "2026-01-01")
    life.until(until)
    return life


def held() -> Life:
    """The same, with a backfill that was opened before January was forgotten."""
    life = lived("2026-03-01")
    opened(life, "2026-03-01")
    life.until("2026-03-15")
    return life


@pytest.mark.parametrize(
    ("fields", "time", "counts"),
    [
        ({"backfill": "crash"}, OLD, True),
        ({"backfill": "crash"}, "2026-01-05", True),
        ({"backfill": "crash"}, "2026-01-19T23:59:59", True),
        ({"backfill": "crash"}, "2026-01-20", False),
        ({"backfill": "crash"}, "2026-01-04T23:59:59", False),
        ({"backfill": "other"}, OLD, False),
        ({"backfill": "crash", "source": "else"}, OLD, False),
        ({}, OLD, False),
    ],
)
def test_a_backfill_accepts_what_it_names_and_nothing_else(
    fields: dict[str, str], time: str, counts: bool
) -> None:
    life = held()
    life.use(7, time, **fields)
    assert life.sum("quantity") == (7 if counts else 0)
    assert life.rejected() == ([] if counts else ["too_old"])


def test_what_comes_is_a_late_line_of_its_own_period_which_is_closed_anew() -> None:
    life = held()
    life.use(7, OLD, backfill="crash")
    usage, close = (
        life.lines(kind="usage")[-1],
        life.lines(kind="close", period_start=JANUARY)[-1],
    )
    assert (usage["period_start"][:10], usage["late"], usage["amount"]) == ("2026-01-01", True, "7")
    assert close["amount_total"] == "7"


def test_an_event_counts_once_however_often_it_comes_while_the_backfill_is_open() -> None:
    life = held()
    for _ in range(3):
        life.use(7, OLD, name="e1", backfill="crash")
    life.until("2026-05-30")
    life.use(7, OLD, name="e1", backfill="crash")
    assert life.sum("quantity") == 7
    assert life.rejected() == []


def test_the_same_id_with_another_content_is_a_conflict() -> None:
    life = held()
    life.use(7, OLD, name="e1", backfill="crash")
    life.use(8, OLD, name="e1", backfill="crash")
    assert life.sum("quantity") == 7
    assert life.rejected() == ["id_conflict"]


def test_it_is_over_when_it_is_closed() -> None:
    life = held()
    closed(life, "2026-03-16")
    life.use(7, OLD, backfill="crash")
    assert life.lines() == []
    assert life.rejected() == ["too_old"]


def test_what_was_forgotten_before_it_was_opened_stays_so() -> None:
    life = lived("2026-04-20")
    opened(life, "2026-04-20")
    life.use(7, OLD, backfill="crash")
    assert life.rejected() == ["too_old"]


@pytest.mark.parametrize(("keep", "counts"), [(True, 7), (False, 0)])
def test_a_period_that_an_open_backfill_reaches_is_not_forgotten(keep: bool, counts: int) -> None:
    life = lived("2026-03-01")
    if keep:
        opened(life, "2026-03-01", key="first")
    life.until("2026-04-20")
    opened(life, "2026-04-20")
    life.use(7, OLD, backfill="crash")
    assert life.sum("quantity") == counts


def test_what_is_older_than_accept_past_is_not_corrected_with_a_backfill_either() -> None:
    life = held()
    life.use(7, OLD, name="e1", backfill="crash")
    life.retract("e1", 7, OLD, "2026-03-16")
    assert life.rejected() == ["bad_command"]
    assert life.sum("quantity") == 7


def test_a_backfill_has_one_key_at_a_time() -> None:
    life = held()
    opened(life, "2026-03-16")
    closed(life, "2026-03-16", key="other")
    assert life.rejected() == ["bad_command", "bad_command"]
    closed(life, "2026-03-17")
    opened(life, "2026-03-17")
    assert len(life.rejected()) == 2


def test_usage_that_is_accepted_anyway_needs_no_backfill() -> None:
    life = held()
    life.use(7, "2026-03-10", backfill="none")
    assert life.sum("quantity") == 7


def test_how_old_is_too_old_is_a_setting() -> None:
    for accept, counts in ((10 * DAY, 0), (100 * DAY, 7)):
        life = lived(accept_past=accept)
        life.use(7, "2026-03-01")
        assert life.sum("quantity") == counts


def test_each_event_of_a_pack_is_known_by_its_own_id() -> None:
    catalog = {"meters": [TOKENS], "plans": [plan("pro", charges=[charge("1")], grace="100d")]}
    start, now = parse_time(full("2026-01-01")), parse_time(full("2026-03-15"))
    head = {"tenant": "acme", "account": "cust-1", "time": full("2026-03-15")}
    events = [{"specversion": "1.0", "id": f"e{number}", "source": "src", "type": "use", "tenant": "acme",
               "subject": "cust-1", "time": full(OLD), "backfill": "crash", "data": {"value": 10**number}}
              for number in range(4)]  # fmt: skip
    writer = Writer(catalog)
    writer.tick(start)
    writer.command(
        {
            "id": "c1",
            "type": "subscribe",
            "subscription": "s",
            "plan": "pro",
            "start": full("2026-01-01"),
            **head,
        },
        now,
    )
    writer.command({"id": "c2", "type": "open_backfill", "backfill": "crash", "source": "src", "from": full(SPAN[0]),
                    "to": full(SPAN[1]), **head}, now)  # fmt: skip
    writer.tick(now)
    for pack in (events[:3], [events[1], events[3], events[0]], events):
        writer.events(pack, now)
    effects = Rater().rate(writer.records)
    lines = [line for line in values(effects, CHARGES) if line["kind"] == "usage"]
    assert [line["quantity"] for line in lines] == ["111", "1000"]
    assert codes(effects) == []
