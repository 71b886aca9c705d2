"""`azotte gateway`: access and events over HTTP, and the API keys for it."""

from __future__ import annotations

import enum
from typing import Annotated

import typer

from streams.cli.output import WRONG_USAGE, fail, note, say, settings_or_fail

TEXT_MAX = 64


class Scope(enum.StrEnum):
    """What a key is good for."""

    INGEST = "ingest"
    READ = "read"
    ADMIN = "admin"


def register(app: typer.Typer) -> None:
    """Add `gateway`, `gateway key` and `gateway openapi`."""
    group = typer.Typer(
        help="Answer access and take events over HTTP until told to stop.",
        invoke_without_command=True,
        rich_markup_mode=None,
    )
    group.callback()(gateway)
    group.command("key")(key)
    group.command("openapi")(openapi)
    app.add_typer(group, name="gateway")


def gateway(context: typer.Context) -> None:
    """Answer access and take events over HTTP until it is told to stop."""
    if context.invoked_subcommand is not None:
        return
    from streams.cli.stack import reachable_or_fail
    from streams.gateway.keys import load
    from streams.gateway.process import keys_path, run
    from streams.kafka import Stop

    settings = settings_or_fail()
    reachable_or_fail(settings)

    def told(address: str) -> None:
        note(f"gateway: {address} (routes in {address}/openapi.json)")
        if not load(keys_path(settings)):
            note("there is no API key yet: azotte gateway key default")

    try:
        words = run(settings, told)
    except Stop as error:
        fail(error)
    if words is not None:
        fail(words)


def key(
    tenant: Annotated[str, typer.Argument(help="The tenant that the key is of.")],
    scope: Annotated[
        list[Scope] | None, typer.Option("--scope", help="What it is good for; may be given twice. [admin]")
    ] = None,
    name: Annotated[str, typer.Option("--name", help="What to know it by in the file.")] = "",
) -> None:
    """Make an API key and print it: it is shown this once, the file holds its hash alone."""
    from schemas.catalog.scalars import ID
    from streams.gateway.keys import KeysInvalid, make
    from streams.gateway.process import keys_path

    if not ID.fullmatch(tenant) or '"' in tenant or "\\" in tenant:
        fail(
            f"tenant {tenant!r} is not an id: 1 to 128 printable ASCII characters without space and /",
            WRONG_USAGE,
        )
    if len(name) > TEXT_MAX or not name.isprintable() or set(name) & {'"', "\\"}:
        fail(f"--name {name!r} is not a text of at most {TEXT_MAX} characters without quotes", WRONG_USAGE)
    path = keys_path(settings_or_fail())
    try:
        made = make(path, tenant, [each.value for each in scope or [Scope.ADMIN]], name)
    except KeysInvalid as error:
        fail(error)
    note(f"the key is in force at once; its hash is in {path}, take it out there to end it")
    say(made)


def openapi() -> None:
    """Print the OpenAPI document, docs/openapi.json, which the gateway serves at /openapi.json."""
    import json

    from streams.gateway.openapi import document

    say(json.dumps(document(), indent=1, ensure_ascii=False))
