"""`azotte retract`, `amend`: usage that should not have been, or should have been otherwise."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import typer

from streams.cli.output import WRONG_USAGE, fail
from streams.cli.send import Account, AsJson, At, CommandId, Tenant, document, send

Was = Annotated[
    str, typer.Option("--was", help="The event as it was accepted: JSON, or its file.", show_default=False)
]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("retract")(retract)
    app.command("amend")(amend)


def retract(
    account: Account,
    was: Was,
    tenant: Tenant = "default",
    command_id: CommandId = None,
    time: At = None,
    as_json: AsJson = False,
) -> None:
    """Take back a usage event."""
    send({"type": "retract_usage", **_named("--was", was)}, tenant, account, command_id, time, as_json)


def amend(
    account: Account,
    was: Was,
    now: Annotated[str, typer.Option("--now", help="The event as it should have been.", show_default=False)],
    tenant: Tenant = "default",
    command_id: CommandId = None,
    time: At = None,
    as_json: AsJson = False,
) -> None:
    """Replace a usage event by what it should have been."""
    new = document("--now", now)
    if not new:
        fail("--now is an event without anything in it: give it as it should have been", WRONG_USAGE)
    fields = {"type": "amend_usage", **_named("--was", was), "now": new}
    send(fields, tenant, account, command_id, time, as_json)


def _named(option: str, text: str) -> dict[str, Any]:
    """The event, with its source and id as the command names them."""
    event = document(option, text) or {}
    named = {attribute: _text(event.get(attribute)) for attribute in ("source", "id")}
    for attribute, value in named.items():
        if value is None:
            fail(f"{option} is an event without {attribute}: give it as it was accepted", WRONG_USAGE)
    return {"source": named["source"], "event_id": named["id"], "was": event}


def _text(value: Any) -> str | None:
    """A member's text, from JSON as it is written or from YAML."""
    if isinstance(value, msgspec.Raw):
        value = msgspec.json.decode(value)
    return value if isinstance(value, str) and value else None
