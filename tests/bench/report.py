"""The figures as a table for the terminal and as `docs/benchmarks.md`."""

from __future__ import annotations

import os
import pathlib
import platform
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from tests.bench import gateway, overshoot
from tests.bench.curves import PACK_EVENTS, Point
from tests.bench.load import Result
from tests.bench.ours import Latency

COLUMNS = ("", "events/s", "× Faust", "CPU-s per million", "peak memory", "lines", "bytes written per event")
FAUST = "plain Faust agent"
MIB = 1 << 20
NOTES = pathlib.Path(__file__).with_name("notes.md")
CURVE_NOTES = NOTES.with_name("curve_notes.md")
CURVE_COLUMNS = ("what grows", "size", "µs an event", "× the smallest", "calls an event")
CURVES_HEAD = "## What size costs"
PICTURE = "benchmarks-curves.svg"
Curves = Mapping[str, Sequence[Point]]
"""Each curve's points by its name, smallest first."""


class Waits(NamedTuple):
    """How long one waits at a steady rate: for a charge, for a limit that is crossed, for the gateway's answer."""

    latency: Latency
    overshoot: overshoot.Overshoot
    answered: Sequence[gateway.Answered]

    def sentences(self) -> list[str]:
        """All of it in words."""
        told = [_latency(self.latency), overshoot.sentence(self.overshoot, self.latency.rate)]
        return told + [f"Gateway, {gateway.sentence(each)}." for each in self.answered]


def show(results: Sequence[Result], waits: Waits) -> None:
    """Print the table, where there is something in it, and the waits."""
    console = Console()
    if results:
        table = Table(*COLUMNS)
        for row in _rows(results):
            table.add_row(*row)
        console.print(table)
    for words in waits.sentences():
        console.print(words)


def show_curves(curves: Curves) -> None:
    """Print what an event costs at every size."""
    table = Table(*CURVE_COLUMNS)
    for row in _curve_rows(curves):
        table.add_row(*row)
    Console().print(table)


def with_curves(page: str, curves: Curves) -> str:
    """The page with these curves in place of those that it has."""
    before, _, rest = page.partition(f"{CURVES_HEAD}\n")
    _, mark, after = rest.partition("\n## ")
    return f"{before}{curves_section(curves)}{mark}{after}"


def curves_section(curves: Curves) -> str:
    """What an event costs at every size: a picture and a table."""
    lines = [
        CURVES_HEAD,
        "",
        f"Measured on {datetime.now(UTC):%Y-%m-%d}, on {machine()}:",
        f"one process folds packs of {PACK_EVENTS} events through the engine and the worker's own store. Along a curve every",
        "event makes one line; one thing grows.",
        "",
        f"![CPU time of one event against size]({PICTURE})",
        "",
        _markdown(CURVE_COLUMNS),
        _markdown(["---"] + ["--:"] * (len(CURVE_COLUMNS) - 1)),
        *(_markdown(row) for row in _curve_rows(curves)),
        "",
        CURVE_NOTES.read_text("utf-8").strip(),
        "",
    ]
    return "\n".join(lines)


def _curve_rows(curves: Curves) -> list[list[str]]:
    return [
        [
            name,
            f"{point.size:,}",
            f"{point.cost_us:.0f}",
            f"{point.cost_us / points[0].cost_us:.2f}",
            f"{point.calls:.0f}",
        ]
        for name, points in curves.items()
        for point in points
    ]


def page(results: Sequence[Result], waits: Waits, curves: Curves) -> str:
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
        "## How long one waits",
        "",
        *(f"- {words}" for words in waits.sentences()),
        "",
        "From receipt to charge, packs of events:",
        "",
        "| within | events |",
        "|--:|--:|",
        *(
            f"| {bound:g} s | {count:,} |"
            for bound, count in waits.latency.buckets.items()
            if bound != float("inf")
        ),
        f"| all | {max(waits.latency.buckets.values(), default=0):,} |",
        "",
        curves_section(curves),
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
