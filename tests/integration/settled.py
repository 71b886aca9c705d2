"""When a deployment has done all that it will ever do with what was published."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from schemas import topics
from tests.integration import ledger
from tests.integration.fleet import Fleet

OPEN_S = 60
Detail = Callable[[], object]


def drain(fleet: Fleet, seconds: float, detail: Detail) -> None:
    """Wait until everything that was published is on the log, and all that is there by then is rated.

    After it no line can come of what was published: what the bill says then is what it says for good. What stands last
    on each raw partition must not be the end of a transaction.
    """
    _wait_past(fleet, "azotte-normalize", topics.EVENTS, seconds, detail)
    # Ticks go on, so the end of a transaction that stands last is passed too.
    _wait_past(fleet, "azotte-rate", topics.LOG, seconds, detail)


def read_all(fleet: Fleet, readers: Mapping[topics.Topic, ledger.Reader], detail: Detail) -> None:
    """Read each topic to its end, when what killed processes left open is aborted."""
    for topic, reader in readers.items():
        _wait_for_the_open(fleet, topic, detail)
        reader.read_to(fleet.ends(topic, committed=True))


def _wait_past(fleet: Fleet, group: str, topic: topics.Topic, seconds: float, detail: Detail) -> None:
    ends = fleet.ends(topic)

    def past() -> bool:
        done = fleet.offsets(group, topic)
        return all(done.get(number, 0) >= end for number, end in ends.items())

    ledger.until(past, seconds, f"{group} past {ends}", detail)


def _wait_for_the_open(fleet: Fleet, topic: topics.Topic, detail: Detail) -> None:
    def none_open() -> bool:
        return fleet.ends(topic, committed=True) == fleet.ends(topic)

    ledger.until(none_open, OPEN_S, f"the end of what is open on {topic.name}", detail)
