"""CONTROL: what one command of the one partition becomes. Pure: the directory as it is, and what to write.

Everything that must have one order has one writer: names and roots, the catalog's revisions, and on which partition of
the log a command stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rating.catalog import conflicts, publish, revision_value
from rating.directory import Directory, Held, account_key, catalog_key, subject_key
from rating.errors import Refused
from rating.placement import partition_of
from rating.records import CatalogRevision, Command, Position, Record, Release, WasEvent
from rating.state import TENANT_ACCOUNT
from rating.times import format_time
from rating.tree import DEPTH_MAX

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
    if command.account == TENANT_ACCOUNT:
        output.log.append((partition_of(command.tenant, TENANT_ACCOUNT, partitions), command))
        return output
    partition = partition_of(command.tenant, _rooted(directory, command, output), partitions)
    # First of all: what is released after it comes to an account that is in its place.
    output.log.append((partition, command))
    own = partition_of(command.tenant, command.account, partitions)
    if output.directory and own != partition:
        output.log.append((own, Release(command.tenant, command.account, command.account)))
    if command.type == "register_subject":
        _register(
            directory, command, command.fields["subject"], partitions, output, command.fields.get("groups")
        )
    elif command.type == "remove_subject":
        _remove(directory, command, output)
    elif command.type == "subscribe":
        for name in command.fields.get("subjects", ()):
            _register(directory, command, name, partitions, output)
    return output


def _rooted(directory: Directory, command: Command, output: Output) -> str:
    """The root of the command's account, which its first command fixes. Raises `Refused`.

    A parent that nothing was said of before is a root of its own from now on. Since a parent is given once, before the
    account has children, no account is ever below itself.
    """
    tenant, account, parent = command.tenant, command.account, command.fields.get("parent")
    if directory.has_account(tenant, account):
        linked = directory.linked(tenant, account)
        if parent is not None and (linked is None or linked.command != command.id):
            raise Refused(
                f"parent: {account} is {'a root' if linked is None else f'under {linked.parent}'} already: only an account's "
                "first command names its parent, and before any other account names it as one"
            )
        return directory.root(tenant, account)
    if parent is None:
        output.directory.append((account_key(tenant, account), {"root": account}))
        return account
    if parent == account:
        raise Refused(f"parent: {parent} is the account itself: name another account")
    if _depth(directory, tenant, parent) >= DEPTH_MAX:
        raise Refused(
            f"parent: {parent} is {DEPTH_MAX} accounts below the top already: put {account} higher up"
        )
    holder = directory.holders(tenant, parent)[-1:]
    if holder and holder[0].removed is None:
        raise Refused(f"parent: {parent} is a subject of account {holder[0].account}: name an account")
    root = directory.root(tenant, parent)
    if not directory.has_account(tenant, parent):
        output.directory.append((account_key(tenant, parent), {"root": parent}))
    row = {"root": root, "parent": parent, "command": command.id}
    output.directory.append((account_key(tenant, account), row))
    return root


def _depth(directory: Directory, tenant: str, account: str) -> int:
    """How many accounts there are from the account to its root."""
    depth, linked = 1, directory.linked(tenant, account)
    while linked is not None:
        depth, linked = depth + 1, directory.linked(tenant, linked.parent)
    return depth


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


def _register(
    directory: Directory,
    command: Command,
    name: str,
    partitions: int,
    output: Output,
    groups: Mapping[str, str] | None = None,
) -> None:
    held = directory.holders(command.tenant, name)
    last = held[-1] if held else None
    if last is not None and last.removed is None:
        if last.account == command.account:
            _regroup(command, name, held, groups, output)
            return
        raise Refused(f"subject: {name} belongs to account {last.account}: remove it there first")
    if name == command.account:
        return
    if directory.has_account(command.tenant, name) or name == command.fields.get("parent"):
        raise Refused(f"subject: {name} is an account itself: give the subject another name")
    since = command.time if last is None else max(command.time, last.removed or 0)
    _hold(command.tenant, name, (*held, Held(command.account, since, None, groups or {})), output)
    partition = partition_of(command.tenant, directory.root(command.tenant, name), partitions)
    output.log.append((partition, Release(command.tenant, name, command.account)))


def _regroup(
    command: Command, name: str, held: Sequence[Held], groups: Mapping[str, str] | None, output: Output
) -> None:
    """Groups that change hold from now on: what normalizers have read was grouped as it was."""
    last = held[-1]
    if groups is None or dict(groups) == dict(last.groups):
        return
    now = max(command.time, command.received, last.since)
    rows = (*held[:-1], last._replace(removed=now), Held(command.account, now, None, groups))
    _hold(command.tenant, name, rows, output)


def _hold(tenant: str, name: str, held: Sequence[Held], output: Output) -> None:
    previous = [each.row() for each in held[:-1]][-PREVIOUS_MAX:]
    output.directory.append((subject_key(tenant, name), {**held[-1].row(), "previous": previous}))


def _remove(directory: Directory, command: Command, output: Output) -> None:
    name = command.fields["subject"]
    held = directory.holders(command.tenant, name)
    if not held or held[-1].removed is not None or held[-1].account != command.account:
        raise Refused(f"subject: {name} is not registered to account {command.account}")
    _hold(command.tenant, name, (*held[:-1], held[-1]._replace(removed=command.time)), output)


__all__ = ["Output", "Position", "WasEvent", "step"]
