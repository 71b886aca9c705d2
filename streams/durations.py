"""Durations of settings: a number with `ms s m h d`, held as microseconds.

>>> read_duration("25ms"), show_duration(35 * 24 * 3600 * 1_000_000)
(25000, '35d')
"""

from __future__ import annotations

import re

_DURATION = re.compile(r"([0-9]{1,9})(ms|s|m|h|d)", re.ASCII)
_UNITS = {"d": 86_400_000_000, "h": 3_600_000_000, "m": 60_000_000, "s": 1_000_000, "ms": 1_000}


def read_duration(value: object) -> int:
    """Microseconds of `25ms` or `35d`; an integer is microseconds already. Raises `ValueError` with the remedy."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, str) or (found := _DURATION.fullmatch(value.strip())) is None:
        raise ValueError("is not a duration: write a number with ms, s, m, h or d, like 35d")
    return int(found[1]) * _UNITS[found[2]]


def show_duration(micros: int) -> str:
    """The shortest text that `read_duration` reads back; a rest below a millisecond is shown as `…us`."""
    for unit, size in _UNITS.items():
        if micros and micros % size == 0:
            return f"{micros // size}{unit}"
    return f"{micros}us" if micros else "0s"
