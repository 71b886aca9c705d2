"""Random histories of whole accounts through `simulate`, against the auditor that knows the contract alone."""

from __future__ import annotations

import json

import pytest

from rating.times import parse_time
from schemas.catalog import check_catalog
from streams.simulate import Simulation
from tests.auditor.lifecycle import audit
from tests.auditor.lifecycle.compare import Record, differences
from tests.auditor.lifecycle.credits import misspent
from tests.auditor.lifecycle.words import shown
from tests.auditor.lifecycle_cases import History, history
from tests.auditor.lifecycle_dense import dense_history
from tests.auditor.lifecycle_features import ALL
from tests.auditor.lifecycle_turns import turning_history
from tests.auditor.lifecycle_variants import varied
from tests.auditor.shrink import shrunk

FEATURES = ALL
"""What is drawn from: `ALL` of `lifecycle_features`, once the engine rates it all."""
HISTORIES = 2_000
VARIED = 200
DENSE = 600
TURNING = 1_000
TESTS = 8


def run(case: History) -> list[Record]:
    """What `simulate` prints for a history."""
    checked = check_catalog(case.catalog)
    assert checked.doc is not None, checked.problems
    simulation = Simulation(checked.doc)
    found: list[Record] = []
    for number, line in enumerate(case.inputs):
        ((kind, value),) = line.items()
        for each in simulation.take(json.dumps(value).encode(), kind == "command"):
            found.append(_record(each.topic, each.value, each.headers, number))
    for each in simulation.advance(parse_time(shown(case.until))):
        found.append(_record(each.topic, each.value, each.headers, len(case.inputs)))
    assert not simulation.parked, dict(simulation.parked)
    return found


def _record(topic: str, value: bytes | None, headers: object, cause: int) -> Record:
    assert isinstance(headers, tuple)
    return Record(topic, None if value is None else json.loads(value), dict(headers).get("error"), cause)


def problems(case: History) -> list[str]:
    """Where the engine and the auditor differ."""
    records = run(case)
    found = list(differences(audit(case.catalog, case.inputs, case.until), records))
    return found + misspent(case.catalog, case.inputs, records, case.until)


def agree(case: History) -> None:
    """Fail with the smallest history that still differs, if it does."""
    if problems(case):
        least = shrunk(case, lambda each: bool(problems(each)))
        told = "\n".join(json.dumps(line) for line in least.inputs)
        pytest.fail(f"seed {case.seed}\n{json.dumps(least.catalog)}\n{told}\nuntil {shown(least.until)}\n"
                    + "\n".join(problems(least)))  # fmt: skip


@pytest.mark.parametrize("part", range(TESTS))
def test_every_history_comes_to_what_the_auditor_reckons(part: int) -> None:
    seeds = range(part, HISTORIES, TESTS)
    for seed in seeds:
        agree(history(seed, FEATURES))
    assert len(seeds) == HISTORIES // TESTS


def test_so_do_levels_by_the_period_averages_of_buckets_and_bounds_together() -> None:
    cases = [varied(history(seed, FEATURES)) for seed in range(HISTORIES, HISTORIES + VARIED)]
    for case in cases:
        agree(case)
    text = json.dumps([case.catalog for case in cases])
    drawn = ('"per": "period"', '"rollup": "avg"', '"multiply"', '"quantity": "50.25"', '"maximum": "60"')
    assert min(text.count(word) for word in drawn) > 10


@pytest.mark.parametrize("part", range(2))
def test_so_do_histories_in_which_all_meets(part: int) -> None:
    seeds = range(part, DENSE, 2)
    for seed in seeds:
        agree(dense_history(seed))
    assert len(seeds) == DENSE // 2


@pytest.mark.parametrize("part", range(2))
def test_so_do_histories_that_turn_on_and_off(part: int) -> None:
    seeds = range(part, TURNING, 2)
    for seed in seeds:
        agree(turning_history(seed))
    assert len(seeds) == TURNING // 2


def test_the_histories_ask_something() -> None:
    answers = [
        audit(case.catalog, case.inputs, case.until) for case in (history(n, FEATURES) for n in range(200))
    ]
    dues = [due for answer in answers for due in answer.charges.values()]
    assert sum(due.closed and due.amount != 0 for due in dues) > 1_000
    assert sum(due.shortage != 0 for due in dues) > 100
    assert sum(len(answer.fees) for answer in answers) > 1_000
    codes = {code for answer in answers for _, code in answer.refused}
    assert codes == {"bad_command", "bad_value", "id_conflict", "too_old", "unrated"}
