"""A subscription's life as periods and pieces: in a piece nothing changes, a period is its pieces in order.

Changes are kept with the instant at which they act and are always drawn anew from the start, in order of that instant and,
of equal ones, of the log. So a change that comes late falls in its place.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tests.auditor.lifecycle.calendar import period_at
from tests.auditor.lifecycle.offers import SELECTORS, Catalog, effective
from tests.auditor.lifecycle.words import Doc, duration, moment


@dataclass(frozen=True)
class Terms:
    """What a subscription is on. `offer` tells apart what cuts a period: plan, version, overrides, storefront."""

    plan: str
    version: int
    selectors: Doc
    own: Doc
    anchor: int | None
    zone: str
    quantities: Doc
    paused: bool = False
    trial: bool = False
    over: bool = False
    gives_back: bool | None = None

    @property
    def offer(self) -> tuple[str, int, str, str, bool]:
        return self.plan, self.version, repr(sorted(self.selectors.items())), repr(self.own), self.trial


@dataclass(frozen=True)
class Piece:
    """`[begin, end)` under the same terms; `plan` is the plan with its overrides."""

    begin: int
    end: int
    terms: Terms
    plan: Doc


@dataclass
class Period:
    """The nominal `[begin, end)`, where it stops in fact, and its pieces. `cut_off`: it ended early."""

    begin: int
    end: int
    stop: int
    pieces: list[Piece] = field(default_factory=list)
    open: bool = False
    gives_back: bool | None = None

    @property
    def closes(self) -> int:
        plan = self.pieces[-1].plan
        return self.stop + duration(plan.get("grace", "1h"))

    @property
    def held(self) -> bool:
        return any(not piece.terms.paused for piece in self.pieces)


@dataclass
class Subscription:
    """One subscription: where it began, and the changes that act on it as `(instant, order in the log, what)`."""

    account: str
    key: str
    start: int
    first: Terms
    changes: list[tuple[int, int, Doc]] = field(default_factory=list)
    waiting: tuple[int, Doc] | None = None

    def settle(self, clock: int) -> None:
        """The waiting change acts once the clock is at the period's end."""
        if self.waiting and self.waiting[0] <= clock:
            self.changes.append((self.waiting[0], len(self.changes) + 1, self.waiting[1]))
            self.waiting = None

    def add(self, at: int, change: Doc) -> None:
        self.changes.append((at, len(self.changes) + 1, change))


def periods(sub: Subscription, catalog: Catalog, until: int) -> list[Period]:
    """Every period that has begun by `until`; the last one runs to its nominal end unless it ended."""
    if sub.start > until:
        return []
    changes = sorted((each for each in sub.changes if each[0] <= until), key=lambda each: each[:2])
    terms, at, found = sub.first, sub.start, list[Period]()
    while True:
        before = terms
        while changes and changes[0][0] <= at:
            terms = _changed(terms, changes.pop(0)[2], at, catalog)
        terms = _moved(terms, at, catalog, not found or found[-1].end <= at)
        if terms.over:
            _end(found, at, terms)
            return found
        kind = catalog.plans[terms.plan, terms.version]["period"]
        if found and (terms.anchor != before.anchor) and found[-1].stop > at:
            _end(found, at, terms)
        if not found or found[-1].stop <= at:
            begin, end = period_at(kind, terms.zone, terms.anchor, at)
            found.append(Period(begin, end, end))
        period = found[-1]
        coming = [period.end, *(each[0] for each in changes[:1]), *_moves(terms, at, catalog)]
        following = min(coming)
        plan = effective(catalog.plans[terms.plan, terms.version], terms.selectors, terms.own)
        period.pieces.append(Piece(at, period.end if following > until else following, terms, plan))
        if following > until:
            period.open = True
            return found
        at = following


def _end(found: list[Period], at: int, terms: Terms) -> None:
    if found and found[-1].stop > at:
        found[-1].stop, found[-1].gives_back = at, terms.gives_back
    if found and not found[-1].pieces:
        found.pop()


def _changed(terms: Terms, change: Doc, at: int, catalog: Catalog) -> Terms:
    kind = change["type"]
    if kind == "cancel":
        return replace(terms, over=True, gives_back=change.get("prorate"))
    if kind in ("pause", "resume"):
        return replace(terms, paused=kind == "pause")
    if kind == "set_quantity":
        return replace(terms, quantities={**terms.quantities, change["fee"]: change["quantity"]})
    if kind == "trial_end" and not terms.trial:
        return terms
    plan, version = change.get("plan", terms.plan), change.get("plan_version")
    if version is None:
        version = catalog.newest(plan, at) if "plan" in change else terms.version
    assert version is not None
    old, new = catalog.plans[terms.plan, terms.version], catalog.plans[plan, version]
    anew = change.get("anchor") == "now" or old["period"] != new["period"]
    return replace(
        terms,
        plan=plan,
        version=version,
        trial=False,
        selectors={**terms.selectors, **{name: change[name] for name in SELECTORS if name in change}},
        own=change.get("overrides", terms.own),
        anchor=at if anew else terms.anchor,
    )


def _moved(terms: Terms, at: int, catalog: Catalog, renews: bool) -> Terms:
    """The terms after `existing` of newer versions has acted at an instant."""
    for version, doc in catalog.newer(terms.plan, terms.version):
        existing = doc.get("existing", "keep")
        known = max(moment(doc["effective_from"]), catalog.since[terms.plan, version])
        if (existing == "renewal" and renews and known < at) or (
            existing not in ("keep", "renewal") and moment(existing) == at and known <= at
        ):  # fmt: skip
            anew = doc["period"] != catalog.plans[terms.plan, terms.version]["period"]
            terms = replace(terms, version=version, anchor=at if anew else terms.anchor)
    return terms


def _moves(terms: Terms, at: int, catalog: Catalog) -> list[int]:
    times = [doc.get("existing", "keep") for _, doc in catalog.newer(terms.plan, terms.version)]
    return [moment(each) for each in times if each not in ("keep", "renewal") and moment(each) > at]
