"""`azotte limit set|remove`: limits of an account's own."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Any

import typer

from streams.cli.output import WRONG_USAGE, fail
from streams.cli.send import Account, AsJson, At, CommandId, Tenant, decimal, name, send


class Metric(StrEnum):
    """What is bounded."""

    spend = "spend"
    usage = "usage"
    balance = "balance"


class Action(StrEnum):
    """What happens while the amount is reached."""

    notify = "notify"
    block = "block"
    suspend = "suspend"
    throttle = "throttle"
    downgrade = "downgrade"
    end_trial = "end_trial"
    top_up = "top_up"


class Overshoot(StrEnum):
    """What becomes of usage beyond a hard limit."""

    bill = "bill"
    waive = "waive"


Limit = Annotated[str, typer.Argument(metavar="LIMIT", help="The limit's key.", show_default=False)]
Subscription = Annotated[str | None, typer.Option(help="Of this subscription only.")]
Scope = Annotated[
    str | None, typer.Option(help="subscription, account, subject (each) or subject:ID. [subscription]")
]
_WINDOW = re.compile(r"(\d+[smhd])(?::(first_use|sliding))?")


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    group = typer.Typer(
        help="Set and remove limits of an account's own.", no_args_is_help=True, rich_markup_mode=None
    )
    group.command("set")(set_limit)
    group.command("remove")(remove_limit)
    app.add_typer(group, name="limit")


def set_limit(
    account: Account,
    limit: Limit,
    metric: Annotated[Metric, typer.Option(help="What is bounded.", show_default=False)],
    amount: Annotated[str, typer.Option(help="The bound, a decimal.", show_default=False)],
    currency: Annotated[str | None, typer.Option(help="Of spend.")] = None,
    unit: Annotated[str | None, typer.Option(help="Of balance: a currency or a credit unit.")] = None,
    meter: Annotated[str | None, typer.Option(help="What usage counts, or spend sums. [all charges]")] = None,
    feature: Annotated[str | None, typer.Option(help="The same, by its feature.")] = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--filter", help="property=value; may be given again, for one property too."),
    ] = None,
    window: Annotated[
        str | None,
        typer.Option(help="period, day, week, month, 5h (from the first use) or 7d:sliding. [period]"),
    ] = None,
    scope: Scope = None,
    threshold: Annotated[
        list[str] | None, typer.Option(help="Percent, at:VALUE or every:VALUE; may be given again. [100]")
    ] = None,
    hard: Annotated[
        bool, typer.Option("--hard", help="Act at the amount: block, unless --action suspend.")
    ] = False,
    action: Annotated[
        Action | None, typer.Option(help="What it does. [notify; block where it is hard]")
    ] = None,
    deny: Annotated[
        list[str] | None, typer.Option("--block", help="A feature that it blocks; may be given again.")
    ] = None,
    overshoot: Annotated[
        Overshoot | None, typer.Option(help="Usage beyond a hard spend limit. [bill]")
    ] = None,
    throttle: Annotated[str | None, typer.Option(help="For --action throttle: 10/1m.")] = None,
    plan: Annotated[str | None, typer.Option(help="For --action downgrade: the plan to change to.")] = None,
    restore: Annotated[bool, typer.Option(help="And back when the limit recovers.")] = True,
    top_up: Annotated[str | None, typer.Option(help="For --action top_up: how much to buy.")] = None,
    cool_down: Annotated[str | None, typer.Option(help="No second top-up within this. [1h]")] = None,
    subscription: Subscription = None,
    tenant: Tenant = "default",
    command_id: CommandId = None,
    time: At = None,
    as_json: AsJson = False,
) -> None:
    """Set a limit, or another in its place; over a plan's of the same key it stands until it is removed."""
    fields: dict[str, Any] = {
        "key": limit,
        "metric": metric.value,
        "amount": decimal("--amount", amount),
        "currency": currency,
        "unit": unit,
        "meter": meter,
        "feature": feature,
        "filter": _values(only or []),
        "window": None if window is None else _window(window),
        "scope": None if scope is None else _scope(scope),
        "thresholds": [_threshold(each) for each in threshold or []],
        "hard": hard or None,
        "action": action and action.value,
        "features": deny or [],
        "overshoot": overshoot and overshoot.value,
        "throttle": None if throttle is None else _throttle(throttle),
        "plan": plan,
        "restore": None if restore else False,
        "top_up": decimal("--top-up", top_up),
        "cool_down": cool_down,
    }
    given = {key: each for key, each in fields.items() if each is not None and each != [] and each != {}}
    command = {"type": "set_limit", "limit": given, "subscription": subscription}
    send(command, tenant, account, command_id, time, as_json)


def remove_limit(
    account: Account,
    limit: Limit,
    scope: Scope = None,
    subscription: Subscription = None,
    tenant: Tenant = "default",
    command_id: CommandId = None,
    time: At = None,
    as_json: AsJson = False,
) -> None:
    """Remove a limit that was set; a plan's of the same key holds again."""
    named: Any = limit if scope is None else {"key": limit, "scope": _scope(scope)}
    command = {"type": "remove_limit", "limit": named, "subscription": subscription}
    send(command, tenant, account, command_id, time, as_json)


def _values(given: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in given:
        key, equals, value = each.partition("=")
        if not equals or not key:
            fail(f"--filter {each!r} is not property=value", WRONG_USAGE)
        found.setdefault(key, []).append(value)
    return found


def _window(text: str) -> Any:
    if text in ("period", "day", "week", "month"):
        return text
    found = _WINDOW.fullmatch(text)
    if found is None:
        fail(f"--window {text!r} is not period, day, week, month, 5h or 7d:sliding", WRONG_USAGE)
    return {"length": found[1], "start": found[2] or "first_use"}


def _scope(text: str) -> Any:
    word, colon, subject = text.partition(":")
    return {"subject": name("--scope subject:", subject)} if colon and word == "subject" else text


def _threshold(text: str) -> Any:
    word, colon, value = text.partition(":")
    if not colon:
        return decimal("--threshold", text)
    if word not in ("at", "every"):
        fail(f"--threshold {text!r} is not a percentage, at:VALUE or every:VALUE", WRONG_USAGE)
    return {word: decimal("--threshold", value)}


def _throttle(text: str) -> dict[str, Any]:
    rate, slash, per = text.partition("/")
    if not slash:
        fail(f"--throttle {text!r} is not rate/time, like 10/1m", WRONG_USAGE)
    return {"rate": decimal("--throttle", rate), "per": per}
