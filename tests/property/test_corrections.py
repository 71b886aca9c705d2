"""What is taken back leaves nothing behind, and what is said twice or not at all changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import topics
from tests.property import bill
from tests.property.partition import Rater, codes, values
from tests.property.test_splits import log_of
from tests.property.worlds import NOW, Doc, Group, Whole, World, command, price, worlds

CASES = 120
EXAMPLES = settings(max_examples=CASES, deadline=None, derandomize=True)


def corrected(world: World, corrections: Sequence[Doc]) -> tuple[list[Any], list[Any]]:
    """The effects of the usage, and those of the corrections after it."""
    writer = log_of(world, [world.events], 1_000, 0)
    usage = len(writer.records)
    for each in corrections:
        writer.command(each, NOW)
    assert not writer.rejected, [each.detail for each in writer.rejected]
    rater = Rater()
    return rater.rate(writer.records[:usage]), rater.rate(writer.records[usage:])


def retraction(name: str, event: Doc) -> Doc:
    """The command that takes an event back."""
    return command(
        name, event["subject"], "retract_usage", source=event["source"], event_id=event["id"], was=event
    )


def amendment(name: str, event: Doc, now: Doc) -> Doc:
    """The command that says what an event should have been."""
    fields = {"source": event["source"], "event_id": event["id"], "was": event, "now": now}
    return command(name, event["subject"], "amend_usage", **fields)


def _of_nothing(rules: Mapping[Whole, Doc], group: Group) -> Fraction:
    """What a group comes to without usage: a dimension group is there for its usage alone."""
    return Fraction(0) if group[4] else price(rules[group[:4]], [])


def test_retracting_every_event_leaves_the_price_of_nothing() -> None:
    seen = []

    @EXAMPLES
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        world = data.draw(worlds())
        order = data.draw(st.permutations(world.events))
        usage, corrections = corrected(world, [retraction(f"r-{each['id']}", each) for each in order])
        effects = usage + corrections
        assert codes(effects) == []
        rules = world.rules()
        nothing = {group: _of_nothing(rules, group) for group in world.prices()}
        assert bill.amounts(effects) == {group: amount for group, amount in nothing.items() if amount}
        assert not any(quantity for quantity, _ in bill.totals(effects).values())
        assert bill.faults(effects) == []
        assert {line["kind"] for line in values(corrections, topics.CHARGES)} <= {"correction"}
        seen.append(len(corrections))

    holds()
    assert len(seen) >= CASES
    assert sum(seen) > CASES


def test_an_amendment_comes_to_the_usage_as_it_should_have_been() -> None:
    seen = []

    @EXAMPLES
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        world = data.draw(worlds())
        other = {each["id"]: each for each in data.draw(worlds()).events}
        now = [
            {**each, "data": other[each["id"]]["data"], "time": other[each["id"]]["time"]}
            if each["id"] in other
            else each
            for each in world.events
        ]
        pairs = data.draw(st.permutations(list(zip(world.events, now, strict=True))))
        usage, corrections = corrected(
            world, [amendment(f"a-{was['id']}", was, should) for was, should in pairs]
        )
        effects = usage + corrections
        assert codes(effects) == []
        fair, rules = world.prices(now), world.rules()
        touched = world.prices([*world.events, *now])
        want = {group: fair.get(group, _of_nothing(rules, group)) for group in touched}
        assert bill.amounts(effects) == {group: amount for group, amount in want.items() if amount}
        assert bill.faults(effects) == []
        seen.append(now != list(world.events))

    holds()
    assert len(seen) >= CASES
    assert sum(seen) > CASES // 2


def test_a_correction_to_the_same_or_sent_again_changes_no_total() -> None:
    seen = []

    @EXAMPLES
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        world = data.draw(worlds(12))
        event = data.draw(st.sampled_from(world.events))
        back, same = retraction("back", event), amendment("same", event, event)
        usage, once = corrected(world, [back])
        for corrections, want in (([same], usage), ([same, same, back, back], usage + once)):
            _, effects = corrected(world, corrections)
            assert codes(effects) == []
            assert bill.totals(usage + effects) == bill.totals(want)
            assert bill.faults(usage + effects) == []
        _, twice = corrected(world, [back, back, {**back, "id": "again"}, {**same, "id": "late"}])
        assert codes(twice) == ["bad_command"] * 2
        assert values(twice, topics.CHARGES) == values(once, topics.CHARGES)
        seen.append(len(once))

    holds()
    assert len(seen) >= CASES
    assert sum(seen) > CASES // 2


def test_a_correction_of_what_never_was_is_refused() -> None:
    @EXAMPLES
    @given(worlds(6), st.sampled_from(("data", "time", "type", "id")))
    def holds(world: World, field: str) -> None:
        event = world.events[0]
        wrong: dict[str, Any] = {
            "data": {**event["data"], "tokens": "5"},
            "time": "2026-02-28T23:59:59Z",
            "type": "other",
            "id": "nobody",
        }
        usage, corrections = corrected(world, [retraction("r", {**event, field: wrong[field]})])
        assert codes(corrections) == ["bad_command"]
        assert values(corrections, topics.CHARGES) == []
        assert bill.amounts(usage) == {group: amount for group, amount in world.prices().items() if amount}

    holds()
