"""The same inputs through the running worker over Kafka and through `simulate`, to be compared record for record."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from rating.times import format_time, parse_time
from schemas import topics
from schemas.catalog import check_catalog
from streams.rate.basis import BASIS, COUNTS
from streams.simulate import Simulation
from tests.integration import ledger
from tests.integration.fleet import Fleet
from tests.integration.script import TENANT, Script

Json = dict[str, Any]
Told = dict[tuple[str, str], list[Any]]
"""What was said on a topic under a key, in order."""
COMPARED = (
    topics.CHARGES, topics.THRESHOLDS, topics.ENTITLEMENTS, topics.LEDGER, topics.SIGNALS, topics.REJECTED,
)  # fmt: skip
BESIDE = (BASIS, COUNTS)
"""Headers of entitlements that the worker adds for gateways: where packs stand, and what gateways price by."""
OUT_S = 120
MARK = "mark"


class Line(NamedTuple):
    """An input of a scenario with the clock at which it is taken; `kind` is `event`, `command`, `catalog` or `until`."""

    clock: int
    tenant: str
    kind: str
    value: Json


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


def simulated(vector: Json, end: int, kind: type[Simulation] = Simulation) -> Told:
    """What `simulate` says of the scenario by `end`."""
    checked = check_catalog(vector["catalog"])
    assert checked.doc is not None
    simulation = kind(checked.doc)
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
        kept = {
            name: text
            for name, text in headers.items()
            if name not in BESIDE and not name.startswith("origin_")
        }
        found[topic, key or said["tenant"]].append((said, kept))
    return dict(found)


def feed(script: Script, lines: Sequence[Line], released: Mapping[str, int] | None = None) -> None:
    """Every catalog, which moves nothing, then every line at its time, one after the other.

    `released` counts the events that wait for a command, by its id: they come to the log once more.
    """
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
            script.command(line.value, line.clock, 1 + registered + (released or {}).get(line.value["id"], 0))
            if line.value["type"] in ("register_subject", "remove_subject"):
                script.catch_up()


def merged(vectors: Iterable[Json]) -> list[Line]:
    """The inputs of all, by time."""
    return sorted((line for vector in vectors for line in lines_of(vector)), key=lambda line: line.clock)


def of_tenant(found: Told, tenant: str) -> Told:
    """What was said of one tenant."""
    return {place: said for place, said in found.items() if place[1].split("/")[0] == tenant}


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


def check(fleet: Fleet, script: Script, end: int, wanted: Mapping[str, Told]) -> Told:
    """What the worker has said by `end`; of every tenant it must be what is wanted, and of nobody else anything."""
    found = published(fleet, script, end)
    assert script.ticks_in_log() == script.ticks, "a tick that is not the test's own"
    script.close()
    for name, want in wanted.items():
        assert of_tenant(found, name) == want, name
    assert {place[1].split("/")[0] for place in found} == set(wanted)
    return found


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
