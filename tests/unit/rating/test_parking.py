"""A fault stops the account in whose part it was, and those below it, whose usage may go there; all else goes on, and
`unpark` takes up what waited in the log's order."""

from __future__ import annotations

from typing import Any

from rating.records import Position, Record, Release
from rating.state import Subscription
from rating.times import DAY, HOUR, format_time, parse_time
from tests.property.partition import TENANT, Rater, Writer
from tests.unit.rating.lives import TOKENS, charge, plan

NOW = parse_time("2026-03-02T00:00:00Z")
PARENTS = {"dept": "org", "team": "dept", "lone": "org"}


class Life:
    """A tree, `org` subscribed; what was written is rated by `go`."""

    def __init__(self) -> None:
        fee = {"key": "base", "amount": "31", "timing": "advance"}
        self.writer = Writer({"meters": [TOKENS], "plans": [plan("pro", charges=[charge()], fees=[fee])]})
        self.rater = Rater()
        self.lines: list[tuple[str, str | None, str, str]] = []
        self._taken = 0
        self._number = 0
        self.writer.tick(NOW)
        for account, parent in PARENTS.items():
            self.command("set_account", account, parent=parent)
        self.subscribe("org")
        self.go()

    def command(self, kind: str, account: str, **fields: Any) -> None:
        self._number += 1
        self.writer.command(
            {"id": f"c{self._number}", "tenant": TENANT, "account": account, "type": kind, "time": format_time(NOW), **fields},
            NOW,
        )  # fmt: skip

    def subscribe(self, account: str) -> None:
        self.command("subscribe", account, subscription="s", plan="pro", start="2026-03-01T00:00:00Z")

    def use(self, account: str, value: int) -> None:
        self._number += 1
        self.writer.events(
            [{"specversion": "1.0", "id": f"e{self._number}", "source": "src", "type": "use", "tenant": TENANT,
              "subject": account, "time": format_time(NOW), "data": {"value": value}}], NOW,
        )  # fmt: skip

    def go(self) -> None:
        for record in self.writer.records[self._taken :]:
            self._rate(record)
        self._taken = len(self.writer.records)

    def _rate(self, record: Record) -> None:
        effects = [*self.rater.step(record), *self.rater.drained(10)]
        for value in (each.value for each in effects if each.topic == "billing.charges.v1"):
            assert value is not None
            if value["kind"] != "close":
                self.lines.append((value["account"], value["sub_account"], value["kind"], value["amount"]))

    def breaks(self, account: str) -> Subscription:
        """Something in the account's own part fails from now on; what it was."""
        held: Subscription = self.rater.cells.get(("sub", TENANT, account), "s")
        self.rater.cells.put(("sub", TENANT, account), "s", held._replace(timezone="Nowhere/None"))
        return held

    def mends(self, account: str, held: Subscription) -> None:
        self.rater.cells.put(("sub", TENANT, account), "s", held)
        self.command("unpark", account)

    @property
    def parked(self) -> set[str]:
        return {name.partition("/")[2] for name in self.rater.engine.parked}


def test_a_fault_above_stops_that_account_and_those_below_until_it_is_unparked() -> None:
    life = Life()
    held = life.breaks("org")
    for account, value in (("team", 1), ("lone", 2), ("org", 4)):
        life.use(account, value)
    life.go()
    assert life.parked == {"org"}
    life.use("team", 8)
    life.lines.clear()
    life.go()
    assert life.lines == []
    life.mends("org", held)
    life.go()
    assert life.parked == set()
    assert life.lines == [
        ("org", "team", "usage", "1"), ("org", "lone", "usage", "2"), ("org", None, "usage", "4"), ("org", "team", "usage", "8"),
    ]  # fmt: skip


def test_a_fault_below_leaves_those_above_and_beside_it_going() -> None:
    life = Life()
    life.subscribe("team")
    life.go()
    held = life.breaks("team")
    life.lines.clear()
    for account, value in (("team", 1), ("lone", 2), ("dept", 4), ("team", 8)):
        life.use(account, value)
    life.go()
    assert life.parked == {"team"}
    assert life.lines == [("org", "lone", "usage", "2"), ("org", "dept", "usage", "4")]
    life.mends("team", held)
    life.go()
    assert life.lines[2:] == [("team", None, "usage", "1"), ("team", None, "usage", "8")]


