"""Time zones are those of the pinned `tzdata` package, not the machine's.

A billing period begins by its zone's rules, so with the systems' own files two workers could make two lines of one record.
"""

from __future__ import annotations

import zoneinfo


def use_pinned() -> None:
    """From here on no zone is read from the system's folders, which `zoneinfo` otherwise prefers."""
    zoneinfo.reset_tzpath(to=())
