"""A real trace through the whole pipeline, with duplicates, disorder and garbage, equals an independent auditor."""

from __future__ import annotations

import json
import os
import pathlib
import random
import uuid
from collections.abc import Iterator
from itertools import pairwise

import pytest

from tests.auditor import trace, usage
from tests.integration import ledger, replay
from tests.integration.fleet import Fleet
from tests.integration.run import Run

SEED = 20_231_116
KILLS = 20
SETTLE_S = 240
CLICKHOUSE_S = 180


@pytest.fixture
def fleet(kafka: str, clickhouse: str, tmp_path: pathlib.Path) -> Iterator[Fleet]:
    made = Fleet(kafka, f"replay-{uuid.uuid4().hex[:8]}.", tmp_path, clickhouse=clickhouse)
    made.make_topics()
    yield made
    made.stop()


def test_the_real_trace_has_the_totals_that_its_readme_states() -> None:
    folder = os.environ.get("AZOTTE_TEST_DATA")
    sums = usage.quantities(trace.rows())
    assert sums["code.rows"] == 8_819
    assert sums["conv.rows"] == 19_366
    if folder is not None:
        stated = json.loads((pathlib.Path(folder) / "totals.json").read_text())
        fields = ("rows", "context_tokens", "generated_tokens")
        assert {f"{file}.{name}": stated[file][name] for file in stated for name in fields} == dict(sums)


def test_a_shuffled_trace_with_duplicates_and_garbage_is_billed_to_the_last_digit(fleet: Fleet) -> None:
    run = Run(fleet, trace.rows(), SEED)
    run.open_accounts()
    assert_disorder(run)
    for name in ("one", "two"):
        fleet.start(name, "worker")
    fleet.start("sink", "sink")
    ledger.until(
        lambda: all("restored" in fleet.log(name) for name in ("one", "two")),
        SETTLE_S,
        "partitions for both workers",
        fleet.logs,
    )
    run.publish(run.feed.messages)
    run.settle(SETTLE_S)
    run.settle_in_clickhouse(CLICKHOUSE_S)


def assert_disorder(run: Run) -> None:
    """What the replay claims to be: of two clients, in disorder, with duplicates and garbage."""
    good = [message for message in run.feed.messages if not replay.is_malformed(message)]
    rows = len({message.value for message in good})
    late = sum(first.value > second.value for first, second in pairwise(good))
    assert rows == sum(count for name, count in run.quantities.items() if name.endswith(".rows"))
    assert 0.045 < len(good) / rows - 1 < 0.055
    assert 0.008 < run.feed.malformed / rows < 0.012
    assert late > rows / 3, "sorted by event, not by arrival"
    assert {message.client for message in good} == set(range(len(replay.PARTITIONERS)))


def test_twenty_kills_at_random_moments_change_no_total(fleet: Fleet) -> None:
    run = Run(fleet, trace.rows(), SEED + 1)
    draw = random.Random(SEED)
    run.open_accounts()
    names = {"one": "worker", "two": "worker", "sink": "sink"}
    for name, command in names.items():
        fleet.start(name, command)
    share = -(-len(run.feed.messages) // KILLS)
    for kill in range(KILLS):
        run.publish(run.feed.messages[kill * share : (kill + 1) * share])
        # A kill at rest proves nothing: the next one comes while the lines of this share do.
        run.wait_for_a_line()
        victim = draw.choice(sorted(names))
        fleet.kill(victim)
        fleet.start(victim, names[victim])
    run.settle(SETTLE_S)
    run.settle_in_clickhouse(CLICKHOUSE_S)
