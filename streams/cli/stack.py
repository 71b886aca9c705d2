"""`azotte up`, `down`, `status`, `doctor`: the local stack."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import typer

from streams.cli.output import fail, note, print_fields, print_json, print_table, say, settings_or_fail

Result = TypeVar("Result")
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(up)
    app.command()(down)
    app.command()(status)
    app.command()(doctor)


def up(
    json: Json = False,
    docker: Annotated[
        bool, typer.Option("--docker", help="Start deploy/compose.yaml instead, where Docker answers.")
    ] = False,
) -> None:
    """Start the local stack: broker, ClickHouse, topics, tables. What runs already is left alone."""
    from streams.stack import compose, stack

    settings = settings_or_fail()
    if docker:
        settings = _guarded(lambda: compose.up(settings))
    # The contract's answer is JSON; a person at a terminal gets two lines.
    as_json = json or not sys.stdout.isatty()
    _show(_guarded(lambda: stack.up(settings, lambda words: note(f"… {words}"))), as_json)


def down(
    purge: Annotated[bool, typer.Option("--purge", help="Delete its data too.")] = False,
    docker: Annotated[bool, typer.Option("--docker", help="Stop deploy/compose.yaml instead.")] = False,
) -> None:
    """Stop the local stack; its data stays unless --purge."""
    from streams.stack import compose, stack

    settings = settings_or_fail()
    if docker:
        _guarded(lambda: compose.down(settings, purge))
        return
    stopped = _guarded(lambda: stack.down(settings, purge))
    say(f"stopped {' and '.join(stopped)}" if stopped else "nothing of the local stack was running")


def status(json: Json = False) -> None:
    """Show where the stack is and whether it answers."""
    from streams.stack import stack

    settings = settings_or_fail()
    _show(_guarded(lambda: stack.status(settings)), json)


def doctor(json: Json = False) -> None:
    """Check what the stack needs, part by part, and say what to do about what is missing."""
    from streams.stack import doctor as checks

    settings = settings_or_fail()
    found = _guarded(lambda: checks.run(settings))
    if json:
        print_json([check._asdict() for check in found])
    else:
        print_table(("check", "state", "what"), [(check.name, check.state, check.words) for check in found])
    if any(check.state == "bad" for check in found):
        raise typer.Exit(1)


def _show(described: dict[str, Any], json: bool) -> None:
    if json:
        print_json(described)
        return
    kafka, clickhouse = described["kafka"], described["clickhouse"]
    print_fields(
        {
            "kafka": f"{kafka['state']}  {kafka['bootstrap_servers']}",
            "clickhouse": f"{clickhouse['state']}  {clickhouse['url']}",
        }
    )


def _guarded(act: Callable[[], Result]) -> Result:
    from streams.stack.errors import StackError

    try:
        return act()
    except StackError as error:
        fail(error)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            fail("the disk is full: free some space, or set AZOTTE_HOME to a folder on another disk")
        fail(f"{error.strerror or error}: {error.filename or ''}".rstrip(": "))


def reachable_or_fail(settings: Any) -> None:
    """End the command where no broker answers as Kafka does."""
    from streams.cli.publish import unreachable
    from streams.stack import broker

    if not broker.answers(settings.bootstrap_servers, 5.0):
        unreachable(settings)
