"""Random histories of limits and access through `simulate`, against the auditor that knows the contract alone."""

from __future__ import annotations

import json

import pytest

from rating.times import parse_time
from schemas.catalog import check_catalog
from streams import simulate
from tests.auditor.lifecycle.words import moment, shown
from tests.auditor.lifecycle_cases import History
from tests.auditor.limits.replay import Replay
from tests.auditor.limits.world import Shown, Step
from tests.auditor.limits_cases import limits_history
from tests.auditor.shrink import shrunk
from tests.property.test_auditor_holds_vectors import VECTORS

HISTORIES = 2_000
TESTS = 8


def lived(case: History) -> list[Step]:
    """The history through `simulate`, input by input."""
    checked = check_catalog(case.catalog)
    assert checked.doc is not None, checked.problems
    simulation = simulate.Simulation(checked.doc)
    steps, clock = list[Step](), 0
    for line in case.inputs:
        ((kind, doc),) = line.items()
        clock = max(clock, moment(doc["time"]))
        ticked = [_shown(each) for each in simulation.advance(parse_time(shown(clock)))]
        own = simulation.take(json.dumps(doc).encode(), kind == "command")
        steps.append(Step(line, clock, ticked, [_shown(each) for each in own]))
    ticked = [_shown(each) for each in simulation.advance(parse_time(shown(case.until)))]
    assert not simulation.parked, dict(simulation.parked)
    return [*steps, Step(None, max(clock, case.until), ticked, [])]


def _shown(each: simulate.Shown) -> Shown:
    return Shown(each.topic, each.key, None if each.value is None else json.loads(each.value))


def problems(case: History, account: str = "ann") -> list[str]:
    """Where the engine and the auditor differ."""
    return Replay(case.catalog, account).play(lived(case))


@pytest.mark.parametrize("part", range(TESTS))
def test_every_history_has_the_crossings_and_the_access_that_the_auditor_reckons(part: int) -> None:
    seeds = range(part, HISTORIES, TESTS)
    for seed in seeds:
        case = limits_history(seed)
        if problems(case):
            least = shrunk(case, lambda each: bool(problems(each)))
            told = "\n".join(json.dumps(line) for line in least.inputs)
            pytest.fail(f"seed {seed}\n{json.dumps(least.catalog)}\n{told}\nuntil {shown(least.until)}\n"
                        + "\n".join(problems(least)))  # fmt: skip
    assert len(seeds) == HISTORIES // TESTS


def test_the_histories_ask_something() -> None:
    actions: set[str] = set()
    reasons: set[str] = set()
    crossed = recovered = waived = 0
    for seed in range(300):
        case = limits_history(seed)
        for each in (
            record for step in lived(case) for record in step.ticked + step.own if record.value is not None
        ):
            if each.topic == "billing.thresholds.v1":
                crossed += each.value["state"] == "breached"
                recovered += each.value["state"] == "recovered"
                actions.add(each.value["action"])
            elif each.topic == "billing.entitlements.v1":
                reasons.add(each.value["reason"])
            elif each.topic == "billing.charges.v1":
                waived += each.value["kind"] == "adjustment" and each.value["charge"] == "cap"
    assert actions == {"notify", "block", "suspend", "throttle", "downgrade", "end_trial", "top_up"}
    assert reasons == {
        "ok",
        "exhausted",
        "suspended",
        "hard_limit",
        "not_in_plan",
        "canceled",
        "paused",
        "throttled",
    }
    assert (crossed > 500, recovered > 400, waived > 50) == (True, True, True)


EXAMPLES = ("25", "29", "32", "46", "47", "50", "52", "53", "68")


def test_the_worked_examples_are_as_the_auditor_reckons() -> None:
    found = [each for each in VECTORS if each["source"].partition(":")[2] in EXAMPLES]
    assert len(found) > 12
    for each in found:
        account = each["input"][0]["command"]["account"]
        case = History(0, each["catalog"], each["input"], moment(each["until"]))
        assert problems(case, account) == [], each["id"]
