"""What is known of an account itself: its place in a tree, its name, its time zone, what the outside notes of it."""

from __future__ import annotations

import json
from collections.abc import Mapping

from rating import outcomes, tree
from rating.records import Command
from rating.step import Step
from rating.tree import LINKING


def set_account(step: Step, command: Command) -> None:
    """`set_account`: each field that it names replaces what was there. Its parent is linked before, by `link`."""
    fields = command.fields
    for name in ("name", "timezone"):
        if fields.get(name) is not None:
            step.cells.put(_bucket(step), name, fields[name])
    if fields.get("metadata") is not None:
        step.cells.put(
            _bucket(step), "metadata", json.dumps(fields["metadata"]) if fields["metadata"] else None
        )


def timezone(step: Step) -> str:
    """The account's time zone: its own, else the catalog's. Its subscriptions begin in it unless they name another."""
    found: str | None = step.cells.get(_bucket(step), "timezone")
    return found or step.catalog.timezone


def name(step: Step) -> str | None:
    """The account's name, for people."""
    found: str | None = step.cells.get(_bucket(step), "name")
    return found


def metadata(step: Step) -> Mapping[str, str]:
    """What the outside notes of the account."""
    found = step.cells.get(_bucket(step), "metadata")
    return {} if found is None else json.loads(found)


def link(step: Step, command: Command) -> str | None:
    """The account's first command may put it under another. What came before under its own root is published again, so
    that it comes in the tree's order and its ids under the tree's root. A command that is refused links all the same:
    CONTROL has placed the account. The account above, where it is put under one."""
    above: str | None = command.fields.get("parent") if command.type in LINKING else None
    if above is not None:
        tree.link(step.cells, step.tenant, step.account, above)
        outcomes.release(step, step.account)
    return above


def _bucket(step: Step) -> tuple[str, ...]:
    return ("account", step.tenant, step.account)
