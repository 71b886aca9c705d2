"""Named points at which a test may kill the process, without a word to anybody.

`AZOTTE_FAULT=after_produce:3` kills at the third time that point is passed, `AZOTTE_FAULT=rate.after_produce:3` where the
rate stage passes it. The point is first written to the file that `AZOTTE_FAULT_LOG` names, so that the test knows that it
was hit. `AZOTTE_FAULT_SIGNAL=SIGSTOP` makes a zombie of it instead. Unarmed, a point is one comparison.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

POINTS = (
    "after_poll", "after_apply", "after_produce", "after_offsets", "after_commit", "before_ids", "after_insert", "after_delivery",
)  # fmt: skip


def _armed() -> tuple[str, str, int]:
    where, _, count = os.environ.get("AZOTTE_FAULT", "").partition(":")
    stage, _, name = where.rpartition(".")
    if name and name not in POINTS:
        raise ValueError(f"AZOTTE_FAULT names {name}, which is not one of {', '.join(POINTS)}")
    return stage, name, int(count or 1)


_stage, _name, _left = _armed()
_signal = signal.Signals[os.environ.get("AZOTTE_FAULT_SIGNAL", "SIGKILL")]


def point(name: str, stage: str) -> None:
    """Pass a point; where it is the armed one and its turn has come, the process ends here."""
    global _left  # noqa: PLW0603 - one count a process, by design
    if name != _name or _stage not in ("", stage):
        return
    _left -= 1
    if _left != 0:
        return
    log = os.environ.get("AZOTTE_FAULT_LOG")
    if log:
        with Path(log).open("a") as file:
            file.write(f"{stage}.{name}\n")
            file.flush()
            os.fsync(file.fileno())
    os.kill(os.getpid(), _signal)
