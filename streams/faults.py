"""Named points at which a test may kill the process, as SIGKILL does: no word to anybody.

`AZOTTE_FAULT=after_produce:3` kills at the third time that point is passed. The point is first written to the file that
`AZOTTE_FAULT_LOG` names, so that the test knows that it was hit. Unarmed, a point is one comparison.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

POINTS = (
    "after_poll", "after_apply", "after_produce", "after_offsets", "after_commit", "before_ids", "after_insert",
)  # fmt: skip


def _armed() -> tuple[str, int]:
    name, _, count = os.environ.get("AZOTTE_FAULT", "").partition(":")
    if name and name not in POINTS:
        raise ValueError(f"AZOTTE_FAULT names {name}, which is not one of {', '.join(POINTS)}")
    return name, int(count or 1)


_name, _left = _armed()


def point(name: str) -> None:
    """Pass a point; where it is the armed one and its turn has come, the process ends here."""
    global _left  # noqa: PLW0603 - one count a process, by design
    if name != _name:
        return
    _left -= 1
    if _left > 0:
        return
    log = os.environ.get("AZOTTE_FAULT_LOG")
    if log:
        with Path(log).open("a") as file:
            file.write(f"{name}\n")
            file.flush()
            os.fsync(file.fileno())
    os.kill(os.getpid(), signal.SIGKILL)
