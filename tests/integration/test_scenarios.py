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
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import pytest

from rating.times import format_time, parse_time
from schemas import topics
from schemas.catalog import check_catalog
from streams.simulate import Simulation
from tests.integration import ledger
from tests.integration.fleet import Fleet
from tests.integration.script import SETTINGS, TENANT, Script

Json = dict[str, Any]
Told = dict[tuple[str, str], list[Any]]
"""What was said on a topic under a key, in order."""
VECTORS = pathlib.Path(__file__).parent.parent / "vectors"
SAMPLE = (
    "openmeter-credits-04", "openmeter-credits-16", "lago-wallets-06", "openmeter-rollover-01", "lago-void-01",
    "openmeter-late-05", "openmeter-late-06", "openmeter-minimum-02", "lago-docs-minimum-01", "life-20a",
    "flexprice-commitment-01", "lago-groups-02", "openmeter-correction-01", "meteroid-periods-01", "life-01",
    "life-13", "life-40", "life-59b", "life-67a", "life-78",
)  # fmt: skip
"""Fees, minimum, commitment, credits, rollover, voids, corrections, late and waiting usage, subjects, bad units."""
COMPARED = (
    topics.CHARGES, topics.THRESHOLDS, topics.ENTITLEMENTS, topics.LEDGER, topics.SIGNALS, topics.REJECTED,
)  # fmt: skip
RELEASED = {"moves": 2}
"""Events that wait under the subject which a command of that id registers: they come to the log once more."""
OUT_S = 120
MARK = "mark"


class Line(NamedTuple):
    """An input of a scenario with the clock at which it is taken; `kind` is `event`, `command`, `catalog` or `until`."""

    clock: int
    tenant: str
    kind: str
    value: Json


def _use(number: int, time: str, subject: str) -> Json:
    return {"event": {"specversion": "1.0", "id": f"ev-{number}", "source": "test", "type": "use", "tenant": "acme",
                      "subject": subject, "time": time, "data": {"value": "2.5"}}}  # fmt: skip


