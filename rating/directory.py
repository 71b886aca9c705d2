"""Who is whom, and what is in force: the view that CONTROL and every normalizer fold from `rating.directory.v1`.

    tenant/subject/NAME   {"account", "since", "removed", "previous": [{"account", "since", "removed"}]}
    tenant/account/NAME   {"root"}
    tenant/catalog        {"revision", "time", "commands", "doc"}
    /log                  {"partitions", "accept_past", "accept_future"}

Times are microseconds. A name belongs to one account at a time; events timed before its removal still resolve to the
account that had it then.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

LOG = "/log"
_NONE = object()


class InForce(NamedTuple):
    """A tenant's catalog: its revision, when it came, the commands that brought it and its predecessors, its document."""

    revision: int
    time: int
    commands: tuple[str, ...]
    doc: Mapping[str, Any]


class Held(NamedTuple):
    """A name held by an account in `[since, removed)`; `removed` is `None` while it is."""

    account: str
    since: int
    removed: int | None


def subject_key(tenant: str, name: str) -> str:
    return f"{tenant}/subject/{name}"


def account_key(tenant: str, account: str) -> str:
    return f"{tenant}/account/{account}"


def catalog_key(tenant: str) -> str:
    return f"{tenant}/catalog"


class Directory:
    """A fold over the compacted topic; `put` applies one of its records."""

    def __init__(self) -> None:
        self._subjects: dict[str, tuple[Held, ...]] = {}
        self._roots: dict[str, str] = {}
        self._catalogs: dict[str, InForce] = {}
        self.log: Mapping[str, int] | None = None

    def put(self, key: str, value: Mapping[str, Any] | None) -> None:
        """Apply one record; `None` is a tombstone."""
        tenant, _, rest = key.partition("/")
        kind, _, _ = rest.partition("/")
        if key == LOG:
            self.log = value
        elif kind == "catalog" and value is not None:
            self._catalogs[tenant] = InForce(
                value["revision"], value["time"], tuple(value["commands"]), value["doc"]
            )
        elif kind == "account" and value is not None:
            self._roots[key] = value["root"]
        elif kind == "subject":
            self._subjects.pop(key, None)
            if value is not None:
                rows = (*value["previous"], value)
                self._subjects[key] = tuple(
                    Held(row["account"], row["since"], row["removed"]) for row in rows
                )

    def resolve(self, tenant: str, subject: str, time: int) -> str:
        """The account of a subject at a time; a name that nothing registers is an account's own."""
        held = self._subjects.get(f"{tenant}/subject/{subject}")
        if held is None:
            return subject
        for each in held:
            if each.removed is None or time < each.removed:
                return each.account
        return subject

    def holders(self, tenant: str, name: str) -> tuple[Held, ...]:
        """Who has had the name, oldest first."""
        return self._subjects.get(subject_key(tenant, name), ())

    def root(self, tenant: str, account: str) -> str:
        """The root of the account's tree; an account without commands is its own."""
        return self._roots.get(account_key(tenant, account), account)

    def has_account(self, tenant: str, account: str) -> bool:
        """Whether the account has had a command."""
        return account_key(tenant, account) in self._roots

    def known(self, tenant: str, name: str) -> bool:
        """Whether the name is registered, or an account's."""
        return subject_key(tenant, name) in self._subjects or self.has_account(tenant, name)

    def catalog(self, tenant: str) -> InForce | None:
        """What is in force for the tenant."""
        return self._catalogs.get(tenant)
