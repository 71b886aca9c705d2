"""The entitlement of each feature: whether an account may use it now, what is left, and why not.

A record is written when it says something else than the one on the topic. Of several subscriptions that have a feature the
first that gives access decides, else the oldest. A subject that a limit holds has a record of its own until it is let go.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterator
from dataclasses import replace
from typing import Any

from rating import tree
from rating.access import allowances
from rating.access.blocks import Block, blocks_of, limits_of
from rating.access.metered import metered
from rating.catalog import Entitlement, Plan, limit_from
from rating.effects import Effect
from rating.facts import Facts
from rating.limits.bounds import Held, named, running
from rating.limits.crossings import Seen
from rating.limits.gauges import gauges
from rating.state import NEVER
from rating.step import Step
from rating.subscriptions import paused
from rating.timeline import Timeline, spell_at
from rating.times import format_time

ENTITLEMENTS = "billing.entitlements.v1"
Record = dict[str, Any]
Above = tuple[Step, list[Seen]]
"""An account above, and the limits of it that hold those below."""


def tell(step: Step, facts: Facts) -> None:
    """Write what is another now."""
    told = dict(step.cells.members(_bucket(step)))
    subs = running(step)
    wanted: dict[str, Record] = {}
    reasons: dict[str, list[Block]] = {}
    above = list(_above(step)) if subs else []
    for known in subs:
        _of_subscription(step, known, facts.seen, above, wanted, reasons)
        allowances.forget(step, known, spell_at(step.catalog, known, step.now).start)
    if facts.seen and tree.parent(step.cells, step.tenant, step.account) is not None:
        wanted |= _held_below(step, facts.seen, set(wanted))
    if not told and not wanted:
        return
    for name, text in told.items():
        if "/" not in name and name not in wanted and _is_of_plan(text):
            wanted[name] = _gone(json.loads(text), "not_in_plan" if subs else "canceled")
    for name, record in _of_subjects(step, wanted, reasons, facts.seen):
        wanted[name] = record
    for name, record in wanted.items():
        text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
        if told.get(name) != text:
            step.cells.put(_bucket(step), name, text)
            step.effects.append(Effect(ENTITLEMENTS, f"{step.key}/{name}", record | {"time": step.time_text}))
    for name in told:
        if name not in wanted:
            step.cells.put(_bucket(step), name, None)
            step.effects.append(Effect(ENTITLEMENTS, f"{step.key}/{name}", None))


def _bucket(step: Step) -> tuple[str, ...]:
    return ("entitlement", step.tenant, step.account)


def _of_subscription(
    step: Step,
    known: Timeline,
    seen: list[Seen],
    above: list[Above],
    wanted: dict[str, Record],
    reasons: dict[str, list[Block]],
) -> None:
    plan = step.plan(known.sub, known.terms[known.at(step.now)])
    for entitlement in plan.entitlements:
        before = wanted.get(entitlement.feature)
        if before is None or not before["access"]:
            feature = step.catalog.features[entitlement.feature]
            blocks = [block for there, held in above for block in blocks_of(there, feature, held)]
            record = _record(step, known, plan, entitlement, seen, blocks)
            if before is None or record["access"]:
                wanted[entitlement.feature], reasons[entitlement.feature] = record, blocks


def _above(step: Step) -> Iterator[Above]:
    """The limits of accounts above that hold this one too: those that count it, and have reached their amount."""
    for account in tree.ancestors(step.cells, step.tenant, step.account):
        there = replace(step, account=account, facts=None, family=None)
        held = [Held(name, limit_from(json.loads(bound.doc)), None, None) for name, bound in named(there)]
        yield (
            there,
            [
                Seen(each, gauge, 0)
                for each in held
                if each.limit.scope == "account" and not each.limit.falls
                for gauge in gauges(there, each)
                if gauge.acting
            ],
        )


def _record(
    step: Step, known: Timeline, plan: Plan, entitlement: Entitlement, seen: list[Seen], blocks: list[Block]
) -> Record:
    """The record of a feature; `blocks` gets what speaks against it."""
    feature = step.catalog.features[entitlement.feature]
    amounts = metered(step, known, plan, entitlement) if feature.kind == "metered" else None
    blocks += blocks_of(step, feature, [each for each in seen if not each.gauge.subject])
    if paused(known.sub):
        blocks.append(Block("paused", NEVER))
    if feature.kind == "boolean" and entitlement.value is False:
        blocks.append(Block("not_in_plan", NEVER))
    if amounts is not None and amounts.exhausted:
        blocks.append(Block("exhausted", amounts.resets_at))
    return {
        "tenant": step.tenant, "account": step.account, "feature": feature.key, "kind": feature.kind,
        **_decided(blocks), "value": entitlement.value,
        "included": amounts and amounts.included, "used": amounts and amounts.used,
        "balance": amounts and amounts.balance, "overage": amounts and amounts.overage,
        "unit": entitlement.unit, "limits": limits_of(step, feature, seen),
        "plan": plan.key, "version": plan.version,
    }  # fmt: skip


def _decided(blocks: list[Block]) -> Record:
    """Access, the gravest reason, when access returns, and the pace that a throttle asks for."""
    deny = [each for each in blocks if each.throttle is None]
    first = min(deny or blocks, key=lambda each: each.rank, default=None)
    returns = max((each.until for each in deny), default=NEVER)
    return {
        "access": not deny,
        "reason": "ok" if first is None else first.reason,
        "resets_at": None if returns == NEVER else format_time(returns),
        "throttle": None if deny or first is None else first.throttle,
    }


def _held_below(step: Step, seen: list[Seen], own: Container[str]) -> Iterator[tuple[str, Record]]:
    """What an account's limits deny, to all of it or to a subject, of features that no subscription of its own gives (`own`):
    it uses those that accounts above it have, and whoever asks for it finds its own record first. It is let go by a tombstone,
    so that theirs is found again."""
    for subject in ("", *_held_subjects(seen)):
        mine = [each for each in seen if each.gauge.subject in ("", subject)]
        for feature in step.catalog.features.values():
            blocks = [] if feature.key in own else blocks_of(step, feature, mine)
            if any(each.throttle is None for each in blocks):
                nothing = ("value", "included", "used", "balance", "overage", "unit")
                record = {
                    "tenant": step.tenant, "account": step.account, "feature": feature.key, "kind": feature.kind,
                    **_decided(blocks), **dict.fromkeys(nothing), "limits": limits_of(step, feature, mine),
                    "plan": None, "version": None,
                }  # fmt: skip
                yield _named(record, subject, limits_of(step, feature, mine, subject))


def _named(record: Record, subject: str, limits: list[Record]) -> tuple[str, Record]:
    """A record under its name, a subject's with the limits that are its own."""
    if not subject:
        return record["feature"], record
    return f"{record['feature']}/{subject}", record | {
        "subject": subject,
        "limits": record["limits"] + limits,
    }


