"""The demo's parts: what it sends, how it counts, how it looks, what it says when a server goes away."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from importlib.resources import files
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.console import Console

from rating.times import DAY, parse_time
from schemas.catalog import check_catalog, load_catalog
from streams.cli.lines import Event, from_ndjson
from streams.cli.publish import Publisher
from streams.demo import board, warehouse
from streams.demo.outputs import Outputs
from streams.demo.processes import Children
from streams.demo.run import _compare, _delivered, _View, month_start
from streams.demo.sample import MODELS, REGIONS, Kind, Sent, Usage, accounts, commands
from streams.demo.tally import Tally
from streams.settings import Settings
from streams.stack.process import free_port

NOW = parse_time("2026-11-24T12:00:00Z")
MONTH = parse_time("2026-11-01T00:00:00Z")
CATALOG = Path(str(files("streams.demo") / "catalog.yaml"))


def usage(count: int, seed: int = 1, now: int = NOW) -> list[Sent]:
    stream = Usage(seed, "run", MONTH)
    return [stream.next(now) for _ in range(count)]


def test_the_catalog_holds_and_has_what_the_demo_is_about() -> None:
    loaded = load_catalog(CATALOG)
    assert (loaded.problems, loaded.ok) == ((), True)
    assert loaded.doc is not None
    assert {plan["key"] for plan in loaded.doc["plans"]} == {"starter", "pro", "scale"}
    assert {meter["key"] for meter in loaded.doc["meters"]} == {
        "input-tokens", "output-tokens", "requests", "compute-seconds",
    }  # fmt: skip
    assert check_catalog(loaded.doc).ok


def test_the_same_seed_sends_the_same_usage() -> None:
    assert usage(500) == usage(500)
    assert usage(500) != usage(500, seed=2)


def test_the_usage_is_mostly_good_with_duplicates_late_and_bad_events() -> None:
    sent = usage(5_000)
    kinds = Counter(record.kind for record in sent)
    assert kinds[Kind.GOOD] > 4_500
    assert min(kinds[Kind.DUPLICATE], kinds[Kind.LATE], kinds[Kind.BAD]) > 20
    assert len({record.account for record in sent}) == len(accounts())


def test_good_and_late_events_are_whole_and_within_the_month() -> None:
    for record in usage(2_000):
        if record.kind in (Kind.GOOD, Kind.LATE):
            (event,) = from_ndjson([record.value])
            assert isinstance(event, Event)
            value = json.loads(record.value)
            assert MONTH <= parse_time(value["time"]) <= NOW
            assert value["data"].get("model", "large") in MODELS
            assert value["data"]["region"] in REGIONS


def test_on_the_first_of_the_month_nothing_is_timed_before_it() -> None:
    times = [
        json.loads(r.value)["time"] for r in usage(2_000, now=MONTH + 1) if r.kind in (Kind.GOOD, Kind.LATE)
    ]
    assert min(map(parse_time, times)) >= MONTH


def test_a_duplicate_is_an_earlier_record_and_adds_nothing() -> None:
    sent = usage(5_000)
    values = {record.value for record in sent if record.kind is not Kind.DUPLICATE}
    for record in sent:
        if record.kind is Kind.DUPLICATE:
            assert record.value in values
            assert record.quantities == ()


def test_the_accounts_are_subscribed_to_the_catalogs_plans_under_fixed_ids() -> None:
    sent = list(commands(MONTH, NOW))
    assert [command["id"] for command in sent] == [command["id"] for command in commands(MONTH, NOW + DAY)]
    assert {command["plan"] for command in sent if command["type"] == "subscribe"} == {
        "starter",
        "pro",
        "scale",
    }


@pytest.mark.parametrize(
    "now", ["2026-11-24T12:00:00Z", "2026-11-01T00:00:00Z", "2026-11-30T23:59:59.999999Z"]
)
def test_the_month_begins_at_its_first_midnight(now: str) -> None:
    assert month_start(parse_time(now)) == MONTH


def good(account: str, quantity: int, model: str = "large") -> Sent:
    return Sent(Kind.GOOD, account, b"", b"", (("input", model, quantity),))


def line(quantity: str, amount: str = "0", **fields: Any) -> dict[str, Any]:
    return {
        "account": "a", "plan": "pro", "charge": "input", "kind": "usage", "dimensions": {"model": "large"},
        "quantity": quantity, "amount": amount, "amount_due": amount, "credits_applied": "0",
    } | fields  # fmt: skip


def test_an_event_is_charged_when_the_lines_add_up_to_it() -> None:
    tally = Tally()
    tally.sent(good("a", 10), 1.0)
    tally.sent(good("a", 5), 2.0)
    tally.charge(line("10"), 1.5)
    assert (tally.in_flight, list(tally.latencies)) == (1, [0.5])
    tally.charge(line("3"), 2.5)
    assert tally.in_flight == 1
    tally.charge(line("2", account="b"), 2.5)
    assert tally.in_flight == 1
    tally.charge(line("2"), 3.0)
    assert (tally.in_flight, list(tally.latencies)) == (0, [0.5, 1.0])


def test_amounts_add_up_exactly_by_plan_and_model() -> None:
    tally = Tally()
    tally.charge(line("1", "0.1"), 0)
    tally.charge(line("1", "0.2"), 0)
    tally.charge(line("0", "49", kind="fee", dimensions={}, charge="base"), 0)
    assert tally.amounts == {("pro", "large"): Decimal("0.3"), ("pro", "(fees)"): Decimal("49")}
    assert tally.due == Decimal("49.3")


def test_percentiles_of_nothing_are_nothing() -> None:
    tally = Tally()
    assert tally.percentile(0.5) is None
    tally.latencies.extend([0.1, 0.2, 0.3, 0.4])
    assert (tally.percentile(0.5), tally.percentile(0.99)) == (0.3, 0.4)


def test_the_board_shows_what_was_counted() -> None:
    tally = Tally()
    tally.sent(good("a", 10), 1.0)
    tally.charge(line("10", "0.000748"), 1.25)
    tally.refused("too_old")
    screen = Console(file=StringIO(), width=120)
    screen.print(board.live(tally, 5, 60, 500))
    board.summary(screen, tally, 60)
    assert isinstance(screen.file, StringIO)
    shown = screen.file.getvalue()
    for text in (
        "55 s left",
        "pro",
        "large",
        "0.000748",
        "too_old",
        "250 ms",
        "every event is accounted for",
    ):
        assert text in shown
    assert "in 1 (500/s)  lines 1" in board.line(tally, 5, 500)


def a_busy_tally() -> Tally:
    """Every row that the board can have, with long numbers."""
    tally = Tally()
    small: dict[str, Any] = {"dimensions": {"model": "small"}}
    none: dict[str, Any] = {"dimensions": {}}
    for plan in ("pro", "scale", "starter"):
        for fields in ({}, small, none, none | {"kind": "fee"}):
            for _ in range(500):
                tally.charge(line("1", "12.345678", plan=plan, **fields), 0)
    for code in ("bad_value", "malformed", "missing_attribute", "too_new", "too_old"):
        tally.refused(code)
    tally.published[Kind.GOOD] = 99_999_999
    return tally


def test_the_whole_board_is_seen_in_a_small_terminal() -> None:
    screen = Console(file=StringIO(), width=80, height=24)
    screen.print(board.live(a_busy_tally(), 5, 60, 12_345))
    assert isinstance(screen.file, StringIO)
    shown = screen.file.getvalue()
    assert shown.count("\n") < 24, shown
    assert "…" not in shown
    for text in ("99,999,999", "12,345 /s", "(fees)", "(any)", "74,074.068000", "missing_attribute", "p99"):
        assert text in shown, shown


def test_in_a_narrow_terminal_the_tables_stand_below_each_other_and_nothing_is_cut() -> None:
    screen = Console(file=StringIO(), width=60)
    board.summary(screen, a_busy_tally(), 60)
    assert isinstance(screen.file, StringIO)
    shown = screen.file.getvalue()
    assert "…" not in shown
    assert "74,074.068000" in shown
    assert "missing_attribute" in shown


def test_the_live_board_gives_way_to_the_summary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    screen = Console(file=StringIO(), width=80, height=24, force_terminal=True)
    with _View(screen, Tally(), 60) as view:
        view.show(1)
    assert isinstance(screen.file, StringIO)
    assert "\x1b[2K" in screen.file.getvalue().rpartition("pipeline")[2]


def test_a_clickhouse_that_went_away_is_told_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(warehouse, "wait_until_caught_up", lambda *_: False)
    outputs = object.__new__(Outputs)
    outputs.last = {0: 7}
    settings = Settings(home=tmp_path, clickhouse_port=free_port())
    with pytest.raises(typer.Exit):
        _compare(settings, outputs, Children(tmp_path), Console(file=StringIO()), Tally())
    assert capsys.readouterr().err.startswith("azotte: no ClickHouse answers at http://127.0.0.1:")


def test_events_that_do_not_arrive_are_told_with_the_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    publisher = object.__new__(Publisher)
    publisher.failures, publisher.failed = 0, []
    _delivered(publisher, Settings(kafka_port=9))
    publisher._fault("event: timed out")
    with pytest.raises(typer.Exit):
        _delivered(publisher, Settings(kafka_port=9))
    said = capsys.readouterr().err
    assert said.startswith("azotte: 1 event did not reach the broker at 127.0.0.1:9 (event: timed out)")
    assert "azotte status" in said
