"""What is published never changes, what is left out retires, and a difference is told field by field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rating.catalog import compile_catalog, publish
from rating.times import parse_time
from schemas.catalog import Change, LoadedCatalog, check_publish, diff, load_catalog
from tests.unit.schemas.catalog.broken import GOOD


def sound(text: str = GOOD) -> LoadedCatalog:
    loaded = load_catalog(text, "c.yaml")
    assert loaded.ok, [str(problem) for problem in loaded.problems]
    return loaded


def doc(text: str = GOOD) -> Mapping[str, Any]:
    found = sound(text).doc
    assert found is not None
    return found


WITHOUT_FREE = GOOD.replace("    trial: {plan: free, duration: 14d}\n", "")
WITHOUT_FREE = (
    WITHOUT_FREE[: WITHOUT_FREE.index("  - key: free")] + WITHOUT_FREE[WITHOUT_FREE.index("storefronts:") :]
)


def test_the_same_content_is_published_again() -> None:
    assert check_publish(doc(), sound(GOOD.replace("31.00", '"31"'))) == []


def test_nothing_published_refuses_nothing() -> None:
    assert check_publish(None, sound()) == []


def test_other_content_under_a_published_plan_version_is_refused_at_its_line() -> None:
    (problem,) = check_publish(doc(), sound(GOOD.replace("31.00", "32.00")))
    line = GOOD.splitlines().index("  - key: pro") + 1
    assert str(problem) == (
        f"c.yaml:{line}: plans[0]: pro version 1 is published with other content, which never changes; "
        "give the plan another version"
    )


def test_other_content_under_a_published_meter_is_refused() -> None:
    (problem,) = check_publish(doc(), sound(GOOD.replace("unit: token", "unit: kilotoken")))
    assert (problem.field, problem.value, problem.remedy) == (
        "meters[0]",
        "input-tokens",
        "give the meter another key",
    )


def test_a_feature_may_change() -> None:
    assert check_publish(doc(), sound(GOOD.replace("{key: support, kind: static}", "{key: support, kind: static}\n"
                                                   "  - {key: more, kind: boolean}"))) == []  # fmt: skip


def test_what_is_left_out_retires_and_comes_back() -> None:
    first = publish(None, doc())
    assert first == doc()
    other = doc(WITHOUT_FREE.replace("version: 1", "version: 2"))
    second = publish(first, other)
    assert second["retired"] == {"plans": [["pro", 1], ["free", 1]]}
    catalog = compile_catalog(second, 2)
    assert catalog.plans["free", 1].retired
    assert catalog.choose("free", parse_time("2026-06-01T00:00:00Z")) is None
    newest = catalog.choose("pro", parse_time("2026-06-01T00:00:00Z"))
    assert newest is not None
    assert newest.version == 2
    third = publish(second, doc())
    assert third["retired"] == {"plans": [["pro", 2]]}
    assert not compile_catalog(third, 3).plans["free", 1].retired


def test_a_retired_plan_keeps_its_meters_and_features() -> None:
    small = "meters:\n  - {key: m, event_type: m, aggregation: count}\n"
    kept = publish(doc(), doc(small))
    assert kept["retired"]["meters"] == ["input-tokens", "requests", "compute-seconds"]
    assert kept["retired"]["features"] == ["chat", "sso", "support"]
    catalog = compile_catalog(kept, 2)
    assert catalog.meters["input-tokens"].retired
    assert not catalog.meters["m"].retired
    assert publish(kept, doc(small)) == kept


def test_a_difference_is_told_field_by_field() -> None:
    text = GOOD.replace("31.00", "32.00").replace("{key: sso, kind: boolean}", "{key: sso, kind: boolean}\n"
                                                  "  - {key: more, kind: boolean}")  # fmt: skip
    text = text.replace("hold: 1h", "hold: 2h")
    assert diff(doc(), doc(text)) == [
        Change("added", "feature more"),
        Change("changed", "plan pro version 1", "fees[base].amount", "31", "32"),
        Change("changed", "rule nudge", "hold", "1h", "2h"),
    ]


def test_retiring_is_told_once() -> None:
    assert diff(doc(), doc(WITHOUT_FREE.replace("version: 1", "version: 2")))[-2:] != []
    assert [change.what for change in diff(doc(), doc(WITHOUT_FREE.replace("version: 1", "version: 2")))] == [
        "plan pro version 1",
        "plan free version 1",
        "plan pro version 2",
    ]
    second = publish(doc(), doc(WITHOUT_FREE.replace("version: 1", "version: 2")))
    assert diff(second, doc(WITHOUT_FREE.replace("version: 1", "version: 2"))) == []
