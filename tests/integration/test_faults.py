"""Workers and the broker die at the worst moments, zombies wake, disks are lost: the auditor's totals hold."""

from __future__ import annotations

import pathlib
import signal
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import zip_longest

import pytest

from streams.stack import broker
from streams.stage import END_S
from tests import servers
from tests.auditor import trace
from tests.integration import ledger
from tests.integration.fleet import Fleet
from tests.integration.replay import Message
from tests.integration.run import Run

SEED = 11
ROWS = 900
TRANSACTION = ("after_poll", "after_apply", "after_produce", "after_offsets", "after_commit")
POINTS = {"control": TRANSACTION, "normalize": TRANSACTION, "rate": (*TRANSACTION, "before_ids")}
DIE_S = 90
FRAME_S = 12
"""What Faust and the interpreter take to end on a busy machine, on top of the stages."""
SETTLE_S = 150


@pytest.fixture
def fleet(kafka: str, tmp_path: pathlib.Path) -> Iterator[Fleet]:
    made = Fleet(kafka, f"faults-{uuid.uuid4().hex[:8]}.", tmp_path)
    made.make_topics()
    yield made
    made.stop()


def begin(fleet: Fleet, seed: int = SEED) -> Run:
    """A replay of the trace's beginning, its catalog and its accounts commanded."""
    run = Run(fleet, trace.rows(ROWS), seed)
    run.open_accounts()
    return run


def shares(run: Run, count: int) -> list[Sequence[Message]]:
    """The messages in so many parts."""
    size = -(-len(run.feed.messages) // count)
    return [run.feed.messages[first : first + size] for first in range(0, len(run.feed.messages), size)]


def subject(number: int) -> dict[str, object]:
    """A command that changes no total, so that control has something to do."""
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    command: dict[str, object] = {
        "id": f"key-{number}",
        "tenant": "acme",
        "account": "cust-1",
        "type": "register_subject",
        "time": now,
        "subject": f"key-{number}",
    }
    return command


def test_a_kill_at_every_named_point_changes_no_total(fleet: Fleet, tmp_path: pathlib.Path) -> None:
    run = begin(fleet)
    rounds = list(zip_longest(*POINTS.values()))
    hits = tmp_path / "hits"
    killed: list[str] = []
    for points, part in zip(rounds, shares(run, len(rounds)), strict=True):
        run.publish(part)
        fleet.command([subject(len(killed))])
        for stage, point in zip(POINTS, points, strict=True):
            armed = {"AZOTTE_FAULT": f"{stage}.{point}", "AZOTTE_FAULT_LOG": str(hits)} if point else {}
            fleet.start(stage, "worker", extra={"AZOTTE_STAGES": stage, **armed})
        # The unarmed go last: what the armed die over comes from them.
        for stage, point in zip(POINTS, points, strict=True):
            if point:
                assert fleet.running[stage].wait(DIE_S) == -signal.SIGKILL, fleet.logs()
                killed.append(f"{stage}.{point}")
        for stage, point in zip(POINTS, points, strict=True):
            if not point:
                fleet.kill(stage)
        fleet.running.clear()
    assert sorted(hits.read_text().split()) == sorted(killed)
    assert len(killed) == sum(map(len, POINTS.values()))
    fleet.start("last", "worker")
    run.settle(SETTLE_S)


@pytest.mark.parametrize("point", ["after_produce", "after_offsets"])
def test_a_zombie_commits_nothing(fleet: Fleet, point: str, tmp_path: pathlib.Path) -> None:
    run = begin(fleet)
    early, late = shares(run, 2)
    hits = tmp_path / "hits"
    zombie = fleet.start(
        "zombie",
        "worker",
        extra={
            "AZOTTE_FAULT": f"rate.{point}:2",
            "AZOTTE_FAULT_LOG": str(hits),
            "AZOTTE_FAULT_SIGNAL": "SIGSTOP",
        },
    )
    run.publish(early)
    ledger.until(hits.exists, DIE_S, "the zombie's stop in the middle of a transaction", fleet.logs)
    fleet.start("heir", "worker")
    run.publish(late)
    run.settle(SETTLE_S)
    settled = len(run.charges.records)
    zombie.send_signal(signal.SIGCONT)
    told = ("aborted", "lost to another worker", "member", "committed is not known")
    ledger.until(
        lambda: any(word in fleet.log("zombie") for word in told), DIE_S, "the zombie's defeat", fleet.logs
    )
    # The same events once more: had it left anything, or kept a partition, a line would come of it.
    run.publish(run.feed.messages)
    run.settle(SETTLE_S)
    assert len(run.charges.records) == settled, fleet.logs()
    assert zombie.poll() is None, fleet.logs()


def test_a_lost_disk_and_the_whole_raw_topic_again_change_no_total(fleet: Fleet) -> None:
    run = begin(fleet)
    early, late = shares(run, 2)
    fleet.start("one", "worker")
    run.publish(early)
    run.wait_for_a_line()
    fleet.kill("one")
    # Cells come back from the changelog and ids from the log.
    fleet.start("two", "worker", extra={"AZOTTE_HOME": str(fleet.folder / "another-home")})
    run.publish(early)
    run.publish(late)
    run.settle(SETTLE_S)
    assert "brought up from 0" in fleet.log("two"), fleet.logs()
    settled = len(run.charges.records)
    run.publish(run.feed.messages)
    run.settle(SETTLE_S)
    assert len(run.charges.records) == settled, fleet.logs()


def wait_for_its_share(fleet: Fleet, name: str) -> None:
    """Wait until a worker that came has partitions of the log."""
    ledger.until(lambda: "restored" in fleet.log(name), DIE_S, f"{name}'s share", fleet.logs)


def test_workers_come_and_go_and_nothing_is_lost_or_repeated(fleet: Fleet) -> None:
    run = begin(fleet)
    parts = shares(run, 4)
    for number, part in enumerate(parts):
        run.publish(part)
        name = f"worker-{number}"
        fleet.start(name, "worker")
        run.wait_for_a_line()
        wait_for_its_share(fleet, name)
        if number % 2:
            fleet.end(f"worker-{number - 1}")
    run.settle(SETTLE_S)
    for name in list(fleet.running):
        fleet.end(name)


def test_a_broker_that_is_killed_comes_back_and_no_total_changes(
    clickhouse: str, tmp_path: pathlib.Path
) -> None:
    config = servers.local_config(tmp_path / "own")
    broker.start(config, lambda words: None)
    fleet = Fleet(config.bootstrap_servers, "broker.", tmp_path, clickhouse=clickhouse)
    try:
        fleet.make_topics()
        run = begin(fleet)
        early, late = shares(run, 2)
        for name, command in (("one", "worker"), ("two", "worker"), ("sink", "sink")):
            fleet.start(name, command)
        run.publish(early)
        run.wait_for_a_line()
        servers.kill_broker(config)
        broker.start(config, lambda words: None)
        run.publish(late)
        run.settle(SETTLE_S)
        run.settle_in_clickhouse(SETTLE_S)
        assert {process.poll() for process in fleet.running.values()} == {None}, fleet.logs()
        servers.kill_broker(config)
        for name in list(fleet.running):
            fleet.end(name, END_S + FRAME_S)
    finally:
        fleet.stop()
        broker.daemon(config).stop()
