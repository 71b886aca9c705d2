"""How an account that is watched looks: access, limits, credits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from streams.cli.watch_state import Record, Watched, text

NUMBERS = frozenset({"used", "included", "balance", "value", "amount"})


def view(title: str, watched: Watched) -> RenderableType:
    """The account as it stands."""
    credits_left = [each for _, each in sorted(watched.grants.items()) if text(each.get("balance")) != "0"]
    return Group(
        Text.assemble((title, "bold"), "   Ctrl-C ends it"),
        Text(),
        _table(
            "access",
            ("feature", "access", "reason", "used", "included", "balance", "resets_at"),
            _features(watched),
        ),
        Text(),
        _table(
            "limits",
            ("limit", "scope", "threshold", "state", "value", "amount", "action", "time"),
            _limits(watched),
        ),
        Text(),
        _table("credits", ("grant", "balance", "unit", "entry", "time"), credits_left),
    )


def _features(watched: Watched) -> Iterable[Record]:
    for name, record in sorted(watched.features.items()):
        yield {**record, "feature": name, "access": "yes" if record.get("access") else "no"}


def _limits(watched: Watched) -> Iterable[Record]:
    """Breached ones first, the newest of each kind first."""
    ordered = sorted(watched.thresholds.values(), key=lambda each: text(each.get("time")), reverse=True)
    return sorted(ordered, key=lambda each: each.get("state") != "breached")


def _table(title: str, columns: Sequence[str], rows: Iterable[Record]) -> Table:
    table = Table(title=title, title_justify="left", box=None, header_style="bold", pad_edge=False)
    for name in columns:
        table.add_column(name, justify="right" if name in NUMBERS else "left", overflow="fold")
    for row in rows:
        bad = row.get("access") == "no" or row.get("state") == "breached"
        table.add_row(*(text(row.get(name)) for name in columns), style="red" if bad else None)
    if not table.rows:
        table.add_row("–")
    return table
