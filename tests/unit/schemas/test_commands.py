"""Commands are read strictly: canonical where they are sound, one sentence a problem where they are not."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from rating.times import parse_time
from schemas.commands import COMMANDS, CommandProblem, ParsedCommand, check_command, parse_command

ENVELOPE = {"id": "c1", "tenant": "acme", "account": "cust-1", "time": "2026-03-01T00:00:00Z"}
EVENT = {"specversion": "1.0", "id": "e1", "source": "s", "type": "t", "subject": "cust-1", "data": {"v": 1}}
SOUND: dict[str, dict[str, Any]] = {
    "subscribe": {
        "subscription": "sub-1", "plan": "pro", "plan_version": 1, "start": "2026-03-01T00:00:00Z", "anchor": "start",
        "timezone": "Europe/Berlin", "currency": "EUR", "storefront": "partner-x", "region": "eu", "channel": "web",
        "subjects": ["user-1"], "parent": "org", "quantities": {"seats": 3}, "trial": False,
        "overrides": {"fees": [{"key": "base", "amount": "20"}]},
    },
    "change_plan": {"subscription": "sub-1", "plan": "pro", "plan_version": 2, "at": "now", "anchor": "now", "prorate": True},
    "cancel": {"subscription": "sub-1", "at": "period_end", "prorate": False},
    "pause": {"subscription": "sub-1", "at": "now"},
    "resume": {"subscription": "sub-1"},
    "set_quantity": {"subscription": "sub-1", "fee": "seats", "quantity": "5", "at": "now"},
    "register_subject": {"subject": "user-1", "groups": {"team": "search"}},
    "remove_subject": {"subject": "user-1"},
    "grant_credits": {
        "grant": "g1", "amount": "100", "unit": "USD", "priority": "1", "expires_at": "2026-04-01T00:00:00Z",
        "rollover": {"min": "0", "max": "50"}, "applies_to": {"charges": ["input"]},
    },
    "void_grant": {"grant": "g1", "amount": "40"},
    "set_limit": {"limit": {"key": "cap", "metric": "spend", "amount": "100", "window": "month"}, "scope": "account"},
    "remove_limit": {"limit": "cap", "subscription": "sub-1"},
    "retract_usage": {"source": "s", "event_id": "e1", "was": EVENT},
    "amend_usage": {"source": "s", "event_id": "e1", "was": EVENT, "now": {**EVENT, "data": {"v": 2}}},
    "set_account": {"parent": "org", "name": "Customer One", "timezone": "UTC", "metadata": {"crm": "42"}},
    "open_backfill": {"backfill": "b1", "source": "s", "from": "2025-01-01T00:00:00Z", "to": "2025-02-01T00:00:00Z"},
    "close_backfill": {"backfill": "b1", "source": "s", "from": "2025-01-01T00:00:00Z", "to": "2025-02-01T00:00:00Z"},
    "unpark": {},
    "apply_catalog": {"catalog": {"meters": [{"key": "m", "event_type": "e", "aggregation": "count", "window": "1h"}]}},
}  # fmt: skip


def command(kind: str, **fields: Any) -> bytes:
    envelope = {
        name: value for name, value in ENVELOPE.items() if kind != "apply_catalog" or name != "account"
    }
    return json.dumps({**envelope, "type": kind, **SOUND[kind], **fields}).encode()


def sound(kind: str, **fields: Any) -> ParsedCommand:
    found = parse_command(command(kind, **fields))
    assert isinstance(found, ParsedCommand), found
    return found


def refused(kind: str, **fields: Any) -> str:
    found = parse_command(command(kind, **fields))
    assert isinstance(found, CommandProblem), found
    assert (found.code, found.tenant, found.id) == ("bad_command", "acme", "c1")
    return found.detail


def test_every_type_has_a_sound_example() -> None:
    assert set(SOUND) == set(COMMANDS)


@pytest.mark.parametrize("kind", SOUND)
def test_a_sound_command_is_read_and_its_canonical_form_reads_as_itself(kind: str) -> None:
    found = sound(kind)
    assert (found.id, found.tenant, found.type) == ("c1", "acme", kind)
    assert found.account == ("" if kind == "apply_catalog" else "cust-1")
    assert found.time == parse_time(ENVELOPE["time"])
    again = {**ENVELOPE, "type": kind, **found.fields, "was": found.was, "now": found.now}
    if kind == "apply_catalog":
        del again["account"]
    again = {name: value for name, value in again.items() if value is not None}
    assert check_command(again) == found


def test_the_canonical_form() -> None:
    assert sound("subscribe").fields == {
        "subscription": "sub-1", "plan": "pro", "plan_version": 1, "start": "2026-03-01T00:00:00.000000Z", "anchor": "start",
        "timezone": "Europe/Berlin", "currency": "EUR", "storefront": "partner-x", "region": "eu", "channel": "web",
        "subjects": ["user-1"], "parent": "org", "quantities": {"seats": "3"}, "trial": False,
        "overrides": {"fees": [{"key": "base", "amount": "20"}]},
    }  # fmt: skip
    assert sound("grant_credits").fields == {
        "grant": "g1", "amount": "100", "unit": "USD", "priority": 1, "expires_at": "2026-04-01T00:00:00.000000Z",
        "rollover": {"max": "50"}, "applies_to": {"charges": ["input"]},
    }  # fmt: skip
    assert sound("set_limit").fields["limit"]["scope"] == "account"
    assert sound("apply_catalog").fields == {
        "catalog": {"meters": [{"key": "m", "event_type": "e", "aggregation": "count"}]}
    }


def test_the_tenant_is_the_default_one_unless_set() -> None:
    data = {**ENVELOPE, "type": "unpark"}
    del data["tenant"]
    found = check_command(data)
    assert isinstance(found, ParsedCommand)
    assert found.tenant == "default"


def test_the_limits_of_a_tenant_are_unparked_without_an_account() -> None:
    data = {name: value for name, value in ENVELOPE.items() if name != "account"}
    found = check_command({**data, "type": "unpark"})
    assert isinstance(found, ParsedCommand)
    assert found.account == ""
    assert isinstance(check_command({**data, "type": "set_account"}), CommandProblem)


def test_numbers_keep_their_literal_text() -> None:
    text = command("grant_credits").replace(b'"100"', b"100.000000000001")
    found = parse_command(text)
    assert isinstance(found, ParsedCommand)
    assert found.fields["amount"] == "100.000000000001"


def test_events_of_corrections_keep_their_numbers() -> None:
    text = command("retract_usage").replace(b'{"v": 1}', b'{"v": 0.1, "w": "0.1", "x": 7}')
    found = parse_command(text)
    assert isinstance(found, ParsedCommand)
    assert found.was is not None
    assert found.was["data"] == {"v": Decimal("0.1"), "w": "0.1", "x": 7}
    assert "was" not in found.fields


@pytest.mark.parametrize(
    ("kind", "fields", "detail"),
    [
        ("grant_credits", {"amount": "abc"}, 'amount: "abc" is not a decimal number; write a decimal, like "0.000002"'),
        ("grant_credits", {"amount": "0"}, 'amount: "0" is 0; give more than 0'),
        ("grant_credits", {"amount": "-5"}, 'amount: "-5" is negative; give more than 0'),
        ("grant_credits", {"unit": "usd!"}, "unit: \"usd!\" is neither a currency nor a key; write a code like USD, or a "
         "credit unit like ai-credit"),
        ("grant_credits", {"unit": "USX"}, 'unit: "USX" is not a currency of ISO 4217; write a code like USD'),
        ("grant_credits", {"expire_at": "2026-04-01T00:00:00Z"}, 'expire_at: "2026-04-01T00:00:00Z" is no field here; '
         "did you mean expires_at?"),
        ("grant_credits", {"expires_at": "2026-02-01T00:00:00Z"}, 'expires_at: "2026-02-01T00:00:00Z" is not after the '
         "command's time 2026-03-01T00:00:00.000000Z; give a later time, or none"),
        ("grant_credits", {"priority": -1}, 'priority: "-1" is out of range; write a whole number from 0 to 1000000'),
        ("grant_credits", {"rollover": {"min": 60, "max": 50}}, 'rollover.max: "50" is below min 60; give a max of at least min'),
        ("subscribe", {"subscription": "a b"}, 'subscription: "a b" is not an id; write 1 to 128 printable ASCII characters '
         "without space and /"),
        ("subscribe", {"subscription": "x" * 129}, f'subscription: "{"x" * 59}…" is not an id; write 1 to 128 printable '
         "ASCII characters without space and /"),
        ("subscribe", {"start": "yesterday"}, 'start: "yesterday" is not an RFC 3339 time; write it like 2026-01-01T00:00:00Z'),
        ("subscribe", {"anchor": "begin"}, 'anchor: "begin" is no anchor; write start, trial_end or a time like '
         "2026-01-31T00:00:00Z"),
        ("subscribe", {"timezone": "Berlin"}, 'timezone: "Berlin" is not a time zone of the IANA database; write one like '
         "Europe/Berlin or UTC"),
        ("subscribe", {"overrides": {"when": {}}}, "overrides.when: is no field here; use one of currency, grace, fees, "
         "charges, entitlements, limits, grants, trial, conversion_rates"),
        ("cancel", {"at": "later"}, 'at: "later" is not known; write one of now, period_end'),
        ("change_plan", {"plan": None, "plan_version": None, "anchor": None}, "changes nothing; name one of plan, anchor, "
         "storefront, region, channel, overrides"),
        ("change_plan", {"plan": None}, "plan: is missing; name the plan that plan_version is of"),
        ("set_limit", {"scope": None, "limit": {"key": "c", "metric": "spend", "amount": "1", "scope": "tenant", "window": "day"}},
         'limit.scope: "tenant" spans accounts, so no account can set it; put it in a plan'),
        ("set_limit", {"scope": "tenant", "limit": {"key": "c", "metric": "spend", "amount": "1", "scope": "account",
         "window": "day"}}, 'scope: "tenant" is not the scope of the limit; keep the one in limit'),
        ("set_limit", {"limit": {"key": "c", "metric": "usage", "amount": "1"}}, "limit.meter: is missing; say what counts: "
         "either meter or feature"),
        ("retract_usage", {"event_id": "e2"}, 'was.id: "e1" is not the id e2 that the command names; give the same event'),
        ("set_account", {"parent": "cust-1"}, 'parent: "cust-1" is the account itself; name another account'),
        ("open_backfill", {"to": "2024-01-01T00:00:00Z"}, 'to: "2024-01-01T00:00:00Z" is not after from '
         "2025-01-01T00:00:00.000000Z; give a later time"),
        ("apply_catalog", {"catalog": {"meters": [{"key": "m"}]}}, "catalog.meters[0].aggregation: is missing; add one of sum, "
         "count, min, max, avg, unique, latest, time_weighted_sum"),
        ("apply_catalog", {"catalog": 5}, "catalog.\"5\" is no catalog; write meters: and plans: with lists"),
    ],
)  # fmt: skip
def test_a_slip_is_told_with_field_value_and_remedy(kind: str, fields: dict[str, Any], detail: str) -> None:
    assert refused(kind, **fields) == detail


def test_a_type_that_is_none_is_told() -> None:
    found = check_command({**ENVELOPE, "type": "subscrib"})
    assert found == CommandProblem('type: "subscrib" is no command; did you mean subscribe?', "acme", "c1")
    assert isinstance(check_command({**ENVELOPE}), CommandProblem)


def test_several_problems_are_told_at_once() -> None:
    assert refused("grant_credits", amount="x", unit=5).count(" | ") == 1


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        (None, "the command is empty: a record needs a value"),
        (b"", "the command is not JSON: Expecting value at character 0"),
        (b"\xff", "the command is not UTF-8 text"),
        (b"[]", "the command is not a JSON object"),
        (b"5", "the command is not a JSON object"),
        (b'{"a": NaN}', "the command has NaN, which is no JSON number"),
        (b'{"a": 1, "a": 2}', "the command has a twice in one object; keep one"),
        (b"[" * 100_000, "the command is nested too deep"),
        (b'{"a": ' + b"9" * 5000 + b"}", "the command has a number of more than 400 characters"),
        (b'{"a": 1e' + b"9" * 5000 + b"}", "the command has a number of more than 400 characters"),
        (b'{"a": 0e' + b"9" * 20 + b"}", "the command has a number with an exponent of more than 18 digits"),
        (b'{"a": ' + b"[" * 900 + b"]" * 900 + b"}", "the command is nested too deep"),
        (b'{"a": "\\ud800"}', "the command has half a surrogate pair in a text"),
    ],
)
def test_what_is_no_command_is_told(value: bytes | None, detail: str) -> None:
    assert parse_command(value) == CommandProblem(detail)


def test_a_huge_exponent_is_no_amount() -> None:
    found = parse_command(command("grant_credits").replace(b'"100"', b"1e999999"))
    assert isinstance(found, CommandProblem)
    assert found.detail.startswith("amount: ")
