"""How the demo looks: a live board in a terminal, plain lines elsewhere."""

from __future__ import annotations

from typing import Any

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from streams.demo.sample import Kind
from streams.demo.tally import Tally


def money(amount: Any) -> str:
    """An exact amount, cut for the eye to six digits."""
    return f"{amount:,.6f}"


def milliseconds(seconds: float | None) -> str:
    """A latency in milliseconds, or a dash."""
    return "–" if seconds is None else f"{seconds * 1000:,.0f} ms"


def live(tally: Tally, elapsed: float, length: float, rate: float) -> RenderableType:
    """The board as it stands."""
    left = max(0, round(length - elapsed))
    head = Text.assemble(
        ("azotte", "bold"), "  usage in, exact charges out   ",
        (f"{left} s left" if left else "draining", "cyan"), "   Ctrl-C stops everything",
    )  # fmt: skip
    return Group(head, Text(), _flow(tally, rate), Text(), tables(tally))


def tables(tally: Tally) -> Columns:
    """Charges and rejected events side by side: all of it is seen in a terminal of 80 columns and 24 lines. In one that is
    narrower they stand below each other."""
    return Columns([charges(tally), rejections(tally)], padding=(0, 3))


def _flow(tally: Tally, rate: float) -> Panel:
    grid = Table.grid(padding=(0, 3))
    grid.add_column()
    grid.add_column(justify="right", min_width=9)
    grid.add_column()
    late, twice = tally.published[Kind.LATE], tally.published[Kind.DUPLICATE]
    grid.add_row("events in", f"{tally.total:,}", f"now {rate:,.0f} /s, {late:,} late, {twice:,} duplicates")
    grid.add_row(
        "charge lines",
        f"{tally.lines:,}",
        f"event to charge p50 {milliseconds(tally.percentile(0.5))}, p99 {milliseconds(tally.percentile(0.99))}",
    )
    grid.add_row("lag", f"{max(tally.in_flight, 0):,}", "events published and not charged yet")
    return Panel(grid, title="pipeline", title_align="left", border_style="dim")


def charges(tally: Tally) -> Table:
    """Charges by plan and model."""
    table = Table(title="charges by plan and model", title_justify="left", box=None, header_style="bold")
    for name in ("plan", "model", "lines", "amount (USD)"):
        table.add_column(name, justify="left" if name in ("plan", "model") else "right")
    for (plan, model), amount in sorted(tally.amounts.items()):
        table.add_row(plan, model, f"{tally.line_counts[plan, model]:,}", money(amount))
    table.add_row("all", "", f"{tally.lines:,}", money(sum(tally.amounts.values())), style="bold")
    return table


def rejections(tally: Tally) -> Table:
    """Rejected events by reason."""
    table = Table(title="rejected by reason", title_justify="left", box=None, header_style="bold")
    table.add_column("reason", min_width=17)
    table.add_column("events", justify="right")
    for code, count in sorted(tally.rejected.items()):
        table.add_row(code, f"{count:,}")
    table.add_row("all", f"{tally.rejected.total():,}", style="bold")
    return table


def line(tally: Tally, elapsed: float, rate: float) -> str:
    """The board in one plain line, where there is no terminal."""
    return (
        f"{elapsed:5.0f} s  in {tally.total:,} ({rate:,.0f}/s)  lines {tally.lines:,}  "
        f"amount {money(sum(tally.amounts.values()))} USD  rejected {tally.rejected.total():,}  "
        f"lag {max(tally.in_flight, 0):,}  p50 {milliseconds(tally.percentile(0.5))}  "
        f"p99 {milliseconds(tally.percentile(0.99))}"
    )


def summary(console: Console, tally: Tally, seconds: float) -> None:
    """What came of the run."""
    console.print()
    console.print(tables(tally))
    console.print()
    duplicates, late, bad = (tally.published[kind] for kind in (Kind.DUPLICATE, Kind.LATE, Kind.BAD))
    console.print(
        f"{tally.total:,} events in {seconds:,.0f} s, of them {duplicates:,} duplicates, {late:,} late, {bad:,} unusable: "
        f"{tally.lines:,} charge lines, {money(sum(tally.amounts.values()))} USD, of it {money(tally.credits)} paid by "
        f"credits; {tally.rejected.total():,} rejected."
    )
    console.print(
        f"event to charge: p50 {milliseconds(tally.percentile(0.5))}, p99 {milliseconds(tally.percentile(0.99))}"
        + (
            f"; {tally.in_flight:,} events still under way"
            if tally.in_flight
            else "; every event is accounted for"
        )
    )
