"""Trees of accounts: who is above whom. An account is linked once, by its first command.

So an account has one path to its root, without a cycle, and what concerns accounts below is told upwards as it happens. Down
goes only what a limit denies. CONTROL decides the links (`rating.control`); cells of both accounts keep them.
"""

from __future__ import annotations

from collections.abc import Iterator

from rating.cells import Cells

DEPTH_MAX = 32
"""Accounts on a path, from an account to its root: each event may walk all of them."""
LINKING = ("set_account", "subscribe")
"""Commands that may name a parent."""
PARENT = "parent"


def parent(cells: Cells, tenant: str, account: str) -> str | None:
    """The account above; `None` for a root."""
    found: str | None = cells.get(("account", tenant, account), PARENT)
    return found


def link(cells: Cells, tenant: str, account: str, above: str) -> None:
    """Put an account under another, for good."""
    cells.put(("account", tenant, account), PARENT, above)
    cells.put(("child", tenant, above), account, True)


def has_below(cells: Cells, tenant: str, account: str) -> bool:
    """Whether some account was put under this one."""
    return next(iter(cells.members(("child", tenant, account))), None) is not None


def descendants(cells: Cells, tenant: str, account: str) -> Iterator[str]:
    """The accounts below, each after the one above it."""
    for name, _ in cells.members(("child", tenant, account)):
        yield name
        yield from descendants(cells, tenant, name)


def is_in_one(cells: Cells, tenant: str, account: str) -> bool:
    """Whether an account has others above or below it."""
    return parent(cells, tenant, account) is not None or has_below(cells, tenant, account)


def ancestors(cells: Cells, tenant: str, account: str) -> Iterator[str]:
    """The accounts above, the nearest first, the root last."""
    above = parent(cells, tenant, account)
    while above is not None:
        yield above
        above = parent(cells, tenant, above)


def path(cells: Cells, tenant: str, account: str) -> list[str]:
    """The account and those above it, the root last."""
    return [account, *ancestors(cells, tenant, account)]


def root(cells: Cells, tenant: str, account: str) -> str:
    """The topmost account of the tree; a root is its own."""
    above = parent(cells, tenant, account)
    while above is not None:
        account, above = above, parent(cells, tenant, above)
    return account


def user(cells: Cells, tenant: str, account: str) -> bytes:
    """What an entry of the tree's ids says of the account that used an event: nothing where that is the root."""
    return b"" if parent(cells, tenant, account) is None else account.encode()


def is_within(cells: Cells, tenant: str, account: str, above: str) -> bool:
    """Whether an account is the other one, or below it."""
    return account == above or above in ancestors(cells, tenant, account)
