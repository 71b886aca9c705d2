"""Whole accounts' lives through the engine in process: whatever goes wrong, the auditor's totals come out."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from schemas import topics
from schemas.catalog import check_catalog
from streams.simulate import Shown, Simulation
from tests.auditor import usage
from tests.integration import ledger
from tests.simulation.world import AMENDED, END, LEAVERS, RETRACTED, START, World

SEEDS = (20_231_116, 7, 4_242)
EVENTS_MIN = 900


def lived(world: World) -> tuple[list[Shown], int]:
    """Everything that is said of a world, and how many inputs it had."""
    checked = check_catalog(usage.CATALOG)
    assert checked.doc is not None
    simulation = Simulation(checked.doc)
    shown = list(simulation.advance(START))
    count = 0
    for each in world.inputs():
        shown += list(simulation.advance(each.at))
        # A world begins with commands: the first one brings the tenant's catalog.
        if each.is_command:
            shown += list(simulation.take(each.value, True))
        else:
            shown += list(simulation.event(each.value))
        count += 1
    shown += list(simulation.advance(END))
    assert not simulation.parked, dict(simulation.parked)
    return shown, count


@pytest.mark.parametrize("seed", SEEDS)
def test_a_year_turns_over_a_trace_and_every_account_owes_what_the_auditor_says(seed: int) -> None:
    world = World(seed)
    shown, count = lived(world)
    lines = [json.loads(each.value or b"") for each in shown if each.topic == topics.CHARGES.name]
    assert ledger.differences(world.owed(), ledger.billed(lines)) == {}, f"seed {seed}"
    assert ledger.faults(lines) == []
    codes = Counter(dict(each.headers)["error"] for each in shown if each.topic == topics.REJECTED.name)
    assert codes["unrated"] == world.unrated() > 0
    assert codes.total() - codes["unrated"] == world.malformed > 0
    assert set(codes) <= {"malformed", "bad_value", "missing_attribute", "too_old", "unrated"}
    kinds = Counter(line["kind"] for line in lines)
    assert kinds["correction"] > RETRACTED
    assert sum(line["late"] for line in lines if line["kind"] == "usage") > 0
    assert kinds["close"] >= 2 * (len(usage.accounts()) - LEAVERS)
    assert len(world.corrected) == RETRACTED + AMENDED
    assert count >= EVENTS_MIN + len(usage.accounts()) + LEAVERS + RETRACTED + AMENDED
    assert sum(world.copies.values()) > len(world.rows)


def test_a_world_is_the_same_every_time_and_another_under_another_seed() -> None:
    first, again, other = (list(World(seed).inputs()) for seed in (1, 1, 2))
    assert first == again
    assert first != other
