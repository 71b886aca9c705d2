"""What the commands that publish to `billing.commands.v1` share: the envelope, and sending it."""

from __future__ import annotations

import re
import uuid
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from rating.errors import TimeError
from rating.times import format_time, parse_time
from streams import clock
from streams.cli.output import WRONG_USAGE, fail, say, settings_or_fail, unreadable

Tenant = Annotated[str, typer.Option("--tenant", help="The tenant.")]
CommandId = Annotated[
    str | None,
    typer.Option("--id", help="The command's id: the same id is applied once. [unless given: a new one]"),
]
At = Annotated[str | None, typer.Option("--time", help="When it happens, RFC 3339. [unless given: now]")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the command that was sent, as JSON.")]
Account = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account.", show_default=False)]

_ID = re.compile(r"[!-.0-~]{1,128}")
_DECIMAL = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,12})?")


def send(
    fields: dict[str, Any],
    tenant: str,
    account: str | None,
    command_id: str | None,
    time: str | None,
    as_json: bool,
) -> None:
    """Publish one command. `fields` holds its type and what the type needs; `None` and empty ones are left out, the account
    too."""
    name("tenant", tenant)
    if account is not None:
        name("account", account)
    settings = settings_or_fail()
    moment = clock.now() if time is None else instant("--time", time)
    command: dict[str, Any] = {
        "id": name("--id", command_id) if command_id is not None else f"cmd_{uuid.uuid4().hex}",
        "tenant": tenant,
        **({} if account is None else {"account": account}),
        "type": fields["type"],
        "time": format_time(moment),
    }
    command |= {
        key: value for key, value in fields.items() if value is not None and value != [] and value != {}
    }
    publish(settings, command)
    if as_json:
        say(msgspec.json.encode(command).decode())
    else:
        say(f"sent {command['type']} for {tenant}/{account or ''}, command {command['id']}")


def publish(settings: Any, command: dict[str, Any]) -> None:
    """Check a command, put it on the topic, wait until the broker has it; ends the program in a sentence otherwise."""
    from schemas import topics
    from schemas.commands import CommandProblem, parse_command
    from streams.cli.publish import Publisher

    value = msgspec.json.encode(command)
    if isinstance(parsed := parse_command(value), CommandProblem):
        fail(f"not sent: {parsed.detail}", WRONG_USAGE)
    topic = settings.topic(topics.COMMANDS.name)
    with Publisher(settings, [topic]) as publisher:
        key = f"{command['tenant']}/{command.get('account', '')}".encode()
        publisher.send(topic, key, value, [], f"command {command['id']}")
    if publisher.failed:
        fail(f"not sent: {publisher.failed[0]}")


def name(option: str, value: str) -> str:
    """The value, or wrong usage where it is no id."""
    if _ID.fullmatch(value) is None:
        fail(
            f"{option} {value!r} is not an id: 1 to 128 printable ASCII characters without space and /",
            WRONG_USAGE,
        )
    return value


def instant(option: str, value: str) -> int:
    """Microseconds of a time given on the command line, or wrong usage."""
    try:
        return parse_time(value)
    except TimeError as error:
        fail(f"{option}: {error}", WRONG_USAGE)


def moment(option: str, value: str | None) -> str | None:
    """A time as it is written in a command."""
    return None if value is None else format_time(instant(option, value))


def decimal(option: str, value: str | None) -> str | None:
    """Decimal text as it was given, or wrong usage."""
    if value is not None and _DECIMAL.fullmatch(value) is None:
        fail(f"{option} {value!r} is not a decimal: write it like 12.50, with at most 12 digits behind the point",
             WRONG_USAGE)  # fmt: skip
    return value


def document(option: str, value: str | None) -> dict[str, Any] | None:
    """A JSON or YAML object, given as text or as the name of a file, or wrong usage.

    Members of a JSON object stay as they are written (`msgspec.Raw`), since a float would change a number; scalars of
    YAML are text.
    """
    if value is None:
        return None
    text = value
    if not value.lstrip().startswith("{"):
        try:
            text = Path(value).read_text(encoding="utf-8")
        except OSError as error:
            unreadable(f"{option} {value}", error, "give a file, or a JSON object")
    try:
        return msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except msgspec.MsgspecError:
        found = _yaml(option, text, value)
    if not isinstance(found, dict):
        fail(f'{option} {value} is not an object: write it like {{"name": "value"}}', WRONG_USAGE)
    return found


def _yaml(option: str, text: str, value: str) -> Any:
    import yaml

    try:
        return yaml.load(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        problem = getattr(error, "problem", None) or "it cannot be read"
        fail(f"{option} {value} is neither JSON nor YAML: {problem}", WRONG_USAGE)


def pairs(option: str, values: list[str]) -> dict[str, str]:
    """`name=value` options as a mapping, or wrong usage."""
    found = {}
    for value in values:
        key, equals, item = value.partition("=")
        if not equals or not key:
            fail(f"{option} {value!r} is not name=value: write it like seats=5", WRONG_USAGE)
        found[key] = item
    return found
