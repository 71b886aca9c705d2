"""When each account's next timer fires: cells say it, a heap over them finds the first.

The heap follows from the cells and may hold moments that are none any more: a moment counts only while its cell says so.
"""

from __future__ import annotations

import heapq

from rating.cells import Cells

DUE = ("due",)


class Agenda:
    """The due moments of one partition's accounts, by `tenant/account`."""

    def __init__(self, cells: Cells) -> None:
        self._cells = cells
        self._heap = [(due, name) for name, due in cells.members(DUE)]
        heapq.heapify(self._heap)

    def due(self, name: str) -> int | None:
        """When the account's next timer fires."""
        found: int | None = self._cells.get(DUE, name)
        return found

    def is_due(self, name: str, clock: int) -> bool:
        """Whether the account's next timer fires by now."""
        due = self.due(name)
        return due is not None and due <= clock

    def put(self, name: str, due: int | None) -> None:
        """Note when the account's next timer fires; `None` where it has none."""
        if due != self.due(name):
            self._cells.put(DUE, name, due)
            if due is not None:
                heapq.heappush(self._heap, (due, name))

    def first(self) -> tuple[int, str] | None:
        """The moment that comes first and its account, which stays; `None` where there is none."""
        while self._heap and self.due(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0] if self._heap else None

    def pop(self) -> None:
        """Take the first one off: its account's timers are fired now, and noted again."""
        heapq.heappop(self._heap)
