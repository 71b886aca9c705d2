"""Deterministic ids: the same fact has the same id in every replay. The one file that makes them."""

from __future__ import annotations

from hashlib import blake2b
from json.encoder import encode_basestring

_BYTES = 15


def line_id(
    tenant: str,
    account: str,
    subscription: str,
    charge: str,
    kind: str,
    dimensions: str,
    start: int,
    revision: int,
) -> str:
    """The id of a charge line. `dimensions` are the group's values as JSON."""
    return "chg_" + _hash(tenant, account, subscription, charge, kind, dimensions, start, revision)


def entry_id(tenant: str, account: str, grant: str, number: int) -> str:
    """The id of a ledger entry: the `number`-th of its grant."""
    return "led_" + _hash(tenant, account, grant, number)


def signal_id(tenant: str, account: str, number: int) -> str:
    """The id of a signal: the `number`-th of its account."""
    return "sig_" + _hash(tenant, account, number)


def threshold_id(tenant: str, account: str, limit: str, number: int) -> str:
    """The id of a threshold record: the `number`-th of its limit."""
    return "thr_" + _hash(tenant, account, limit, number)


def root_key(tenant: str, root: str) -> bytes:
    """The first 8 bytes of the keys of a tree's events in the set of seen ids."""
    return blake2b(f"{tenant}/{root}".encode(), digest_size=8).digest()


def event_uid(source: str, name: str) -> bytes:
    """16 bytes that stand for an event's source and id within its account tree."""
    return blake2b(f"{source}\0{name}".encode(), digest_size=16).digest()


def _hash(*parts: str | int) -> str:
    # What `json.dumps` writes for the list, without setting up an encoder for each id.
    text = ",".join([encode_basestring(part) if isinstance(part, str) else str(part) for part in parts])
    return blake2b(f"[{text}]".encode(), digest_size=_BYTES).hexdigest()
