"""The sink is killed and its ClickHouse taken away: nothing is lost and nothing shows twice."""

from __future__ import annotations

import pathlib
import random
import signal
import uuid
from collections.abc import Iterator

import pytest

from schemas import topics
from streams.stack import clickhouse as local
from tests import servers
from tests import sink_records as some
from tests.integration import ledger
from tests.integration.fleet import Fleet
from tests.integration.warehouse import Put, Warehouse

POINTS = ("after_poll", "after_apply", "after_insert", "after_commit")
SEED = 7


@pytest.fixture
def fleet(kafka: str, clickhouse: str, tmp_path: pathlib.Path) -> Iterator[Fleet]:
    made = Fleet(kafka, f"faults-{uuid.uuid4().hex[:8]}.", tmp_path, clickhouse=clickhouse)
    made.settings |= {
        "AZOTTE_SINK_LINGER": "50ms",
        "AZOTTE_SINK_BATCH_ROWS": "50",
        "AZOTTE_SINK_RETRY_MAX": "500ms",
    }
    made.make_topics()
    yield made
    made.stop()


def records(first: int, count: int) -> list[Put]:
    """Lines, packs and what does not count of them."""
    made = []
    for each in range(first, first + count):
        made.append(Put(topics.CHARGES, some.charge(each), each % 4))
        made.append(Put(topics.LOG, some.pack([f"{each}-a", f"{each}-b"]), each % 4))
    return made


def complete(warehouse: Warehouse, count: int) -> None:
    """Wait for so many of `records`, each once."""
    warehouse.until(
        "SELECT count(), uniqExact(id), sum(revision) FROM charges",
        [(count, count, count * (count + 1) // 2)],
    )
    warehouse.until("SELECT count(), uniqExact(id) FROM usage_events", [(2 * count, 2 * count)])


def test_a_kill_at_every_point_repeats_and_loses_nothing(fleet: Fleet, tmp_path: pathlib.Path) -> None:
    warehouse = Warehouse(fleet)
    hits = tmp_path / "hits"
    warehouse.put(records(0, 100))
    for number, point in enumerate(POINTS, 1):
        # The second time a point is passed, something has been inserted by this very process.
        fault = {"AZOTTE_FAULT": f"{point}:2", "AZOTTE_FAULT_LOG": str(hits)}
        process = fleet.start("sink", "sink", extra=fault)
        assert process.wait(60) == -signal.SIGKILL, fleet.logs()
        assert hits.read_text().splitlines() == [f"sink.{each}" for each in POINTS[:number]]
        warehouse.put(records(100 * number, 100))
    fleet.start("sink", "sink")
    complete(warehouse, 500)


def test_rows_without_their_offset_come_again_and_show_once(fleet: Fleet, tmp_path: pathlib.Path) -> None:
    warehouse = Warehouse(fleet)
    warehouse.put(Put(topics.CHARGES, some.charge(each)) for each in range(40))
    fault = {"AZOTTE_FAULT": "after_insert", "AZOTTE_FAULT_LOG": str(tmp_path / "hits")}
    assert fleet.start("sink", "sink", extra=fault).wait(60) == -signal.SIGKILL, fleet.logs()
    inserted = warehouse.ask("SELECT count() FROM charges")
    assert inserted > [(0,)]
    assert warehouse.committed(topics.CHARGES) == 0
    fleet.settings["AZOTTE_SINK_BATCH_ROWS"] = "1000"
    warehouse.put(Put(topics.CHARGES, some.charge(each)) for each in range(40, 250))
    fleet.start("sink", "sink")
    warehouse.until("SELECT count(), uniqExact(id) FROM charges", [(250, 250)])


def test_two_sinks_share_the_work_and_one_of_them_is_killed(fleet: Fleet) -> None:
    warehouse = Warehouse(fleet)
    draw = random.Random(SEED)
    for name in ("one", "two"):
        fleet.start(name, "sink")
    for number in range(6):
        warehouse.put(records(50 * number, 50))
        warehouse.until(f"SELECT count() > {50 * number} FROM charges", [(1,)])
        victim = draw.choice(("one", "two"))
        fleet.kill(victim)
        fleet.start(victim, "sink")
    complete(warehouse, 300)


def test_while_clickhouse_is_away_the_topics_wait(kafka: str, tmp_path: pathlib.Path) -> None:
    config = servers.local_config(tmp_path / "away")
    url = f"{config.clickhouse_address}/away"
    fleet = Fleet(kafka, f"away-{uuid.uuid4().hex[:8]}.", tmp_path, clickhouse=url)
    fleet.settings |= {"AZOTTE_SINK_LINGER": "50ms", "AZOTTE_SINK_RETRY_MAX": "300ms"}
    fleet.make_topics()
    warehouse = Warehouse(fleet)
    try:
        sink = fleet.start("sink", "sink")
        tried(fleet, 1)
        local.start(config, lambda words: None)
        warehouse.put(records(0, 50))
        complete(warehouse, 50)
        local.daemon(config).stop()
        before = fleet.log("sink").count("trying again")
        warehouse.put(records(50, 50))
        tried(fleet, before + 3)
        warehouse.put(records(100, 50))
        local.start(config, lambda words: None)
        complete(warehouse, 150)
        assert sink.poll() is None, "the sink is the same process still"
    finally:
        fleet.stop()
        local.daemon(config).stop()


def tried(fleet: Fleet, times: int) -> None:
    """Wait until the sink has said so often that it tries again."""
    ledger.until(lambda: fleet.log("sink").count("trying again") >= times, 60, f"try {times}", fleet.logs)


def test_a_sink_that_waits_for_clickhouse_stops_when_it_is_told_to(
    kafka: str, tmp_path: pathlib.Path
) -> None:
    config = servers.local_config(tmp_path / "never")
    fleet = Fleet(
        kafka, f"never-{uuid.uuid4().hex[:8]}.", tmp_path, clickhouse=f"{config.clickhouse_address}/never"
    )
    fleet.make_topics()
    sink = fleet.start("sink", "sink")
    tried(fleet, 1)
    sink.send_signal(signal.SIGTERM)
    assert sink.wait(20) == 0
    fleet.stop()
