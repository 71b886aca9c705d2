"""Limits in force, looked at after every step: what is crossed, what recovers, and what a limit does to the plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from tests.auditor.lifecycle.words import HOUR, Doc, duration, exact
from tests.auditor.limits.windows import Gauges, Held, Window
from tests.auditor.limits.world import NEVER, Run, World

Name = tuple[str, str | None, str | None]
"""Limit, its subscription, its subject."""


@dataclass(frozen=True)
class Crossing:
    """A threshold record as it must be. A value of None is not said."""

    name: Name
    threshold: str
    state: str
    at: int
    value: Fraction | None
    amount: Fraction
    window: Window | None
    over: bool = False
    """Its window may end elsewhere: the limit holds no more, or what crosses it ends the window."""


@dataclass
class Standing:
    """What is known of a limit from one look to the next."""

    held: Held
    window: Window | None
    crossed: set[str] = field(default_factory=set)
    written: int | None = None
    acts: bool = False
    moved: list[tuple[str, str, int]] = field(default_factory=list)
    back: int = -NEVER
    """When the plan is as it was before: until then the limit stays, whatever the new plan has."""


@dataclass
class Watch:
    """The limits of the account."""

    world: World
    gauges: Gauges
    own: dict[tuple[str, str | None], Doc] = field(default_factory=dict)
    standing: dict[Name, Standing] = field(default_factory=dict)
    crossings: list[Crossing] = field(default_factory=list)

    def command(self, doc: Doc) -> None:
        """`set_limit` and `remove_limit`."""
        if doc["type"] == "set_limit":
            self.own[doc["limit"]["key"], doc.get("subscription")] = doc["limit"]
        elif doc["type"] == "remove_limit":
            self.own.pop((doc["limit"], doc.get("subscription")), None)

    def held(self) -> list[Held]:
        """Every limit in force, of each subject where it is of subjects."""
        return [each for doc, run in self._docs() for each in self._subjects(doc, run)]

    def _docs(self) -> Iterator[tuple[Doc, Run | None]]:
        """An account's own limit stands over a plan's of its key; one that changed the plan stays while it acts."""
        named = {key: doc for (key, _), doc in self.own.items()}
        runs = self.world.runs()
        whole: dict[str, Doc] = {}
        for run in runs:
            mine: dict[str, Doc] = {}
            for name, standing in self.standing.items():
                if (standing.moved or standing.back > self.world.now) and name[1] == run.key:
                    mine[name[0]] = standing.held.doc
            for doc in run.piece.plan.get("limits", ()):
                mine.setdefault(doc["key"], doc)
            for key, doc in mine.items():
                if key not in named:
                    if _is_account_wide(doc):
                        whole.setdefault(key, doc)
                    else:
                        yield doc, run
        for (_, sub), doc in self.own.items():
            if _is_account_wide(doc):
                yield doc, None
            else:
                yield from ((doc, run) for run in runs if sub in (None, run.key))
        yield from ((doc, None) for doc in whole.values())

    def _subjects(self, doc: Doc, run: Run | None) -> Iterator[Held]:
        scope = doc.get("scope", "subscription")
        if isinstance(scope, dict):
            yield Held(doc, run, scope["subject"])
        elif scope == "subject":
            for subject in sorted({event.subject for event in self.world.events()}):
                yield Held(doc, run, subject)
        else:
            yield Held(doc, run, None)

    def look(self) -> None:
        """Write what is crossed now and was not, and what recovered."""
        changes = self._changes()
        self._look_once()
        if self._changes() != changes:
            self._look_once()

    def _changes(self) -> int:
        return sum(len(sub.changes) for sub in self.world.books.subs.values())

    def _look_once(self) -> None:
        held = {each.name: each for each in self.held()}
        for name, standing in list(self.standing.items()):
            if name not in held:
                self._drop(standing)
                del self.standing[name]
        for each in held.values():
            self._look(each)

    def _drop(self, standing: Standing) -> None:
        for threshold in sorted(standing.crossed):
            self._write(standing, threshold, "recovered", None)
        self._restore(standing)

    def _look(self, held: Held) -> None:
        window, value = self.gauges.window(held), self.gauges.value(held)
        standing = self.standing.setdefault(held.name, Standing(held, window))
        reached = dict(_reached(held.doc, value))
        if _measure(standing.held.doc) != _measure(held.doc):
            self._drop(standing)
            self.gauges.opened.pop(held.name, None)
            window = self.gauges.window(held)
            standing = self.standing[held.name] = Standing(held, window)
        if held.rolling != "sliding" and standing.window != window and not _is_cut(standing.window, window):
            if standing.window:  # A period that ends early ends there.
                standing.window = standing.window[0], min(standing.window[1], self.world.now)
            for threshold in sorted(standing.crossed):
                self._write(standing, threshold, "recovered", value)
            standing.crossed.clear()
            self._restore(standing)
            standing.acts = False
        standing.held, standing.window = held, window
        for threshold in sorted(standing.crossed - reached.keys()):
            self._write(standing, threshold, "recovered", value)
        standing.crossed &= reached.keys()
        for threshold in sorted(reached.keys() - standing.crossed):
            if not self._cools(standing):
                self._write(standing, threshold, "breached", value)
                standing.crossed.add(threshold)
                standing.written = self.world.now
        self._act(standing, value)

    def _cools(self, standing: Standing) -> bool:
        doc = standing.held.doc
        if doc.get("action") != "top_up" or standing.written is None:
            return False
        return self.world.now < standing.written + _cool_down(doc)

    def _write(self, standing: Standing, threshold: str, state: str, value: Fraction | None) -> None:
        held = standing.held
        window = None if held.rolling == "sliding" else standing.window
        over = value is None or held.doc.get("action") == "end_trial"
        self.crossings.append(
            Crossing(held.name, threshold, state, self.world.now, value, held.amount, window, over)
        )

    def _act(self, standing: Standing, value: Fraction) -> None:
        """Change the plan where the amount is newly reached, and back where it is no more."""
        acts = is_reached(standing.held, value)
        if acts and not standing.acts:
            self._move(standing)
        if standing.acts and not acts:
            self._restore(standing, 1)
        standing.acts = acts

    def _move(self, standing: Standing) -> None:
        doc, run = standing.held.doc, standing.held.run
        runs = [run] if run else self.world.runs()
        for each in runs if doc.get("action") in ("downgrade", "end_trial") else []:
            terms = each.piece.terms
            if doc["action"] == "end_trial":
                told = [
                    change for _, _, change in each.sub.changes if change["type"] in ("trial_end", "cancel")
                ]
                if terms.trial and told:
                    each.sub.add(self.world.now + 1, told[0])
            elif terms.plan != doc["plan"]:
                each.sub.add(self.world.now + 1, {"type": "change_plan", "plan": doc["plan"]})
                standing.moved.append((each.key, terms.plan, terms.version))

    def _restore(self, standing: Standing, later: int = 0) -> None:
        """Back to the plan before: at the end of the window, or 1 µs after the record by which it recovers."""
        standing.back = self.world.now + later if standing.moved else -NEVER
        for key, plan, version in standing.moved:
            sub = self.world.books.subs[self.world.account, key]
            if standing.held.doc.get("restore", True):
                sub.add(
                    self.world.now + later, {"type": "change_plan", "plan": plan, "plan_version": version}
                )
        standing.moved.clear()

    def instants(self) -> Iterator[int]:
        """When a window ends, an event leaves one, a limit that changed the plan lets go, or a top-up has cooled down."""
        for held in self.held():
            yield from self.gauges.instants(held)
        for standing in self.standing.values():
            yield standing.back
            if standing.written is not None and standing.held.doc.get("action") == "top_up":
                yield standing.written + _cool_down(standing.held.doc)


def _is_cut(old: Window | None, new: Window | None) -> bool:
    """The same window with another end."""
    return old is not None and new is not None and old[0] == new[0]


def _measure(doc: Doc) -> Doc:
    """What a limit counts."""
    unless = {"window": "period", "scope": "subscription"}
    names = ("metric", "meter", "feature", "filter", "unit", "window", "scope")
    return {name: doc.get(name) or unless.get(name) for name in names}


def _is_account_wide(doc: Doc) -> bool:
    scope = doc.get("scope", "subscription")
    return bool(doc["metric"] == "balance" or scope != "subscription")


def _cool_down(doc: Doc) -> int:
    return duration(doc["cool_down"]) if doc.get("cool_down") else HOUR


def is_reached(held: Held, value: Fraction) -> bool:
    """Whether the amount is reached: downwards for a balance."""
    return value <= held.amount if held.doc["metric"] == "balance" else value >= held.amount


def _reached(doc: Doc, value: Fraction) -> Iterator[tuple[str, Fraction]]:
    """The thresholds that are reached, each as its record names it."""
    amount, last = exact(doc["amount"]), Fraction(0)
    found: list[tuple[str, Fraction]] = []
    every = None
    for each in doc.get("thresholds") or ["100"]:
        if isinstance(each, dict) and "every" in each:
            every = exact(each["every"])
        elif isinstance(each, dict):
            found.append((f"at {Fraction(each['at'])}", exact(each["at"])))
        else:
            found.append((str(Fraction(str(each))), amount * Fraction(str(each)) / 100))
    last = max((at for _, at in found), default=Fraction(0))
    while every and last + every <= value:
        last += every
        found.append((f"at {last}", last))
    for name, at in found:
        if value <= at if doc["metric"] == "balance" else value >= at:
            yield name, at
