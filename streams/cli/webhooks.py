"""`azotte webhooks`: try an address, send dead letters again, make a secret."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams import clock
from streams.cli.output import (
    WRONG_USAGE,
    fail,
    none_of,
    note,
    print_fields,
    print_json,
    say,
    settings_or_fail,
)
from streams.cli.redrive import since_or_fail

if TYPE_CHECKING:
    from streams.notify.addresses import Address
    from streams.settings import Settings

SECRET_BYTES = 32
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    group = typer.Typer(
        help="Try an address, send dead letters again, make a secret.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.command("test")(try_once)
    group.command("retry")(retry)
    group.command("secret")(secret)
    app.add_typer(group, name="webhooks")


def try_once(
    address: Annotated[
        str, typer.Argument(metavar="ADDRESS", help="Its name in the settings.", show_default=False)
    ],
    kind: Annotated[str, typer.Option("--type", help="The type of the sample.")] = "threshold.breached",
    as_json: AsJson = False,
) -> None:
    """Send a signed sample to an address, once, and print the answer."""
    import asyncio

    from schemas.webhooks import TYPES
    from streams.cli.webhook_samples import sample

    settings = settings_or_fail()
    _known(settings, address)
    if kind not in TYPES:
        none_of("--type", kind, TYPES)
    name, body = sample(kind, clock.now())
    began = clock.monotonic()
    answer = asyncio.run(_once(settings, address, name, body))
    found: dict[str, Any] = {
        "address": address,
        "host": settings.webhooks[address].host,
        "webhook-id": name,
        "status": answer.status,
        "answer": answer.words,
        "body": answer.body,
        "milliseconds": round((clock.monotonic() - began) * 1e3),
    }
    (print_json if as_json else print_fields)(found)
    if not answer.taken:
        fail(f"{address} does not take it: {answer.words}")


def _known(settings: Settings, name: str) -> Address:
    from streams.settings_errors import did_you_mean

    if name not in settings.webhooks:
        have = f": they have {', '.join(settings.webhooks) or 'none, see docs/webhooks.md'}"
        fail(
            f"the settings have no address {name}{did_you_mean(name, settings.webhooks) or have}", WRONG_USAGE
        )
    return settings.webhooks[name]


async def _once(settings: Settings, address: str, name: str, body: bytes) -> Any:
    import random

    from sinks.webhooks import post
    from streams.notify.courier import Courier

    courier = Courier(settings, address, lambda: False, clock.now, random.random)
    async with post.session(settings.webhook_timeout / 1e6) as session:
        return await courier.send(session, name, body)


def retry(
    address: Annotated[
        list[str] | None, typer.Option(help="Only this one's; may be given again. [every address]")
    ] = None,
    since: Annotated[str | None, typer.Option(help="Dead since this time, or this long: 2h, 7d.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count them.")] = False,
    as_json: AsJson = False,
) -> None:
    """Send dead letters again, each once, with the ids that they had. What is not taken stays a dead letter."""
    from streams.cli.publish import reach
    from streams.notify.resend import Resend

    settings = settings_or_fail()
    for name in address or ():
        _known(settings, name)
    start = 0 if since is None else since_or_fail(since)
    reach(settings)
    wanted = address or list(settings.webhooks)
    resend = Resend(settings, start)
    if not dry_run:
        for line in resend.send(wanted):
            note(line)
    found = {"sent": resend.sent, "failed": resend.failed, "left": dict(sorted(resend.left().items()))}
    _show(found, settings, as_json)
    if resend.failed:
        fail(f"{resend.failed:,} were not taken")


def _show(found: dict[str, Any], settings: Settings, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    say(f"sent {found['sent']:,}, not taken {found['failed']:,}")
    left: Counter[str] = Counter(found["left"])
    for name, count in left.items():
        more = "" if name in settings.webhooks else ", which the settings do not have"
        say(f"{count:,} dead letters of {name}{more}")


def secret() -> None:
    """Make a secret for an address: random, as Standard Webhooks writes it."""
    import base64
    import secrets

    from sinks.webhooks.signing import PREFIX

    say(PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode())
