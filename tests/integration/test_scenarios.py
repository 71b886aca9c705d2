"""Scenario vectors through the running worker over Kafka say, record for record, what `simulate` says.

Every scenario is a tenant of its own; all of them share one worker, one log and one clock, so their inputs are merged by
time, and the ticks of the others come in between: more ticks change nothing. Compared is every record on the billing and
the rejected topics, ids and times included, in the order of its account, up to a moment after the last scenario. Not
compared is where a record of the log stands (`source`, `origin_…`), which the merge decides, and `billing.catalog.v1`,
since `simulate` has its catalog without a command.
"""

from __future__ import annotations

import json
import pathlib
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from schemas import topics
from tests.integration.alike import Json, check, feed, merged, simulated
from tests.integration.fleet import Fleet
from tests.integration.script import SETTINGS, Script

RELEASED = {"moves": 2, "joins": 2}
"""Events that wait under the subject which a command of that id registers."""
VECTORS = pathlib.Path(__file__).parent.parent / "vectors"
SAMPLE = (
    "openmeter-credits-04", "openmeter-credits-16", "lago-wallets-06", "openmeter-rollover-01", "lago-void-01",
    "openmeter-late-05", "openmeter-late-06", "openmeter-minimum-02", "lago-docs-minimum-01", "life-20a",
    "flexprice-commitment-01", "lago-groups-02", "openmeter-correction-01", "meteroid-periods-01", "life-01",
    "life-13", "life-40", "life-59b", "life-63", "life-67a", "life-78", "lago-thresholds-04", "openmeter-entitlement-01", "life-25a",
    "life-32", "life-46c", "life-47", "life-50b", "life-52b", "life-52c", "life-53b", "life-68", "life-69c",
)  # fmt: skip
"""Trees, rules, limits, entitlements, waived overshoot, fees, minimum, commitment, credits, rollover, voids, corrections, late and waiting usage, subjects, bad units."""


def _use(number: int, time: str, subject: str) -> Json:
    return {"event": {"specversion": "1.0", "id": f"ev-{number}", "source": "test", "type": "use", "tenant": "acme",
                      "subject": subject, "time": time, "data": {"value": "2.5"}}}  # fmt: skip


def _command(key: str, time: str, kind: str, **fields: Any) -> Json:
    return {
        "command": {"id": key, "tenant": "acme", "account": "cust-1", "type": kind, "time": time, **fields}
    }


SUBJECTS: Json = {
    "id": "subjects",
    "catalog": {
        "meters": [{"key": "used", "event_type": "use", "aggregation": "sum", "value": "$.value", "unit": "unit", "window": "1h"}],
        "plans": [{"key": "pro", "version": 1, "effective_from": "2020-01-01T00:00:00Z", "currency": "USD",
                   "period": "month", "charges": [{"key": "used", "meter": "used", "price": {"model": "per_unit",
                                                                                            "unit_amount": "0.3"}}]}],
    },
    "input": [
        _use(1, "2026-03-02T10:00:00Z", "key-1"),
        _command("begins", "2026-03-03T00:00:00Z", "subscribe", subscription="sub-1", plan="pro", start="2026-03-01T00:00:00Z"),
        _use(2, "2026-03-03T10:00:00Z", "key-1"),
        _use(3, "2026-03-03T11:00:00Z", "key-2"),
        _command("moves", "2026-03-04T00:00:00Z", "register_subject", subject="key-1"),
        _use(1, "2026-03-02T10:00:00Z", "key-1"),
        _use(4, "2026-03-05T10:00:00Z", "key-1"),
        _command("leaves", "2026-03-06T00:00:00Z", "remove_subject", subject="key-1"),
        _use(5, "2026-03-05T23:00:00Z", "key-1"),
    ],
    "until": "2026-03-07T00:00:00Z",
}  # fmt: skip
"""Usage that waits under a subject until it is registered, a copy of it, and usage of before a removal; key-2's waits in
vain."""

