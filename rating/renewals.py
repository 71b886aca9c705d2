"""Another catalog with newer versions of plans comes into force, to which running subscriptions move in time (`existing`).

What is due of a subscription may be due sooner by it. And usage that is ahead of the clock may be rated already on the
older version though it is of after the move: it is rated again, so that a subscription's usage is always rated as the
catalog in force knows its time.
"""

from __future__ import annotations

from typing import NamedTuple

from rating.catalog import Catalog
from rating.recut import move, newest
from rating.state import NEVER
from rating.step import Step
from rating.timeline import Timeline, timeline, timeline_in


class Renewal(NamedTuple):
    """A subscription's time as it was known, as it is known now, and from when on they differ."""

    old: Timeline
    new: Timeline
    since: int

    def overtaken(self, step: Step) -> bool:
        """Whether usage of after that moment is rated already."""
        return newest(step, self.old.sub, self.since) >= self.since


def renewals(step: Step, before: Catalog) -> list[Renewal]:
    """The account's subscriptions that the catalog in force moves elsewhere than the one before."""
    found = []
    for sub in step.subscriptions():
        if sub.end == NEVER:
            old, new = timeline_in(before, sub), timeline(step, sub)
            if differing := set(old.terms) ^ set(new.terms):
                found.append(Renewal(old, new, min(each.start for each in differing)))
    return found


def renew(step: Step, before: Catalog) -> None:
    """Rate again what was rated by the time as it was known before."""
    for each in renewals(step, before):
        if each.overtaken(step):
            move(step, each.old, each.new, each.since)
