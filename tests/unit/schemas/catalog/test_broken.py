"""Every slip that we could think of is told once, at its line, with its field, its value and the remedy."""

from __future__ import annotations

import pytest

from schemas.catalog import load_catalog
from tests.unit.schemas.catalog import broken_meters_and_plans, broken_prices_and_rest, broken_tenant_limits
from tests.unit.schemas.catalog.broken import GOOD, Broken

TABLE = (*broken_meters_and_plans.BROKEN, *broken_prices_and_rest.BROKEN, *broken_tenant_limits.BROKEN)


def test_the_table_is_long_enough() -> None:
    assert len(TABLE) >= 70


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.told[:60])
def test_a_slip_is_told_where_it_is_with_its_remedy(row: Broken) -> None:
    assert GOOD.count(row.old) == 1, "the edit must hit one place"
    loaded = load_catalog(GOOD.replace(row.old, row.new), "c.yaml")
    assert not loaded.ok
    assert loaded.doc is None
    assert str(loaded.problems[0]) == row.told
    assert len(loaded.problems) == row.problems, [str(problem) for problem in loaded.problems]


def test_all_slips_are_told_at_once() -> None:
    text = GOOD.replace("aggregation: count", "aggregation: cuont").replace("kind: static", "kind: statik")
    text = text.replace("unit_cost: 0.000006", "unit_cost: a lot").replace(
        "period: month\n    grace", "grace"
    )
    told = [(problem.field, problem.line) for problem in load_catalog(text, "c.yaml").problems]
    lines = text.splitlines()

    def line(start: str) -> int:
        return next(number for number, each in enumerate(lines, 1) if start in each)

    assert told == [
        ("meters[1].aggregation", line("cuont")),
        ("features[2].kind", line("statik")),
        ("plans[0].period", line("- key: pro")),
        ("costs[0].unit_cost", line("a lot")),
    ]


def test_a_problem_has_its_parts_for_programs() -> None:
    (problem,) = load_catalog(GOOD.replace("value: $.input_tokens", "value: tokens"), "c.yaml").problems
    assert problem.to_json() == {
        "file": "c.yaml",
        "line": 6,
        "field": "meters[0].value",
        "value": '"tokens"',
        "problem": "is not a path",
        "remedy": "write one like $.model, $.usage.tokens or $subject.team",
    }
