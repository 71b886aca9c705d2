"""What gateways need beside an entitlement's value, as headers of its record. No consumer of the contract reads them.

    counts   {"usage.events.v1/3": 1207}   up to which raw offset of each partition the record counts its account's events
    basis    {"terms": {…}, "limits": {…}} what the subscription's plan is merged with, and limits that commands set

A pack keeps the order of each raw partition within its tenant, so the highest offsets in it are enough for `counts`. It stands
on the last record of a key that a step makes: an earlier one is of a timer that fired before the usage was counted. Records of
limits (`rating.limits.v1`) have it too.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rating.cells import Cells
from rating.effects import Effect
from rating.records import Pack, Record
from schemas import topics

COUNTS, BASIS = "counts", "basis"
COUNTED = (topics.ENTITLEMENTS.name, topics.LIMITS.name)
Header = tuple[str, str]


def with_basis(effects: Sequence[Effect], record: Record | None, cells: Cells) -> list[Effect]:
    """The effects of a record, or of timers (`None`), entitlements and limits with headers. `cells` are as the step left them."""
    found = list(effects)
    counted: set[tuple[str, str]] = set()
    counts: tuple[Header, ...] | None = None
    for number in range(len(found) - 1, -1, -1):
        effect = found[number]
        if effect.topic not in COUNTED:
            continue
        headers: tuple[Header, ...] = ()
        key = effect.topic, effect.key
        if isinstance(record, Pack) and key not in counted:
            if counts is None:
                counts = ((COUNTS, json.dumps(_counts(record), separators=(",", ":"))),)
            counted.add(key)
            headers = counts
        if effect.value is not None and effect.topic == topics.ENTITLEMENTS.name:
            basis = _basis(effect.value, cells)
            headers = (*headers, (BASIS, json.dumps(basis, separators=(",", ":"))))
        found[number] = effect._replace(headers=headers)
    return found


def _counts(pack: Pack) -> dict[str, int]:
    found = [-1] * len(pack.origins)
    for origin, offset in zip(pack.origin, pack.offset, strict=True):
        found[origin] = max(found[origin], offset)
    return {f"{topic}/{number}": offset for (topic, number), offset in zip(pack.origins, found, strict=True)}


def _basis(value: Any, cells: Cells) -> dict[str, Any]:
    tenant, account = value["tenant"], value["account"]
    limits = {key: json.loads(text) for key, (text, *_) in cells.members(("limit", tenant, account))}
    terms: dict[str, Any] = {}
    for _, sub in sorted(cells.members(("sub", tenant, account)), key=lambda each: -each[1].order):
        for each in sub.terms:
            if (each.plan, each.version) == (value["plan"], value["version"]):
                selected = {
                    "storefront": each.storefront, "region": each.region, "channel": each.channel, "currency": sub.currency,
                }  # fmt: skip
                terms = {name: chosen for name, chosen in selected.items() if chosen is not None}
                if each.overrides:
                    terms["overrides"] = json.loads(each.overrides)
    return {name: part for name, part in (("terms", terms), ("limits", limits)) if part}
