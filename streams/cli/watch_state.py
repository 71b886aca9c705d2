"""What `azotte watch` knows of an account: its newest entitlements, the grants' balances, which thresholds are breached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from schemas import topics

WATCHED = (topics.ENTITLEMENTS, topics.THRESHOLDS, topics.LEDGER)
Record = Mapping[str, Any]


class Watched:
    """A fold over the records of one account; the newest of each name holds."""

    def __init__(self, tenant: str, account: str) -> None:
        self._key = f"{tenant}/{account}"
        self.features: dict[str, Record] = {}
        """By feature, or `feature/subject` of a subject that a limit holds."""
        self.grants: dict[str, Record] = {}
        self.thresholds: dict[tuple[str, ...], Record] = {}

    def take(self, topic: str, key: bytes | None, value: bytes | None) -> dict[str, Any] | None:
        """Fold a record; what there is to tell of it, `None` where it is another account's or cannot be read."""
        name = (key or b"").decode("utf-8", "replace")
        own = name == self._key or name.startswith(f"{self._key}/")
        if not own:
            return None
        try:
            record = None if value is None else msgspec.json.decode(value, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        if topic == topics.ENTITLEMENTS.name:
            feature = name[len(self._key) + 1 :]
            self.features.pop(feature, None)
            if record is not None:
                self.features[feature] = record
        elif record is None:
            return None
        elif topic == topics.LEDGER.name:
            self.grants[str(record.get("grant"))] = record
        else:
            named = [record.get(field) for field in ("subscription", "limit", "scope", "threshold")]
            self.thresholds[tuple(map(text, named))] = record
        return {"topic": topic, "key": name, "value": record}

    def state(self) -> list[dict[str, Any]]:
        """Everything that holds, as records that would tell it."""
        found: list[tuple[topics.Topic, str, Record]] = [
            (topics.ENTITLEMENTS, f"{self._key}/{feature}", record)
            for feature, record in sorted(self.features.items())
        ]
        found += [(topics.THRESHOLDS, self._key, record) for _, record in sorted(self.thresholds.items())]
        found += [(topics.LEDGER, self._key, record) for _, record in sorted(self.grants.items())]
        return [{"topic": topic.name, "key": key, "value": record} for topic, key, record in found]


def text(value: Any) -> str:
    """A value as a table shows it."""
    return value if isinstance(value, str) else "" if value is None else msgspec.json.encode(value).decode()