TREE: Json = SUBJECTS | {
    "id": "tree",
    "catalog": {
        "meters": [
            {"key": "used", "event_type": "use", "aggregation": "sum", "value": "$.value", "unit": "unit", "window": "1h",
             "group_by": {"team": "$subject.team"}},
        ],
        "plans": SUBJECTS["catalog"]["plans"],
    },
    "input": [
        _use(1, "2026-03-02T10:00:00Z", "team-a"),
        _use(2, "2026-03-02T11:00:00Z", "team-a"),
        _use(3, "2026-03-02T12:00:00Z", "team-b"),
        _command("roots", "2026-03-03T00:00:00Z", "set_account", account="org", name="Org", timezone="Asia/Tokyo"),
        _command("joins", "2026-03-03T01:00:00Z", "set_account", account="team-a", parent="org"),
        _use(1, "2026-03-02T10:00:00Z", "team-a"),
        _command("begins", "2026-03-03T02:00:00Z", "subscribe", account="org", subscription="sub-1", plan="pro",
                 start="2026-03-01T00:00:00Z"),
        _command("shares", "2026-03-03T03:00:00Z", "register_subject", account="team-a", subject="ann", groups={"team": "x"}),
        _use(4, "2026-03-04T10:00:00Z", "ann"),
        _use(5, "2026-03-04T10:00:00Z", "team-a"),
        _command("again", "2026-03-04T11:00:00Z", "set_account", account="team-a", parent="other"),
        _command("own", "2026-03-04T12:00:00Z", "subscribe", account="team-a", subscription="sub-2", plan="pro",
                 start="2026-03-04T00:00:00Z"),
        _use(6, "2026-03-05T10:00:00Z", "ann"),
        _command("undoes", "2026-03-05T11:00:00Z", "retract_usage", account="team-a", source="test", event_id="ev-4",
                 was=_use(4, "2026-03-04T10:00:00Z", "ann")["event"]),
        _command("leaves", "2026-03-05T12:00:00Z", "cancel", account="team-a", subscription="sub-2", at="now"),
        _use(7, "2026-03-05T13:00:00Z", "team-a"),
    ],
}  # fmt: skip
"""Usage that waits under an account's own name until it joins a tree, then for a subscription above; one of its own, dated
back, that takes usage down from above, until it ends."""


def sample() -> list[Json]:
    """The vectors, each of a tenant of its own."""
    found = {
        vector["id"]: vector
        for name in ("scenarios", "lifecycle")
        for vector in json.loads((VECTORS / f"{name}.json").read_text("utf-8"))
    }
    return [_renamed(vector) for vector in (*(found[name] for name in SAMPLE), SUBJECTS, TREE)]


def _renamed(vector: Json) -> Json:
    """The vector with its id as tenant, wherever one is named."""
    text = json.dumps(vector["input"])
    assert '"tenant": "acme"' in text
    return vector | {"input": json.loads(text.replace('"tenant": "acme"', f'"tenant": "{vector["id"]}"'))}


@pytest.fixture
def fleet(kafka: str, tmp_path: pathlib.Path) -> Iterator[Fleet]:
    made = Fleet(kafka, f"scenarios-{uuid.uuid4().hex[:8]}.", tmp_path, partitions=1, settings=SETTINGS)
    made.make_topics()
    yield made
    made.stop()


def test_scenarios_through_the_worker_say_what_simulate_says(fleet: Fleet) -> None:
    vectors = sample()
    assert len(vectors) == len(SAMPLE) + 2 == 35
    lines = merged(vectors)
    end = lines[-1].clock
    wanted = {vector["id"]: simulated(vector, end) for vector in vectors}
    assert all(map(any, (want.values() for want in wanted.values()))), "a scenario that says nothing"
    script = Script(fleet)
    script.begin()
    feed(script, lines, RELEASED)
    found = check(fleet, script, end, wanted)
    assert {place[0] for place in found} >= {
        topic.name for topic in (topics.CHARGES, topics.LEDGER, topics.SIGNALS, topics.REJECTED)
    }
