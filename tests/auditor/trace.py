"""A trace of LLM invocations: the real one where `AZOTTE_TEST_DATA` names its folder, else one of the same shape.

Row `i` of a file belongs to account `cust-<i mod 97>`, its model is the file's name and its event id `<file>-<i>`; so
every run, and every independent check, has the same events.
"""

from __future__ import annotations

import csv
import os
import pathlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

ACCOUNTS = 97
SHAPE = {"code": (8_819, 2_048.0, 28.0), "conv": (19_366, 1_155.0, 211.0)}
"""Rows, mean context tokens and mean generated tokens of each file of the real trace."""
HOUR_US = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Row:
    """One invocation. `at` is microseconds since the trace began."""

    file: str
    index: int
    at: int
    context: int
    generated: int

    @property
    def account(self) -> str:
        return f"cust-{self.index % ACCOUNTS}"

    @property
    def id(self) -> str:
        return f"{self.file}-{self.index}"


def rows(limit: int | None = None) -> list[Row]:
    """The whole trace in order of time; `limit` takes the first of each file."""
    folder = os.environ.get("AZOTTE_TEST_DATA")
    found = list(_real(pathlib.Path(folder)) if folder else _generated())
    kept = [row for row in found if limit is None or row.index < limit]
    return sorted(kept, key=lambda row: (row.at, row.id))


def _real(folder: pathlib.Path) -> Iterator[Row]:
    origin = _microseconds("2023-11-16 18:15:46.6805900")
    for file in SHAPE:
        with (folder / f"AzureLLMInferenceTrace_{file}.csv").open(newline="") as lines:
            for index, line in enumerate(csv.DictReader(lines)):
                at = _microseconds(line["TIMESTAMP"]) - origin
                yield Row(file, index, at, int(line["ContextTokens"]), int(line["GeneratedTokens"]))


def _generated() -> Iterator[Row]:
    draw = random.Random(20231116)
    for file, (count, context, generated) in SHAPE.items():
        times = sorted(draw.randrange(HOUR_US) for _ in range(count))
        for index, at in enumerate(times):
            yield Row(
                file,
                index,
                at,
                1 + int(draw.expovariate(1 / context)),
                1 + int(draw.expovariate(1 / generated)),
            )


def _microseconds(text: str) -> int:
    whole, _, fraction = text.partition(".")
    seconds = int(datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp())
    return seconds * 1_000_000 + int(fraction[:6])
