"""An account under rules, and its signals in a few words."""

from __future__ import annotations

from typing import Any

from tests.unit.rating.lives import TOKENS, Doc, Life, charge, plan

BUSY: Doc = {"fact": "usage", "meter": "tokens", "over": "1d", "gte": "100"}
CHAT: Doc = {"key": "chat", "kind": "metered", "meter": "tokens"}
REGIONAL: Doc = {**TOKENS, "group_by": {"region": "$.region"}}


def rule(when: Doc, key: str = "nudge", **fields: Any) -> Doc:
    return {"key": key, "kind": "custom", "when": when, **fields}


def life(*rules: Doc, meters: tuple[Doc, ...] = (TOKENS,), **fields: Any) -> Life:
    made = plan("pro", **{"charges": [charge()], **fields})
    more = plan("max", charges=[charge()])
    return Life([made, more], meters, rules=list(rules), features=[CHAT])


def signals(of: Life, rule: str = "nudge") -> list[tuple[str, str]]:
    """State and time of each, the time cut to minutes."""
    found = of.records("billing.signals.v1", rule=rule)
    return [(each["state"], each["time"][5:16]) for each in found]


def facts(of: Life) -> dict[str, Any]:
    """What the latest signal looked at."""
    found: dict[str, Any] = of.records("billing.signals.v1")[-1]["facts"]
    return found
