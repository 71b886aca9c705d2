"""`set_limit` and `remove_limit`: a limit of the account's own, which stands in place of a plan's of the same key."""

from __future__ import annotations

import json

from rating.catalog import limit_from
from rating.catalog.limits import CALENDAR, PERIOD
from rating.errors import Refused
from rating.facts import WATCHED
from rating.limits.bounds import set_bucket
from rating.records import Command
from rating.step import Step

LIMITS_MAX = 200
"""Limits that commands may set of one account: each is looked at after every step."""


def set_limit(step: Step, command: Command) -> None:
    """Set a limit, or another in its place. Raises `Refused`."""
    doc, only = command.fields["limit"], command.fields.get("subscription")
    limit = limit_from(doc)
    place = set_bucket(step)
    if step.cells.get(place, limit.key) is None and sum(1 for _ in step.cells.members(place)) >= LIMITS_MAX:
        raise Refused(f"the account has {LIMITS_MAX} limits of its own already: remove one")
    if only is not None and step.cells.get(("sub", step.tenant, step.account), only) is None:
        raise Refused(f"subscription {only} is unknown: name one of the account's")
    for name, known in (("meter", step.catalog.meters), ("feature", step.catalog.features)):
        if doc.get(name) is not None and doc[name] not in known:
            raise Refused(f"limit.{name} {doc[name]} is not in the catalog: name one that is")
    feature = step.catalog.features.get(limit.feature or "")
    if feature is not None and feature.meter is None:
        raise Refused(f"limit.feature {feature.key} has no meter, so no usage: name a metered one")
    for each in limit.features:
        if each not in step.catalog.features:
            raise Refused(f"limit.features: {each} is not in the catalog: name features that are")
    meter = step.catalog.meters.get((feature.meter if feature else limit.meter) or "")
    if meter is not None and limit.metric == "usage":
        for name, _ in limit.filter:
            if name not in meter.dimensions:
                raise Refused(f"limit.filter: {name} is not in the group_by of meter {meter.key}")
    if limit.plan is not None and all(key != limit.plan for key, _ in step.catalog.plans):
        raise Refused(f"limit.plan {limit.plan} is not in the catalog: name one that is")
    if (
        limit.scope == "account"
        and limit.window not in (*CALENDAR, "first_use", "sliding")
        and not limit.falls
    ):
        raise Refused(f"limit.window: {PERIOD} is a subscription's: use day, week, month or a length")
    stands = step.cells.get(place, limit.key)
    since = step.now if stands is None else stands[2]
    step.cells.put(place, limit.key, (json.dumps(doc, sort_keys=True), only, since))
    step.cells.put(("account", step.tenant, step.account), WATCHED, True)


def remove_limit(step: Step, command: Command) -> None:
    """Take a limit away; a plan's of the same key holds again. Raises `Refused`."""
    named = command.fields["limit"]
    key = named if isinstance(named, str) else named["key"]
    if step.cells.get(set_bucket(step), key) is None:
        raise Refused(
            f"limit {key} was not set by a command: a plan's changes with the plan, or set one in its place"
        )
    step.cells.put(set_bucket(step), key, None)
