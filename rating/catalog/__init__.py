"""The catalog as the kernel sees it: frozen policies, compiled from the canonical document of a revision.

    compile_catalog(doc, revision) -> Catalog       meters, plans, features of one revision
    effective_plan(doc, selectors, overrides) -> Plan   what one subscription has
    conflicts(published, new), publish(published, new)  how a revision follows another

The documents come checked and canonical from `schemas.catalog`; nothing here explains a user's mistake.
"""

from rating.catalog.catalog import EMPTY, Catalog, Feature, compile_catalog
from rating.catalog.limits import Limit, limit_from
from rating.catalog.meters import Meter, MeterSource, Outcome
from rating.catalog.overrides import effective_plan
from rating.catalog.plans import (
    Charge,
    Entitlement,
    Fee,
    Plan,
    RecurringGrant,
    Rollover,
    Trial,
    plan_from,
    rollover_from,
)  # fmt: skip
from rating.catalog.publish import conflicts, publish, read_revision, revision_value

__all__ = [
    "EMPTY", "Catalog", "Charge", "Entitlement", "Feature", "Fee", "Limit", "Meter", "MeterSource", "Outcome", "Plan",
    "RecurringGrant", "Rollover", "Trial", "compile_catalog", "conflicts", "effective_plan", "limit_from", "plan_from",
    "publish", "read_revision", "revision_value", "rollover_from",
]  # fmt: skip
