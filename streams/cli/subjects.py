"""`azotte register-subject`, `remove-subject`: whose usage it is."""

from __future__ import annotations

from typing import Annotated

import typer

from streams.cli.send import Account, AsJson, At, CommandId, Tenant, name, pairs, send

Subject = Annotated[
    str, typer.Argument(metavar="SUBJECT", help="The user, team or API key.", show_default=False)
]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("register-subject")(register_subject)
    app.command("remove-subject")(remove_subject)


def register_subject(
    account: Account,
    subject: Subject,
    group: Annotated[
        list[str] | None,
        typer.Option(help="kind=group, like team=search: what $subject.team reads; may be given again."),
    ] = None,
    tenant: Tenant = "default",
    command_id: CommandId = None,
    time: At = None,
    as_json: AsJson = False,
) -> None:
    """Make a user, a team or an API key part of an account, or put it in other groups."""
    fields = {
        "type": "register_subject",
        "subject": name("SUBJECT", subject),
        "groups": pairs("--group", group or []),
    }
    send(fields, tenant, account, command_id, time, as_json)


def remove_subject(
    account: Account,
    subject: Subject,
    tenant: Tenant = "default",
    command_id: CommandId = None,
    time: At = None,
    as_json: AsJson = False,
) -> None:
    """Take a subject from its account."""
    send(
        {"type": "remove_subject", "subject": name("SUBJECT", subject)},
        tenant,
        account,
        command_id,
        time,
        as_json,
    )
