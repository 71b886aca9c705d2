"""What a step of rating emits: records for topics, as plain values that `schemas` encodes.

A topic is named by its base name (`billing.charges.v1`); the shell adds the deployment's prefix. `value` is a mapping
of JSON values (decimals and times are text already), or `None` for a tombstone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Effect(NamedTuple):
    """One record to publish in the transaction of the step that made it. Headers are text."""

    topic: str
    key: str
    value: Mapping[str, Any] | None
    headers: tuple[tuple[str, str], ...] = ()
