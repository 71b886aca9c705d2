"""What corrections made of counted events: cells over the set of seen ids, under the root like these.

An id stands for the event as it came first, so that a copy is known and a rebuilt set is the same. What a correction made
of it is state of the account, and forgotten with the time in which it can be corrected.
"""

from __future__ import annotations

from rating import tree
from rating.cells import Cells, Ids
from rating.ids import root_key
from rating.seen import Entry
from rating.step import Step


def entry_of(cells: Cells, ids: Ids, tenant: str, account: str, uid: bytes) -> Entry | None:
    """The event as it stands now; `None` where none was counted."""
    root = tree.root(cells, tenant, account)
    found = cells.get(_bucket(tenant, root), uid.hex())
    if found is None:
        found = ids.find([root_key(tenant, root) + uid])[0]
    return None if found is None else Entry.read(found)


def touched(cells: Cells, tenant: str, account: str, uid: bytes) -> bool:
    """Whether a correction made something else of an event."""
    return cells.get(_bucket(tenant, tree.root(cells, tenant, account)), uid.hex()) is not None


def put(step: Step, uid: bytes, entry: Entry) -> None:
    """Note what a correction made of an event."""
    root = tree.root(step.cells, step.tenant, step.account)
    step.cells.put(_bucket(step.tenant, root), uid.hex(), entry.bytes())


def forget(step: Step) -> None:
    """Forget what cannot be corrected any more."""
    bucket = _bucket(step.tenant, tree.root(step.cells, step.tenant, step.account))
    for member, found in list(step.cells.members(bucket)):
        if Entry.read(found).expires < step.now:
            step.cells.put(bucket, member, None)


def is_now(cells: Cells, tenant: str, account: str, uid: bytes, digest: bytes) -> bool:
    """Whether an event was amended to this content."""
    found = cells.get(_bucket(tenant, tree.root(cells, tenant, account)), uid.hex())
    return found is not None and Entry.read(found).digest == digest


def _bucket(tenant: str, root: str) -> tuple[str, ...]:
    return ("amended", tenant, root)
