"""`azotte limit`: what was typed is a limit as the contract has it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from schemas.commands import ParsedCommand, parse_command
from streams.cli import main, send

TIME = "2026-11-22T10:00:00.000000Z"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The commands that would be published."""
    found: list[dict[str, Any]] = []
    monkeypatch.setattr(send, "publish", lambda settings, command: found.append(command))
    return found


def azotte(*arguments: str) -> None:
    with pytest.raises(SystemExit) as end:
        main([*arguments, "--id", "c1", "--time", TIME, "--tenant", "acme"])
    assert end.value.code == 0


SET = ("limit", "set", "cust-1", "cap")


@pytest.mark.parametrize(
    ("options", "limit"),
    [
        (("--metric", "spend", "--amount", "500", "--currency", "USD"), {"metric": "spend", "amount": "500", "currency": "USD"}),
        (
            ("--metric", "spend", "--amount", "500", "--currency", "USD", "--hard", "--action", "suspend", "--overshoot",
             "waive", "--threshold", "50", "--threshold", "at:450", "--threshold", "every:100"),
            {"metric": "spend", "amount": "500", "currency": "USD", "hard": True, "action": "suspend", "overshoot": "waive",
             "thresholds": ["50", {"at": "450"}, {"every": "100"}]},
        ),
        (
            ("--metric", "usage", "--amount", "40", "--meter", "messages", "--window", "5h", "--scope", "subject", "--hard",
             "--block", "chat", "--block", "search", "--filter", "region=eu", "--filter", "region=us", "--filter", "tier=a"),
            {"metric": "usage", "amount": "40", "meter": "messages", "window": {"length": "5h", "start": "first_use"},
             "scope": "subject", "hard": True, "features": ["chat", "search"],
             "filter": {"region": ["eu", "us"], "tier": ["a"]}},
        ),
        (
            ("--metric", "usage", "--amount", "1.5", "--feature", "chat", "--window", "7d:sliding", "--scope", "subject:u-1",
             "--action", "throttle", "--throttle", "10/1m"),
            {"metric": "usage", "amount": "1.5", "feature": "chat", "window": {"length": "7d", "start": "sliding"},
             "scope": {"subject": "u-1"}, "action": "throttle", "throttle": {"rate": "10", "per": "1m"}},
        ),
        (
            ("--metric", "balance", "--amount", "100", "--unit", "credits", "--action", "top_up", "--top-up", "1000",
             "--cool-down", "2h"),
            {"metric": "balance", "amount": "100", "unit": "credits", "action": "top_up", "top_up": "1000", "cool_down": "2h"},
        ),
        (
            ("--metric", "spend", "--amount", "9", "--window", "month", "--scope", "account", "--action", "downgrade",
             "--plan", "free", "--no-restore"),
            {"metric": "spend", "amount": "9", "window": "month", "scope": "account", "action": "downgrade", "plan": "free",
             "restore": False},
        ),
    ],
)  # fmt: skip
def test_a_limit_is_set_as_it_was_typed(
    sent: list[dict[str, Any]], options: tuple[str, ...], limit: dict[str, Any]
) -> None:
    azotte(*SET, *options)
    assert sent == [
        {"id": "c1", "tenant": "acme", "account": "cust-1", "type": "set_limit", "time": TIME, "limit": {"key": "cap", **limit}}
    ]  # fmt: skip
    parsed = parse_command(json.dumps(sent[0]).encode())
    assert isinstance(parsed, ParsedCommand), parsed


@pytest.mark.parametrize(
    ("options", "named"),
    [((), "cap"), (("--scope", "subject:u-1"), {"key": "cap", "scope": {"subject": "u-1"}})],
)
def test_a_limit_is_removed_by_its_key(
    sent: list[dict[str, Any]], options: tuple[str, ...], named: Any
) -> None:
    azotte("limit", "remove", "cust-1", "cap", *options, "--subscription", "main")
    assert (sent[0]["type"], sent[0]["limit"], sent[0]["subscription"]) == ("remove_limit", named, "main")
    assert isinstance(parse_command(json.dumps(sent[0]).encode()), ParsedCommand)
