"""The figures as a table for the terminal and as `docs/benchmarks.md`."""

from __future__ import annotations

import os
import pathlib
import platform
import re
from collections.abc import Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from tests.bench.load import Result
from tests.bench.ours import Latency

COLUMNS = ("", "events/s", "× Faust", "CPU-s per million", "peak memory", "lines", "bytes written per event")
FAUST = "plain Faust agent"
MIB = 1 << 20
NOTES = pathlib.Path(__file__).with_name("notes.md")


def show(results: Sequence[Result], latency: Latency) -> None:
    """Print both tables."""
    console = Console()
    table = Table(*COLUMNS)
    for row in _rows(results):
        table.add_row(*row)
    console.print(table)
    console.print(_latency(latency))


def page(results: Sequence[Result], latency: Latency) -> str:
    """The page, whole."""
    lines = [
        "# Benchmarks",
        "",
        f"Written by `make bench` on {datetime.now(UTC):%Y-%m-%d}, all in one run, the broker and ClickHouse on the same",
        f"machine: {machine()}.",
        "",
        _markdown(COLUMNS),
        _markdown(["---"] + ["--:"] * (len(COLUMNS) - 1)),
        *(_markdown(row) for row in _rows(results)),
        "",
        "## From receipt to charge",
        "",
        _latency(latency),
        "",
        "| within | events |",
        "|--:|--:|",
        *(
            f"| {bound:g} s | {count:,} |"
            for bound, count in latency.buckets.items()
            if bound != float("inf")
        ),
        f"| all | {latency.events:,} |",
        "",
        NOTES.read_text("utf-8").strip(),
        "",
    ]
    return "\n".join(lines)


def machine() -> str:
    """Processor, cores, memory, system and Python of this machine."""
    found = re.search(r"model name\s*:\s*(.+)", pathlib.Path("/proc/cpuinfo").read_text())
    processor = " ".join(found[1].split()) if found else platform.machine()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return (
        f"{processor}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.release()},"
        f" Python {platform.python_version()}"
    )


def _rows(results: Sequence[Result]) -> list[list[str]]:
    faust = next(each.events / each.seconds for each in results if each.name == FAUST)
    return [
        [
            each.name,
            f"{each.events / each.seconds:,.0f}",
            f"{each.events / each.seconds / faust:.1f}",
            f"{each.cpu_seconds / each.events * 1e6:.1f}",
            f"{each.memory_bytes / MIB:,.0f} MiB",
            f"{each.lines:,}" if each.lines else "–",
            f"{each.written_bytes / each.events:,.0f}" if each.written_bytes else "–",
        ]
        for each in results
    ]


def _latency(latency: Latency) -> str:
    return (
        f"At a steady {latency.rate:,} events/s for {latency.events // latency.rate} s: half within {latency.p50:g} s,"
        f" 99 % within {latency.p99:g} s, from the worker's own histogram `azotte_event_to_charge_seconds`."
    )


def _markdown(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
