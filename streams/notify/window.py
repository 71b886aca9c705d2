"""What one address has in hand: webhooks that are not delivered yet, and the offsets that may be committed.

An offset may be committed when everything before it is done: delivered, dead or no webhook at all. What one topic says of
one account goes out in its order; nothing else waits for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.webhooks import Webhook

Place = tuple[str, int]


@dataclass(slots=True, eq=False)
class Delivery:
    """A webhook on its way: how often it was tried, and not before when it is tried again (µs)."""

    place: Place
    offset: int
    webhook: Webhook
    tried: int = 0
    due: int = 0


class Window:
    """See the module."""

    def __init__(self) -> None:
        self._read: dict[Place, int] = {}
        self._pending: dict[Place, dict[int, Delivery]] = {}
        self._committed: dict[Place, int] = {}

    def __len__(self) -> int:
        return sum(map(len, self._pending.values()))

    def assign(self, place: Place, offset: int) -> None:
        """The partition is ours from this offset on."""
        self._read[place] = self._committed[place] = offset
        self._pending[place] = {}

    def revoke(self, place: Place) -> None:
        """It is somebody else's, who begins at what is committed."""
        for each in (self._read, self._pending, self._committed):
            each.pop(place, None)

    def clear(self) -> None:
        """Nothing is ours."""
        for place in list(self._read):
            self.revoke(place)

    def take(self, place: Place, offset: int) -> bool:
        """Whether the record is the next of a partition of ours: one may go and come back within one poll."""
        if offset < self._read.get(place, offset + 1):
            return False
        self._read[place] = offset + 1
        return True

    def add(self, place: Place, offset: int, webhook: Webhook) -> None:
        """It is to be delivered, unless its partition has gone meanwhile."""
        if place in self._pending:
            self._pending[place][offset] = Delivery(place, offset, webhook)

    def done(self, delivery: Delivery) -> None:
        """It was delivered, or is among the dead."""
        self._pending.get(delivery.place, {}).pop(delivery.offset, None)

    def chains(self, now: int) -> list[list[Delivery]]:
        """For each account and topic whose next webhook is due, all that wait, in order."""
        return [chain for chain in self._chains() if chain[0].due <= now]

    def next_due(self) -> int | None:
        """When the next one is due, `None` where nothing waits."""
        return min((chain[0].due for chain in self._chains()), default=None)

    def offsets(self) -> dict[Place, int]:
        """What may be committed and was not yet; the caller does so."""
        found = {place: min(self._pending[place], default=read) for place, read in self._read.items()}
        changed = {place: offset for place, offset in found.items() if offset != self._committed[place]}
        self._committed |= changed
        return changed

    def _chains(self) -> Iterable[list[Delivery]]:
        found: dict[tuple[Place, str], list[Delivery]] = {}
        for place, mine in self._pending.items():
            for each in mine.values():
                found.setdefault((place, each.webhook.key), []).append(each)
        return found.values()
