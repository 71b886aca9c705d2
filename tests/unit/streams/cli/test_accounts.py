"""`azotte account`, `register-subject` and `subscribe`: the command that is published."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streams.cli import main

ENVELOPE = {"id": "c1", "tenant": "acme", "account": "team", "time": "2026-03-01T00:00:00.000000Z"}
GIVEN = ("--tenant", "acme", "--id", "c1", "--time", "2026-03-01T00:00:00Z", "--json")


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The commands that would have been published."""
    found: list[dict[str, Any]] = []
    monkeypatch.setattr("streams.cli.send.publish", lambda settings, command: found.append(command))
    return found


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main([*arguments, *GIVEN])
    return int(caught.value.code or 0)


def test_an_account_is_put_under_another_with_what_is_known_of_it(
    sent: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    status = run(
        "account", "team", "--parent", "org", "--name", "Team One", "--timezone", "Asia/Tokyo",
        "--metadata", "crm=42", "--metadata", "note=a=b",
    )  # fmt: skip
    want = {
        **ENVELOPE, "type": "set_account", "parent": "org", "name": "Team One", "timezone": "Asia/Tokyo",
        "metadata": {"crm": "42", "note": "a=b"},
    }  # fmt: skip
    assert (status, sent, json.loads(capsys.readouterr().out)) == (0, [want], want)


def test_what_is_not_named_is_left_as_it_is(sent: list[dict[str, Any]]) -> None:
    assert run("account", "team", "--name", "Team One") == 0
    assert sent == [{**ENVELOPE, "type": "set_account", "name": "Team One"}]


def test_a_subject_is_put_in_groups(sent: list[dict[str, Any]]) -> None:
    assert (
        run("register-subject", "team", "user-1", "--group", "team=search", "--group", "office=berlin") == 0
    )
    groups = {"team": "search", "office": "berlin"}
    assert sent == [{**ENVELOPE, "type": "register_subject", "subject": "user-1", "groups": groups}]


def test_a_subscription_may_put_its_account_under_another(sent: list[dict[str, Any]]) -> None:
    assert run("subscribe", "team", "pro", "--parent", "org") == 0
    assert sent[0]["parent"] == "org"


@pytest.mark.parametrize("wrong", [("--parent", "a b"), ("--metadata", "crm")])
def test_a_wrong_value_ends_with_2(sent: list[dict[str, Any]], wrong: tuple[str, str]) -> None:
    assert run("account", "team", *wrong) == 2
    assert sent == []
