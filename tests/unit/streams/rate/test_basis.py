"""What stands beside an entitlement for gateways: what it counts, and what it is priced by."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from rating.catalog import EMPTY
from rating.cells import DictIds
from rating.effects import Effect
from rating.limits.commands import set_limit
from rating.records import Command, Pack, Position, Tick
from rating.state import Subscription, Terms
from rating.step import Step
from streams.rate.basis import with_basis
from streams.rate.store import Store

PACK = Pack(
    "acme", 1, ["a"], ["a"], ["s"], ["t"], [("usage.events.v1", 2), ("usage.events.v1", 7)],
    account=[0, 0, 0], subject=[0] * 3, source=[0] * 3, type=[0] * 3, origin=[0, 1, 0], offset=[5, 90, 6], id=["1", "2", "3"],
    time=[0] * 3, received=[0] * 3, uid=b"", digest=b"", data=[b""] * 3, readings=[],
)  # fmt: skip
VALUE = {"tenant": "acme", "account": "a", "feature": "chat", "plan": "pro", "version": 2}


def told(name: str = "chat", value: Any = VALUE) -> Effect:
    return Effect("billing.entitlements.v1", f"acme/a/{name}", value)


def headers(effect: Effect) -> dict[str, Any]:
    return {name: json.loads(text) for name, text in effect.headers}


def test_a_pack_says_up_to_where_it_counts() -> None:
    other = Effect("billing.charges.v1", "acme/a", {})
    found = with_basis([other, told()], PACK, Store())
    assert found[0] == other
    assert headers(found[1])["counts"] == {"usage.events.v1/2": 6, "usage.events.v1/7": 90}


def test_the_last_record_of_a_key_alone_counts_the_pack() -> None:
    found = with_basis([told(), told("export"), told()], PACK, Store())
    assert ["counts" in headers(each) for each in found] == [False, True, True]


def test_ticks_and_timers_count_nothing() -> None:
    for record in (Tick(5), None):
        assert "counts" not in headers(with_basis([told()], record, Store())[0])


def test_a_tombstone_counts_too() -> None:
    assert list(headers(with_basis([told(value=None)], PACK, Store())[0])) == ["counts"]


def test_the_terms_and_limits_of_the_account_come_along() -> None:
    cells = Store()
    terms = Terms(0, "pro", 2, "shop", None, None, '{"currency": "EUR"}', -1, False)
    sub = Subscription("main", 0, 0, 9, "UTC", "EUR", (terms, replace_plan(terms)), (), (), (), (), 0, (), 0)
    cells.put(("sub", "acme", "a"), "main", sub)
    step = Step(cells, DictIds(), EMPTY, {}, "acme", "a", 0, Position("log", 0, 0))
    limit = {
        "key": "cap",
        "metric": "spend",
        "currency": "USD",
        "amount": "10",
        "window": "month",
        "scope": "account",
    }
    set_limit(
        step, Command("acme", "a", "c1", "set_limit", 0, 0, {"limit": limit}, Position("commands", 0, 0))
    )
    assert headers(with_basis([told()], None, cells)[0])["basis"] == {
        "terms": {"storefront": "shop", "currency": "EUR", "overrides": {"currency": "EUR"}},
        "limits": {"cap": limit},
    }


def replace_plan(terms: Terms) -> Terms:
    return terms._replace(version=3, overrides="", storefront=None)


def test_an_empty_pack_counts_nothing() -> None:
    empty = replace(PACK, origins=[], origin=[], offset=[])
    assert headers(with_basis([told()], empty, Store())[0])["counts"] == {}
