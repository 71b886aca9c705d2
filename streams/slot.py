"""A worker's slot: the first directory under `AZOTTE_HOME/slots` that it can lock.

It names the worker's transactional ids and holds its local files, so a worker that starts again takes up where the one
before it stopped, and two never share one.
"""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO

SLOTS_MAX = 1_000


class NoSlot(Exception):
    """The slots' folder cannot be used; the text is one sentence with the remedy."""


class Slot:
    """A locked directory; the lock ends with the process."""

    def __init__(self, folder: Path, number: int, lock: IO[str]) -> None:
        self.folder = folder
        self.number = number
        self._lock = lock

    def close(self) -> None:
        """Let another worker have it."""
        self._lock.close()


def take(home: Path) -> Slot:
    """The first slot that is free. Raises `NoSlot`."""
    for number in range(SLOTS_MAX):
        folder = home / "slots" / str(number)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = (folder / "lock").open("w")
        except OSError as error:
            raise NoSlot(
                f"{folder} cannot be used ({error.strerror}): set AZOTTE_HOME to a folder that can be written"
            ) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            continue
        return Slot(folder, number, lock)
    raise NoSlot(f"{home / 'slots'} has {SLOTS_MAX} workers already: give this one an AZOTTE_HOME of its own")
