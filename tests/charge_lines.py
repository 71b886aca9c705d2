"""What holds of the charge lines of one group, wherever they were read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any


def group_faults(group: object, lines: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What is wrong with a group's lines, in the order of their revisions: a gap, or a total that is not the sum so far."""
    revisions = [line["revision"] for line in lines]
    if revisions != list(range(1, len(lines) + 1)):
        yield f"{group}: revisions are {revisions}"
    for name in ("quantity", "amount"):
        running = Fraction(0)
        for line in lines:
            if line["kind"] == "close":
                continue
            running += Fraction(line[name])
            if running != Fraction(line[f"{name}_total"]):
                yield f"{group}: {name}_total of revision {line['revision']} is not the sum so far"
