"""Which events of a pack count: each (source, id) once within its account tree, over the whole accepted range."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rating.backfills import OfPack
from rating.cells import Ids
from rating.records import DIGEST_BYTES, UID_BYTES, Pack
from rating.seen import Entry, packed

CONFLICT = "an event with this source and id came before with other content: give each event an id of its own"
TOO_OLD = "the event's time is more than accept_past before the log's clock"


class Refusal(NamedTuple):
    """An event of a pack that is rejected: its number in the pack, the code, a sentence."""

    event: int
    code: str
    detail: str


class Owner(NamedTuple):
    """Whose an account's ids are: the first bytes of their keys, which are its root's, and what their entries say of the
    account (`tree.user`). `root` is `None` where its usage is sent on: all of that counts, and a copy is found where it
    comes to."""

    root: bytes | None
    user: bytes


class Counted(NamedTuple):
    """Indexes of a pack's events: those that count, those that do not, and which of these are rejected."""

    counted: list[int]
    uncounted: list[int]
    refused: list[Refusal]


def count(
    pack: Pack, owners: Sequence[Owner], ids: Ids, oldest: int, accept_past: int, old: OfPack
) -> Counted:
    """Sort the events of a pack, and stage the ids of those that count.

    `owners` stand by account number. An event timed before `oldest` is too old, but where it is
    of an open backfill. A copy is found until `accept_past` after both the time and the receipt of the first.
    """
    uids = pack.uid
    keys = [
        (owners[account].root or b"") + uids[UID_BYTES * i : UID_BYTES * (i + 1)]
        for i, account in enumerate(pack.account)
    ]
    found = ids.find(keys)
    defaulted = frozenset(pack.defaulted)
    away = {number for number, owner in enumerate(owners) if owner.root is None}
    users = [owner.user for owner in owners]
    digests, accounts, revision = pack.digest, pack.account, pack.revision
    fresh: dict[bytes, bytes] = {}
    result = Counted([], [], [])
    for index, (key, time, received) in enumerate(zip(keys, pack.time, pack.received, strict=True)):
        account = accounts[index]
        if away and account in away:
            result.counted.append(index)
            continue
        digest = digests[DIGEST_BYTES * index : DIGEST_BYTES * (index + 1)]
        known = fresh.get(key) or found[index]
        if time >= oldest and (known is None or Entry.read(known).expires < received):
            expires = (time if time > received else received) + accept_past
            fresh[key] = packed(expires, digest, time, index in defaulted, revision, users[account])
            result.counted.append(index)
            continue
        backfilled = time < oldest and bool(pack.backfill) and old.holds(index)
        if known is None and backfilled:
            known = old.find(index)
        entry = None if known is None else Entry.read(known)
        if entry is not None and (backfilled or entry.expires >= received):
            result.uncounted.append(index)
            both = not entry.defaulted and index not in defaulted
            other = entry.digest != digest or (both and entry.time != time)
            if other and not old.is_now(index):
                result.refused.append(Refusal(index, "id_conflict", CONFLICT))
        elif backfilled:
            old.add(index, packed(time, digest, time, index in defaulted, revision))
            result.counted.append(index)
        else:
            result.uncounted.append(index)
            result.refused.append(Refusal(index, "too_old", TOO_OLD))
    for key, added in fresh.items():
        ids.add(key, added)
    return result
