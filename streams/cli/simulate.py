"""`azotte simulate`: the whole rating offline, over events and commands of a file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from streams.cli.output import FAILED, WRONG_USAGE, fail, note, print_table, say, unreadable

VALUE_SHOWN = 200
"""Characters of a value in the table; --json prints all."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(simulate)


def simulate(
    catalog: Annotated[
        Path, typer.Option("--catalog", help="The catalog, YAML or JSON.", show_default=False)
    ],
    input_: Annotated[
        Path,
        typer.Option(
            "--input", help='Lines of {"event": …} and {"command": …}; - is stdin.', show_default=False
        ),
    ],
    until: Annotated[
        str | None, typer.Option("--until", help="Advance the clock to this time at the end.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print every output record, a line each.")] = False,
) -> None:
    """Run the whole rating offline and print what comes out, in order."""
    from rating.errors import TimeError
    from rating.times import parse_time
    from streams.cli.catalog import load_file
    from streams.simulate import Simulation

    loaded = load_file(str(catalog), f"--catalog {catalog}")
    if loaded.doc is None:
        for problem in loaded.problems:
            note(f"azotte: {problem}")
        raise typer.Exit(FAILED)
    try:
        end = None if until is None else parse_time(until)
    except TimeError as error:
        fail(f"--until: {error}", WRONG_USAGE)
    run = Simulation(loaded.doc)
    rows: list[tuple[object, ...]] = []
    for value, is_command in _inputs(input_):
        for shown in run.take(value, is_command):
            _show(shown, as_json, rows)
    for shown in run.advance(end) if end is not None else ():
        _show(shown, as_json, rows)
    if not as_json:
        print_table(("topic", "key", "what"), rows)
    for name, fault in run.parked.items():
        note(f"azotte: account {name} is parked at {fault}")
    if run.parked:
        raise typer.Exit(FAILED)


def _inputs(path: Path) -> Iterator[tuple[bytes, bool]]:
    try:
        source = sys.stdin.buffer if str(path) == "-" else path.open("rb")
    except OSError as error:
        unreadable(f"--input {path}", error)
    with source:
        for number, line in enumerate(source, 1):
            if line.strip():
                yield _input(number, line)


def _input(number: int, line: bytes) -> tuple[bytes, bool]:
    remedy = 'write {"event": {…}} or {"command": {…}}'
    try:
        found = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        fail(f"--input: line {number} is not a JSON object ({str(error) or 'nested too deep'}): {remedy}")
    if len(found) != 1 or not found.keys() <= {"event", "command"}:
        fail(f"--input: line {number} has {', '.join(found) or 'no member'}: {remedy}")
    (kind, value), *_ = found.items()
    return bytes(value), kind == "command"


def _show(shown: Any, as_json: bool, rows: list[tuple[object, ...]]) -> None:
    if as_json:
        say(_line(shown))
        return
    value = (shown.value or b"").decode("utf-8", "replace")[:VALUE_SHOWN]
    said = dict(shown.headers)
    why = f"{said['error']}: {said['error_detail']}: " if "error" in said else ""
    rows.append((shown.topic, shown.key, why + value))


def _line(shown: Any) -> str:
    value: Any = None
    if shown.value is not None:
        try:
            msgspec.json.decode(shown.value)
            value = msgspec.Raw(shown.value)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            value = shown.value.decode("utf-8", "replace")
    record = {"topic": shown.topic, "key": shown.key, "value": value}
    if shown.headers:
        record["headers"] = dict(shown.headers)
    return msgspec.json.encode(record).decode()
