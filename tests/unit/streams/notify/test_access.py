"""A webhook is due where access flips, the same before and after a restart; a subject's access falls back to its account's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from schemas.webhooks import NotARecord
from streams.notify.access import LAG_US, Access
from tests import sink_records as some

KEY, SUBJECT = b"acme/cust-1/chat", b"acme/cust-1/chat/u-1"
NOW = 1_800_000_000_000_000


def state(access: bool, **fields: Any) -> bytes:
    return json.dumps(some.entitlement(access=access, **fields)).encode()


def told(access: Access, *records: tuple[bytes, bytes | None], stamp: int = NOW) -> list[str]:
    """The type of each record's webhook, `-` where it makes none."""
    found = [access.flip(key, value, stamp) for key, value in records]
    return [each.type.removeprefix("entitlement.") if each else "-" for each in found]


@pytest.mark.parametrize(
    ("states", "types"),
    [
        ([True, True, True], ["granted", "-", "-"]),
        ([True, False, False, True], ["granted", "denied", "-", "granted"]),
        ([False, False], ["-", "-"]),
        ([False, True], ["-", "granted"]),
    ],
)
def test_only_flips_are_told(states: list[bool], types: list[str]) -> None:
    assert told(Access(NOW), *((KEY, state(each)) for each in states)) == types


def test_what_was_learnt_is_what_was() -> None:
    access = Access(NOW)
    for each in (False, True):
        access.learn(KEY, state(each))
    access.learn(b"acme/cust-2/chat", b"{broken")
    assert told(access, (KEY, state(True)), (KEY, state(False))) == ["-", "denied"]


def test_the_id_is_the_key_and_the_time() -> None:
    webhook = Access(NOW).flip(KEY, state(True), NOW)
    assert webhook is not None
    assert webhook.id == f"acme/cust-1/chat@{some.TIME}"
    assert json.loads(webhook.body) == {
        "type": "entitlement.granted", "timestamp": some.TIME, "data": some.entitlement(access=True),
    }  # fmt: skip


def test_features_and_accounts_are_apart() -> None:
    access = Access(NOW)
    others = (b"acme/cust-1/sso", b"acme/cust-2/chat", b"other/cust-1/chat")
    assert told(access, (KEY, state(True)), *((key, state(True)) for key in others)) == ["granted"] * 4


def test_a_subject_that_is_held_is_denied_and_granted_when_it_is_let_go() -> None:
    access = Access(NOW)
    held = state(False, subject="u-1", reason="hard_limit", resets_at="2026-12-01T00:00:00Z")
    assert told(access, (KEY, state(True)), (SUBJECT, held), (SUBJECT, held)) == ["granted", "denied", "-"]
    webhook = access.flip(SUBJECT, None, NOW)
    assert webhook is not None
    assert (webhook.type, webhook.id) == (
        "entitlement.granted",
        "acme/cust-1/chat/u-1@2027-01-15T08:00:00.000000Z",
    )
    data = json.loads(webhook.body)["data"]
    assert (data["subject"], data["access"], data["reason"], data["resets_at"]) == ("u-1", True, "ok", None)
    assert data["time"] == json.loads(webhook.body)["timestamp"] == "2027-01-15T08:00:00.000000Z"
    assert told(access, (SUBJECT, None), (KEY, state(True))) == ["-", "-"]


def test_a_subject_of_an_account_without_access_loses_and_gains_nothing() -> None:
    access = Access(NOW)
    held = state(False, subject="u-1")
    assert told(access, (KEY, state(False)), (SUBJECT, held), (SUBJECT, None)) == ["-", "-", "-"]


@pytest.mark.parametrize("key", [KEY, SUBJECT])
def test_who_has_no_plan_is_denied_by_its_first_record_and_granted_when_it_is_let_go(key: bytes) -> None:
    access = Access(NOW)
    held = state(False, plan=None, version=None, reason="hard_limit")
    assert told(access, (key, held), (key, held)) == ["denied", "-"]
    again = Access(NOW)
    again.learn(key, held)
    assert told(again, (key, held), (key, None), (key, None)) == ["-", "granted", "-"]
    assert told(again, (key, held)) == ["denied"]


def test_a_subject_of_an_account_that_is_held_itself_gains_nothing() -> None:
    access = Access(NOW)
    held = state(False, plan=None, version=None, reason="hard_limit")
    assert told(access, (KEY, held), (SUBJECT, held), (SUBJECT, None)) == ["denied", "-", "-"]
    assert told(access, (SUBJECT, held), (KEY, None), (SUBJECT, None)) == ["-", "granted", "granted"]


def test_an_account_that_begins_without_access_loses_none_though_it_was_held_before() -> None:
    access = Access(NOW)
    held = state(False, plan=None, version=None)
    assert told(access, (KEY, held), (KEY, state(False)), (KEY, state(True)), (KEY, None)) == [
        "denied",
        "-",
        "granted",
        "-",
    ]


def test_what_may_have_been_compacted_away_is_told_as_it_is() -> None:
    old = NOW - LAG_US - 1
    assert told(Access(NOW), (KEY, state(False)), (KEY, state(False)), stamp=old) == ["denied", "-"]
    assert told(Access(NOW), (KEY, state(True)), stamp=old) == ["granted"]
    known = Access(NOW)
    known.learn(KEY, state(False))
    assert told(known, (KEY, state(False)), stamp=old) == ["-"]
    assert told(Access(NOW), (KEY, state(False)), stamp=NOW - LAG_US) == ["-"]


@pytest.mark.parametrize("value", [b"{", b"{}", json.dumps({**some.entitlement(), "access": None}).encode()])
def test_what_is_no_entitlement_is_told_and_changes_nothing(value: bytes) -> None:
    access = Access(NOW)
    access.learn(KEY, state(True))
    with pytest.raises(NotARecord):
        access.flip(KEY, value, NOW)
    assert told(access, (KEY, state(True))) == ["-"]
