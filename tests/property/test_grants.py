"""Credits add up: each grant's entries sum to its balance, never below nothing, and to what the lines were paid."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rating.times import DAY, HOUR, MINUTE, format_time
from schemas import topics
from tests.property import bill
from tests.property.partition import TENANT, Rater, Writer, codes, values
from tests.property.test_corrections import amendment, retraction
from tests.property.worlds import BEGIN, NOW, TURN, Doc, World, command, worlds

CASES = 150
EXAMPLES = settings(max_examples=CASES, deadline=None, derandomize=True)
ADDS = frozenset({"grant", "refund"})
TIMES = st.sampled_from((BEGIN, BEGIN + 7 * HOUR, TURN - MINUTE, TURN, TURN + 20 * MINUTE))


@st.composite
def grants(draw: st.DrawFn, number: int) -> Doc:
    """A grant to ann; what it may pay, from when, until when."""
    start = draw(TIMES)
    optional: dict[str, st.SearchStrategy[Any]] = {
        "priority": st.sampled_from((0, 10, 90)),
        "effective_from": st.just(format_time(start)),
        "expires_at": st.sampled_from((MINUTE, 9 * HOUR, DAY, 40 * DAY)).map(
            lambda us: format_time(start + us)
        ),
        "rollover": st.sampled_from(({"max": "2"}, {"min": "1", "max": "3"}, {"max": "0"})),
        "applies_to": st.sampled_from(
            ({"charges": ["c0"]}, {"meters": ["tokens", "peak"]}, {"charges": ["c1", "c2"]})
        ),
    }
    fields = draw(st.fixed_dictionaries({}, optional=optional))
    if "expires_at" in fields:
        fields["effective_from"] = format_time(start)
    amount = draw(st.sampled_from(("0.1", "1.000000000001", "5", "33.3", "1000")))
    return command(
        f"grant-{number}", "ann", "grant_credits", grant=f"g{number}", amount=amount, unit="USD", **fields
    )


@st.composite
def stories(draw: st.DrawFn) -> tuple[World, Writer]:
    """Usage, grants, corrections and voids of ann's in some order, closes in between."""
    world = draw(worlds(16, bounded=True))
    writer = Writer(world.catalog, 4)
    writer.tick(BEGIN)
    for subscribe in world.subscribes():
        writer.command(subscribe, NOW)
    early: list[Any] = [draw(grants(number)) for number in range(draw(st.integers(0, 3)))]
    steps: list[Any] = [*world.events, draw(grants(len(early)))]
    steps += draw(st.lists(st.sampled_from((TURN + HOUR, TURN + 2 * HOUR, TURN + 26 * HOUR)), max_size=2))
    came: list[Doc] = []
    for number, step in enumerate([*early, *draw(st.permutations(steps))]):
        if isinstance(step, int):
            writer.tick(step)
        elif "specversion" in step:
            writer.events([step], NOW)
            came.append(step)
        else:
            writer.command(step, NOW)
        what = draw(st.sampled_from(("", "", "retract", "amend", "void")))
        if what == "void":
            fields: dict[str, Any] = draw(st.sampled_from(({}, {"amount": "0.5"})))
            writer.command(command(f"v{number}", "ann", "void_grant", grant=f"g{number % 4}", **fields), NOW)
        elif what and came:
            event = came.pop(draw(st.integers(0, len(came) - 1)))
            now = {**event, "data": draw(st.sampled_from(world.events))["data"]}
            found = (
                retraction(f"r{number}", event) if what == "retract" else amendment(f"a{number}", event, now)
            )
            writer.command(found, NOW)
    for event in draw(st.sampled_from((came, []))):
        writer.command(retraction(f"end-{event['id']}", event), NOW)
    writer.tick(TURN + 45 * DAY)
    return world, writer


def test_every_grants_entries_sum_to_its_balance_and_to_what_was_paid() -> None:
    entries: dict[str, int] = defaultdict(int)

    @EXAMPLES
    @given(stories())
    def holds(story: tuple[World, Writer]) -> None:
        _, writer = story
        effects = Rater().rate(writer.records)
        assert set(codes(effects)) <= {"bad_command"}
        ledger = values(effects, topics.LEDGER)
        balances: dict[str, Fraction] = defaultdict(Fraction)
        for entry in ledger:
            amount = Fraction(entry["amount"])
            balances[entry["grant"]] += amount
            assert balances[entry["grant"]] == Fraction(entry["balance"]) >= 0, entry
            assert entry["entry"] == "rollover" or (amount > 0) == (entry["entry"] in ADDS), entry
            entries[entry["entry"]] += 1
        assert len({entry["id"] for entry in ledger}) == len(ledger)
        assert paid_by_line(ledger) == credited(values(effects, topics.CHARGES))
        assert bill.faults(effects) == []

    holds()
    assert set(entries) == {"grant", "burn", "expire", "void", "refund", "rollover"}


