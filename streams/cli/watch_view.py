"""How an account that is watched looks: access, limits, credits. It fits 80 columns where names are short."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from streams.cli.watch_state import Record, Watched, text

NUMBERS = frozenset({"used", "included", "balance", "value", "amount"})
TIMES = frozenset({"resets_at", "since", "time"})
LIMITS = ("limit", "scope", "reached", "value", "amount", "action", "since")


class _Name(NamedTuple):
    """A limit, and the subject whose own window it is."""

    limit: str
    subject: str


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
        _table("limits", LIMITS, _limits(watched)),
        Text(),
        _table("credits", ("grant", "balance", "unit", "entry", "time"), credits_left),
    )


def _features(watched: Watched) -> Iterable[Record]:
    for name, record in sorted(watched.features.items()):
        yield {**record, "feature": name, "access": "yes" if record.get("access") else "no"}


def _limits(watched: Watched) -> Iterable[Record]:
    """One row a limit and subject, and a subscription where several have it: those that are breached first. What it comes to
    is the entitlements' word where they have it, since a crossing says what it was then."""
    now = _values(watched)
    rows: dict[tuple[str, ...], dict[str, Any]] = {}
    for crossing in sorted(watched.thresholds.values(), key=lambda each: text(each.get("time"))):
        name = _Name(text(crossing.get("limit")), _subject(crossing.get("scope")))
        row = rows.setdefault((*name, text(crossing.get("subscription"))), {"reached": ""})
        row |= {
            **{field: crossing.get(field) for field in ("limit", "value", "amount", "action")},
            **now.get(name, {}),
            "scope": f"of {name.subject}" if name.subject else crossing.get("scope"),
            "since": crossing.get("time"),
        }
        if crossing.get("state") == "breached":
            row["reached"] = _mark(crossing.get("threshold"))
    for name in now.keys() - {_Name(*key[:2]) for key in rows}:
        scope = f"of {name.subject}" if name.subject else ""
        rows[(*name, "")] = {"limit": name.limit, "scope": scope, "reached": "", **now[name]}
    return [rows[key] for key in sorted(rows, key=lambda each: (not rows[each]["reached"], each))]


def _values(watched: Watched) -> dict[_Name, Mapping[str, Any]]:
    """What limits come to, as the entitlements say: of a subject's record, those that are not the account's."""
    found: dict[_Name, Mapping[str, Any]] = {}
    for record in sorted(watched.features.values(), key=lambda each: text(each.get("subject"))):
        for each in record.get("limits") or ():
            limit, subject = text(each.get("limit")), text(record.get("subject"))
            if _Name(limit, "") not in found or not subject:
                found[_Name(limit, subject)] = {"value": each.get("value"), "amount": each.get("amount")}
    return found


def _subject(scope: Any) -> str:
    return text(scope.get("subject")) if isinstance(scope, Mapping) else ""


def _mark(threshold: Any) -> str:
    """A threshold as it is shown: `80%`, or the value of one that is absolute."""
    return text(threshold.get("at")) if isinstance(threshold, Mapping) else f"{text(threshold)}%"


def _shown(name: str, row: Record) -> str:
    """A cell. Times without what is nothing: a microsecond is rarely the point."""
    found = text(row.get(name))
    return found.removesuffix("Z").removesuffix(".000000").replace("T", " ") if name in TIMES else found


def _table(title: str, columns: Sequence[str], rows: Iterable[Record]) -> Table:
    table = Table(title=title, title_justify="left", box=None, header_style="bold", pad_edge=False)
    for name in columns:
        table.add_column(
            name, justify="right" if name in NUMBERS else "left", overflow="fold", no_wrap=name in TIMES
        )
    for row in rows:
        bad = row.get("access") == "no" or bool(row.get("reached"))
        table.add_row(*(_shown(name, row) for name in columns), style="red" if bad else None)
    if not table.rows:
        table.add_row("–")
    return table
