"""How a contender reports: one JSON line, with its own processor time and peak memory."""

from __future__ import annotations

import json
import os
import resource


def done(name: str, events: int, seconds: float, lines: int) -> None:
    """Print the result of this process; the caller exits afterwards."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    result = {
        "name": name,
        "events": events,
        "seconds": seconds,
        "cpu_seconds": used.ru_utime + used.ru_stime,
        "memory_bytes": used.ru_maxrss * 1024,
        "lines": lines,
    }
    # Past `sys.stdout`, which Faust takes for its log.
    os.write(1, (json.dumps(result) + "\n").encode())
