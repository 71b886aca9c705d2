"""Which partition of the log an account lies in: Java's murmur2 of `tenant/root`, modulo the log's partition count."""

from __future__ import annotations

from functools import lru_cache

_MASK = 0xFFFFFFFF
_M = 0x5BD1E995


def murmur2(data: bytes) -> int:
    """Kafka's 32-bit murmur2, unsigned. Source: `org.apache.kafka.common.utils.Utils.murmur2`."""
    length = len(data)
    h = (0x9747B28C ^ length) & _MASK
    for at in range(0, length - length % 4, 4):
        k = int.from_bytes(data[at : at + 4], "little") * _M & _MASK
        k = (k ^ (k >> 24)) * _M & _MASK
        h = (h * _M & _MASK) ^ k
    rest = data[length - length % 4 :]
    if rest:
        h = (h ^ int.from_bytes(rest, "little")) * _M & _MASK
    h = (h ^ (h >> 13)) * _M & _MASK
    return h ^ (h >> 15)


@lru_cache(maxsize=262_144)
def partition_of(tenant: str, root: str, partitions: int) -> int:
    """The partition of a tree of accounts."""
    return (murmur2(f"{tenant}/{root}".encode()) & 0x7FFFFFFF) % partitions
