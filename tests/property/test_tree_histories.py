"""Whole histories, their usage spread over a tree: everything comes to what it came to in the one account.

Each account of a drawn history gets accounts below it, and its events move there by their ticket, with what corrects them.
The subscriptions, credits and changes stay above. So whatever a history can do to one account (changes that are dated back,
late usage, outcomes, pauses, trials), it does to the pooled usage of a tree.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from tests.auditor.lifecycle.compare import Record
from tests.auditor.lifecycle_cases import History, history
from tests.auditor.lifecycle_features import ALL
from tests.property.test_lifecycle_against_auditor import run

Doc = dict[str, Any]
HISTORIES = 320
TESTS = 4
BELOW = {"t0": "", "t1": "/a", "t2": "/a/b", "t3": "/c"}
"""The path from the account to the one that uses, by ticket."""


def spread(case: History) -> History:
    """The history with each event, and each correction, at an account of a tree."""
    first = min(line["time"] for each in case.inputs for line in each.values())
    accounts = {line["account"] for each in case.inputs for kind, line in each.items() if kind == "command"}
    accounts |= {each["event"]["subject"] for each in case.inputs if "event" in each}
    links = [
        {"command": {"id": _name(f"link-{account}{path}"), "tenant": "acme", "account": _name(account + path), "type": "set_account",
                     "time": first, "parent": _name((account + path).rpartition("/")[0])}}
        for account in sorted(accounts) for path in sorted(filter(None, BELOW.values()))
    ]  # fmt: skip
    return replace(
        case,
        inputs=[*links, *({kind: _moved(kind, doc) for kind, doc in each.items()} for each in case.inputs)],
    )


def _name(path: str) -> str:
    return path.replace("/", ".")


def _moved(kind: str, doc: Doc) -> Doc:
    if kind == "event":
        return {**doc, "account": _user(doc)}
    if "was" not in doc:
        return doc
    events: Doc = {name: {**doc[name], "account": _user(doc[name])} for name in ("was", "now") if name in doc}
    return {**doc, **events, "account": _user(doc["was"])}


def _user(event: Doc) -> str:
    return _name(str(event["subject"]) + BELOW[event["data"]["ticket"]])


def totals(records: Iterable[Record]) -> dict[tuple[object, ...], tuple[Fraction, Fraction]]:
    """Quantity and amount of each group."""
    found: dict[tuple[object, ...], list[Fraction]] = defaultdict(lambda: [Fraction(0), Fraction(0)])
    for line in _values(records, "billing.charges.v1"):
        place = tuple(line[name] for name in ("account", "subscription", "charge", "period_start"))
        sums = found[*place, str(line["dimensions"])]
        sums[0] += Fraction(line["quantity"])
        sums[1] += Fraction(line["amount"])
    return {place: (sums[0], sums[1]) for place, sums in found.items() if any(sums)}


def closed(records: Iterable[Record]) -> dict[tuple[object, ...], str]:
    """What each period of a charge came to at its last close."""
    return {
        tuple(line[name] for name in ("account", "subscription", "charge", "period_start")): line[
            "amount_total"
        ]
        for line in _values(records, "billing.charges.v1")
        if line["kind"] == "close"
    }


def refused(records: Iterable[Record]) -> list[tuple[str, str]]:
    """What was rejected, and why. Whether usage without a price that a cancellation is dated back over is told as `unrated`
    is open: it depends on what else is read again."""
    found = [(each.value["id"], str(each.error)) for each in records if each.error and each.value is not None]
    return sorted(each for each in found if each[1] != "unrated")


def _values(records: Iterable[Record], topic: str) -> list[Doc]:
    return [each.value for each in records if each.topic == topic and each.value is not None]


@pytest.mark.parametrize("part", range(TESTS))
def test_a_history_spread_over_a_tree_comes_to_the_same(part: int) -> None:
    used = 0
    for seed in range(part, HISTORIES, TESTS):
        case = history(seed, ALL)
        whole, tree = run(case), run(spread(case))
        assert totals(tree) == totals(whole), seed
        assert closed(tree) == closed(whole), seed
        assert refused(tree) == refused(whole), seed
        used += any(line["sub_account"] for line in _values(tree, "billing.charges.v1"))
    assert used > HISTORIES // TESTS // 2
