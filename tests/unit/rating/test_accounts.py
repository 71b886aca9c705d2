"""What an account itself is: its place, its name, its time zone; and how usage comes to it that waited under its name."""

from __future__ import annotations

from rating import accounts
from rating.cells import DictCells, DictIds
from rating.engine import Engine
from rating.records import CatalogRevision, Command, LogSettings, Position, Record, Tick
from rating.times import DAY, HOUR, parse_time
from rating.tree import ancestors, is_within, link, parent, root
from schemas.catalog import check_catalog
from tests.unit.rating.lives import TOKENS, Life, charge, plan

NOW = parse_time("2026-03-01T00:00:00Z")


def test_the_path_to_the_root_is_read_upwards() -> None:
    cells = DictCells()
    link(cells, "acme", "team", "dept")
    link(cells, "acme", "dept", "org")
    assert list(ancestors(cells, "acme", "team")) == ["dept", "org"]
    assert (parent(cells, "acme", "org"), root(cells, "acme", "org")) == (None, "org")
    assert root(cells, "acme", "team") == "org"
    assert is_within(cells, "acme", "team", "org")
    assert is_within(cells, "acme", "org", "org")
    assert not is_within(cells, "acme", "org", "team")
    assert parent(cells, "other", "team") is None


class Partition:
    """An engine that takes commands one by one."""

    def __init__(self) -> None:
        self.cells = DictCells()
        self.engine = Engine(self.cells, DictIds(), 0)
        self._offset = 0
        doc = check_catalog({"meters": [TOKENS], "plans": [plan("pro", charges=[charge()])]}).doc
        assert doc is not None
        for record in (LogSettings(35 * DAY, HOUR, 1), CatalogRevision("acme", 1, 0, doc), Tick(NOW)):
            self.take(record)

    def take(self, record: Record) -> list[str]:
        self._offset += 1
        return [
            effect.topic for effect in self.engine.apply(record, Position("rating.log.v1", 0, self._offset))
        ]

    def command(self, kind: str, account: str = "team", name: str = "c1", **fields: object) -> list[str]:
        return self.take(Command("acme", account, name, kind, NOW, NOW, fields, Position("commands", 0, 1)))


def test_set_account_replaces_what_it_names() -> None:
    life = Partition()
    life.command("set_account", name="c1", timezone="Europe/Berlin", metadata={"crm": "42"})
    life.command("set_account", name="c2", timezone="Asia/Tokyo")
    step = life.engine._turns.step("acme", "team", NOW, Position("", 0, 0))
    assert (accounts.name(step), accounts.timezone(step)) == (None, "Asia/Tokyo")
    assert accounts.metadata(step) == {"crm": "42"}
    life.command("set_account", name="c3", metadata={})
    assert accounts.metadata(step) == {}


def test_a_first_command_that_is_refused_links_the_account_all_the_same() -> None:
    life = Partition()
    assert life.command(
        "subscribe", parent="org", subscription="s", plan="none", start="2026-03-01T00:00:00Z"
    ) == ["usage.rejected.v1"]
    assert parent(life.cells, "acme", "team") == "org"


def test_a_subscription_begins_in_its_accounts_time_zone() -> None:
    life = Life(
        [plan("pro", charges=[charge()], fees=[{"key": "base", "amount": "31", "timing": "advance"}])]
    )
    life.command("set_account", "2026-03-01", timezone="Asia/Tokyo")
    life.subscribe("pro", "2026-03-01")
    (line,) = life.lines(kind="fee")
    assert (line["period_start"], line["period_end"]) == (
        "2026-02-28T15:00:00.000000Z",
        "2026-03-31T15:00:00.000000Z",
    )
    life.subscribe("pro", "2026-03-01", "sub-2", timezone="UTC")
    assert life.lines(kind="fee", subscription="sub-2")[0]["period_start"] == "2026-03-01T00:00:00.000000Z"


def test_usage_that_waited_is_counted_once_in_the_tree() -> None:
    life = Life([plan("pro", charges=[charge()])])
    life.use(5, "2026-03-02", name="e1", subject="team")
    life.command("subscribe", "2026-03-03", account="team", parent="org", subscription="s", plan="pro",
                 start="2026-03-01T00:00:00Z")  # fmt: skip
    life.use(5, "2026-03-02", "2026-03-04", name="e1", subject="team")
    assert life.sum(account="team") == 5
    assert life.rejected() == []


def test_an_outcome_that_came_before_the_account_counts_in_the_tree() -> None:
    meter = {"key": "tokens", "event_type": "use", "aggregation": "sum", "value": "$.value", "unit": "unit", "window": "1h",
             "outcome": {"event_type": "done", "match": "$.job", "when": {"ok": ["yes"]}, "within": "72h"}}  # fmt: skip
    life = Life([plan("pro", charges=[charge()])], meters=[meter])
    life.use(7, "2026-03-02T10", name="e1", subject="team", job="j1")
    life.use(None, "2026-03-02T11", kind="done", name="e2", subject="team", job="j1", ok="yes")
    life.command("subscribe", "2026-03-03", account="team", parent="org", subscription="s", plan="pro",
                 start="2026-03-01T00:00:00Z")  # fmt: skip
    assert [(line["quantity"], line["window_start"]) for line in life.lines()] == [
        ("7", "2026-03-02T11:00:00.000000Z")
    ]
    assert life.rejected() == []


def test_a_limit_of_an_account_without_a_subscription_is_by_the_day_of_the_account() -> None:
    life = Life([plan("pro", charges=[charge()])])
    life.command("set_account", "2026-03-01", account="org", timezone="Asia/Tokyo")
    life.command("set_account", "2026-03-01", account="team", parent="org")
    life.command("set_limit", "2026-03-01", account="org", limit={
        "key": "cap", "metric": "usage", "meter": "tokens", "amount": "10", "scope": "account", "window": "day"})  # fmt: skip
    life.command(
        "subscribe", "2026-03-01", account="team", subscription="s", plan="pro", start="2026-03-01T00:00:00Z"
    )
    life.use(12, "2026-03-02T16", subject="team")
    (breach,) = life.records("billing.thresholds.v1")
    assert (breach["account"], breach["value"]) == ("org", "12")
    assert (breach["window_start"], breach["window_end"]) == (
        "2026-03-02T15:00:00.000000Z",
        "2026-03-03T15:00:00.000000Z",
    )
