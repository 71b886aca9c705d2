"""What one model cannot see: references, duplicate keys, dimensions, merged overrides, and what is likely a slip.

Runs over the items that are valid by themselves; an item that is not still counts as there, so that a slip in a meter
is told once and not again at every charge on it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from rating.charge import rule_from
from rating.errors import RatingError
from schemas.catalog.base import suggestion
from schemas.catalog.canonical import canonical
from schemas.catalog.limits import Limit, OneSubject
from schemas.catalog.market import Feature
from schemas.catalog.meters import Meter
from schemas.catalog.plans import Charge, Plan
from schemas.catalog.problems import Finding, Loc
from schemas.catalog.rules import Rule
from schemas.catalog.slips import likely_slips

UNIT_DIGITS_MAX = 9
"""Fractional digits of a unit amount in a credit unit: × conversion rate (6) they still fit in an amount."""


@dataclass
class Items:
    """The items of a catalog by section, those that are valid by themselves; `named` holds the keys of all."""

    valid: dict[str, list[tuple[int, Any]]]
    named: dict[str, set[str]]
    meters: dict[str, Meter] = field(default_factory=dict)
    features: dict[str, Feature] = field(default_factory=dict)
    plans: dict[str, list[Plan]] = field(default_factory=dict)
    rules: dict[str, Rule] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.meters = {each.key: each for _, each in self.valid["meters"]}
        self.features = {each.key: each for _, each in self.valid["features"]}
        self.rules = {each.key: each for _, each in self.valid["rules"]}
        for _, plan in self.valid["plans"]:
            self.plans.setdefault(plan.key, []).append(plan)

    def missing(self, section: str, key: str, loc: Loc) -> Iterator[Finding]:
        """A finding where nothing in the section has the key."""
        known = self.named[section]
        if key in known:
            return
        one = section.removesuffix("s")
        meant = suggestion(key, known)
        remedy = f"did you mean {meant}?" if meant else f"add it to {section}" + (
            f", or use one of {', '.join(sorted(known)[:8])}" if known else "")  # fmt: skip
        yield Finding(loc, f"is no {one} of this catalog", remedy)


def check(items: Items) -> tuple[list[Finding], list[Finding]]:
    """Problems and warnings over all items."""
    from schemas.catalog.rule_checks import check_rules
    from schemas.catalog.tenant_checks import check_tenant_limits

    problems = [*_duplicates(items), *_surroundings(items), *check_rules(items), *check_tenant_limits(items)]
    warnings: list[Finding] = []
    for index, plan in items.valid["plans"]:
        loc: Loc = ("plans", index)
        found = list(check_plan(items, plan))
        problems += [_under(loc, each) for each in found]
        warnings += [_under(loc, each) for each in likely_slips(plan)]
        from schemas.catalog.override_checks import check_overrides

        problems += [_under(loc, each) for each in check_overrides(items, plan, found)]
    return problems, warnings


def _under(loc: Loc, finding: Finding) -> Finding:
    return Finding((*loc, *finding.loc), finding.problem, finding.remedy)


def _duplicates(items: Items) -> Iterator[Finding]:
    def plan_key(plan: Plan) -> Hashable:
        return plan.key, plan.version

    for section in ("meters", "features", "storefronts", "rules"):
        yield from _twice(items.valid[section], lambda each: each.key, (section,), "key")
    yield from _twice(items.valid["plans"], plan_key, ("plans",), "version")
    yield from _twice(
        items.valid["costs"],
        lambda each: (
            each.meter,
            each.effective_from,
            tuple((k, tuple(v)) for k, v in sorted(each.when.items())),
        ),
        ("costs",),
        "effective_from",
    )
    yield from _twice(
        items.valid["fx"], lambda each: (each.from_, each.to, each.effective_from), ("fx",), "effective_from"
    )


def _twice(items: Iterable[tuple[int, Any]], key: Any, loc: Loc, name: str) -> Iterator[Finding]:
    first: dict[Hashable, int] = {}
    for index, each in items:
        held = first.setdefault(key(each), index)
        if held != index:
            where = f"{loc[-1]}[{held}]"
            yield Finding((*loc, index, name), f"is taken by {where}", "give each its own, or remove one")


def check_plan(items: Items, plan: Plan) -> Iterator[Finding]:
    """Problems of one plan, at paths within it; of a plan merged with an override likewise."""
    fees = {each.key for each in plan.fees}
    for name, key in (
        ("fees", "key"),
        ("charges", "key"),
        ("entitlements", "feature"),
        ("limits", "key"),
        ("grants", "key"),
    ):
        yield from _twice(
            enumerate(getattr(plan, name)), lambda each, key=key: getattr(each, key), (name,), key
        )
    for index, charge in enumerate(plan.charges):
        if charge.key in fees:
            yield Finding(
                ("charges", index, "key"), "is a fee's key too", "give fee and charge keys of their own"
            )
        yield from _check_charge(items, plan, charge, ("charges", index))
    for index, entitlement in enumerate(plan.entitlements):
        yield from _check_entitlement(items, entitlement, ("entitlements", index))
    for index, limit in enumerate(plan.limits):
        yield from check_limit(items, limit, ("limits", index), plan.currency)
    payable = fees | {each.key for each in plan.charges}
    for index, grant in enumerate(plan.grants):
        for at, key in enumerate(grant.applies_to.charges if grant.applies_to else ()):
            if key not in payable:
                yield Finding(("grants", index, "applies_to", "charges", at), "is no charge or fee of this plan",
                              "name one of " + ", ".join(sorted(payable)) if payable else "remove it")  # fmt: skip
        for at, key in enumerate(grant.applies_to.meters if grant.applies_to else ()):
            yield from items.missing("meters", key, ("grants", index, "applies_to", "meters", at))
    yield from _check_trial(items, plan)


def _check_charge(items: Items, plan: Plan, charge: Charge, loc: Loc) -> Iterator[Finding]:
    missing = list(items.missing("meters", charge.meter, (*loc, "meter")))
    yield from missing
    meter = items.meters.get(charge.meter)
    if meter is not None:
        names = meter.dimension_names()
        lists: list[tuple[Loc, list[str]]] = [(("dimensions",), charge.dimensions)]
        if charge.price.model == "matrix":
            lists.append((("price", "dimensions"), charge.price.dimensions))
        for where, dimensions in lists:
            for at, name in enumerate(dimensions):
                yield from known_dimension(meter.key, names, name, (*loc, *where, at))
    if charge.unit is not None:
        for where, text in _unit_amounts(charge.price):
            if len(text.partition(".")[2]) > UNIT_DIGITS_MAX:
                yield Finding((*loc, "price", *where), f"has more than {UNIT_DIGITS_MAX} fractional digits",
                              f"give at most {UNIT_DIGITS_MAX} in a charge with unit")  # fmt: skip
    try:
        rule_from(canonical(charge))
    except (RatingError, AssertionError) as error:
        yield Finding(loc, f"cannot be priced: {error}", "correct the price")


def known_dimension(meter: str, names: list[str], name: str, loc: Loc) -> Iterator[Finding]:
    """A finding where a meter does not group by the name."""
    if name not in names:
        meant = suggestion(name, names)
        choice = f"use one of {', '.join(names)}" if names else "remove it"
        yield Finding(loc, f"is not in group_by of the meter {meter}", f"did you mean {meant}?" if meant else
                      f"{choice}, or publish a meter that groups by it")  # fmt: skip


def _unit_amounts(price: BaseModel, loc: Loc = ()) -> Iterator[tuple[Loc, str]]:
    for name in type(price).model_fields:
        value = getattr(price, name)
        if name == "unit_amount" or (name == "default" and isinstance(value, str)):
            yield (*loc, name), value
        elif isinstance(value, BaseModel):
            yield from _unit_amounts(value, (*loc, name))
        elif isinstance(value, list):
            for index, each in enumerate(value):
                if isinstance(each, BaseModel):
                    yield from _unit_amounts(each, (*loc, name, index))


def _check_entitlement(items: Items, entitlement: Any, loc: Loc) -> Iterator[Finding]:
    yield from items.missing("features", entitlement.feature, (*loc, "feature"))
    feature = items.features.get(entitlement.feature)
    if feature is None:
        return
    if feature.kind == "metered":
        if entitlement.value is not None:
            yield Finding((*loc, "value"), "is not for a metered feature", "use included and overage")
        if feature.meter is None and entitlement.unit is None:
            yield Finding(
                (*loc, "feature"), "is metered, but has no meter", "give the feature a meter, or this a unit"
            )
        return
    for name in ("included", "overage", "unit"):
        if getattr(entitlement, name) is not None:
            yield Finding((*loc, name), f"is not for a {feature.kind} feature", "use value")
    if feature.kind == "boolean" and not isinstance(entitlement.value, bool):
        yield Finding(
            (*loc, "value"), "is not true or false, as the feature is boolean", "write true or false"
        )
    if feature.kind == "static" and entitlement.value is None:
        yield Finding((*loc, "value"), "is missing, as the feature is static", "add a value")


def check_limit(items: Items, limit: Limit, loc: Loc, currency: str | None = None) -> Iterator[Finding]:
    """Problems of a limit, of a plan or by command (then without the plan's currency)."""
    if limit.meter is not None:
        yield from items.missing("meters", limit.meter, (*loc, "meter"))
    for at, key in enumerate(limit.features):
        yield from items.missing("features", key, (*loc, "features", at))
    if limit.feature is not None:
        yield from items.missing("features", limit.feature, (*loc, "feature"))
        feature = items.features.get(limit.feature)
        if feature is not None and feature.meter is None:
            yield Finding((*loc, "feature"), "has no meter, so no usage", "name a metered feature")
    if limit.plan is not None:
        yield from items.missing("plans", limit.plan, (*loc, "plan"))
    meter = items.meters.get(limit.meter or "")
    if meter is not None:
        for name in limit.filter:
            yield from known_dimension(meter.key, meter.dimension_names(), name, (*loc, "filter", name))
    if currency is not None and limit.currency not in (None, currency) and limit.scope != "tenant":
        yield Finding(
            (*loc, "currency"), f"is not the plan's currency {currency}", f"write {currency}, or remove it"
        )
    if isinstance(limit.scope, OneSubject) and limit.metric == "balance":
        yield Finding((*loc, "scope"), "has no balance of its own", "use scope: account")


def _check_trial(items: Items, plan: Plan) -> Iterator[Finding]:
    trial = plan.trial
    if trial is None:
        return
    yield from items.missing("plans", trial.plan, ("trial", "plan"))
    for other in items.plans.get(trial.plan, ()):
        if other.period != plan.period:
            yield Finding(("trial", "plan"), f"has the period {other.period}, this plan {plan.period}",
                          "give both plans the same period")  # fmt: skip
            break
    if trial.then not in (None, "cancel"):
        yield from items.missing("plans", str(trial.then), ("trial", "then"))
    if trial.eligible is not None:
        yield from items.missing("rules", trial.eligible, ("trial", "eligible"))
        rule = items.rules.get(trial.eligible)
        if rule is not None and rule.kind != "trial":
            yield Finding(
                ("trial", "eligible"), f"is a rule of kind {rule.kind}", "name a rule of kind trial"
            )


def _surroundings(items: Items) -> Iterator[Finding]:
    for index, feature in items.valid["features"]:
        if feature.meter is not None:
            yield from items.missing("meters", feature.meter, ("features", index, "meter"))
    for index, storefront in items.valid["storefronts"]:
        for at, key in enumerate(storefront.plans):
            yield from items.missing("plans", key, ("storefronts", index, "plans", at))
    for index, cost in items.valid["costs"]:
        yield from items.missing("meters", cost.meter, ("costs", index, "meter"))
        meter = items.meters.get(cost.meter)
        for name in cost.when if meter is not None else ():
            assert meter is not None
            yield from known_dimension(
                cost.meter, meter.dimension_names(), name, ("costs", index, "when", name)
            )
