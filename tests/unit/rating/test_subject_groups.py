"""A team inside an account is a group of its subjects: `$subject.team` in `group_by`, `filter` and `tier_value`."""

from __future__ import annotations

from typing import Any

from tests.unit.rating.lives import TOKENS, Life, charge, plan

Doc = dict[str, Any]
BY_TEAM: Doc = TOKENS | {"group_by": {"team": "$subject.team"}}
OF_ADS: Doc = TOKENS | {"key": "ads", "filter": {"$subject.team": ["ads"]}}
PLAN = plan(
    "pro",
    charges=[
        charge(dimensions=["team"]),
        {"key": "ads", "meter": "ads", "price": {"model": "per_unit", "unit_amount": "10"}},
    ],
)


def teams(*plans: Doc) -> Life:
    life = Life(plans or [PLAN], [BY_TEAM, OF_ADS])
    life.subscribe("pro", "2026-03-01")
    life.command("register_subject", "2026-03-01", subject="ann", groups={"team": "search"})
    life.command("register_subject", "2026-03-01", subject="bob", groups={"team": "ads", "office": "berlin"})
    return life


def by_team(life: Life) -> dict[str, str]:
    return {line["dimensions"]["team"]: line["amount_total"] for line in life.lines(charge="input")}


def test_usage_is_grouped_and_filtered_by_its_subjects_team() -> None:
    life = teams()
    for subject, value in (("ann", 1), ("bob", 2), ("cust-1", 4), ("ann", 8)):
        life.use(value, "2026-03-02T10", subject=subject)
    assert by_team(life) == {"search": "9", "ads": "2", "": "4"}
    assert life.sum(charge="ads") == 20


def test_a_subject_that_changes_its_team_takes_none_of_its_usage_along() -> None:
    life = teams()
    life.use(1, "2026-03-02T10", subject="ann")
    life.command("register_subject", "2026-03-03", subject="ann", groups={"team": "ads"})
    life.use(2, "2026-03-03T10", subject="ann")
    life.use(4, "2026-03-02T11", subject="ann")
    assert by_team(life) == {"search": "5", "ads": "2"}


def test_a_correction_takes_usage_back_from_the_team_that_it_was_of() -> None:
    life = teams()
    life.use(3, "2026-03-02T10", subject="ann", name="e1")
    life.command("register_subject", "2026-03-03", subject="ann", groups={"team": "ads"})
    was = {"specversion": "1.0", "id": "e1", "source": "src", "type": "use", "tenant": "acme", "subject": "ann",
           "time": "2026-03-02T10:00:00Z", "data": {"value": 3}}  # fmt: skip
    now = {**was, "data": {"value": 5}}
    life.command("amend_usage", "2026-03-04", source="src", event_id="e1", was=was, now=now)
    assert by_team(life) == {"search": "5"}
    life.command("retract_usage", "2026-03-05", source="src", event_id="e1", was=now)
    assert by_team(life) == {"search": "0"}
    assert life.rejected() == []


def test_usage_that_waited_under_the_subjects_name_gets_its_groups() -> None:
    life = Life([PLAN], [BY_TEAM, OF_ADS])
    life.subscribe("pro", "2026-03-01")
    life.use(3, "2026-03-02T10", subject="ann")
    life.command("register_subject", "2026-03-03", subject="ann", groups={"team": "search"})
    assert by_team(life) == {"search": "3"}


def test_a_change_that_is_dated_back_keeps_usage_in_its_team() -> None:
    life = teams(PLAN, plan("more", charges=[charge("2", dimensions=["team"])]))
    life.use(3, "2026-03-02T10", subject="ann")
    life.until("2026-03-03")
    life.change("change_plan", "2026-03-02", plan="more")
    assert by_team(life) == {"search": "6"}


def test_a_tier_is_looked_up_by_a_group() -> None:
    tiers = [{"up_to": "1", "unit_amount": "1"}, {"up_to": None, "unit_amount": "7"}]
    price = {"model": "volume", "scope": "event", "tier_value": "$subject.level", "tiers": tiers}
    life = Life([plan("pro", charges=[charge(price=price)])])
    life.subscribe("pro", "2026-03-01")
    life.command("register_subject", "2026-03-01", subject="ann", groups={"level": "1"})
    life.command("register_subject", "2026-03-01", subject="bob", groups={"level": "2"})
    life.use(1, "2026-03-02T10", subject="ann", name="e1")
    life.use(1, "2026-03-02T10", subject="bob")
    assert life.sum() == 8


def test_an_outcome_is_matched_by_a_group() -> None:
    meter = TOKENS | {
        "outcome": {"event_type": "done", "match": "$subject.team", "when": {"ok": ["yes"]}, "within": "72h"}
    }
    life = Life([plan("pro", charges=[charge()])], [meter])
    life.subscribe("pro", "2026-03-01")
    for subject, team in (("ann", "search"), ("bob", "ads"), ("cyd", "search")):
        life.command("register_subject", "2026-03-01", subject=subject, groups={"team": team})
    life.use(3, "2026-03-02T10", subject="ann")
    life.use(5, "2026-03-02T10", subject="bob")
    life.use(None, "2026-03-02T11", kind="done", subject="cyd", ok="yes")
    assert life.sum() == 3
