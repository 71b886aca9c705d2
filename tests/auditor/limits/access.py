"""What an entitlement record must say at an instant."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from tests.auditor.lifecycle.words import Doc, moment, part, shown
from tests.auditor.limits.crossings import Watch, is_reached
from tests.auditor.limits.windows import Held
from tests.auditor.limits.world import NEVER, Run, World


@dataclass
class Access:
    """A feature as it is through one subscription. `reasons`: any of them may be given; a resets_at of -1 is not said."""

    access: bool
    reasons: set[str]
    figures: dict[str, Fraction] = field(default_factory=dict)
    resets_at: int | None = -1
    throttles: list[Doc] = field(default_factory=list)


@dataclass
class Doors:
    """The features of the account."""

    world: World
    watch: Watch
    seen: set[str] = field(default_factory=set)
    acting: list[Held] = field(default_factory=list)

    def of(self, feature: Doc, subject: str | None = None) -> list[Access] | None:
        """What it may be: through the subscription that gives access first, else through any; None where none ever did."""
        key = feature["key"]
        runs = self.world.runs()
        mine = [run for run in runs if _entitled(run.piece.plan, key)]
        if not mine:
            if key not in self.seen:
                return None
            return [Access(False, {"not_in_plan"} if runs else {"canceled"})]
        self.seen.add(key)
        found = [self._through(run, feature, subject) for run in mine]
        return next(([each] for each in found if each.access), found)

    def holds(self, feature: Doc, subject: str) -> bool:
        """Whether a limit of a subject has its hand on a feature that some plan gave."""
        if feature["key"] not in self.seen:
            return False
        return any(self._bears(held, feature) for held in self.acting if held.subject == subject)

    def look(self) -> None:
        """Note which limits have reached their amount now."""
        gauges = self.watch.gauges
        self.acting = [held for held in self.watch.held() if is_reached(held, gauges.value(held))]

    def _through(self, run: Run, feature: Doc, subject: str | None) -> Access:
        entitlement = _entitled(run.piece.plan, feature["key"])
        assert entitlement is not None
        reasons: set[str] = set()
        resets: list[int | None] = []
        throttles = []
        for held in self.acting:
            if held.subject not in (None, subject) or not self._bears(held, feature):
                continue
            if _action(held.doc) == "throttle":
                throttles.append(held.doc["throttle"])
            else:
                reasons.add("suspended" if _action(held.doc) == "suspend" else "hard_limit")
                resets.append(self.watch.gauges.frees(held))
        if run.piece.terms.paused:
            reasons.add("paused")
            resets.append(-1)
        figures: dict[str, Fraction] = {}
        if feature["kind"] == "metered":
            exhausted = self._figures(run, feature, entitlement, figures)
            if exhausted:
                reasons.add("exhausted")
                resets.append(-1 if "unit" in entitlement else _ends(run))
        if reasons:
            latest = (
                -1
                if -1 in resets
                else None
                if None in resets
                else max(each for each in resets if each is not None)
            )
            return Access(False, reasons, figures, latest)
        return Access(True, {"throttled"} if throttles else {"ok"}, figures, -1, throttles)

    def _figures(self, run: Run, feature: Doc, entitlement: Doc, figures: dict[str, Fraction]) -> bool:
        """Fill in included, used, balance and overage; whether nothing is left and nothing goes beyond."""
        plan = run.piece.plan
        if unit := entitlement.get("unit"):
            figures["balance"] = self.world.balance(unit)
            beyond = entitlement.get("overage") or (
                "allowed" if unit in plan.get("conversion_rates", {}) else "denied"
            )
            return beyond == "denied" and figures["balance"] <= 0
        begin, included = _included(run, feature["key"])
        events = [each for each in self.world.events() if each.subscription in (None, run.key)]
        used = self.world.total(feature["meter"], self.world.counted(feature["meter"], begin, run.period.end, events),
                                run.sub.first.zone)  # fmt: skip
        priced = any(charge["meter"] == feature["meter"] for charge in plan.get("charges", ()))
        beyond = entitlement.get("overage") or ("allowed" if priced else "denied")
        figures |= {"included": included, "used": used, "balance": max(included - used, Fraction(0)),
                    "overage": max(used - included, Fraction(0))}  # fmt: skip
        return beyond == "denied" and used >= included

    def _bears(self, held: Held, feature: Doc) -> bool:
        action = _action(held.doc)
        if action == "suspend":
            return True
        if action not in ("block", "throttle"):
            return False
        if held.doc.get("features"):
            return feature["key"] in held.doc["features"]
        meter = self.watch.gauges.meter(held)
        return feature["kind"] == "metered" and (meter is None or feature["meter"] == meter)


def _ends(run: Run) -> int:
    """When the period ends, as it is known: a cancellation that waits may come before its end."""
    at, change = run.sub.waiting or (NEVER, {})
    return min(run.period.end, at) if change.get("type") == "cancel" else run.period.end


def _action(doc: Doc) -> str:
    return str(doc.get("action") or ("block" if doc.get("hard") else "notify"))


def _entitled(plan: Doc, feature: str) -> Doc | None:
    return next((each for each in plan.get("entitlements", ()) if each["feature"] == feature), None)


def _included(run: Run, feature: str) -> tuple[int, Fraction]:
    """Since when usage counts, and what is included: the parts of earlier segments, and all that is left of this one."""
    period = run.period
    nominal = (period.begin, period.end)
    begin, earlier = period.begin, Fraction(0)
    before: bool | None = None
    """Whether the piece before was of a trial; None where it did not have the feature."""
    for piece in period.pieces:
        entitlement = _entitled(piece.plan, feature)
        if piece is not period.pieces[0] and piece.terms.trial != before:
            begin, earlier = piece.begin, Fraction(0)
        before = piece.terms.trial if entitlement else None
        if entitlement and piece is not run.piece:
            earlier += part(Fraction(entitlement["included"]), nominal, piece.begin, piece.end)
    begin = max(begin, run.sub.start)
    last = _entitled(run.piece.plan, feature)
    assert last is not None
    whole = Fraction(last["included"])
    if last.get("prorate") is False:
        return begin, whole
    return begin, earlier + part(whole, nominal, run.piece.begin, period.end)


def unlike(wanted: Access, value: Doc) -> list[str]:
    """What a record says otherwise."""
    found = []
    if value["access"] != wanted.access:
        found.append(f"access {value['access']}, want {wanted.access} ({', '.join(sorted(wanted.reasons))})")
    elif value["reason"] not in wanted.reasons:
        found.append(f"reason {value['reason']}, want {', '.join(sorted(wanted.reasons))}")
    for name, figure in wanted.figures.items():
        if value[name] is None or Fraction(value[name]) != figure:
            found.append(f"{name} {value[name]}, want {float(figure):.12g}")
    if not found and wanted.resets_at != -1 and _when(value["resets_at"]) != wanted.resets_at:
        found.append(f"resets_at {value['resets_at']}, want {wanted.resets_at and shown(wanted.resets_at)}")
    if (
        wanted.access
        and wanted.throttles
        and not any(_same(value["throttle"], each) for each in wanted.throttles)
    ):
        found.append(f"throttle {value['throttle']}, want one of {wanted.throttles}")
    if wanted.access and not wanted.throttles and value["throttle"] is not None:
        found.append(f"throttle {value['throttle']}, want none")
    return found


def _same(one: Any, other: Doc) -> bool:
    return bool(one) and Fraction(one["rate"]) == Fraction(other["rate"]) and one["per"] == other["per"]


def _when(text: str | None) -> int | None:
    return None if text is None else moment(text)
