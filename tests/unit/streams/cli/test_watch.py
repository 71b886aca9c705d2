"""`azotte watch`: the newest of each name holds, another account's is nobody's business, and it fits the eye."""

from __future__ import annotations

import io
import json
from typing import Any

from rich.console import Console

from schemas import topics
from streams.cli.watch_state import Watched
from streams.cli.watch_view import view
from tests import sink_records as some

ACCOUNT, CHAT = b"acme/cust-1", b"acme/cust-1/chat"


def take(
    watched: Watched, topic: topics.Topic, record: dict[str, Any] | None, key: bytes = ACCOUNT
) -> dict[str, Any] | None:
    return watched.take(topic.name, key, None if record is None else json.dumps(record).encode())


def example() -> Watched:
    watched = Watched("acme", "cust-1")
    take(watched, topics.ENTITLEMENTS, some.entitlement(), CHAT)
    take(watched, topics.ENTITLEMENTS, some.entitlement(access=False, reason="hard_limit"), CHAT)
    take(watched, topics.ENTITLEMENTS, some.entitlement(subject="u-1"), CHAT + b"/u-1")
    for number, state, threshold in (
        (1, "breached", "50"),
        (2, "breached", {"at": "450"}),
        (3, "recovered", "50"),
    ):
        take(watched, topics.THRESHOLDS, some.threshold(number, state=state, threshold=threshold))
    take(watched, topics.LEDGER, some.ledger_entry(1, grant="spent", balance="0"))
    take(watched, topics.LEDGER, some.ledger_entry(2, balance="10"))
    take(watched, topics.LEDGER, some.ledger_entry(3, balance="9.5"))
    return watched


def test_the_newest_of_each_name_holds() -> None:
    watched = example()
    assert {name: each["access"] for name, each in watched.features.items()} == {
        "chat": False,
        "chat/u-1": True,
    }
    assert [each["state"] for each in watched.thresholds.values()] == ["recovered", "breached"]
    assert {name: each["balance"] for name, each in watched.grants.items()} == {
        "spent": "0",
        "welcome": "9.5",
    }
    assert [each["key"] for each in watched.state()] == [
        "acme/cust-1/chat",
        "acme/cust-1/chat/u-1",
        *["acme/cust-1"] * 4,
    ]
    told = take(watched, topics.ENTITLEMENTS, None, CHAT + b"/u-1")
    assert told == {"topic": "billing.entitlements.v1", "key": "acme/cust-1/chat/u-1", "value": None}
    assert list(watched.features) == ["chat"]


def test_what_is_another_accounts_or_no_record_is_left() -> None:
    watched = Watched("acme", "cust-1")
    for key in (b"acme/cust-10", b"acme/cust-10/chat", b"other/cust-1", b""):
        assert take(watched, topics.ENTITLEMENTS, some.entitlement(), key) is None
    assert watched.take(topics.LEDGER.name, ACCOUNT, b"{") is None
    assert watched.take(topics.LEDGER.name, ACCOUNT, b"[]") is None
    assert watched.take(topics.LEDGER.name, ACCOUNT, None) is None
    assert watched.state() == []


def test_it_is_seen_what_is_denied_breached_and_left() -> None:
    screen = Console(width=140, record=True, file=io.StringIO())
    screen.print(view("acme/cust-1", example()))
    lines = screen.export_text().splitlines()
    shown = {line.split()[0]: line.split() for line in lines if line.strip()}
    assert shown["chat"][:3] == ["chat", "no", "hard_limit"]
    assert shown["chat/u-1"][1] == "yes"
    assert shown["spend-cap"][1:4] == ["450", "401.5", "500"]
    assert shown["welcome"][:3] == ["welcome", "9.5", "USD"]
    assert "spent" not in shown
    empty = Console(width=140, record=True, file=io.StringIO())
    empty.print(view("acme/nobody", Watched("acme", "nobody")))
    assert empty.export_text().count("–") == 3


def test_a_limit_is_one_row_with_what_it_comes_to_now() -> None:
    watched = Watched("acme", "cust-1")
    mine = [{"limit": "cap", "value": "90", "amount": "100", "resets_at": None}]
    own = [*mine, {"limit": "burst", "value": "7", "amount": "7", "resets_at": None}]
    take(watched, topics.ENTITLEMENTS, some.entitlement(limits=mine), CHAT)
    take(watched, topics.ENTITLEMENTS, some.entitlement(subject="u-1", limits=own), CHAT + b"/u-1")
    assert limits_shown(watched) == [["burst", "of", "u-1", "7", "7"], ["cap", "90", "100"]]
    crossed = {"limit": "cap", "amount": "100", "scope": "subscription", "action": "block"}
    for number, (threshold, value) in enumerate((("50", "60"), ("80", "85"))):
        take(watched, topics.THRESHOLDS, some.threshold(number, threshold=threshold, value=value, **crossed))
    each = {"limit": "burst", "amount": "7", "scope": {"subject": "u-2"}, "action": "block", "value": "8"}
    take(watched, topics.THRESHOLDS, some.threshold(3, threshold="100", **each))
    assert limits_shown(watched) == [
        ["burst", "of", "u-2", "100%", "8", "7", "block", "2026-11-22", "10:00:00.123456"],
        ["cap", "subscription", "80%", "90", "100", "block", "2026-11-22", "10:00:00.123456"],
        ["burst", "of", "u-1", "7", "7"],
    ]


def limits_shown(watched: Watched) -> list[list[str]]:
    """The rows of limits, as 80 columns show them."""
    screen = Console(width=80, record=True, file=io.StringIO())
    screen.print(view("acme/cust-1", watched))
    lines = [line.split() for line in screen.export_text().splitlines()]
    return lines[lines.index(["limits"]) + 2 : lines.index(["credits"]) - 1]
