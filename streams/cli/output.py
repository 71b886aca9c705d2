"""How the command line speaks: data to stdout, one sentence of error to stderr, exit statuses 0, 1 and 2.

Rich is imported where it draws, not here: a command that prints JSON starts without it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from streams.settings import Settings

FAILED = 1
WRONG_USAGE = 2


def fail(message: object, code: int = FAILED) -> NoReturn:
    """End the command: one sentence on stderr, exit status `code`."""
    note(f"azotte: {' '.join(str(message).split())}")
    raise typer.Exit(code)


def unreadable(what: object, error: OSError, remedy: str = "") -> NoReturn:
    """A file that the command line names and that cannot be read: wrong usage, whichever command it is."""
    why = (error.strerror or str(error)).lower()
    fail(f"{what} cannot be read: {why}{remedy and '; '}{remedy}", WRONG_USAGE)


def none_of(option: str, value: str, known: Iterable[str]) -> NoReturn:
    """A value that is none of those which an option takes: wrong usage, with what may have been meant."""
    from streams.settings_errors import did_you_mean

    names = list(known)
    fail(f"{option} {value} is none of {', '.join(names)}{did_you_mean(value, names)}", WRONG_USAGE)


def note(message: str) -> None:
    """A line for people, on stderr, so that stdout holds only data."""
    print(message, file=sys.stderr, flush=True)


def say(message: str = "") -> None:
    """A line of a command's answer, on stdout."""
    print(message, flush=True)


def counted(number: int, noun: str) -> str:
    """`1 event`, `2,000 events`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def print_json(value: Any) -> None:
    """One JSON document on one line, on stdout."""
    print(json.dumps(value, ensure_ascii=False, separators=(", ", ": ")), flush=True)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], title: str | None = None) -> None:
    """Rows as a table for people; numbers are to the right."""
    from rich.table import Table

    table = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for index, column in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[index], int) for row in rows)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    console().print(table)


def print_fields(fields: Mapping[str, object]) -> None:
    """Names and values, a line each."""
    width = max((len(name) for name in fields), default=0)
    for name, value in fields.items():
        say(f"{name:<{width}}  {'' if value is None else value}".rstrip())


def console(stderr: bool = False) -> Console:
    """A rich console; without a terminal it is wide, so that lines do not break where nobody looks."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or os.environ.get("COLUMNS") else 160
    return Console(stderr=stderr, width=width, highlight=False, soft_wrap=False)


def settings_or_fail() -> Settings:
    """The settings, or the command ends with what is wrong in them."""
    from streams.settings import load_settings
    from streams.settings_errors import SettingsInvalid

    try:
        return load_settings()
    except SettingsInvalid as error:
        fail(error)