def test_timers_and_commands_of_accounts_below_wait_too() -> None:
    life = Life()
    life.subscribe("team")
    life.go()
    held = life.breaks("org")
    life.writer.tick(NOW + 40 * DAY)
    life.lines.clear()
    life.go()
    assert life.parked == {"org"}
    assert ("team", None, "fee", "31") not in life.lines
    life.command("cancel", "team", subscription="s", at="period_end")
    life.mends("org", held)
    life.go()
    assert life.parked == set()
    assert sorted(life.lines) == [("org", None, "fee", "31"), ("team", None, "fee", "31")]
    life.writer.tick(NOW + 70 * DAY)
    life.go()
    assert sorted(life.lines)[:2] == [("org", None, "fee", "31")] * 2
    assert life.lines.count(("team", None, "fee", "31")) == 1


def test_a_timer_that_fails_fires_once_its_account_goes_on() -> None:
    life = Life()
    held = life.breaks("org")
    life.writer.tick(NOW + 40 * DAY)
    life.lines.clear()
    life.go()
    assert (life.parked, life.lines) == ({"org"}, [])
    life.mends("org", held)
    life.go()
    assert life.lines == [("org", None, "fee", "31")]


def test_a_correction_waits_with_the_groups_of_its_subject() -> None:
    life = Life()
    life.command("register_subject", "org", subject="ann", groups={"team": "search"})
    life.use("ann", 3)
    life.go()
    held = life.breaks("org")
    life.use("lone", 1)
    was = {"specversion": "1.0", "id": f"e{life._number - 1}", "source": "src", "type": "use", "tenant": TENANT,
           "subject": "ann", "time": format_time(NOW), "data": {"value": 3}}  # fmt: skip
    life.command("retract_usage", "org", source="src", event_id=was["id"], was=was)
    life.lines.clear()
    life.go()
    life.mends("org", held)
    life.go()
    assert life.lines == [("org", "lone", "usage", "1"), ("org", None, "correction", "-3")]


def test_a_release_waits_in_its_place() -> None:
    life = Life()
    held = life.breaks("org")
    life.use("org", 1)
    life.go()
    life._rate(Release(TENANT, "team", "other"))
    assert life.rater.cells.get(("account", TENANT, "team"), "forward") is None
    life.mends("org", held)
    life.go()
    assert life.rater.cells.get(("account", TENANT, "team"), "forward") == "other"


def test_where_a_tree_is_in_another_partition_usage_is_sent_on_and_counted_there_alone() -> None:
    """What waited here, and what still comes here by an old directory, copies included, goes to the tree."""
    writer, rater = Writer({"meters": [TOKENS], "plans": []}), Rater()
    writer.tick(NOW)
    event = {"specversion": "1.0", "id": "e1", "source": "src", "type": "use", "tenant": TENANT, "subject": "team",
             "time": format_time(NOW - HOUR), "data": {"value": 3}}  # fmt: skip
    writer.events([event], NOW)
    for record in writer.records:
        rater.step(record)
    (sent, taken_out) = rater.engine.apply(Release(TENANT, "team", "team"), Position("rating.log.v1", 0, 9))
    assert (sent.topic, sent.key) == ("usage.events.v1", "acme/team")
    assert sent.value is not None
    assert (sent.value["account"], sent.value["id"]) == ("team", "e1")
    assert taken_out.value is not None
    assert [(row["account"], row["value"], row["sign"]) for row in taken_out.value["rows"]] == [
        ("team", "3", -1)
    ]
    writer.events([event, {**event, "id": "e2"}], NOW)
    again = rater.step(writer.records[-1])
    assert [each.value["id"] for each in again if each.topic == "usage.events.v1" and each.value] == [
        "e1",
        "e2",
    ]
    assert [
        each.value["uncounted"] for each in again if each.topic == "rating.uncounted.v1" and each.value
    ] == [[0, 1]]