def paid_by_line(ledger: list[Doc]) -> dict[str, Fraction]:
    """What grants paid for each line, less what they got back, where it is not nothing."""
    paid: dict[str, Fraction] = defaultdict(Fraction)
    for entry in ledger:
        if entry["entry"] in ("burn", "refund"):
            paid[entry["charge"]] -= Fraction(entry["amount"])
    return {line: amount for line, amount in paid.items() if amount}


def credited(lines: list[Doc]) -> dict[str, Fraction]:
    """What each line says that credits paid of it, where it is not nothing."""
    found = {line["id"]: Fraction(line["credits_applied"]) for line in lines}
    return {line: amount for line, amount in found.items() if amount}


def test_credits_change_no_amount() -> None:
    seen = []

    @EXAMPLES
    @given(stories())
    def holds(story: tuple[World, Writer]) -> None:
        _, writer = story
        paid = Rater().rate(writer.records)
        plain = [
            each
            for each in writer.records
            if getattr(each, "type", "") not in ("grant_credits", "void_grant")
        ]
        unpaid = Rater().rate(plain)
        assert bill.totals(paid) == bill.totals(unpaid)
        lines = values(paid, topics.CHARGES)
        assert not any(Fraction(line["amount"]) for line in lines if line["kind"] == "adjustment")
        assert not credited([line for line in lines if line["account"] != "ann"])
        seen.append(bool(credited(lines)))

    holds()
    assert sum(seen) > CASES // 3


def test_what_is_due_is_never_below_nothing_in_a_charge_and_period() -> None:
    """Credits pay what is due and no more: a charge's credits over its lines stay within its amount."""

    @EXAMPLES
    @given(stories())
    def holds(story: tuple[World, Writer]) -> None:
        _, writer = story
        due: dict[tuple[str, ...], Fraction] = defaultdict(Fraction)
        owed: dict[tuple[str, ...], Fraction] = defaultdict(Fraction)
        for line in values(Rater().rate(writer.records), topics.CHARGES):
            whole = bill.group_of(line)[:4]
            due[whole] += Fraction(line["amount_due"])
            owed[whole] += Fraction(line["amount"])
            assert 0 <= due[whole] <= owed[whole], line

    holds()


def test_a_limit_that_counts_event_by_event_changes_nothing_of_who_pays() -> None:
    """Two events of one pack, a grant's end between them: the first is paid, the second is not."""
    meter = {"key": "t", "event_type": "use", "aggregation": "sum", "value": "$.value"}
    plan: Doc = {"key": "pro", "version": 1, "effective_from": "2020-01-01T00:00:00Z", "currency": "USD", "period": "month",
                 "charges": [{"key": "in", "meter": "t", "price": {"model": "per_unit", "unit_amount": "1"}}]}  # fmt: skip
    limit = {"key": "cap", "metric": "spend", "currency": "USD", "amount": "1000", "window": "day"}
    found = []
    for limits in ([], [limit]):
        writer = Writer({"meters": [meter], "plans": [{**plan, "limits": limits}]})
        writer.tick(BEGIN)
        start, end = format_time(BEGIN), format_time(BEGIN + 10 * MINUTE)
        more: Doc
        for kind, more in (
            ("subscribe", {"subscription": "s", "plan": "pro", "start": start}),
            ("grant_credits", {"grant": "g", "amount": "100", "unit": "USD", "expires_at": end}),
        ):
            writer.command(
                {"id": kind, "tenant": TENANT, "account": "a", "type": kind, "time": start, **more}, BEGIN
            )
        events = [
            {"specversion": "1.0", "id": f"e{minute}", "source": "s", "type": "use", "tenant": TENANT, "subject": "a",
             "time": format_time(BEGIN + minute * MINUTE), "data": {"value": 5}}
            for minute in (5, 15)
        ]  # fmt: skip
        writer.events(events, BEGIN + 16 * MINUTE)
        lines = values(Rater().rate(writer.records), topics.CHARGES)
        found.append([(line["amount"], line["credits_applied"], line["details"]) for line in lines])
    assert found[0] == found[1]
    assert [line[:2] for line in found[0]] == [("10", "5")]
