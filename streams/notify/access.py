"""Who has access to what, of one partition of `billing.entitlements.v1`: a webhook is due where access flips.

A record says what access is, not what it was. So what was is learnt again, after a restart, from the compacted topic up
to the offset that is committed, and the flips of what follows are the same as they were before.

Who has no record uses what the account has, a subject, or what an account above it has. So a record of its own, which names no
plan where it is of a limit alone, takes access away, and its tombstone gives it back.

Compaction takes a record once a newer one of its key is `compaction_lag_ms` old. Whoever reads on that far behind may miss
what was before; then a record is told as it is: a webhook too many is better than one that is missing.
"""

from __future__ import annotations

import msgspec

from rating.times import format_time
from schemas import topics
from schemas.webhooks import DENIED, GRANTED, NotARecord, Record, Webhook, made, read

LAG_US = topics.ENTITLEMENTS.compaction_lag_ms * 1_000


class Access:
    """See the module. `since`: when the partition came to us, in microseconds."""

    def __init__(self, since: int) -> None:
        self._sure_from = since - LAG_US
        # About 70 bytes a feature of an account, since hashes stand for keys.
        self._granted: set[int] = set()
        self._denied: set[int] = set()
        self._held: dict[bytes, bytes] = {}
        """The records that are there while a limit holds a subject, or an account without a plan: few."""

    def learn(self, key: bytes, value: bytes | None) -> None:
        """Take a record that was told of, or came before us. One that is no record is nobody's access."""
        try:
            self._put(key, value, None if value is None else read(value))
        except NotARecord:
            return

    def flip(self, key: bytes, value: bytes | None, stamp: int) -> Webhook | None:
        """The webhook that a record makes, if access is not what it was. `stamp`: when it was written, in microseconds.

        Raises `NotARecord`.
        """
        if value is None:
            return self._let_go(key, stamp)
        record = read(value)
        if record.access is None:
            raise NotARecord("an entitlement without access")
        before = self._before(key)
        if before is None and record.plan is None:
            before = True
        elif before is None:
            before = not record.access if stamp < self._sure_from else False
        webhook = made(GRANTED if record.access else DENIED, f"{_text(key)}@{record.time}", record, value)
        self._put(key, value, record)
        return None if before == record.access else webhook

    def _let_go(self, key: bytes, stamp: int) -> Webhook | None:
        """A subject has the account's access again, an account that of the one above. What is said is its own last record,
        with access."""
        held = self._held.get(key)
        record = None if held is None else read(held)
        self._put(key, None, None)
        if held is None or record is None or record.access is not False:
            return None
        has = self._before(key)
        if has is False or (has is None and record.plan is not None):
            return None
        fields = msgspec.json.decode(held)
        time = format_time(stamp)
        fields |= {
            "access": True,
            "reason": "ok",
            "resets_at": None,
            "throttle": None,
            "limits": [],
            "time": time,
        }
        value = msgspec.json.encode(fields)
        return made(GRANTED, f"{_text(key)}@{time}", read(value), value)

    def _before(self, key: bytes) -> bool | None:
        """What access was: a subject's own, else the account's; `None` where nothing is known."""
        held = self._held.get(key) or self._held.get(_of_account(key))
        if held is not None:
            return read(held).access
        name = hash(_of_account(key))
        return True if name in self._granted else False if name in self._denied else None

    def _put(self, key: bytes, value: bytes | None, record: Record | None) -> None:
        name = hash(key)
        self._held.pop(key, None)
        self._granted.discard(name)
        self._denied.discard(name)
        if value is None or record is None:
            return
        if key != _of_account(key) or record.plan is None:
            self._held[key] = value
        elif record.access is not None:
            (self._granted if record.access else self._denied).add(name)


def _of_account(key: bytes) -> bytes:
    """`tenant/account/feature` of a key that may have a subject behind."""
    return b"/".join(key.split(b"/", 3)[:3])


def _text(key: bytes) -> str:
    return key.decode("utf-8", "replace")
