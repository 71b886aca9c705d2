"""What the gateway knows: entitlements, limits, catalogs and accounts, folded from their compacted topics.

A record of `billing.entitlements.v1` that a pack caused says in the header `counts` which raw offsets it counts. Packs keep
the order of each raw partition within a tenant's part of a partition of the log, so what is counted is a high-water mark:
of the tenant, in the partition. Each figure is kept with the mark that it was read under.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec
from confluent_kafka import Message

from rating.catalog import EMPTY, Catalog, Plan, compile_catalog, effective_plan
from rating.directory import Directory
from rating.errors import RatingError
from rating.feature_bounds import LimitState
from rating.placement import partition_of
from rating.reservations import BoundKey, Covers, Place
from rating.tree import DEPTH_MAX
from streams.rate.basis import BASIS, COUNTS

PLANS_MAX = 10_000
NOTHING: Covers = {}
Doc = Mapping[str, Any]


class Known(NamedTuple):
    """An entitlement record, as it came, and the raw offsets that it counts. `basis` is what it is priced by."""

    raw: bytes
    covers: Covers
    basis: bytes | None


class Basis(msgspec.Struct):
    """Of an entitlement record, beside its value: the subscription's terms, and limits that no plan has."""

    terms: dict[str, Any] = {}
    limits: dict[str, dict[str, Any]] = {}


class Found(NamedTuple):
    """An entitlement in use: whose it is, and what it says."""

    account: str
    value: dict[str, Any]
    covers: Covers
    basis: Basis


class World:
    """A fold over the topics; `put_…` applies one record."""

    def __init__(self, partitions: int) -> None:
        self.directory = Directory()
        self.partitions = partitions
        self._entitlements: dict[str, Known] = {}
        self._figures: dict[BoundKey, tuple[Covers, Doc]] = {}
        self._marks: dict[tuple[int, str], Covers] = {}
        self._catalogs: dict[str, Catalog] = {}
        self._plans: dict[tuple[str, str, int, str], Plan | None] = {}

    def put_entitlement(self, message: Message) -> None:
        """A record of `billing.entitlements.v1`."""
        key, raw = (message.key() or b"").decode(), message.value()
        headers = dict(message.headers() or ())
        tenant = key.partition("/")[0]
        covers = self._mark(message.partition(), tenant, headers.get(COUNTS))
        if raw is None:
            self._entitlements.pop(key, None)
            return
        value = _decode(raw)
        self._entitlements[key] = Known(raw, covers, headers.get(BASIS))
        if value.get("subject") is None:
            for limit in value.get("limits") or ():
                self._figures[BoundKey(tenant, value["account"], "limit", limit["limit"])] = covers, limit
        if value.get("unit") is not None:
            self._figures[BoundKey(tenant, value["account"], "unit", value["unit"])] = covers, value

    def put_directory(self, message: Message) -> None:
        """A record of `rating.directory.v1`."""
        key, value = (message.key() or b"").decode(), message.value()
        self.directory.put(key, None if value is None else msgspec.json.decode(value))

    def _mark(self, partition: int, tenant: str, counts: bytes | None) -> Covers:
        known = self._marks.get((partition, tenant), NOTHING)
        if counts is None:
            return known
        found: dict[Place, int] = dict(known)
        for name, offset in _counts.decode(counts).items():
            topic, _, number = name.rpartition("/")
            place = topic, int(number)
            found[place] = max(found.get(place, -1), offset)
        self._marks[partition, tenant] = found
        return found

    def root(self, tenant: str, account: str) -> str:
        """The root of the account's tree, which decides who owns it."""
        return self.directory.root(tenant, account)

    def partition(self, tenant: str, account: str) -> int:
        """The partition of the account's tree."""
        return partition_of(tenant, self.root(tenant, account), self.partitions)

    def feature(self, tenant: str, feature: str) -> tuple[str, str | None] | None:
        """Kind and meter of a feature that the catalog in force has."""
        found = self.catalog(tenant).features.get(feature)
        return None if found is None else (found.kind, found.meter)

    def catalog(self, tenant: str) -> Catalog:
        """The tenant's catalog in force, compiled once."""
        entry = self.directory.catalog(tenant)
        if entry is None:
            return EMPTY
        held = self._catalogs.get(tenant)
        if held is None or held.revision != entry.revision:
            held = self._catalogs[tenant] = compile_catalog(entry.doc, entry.revision)
            self._plans = {key: plan for key, plan in self._plans.items() if key[0] != tenant}
        return held

    def find(self, tenant: str, account: str, feature: str, subject: str | None) -> Found | None:
        """The account's own entitlement, a held subject's before it, else the nearest ancestor's."""
        for owner in self._line(tenant, account):
            key = f"{tenant}/{owner}/{feature}"
            known = self._entitlements.get(f"{key}/{subject}") if subject is not None else None
            known = known or self._entitlements.get(key)
            if known is not None:
                basis = _NO_BASIS if known.basis is None else _basis.decode(known.basis)
                value = _decode(known.raw)
                if (unit := value.get("unit")) is not None:
                    # One pool for all features of the unit: the newest record of any of them has its balance.
                    value["balance"] = self._figures[BoundKey(tenant, owner, "unit", unit)][1]["balance"]
                return Found(owner, value, known.covers, basis)
        return None

    def _line(self, tenant: str, account: str) -> Iterator[str]:
        yield account
        for _ in range(DEPTH_MAX):
            above = self.directory.linked(tenant, account)
            if above is None:
                return
            account = above.parent
            yield account

    def covers(self, bound: BoundKey) -> Covers:
        """What a bound's own figure counts."""
        if bound.kind == "feature":
            known = self._entitlements.get(f"{bound.tenant}/{bound.account}/{bound.name}")
            return NOTHING if known is None else known.covers
        figure = self._figures.get(bound)
        return NOTHING if figure is None else figure[0]

    def limits(self, tenant: str, found: Found, plan: Plan | None) -> list[LimitState]:
        """The limits that bear on an entitlement, each as the newest record of the account has it."""
        defined: dict[str, Doc] = {limit.key: limit.doc for limit in plan.limits} if plan is not None else {}
        defined = {**defined, **found.basis.limits}
        states = []
        for limit in found.value.get("limits") or ():
            name = limit["limit"]
            if found.value.get("subject") is None:
                limit = self._figures[BoundKey(tenant, found.account, "limit", name)][1]
            if name in defined:
                states.append(
                    LimitState(name, defined[name], limit["value"], limit["amount"], limit.get("resets_at"))
                )
        return states

    def plan(self, tenant: str, found: Found) -> Plan | None:
        """The plan that an entitlement is of, as the subscription has it."""
        key, version = found.value.get("plan"), found.value.get("version")
        published = self.catalog(tenant).plans.get((key, version)) if key and version else None
        if published is None:
            return None
        terms = found.basis.terms
        cached = (tenant, published.key, published.version, repr(terms))
        if cached not in self._plans:
            if len(self._plans) >= PLANS_MAX:
                self._plans.clear()
            overrides = terms.get("overrides")
            try:
                self._plans[cached] = effective_plan(published.doc, terms, overrides, published.retired)
            except RatingError:
                self._plans[cached] = published
        return self._plans[cached]


def _decode(raw: bytes) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(raw)
    return found


_counts = msgspec.json.Decoder(dict[str, int])
_basis = msgspec.json.Decoder(Basis)
_NO_BASIS = Basis()
