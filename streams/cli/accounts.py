"""`azotte account`: what an account itself is, and under which other account it is."""

from __future__ import annotations

from typing import Annotated

import typer

from streams.cli.send import Account, AsJson, At, CommandId, Tenant, pairs, send
from streams.cli.send import name as checked


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("account")(account)


def account(
    account: Account,
    parent: Annotated[
        str | None, typer.Option(help="The account above this one; only in the account's first command.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Its name, for people.")] = None,
    timezone: Annotated[
        str | None,
        typer.Option(help="Its time zone, like Europe/Berlin: its later subscriptions begin in it."),
    ] = None,
    metadata: Annotated[
        list[str] | None,
        typer.Option(help="key=text; may be given again. Replaces all that was noted before."),
    ] = None,
    tenant: Tenant = "default",
    command_id: CommandId = None,
    time: At = None,
    as_json: AsJson = False,
) -> None:
    """Set an account's parent, name, time zone and notes."""
    fields = {
        "type": "set_account",
        "parent": parent if parent is None else checked("--parent", parent),
        "name": name,
        "timezone": timezone,
        "metadata": pairs("--metadata", metadata or []),
    }
    send(fields, tenant, account, command_id, time, as_json)
