"""Records of the billing topics as bytes: JSON, decimals and times are text already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

_encoder = msgspec.json.Encoder(decimal_format="number")


def encode_value(value: Mapping[str, Any] | None) -> bytes | None:
    """One record's value; `None` is a tombstone."""
    return None if value is None else _encoder.encode(value)
