"""`azotte subscribe`, `cancel`, `grant`, `void-grant`, `unpark`: commands about an account."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from streams import clock
from streams.cli.output import WRONG_USAGE, fail
from streams.cli.send import (
    Account,
    AsJson,
    At,
    CommandId,
    Tenant,
    decimal,
    document,
    moment,
    name,
    pairs,
    send,
)


class When(StrEnum):
    """When a change takes effect."""

    now = "now"
    period_end = "period_end"


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("subscribe")(subscribe)
    app.command("cancel")(cancel)
    app.command("grant")(grant)
    app.command("void-grant")(void_grant)
    app.command("unpark")(unpark)


def subscribe(
    account: Account,
    plan: Annotated[
        str, typer.Argument(metavar="PLAN", help="The plan's key in the catalog.", show_default=False)
    ],
    subscription: Annotated[str | None, typer.Option(help="Its name. [unless given: the plan's key]")] = None,
    plan_version: Annotated[
        int | None, typer.Option(help="The plan's version. [unless given: the newest]")
    ] = None,
    start: Annotated[
        str | None, typer.Option(help="Its start, RFC 3339. [unless given: the command's time]")
    ] = None,
    anchor: Annotated[
        str | None, typer.Option(help="A time, `start` or `trial_end`: count periods from it.")
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(help="The time zone of its periods, like Europe/Berlin.")
    ] = None,
    currency: Annotated[str | None, typer.Option(help="The currency, where the plan has several.")] = None,
    storefront: Annotated[str | None, typer.Option(help="The storefront that sold it.")] = None,
    region: Annotated[str | None, typer.Option(help="The region it was sold in.")] = None,
    channel: Annotated[str | None, typer.Option(help="The channel it was sold through.")] = None,
    subject: Annotated[
        list[str] | None, typer.Option(help="A subject of the account; may be given again.")
    ] = None,
    parent: Annotated[
        str | None, typer.Option(help="The account above this one; only in the account's first command.")
    ] = None,
    quantity: Annotated[list[str] | None, typer.Option(help="fee=n; may be given again.")] = None,
    trial: Annotated[bool, typer.Option(help="Begin with the plan's trial, where it has one.")] = True,
    overrides: Annotated[
        str | None, typer.Option(help="Overrides as JSON or YAML, or the file they are in.")
    ] = None,
    tenant: Tenant = "default",
    command_id: CommandId = None,
    time: At = None,
    as_json: AsJson = False,
) -> None:
    """Subscribe an account to a plan."""
    time = moment("--time", time) or moment("--time", _now())
    fields = {
        "type": "subscribe",
        "subscription": name("--subscription", subscription or plan),
        "plan": plan,
        "plan_version": plan_version,
        "start": moment("--start", start) or time,
        "anchor": anchor if anchor in (None, "start", "trial_end") else moment("--anchor", anchor),
        "timezone": timezone,
        "currency": currency,
        "storefront": storefront,
        "region": region,
        "channel": channel,
        "subjects": [name("--subject", item) for item in subject or []],
        "parent": parent if parent is None else name("--parent", parent),
        "quantities": {
            fee: decimal("--quantity", n) for fee, n in pairs("--quantity", quantity or []).items()
        },
        "trial": None if trial else False,
        "overrides": document("--overrides", overrides),
    }
    send(fields, tenant, account, command_id, time, as_json)


def _now() -> str:
    from rating.times import format_time

    return format_time(clock.now())


def cancel(
    account: Account,
    subscription: Annotated[
        str, typer.Argument(metavar="SUBSCRIPTION", help="The subscription's name.", show_default=False)
    ],
    at: Annotated[When, typer.Option(help="When it ends.")] = When.period_end,
    prorate: Annotated[
        bool | None, typer.Option(help="Give fees back in part, in place of their own rule.")
    ] = None,
    tenant: Tenant = "default",
    command_id: CommandId = None,
    time: At = None,
    as_json: AsJson = False,
) -> None:
    """End a subscription, at its period's end or now."""
    fields = {
        "type": "cancel",
        "subscription": name("SUBSCRIPTION", subscription),
        "at": at.value,
        "prorate": prorate,
    }
    send(fields, tenant, account, command_id, time, as_json)


def grant(
    account: Account,
    amount: Annotated[
        str,
        typer.Argument(metavar="AMOUNT", help="How much, a decimal like 100 or 12.50.", show_default=False),
    ],
    unit: Annotated[
        str,
        typer.Argument(metavar="UNIT", help="A currency, like USD, or a credit unit.", show_default=False),
    ],
    grant: Annotated[
        str | None, typer.Option(help="The grant's name. [unless given: the command's id]")
    ] = None,
    priority: Annotated[int | None, typer.Option(min=0, help="0 burns first. [unless given: 50]")] = None,
    effective_from: Annotated[
        str | None, typer.Option(help="Pays usage from this time on. [the command's]")
    ] = None,
    expires_at: Annotated[
        str | None, typer.Option(help="Pays usage before this time. [never expires]")
    ] = None,
    rollover: Annotated[
        str | None, typer.Option(help="min:max of what stays at a period's end, like 0:250.")
    ] = None,
    charge: Annotated[
        list[str] | None, typer.Option(help="Pay this charge or fee only; may be given again.")
    ] = None,
    meter: Annotated[
        list[str] | None, typer.Option(help="Pay this meter's charges only; may be given again.")
    ] = None,
    tenant: Tenant = "default",
    command_id: CommandId = None,
    time: At = None,
    as_json: AsJson = False,
) -> None:
    """Grant credits to an account."""
    import uuid

    command_id = command_id or f"cmd_{uuid.uuid4().hex}"
    applies = {"charges": charge, "meters": meter}
    fields = {
        "type": "grant_credits",
        "grant": name("--grant", grant or command_id),
        "amount": decimal("AMOUNT", amount),
        "unit": unit,
        "priority": priority,
        "effective_from": moment("--effective-from", effective_from),
        "expires_at": moment("--expires-at", expires_at),
        "rollover": None if rollover is None else _rollover(rollover),
        "applies_to": {key: items for key, items in applies.items() if items},
    }
    send(fields, tenant, account, command_id, time, as_json)


def _rollover(text: str) -> dict[str, str | None]:
    low, colon, high = text.partition(":")
    if not colon:
        fail(f"--rollover {text!r} is not min:max, like 0:250", WRONG_USAGE)
    return {"min": decimal("--rollover", low or "0"), "max": decimal("--rollover", high)}


def void_grant(
    account: Account,
    grant: Annotated[str, typer.Argument(metavar="GRANT", help="The grant's name.", show_default=False)],
    amount: Annotated[
        str | None, typer.Option(help="How much to take back. [unless given: all that is left]")
    ] = None,
    tenant: Tenant = "default",
    command_id: CommandId = None,
    time: At = None,
    as_json: AsJson = False,
) -> None:
    """Take back what is left of a grant."""
    fields = {"type": "void_grant", "grant": name("GRANT", grant), "amount": decimal("--amount", amount)}
    send(fields, tenant, account, command_id, time, as_json)


def unpark(
    account: Annotated[
        str | None,
        typer.Argument(metavar="[ACCOUNT]", help="The account; the tenant's own limits unless given."),
    ] = None,
    tenant: Tenant = "default",
    command_id: CommandId = None,
    time: At = None,
    as_json: AsJson = False,
) -> None:
    """Let an account that an internal fault stopped go on from where it stopped."""
    send({"type": "unpark"}, tenant, account, command_id, time, as_json)
