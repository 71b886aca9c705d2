"""A log that is too short for `accept_past`, a changelog that forgets and a small disk are told at start."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from schemas import topics
from streams.kafka import Stop
from streams.rate import room
from tests.unit.streams.fakes import settings

DAY = 86_400_000_000
SOUND = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, None), ({"retention.ms": str(35 * 86_400_000)}, None), ({"retention.ms": "9223372036854775807"}, None),
        ({"retention.ms": str(35 * 86_400_000 - 1)}, "at least 3024000000"), ({"retention.ms": "0"}, "retention.ms"),
        ({"retention.ms": "604800000"}, "keeps records for 7d"), ({"retention.bytes": "1000000"}, "retention.bytes 1000000"),
        ({"cleanup.policy": "compact"}, "set it to delete"), ({"cleanup.policy": "compact,delete"}, "set it to delete"),
    ],
)  # fmt: skip
def test_what_the_log_must_keep(changed: dict[str, str], told: str | None) -> None:
    found = room.log_problem("rating.log.v1", {**SOUND, **changed}, 35 * DAY)
    assert found is told if told is None else (found is not None and told in found)


def test_what_azotte_makes_is_sound() -> None:
    log, state = topics.LOG.config(), topics.STATE.config()
    assert room.log_problem("l", {**log, "retention.bytes": "-1"}, 400 * DAY) is None
    assert room.state_problem("s", state) is None


@pytest.mark.parametrize("policy", ["delete", "compact,delete"])
def test_a_changelog_that_forgets_is_no_changelog(policy: str) -> None:
    assert "would lose state" in (room.state_problem("rating.state.v1", {"cleanup.policy": policy}) or "")


def test_a_disk_must_hold_twice_the_ids_that_are_alive() -> None:
    needed = 2 * room.ID_BYTES * 10 * 35 * 86_400
    assert room.disk_problem(10, 35 * DAY, needed, Path("ids")) is None
    found = room.disk_problem(10, 35 * DAY, needed - 1, Path("ids"))
    assert found == (
        "ids has 4.2 GB free, but the ids of accept_past 35d at 10 events/s (expected_events_per_s) take up to 4.2 GB: "
        "make room, or lower accept_past or the rate"
    )


class Entry(NamedTuple):
    """As the admin client has one."""

    value: str


class Admin:
    """Answers with the configuration of each topic, in another order than asked."""

    def __init__(self, **configs: dict[str, str]) -> None:
        self._configs = configs

    def describe_configs(
        self, asked: list[Any], request_timeout: float
    ) -> dict[Any, Future[dict[str, Entry]]]:
        found = {}
        for resource in reversed(asked):
            kind = "log" if resource.name.endswith("log.v1") else "state"
            future: Future[dict[str, Entry]] = Future()
            future.set_result({name: Entry(value) for name, value in self._configs[kind].items()})
            found[resource] = future
        return found


def test_the_check_stops_for_the_topics_and_warns_of_the_disk(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    compact = {"cleanup.policy": "compact"}
    sound: Any = Admin(log=SOUND, state=compact)
    room.check(settings(), sound, tmp_path)
    short: Any = Admin(log={**SOUND, "retention.ms": "1"}, state=compact)
    with pytest.raises(Stop, match=r"rate: p\.rating\.log\.v1 keeps records"):
        room.check(settings(topic_prefix="p."), short, tmp_path)
    forgetful: Any = Admin(log=SOUND, state={"cleanup.policy": "delete"})
    with pytest.raises(Stop, match=r"rating\.state\.v1"):
        room.check(settings(), forgetful, tmp_path)
    assert not caplog.records
    room.check(settings(expected_events_per_s=10_000_000, accept_past="400d"), sound, tmp_path)
    assert "make room" in caplog.text
