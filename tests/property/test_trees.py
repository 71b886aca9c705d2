"""Trees of accounts: whatever the order of usage, subscriptions, cancellations and corrections, and however late timers
fire, each subscription owes the price of what reaches it: an account's usage goes to the nearest account of its path
that charges it at its time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from rating.cells import DictCells, DictIds
from rating.effects import Effect
from rating.engine import Engine
from rating.ids import event_uid, root_key
from rating.records import Position, Record
from rating.times import DAY, HOUR, format_time, parse_time
from schemas import topics
from tests.property import bill
from tests.property.partition import TENANT, Rater, Writer, codes, values
from tests.unit.rating.lives import plan

Doc = dict[str, Any]
CASES = 150
EXAMPLES = settings(max_examples=CASES, deadline=None, derandomize=True)
BEGIN = parse_time("2026-03-02T00:00:00Z")
NOW = parse_time("2026-03-10T00:00:00Z")
PARENTS = {"dept": "org", "team": "dept", "lone": "org"}
ACCOUNTS = ("org", *PARENTS)
METERS: dict[str, tuple[str, dict[str, str]]] = {
    "tokens": ("sum", {"value": "$.value"}),
    "calls": ("count", {}),
}
PLANS = {"input": ("tokens",), "talk": ("calls",), "all": ("tokens", "calls"), "none": ()}
TIMES = st.sampled_from([BEGIN + each * 12 * HOUR for each in range(8)])


class Sub(NamedTuple):
    """A subscription, and when it is over."""

    account: str
    name: str
    plan: str
    start: int
    end: int | None


class Used(NamedTuple):
    """An event, and whether it is taken back in the end."""

    id: str
    account: str
    time: int
    value: int
    retracted: bool


class World(NamedTuple):
    """What happens, in one of many orders."""

    subs: list[Sub]
    events: list[Used]
    order: list[int]
    ticks: list[bool]


def catalog() -> Doc:
    tiers = [{"up_to": "10", "unit_amount": "2"}, {"up_to": None, "unit_amount": "0.5"}]
    price = {"model": "graduated", "tiers": tiers}
    meters = [
        {"key": key, "event_type": "use", "aggregation": kind, "window": "1h", **more}
        for key, (kind, more) in METERS.items()
    ]
    plans = [
        plan(key, charges=[{"key": f"c-{meter}", "meter": meter, "price": price} for meter in charged])
        for key, charged in PLANS.items()
    ]  # fmt: skip
    return {"meters": meters, "plans": plans}


@st.composite
def worlds(draw: st.DrawFn) -> World:
    subs = []
    for number in range(draw(st.integers(1, 5))):
        start = draw(TIMES)
        end = draw(st.none() | TIMES.map(lambda time, start=start: max(time, start)))  # type: ignore[misc]
        account, plan = draw(st.sampled_from(ACCOUNTS)), draw(st.sampled_from(tuple(PLANS)))
        subs.append(Sub(account, f"s{number}", plan, start, end))
    events = [
        Used(f"e{number}", draw(st.sampled_from(ACCOUNTS)), draw(TIMES) + number, draw(st.integers(1, 9)), draw(st.booleans()))
        for number in range(draw(st.integers(1, 10)))
    ]  # fmt: skip
    count = len(subs) + len(events)
    return World(
        subs,
        events,
        draw(st.permutations(range(count))),
        draw(st.lists(st.booleans(), min_size=count, max_size=count)),
    )


def owed(world: World) -> dict[tuple[str, str, str], Fraction]:
    """The price of what reaches each charge, by the rule alone."""
    sums: Counter[tuple[str, str, str]] = Counter()
    for event in (each for each in world.events if not each.retracted):
        for meter in METERS:
            for sub in reached(world, event, meter):
                sums[sub.account, sub.name, f"c-{meter}"] += event.value if meter == "tokens" else 1
    found = {
        key: Fraction(min(total, 10) * 2) + Fraction(max(total - 10, 0), 2) for key, total in sums.items()
    }
    return {key: amount for key, amount in found.items() if amount}


def reached(world: World, event: Used, meter: str) -> list[Sub]:
    account: str | None = event.account
    while account is not None:
        found = [
            sub
            for sub in world.subs
            if sub.account == account
            and meter in PLANS[sub.plan]
            and sub.start <= event.time < (sub.end or NOW)
        ]
        if found:
            return found
        account = PARENTS.get(account)
    return []


def log_of(world: World) -> Writer:
    writer = Writer(catalog())
    writer.tick(NOW - HOUR)
    for number, (account, parent) in enumerate(PARENTS.items()):
        writer.command(command("set_account", f"a{number}", account, NOW, parent=parent), NOW)
    for number, index in enumerate(world.order):
        if index < len(world.subs):
            sub = world.subs[index]
            fields = {"subscription": sub.name, "plan": sub.plan, "start": format_time(sub.start)}
            writer.command(command("subscribe", f"s{index}", sub.account, NOW, **fields), NOW)
        else:
            writer.events([body(world.events[index - len(world.subs)])], NOW)
        if world.ticks[number]:
            writer.tick(NOW - HOUR + number)
    for index, sub in enumerate(world.subs):
        if sub.end is not None:
            writer.command(
                command("cancel", f"x{index}", sub.account, sub.end, subscription=sub.name, at="now"), NOW
            )
    for event in (each for each in world.events if each.retracted):
        was = {"source": "src", "event_id": event.id, "was": body(event)}
        writer.command(command("retract_usage", f"r-{event.id}", event.account, NOW, **was), NOW)
    writer.events([body(event) for event in world.events], NOW)
    assert not writer.rejected, [each.detail for each in writer.rejected]
    return writer


def command(kind: str, name: str, account: str, time: int, **fields: Any) -> Doc:
    return {
        "id": name,
        "tenant": TENANT,
        "account": account,
        "type": kind,
        "time": format_time(time),
        **fields,
    }


def body(event: Used) -> Doc:
    return {"specversion": "1.0", "id": event.id, "source": "src", "type": "use", "tenant": TENANT,
            "subject": event.account, "time": format_time(event.time), "data": {"value": event.value}}  # fmt: skip


class Reader(Rater):
    """An engine that may read its log again."""

    def __init__(self) -> None:
        super().__init__(DictCells(), DictIds())
        self.read: list[Record] = []
        self.engine = Engine(self.cells, self.ids, 0, lambda since: list(self.read))

    def step(self, record: Record) -> list[Effect]:
        self.read.append(record)
        return super().step(record)


def lazily(records: Sequence[Record]) -> Iterator[Effect]:
    """Rated with nothing drained before the end."""
    rater = Reader()
    for record in records:
        yield from rater.step(record)
    yield from rater.drained(1)
    assert not rater.engine.parked, rater.engine.parked


def test_each_subscription_owes_the_price_of_what_reaches_it() -> None:
    seen = []

    @EXAMPLES
    @given(worlds())
    def holds(world: World) -> None:
        records = log_of(world).records
        effects = Reader().rate(records)
        assert amounts(effects) == owed(world)
        assert amounts(list(lazily(records))) == owed(world)
        assert codes(effects) == []
        assert bill.faults(effects) == bill.repeated(effects) == []
        seen.append(any(line["sub_account"] for line in values(effects, topics.CHARGES)))

    holds()
    assert len(seen) >= CASES
    assert sum(seen) > CASES // 4


def test_usage_of_after_an_end_that_is_withdrawn_is_rated() -> None:
    """Usage may be an hour ahead of the clock: it waits where its time is after the end, and no longer once that is gone."""
    end = parse_time("2026-04-01T00:00:00Z")
    came = end - HOUR // 2
    writer = Writer(catalog())
    writer.tick(came)
    fields = {"subscription": "s", "plan": "input", "start": "2026-03-01T00:00:00Z"}
    writer.command(command("subscribe", "s", "org", came, **fields), came)
    writer.command(command("set_account", "a", "team", came, parent="org"), came)
    writer.command(command("cancel", "x", "org", came, subscription="s", at="period_end"), came)
    writer.events([body(Used("e1", "org", end + 1, 3, False))], came)
    writer.events([body(Used("e2", "team", end + 1, 4, False))], came)
    assert amounts(Reader().rate(writer.records)) == {}
    writer.command(command("resume", "r", "org", came, subscription="s"), came)
    assert amounts(Reader().rate(writer.records)) == {("org", "s", "c-tokens"): Fraction(14)}


def amounts(effects: Sequence[Effect]) -> dict[tuple[str, str, str], Fraction]:
    found: dict[tuple[str, str, str], Fraction] = defaultdict(Fraction)
    for line in values(effects, topics.CHARGES):
        found[line["account"], line["subscription"], line["charge"]] += Fraction(line["amount"])
    return {key: amount for key, amount in found.items() if amount}


def test_what_waits_below_is_rated_or_rejected_by_its_due_time_however_late_timers_fire() -> None:
    """Usage of the 2nd waits for 35 days: a subscription above that comes later, and is dated back, finds it rejected."""
    for start, rated in ((BEGIN + 34 * DAY, True), (BEGIN + 36 * DAY, False)):
        writer = Writer(catalog())
        writer.tick(BEGIN)
        writer.command(command("set_account", "a", "team", BEGIN, parent="org"), BEGIN)
        used = Used("e1", "team", BEGIN, 3, False)
        writer.events([body(used)], BEGIN)
        fields = {"subscription": "s", "plan": "input", "start": format_time(BEGIN)}
        writer.tick(start)
        writer.command(command("subscribe", "s", "org", start, **fields), start)
        writer.tick(BEGIN + 40 * DAY)
        for effects in (Reader().rate(writer.records), list(lazily(writer.records))):
            assert amounts(effects) == ({("org", "s", "c-tokens"): Fraction(6)} if rated else {})
            assert codes(effects) == ([] if rated else ["unrated"])


def test_ids_that_are_rebuilt_from_the_log_say_the_same_of_a_tree() -> None:
    @settings(max_examples=30, deadline=None, derandomize=True)
    @given(worlds())
    def holds(world: World) -> None:
        records = log_of(world).records
        rater = Reader()
        rater.rate(records)
        again = DictIds()
        engine = Engine(rater.cells, again, 0)
        engine.begin_at(0)
        for number, record in enumerate(records):
            engine.recount(record, Position(topics.LOG.name, 0, number))
        keys = [root_key(TENANT, "org") + event_uid("src", event.id) for event in world.events]
        assert again.find(keys) == rater.ids.find(keys)
        assert None not in again.find(keys)

    holds()
