"""What a charge line costs rating: packs of usage through the engine, its store and its encoders, in this process alone.

`python -m tests.bench.fold` prints microseconds of a core a line, by part. The quickest pack is the figure to compare: whatever
else the machine does makes packs slower, never quicker. `--profile` shows the functions that it goes to.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import itertools
import json
import pathlib
import pstats
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rating.times import HOUR
from schemas.cells import encode_key
from schemas.cells import encode_value as encode_cell
from schemas.log import decode_record, encode_record
from schemas.outputs import encode_value
from streams.rate.ids import IdStore
from streams.rate.restore import Partition
from streams.rate.store import Store
from tests.bench.load import CATALOG, commands, values
from tests.property.partition import Writer

POLL = 20_000
SHOWN = 40


class Cost(NamedTuple):
    """Seconds of a pack: rating it, its lines as JSON, its cells for the changelog, keeping what is committed."""

    apply: float
    lines: float
    cells: float
    keep: float


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.fold")
    parser.add_argument("--accounts", type=int, default=20_000)
    parser.add_argument("--events", type=int, default=60_000)
    parser.add_argument("--pack", type=int, default=500, help="events in one record of the log")
    parser.add_argument("--profile", action="store_true", help="show where the time goes, at twice the time")
    asked = parser.parse_args()
    setup, packs = _log(asked.accounts, asked.events, asked.pack)
    with tempfile.TemporaryDirectory(prefix="fold-") as folder:
        partition = Partition(0, Store(), IdStore(pathlib.Path(folder) / "ids"), 0)
        for offset, record in enumerate(setup):
            partition.apply(decode_record(record), offset)
            while partition.engine.has_due():
                partition.engine.drain(POLL)
        partition.keep()
        profile = cProfile.Profile(builtins=False) if asked.profile else None
        _show(asked.events, _rated(partition, packs, len(setup), profile))
        if profile is not None:
            pstats.Stats(profile).sort_stats("tottime").print_stats(SHOWN)


def _log(accounts: int, events: int, pack: int) -> tuple[list[bytes], list[bytes]]:
    """What comes before the usage, and the usage, as records of the log."""
    now = time.time_ns() // 1_000
    writer = Writer(CATALOG, pack)
    writer.tick(now - HOUR)
    # The first command brings the catalog, which the log of one tenant has already.
    for command in itertools.islice(commands(accounts), 1, None):
        writer.command(command, now)
    writer.tick(now)
    setup = [encode_record(record) for record in writer.records]
    writer.records.clear()
    for polled in _batched((json.loads(value) for _, value in values(events, accounts)), POLL):
        writer.events(polled, now)
    assert not writer.rejected, writer.rejected[0]
    return setup, [encode_record(record) for record in writer.records]


def _batched(source: Iterator[dict[str, object]], size: int) -> Iterator[list[dict[str, object]]]:
    while batch := list(itertools.islice(source, size)):
        yield batch


def _rated(
    partition: Partition, packs: Sequence[bytes], first: int, profile: cProfile.Profile | None
) -> list[tuple[int, Cost]]:
    """Lines and cost of each pack. Garbage is collected as RATE does it: not while it works."""
    found = []
    gc.collect()
    gc.freeze()
    gc.disable()
    if profile is not None:
        profile.enable()
    for offset, record in enumerate(packs, first):
        began = time.process_time()
        effects = partition.apply(decode_record(record), offset)
        applied = time.process_time()
        lines = [encode_value(effect.value) for effect in effects]
        told = time.process_time()
        cells = [
            (encode_key(bucket, member), None if value is None else encode_cell(value))
            for bucket, member, value in partition.store.changes()
        ]
        written = time.process_time()
        partition.keep()
        kept = time.process_time()
        assert len(cells) >= len(lines), "a line moves two cells, and some lines share one"
        found.append((len(lines), Cost(applied - began, told - applied, written - told, kept - written)))
    if profile is not None:
        profile.disable()
    gc.enable()
    return found


def _show(events: int, packs: Sequence[tuple[int, Cost]]) -> None:
    lines = sum(count for count, _ in packs)
    total = sum(sum(cost) for _, cost in packs)
    count, best = min(packs, key=lambda each: sum(each[1]) / each[0])
    sys.stdout.write(f"{lines:,} lines of {events:,} events: {total / lines * 1e6:.1f} µs a line\n")
    shown = ", ".join(f"{name} {seconds / count * 1e6:.1f}" for name, seconds in best._asdict().items())
    sys.stdout.write(f"the quickest pack: {sum(best) / count * 1e6:.1f} µs a line ({shown})\n")


if __name__ == "__main__":
    main()
