"""One record of `billing.commands.v1`: parsed, taken by `rating.control`, or rejected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from rating.control import Output, step
from rating.directory import Directory
from rating.errors import Refused
from rating.records import Command, Position, WasEvent
from schemas.canonical import decode_data, digest, encode_data, uid
from schemas.commands import CommandProblem, ParsedCommand, parse_command
from schemas.events import Event, Problem, decode
from schemas.rejected import RawRecord, Rejected

STAGE = "control"


def take(record: RawRecord, directory: Directory, partitions: int, accept_future: int) -> Output | Rejected:
    """What the command becomes. The caller folds the output's directory rows before the next one."""
    parsed = parse_command(record.value)
    if isinstance(parsed, CommandProblem):
        return Rejected(parsed.code, parsed.detail, STAGE, record)
    return take_parsed(parsed, record, directory, partitions, accept_future)


def take_parsed(
    parsed: ParsedCommand, record: RawRecord, directory: Directory, partitions: int, accept_future: int
) -> Output | Rejected:
    """The same for a command that is parsed already."""
    fields = {name: value for name, value in parsed.fields.items() if name != "catalog"}
    try:
        command = Command(
            tenant=parsed.tenant, account=parsed.account, id=parsed.id, type=parsed.type, time=parsed.time,
            received=record.timestamp, fields=fields, origin=Position(record.topic, record.partition, record.offset),
            was=_was(parsed.was, parsed, record, directory), now=_was(parsed.now, parsed, record, directory),
            revision=_revision(directory, parsed),
        )  # fmt: skip
        _same_account(parsed, command, directory)
        return step(directory, command, partitions, accept_future, parsed.fields.get("catalog"))
    except Refused as error:
        return Rejected("bad_command", str(error), STAGE, record)


def _same_account(parsed: ParsedCommand, command: Command, directory: Directory) -> None:
    """An amendment leaves usage where it is: to move it, retract it and send it anew. Raises `Refused`."""
    was, now = command.was, command.now
    if was is None or now is None:
        return
    before, after = (
        (named or {}).get("account")
        or directory.resolve(command.tenant, event.subject, event.time or command.time)
        for named, event in ((parsed.was, was), (parsed.now, now))
    )
    if before != after:
        raise Refused(
            f"now: its usage would be of account {after}, not {before}: retract it, and send it as a new event"
        )


def _revision(directory: Directory, parsed: ParsedCommand) -> int:
    held = directory.catalog(parsed.tenant)
    return 0 if held is None else held.revision


def _was(
    found: Mapping[str, Any] | None, command: ParsedCommand, record: RawRecord, directory: Directory
) -> WasEvent | None:
    """The event that a correction names, read as NORMALIZE reads events. Raises `Refused`."""
    if found is None:
        return None
    whole = {"specversion": "1.0", "tenant": command.tenant, **found}
    event = decode(
        RawRecord(record.topic, record.partition, record.offset, record.timestamp, None, encode_data(whole))
    )
    if isinstance(event, Problem):
        raise Refused(f"was or now: {event.detail}")
    time = command.time if event.time is None else event.time
    groups = directory.groups(command.tenant, event.subject, command.account, time)
    return _of(event, groups)


def _of(event: Event, groups: Mapping[str, str]) -> WasEvent:
    return WasEvent(
        source=event.source, id=event.id, type=event.type, subject=event.subject, time=event.time, data=event.raw,
        uid=uid(event.source, event.id), digest=digest(event.type, event.subject, event.data),
        subscription=event.subscription, groups=groups,
    )  # fmt: skip


__all__ = ["decode_data", "msgspec", "take", "take_parsed"]
