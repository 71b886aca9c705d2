"""CONTROL: what one command of the one partition becomes. Pure: the directory as it is, and what to write.

Everything that must have one order has one writer: names and roots, the catalog's revisions, and on which partition of
the log a command stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rating.catalog import conflicts, publish, revision_value
from rating.directory import Directory, account_key, catalog_key, subject_key
from rating.errors import Refused
from rating.placement import partition_of
from rating.records import CatalogRevision, Command, Position, Record, Release, WasEvent
from rating.times import format_time

PREVIOUS_MAX = 100
COMMANDS_MAX = 1_000
"""Ids of `apply_catalog` that are remembered, newest last: a copy of one of them changes nothing."""
Row = tuple[str, Mapping[str, Any] | None]


@dataclass(slots=True)
class Output:
    """What to write in one transaction. A log record's partition `None` means all of them."""

    log: list[tuple[int | None, Record]] = field(default_factory=list)
    directory: list[Row] = field(default_factory=list)
    catalog: list[Row] = field(default_factory=list)


def step(
    directory: Directory,
    command: Command,
    partitions: int,
    accept_future: int,
    catalog: Mapping[str, Any] | None = None,
) -> Output:
    """Take one command. `catalog` is the canonical document of `apply_catalog`. Raises `Refused`: `bad_command`."""
    if command.time > command.received + accept_future:
        raise Refused(
            f"time: {format_time(command.time)} is more than accept_future after the command's receipt"
        )
    if catalog is not None:
        return _apply_catalog(directory, command, catalog)
    output = Output()
    root = directory.root(command.tenant, command.account)
    if not directory.has_account(command.tenant, command.account):
        output.directory.append((account_key(command.tenant, command.account), {"root": root}))
    if command.type == "register_subject":
        _register(directory, command, command.fields["subject"], partitions, output)
    elif command.type == "remove_subject":
        _remove(directory, command, output)
    elif command.type == "subscribe":
        for name in command.fields.get("subjects", ()):
            _register(directory, command, name, partitions, output)
    output.log.append((partition_of(command.tenant, root, partitions), command))
    return output


def _apply_catalog(directory: Directory, command: Command, doc: Mapping[str, Any]) -> Output:
    held = directory.catalog(command.tenant)
    if held is not None and command.id in held.commands:
        return Output()
    published = None if held is None else held.doc
    changed = conflicts(published, doc)
    if changed:
        names = ", ".join(f"{kind} {name}" for kind, name in changed)
        raise Refused(f"catalog: {names} is published with other content: give it a new key or version")
    document = publish(published, doc)
    revision = (0 if held is None else held.revision) + 1
    commands = (*(() if held is None else held.commands), command.id)[-COMMANDS_MAX:]
    if held is not None and document == held.doc:
        revision = held.revision
    entry = {"revision": revision, "time": command.time, "commands": list(commands), "doc": document}
    output = Output(directory=[(catalog_key(command.tenant), entry)])
    if held is None or document != held.doc:
        output.log.append((None, CatalogRevision(command.tenant, revision, command.time, document)))
    value = revision_value(command.tenant, revision, format_time(command.time), command.id, document)
    output.catalog.append((f"{command.tenant}/{revision}", value))
    return output


def _register(directory: Directory, command: Command, name: str, partitions: int, output: Output) -> None:
    held = directory.holders(command.tenant, name)
    last = held[-1] if held else None
    if last is not None and last.removed is None:
        if last.account == command.account:
            return
        raise Refused(f"subject: {name} belongs to account {last.account}: remove it there first")
    if name == command.account:
        return
    if directory.has_account(command.tenant, name):
        raise Refused(f"subject: {name} is an account itself: give the subject another name")
    since = command.time if last is None else max(command.time, last.removed or 0)
    previous = [each._asdict() for each in held][-PREVIOUS_MAX:]
    entry = {"account": command.account, "since": since, "removed": None, "previous": previous}
    output.directory.append((subject_key(command.tenant, name), entry))
    partition = partition_of(command.tenant, directory.root(command.tenant, name), partitions)
    output.log.append((partition, Release(command.tenant, name, command.account)))


def _remove(directory: Directory, command: Command, output: Output) -> None:
    name = command.fields["subject"]
    held = directory.holders(command.tenant, name)
    if not held or held[-1].removed is not None or held[-1].account != command.account:
        raise Refused(f"subject: {name} is not registered to account {command.account}")
    last = held[-1]._replace(removed=command.time)
    entry = {**last._asdict(), "previous": [each._asdict() for each in held[:-1]]}
    output.directory.append((subject_key(command.tenant, name), entry))


__all__ = ["Output", "Position", "WasEvent", "step"]