def _held_subjects(seen: list[Seen]) -> list[str]:
    return sorted({each.gauge.subject for each in seen if each.gauge.subject and each.gauge.acting})


def _is_of_plan(text: str) -> bool:
    """Whether a record that was told is of a subscription's plan."""
    return json.loads(text)["plan"] is not None


def _gone(record: Record, reason: str) -> Record:
    """A feature that no subscription of the account gives any more."""
    return record | {
        "access": False, "value": None, "included": None, "used": None, "balance": None, "overage": None,
        "resets_at": None, "reason": reason, "throttle": None, "limits": [],
    }  # fmt: skip


def _of_subjects(
    step: Step, wanted: dict[str, Record], reasons: dict[str, list[Block]], seen: list[Seen]
) -> Iterator[tuple[str, Record]]:
    """The records of subjects that a limit holds: by what speaks against them and against the account."""
    for subject in _held_subjects(seen):
        mine = [each for each in seen if each.gauge.subject == subject]
        for name, record in list(wanted.items()):
            feature = step.catalog.features.get(name)
            blocks = [] if feature is None else blocks_of(step, feature, mine)
            if feature is None or not blocks or f"{name}/{subject}" in wanted:
                continue
            # A feature that no subscription gives has no reasons: its record says all.
            own = _decided(reasons[name] + blocks) if name in reasons else {}
            yield _named(record | own, subject, limits_of(step, feature, mine, subject))
