"""Long random histories through the running worker over Kafka say, record for record, what `simulate` says.

The histories are those that the auditor is held against: plan changes, changes dated back over rated usage, pauses,
corrections, late usage, outcomes, levels, credits. Each is a tenant of its own, all go through one worker, which is
killed on the way and takes its state from the changelog.
"""

from __future__ import annotations

import json
import pathlib
import re
import uuid
from collections.abc import Iterator

import pytest

from rating.records import Record
from rating.state import CELLS
from schemas import topics
from schemas.cells import decode_key
from streams.simulate import Simulation
from tests.auditor.lifecycle.words import shown
from tests.auditor.lifecycle_cases import history
from tests.auditor.lifecycle_features import ALL
from tests.integration import ledger
from tests.integration.alike import Json, check, feed, merged, simulated
from tests.integration.fleet import Fleet
from tests.integration.script import SETTINGS, Script

DATED_BACK = (62, 162, 190, 252, 41, 185)
"""Histories that come out differently where the log is not read again."""
SEEDS = (*DATED_BACK, 58, 77, 376, 452, 541, 680)
"""Together: every command that is drawn, every kind of line, outcomes, levels, buckets, credit units, trials, versions."""
YEARS_BACK = 8
"""A leap year stays one. The log's own timestamps are the present, and a history must lie before them."""
WATCHES = {"bound", "gauge", "rule", "tallied"}
"""Cells of limits and rules, which these histories have none of: the scenarios have."""
READ_AGAIN = "read again"
"""What the worker's log says where it reads the log again."""
TIME = re.compile(r'"(\d{4})(-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{3})?\d*Z"')


class Counting(Simulation):
    """Counts how often the log is asked for."""

    asked = 0

    def _since(self, moment: int) -> Iterator[Record]:
        Counting.asked += 1
        return super()._since(moment)


class Forgetful(Simulation):
    """Has no log to read again."""

    def _since(self, moment: int) -> Iterator[Record]:
        return iter(())


def vector_of(seed: int) -> Json:
    """A history as a scenario: its tenant is its own, its times whole milliseconds, as Kafka's are."""
    drawn = history(seed, ALL)
    doc = {"catalog": drawn.catalog, "input": drawn.inputs, "until": shown(drawn.until // 1_000 * 1_000)}
    text = json.dumps(doc).replace('"tenant": "acme"', f'"tenant": "h{seed}"')
    moved: Json = json.loads(TIME.sub(_earlier, text))
    return moved | {"id": f"h{seed}"}


def _earlier(found: re.Match[str]) -> str:
    year, rest, part = found.groups()
    return f'"{int(year) - YEARS_BACK}{rest}{part or ""}Z"'


def cells_held(fleet: Fleet) -> set[str]:
    """The kinds of cells that the changelog holds now."""
    reader = ledger.Reader(fleet.servers, fleet.topic(topics.STATE))
    reader.read_to(fleet.ends(topics.STATE))
    reader.close()
    last = {key: value for key, value, _ in reader.records}
    return {decode_key(key or b"")[0][0] for key, value in last.items() if value is not None}


@pytest.fixture
def fleet(kafka: str, tmp_path: pathlib.Path) -> Iterator[Fleet]:
    made = Fleet(kafka, f"histories-{uuid.uuid4().hex[:8]}.", tmp_path, partitions=1, settings=SETTINGS)
    made.make_topics()
    yield made
    made.stop()


def test_histories_through_a_worker_that_dies_say_what_simulate_says(fleet: Fleet) -> None:
    vectors = {vector["id"]: vector for vector in map(vector_of, SEEDS)}
    lines = merged(vectors.values())
    end, half = lines[-1].clock, len(lines) // 2
    Counting.asked = 0
    wanted = {name: simulated(vector, end, Counting) for name, vector in vectors.items()}
    asked = Counting.asked
    for seed in DATED_BACK:
        assert simulated(vectors[f"h{seed}"], end, Forgetful) != wanted[f"h{seed}"], f"{seed} asks nothing"
    script = Script(fleet)
    script.begin()
    feed(script, lines[:half])
    fleet.kill("worker")
    held = cells_held(fleet)
    fleet.start("worker", "worker")
    feed(script, lines[half:])
    check(fleet, script, end, wanted)
    assert held >= set(CELLS) - WATCHES, f"not restored: {set(CELLS) - held}"
    assert fleet.log("worker").count(READ_AGAIN) >= asked >= len(DATED_BACK)