def _command(name: str, time: str, kind: str, **fields: str) -> Json:
    return {
        "command": {"id": name, "tenant": "acme", "account": "cust-1", "type": kind, "time": time, **fields}
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


def sample() -> list[Json]:
    """The vectors, each of a tenant of its own."""
    found = {
        vector["id"]: vector
        for name in ("scenarios", "lifecycle")
        for vector in json.loads((VECTORS / f"{name}.json").read_text("utf-8"))
    }
    return [_renamed(vector) for vector in (*(found[name] for name in SAMPLE), SUBJECTS)]


def _renamed(vector: Json) -> Json:
    """The vector with its id as tenant, wherever one is named."""
    text = json.dumps(vector["input"])
    assert '"tenant": "acme"' in text
    return vector | {"input": json.loads(text.replace('"tenant": "acme"', f'"tenant": "{vector["id"]}"'))}


def lines_of(vector: Json) -> Iterator[Line]:
    """The scenario's inputs, and its catalog, as old as the first."""
    clock = 0
    for number, line in enumerate(vector["input"]):
        ((kind, value),) = line.items()
        clock = max(clock, parse_time(value["time"]))
        if number == 0:
            yield Line(clock, vector["id"], "catalog", _apply(vector, clock))
        yield Line(clock, vector["id"], kind, value)
    yield Line(parse_time(vector["until"]), vector["id"], "until", {})


def _apply(vector: Json, clock: int) -> Json:
    return {
        "id": "catalog",
        "tenant": vector["id"],
        "type": "apply_catalog",
        "time": format_time(clock),
        "catalog": vector["catalog"],
    }


def simulated(vector: Json, end: int) -> Told:
    """What `simulate` says of the scenario by `end`."""
    checked = check_catalog(vector["catalog"])
    assert checked.doc is not None
    simulation = Simulation(checked.doc)
    shown = []
    for line in lines_of(vector):
        if line.kind == "until":
            shown += list(simulation.advance(line.clock))
        elif line.kind != "catalog":
            shown += list(simulation.take(json.dumps(line.value).encode(), line.kind == "command"))
    shown += list(simulation.advance(end))
    assert not simulation.parked
    return told((each.topic, each.key, each.value, dict(each.headers)) for each in shown)


def told(records: Iterable[tuple[str, str | None, bytes | None, Mapping[str, str]]]) -> Told:
    """Records by topic and key, without what the log's layout decides."""
    found: Told = defaultdict(list)
    for topic, key, value, headers in records:
        said: Any = None if value is None else json.loads(value)
        if isinstance(said, dict):
            said.pop("source" if topic != topics.REJECTED.name else "", None)
        kept = {name: text for name, text in headers.items() if not name.startswith("origin_")}
        found[topic, key or said["tenant"]].append((said, kept))
    return dict(found)


def feed(script: Script, lines: Sequence[Line]) -> None:
    """Every catalog, which moves nothing, then every line at its time, one after the other."""
    for line in lines:
        if line.kind == "catalog":
            script.command(line.value, line.clock)
    script.catch_up()
    for line in lines:
        script.tick(line.clock)
        if line.kind == "event":
            script.event(json.dumps(line.value).encode(), line.clock)
        elif line.kind == "command":
            registered = line.value["type"] == "register_subject"
            script.command(line.value, line.clock, 1 + registered + RELEASED.get(line.value["id"], 0))
            if line.value["type"] in ("register_subject", "remove_subject"):
                script.catch_up()


def published(fleet: Fleet, script: Script, end: int) -> Told:
    """What the worker has said by `end`: all of it, since two marks after it have come through in turn."""
    readers = {topic: ledger.Reader(fleet.servers, fleet.topic(topic)) for topic in COMPARED}
    rejected = readers[topics.REJECTED]
    script.tick(end)
    for number in range(2):
        script.command(_mark(number, end), end)

        def marked(count: int = number + 1) -> bool:
            rejected.poll()
            return sum(_is_mark(value) for _, value, _ in rejected.records) == count

        ledger.until(marked, OUT_S, "the mark", fleet.logs)
    for reader in readers.values():
        while reader.poll(1):
            pass
        reader.close()
    return told(
        (
            topic.name,
            None if key is None else key.decode(),
            value,
            {name: text.decode() for name, text in headers.items()},
        )
        for topic, reader in readers.items()
        for key, value, headers in reader.records
        if not _is_own(key, value)
    )


def _mark(number: int, clock: int) -> Json:
    """A command that rating refuses, and so says that it has come."""
    name, time = f"{MARK}-{number}", format_time(clock)
    return {"id": name, "tenant": TENANT, "account": MARK, "type": "void_grant", "grant": name, "time": time}


def _is_own(key: bytes | None, value: bytes | None) -> bool:
    """Whether a record is of the script's own tenant."""
    tenant = key.decode().split("/")[0] if key is not None else json.loads(value or b"{}").get("tenant")
    return bool(tenant == TENANT)


def _is_mark(value: bytes | None) -> bool:
    return value is not None and str(json.loads(value).get("id")).startswith(MARK)


@pytest.fixture
def fleet(kafka: str, tmp_path: pathlib.Path) -> Iterator[Fleet]:
    made = Fleet(kafka, f"scenarios-{uuid.uuid4().hex[:8]}.", tmp_path, partitions=1, settings=SETTINGS)
    made.make_topics()
    yield made
    made.stop()


def test_scenarios_through_the_worker_say_what_simulate_says(fleet: Fleet) -> None:
    vectors = sample()
    assert len(vectors) == len(SAMPLE) + 1 == 21
    lines = sorted((line for vector in vectors for line in lines_of(vector)), key=lambda line: line.clock)
    end = lines[-1].clock
    wanted = {vector["id"]: simulated(vector, end) for vector in vectors}
    script = Script(fleet)
    script.begin()
    feed(script, lines)
    found = published(fleet, script, end)
    assert script.ticks_in_log() == script.ticks, "a tick that is not the test's own"
    script.close()
    for name, want in wanted.items():
        got = {place: said for place, said in found.items() if place[1].split("/")[0] == name}
        assert sum(map(len, want.values())) > 0, f"{name} says nothing"
        assert got == want, name
    assert {place[1].split("/")[0] for place in found} == set(wanted)
    assert {place[0] for place in found} >= {
        topic.name for topic in (topics.CHARGES, topics.LEDGER, topics.REJECTED)
    }
