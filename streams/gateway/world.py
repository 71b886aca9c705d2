"""What the gateway knows: entitlements, limits, catalogs and accounts, folded from their compacted topics.

A record of an entitlement or of a limit that a pack caused says in the header `counts` which raw offsets it counts. Packs keep
the order of each raw partition within a tenant's part of a partition of the log, so what is counted is a high-water mark:
of the tenant, in the partition of the topic. Each figure is kept with the mark that it was read under.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec
from confluent_kafka import Message

from rating import numbers
from rating.catalog import EMPTY, Catalog, Plan, compile_catalog, effective_plan
from rating.directory import Directory
from rating.errors import RatingError
from rating.feature_bounds import LimitState
from rating.placement import partition_of
from rating.reservations import BoundKey, Covers, Place
from rating.tree import DEPTH_MAX
from streams.rate.basis import BASIS, COUNTS

PLANS_MAX = 10_000
DIGITS_MAX = 40
ENTITLEMENT, LIMIT, STANDING = "entitlement", "limit", "standing"
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


class Standing(NamedTuple):
    """How a limit stands that no entitlement shows: the record, and the raw offsets that it counts."""

    covers: Covers
    record: Doc


class World:
    """A fold over the topics; `put_…` applies one record."""

    def __init__(self, partitions: int) -> None:
        self.directory = Directory()
        self.partitions = partitions
        self._entitlements: dict[str, Known] = {}
        self._figures: dict[BoundKey, tuple[Covers, Doc]] = {}
        self._limits: dict[tuple[str, str], dict[str, Standing]] = {}
        self._marks: dict[tuple[str, int, str], Covers] = {}
        self._catalogs: dict[str, Catalog] = {}
        self._plans: dict[tuple[str, str, int, str], Plan | None] = {}

    def put_entitlement(self, message: Message) -> None:
        """A record of `billing.entitlements.v1`."""
        key, raw = (message.key() or b"").decode(), message.value()
        headers = dict(message.headers() or ())
        tenant = key.partition("/")[0]
        covers = self._mark(ENTITLEMENT, message.partition(), tenant, headers.get(COUNTS))
        if raw is None:
            self._entitlements.pop(key, None)
            return
        value = _decode(raw)
        self._entitlements[key] = Known(raw, covers, headers.get(BASIS))
        if value.get("subject") is None:
            for name, limit in _narrowest(value.get("limits") or ()).items():
                self._figures[BoundKey(tenant, value["account"], LIMIT, name)] = covers, limit
        if value.get("unit") is not None:
            self._figures[BoundKey(tenant, value["account"], "unit", value["unit"])] = covers, value

    def put_limit(self, message: Message) -> None:
        """A record of `rating.limits.v1`."""
        raw, headers = message.value(), dict(message.headers() or ())
        tenant, account, name = (message.key() or b"").decode().split("/", 2)
        covers = self._mark(STANDING, message.partition(), tenant, headers.get(COUNTS))
        mine = self._limits.setdefault((tenant, account), {})
        if raw is not None:
            mine[name] = Standing(covers, _decode(raw))
            return
        mine.pop(name, None)
        if not mine:
            del self._limits[tenant, account]

    def put_directory(self, message: Message) -> None:
        """A record of `rating.directory.v1`."""
        key, value = (message.key() or b"").decode(), message.value()
        self.directory.put(key, None if value is None else msgspec.json.decode(value))

    def _mark(self, kind: str, partition: int, tenant: str, counts: bytes | None) -> Covers:
        known = self._marks.get((kind, partition, tenant), NOTHING)
        if counts is None:
            return known
        found: dict[Place, int] = dict(known)
        for name, offset in _counts.decode(counts).items():
            topic, _, number = name.rpartition("/")
            place = topic, int(number)
            found[place] = max(found.get(place, -1), offset)
        self._marks[kind, partition, tenant] = found
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
        """The account's own entitlement, a held subject's before it, else the nearest ancestor's. One that its own
        subscriptions gave it once, and give no more, stands only where no ancestor has one."""
        gone = None
        for owner in self._line(tenant, account):
            key = f"{tenant}/{owner}/{feature}"
            for name in (f"{key}/{subject}", key) if subject is not None else (key,):
                known = self._entitlements.get(name)
                if known is None:
                    continue
                found = self._found(tenant, owner, known)
                if _is_gone(found.value):
                    gone = gone or found
                elif name == key or owner == account or found.value["plan"] is not None:
                    # A subject that an account holds which has no subscription is held in that account alone.
                    return found
        return gone

    def _found(self, tenant: str, owner: str, known: Known) -> Found:
        basis = _NO_BASIS if known.basis is None else _basis.decode(known.basis)
        value = _decode(known.raw)
        if (unit := value.get("unit")) is not None:
            # One pool for all features of the unit: the newest record of any of them has its balance.
            value["balance"] = self._figures[BoundKey(tenant, owner, "unit", unit)][1]["balance"]
        return Found(owner, value, known.covers, basis)

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
        if bound.kind == STANDING:
            standing = self._limits.get((bound.tenant, bound.account), {}).get(bound.name)
            return NOTHING if standing is None else standing.covers
        figure = self._figures.get(bound)
        return NOTHING if figure is None else figure[0]

    def limits(self, tenant: str, found: Found, plan: Plan | None) -> list[LimitState]:
        """The limits that bear on an entitlement, each as the newest record of the account has it."""
        defined: dict[str, Doc] = {limit.key: limit.doc for limit in plan.limits} if plan is not None else {}
        defined = {**defined, **found.basis.limits}
        states = []
        for name, limit in _narrowest(found.value.get("limits") or ()).items():
            key = BoundKey(tenant, found.account, LIMIT, name)
            if found.value.get("subject") is None:
                limit = self._figures[key][1]
            if name in defined:
                states.append(
                    LimitState(key, defined[name], limit["value"], limit["amount"], limit.get("resets_at"))
                )
        return states

    def standing(
        self, tenant: str, account: str, found: Found, feature: str, subject: str | None
    ) -> Iterator[LimitState]:
        """The limits that deny the feature and that no entitlement shows: of the account and of all above it, and those of each
        subject, of the account and of whose entitlement is `found`."""
        for owner in self._line(tenant, account):
            mine = self._limits.get((tenant, owner), {})
            for name, (_, record) in mine.items():
                doc = record["doc"]
                if doc is None or not _denies(doc, feature):
                    continue
                if _is_by_subject(doc):
                    if owner not in (account, found.account) or not _is_about(doc, subject):
                        continue
                    # Who has used nothing has no record, and what the limit says of nobody holds.
                    name = f"{name}/{subject}"
                    record = mine[name].record if name in mine else record
                key = BoundKey(tenant, owner, STANDING, name)
                yield LimitState(key, doc, record["value"], record["amount"], record["resets_at"])

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


def _narrowest(limits: Iterable[Doc]) -> dict[str, Doc]:
    """Limits by key; of those that several subscriptions have, the one of which least is left."""
    found: dict[str, Doc] = {}
    for each in limits:
        other = found.get(each["limit"])
        if other is None or _rest(each) < _rest(other):
            found[each["limit"]] = each
    return found


def _rest(limit: Doc) -> int:
    amount, value = (
        numbers.scaled(limit[name], numbers.AMOUNT_DIGITS, DIGITS_MAX) for name in ("amount", "value")
    )
    return amount - value


def _is_gone(value: Doc) -> bool:
    """Whether an entitlement tells that no subscription of the account gives the feature any more."""
    return value["reason"] in ("not_in_plan", "canceled") and value.get("value") is None


def _is_by_subject(doc: Doc) -> bool:
    return doc.get("scope") == "subject" or isinstance(doc.get("scope"), dict)


def _is_about(doc: Doc, subject: str | None) -> bool:
    return subject is not None and doc["scope"] in ("subject", {"subject": subject})


def _denies(doc: Doc, feature: str) -> bool:
    """Whether a limit that is reached denies a feature that it counts."""
    return doc.get("action") == "suspend" or feature in (doc.get("features") or (feature,))


def _decode(raw: bytes) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(raw)
    return found


_counts = msgspec.json.Decoder(dict[str, int])
_basis = msgspec.json.Decoder(Basis)
_NO_BASIS = Basis()
