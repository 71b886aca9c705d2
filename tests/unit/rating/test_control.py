"""CONTROL decides where an account stands: its first command fixes its root, for good."""

from __future__ import annotations

from typing import Any

import pytest

from rating.control import Output, step
from rating.directory import Directory, Held, account_key, subject_key
from rating.errors import Refused
from rating.placement import partition_of
from rating.records import Command, Position, Release
from rating.times import HOUR
from rating.tree import DEPTH_MAX

PARTITIONS = 64
NOW = 1_000


class Control:
    """A directory and what commands make of it."""

    def __init__(self) -> None:
        self.directory = Directory()
        self._number = 0

    def take(
        self, account: str, kind: str = "set_account", name: str | None = None, time: int = NOW, **fields: Any
    ) -> Output:
        self._number += 1
        command = Command(
            "acme", account, name or f"cmd-{self._number}", kind, time, time, fields, Position("commands", 0, self._number)
        )  # fmt: skip
        output = step(self.directory, command, PARTITIONS, HOUR)
        for key, row in output.directory:
            self.directory.put(key, row)
        return output

    def refused(self, *args: Any, **fields: Any) -> str:
        with pytest.raises(Refused) as caught:
            self.take(*args, **fields)
        return str(caught.value)


def place(root: str) -> int:
    return partition_of("acme", root, PARTITIONS)


def test_a_first_command_puts_an_account_under_the_root_of_its_parent() -> None:
    control = Control()
    control.take("org")
    control.take("dept", parent="org")
    found = control.take("team", parent="dept")
    assert found.directory == [
        (account_key("acme", "team"), {"root": "org", "parent": "dept", "command": "cmd-3"})
    ]
    assert [partition for partition, each in found.log if isinstance(each, Command)] == [place("org")]
    assert control.directory.root("acme", "team") == "org"


def test_a_command_of_the_whole_tenant_goes_where_its_limits_are_and_makes_no_account() -> None:
    control = Control()
    found = control.take("", "unpark")
    assert [(partition, type(each)) for partition, each in found.log] == [(place(""), Command)]
    assert found.directory == []


def test_what_waited_under_an_accounts_own_name_is_released_where_it_waits() -> None:
    found = Control().take("team", parent="org")
    assert place("team") != place("org")
    assert found.log[1:] == [(place("team"), Release("acme", "team", "team"))]


def test_where_both_lie_in_one_partition_the_command_itself_releases() -> None:
    neighbour = next(name for name in (f"team-{n}" for n in range(999)) if place(name) == place("org"))
    assert len(Control().take(neighbour, parent="org").log) == 1


def test_a_parent_that_had_no_command_becomes_a_root() -> None:
    control = Control()
    found = control.take("team", parent="org")
    assert (account_key("acme", "org"), {"root": "org"}) in found.directory
    assert "is a root already" in control.refused("org", parent="holding")


def test_only_the_first_command_names_a_parent() -> None:
    control = Control()
    control.take("org", "subscribe", subscription="s", plan="pro")
    assert "org is a root already" in control.refused("org", parent="holding")
    control.take("team", "subscribe", subscription="s", plan="pro", parent="org")
    assert "team is under org already" in control.refused("team", parent="org")
    assert control.take("team", name="later").directory == []


def test_a_copy_of_the_command_that_linked_an_account_passes_and_changes_nothing() -> None:
    control = Control()
    control.take("team", name="first", parent="org")
    again = control.take("team", name="first", parent="org")
    assert again.directory == []
    assert [partition for partition, _ in again.log] == [place("org")]


def test_no_account_is_ever_below_itself() -> None:
    control = Control()
    assert "is the account itself" in control.refused("org", "subscribe", parent="org")
    control.take("a", parent="b")
    control.take("c", parent="a")
    assert "is a root already" in control.refused("b", parent="c")
    assert "is a root already" in control.refused("b", parent="a")


def test_a_tree_has_a_greatest_depth() -> None:
    control = Control()
    for depth in range(1, DEPTH_MAX):
        control.take(f"a{depth}", parent=f"a{depth - 1}")
    assert control.directory.root("acme", f"a{DEPTH_MAX - 1}") == "a0"
    assert "put deep higher up" in control.refused("deep", parent=f"a{DEPTH_MAX - 1}")


def test_a_subject_is_no_parent() -> None:
    control = Control()
    control.take("org", "register_subject", subject="user-1")
    assert "user-1 is a subject of account org" in control.refused("team", parent="user-1")
    control.take("org", "remove_subject", subject="user-1")
    control.take("team", parent="user-1")
    text = control.refused("unit", "subscribe", parent="top", subjects=["top"])
    assert "top is an account itself" in text


def test_a_refused_command_fixes_no_root() -> None:
    control = Control()
    control.take("org", "register_subject", subject="user-1")
    control.refused("team", "subscribe", parent="org", subjects=["user-1"])
    control.take("team", parent="holding")
    assert control.directory.root("acme", "team") == "holding"


def test_the_command_comes_before_what_it_releases() -> None:
    found = Control().take("team", "subscribe", parent="org", subjects=["user-1"])
    assert [type(each) for _, each in found.log] == [Command, Release, Release]


def test_a_subjects_groups_hold_from_their_registration() -> None:
    control = Control()
    control.take("org", "register_subject", subject="user-1", groups={"team": "search"})
    assert control.directory.groups("acme", "user-1", "org", 0) == {"team": "search"}
    assert control.directory.groups("acme", "user-1", "other", 0) == {}
    assert control.take("org", "register_subject", subject="user-1").directory == []
    control.take("org", "register_subject", subject="user-1", groups={"team": "ads"}, time=NOW + 5)
    assert control.directory.groups("acme", "user-1", "org", NOW + 4) == {"team": "search"}
    assert control.directory.groups("acme", "user-1", "org", NOW + 5) == {"team": "ads"}
    assert control.directory.resolve("acme", "user-1", NOW + 5) == "org"
    control.take("org", "register_subject", subject="user-1", groups={}, time=NOW + 9)
    assert control.directory.groups("acme", "user-1", "org", NOW + 9) == {}


def test_rows_without_groups_are_read_as_they_were() -> None:
    directory = Directory()
    row = {"account": "org", "since": 1, "removed": None, "previous": []}
    directory.put(subject_key("acme", "user-1"), row)
    assert directory.holders("acme", "user-1") == (Held("org", 1, None, {}),)
    assert directory.holders("acme", "user-1")[0].row() == {"account": "org", "since": 1, "removed": None}
