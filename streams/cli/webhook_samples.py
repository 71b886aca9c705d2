"""A sample of each type of webhook, with a record as the contract has it."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec

from rating.times import DAY, HOUR, format_time
from schemas.webhooks import made, read

_ACCOUNT = {"tenant": "default", "account": "sample"}
_RECORDS: dict[str, dict[str, Any]] = {
    "threshold": {
        "subscription": "main", "limit": "spend-cap", "metric": "spend", "threshold": "80", "value": "401.5",
        "amount": "500", "hard": True, "action": "suspend", "scope": "subscription", "window_start": None,
        "window_end": None, "top_up": None,
    },
    "entitlement": {
        "feature": "chat", "kind": "metered", "value": None, "included": "1000000", "overage": "0", "plan": "pro",
        "version": 1, "unit": None, "throttle": None, "limits": [],
    },
    "grant": {"grant": "welcome", "entry": "expire", "amount": "-12.5", "unit": "USD", "balance": "0", "charge": None},
    "signal": {"rule": "grow", "kind": "upgrade", "facts": {"spend": "401.5"}},
    "period": {
        "subscription": "main", "plan": "pro", "plan_version": 1, "charge": "input", "kind": "close", "meter": "tokens",
        "dimensions": {}, "revision": 1, "quantity": "0", "quantity_total": "1000374", "amount": "0",
        "amount_total": "0.000748", "currency": "USD", "credits_applied": "0", "amount_due": "0", "details": [],
        "rounded": {"amount": "0.00"}, "storefront": None, "region": None, "channel": None, "sub_account": None,
        "pricing_unit": None, "catalog_revision": 1, "late": False,
        "source": {"topic": "rating.log.v1", "partition": 0, "offset": 0},
    },
}  # fmt: skip
_CHANGES: dict[str, dict[str, Any]] = {
    "threshold.breached": {"state": "breached"},
    "threshold.recovered": {"state": "recovered"},
    "entitlement.granted": {"access": True, "used": "374", "balance": "999626", "reason": "ok"},
    "entitlement.denied": {"access": False, "used": "1000000", "balance": "0", "reason": "exhausted"},
    "signal.on": {"state": "on"},
    "signal.off": {"state": "off"},
}


def sample(kind: str, now: int) -> tuple[str, bytes]:
    """The id and body of a sample; `now` in microseconds."""
    topic = kind.partition(".")[0]
    record = {**_ACCOUNT, **_RECORDS[topic], **_CHANGES.get(kind, {}), "time": format_time(now)}
    day = now - now % DAY
    if topic == "entitlement":
        record["resets_at"] = format_time(day + DAY)
        name = f"default/sample/chat@{record['time']}"
    else:
        name = record["id"] = f"sample_{uuid.uuid4().hex}"
    if topic in ("threshold", "period"):
        record |= {"period_start": format_time(day), "period_end": format_time(day + DAY)}
    if topic == "period":
        record |= {"window_start": format_time(day + DAY - HOUR), "window_end": format_time(day + DAY)}
    value = msgspec.json.encode(record)
    return name, made(kind, name, read(value), value).body
