"""A catalog revision, compiled: what the kernel and metering look up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rating.catalog.meters import Meter, MeterSource, meter_from
from rating.catalog.plans import Plan, plan_from
from rating.catalog.rules import NONE, Rules, rules_from
from rating.catalog.tenants import NO_LIMITS, TENANT, TenantLimits, tenant_limits

Doc = Mapping[str, Any]


class Feature(NamedTuple):
    """Something that a plan gives access to. `kind` is boolean, static or metered."""

    key: str
    kind: str
    meter: str | None


@dataclass(frozen=True, slots=True)
class Catalog:
    """One revision of a tenant's catalog; revision 0 is none. `doc` is the canonical document that it was made from."""

    revision: int
    meters: Mapping[str, Meter]
    sources_by_type: Mapping[str, tuple[MeterSource, ...]]
    plans: Mapping[tuple[str, int], Plan]
    features: Mapping[str, Feature]
    timezone: str = "UTC"
    storefronts: Mapping[str, Doc] = field(default_factory=dict)
    doc: Doc = field(default_factory=dict, repr=False, compare=False)
    published: Mapping[tuple[str, int], int] = field(default_factory=dict, compare=False)
    """When each plan's version came into a catalog, in microseconds."""
    moving: tuple[Plan, ...] = ()
    """Versions that running subscriptions move to, in the order in which they take effect."""
    outcome_types: Mapping[str, tuple[Meter, ...]] = field(default_factory=dict, compare=False)
    """By the type of outcome events, the meters that wait for them."""
    outcome_meters: frozenset[str] = frozenset()
    watched: bool = False
    """Whether some plan, or an override of one, has entitlements, or limits of less than the whole tenant."""
    rules: Rules = NONE
    tenant: TenantLimits = NO_LIMITS

    def choose(self, key: str, start: int, version: int | None = None) -> Plan | None:
        """The plan that a new subscription takes: that version, or the newest in effect at `start`; none retired."""
        found = [
            plan
            for plan in self.plans.values()
            if plan.key == key
            and not plan.retired
            and (plan.effective_from <= start if version is None else plan.version == version)
        ]
        return max(found, key=lambda plan: (plan.effective_from, plan.version), default=None)


EMPTY = Catalog(0, {}, {}, {}, {})
"""Before any catalog is in force."""


def compile_catalog(
    doc: Doc, revision: int, published: Mapping[tuple[str, int], int] | None = None
) -> Catalog:
    """The catalog of a canonical document, as `publish` made it. The document was checked, so this raises nothing."""
    retired = doc.get("retired", {})
    gone_meters = set(retired.get("meters", ()))
    gone_plans = {(key, version) for key, version in retired.get("plans", ())}
    meters = {each["key"]: meter_from(each, each["key"] in gone_meters) for each in doc.get("meters", ())}
    by_type: dict[str, list[MeterSource]] = {}
    for meter in meters.values():
        for source in meter.sources:
            by_type.setdefault(source.event_type, []).append(source)
    plans = [plan_from(each, (each["key"], each["version"]) in gone_plans) for each in doc.get("plans", ())]
    moving = sorted(
        (plan for plan in plans if plan.existing != "keep" and not plan.retired),
        key=lambda plan: (plan.effective_from, plan.version),
    )
    by_outcome: dict[str, list[Meter]] = {}
    for meter in meters.values():
        if meter.outcome is not None:
            by_outcome.setdefault(meter.outcome.event_type, []).append(meter)
    features = {
        each["key"]: Feature(each["key"], each["kind"], each.get("meter")) for each in doc.get("features", ())
    }
    return Catalog(
        revision=revision,
        meters=meters,
        sources_by_type={kind: tuple(sources) for kind, sources in by_type.items()},
        plans={(plan.key, plan.version): plan for plan in plans},
        features=features,
        timezone=doc.get("settings", {}).get("timezone", "UTC"),
        storefronts={each["key"]: each for each in doc.get("storefronts", ())},
        doc=doc,
        published=published or {},
        moving=tuple(moving),
        outcome_types={kind: tuple(found) for kind, found in by_outcome.items()},
        outcome_meters=frozenset(meter.key for found in by_outcome.values() for meter in found),
        watched=any(
            watches(part) for each in doc.get("plans", ()) for part in (each, *each.get("overrides", ()))
        ),
        rules=rules_from(doc.get("rules", [])),
        tenant=tenant_limits(plans, meters, {key: each.meter for key, each in features.items()}),
    )


def watches(doc: Doc) -> bool:
    """Whether a plan or an override has entitlements, or limits that an account is looked at for."""
    return bool(doc.get("entitlements")) or any(
        limit.get("scope") != TENANT for limit in doc.get("limits") or ()
    )
