"""A parked account: a fault of ours stopped it, and what is for it waits in order until `unpark`.

Nothing is lost meanwhile: the part of the record that failed, and every later one, is a cell. `unpark` takes them up in
that order; where one fails again the account is parked again, and the rest goes on waiting.

The account that stops is the one in whose part the fault was. Those below it may use its subscriptions, so they stop with
it: their parts wait in its order. Those above and beside it go on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from rating.cells import Cells
from rating.records import Command, Position, Release, WasEvent
from rating.state import Waiting

PARKED = ("parked",)
Part = tuple[Any, ...]


def bucket(tenant: str, account: str) -> tuple[str, ...]:
    """The cells in which an account's parts wait."""
    return ("queue", tenant, account)


def is_parked(cells: Cells, tenant: str, account: str) -> bool:
    """Whether a fault has stopped the account."""
    return cells.get(PARKED, f"{tenant}/{account}") is not None


def stopped_by(cells: Cells, tenant: str, path: Iterable[str]) -> str | None:
    """The parked account that an account waits for, itself or one above it."""
    for account in path:
        if is_parked(cells, tenant, account):
            return account
    return None


def park(cells: Cells, tenant: str, account: str, at: Position, error: Exception) -> None:
    """Stop the account; the words are for the alarm."""
    cells.put(PARKED, f"{tenant}/{account}", f"offset {at.offset}: {type(error).__name__}: {error}")


def queue(cells: Cells, tenant: str, account: str, part: Part) -> None:
    """Let a part of a record wait."""
    number = (cells.get(bucket(tenant, account), "") or 0) + 1
    cells.put(bucket(tenant, account), "", number)
    cells.put(bucket(tenant, account), f"{number:012d}", part)


def taken(cells: Cells, tenant: str, account: str) -> Iterator[Part]:
    """Let the account go on: the parts that waited, in order, each removed as it is taken."""
    cells.put(PARKED, f"{tenant}/{account}", None)
    waiting = [(member, part) for member, part in cells.members(bucket(tenant, account)) if member]
    for member, _ in waiting:
        cells.put(bucket(tenant, account), member, None)
    for _, part in waiting:
        yield part


def usage_part(account: str, at: Position, events: Sequence[Waiting]) -> Part:
    """Usage of an account as a part; without events, its timers."""
    return ("usage", tuple(at), tuple(tuple(event) for event in events), account)


def usage_of(part: Part) -> tuple[str, Position, list[Waiting]]:
    """The account and the usage of a part."""
    _, at, events, account = part
    return account, Position(*at), [Waiting(*event) for event in events]


def release_part(at: Position, record: Release) -> Part:
    """A release as a part."""
    return ("release", tuple(at), (record.tenant, record.name, record.account, record.until))


def release_of(part: Part) -> tuple[Position, Release]:
    """The release of a part."""
    _, at, fields = part
    return Position(*at), Release(*fields)


def tenant_part(at: Position, figures: Sequence[Sequence[Any]]) -> Part:
    """What counts for a tenant's limits as a part."""
    return ("tenant", tuple(at), tuple(map(tuple, figures)))


def tenant_of(part: Part) -> tuple[Position, Sequence[Sequence[Any]]]:
    """The figures of a part."""
    _, at, figures = part
    return Position(*at), figures


def command_part(at: Position, command: Command) -> Part:
    """A command as a part."""
    fields = (command.tenant, command.account, command.id, command.type, command.time, command.received)
    return (
        "command",
        tuple(at),
        fields,
        json.dumps(command.fields),
        tuple(command.origin),
        _was(command.was),
        _was(command.now),
        command.revision,
    )


def command_of(part: Part) -> tuple[Position, Command]:
    """The command of a part."""
    _, at, fields, text, origin, was, now, revision = part
    tenant, account, name, kind, time, received = fields
    command = Command(
        tenant,
        account,
        name,
        kind,
        time,
        received,
        json.loads(text),
        Position(*origin),
        _event(was),
        _event(now),
        revision,
    )
    return Position(*at), command


def _was(event: WasEvent | None) -> Part | None:
    if event is None:
        return None
    return (
        event.source, event.id, event.type, event.subject, event.time, event.data, event.uid, event.digest,
        event.subscription, tuple(sorted(event.groups.items())),
    )  # fmt: skip


def _event(part: Part | None) -> WasEvent | None:
    if part is None:
        return None
    return replace(WasEvent(*part[:-1]), groups=dict(part[-1]))
