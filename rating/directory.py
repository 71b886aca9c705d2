"""Who is whom, and what is in force: the view that CONTROL and every normalizer fold from `rating.directory.v1`.

    tenant/subject/NAME   {"account", "since", "removed", "groups"?, "previous": [{"account", "since", "removed", "groups"?}]}
    tenant/account/NAME   {"root"}, with a parent {"root", "parent", "command"}: the id of the command that linked it
    tenant/catalog        {"revision", "time", "commands", "doc"}
    /log                  {"partitions", "accept_past", "accept_future"}

Times are microseconds. A name belongs to one account at a time; events timed before its removal still resolve to the
account that had it then, and to the groups that it was in then.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, Self

LOG = "/log"


class InForce(NamedTuple):
    """A tenant's catalog: its revision, when it came, the commands that brought it and its predecessors, its document."""

    revision: int
    time: int
    commands: tuple[str, ...]
    doc: Mapping[str, Any]


class Held(NamedTuple):
    """A name held by an account in `[since, removed)`; `removed` is `None` while it is. `groups` are the subject's: its
    team and the like."""

    account: str
    since: int
    removed: int | None
    groups: Mapping[str, str] = MappingProxyType({})

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> Self:
        """From a row."""
        return cls(row["account"], row["since"], row["removed"], row.get("groups") or MappingProxyType({}))

    def row(self) -> dict[str, Any]:
        """As a row shows it."""
        found = {"account": self.account, "since": self.since, "removed": self.removed}
        return found | {"groups": dict(self.groups)} if self.groups else found


class Linked(NamedTuple):
    """An account's parent, and the id of its first command, which gave it."""

    parent: str
    command: str


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
        self._grouped: set[str] = set()
        self._roots: dict[str, str] = {}
        self._linked: dict[str, Linked] = {}
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
            if value.get("parent") is not None:
                self._linked[key] = Linked(value["parent"], value["command"])
        elif kind == "subject":
            self._subjects.pop(key, None)
            self._grouped.discard(key)
            if value is not None:
                held = tuple(Held.read(row) for row in (*value["previous"], value))
                self._subjects[key] = held
                if any(each.groups for each in held):
                    self._grouped.add(key)

    def resolve(self, tenant: str, subject: str, time: int) -> str:
        """The account of a subject at a time; a name that nothing registers is an account's own."""
        held = self._held(tenant, subject, time)
        return subject if held is None else held.account

    def groups(self, tenant: str, subject: str, account: str, time: int) -> Mapping[str, str]:
        """The groups in which the subject was in the account at a time."""
        if not self._grouped or subject_key(tenant, subject) not in self._grouped:
            return {}
        held = self._held(tenant, subject, time)
        return held.groups if held is not None and held.account == account else {}

    def _held(self, tenant: str, subject: str, time: int) -> Held | None:
        for each in self._subjects.get(f"{tenant}/subject/{subject}", ()):
            if each.removed is None or time < each.removed:
                return each
        return None

    def holders(self, tenant: str, name: str) -> tuple[Held, ...]:
        """Who has had the name, oldest first."""
        return self._subjects.get(subject_key(tenant, name), ())

    def root(self, tenant: str, account: str) -> str:
        """The root of the account's tree; an account without commands is its own."""
        return self._roots.get(account_key(tenant, account), account)

    def linked(self, tenant: str, account: str) -> Linked | None:
        """What put the account under another; `None` for a root."""
        return self._linked.get(account_key(tenant, account))

    def has_account(self, tenant: str, account: str) -> bool:
        """Whether the account has had a command, or is the parent of one that has."""
        return account_key(tenant, account) in self._roots

    def known(self, tenant: str, name: str) -> bool:
        """Whether the name is registered, or an account's."""
        return subject_key(tenant, name) in self._subjects or self.has_account(tenant, name)

    def catalog(self, tenant: str) -> InForce | None:
        """What is in force for the tenant."""
        return self._catalogs.get(tenant)
