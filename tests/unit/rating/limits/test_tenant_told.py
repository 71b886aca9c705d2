"""What steps tell of their tenant: nothing where nobody asks, each figure once, in records of bounded size; and what becomes
of it where the tenant's own part fails."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rating.effects import Effect
from rating.limits import tenant
from rating.records import TenantUsage, Tick
from rating.state import TENANT_ACCOUNT
from rating.times import format_time, parse_time
from schemas import topics
from tests.property.partition import TENANT, Rater, Writer, values
from tests.unit.rating.lives import TOKENS, Doc, charge, plan

NOW = parse_time("2026-03-02T10:00:00Z")
CAP: Doc = {"key": "cap", "metric": "usage", "meter": "tokens", "amount": "100", "window": "day", "scope": "tenant",
            "thresholds": ["50", "100"]}  # fmt: skip


def writer_of(*limits: Doc, meter: Doc = TOKENS) -> Writer:
    """`ann` and `bob` on a plan of these limits."""
    writer = Writer({"meters": [meter], "plans": [plan("pro", charges=[charge()], limits=list(limits))]})
    writer.tick(NOW)
    for account in ("ann", "bob"):
        writer.command({"id": f"s-{account}", "tenant": TENANT, "account": account, "type": "subscribe", "subscription": "s",
                        "plan": "pro", "time": format_time(NOW), "start": "2026-03-01T00:00:00Z"}, NOW)  # fmt: skip
    return writer


def use(writer: Writer, *uses: tuple[str, object]) -> None:
    """One pack."""
    number = len(writer.records)
    writer.events(
        [{"specversion": "1.0", "id": f"{number}-{place}", "source": "src", "type": "use", "tenant": TENANT,
          "subject": account, "time": format_time(NOW), "data": {"value": value}}
         for place, (account, value) in enumerate(uses)], NOW,
    )  # fmt: skip


def told(effects: Sequence[Effect]) -> list[TenantUsage]:
    return [TenantUsage(**each) for each in values(effects, topics.LOG)]


def test_nothing_is_told_where_no_limit_is_of_the_tenant() -> None:
    writer = writer_of({**CAP, "scope": "account"})
    use(writer, ("ann", 5))
    assert told(Rater().rate(writer.records)) == []


def test_a_pack_of_many_accounts_is_one_record_of_what_they_came_to() -> None:
    writer = writer_of(CAP, {**CAP, "key": "spend", "metric": "spend", "meter": None})
    use(writer, ("ann", 5), ("bob", "0.5"), ("ann", 7))
    (found,) = told(Rater().rate(writer.records))
    assert (found.partition, found.account, found.number, found.part) == (0, "", len(writer.records) - 1, 0)
    day, hour = parse_time("2026-03-02T00:00:00Z"), parse_time("2026-03-02T10:00:00Z")
    amount = str(125 * 10**35)
    assert sorted(found.figures, key=str) == [["", "tokens", (), day, "", "", amount], ["USD", "tokens", (), hour, "", "", amount]]  # fmt: skip


def test_what_comes_to_nothing_is_not_told() -> None:
    writer = writer_of(CAP)
    use(writer, ("ann", 5), ("bob", -5))
    assert told(Rater().rate(writer.records)) == []


def test_figures_that_do_not_sum_up_come_in_records_of_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tenant, "FIGURES_MAX", 2)
    writer = writer_of({**CAP, "amount": "5"}, meter={**TOKENS, "aggregation": "unique"})
    use(writer, *(("ann", f"user-{number}") for number in range(5)))
    rater = Rater()
    records = told(rater.rate(writer.records))
    assert [(each.part, len(each.figures)) for each in records] == [(0, 2), (1, 2), (2, 1)]
    crossed = values(rater.rate(records), topics.THRESHOLDS)
    assert [(each["threshold"], each["value"]) for each in crossed] == [("50", "4"), ("100", "5")]
    assert rater.rate(records) == []


def test_what_is_told_again_changes_nothing() -> None:
    writer = writer_of(CAP)
    use(writer, ("ann", 60))
    rater = Rater()
    (record,) = told(rater.rate(writer.records))
    assert len(values(rater.rate([record]), topics.THRESHOLDS)) == 1
    assert rater.rate([record, record]) == []


def test_usage_of_before_the_first_tick_counts() -> None:
    writer = writer_of(CAP)
    writer.records = [record for record in writer.records if not isinstance(record, Tick)]
    use(writer, ("ann", 60))
    rater = Rater()
    assert len(values(rater.rate(told(rater.rate(writer.records))), topics.THRESHOLDS)) == 1


def test_an_account_that_is_parked_tells_nothing_until_it_goes_on() -> None:
    writer = writer_of(CAP)
    rater = Rater()
    rater.rate(writer.records)
    place = ("sub", TENANT, "ann")
    held = rater.cells.get(place, "s")
    rater.cells.put(place, "s", held._replace(timezone="Nowhere/None"))
    begun = len(writer.records)
    use(writer, ("ann", 60), ("bob", 7))
    (record,) = told(rater.step(writer.records[begun]))
    assert [each[-1] for each in record.figures] == [str(7 * 10**36)]
    rater.cells.put(place, "s", held)
    writer.command(
        {"id": "on", "tenant": TENANT, "account": "ann", "type": "unpark", "time": format_time(NOW)}, NOW
    )
    (record,) = told(rater.step(writer.records[-1]))
    assert [each[-1] for each in record.figures] == [str(60 * 10**36)]


def test_a_fault_in_the_tenants_own_part_parks_that_alone_and_unpark_without_an_account_takes_it_up() -> None:
    writer = writer_of(CAP)
    rater = Rater()
    rater.rate(writer.records)
    begun = len(writer.records)
    use(writer, ("ann", 60))
    use(writer, ("ann", 7))
    effects = [*rater.step(writer.records[begun]), *rater.step(writer.records[begun + 1])]
    assert len(values(effects, topics.CHARGES)) == 2
    place = ("bound", TENANT, TENANT_ACCOUNT)
    rater.cells.put(place, "cap", "no bound")
    for record in told(effects):
        assert rater.step(record) == []
    assert set(rater.engine.parked) == {f"{TENANT}/"}
    rater.cells.put(place, "cap", None)
    writer.command({"id": "on", "tenant": TENANT, "type": "unpark", "time": format_time(NOW)}, NOW)
    assert writer.rejected == []
    crossed = values(rater.step(writer.records[-1]), topics.THRESHOLDS)
    assert [(each["threshold"], each["value"]) for each in crossed] == [("50", "60")]
    assert not rater.engine.parked
