"""Signatures of Standard Webhooks 1.0.0: `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`.

Each secret of an address signs, so a receiver that knows the old or the new one takes it: that is how secrets rotate.
Source: standardwebhooks.com, "Signature scheme".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable

PREFIX = "whsec_"
BYTES_MIN, BYTES_MAX = 24, 64


def key_of(secret: str) -> bytes:
    """The key within `whsec_…`. Raises `ValueError`, whose text does not show it."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or not BYTES_MIN <= len(key) <= BYTES_MAX:
        raise ValueError(f"is not {PREFIX} and then {BYTES_MIN} to {BYTES_MAX} bytes in base64")
    return key


def headers(name: str, sent_s: int, body: bytes, keys: Iterable[bytes]) -> dict[str, str]:
    """The headers of one try: `sent_s` is its own time, in seconds since the epoch."""
    content = f"{name}.{sent_s}.".encode() + body
    signatures = [base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode() for key in keys]
    return {
        "webhook-id": name,
        "webhook-timestamp": str(sent_s),
        "webhook-signature": " ".join(f"v1,{each}" for each in signatures),
        "content-type": "application/json",
    }
